package verifier_test

import (
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// What a device keeps in mind from one pack to the next, and what it must not.

func withdrawal(t *testing.T, w *vt.World, kid []byte, by vt.Signer, at credential.Time, sequence uint64) verifier.Part {
	t.Helper()
	p, err := trust.PrepareWithdrawal(by.Key, trust.Withdrawal{Org: w.A.ID, KID: kid, At: at, Sequence: sequence})
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(by, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Part{Owner: w.A.ID, Kind: verifier.PartWithdrawal, Name: "w", Sequence: 1, Data: raw}
}

func TestAWithdrawalOutlivesThePackThatBroughtIt(t *testing.T) {
	w := vt.New()
	card := w.Text(vt.CardOptions{Key: &w.A.Standby})
	part := withdrawal(t, w, w.A.Standby.KID(), w.A.Card, vt.Made+60, 5)
	p, f := open(t, w.Pack(vt.PackOptions{Sequence: 8, More: []verifier.Part{part}}), verifier.Floors{}, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.KeyRevoked {
		t.Fatalf("with the withdrawal: %s", got)
	}
	f = stored(t, f)
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 9}), f, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.KeyRevoked {
		t.Errorf("the next pack does not carry it, and the card is %s", got)
	}
	// Only a later trust list decides otherwise.
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 10, Trust: vt.TrustOptions{Sequence: 6, Issued: vt.Made + 120}}), f, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.OK {
		t.Errorf("a later list lists the key, and the card is %s", got)
	}
	if len(f.Withdrawals) != 0 {
		t.Error("a withdrawal that was decided is still remembered")
	}
}

func TestAWithdrawalDatedFarAheadIsUndoneByALaterList(t *testing.T) {
	w := vt.New()
	card := w.Text(vt.CardOptions{Key: &w.A.Standby})
	part := withdrawal(t, w, w.A.Standby.KID(), w.A.Card, credential.MaxTime, 1<<62)
	p, f := open(t, w.Pack(vt.PackOptions{Sequence: 8, More: []verifier.Part{part}}), verifier.Floors{}, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.KeyRevoked {
		t.Fatalf("with the withdrawal: %s", got)
	}
	later := vt.TrustOptions{Sequence: 6, Issued: vt.Made + 31*day} // after the next update of the list it was met under
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 9, Trust: later, Issued: vt.Made + 31*day, Status: statusParts(w, vt.StatusOptions{Issued: vt.Made + 31*day})}), f, vt.Made+32*day)
	if got := reason(p, f, card, vt.Made+32*day); got != words.OK {
		t.Errorf("one stolen key withdrew another for good: %s", got)
	}
}

// stored sends the state through its file.
func stored(t *testing.T, f verifier.Floors) verifier.Floors {
	t.Helper()
	g, err := verifier.DecodeFloors(f.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestARevocationSeenInsideOnePackIsRemembered(t *testing.T) {
	w := vt.New()
	card := w.Text(vt.CardOptions{Draft: indexed(vt.RevokedIndex)})
	older := w.Snapshot(w.A, vt.StatusOptions{})
	newer := w.Snapshot(w.A, vt.StatusOptions{Issued: vt.Made + 60, Edit: func(*status.Register) {}})
	part := func(data []byte, at credential.Time) verifier.Part {
		return verifier.Part{Owner: w.A.ID, Kind: verifier.PartSnapshot, Name: w.A.StatusURI, Sequence: uint64(at), Data: data}
	}
	p, f := open(t, w.Pack(vt.PackOptions{Status: []verifier.Part{part(older, vt.Made), part(newer, vt.Made+60)}}), verifier.Floors{}, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.StatusUnrevoked {
		t.Fatalf("both lists: %s", got)
	}
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 8, Status: []verifier.Part{part(newer, vt.Made+60)}}), stored(t, f), vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.StatusUnrevoked {
		t.Errorf("the newer list alone: %s", got)
	}
}

func TestWhatAStolenStatusKeySawIsForgottenWithItAlone(t *testing.T) {
	w := vt.New()
	good, revoked := w.Text(vt.CardOptions{}), w.Text(vt.CardOptions{Draft: indexed(vt.RevokedIndex)})
	second := vt.P256("A's second status key")
	both := func(o vt.TrustOptions) vt.TrustOptions {
		edit := o.Edit
		o.Edit = func(d *trust.Draft) {
			if err := d.AddKey(w.A.ID, trust.Key{Key: second.Key, Use: trust.UseStatus, NotBefore: vt.Made - day, NotAfter: vt.Made + 400*day}); err != nil {
				t.Fatal(err)
			}
			if edit != nil {
				edit(d)
			}
		}
		return o
	}
	all := func(r *status.Register) {
		for _, i := range []uint64{vt.GoodIndex, vt.RevokedIndex} {
			if err := r.Set(i, status.Invalid); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The thief revokes; the honest list under the second key comes before anybody
	// withdraws the first.
	_, f := open(t, w.Pack(vt.PackOptions{Trust: both(vt.TrustOptions{}), Status: statusParts(w, vt.StatusOptions{Edit: all})}), verifier.Floors{}, vt.Now)
	honest := statusParts(w, vt.StatusOptions{Issued: vt.Made + 60, Key: &second})
	p, f := open(t, w.Pack(vt.PackOptions{Sequence: 8, Trust: both(vt.TrustOptions{}), Status: honest}), f, vt.Now)
	if got := reason(p, f, good, vt.Now); got != words.StatusUnrevoked {
		t.Errorf("before the withdrawal: %s", got)
	}
	out := both(vt.TrustOptions{Sequence: 6, Issued: vt.Made + 90, Edit: func(d *trust.Draft) {
		if err := d.Withdraw(w.A.ID, w.A.Status.KID(), vt.Made); err != nil {
			t.Fatal(err)
		}
	}})
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 9, Trust: out, Status: honest}), f, vt.Now)
	if got := reason(p, f, good, vt.Now); got != words.OK {
		t.Errorf("after it: %s", got)
	}
	if got := reason(p, f, revoked, vt.Now); got != words.Revoked {
		t.Errorf("what A itself revoked: %s", got)
	}
}

func TestOneIssuersTimeMakesNobodysListsOld(t *testing.T) {
	w := vt.New()
	p, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	ahead := w.Snapshot(w.B, vt.StatusOptions{Issued: vt.Made + 30*day}) // B signs as far ahead as it may
	p, f, err := p.AddStatus(verifier.PartSnapshot, ahead, f, vt.Now)
	if err != nil {
		t.Fatal(err)
	}
	r := verifier.Verify(w.Text(vt.CardOptions{}), verifier.Inputs{At: vt.Now, Floors: f, Pack: p})
	if r.Reason != words.OK || !r.ClockBehind {
		t.Errorf("A's card: %s (clock behind: %v)", r.Reason, r.ClockBehind)
	}
}

func TestNobodyFillsADevice(t *testing.T) {
	w := vt.New()
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	var parts []verifier.Part
	for i := range 80 {
		uri := w.B.StatusURI[:len(w.B.StatusURI)-1] + "x" + string(rune('a'+i%26)) + string(rune('a'+i/26))
		data := w.Snapshot(w.B, vt.StatusOptions{URI: uri, Size: 4096, Edit: func(*status.Register) {}})
		parts = append(parts, verifier.Part{Owner: w.B.ID, Kind: verifier.PartSnapshot, Name: uri, Sequence: 1, Data: data})
	}
	parts = append(parts, statusParts(w, vt.StatusOptions{})[0])
	p, f := open(t, w.Pack(vt.PackOptions{Sequence: 8, Status: parts}), f, vt.Now)
	if got := reason(p, f, w.Text(vt.CardOptions{}), vt.Now); got != words.OK {
		t.Errorf("A's card beside 80 lists of B: %s", got)
	}
	if len(p.Faults) == 0 || len(f.Lists) > 70 {
		t.Errorf("%d lists are remembered, %d faults", len(f.Lists), len(p.Faults))
	}
	stored(t, f)
}

func TestASecondSiteDoesNotShutOutTheFirst(t *testing.T) {
	w := vt.New()
	policy := func(n uint64) []verifier.Part {
		b, err := (&verifier.Policy{Country: "KEN"}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartPolicy, Name: "p", Sequence: n, Data: b}}
	}
	_, f := open(t, w.Pack(vt.PackOptions{More: policy(1)}), verifier.Floors{}, vt.Now)
	_, f = open(t, w.Pack(vt.PackOptions{Site: "DAD-1", More: policy(9)}), f, vt.Now)
	open(t, w.Pack(vt.PackOptions{Sequence: 8, More: policy(1)}), f, vt.Now)
}

// Rounds: holder, alternate, old and new card meet in the round that is open.
func TestTheOpenRoundIsTheOneCounted(t *testing.T) {
	w := vt.New()
	pseudonym := cwt.Pseudonym([]byte("programme"), []byte("unit-1"))
	rounds := []verifier.Round{{N: 2, Opens: vt.Made - 60*day, Closes: vt.Made - day}, {N: 3, Opens: vt.Made - day, Closes: vt.Made + 60*day}}
	pack := w.Pack(vt.PackOptions{Policy: &verifier.Policy{Programmes: map[string][]verifier.Round{vt.Programme: rounds}}})
	p, f := open(t, pack, verifier.Floors{}, vt.Now)
	journal, err := visit.Read(w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger()}), p.JournalKey)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(p *verifier.Pack, text string, at credential.Time) verifier.Result {
		return verifier.Verify(text, verifier.Inputs{At: at, Floors: f, Pack: p, Uses: journal})
	}
	delegation := func(more map[string]any) string {
		m := map[string]any{"for": pseudonym, "scope_programmes": []any{vt.Programme}}
		for k, v := range more {
			m[k] = v
		}
		return w.Text(vt.CardOptions{Type: "delegation", Unit: "alternate", Plain: m})
	}
	several := w.Text(vt.CardOptions{Plain: map[string]any{"programme": vt.Programme, "rounds": []any{int64(1), int64(6)}}})
	for name, text := range map[string]string{
		"the alternate, no rounds named":  delegation(nil),
		"the alternate, rounds 2 and 3":   delegation(map[string]any{"scope_rounds": []any{int64(2), int64(3)}}),
		"a card of rounds 1 to 6":         several,
		"a re-issued card of round 3 too": w.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.ID = [10]byte{7} }}),
	} {
		if r := ask(p, text, vt.Now); r.Reason != words.AlreadyRedeemed {
			t.Errorf("%s: %s %+v", name, r.Reason, r.Ledger)
		}
	}
	// Where the pack does not say which round is open, nothing can be counted.
	bare, _ := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	if r := ask(bare, several, vt.Now); r.Answer != words.Unsure {
		t.Errorf("several rounds and no policy: %s", r.Reason)
	}
	// A clock set back into round 2 does not bring round 3's collection out of sight.
	f = f.RecordedAt(vt.Now)
	if r := ask(p, several, vt.Made-30*day); r.Answer == words.Valid {
		t.Errorf("clock in round 2: %s", r.Reason)
	}
}

func TestAJournalIsWrittenByDevicesThatMay(t *testing.T) {
	w := vt.New()
	cert := w.DeviceCert(func(c *trust.DeviceCertificate) { c.MaySign = []uint64{trust.SignChallenge}; c.Block = nil })
	p, _ := open(t, w.Pack(vt.PackOptions{NoDevice: true, More: []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartDevice, Name: "t", Sequence: 1, Data: cert}}}), verifier.Floors{}, vt.Now)
	if _, err := visit.Read(w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger()}), p.JournalKey); err == nil {
		t.Error("a device that may sign challenges alone kept a journal")
	}
}

func TestTheClockHidesNoCollection(t *testing.T) {
	w := vt.New()
	p, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	journal, err := visit.Read(w.Journal(visit.Visit{Kind: visit.Collection, Ledger: w.Ledger()}), p.JournalKey)
	if err != nil {
		t.Fatal(err)
	}
	expired := w.Text(vt.CardOptions{Issued: vt.Made - 181*day})
	r := verifier.Verify(expired, verifier.Inputs{At: vt.Made - 10*day, Floors: f, Pack: p, Uses: journal})
	if r.Reason != words.AlreadyRedeemed || !r.Has(words.ClockImplausible) {
		t.Errorf("got %v", r.Reasons())
	}
}
