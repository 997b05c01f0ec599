package storagetest

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer/registry"
	"aidpass/storage"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// A scanner is a device of the organisation and its journal.
type scanner struct {
	*testing.T
	signer *ecdsa.PrivateKey
	device access.Device
	prev   []byte
	next   uint64
}

// scanner enrols a device.
func (w *world) scanner(t *testing.T, name string) *scanner {
	t.Helper()
	s := &scanner{T: t, signer: newKey(t), next: 1}
	key, err := cose.NewKey(s.signer.Public())
	must(t, err)
	s.device = access.Device{KID: key.ID(), Key: key, Name: name, Site: "wellA", State: access.DeviceConfirmed, Certificate: []byte(name),
		From: credential.FromStd(w.now) - 3600, Until: credential.FromStd(w.now) + 86400*30}
	must(t, w.org.SaveDevice(ctx, clerk, s.device))
	return s
}

// give signs the next record.
func (s *scanner) give(v visit.Visit) []byte {
	s.Helper()
	v.Device, v.Sequence = s.device.KID[:], s.next
	if v.At == 0 {
		v.At = credential.FromStd(start) + credential.Time(s.next)
	}
	p, err := visit.Prepare(s.device.Key, s.prev, v)
	must(s, err)
	sig, err := cose.SignRaw(s.signer, p.ToBeSigned())
	must(s, err)
	record, err := p.Attach(sig)
	must(s, err)
	s.prev, s.next = record, s.next+1
	return record
}

// hand hands records in and returns what became of them.
func (w *world) hand(t *testing.T, records ...[]byte) []storage.VisitAck {
	t.Helper()
	find, err := w.org.JournalKeys(ctx)
	must(t, err)
	p, err := visit.Open(bytes.Join(records, nil), find)
	must(t, err)
	acks, err := w.org.AddVisits(ctx, clerk, p)
	must(t, err)
	if len(acks) != len(records) {
		t.Errorf("%d answers for %d records", len(acks), len(records))
	}
	return acks
}

func ackStates(acks []storage.VisitAck) (list []string) {
	for _, a := range acks {
		list = append(list, a.State)
	}
	return list
}

func (w *world) acked(t *testing.T, what string, acks []storage.VisitAck, want ...string) {
	t.Helper()
	if got := ackStates(acks); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func testDevices(t *testing.T, e Engine) {
	w := newWorld(t, e)
	one := w.scanner(t, "tab-1")
	d, err := w.org.Device(ctx, one.device.KID)
	must(t, err)
	if d.Name != "tab-1" || d.Site != "wellA" || d.State != access.DeviceConfirmed || d.Key.Thumbprint() != one.device.Key.Thumbprint() || !d.AddedAt.Equal(w.now) {
		t.Errorf("device %+v", d)
	}
	// A new certificate: what the old one vouched for stays vouched for.
	again := one.device
	again.From, again.Until, again.Certificate = d.From+1000, d.Until+1000, []byte("new")
	must(t, w.org.SaveDevice(ctx, clerk, again))
	if n, err := w.org.Device(ctx, d.KID); err != nil || n.From != d.From || n.Until != d.Until+1000 || string(n.Certificate) != "new" {
		t.Errorf("device %+v, %v", n, err)
	}
	if err := w.org.WithdrawDevice(ctx, clerk, d.KID, "", time.Time{}); err == nil {
		t.Error("withdrawn without a reason")
	}
	if err := w.org.WithdrawDevice(ctx, clerk, d.KID, "stolen", w.now.Add(time.Second)); !errors.Is(err, storage.ErrWithdrawnAhead) {
		t.Errorf("withdrawn from a time ahead: %v", err)
	}
	must(t, w.org.WithdrawDevice(ctx, clerk, d.KID, "stolen", time.Time{}))
	w.now = w.now.Add(1e9)
	must(t, w.org.WithdrawDevice(ctx, clerk, d.KID, "again", time.Time{}))
	n, err := w.org.Device(ctx, d.KID)
	must(t, err)
	if n.State != access.DeviceWithdrawn || n.Reason != "stolen" || !n.WithdrawnAt.Equal(start) {
		t.Errorf("device %+v", n)
	}
	if err := w.org.SaveDevice(ctx, clerk, again); !errors.Is(err, storage.ErrDeviceWithdrawn) {
		t.Errorf("it comes back: %v", err)
	}
	if _, err := w.org.Device(ctx, [8]byte{1}); !errors.Is(err, storage.ErrNoDevice) {
		t.Errorf("a device nobody has: %v", err)
	}
	// A withdrawal from an earlier time on marks what came in before it was told.
	stolen := w.scanner(t, "tab-3")
	w.now = w.now.Add(time.Hour)
	record := stolen.give(visit.Visit{Kind: visit.Note, Code: "closed", At: credential.FromStd(w.now)})
	w.acked(t, "before it is told", w.hand(t, record), "accepted")
	w.now = w.now.Add(time.Hour)
	must(t, w.org.WithdrawDevice(ctx, clerk, stolen.device.KID, "stolen", w.now.Add(-2*time.Hour)))
	if d, err := w.org.Device(ctx, stolen.device.KID); err != nil || !d.WithdrawnAt.Equal(w.now.Add(-2*time.Hour)) {
		t.Errorf("withdrawn two hours ago: %+v, %v", d, err)
	}
	if m, err := w.org.MergeVisits(ctx); err != nil || !slices.Contains(m.Entries[0].Doubts, visit.AfterWithdrawal) {
		t.Errorf("what it recorded meanwhile: %+v, %v", m.Entries, err)
	}
	for what, edit := range map[string]func(*access.Device){
		"another's key id":         func(d *access.Device) { d.KID[0] ^= 1 },
		"no name":                  func(d *access.Device) { d.Name = "" },
		"no site":                  func(d *access.Device) { d.Site = "" },
		"no certificate":           func(d *access.Device) { d.Certificate = nil },
		"withdrawn from the start": func(d *access.Device) { d.State = access.DeviceWithdrawn },
	} {
		d := w.scanner(t, "tab-2").device
		edit(&d)
		if err := w.org.SaveDevice(ctx, clerk, d); err == nil {
			t.Errorf("a device with %s is entered", what)
		}
	}
	w.exec(t, `INSERT INTO organisation (id, secrets, audit_hash, created_at) SELECT 'org-x', secrets, audit_hash, created_at FROM organisation`)
	if list, err := w.org.Devices(ctx); err != nil || len(list) != 7 {
		t.Errorf("%d devices, %v", len(list), err)
	}
}

// due plans an amount for the households of roster and issues their cards.
func (w *world) due(t *testing.T, n int) (cards []ledgerCard) {
	t.Helper()
	b := w.batch(t, n)
	w.update(t, func(tx registry.Tx) error {
		must(t, tx.SaveProgramme(registry.Programme{Code: b.Programme, Modality: "in_kind", Counts: registry.KindHousehold, Rounds: []registry.Round{{N: 3}}}))
		for _, r := range b.Requests {
			_, err := tx.SaveEntitlement(registry.Entitlement{Unit: r.Unit, Programme: b.Programme, Round: 3, Status: registry.Planned,
				Items: []registry.Item{{Code: "RICE", Qty: "10", Unit: "kg"}}})
			must(t, err)
		}
		return nil
	})
	for _, c := range issued(t, issue(t, w.desk, b)) {
		cards = append(cards, ledgerCard{c.ID[:], c.Unit, verifier.LedgerKey{Issuer: "org-a", Pseudonym: c.Pseudonym, Programme: b.Programme, Round: 3}})
	}
	return cards
}

type ledgerCard struct {
	cti    []byte
	unit   registry.ID
	ledger verifier.LedgerKey
}

func (c ledgerCard) all() visit.Visit {
	return visit.Visit{Kind: visit.Collection, Ledger: c.ledger, Card: c.cti}
}

func (c ledgerCard) part(given, rest string) visit.Visit {
	return visit.Visit{Kind: visit.Partial, Ledger: c.ledger, Card: c.cti, Given: given, Rest: rest}
}

func (w *world) entitled(t *testing.T, what string, c ledgerCard, want registry.EntitlementStatus) {
	t.Helper()
	w.view(t, func(v registry.View) error {
		e, err := v.Entitlement(c.unit, c.ledger.Programme, c.ledger.Round)
		if err != nil || e.Status != want {
			t.Errorf("%s: %s, %v; want %s", what, e.Status, err, want)
		}
		return nil
	})
	// What a judgement is told when it asks about her card.
	use, there, err := w.org.Collected(ctx, c.ledger)
	all, part := want == registry.Collected, want == registry.Partial
	if err != nil || there != (all || part) || there && use.Part != part {
		t.Errorf("%s: looked up: collected %v, in part %v, %v; want %s", what, there, use.Part, err, want)
	}
}

func testVisits(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := w.due(t, 3)
	one, two := w.scanner(t, "tab-1"), w.scanner(t, "tab-2")
	first, second := one.give(cards[0].all()), one.give(cards[1].part("4 kg", "6 kg"))
	w.acked(t, "two records", w.hand(t, first, second), "accepted", "accepted")
	w.entitled(t, "given", cards[0], registry.Collected)
	w.entitled(t, "given in part", cards[1], registry.Partial)
	w.entitled(t, "not given", cards[2], registry.Planned)
	w.acked(t, "again", w.hand(t, second, first, first), "known", "known", "known")

	// The same household at another table: kept, and looked at.
	double := two.give(visit.Visit{At: credential.FromStd(start) + 90, Kind: visit.Collection, Ledger: cards[0].ledger, Card: cards[0].cti})
	acks := w.hand(t, double)
	if w.acked(t, "a double", acks, "review"); acks[0].Reason != string(visit.Conflict) {
		t.Errorf("reason %q", acks[0].Reason)
	}
	// It is taken back where it was first given: the second table's stands.
	w.acked(t, "a counter-entry", w.hand(t, one.give(visit.Visit{Kind: visit.Counter, Cancels: 1, Code: "mistake"})), "accepted")
	w.entitled(t, "still given once", cards[0], registry.Collected)
	w.acked(t, "another", w.hand(t, two.give(visit.Visit{Kind: visit.Counter, Cancels: 1, Code: "mistake"})), "accepted")
	w.entitled(t, "nothing stands", cards[0], registry.Granted)

	// Too much, a card and a household that nobody has.
	w.acked(t, "odd records", w.hand(t, two.give(cards[1].part("7 kg", "")),
		two.give(visit.Visit{Kind: visit.Collection, Ledger: cards[2].ledger, Card: []byte("0123456789")}),
		two.give(visit.Visit{Kind: visit.Collection, Ledger: verifier.LedgerKey{Issuer: "org-a", Pseudonym: "x", Programme: "P7K2", Round: 3}})),
		"review", "review", "review")
	w.entitled(t, "a card that nobody has gives nothing", cards[2], registry.Planned)
	w.acked(t, "the rest", w.hand(t, two.give(visit.Visit{Kind: visit.Collection, Ledger: cards[1].ledger, Code: visit.CodeRest})), "accepted")
	w.entitled(t, "all in two parts", cards[1], registry.Collected)

	// A device that nobody enrolled, and one that was withdrawn.
	stranger := &scanner{T: t, signer: newKey(t), next: 1}
	key, err := cose.NewKey(stranger.signer.Public())
	must(t, err)
	stranger.device = access.Device{KID: key.ID(), Key: key}
	acks = w.hand(t, stranger.give(cards[2].all()))
	if w.acked(t, "a stranger's", acks, "refused"); acks[0].Reason != string(visit.UnknownDevice) {
		t.Errorf("reason %q", acks[0].Reason)
	}
	must(t, w.org.WithdrawDevice(ctx, clerk, one.device.KID, "lost", time.Time{}))
	acks = w.hand(t, one.give(cards[2].all()))
	if w.acked(t, "a withdrawn device's", acks, "accepted"); !slices.Contains(acks[0].Flags, visit.AfterWithdrawal) {
		t.Errorf("flags %q", acks[0].Flags)
	}
	w.entitled(t, "it was given all the same", cards[2], registry.Collected)

	m, err := w.org.MergeVisits(ctx)
	must(t, err)
	want := storage.Reconciliation{Programme: "P7K2", Round: 3, Planned: 3, Collected: 2, Uncollected: 1,
		Due: "30 kg", Given: "20 kg", Conflicts: 1, Quarantined: 2, TakenBack: 2}
	if got, err := w.org.Reconcile(ctx, m, "P7K2", 3); err != nil || got != want || !got.Balanced() {
		t.Errorf("reconciled %+v, %v", got, err)
	}
	// An entitlement that was planned after its visit came is brought up to it.
	w.update(t, func(tx registry.Tx) error {
		e, err := tx.Entitlement(cards[1].unit, "P7K2", 3)
		must(t, err)
		e.Status = registry.Granted
		_, err = tx.SaveEntitlement(e)
		return err
	})
	if got, err := w.org.Reconcile(ctx, m, "P7K2", 3); err != nil || got.Balanced() || got.Unsettled != 1 {
		t.Errorf("out of step, and %+v, %v", got, err)
	}
	m, err = w.org.SettleVisits(ctx, clerk)
	must(t, err)
	if got, err := w.org.Reconcile(ctx, m, "P7K2", 3); err != nil || got != want {
		t.Errorf("settled %+v, %v", got, err)
	}
	if got := storage.VisitRounds(m, "org-a"); len(got) != 1 || got[0].Round != 3 {
		t.Errorf("rounds %v", got)
	}
	if len(m.Entries) != 10 || len(m.Tables) != 2 || m.Tables[0].Device.Site != "wellA" {
		t.Errorf("%d records of %d devices", len(m.Entries), len(m.Tables))
	}
	w.reopen(t)
	if again, err := w.org.MergeVisits(ctx); err != nil || len(again.Accounts) != len(m.Accounts) {
		t.Errorf("after a crash: %v", err)
	}
	w.whole(t)

	// Another organisation on the same machine has none of it.
	other, err := w.db.CreateOrg(ctx, "org-b", random(32), access.Actor{ID: "acc-admin", Role: access.OrgAdmin})
	must(t, err)
	if list, err := other.Devices(ctx); err != nil || len(list) != 0 {
		t.Errorf("org-b sees %d devices, %v", len(list), err)
	}
	if m, err := other.MergeVisits(ctx); err != nil || len(m.Entries) != 0 {
		t.Errorf("org-b sees records, %v", err)
	}
	find, err := w.org.JournalKeys(ctx)
	must(t, err)
	p, err := visit.Open(first, find)
	must(t, err)
	if acks, err := other.AddVisits(ctx, clerk, p); err != nil || !slices.Equal(ackStates(acks), []string{"refused"}) {
		t.Errorf("org-b takes them in: %v, %v", acks, err)
	}

	// A record that is moved does not open, and one is never changed.
	db := w.engine.SQL(t, w.dir)
	defer db.Close()
	if _, err := db.Exec(`UPDATE visit SET state = 'review'`); err == nil {
		t.Error("a record is changed")
	}
	if _, err := db.Exec(`DELETE FROM visit`); err == nil {
		t.Error("a record is deleted")
	}
	_, err = db.Exec(`INSERT INTO visit (org_id, kid, seq, hash, state, sealed, received_at) SELECT org_id, kid, seq + 100, hash, state, sealed, received_at FROM visit LIMIT 1`)
	must(t, err)
	if got := w.findings(t); !slices.Contains(got, storage.CheckVisit) {
		t.Errorf("findings = %q", got)
	}
}

// A counter-entry may come before what it takes back, and a copied device is seen.
func testVisitsInAnyOrder(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := w.due(t, 2)
	one, two := w.scanner(t, "tab-1"), w.scanner(t, "tab-2")
	first := one.give(cards[0].all())
	copied := *one
	counter := one.give(visit.Visit{Kind: visit.Counter, Cancels: 1})
	w.acked(t, "the counter-entry first", w.hand(t, counter), "accepted")
	w.acked(t, "what it takes back", w.hand(t, first), "accepted")
	w.entitled(t, "taken back", cards[0], registry.Planned)
	w.acked(t, "another table's", w.hand(t, two.give(cards[0].all())), "accepted")
	w.entitled(t, "given there", cards[0], registry.Collected)
	acks := w.hand(t, copied.give(cards[1].all()))
	if w.acked(t, "a copy's", acks, "review"); !slices.Contains(acks[0].Flags, visit.Cloned) {
		t.Errorf("flags %q", acks[0].Flags)
	}
	w.entitled(t, "it was given all the same", cards[1], registry.Collected)
	m, err := w.org.MergeVisits(ctx)
	must(t, err)
	frozen := 0
	for _, d := range m.Tables {
		if d.Key == one.device.KID && d.Frozen == 2 {
			frozen++
		}
	}
	if frozen != 1 {
		t.Errorf("tables %+v", m.Tables)
	}
	w.whole(t)
}

// A copied device is frozen with the record that shows it, until a person thaws it.
func testFrozen(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := w.due(t, 3)
	one := w.scanner(t, "tab-1")
	device := func() access.Device {
		t.Helper()
		d, err := w.org.Device(ctx, one.device.KID)
		must(t, err)
		return d
	}
	receipt := func() uint64 {
		t.Helper()
		m, err := w.org.SettleVisits(ctx, clerk)
		must(t, err)
		r := m.ReceiptFor("org-a", one.device.KID, credential.FromStd(w.now))
		if d, err := w.org.DeviceReceipt(ctx, one.device.KID, credential.FromStd(w.now)); err != nil || d.Frozen != r.Frozen {
			t.Errorf("the device's own receipt is frozen from %d, %v; want %d", d.Frozen, err, r.Frozen)
		}
		return r.Frozen
	}
	first := one.give(cards[0].all())
	w.acked(t, "before the copy", w.hand(t, first), "accepted")
	copied := *one
	w.acked(t, "the one", w.hand(t, one.give(cards[1].all())), "accepted")
	if d := device(); d.Frozen() || receipt() != 0 {
		t.Errorf("frozen too early: %+v", d)
	}
	if err := w.org.ThawDevice(ctx, clerk, one.device.KID, "mistake"); !errors.Is(err, storage.ErrNotFrozen) {
		t.Errorf("thawed before it was frozen: %v", err)
	}
	w.acked(t, "the copy", w.hand(t, copied.give(cards[2].all())), "review")
	if d := device(); !d.Frozen() || d.FrozenFrom != 2 || !d.FrozenAt.Equal(w.now) || receipt() != 2 {
		t.Errorf("not frozen: %+v, receipt %d", d, receipt())
	}
	// What it goes on to record is looked at, also where the copy is not beside it.
	w.acked(t, "what comes after", w.hand(t, one.give(visit.Visit{Kind: visit.Note, Code: "closed"})), "review")
	w.acked(t, "and after that", w.hand(t, one.give(visit.Visit{Kind: visit.Note, Code: "closed"})), "review")
	if err := w.org.SaveDevice(ctx, clerk, one.device); !errors.Is(err, storage.ErrDeviceFrozen) {
		t.Errorf("it is certified again: %v", err)
	}
	if err := w.org.ThawDevice(ctx, clerk, one.device.KID, ""); err == nil {
		t.Error("thawed without a reason")
	}
	must(t, w.org.ThawDevice(ctx, clerk, one.device.KID, "restored_backup"))
	if d := device(); d.Frozen() || d.ThawedTo != 4 || receipt() != 0 {
		t.Errorf("not thawed: %+v, receipt %d", d, receipt())
	}
	must(t, w.org.SaveDevice(ctx, clerk, one.device))
	w.acked(t, "after the thaw", w.hand(t, one.give(visit.Visit{Kind: visit.Note, Code: "closed"})), "accepted")
	w.acked(t, "the old ones again", w.hand(t, first), "known")
	if d := device(); d.Frozen() || receipt() != 0 {
		t.Errorf("frozen by what was judged: %+v", d)
	}
	// The copy is still about.
	w.acked(t, "the copy again", w.hand(t, copied.give(visit.Visit{Kind: visit.Note, Code: "closed"})), "review")
	if d := device(); d.FrozenFrom != 3 || receipt() != 3 {
		t.Errorf("the copy goes on: %+v, receipt %d", d, receipt())
	}
	must(t, w.org.WithdrawDevice(ctx, clerk, one.device.KID, "copied", time.Time{}))
	if d := device(); d.Frozen() {
		t.Errorf("withdrawn and frozen: %+v", d)
	}
	w.acked(t, "a withdrawn device's copy", w.hand(t, copied.give(visit.Visit{Kind: visit.Note, Code: "closed"})), "review")
	w.whole(t)
}

// The certificate of a device and the end of the one it replaces are one step.
func testReplaced(t *testing.T, e Engine) {
	w := newWorld(t, e)
	old, made := w.scanner(t, "tab-1"), w.scanner(t, "tab-1")
	certify := func(edit func(*storage.Certified)) error {
		c := storage.Certified{Device: made.device, Replaces: &old.device.KID}
		c.Device.Certificate = []byte("new")
		edit(&c)
		return w.org.CertifyDevice(ctx, clerk, c)
	}
	for what, edit := range map[string]func(*storage.Certified){
		"no name":            func(c *storage.Certified) { c.Device.Name = "" },
		"no certificate":     func(c *storage.Certified) { c.Device.Certificate = nil },
		"pending":            func(c *storage.Certified) { c.Device.State = access.DevicePending },
		"itself in place":    func(c *storage.Certified) { c.Replaces = &made.device.KID },
		"nobody in place":    func(c *storage.Certified) { c.Replaces = &[8]byte{1} },
		"another's key's id": func(c *storage.Certified) { c.Device.KID[0] ^= 1 },
	} {
		if err := certify(edit); err == nil {
			t.Errorf("certified with %s", what)
		}
	}
	for _, s := range []*scanner{old, made} {
		if d, err := w.org.Device(ctx, s.device.KID); err != nil || d.State != access.DeviceConfirmed || string(d.Certificate) == "new" {
			t.Errorf("half of a refused step is done: %+v, %v", d, err)
		}
	}
	must(t, certify(func(*storage.Certified) {}))
	if d, err := w.org.Device(ctx, old.device.KID); err != nil || d.State != access.DeviceWithdrawn || d.Reason != "replaced" || !d.WithdrawnAt.Equal(w.now) {
		t.Errorf("the replaced one: %+v, %v", d, err)
	}
	if d, err := w.org.Device(ctx, made.device.KID); err != nil || string(d.Certificate) != "new" {
		t.Errorf("the new one: %+v, %v", d, err)
	}
	if err := certify(func(*storage.Certified) {}); !errors.Is(err, storage.ErrDeviceWithdrawn) {
		t.Errorf("one that ended already is replaced: %v", err)
	}
	w.whole(t)
}

// A record that is refused settles nothing.
func testRefusedSettlesNothing(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := w.due(t, 1)
	pending := w.scanner(t, "tab-1")
	pending.device.State, pending.device.Certificate = access.DevicePending, nil
	must(t, w.org.SaveDevice(ctx, clerk, pending.device))
	p, err := visit.Open(pending.give(cards[0].all()), func([]byte) *cose.Key { return pending.device.Key })
	must(t, err)
	acks, err := w.org.AddVisits(ctx, clerk, p)
	must(t, err)
	w.acked(t, "a device without a certificate", acks, "refused")
	w.entitled(t, "nothing came in", cards[0], registry.Planned)
}

// What is stored of a unit is looked up once for each record of a journal: by an index,
// also where the engine has never counted its rows, or an upload costs as many reads as
// there are records of years.
func testLedgerIndex(t *testing.T, e Engine) {
	w := newWorld(t, e)
	one := w.scanner(t, "tab-1")
	w.hand(t, one.give(w.due(t, 1)[0].all()))
	db := e.SQL(t, w.dir)
	defer db.Close()
	for index, query := range map[string]string{"visit_ledger": storage.VisitsOnLedger, "visit_former": storage.VisitsOnFormer} {
		if plan := e.Plan(t, db, query, "org-a", []byte("mark")); !strings.Contains(plan, index) {
			t.Errorf("not by the index %s:\n%s", index, plan)
		}
	}
}

// A large file has an answer for each record, whether it is new or kept already. How
// long that takes is for bench to say.
func testManyVisits(t *testing.T, e Engine) {
	const n = 5000
	w := newWorld(t, e)
	one := w.scanner(t, "tab-1")
	var file []byte
	for i := range n {
		k := verifier.LedgerKey{Issuer: "org-z", Pseudonym: strconv.Itoa(i), Programme: "P7K2", Round: 3}
		file = append(file, one.give(visit.Visit{Kind: visit.Collection, Ledger: k})...)
	}
	find, err := w.org.JournalKeys(ctx)
	must(t, err)
	p, err := visit.Open(file, find)
	must(t, err)
	for _, want := range []string{storage.VisitAccepted, storage.VisitKnown} {
		acks, err := w.org.AddVisits(ctx, clerk, p)
		must(t, err)
		if len(acks) != n || acks[n-1].State != want {
			t.Errorf("%d answers, want %d %s", len(acks), n, want)
		}
	}
}
