package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/status"
	"aidpass/web/console"
)

// issuing is the desks of programmes, batches, printing, cards and offers, in memory.
type issuing struct {
	w          *world
	programmes map[string]registry.Programme // by org and id, as all of these
	proposals  map[string]issuer.Proposal
	prints     map[string]issuer.PrintJob
	cards      map[string]issuer.Card
	offers     map[string]offer.Offer
	whom       issuer.UnitID // for whom the next offer is
	alone      error         // what keeps wallets away
	worth      map[string][]issuer.StatusEvent
	kin        map[string]string // of a card: the one in whose place it was made
	begun      []string
	readers    []string         // units whose names were read, by whom
	over       *issuer.Override // the newest
	spent      bool             // nobody does more alone today
	changed    bool             // the records have changed since they were last looked at
}

func newIssuing(w *world) *issuing {
	s := &issuing{w: w, programmes: map[string]registry.Programme{}, proposals: map[string]issuer.Proposal{}, prints: map[string]issuer.PrintJob{}, cards: map[string]issuer.Card{}, offers: map[string]offer.Offer{}, kin: map[string]string{}, worth: map[string][]issuer.StatusEvent{}}
	for org, door := range w.doors {
		door.Handle(access.BatchSubmit, issuer.Approving(proposals{s, org}, func(_ context.Context, p *issuer.Proposal) error {
			if s.changed {
				p.Digest[0]++
			}
			return nil
		}))
		door.Handle(access.CardMany, console.ManyExecutor(org, s, w.now))
		door.Handle(access.CardReissue, console.ReissueExecutor(org, s))
	}
	return s
}

// serves is what packs serve: K7Q2 at one place.
func serves(context.Context, string) ([]console.PackServes, error) {
	return []console.PackServes{{Site: "WELL-A", Rounds: []console.PackRound{{Programme: "K7Q2"}}}, {}}, nil
}

func (s *issuing) screens() []console.Screen {
	door := s.w.doors[own]
	return []console.Screen{&console.Programmes{Desk: s, Packs: serves}, &console.Batches{Desk: s, Packs: serves, Door: door}, &console.Prints{Desk: s, Now: s.w.now}, &console.Handouts{Desk: s}, &console.Cards{Desk: s, Door: door, Now: s.w.now}, &console.Offers{Desk: s, Door: door, Now: s.w.now},
		&console.Faces{Desk: &records.Desk{Store: s.w.peopleOf(own), Country: "KEN", Now: s.w.now}}}
}

func kept[T any](m map[string]T, org, id string, none error) (T, error) {
	v, ok := m[org+"/"+id]
	if !ok {
		return v, none
	}
	return v, nil
}

func keptAll[T any](m map[string]T, org string) (list []T) {
	for id, v := range m {
		if strings.HasPrefix(id, org+"/") {
			list = append(list, v)
		}
	}
	return list
}

func (s *issuing) programme(org string) string {
	code := registry.NewProgrammeCode()
	s.programmes[org+"/"+code] = registry.Programme{Code: code, Name: "<b>Winter</b>", Modality: "cash", Counts: registry.KindHousehold, Currency: "KES", Rounds: []registry.Round{{N: 1, Opens: "2026-11-01", Sites: []string{"WELL-A"}}}}
	return code
}

func (s *issuing) batch(org string, state issuer.ProposalState) string {
	id := issuer.NewShortID()
	p := issuer.Proposal{ID: id, By: "boss", At: now, Type: "eligibility", Programme: "K7Q2", Round: 1, Digest: [32]byte{7}, Rows: 430, Can: 412, Provisional: 3, Until: credential.FromStd(now.AddDate(0, 1, 0)),
		Cannot: []issuer.BulkReason{{Why: "the birth date is missing: ask", Count: 18, Lack: issuer.Lack{Code: quality.ReasonBirth}}}, State: state}
	if state != issuer.Prepared {
		p.Second = "lead"
	}
	s.proposals[org+"/"+id] = p
	return id
}

func (s *issuing) print(org string) string {
	id := issuer.NewShortID()
	s.prints[org+"/"+id] = issuer.PrintJob{ID: id, Layout: "a4 duplex plain", Count: 412, At: now, By: "boss", Digest: [32]byte{1}}
	return id
}

func (s *issuing) card(org string) string {
	c := issuer.Card{Credential: issuer.Credential{ID: issuer.NewCTI(), Type: "eligibility", Programme: "K7Q2", Round: 1, State: issuer.Issued, CardNumber: "GBFFZGF4B2Y", Status: status.Valid,
		IssuedAt: credential.FromStd(now), ExpiresAt: credential.FromStd(now.AddDate(0, 6, 0))}, Paper: issuer.CardIssued, Kind: registry.KindPerson}
	s.cards[org+"/"+c.ID.String()] = c
	return c.ID.String()
}

func (s *issuing) offer(org string) string {
	id := issuer.NewShortID()
	s.offers[org+"/"+id] = offer.Offer{ID: id, Type: "eligibility", Programme: "K7Q2", Round: 1, State: offer.Open, By: "boss", CreatedAt: now, ExpiresAt: now.AddDate(0, 0, 7)}
	return id
}

func (s *issuing) Programmes(_ context.Context, org string) ([]registry.Programme, error) {
	return keptAll(s.programmes, org), nil
}
func (s *issuing) Programme(_ context.Context, org, code string) (registry.Programme, error) {
	return kept(s.programmes, org, code, registry.ErrNotFound)
}
func (s *issuing) Due(context.Context, string, string) (map[uint64]map[registry.EntitlementStatus]int, error) {
	return map[uint64]map[registry.EntitlementStatus]int{1: {registry.Planned: 412}}, nil
}
func (s *issuing) SaveProgramme(_ context.Context, org string, _ access.Actor, p registry.Programme) (registry.Programme, error) {
	if p.Code == "" {
		p.Code = registry.NewProgrammeCode()
	}
	s.programmes[org+"/"+p.Code] = p
	return p, nil
}
func (s *issuing) SaveRound(_ context.Context, org string, _ access.Actor, code string, r registry.Round) error {
	p := s.programmes[org+"/"+code]
	p.Rounds = append(p.Rounds, r)
	s.programmes[org+"/"+code] = p
	return nil
}
func (s *issuing) Plan(_ context.Context, _ string, _ access.Actor, _ string, round uint64, rule registry.Rule, preview bool) (registry.Plan, error) {
	if !preview {
		s.begun = append(s.begun, fmt.Sprint("plan ", round, rule.Amount, rule.Items))
	}
	return registry.Plan{Units: 430, New: 412, Kept: 18, Total: "49440.00"}, nil
}
func (s *issuing) Types() []string { return []string{"eligibility", "registration"} }
func (s *issuing) Imports(context.Context, string) ([]registry.ImportFile, error) {
	return []registry.ImportFile{{ID: registry.NewID(), At: now, Rows: 430}}, nil
}
func (s *issuing) Proposals(_ context.Context, org string) ([]issuer.Proposal, error) {
	return keptAll(s.proposals, org), nil
}
func (s *issuing) Proposal(_ context.Context, org, id string) (issuer.Proposal, error) {
	return kept(s.proposals, org, id, issuer.ErrNoProposal)
}
func (s *issuing) Prepare(_ context.Context, org string, by access.Actor, p issuer.Proposal) (issuer.Proposal, error) {
	return s.proposals[org+"/"+s.batch(org, issuer.Prepared)], by.Check()
}
func (s *issuing) Unfit(_ context.Context, org string, _ access.Actor, id string) ([]issuer.Unfit, error) {
	return []issuer.Unfit{{Unit: issuer.NewUnitID(), External: "=HH-17", Code: "gate", Reasons: []string{"the birth date is missing: ask", "an issue is open (name_empty): no name", "no such round"},
		Passable: true, Lacks: []issuer.Lack{{Code: quality.ReasonField, Field: "birth"}, {Code: quality.ReasonIssue, Issue: registry.NameEmpty}}}}, nil
}
func (s *issuing) Read(_ context.Context, org, id string) (*issuer.Reading, error) {
	p, err := kept(s.proposals, org, id, issuer.ErrNoProposal)
	r := &issuer.Reading{Digest: p.Digest, Before: 1}
	if s.changed {
		r.Digest[0]++
	}
	for n := range 12 {
		one := issuer.ReadingRow{Unit: registry.ID{byte(n + 1)}, Due: registry.Entitlement{Amount: "120.00", Currency: "KES"}, Wrote: []string{"clerk"}}
		switch n {
		case 0:
			one.New, one.Own, one.Wrote = true, true, []string{p.By}
		case 1:
			one.Changed, one.Was = true, registry.Entitlement{Amount: "90.00", Currency: "KES"}
		case 2:
			one.Doubles = []issuer.Finding{{Other: registry.ID{99}, Why: registry.KeyNameYear, Decided: "different", By: p.By}}
		case 3:
			one.Override = issuer.Override{Unit: one.Unit, Reason: "no_papers", By: "signer"}
		}
		r.Rows = append(r.Rows, one)
	}
	r.Gone = []issuer.ReadingRow{{Unit: registry.ID{50}, Was: registry.Entitlement{Amount: "90.00"}, Why: issuer.BulkReason{Why: "x", Count: 1, Lack: issuer.Lack{Code: issuer.SkippedHold}}}}
	return r, err
}
func (s *issuing) Lines(_ context.Context, _ string, by access.Actor, id string, units []issuer.UnitID) (list []records.Line, err error) {
	for _, u := range units {
		s.readers = append(s.readers, by.ID+" "+u.String())
		list = append(list, records.Line{ID: u, Kind: registry.KindHousehold, Name: registry.Name{Text: "<b>Amina</b> " + u.String()[:2]}, Number: "HH-" + u.String()[:2], Size: 5})
	}
	return list, by.Check()
}
func (s *issuing) Override(_ context.Context, org string, by access.Actor, id string, digest [32]byte, o issuer.Override) error {
	p, err := kept(s.proposals, org, id, issuer.ErrNoProposal)
	if err == nil {
		err = p.SetOverride(o)
	}
	s.proposals[org+"/"+id], s.over = p, &o
	return err
}
func (s *issuing) Submitted(ctx context.Context, org string, by access.Actor, id, approval string) error {
	return proposals{s, org}.ChangeProposal(ctx, by, id, func(p *issuer.Proposal) error {
		p.State, p.Approval = issuer.Submitted, approval
		return nil
	})
}
func (s *issuing) Issue(_ context.Context, org string, by access.Actor, id string) (string, error) {
	s.begun = append(s.begun, "issue "+id+" by "+by.ID)
	return s.w.jobs.add(org, access.BatchIssue), nil
}

// proposals are those of one organisation.
type proposals struct {
	*issuing
	org string
}

func (s proposals) AddProposal(context.Context, access.Actor, issuer.Proposal) error { return nil }
func (s proposals) Proposal(_ context.Context, id string) (issuer.Proposal, error) {
	return kept(s.proposals, s.org, id, issuer.ErrNoProposal)
}
func (s proposals) Proposals(context.Context) ([]issuer.Proposal, error) {
	return keptAll(s.proposals, s.org), nil
}
func (s proposals) ChangeProposal(_ context.Context, _ access.Actor, id string, change func(*issuer.Proposal) error) error {
	p, err := kept(s.proposals, s.org, id, issuer.ErrNoProposal)
	if err == nil {
		err = change(&p)
	}
	if err == nil {
		s.proposals[s.org+"/"+id] = p
	}
	return err
}

func (s *issuing) Printable(_ context.Context, org string, o console.PrintOrder) (n console.Printable, err error) {
	if o.Card != "" {
		_, err = kept(s.cards, org, o.Card, issuer.ErrNotFound)
	} else {
		_, err = kept(s.proposals, org, o.Batch, issuer.ErrNoProposal)
	}
	return console.Printable{Fresh: 412, Printed: 3, Ended: 1, Named: 17, Pictured: 4}, err
}
func (s *issuing) Print(_ context.Context, org string, _ access.Actor, o console.PrintOrder) (string, error) {
	s.begun = append(s.begun, fmt.Sprintf("print %+v", o))
	return s.w.jobs.add(org, access.BatchPrint), nil
}
func (s *issuing) Log(_ context.Context, org, id string) ([]issuer.PrintJob, error) {
	if id == "" {
		return keptAll(s.prints, org), nil
	}
	j, err := kept(s.prints, org, id, issuer.ErrNoJob)
	return []issuer.PrintJob{j}, err
}
func (s *issuing) File(_ context.Context, org string, by access.Actor, id, reason string) ([]byte, error) {
	j, err := kept(s.prints, org, id, issuer.ErrNoJob)
	if free, _ := j.Fetched(by.ID, s.w.now()); err == nil && reason == "" && !free {
		err = issuer.ErrPaper
	}
	if err != nil {
		return nil, err
	}
	j.Papers, j.Last, j.LastAt = j.Papers+1, by.ID, s.w.now()
	s.prints[org+"/"+id] = j
	return []byte("%PDF-1.7"), nil
}
func (s *issuing) TestPage(context.Context, string, string) ([]byte, error) {
	return []byte("%PDF-1.7"), nil
}

// HandOut tells of a card whose holder has a household, and of one that is revoked.
func (s *issuing) HandOut(ctx context.Context, org string, by access.Actor, job, batch, reason string) ([]console.HandRow, error) {
	desk := records.Desk{Store: s.w.peopleOf(org), Now: s.w.now}
	house := s.w.household(org)
	units := []registry.ID{s.w.member(org, house, "Amina <b>Yusuf", "1987-05-12"), house}
	list, err := desk.Holders(ctx, by, access.Entry{Action: "batch.handout", Object: job + batch, Reason: reason}, units)
	var rows []console.HandRow
	for i := range list {
		rows = append(rows, console.HandRow{Card: issuer.Card{Credential: issuer.Credential{ID: issuer.NewCTI(), Unit: units[i], CardNumber: "GBFFZGF4B2Y", Status: []status.Value{status.Valid, status.Invalid}[i], Form: credential.FormCWT}, Paper: issuer.CardPrinted}, Holder: list[i]})
	}
	return rows, err
}

// found is a card with its holder, as the desk finds it.
func (s *issuing) found(c issuer.Card) console.FoundCard {
	f := console.FoundCard{Card: c, External: "HH-17"}
	desk := records.Desk{Store: s.w.peopleOf(own), Country: "KEN", Now: s.w.now}
	if lines, err := desk.Lines(s.w.Context(), clerk, access.Entry{Action: "card.find", Object: "card"}, []registry.ID{c.Unit}); err == nil && !c.Unit.IsZero() {
		f.Holder = lines[0]
	}
	return f
}

func (s *issuing) Find(_ context.Context, org string, _ access.Actor, _ string) (list []console.FoundCard, err error) {
	for _, c := range keptAll(s.cards, org) {
		list = append(list, s.found(c))
	}
	return list, nil
}
func (s *issuing) Picture(ctx context.Context, org string, by access.Actor, _ io.Reader) ([]console.FoundCard, error) {
	return s.Find(ctx, org, by, "")
}
func (s *issuing) Card(_ context.Context, org string, _ access.Actor, id string) (console.FoundCard, []issuer.CardEvent, error) {
	c, err := kept(s.cards, org, id, issuer.ErrNotFound)
	return s.found(c), []issuer.CardEvent{{N: 1, Paper: issuer.CardPrinted, At: now, By: "boss", Reason: "code"}}, err
}
func (s *issuing) Select(_ context.Context, org string, sel issuer.Selection) (list []issuer.Card, err error) {
	if sel.IDs == nil {
		return keptAll(s.cards, org), nil
	}
	for _, id := range sel.IDs {
		list = append(list, s.cards[org+"/"+id.String()])
	}
	return list, nil
}
func (s *issuing) Batch(_ context.Context, org, id string) (issuer.Selection, error) {
	p, err := kept(s.proposals, org, id, issuer.ErrNoProposal)
	return issuer.Selection{Approval: p.Digest}, err
}
func (s *issuing) Set(_ context.Context, org string, by access.Actor, p issuer.BulkPlan, why string) error {
	if len(p.Can) > issuer.BulkLimit && by.SecondPerson == "" || s.spent {
		return issuer.ErrSecondPerson
	}
	for _, id := range p.Can {
		s.worth[id.String()] = append(s.worth[id.String()], issuer.StatusEvent{Status: p.To, At: s.w.now(), By: by.ID, Second: by.SecondPerson, Reason: why})
		c := s.cards[org+"/"+id.String()]
		c.Status = p.To
		s.cards[org+"/"+id.String()] = c
	}
	return nil
}
func (s *issuing) Worth(_ context.Context, _, id string) ([]issuer.StatusEvent, error) {
	return s.worth[id], nil
}
func (s *issuing) Replaced(context.Context, string, string, string) (bool, error) { return false, nil }
func (s *issuing) Replace(_ context.Context, org string, by access.Actor, id, reason string) (issuer.Credential, error) {
	c := s.cards[org+"/"+id]
	c.Status = status.Invalid
	s.cards[org+"/"+id] = c
	s.begun = append(s.begun, "replace "+reason+" with "+by.SecondPerson)
	made := s.cards[org+"/"+s.card(org)].Credential
	s.kin[made.ID.String()] = id
	return made, nil
}
func (s *issuing) Kin(_ context.Context, org, id string) (before, after *issuer.Card, err error) {
	for made, old := range s.kin {
		was, is := s.cards[org+"/"+old], s.cards[org+"/"+made]
		if made == id {
			before = &was
		}
		if old == id {
			after = &is
		}
	}
	return before, after, nil
}
func (s *issuing) Reached(string) error { return s.alone }
func (s *issuing) Offers(_ context.Context, org string) ([]offer.Offer, error) {
	return keptAll(s.offers, org), nil
}
func (s *issuing) Offer(_ context.Context, org, id string) (offer.Offer, error) {
	return kept(s.offers, org, id, offer.ErrNotFound)
}
func (s *issuing) Looked(_ context.Context, _ string, by access.Actor, offers []offer.Offer) error {
	for _, o := range offers {
		s.readers = append(s.readers, by.ID+" "+o.Unit.String())
	}
	return nil
}
func (s *issuing) Whom(_ context.Context, org string, by access.Actor, unit string) (l records.Line, err error) {
	desk := records.Desk{Store: s.w.peopleOf(org), Country: "KEN", Now: s.w.now}
	id, err := registry.ParseID(unit)
	if err != nil {
		return l, err
	}
	lines, err := desk.Lines(s.w.Context(), by, access.Entry{Action: "offer.read", Object: "offer"}, []registry.ID{id})
	if err == nil {
		l = lines[0]
	}
	return l, err
}
func (s *issuing) Make(_ context.Context, org string, _ access.Actor, o console.OfferOrder) (console.OfferMade, error) {
	if s.spent {
		return console.OfferMade{Offer: offer.Offer{Unit: s.whom, Type: "eligibility", Programme: o.Programme, Round: o.Round}}, issuer.ErrSecondPerson
	}
	return console.OfferMade{Offer: s.offers[org+"/"+s.offer(org)], Link: "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Frelief-a.example", Tx: "493536"}, nil
}
func (s *issuing) Withdraw(_ context.Context, org string, _ access.Actor, id, _ string) error {
	o := s.offers[org+"/"+id]
	o.State = offer.Withdrawn
	s.offers[org+"/"+id] = o
	return nil
}

var approvalHash = regexp.MustCompile(`name="hash" value="([0-9a-f]{64})"`)

// A batch is issued when a second account approved exactly it: not before, not by who
// asked, and not when a record changed since.
func TestABatchNeedsASecondAccount(t *testing.T) {
	w := newWorld(t)
	asks, signs, approves := w.as(own, access.Registrar), w.as(own, access.Issuer, access.Approver), w.as(own, access.Approver)
	id := w.issuing.batch(own, issuer.Prepared)
	page := asks.get("/batches/of/" + id).Body.String()
	for _, want := range []string{"<bdi>412</bdi> of <bdi>430</bdi> get a card", "<bdi>18</bdi> cannot, because", "Nothing is said of the birth"} {
		if !strings.Contains(page, want) {
			t.Errorf("the dry run does not say %q:\n%s", want, page)
		}
	}
	if c := signs.post("/batches/of/"+id+"/issue", nil).Code; c != 409 {
		t.Errorf("issued before it was submitted: %d", c)
	}
	if c := asks.post("/batches/of/"+id+"/submit", url.Values{"digest": {strings.Repeat("0", 64)}}).Code; c != 409 {
		t.Errorf("another digest than was shown is submitted: %d", c)
	}
	if c := asks.submit(page, "/desk/batches/of/"+id+"/submit").Code; c != 303 {
		t.Fatalf("submitting: %d", c)
	}
	if c := signs.post("/batches/of/"+id+"/issue", nil).Code; c != 409 {
		t.Errorf("issued before it was approved: %d", c)
	}
	list, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	at := "/approvals/" + list[0].ID
	page = approves.get(at).Body.String()
	hash := approvalHash.FindStringSubmatch(page)
	if hash == nil || !strings.Contains(page, "<bdi>412</bdi> of <bdi>430</bdi> get a card") {
		t.Fatalf("the approver is not told what it is:\n%s", page)
	}
	digest := fmt.Sprintf("<bdi>%x</bdi>", w.issuing.proposals[own+"/"+id].Digest)
	if batch := asks.get("/batches/of/" + id).Body.String(); !strings.Contains(batch, digest) || !strings.Contains(page, digest) || !strings.Contains(page, "Fingerprint of the request") {
		t.Errorf("the fingerprint of the batch does not stand on its approval, apart from that of the request:\n%s", page)
	}
	approve := func(b *browser) int { return b.post(at+"/approve", url.Values{"hash": {hash[1]}}).Code }
	if c := approve(asks); c != 403 && c != 404 {
		t.Errorf("approved by who asked: %d", c)
	}
	made := w.as(own, access.Registrar, access.Approver)
	p := w.issuing.proposals[own+"/"+id]
	by := p.By
	p.By = made.member.id
	w.issuing.proposals[own+"/"+id] = p
	if c := approve(made); c != 403 {
		t.Errorf("approved by who prepared it, when another submitted: %d, want 403", c)
	}
	p.By = by
	w.issuing.proposals[own+"/"+id] = p
	w.issuing.changed = true
	if c := approve(approves); c != 409 {
		t.Errorf("approved though a record changed: %d, want 409", c)
	}
	w.issuing.changed = false
	if c := approve(approves); c != 303 {
		t.Fatalf("approving: %d", c)
	}
	if home := signs.get("/").Body.String(); !strings.Contains(home, "Approved, and to be issued") {
		t.Error("Home does not say that it waits to be issued")
	}
	if c := signs.post("/batches/of/"+id+"/issue", nil).Code; c != 303 || len(w.issuing.begun) != 1 {
		t.Errorf("issuing: %d, %q", c, w.issuing.begun)
	}
	if got := w.issuing.proposals[own+"/"+id].Second; got != approves.member.id {
		t.Errorf("the second account is %q", got)
	}
}

// Whoever approves a batch reads whom it is for and what to look at, comes there from the
// request, and is noted as having read it; names are for who may read people.
func TestWhoApprovesABatchReadsIt(t *testing.T) {
	w := newWorld(t)
	asks, approves, signs := w.as(own, access.Registrar), w.as(own, access.Approver), w.as(own, access.Issuer)
	id := w.issuing.batch(own, issuer.Prepared)
	at := "/batches/of/" + id + "/people"
	if c := asks.submit(asks.get("/batches/of/"+id).Body.String(), "/desk/batches/of/"+id+"/submit").Code; c != 303 {
		t.Fatal(c)
	}
	list, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if page := approves.get("/approvals/" + list[0].ID).Body.String(); !strings.Contains(page, `href="/desk`+at+`"`) {
		t.Errorf("the request does not lead to whom it is for:\n%s", page)
	}
	page := approves.get(at).Body.String()
	for _, want := range []string{"&lt;b&gt;Amina&lt;/b&gt; 01", "HH-01", "120.00 KES", "Compared with round <bdi>1</bdi>", "New this round: <bdi>1</bdi>", "Not any more: <bdi>1</bdi>",
		"Entered by who prepared it: <bdi>1</bdi>", "May be on record twice: <bdi>1</bdi>", "Past the quality gate: <bdi>1</bdi>", "At random: <bdi>10</bdi>", `href="/desk/approvals/` + list[0].ID} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	for of, want := range map[string]string{"new": "Was not in the round before", "changed": "90.00 KES", "gone": "is on hold", "own": "Written by the account that prepared this batch", "doubles": "said that these are two people",
		"override": "They lost their papers"} {
		if page := approves.get(at + "?of=" + of).Body.String(); !strings.Contains(page, want) || strings.Count(page, "&lt;b&gt;Amina") != 1 {
			t.Errorf("%s: want %q and one row:\n%s", of, want, page)
		}
	}
	if a, b := approves.get(at+"?of=ten").Body.String(), approves.get(at+"?of=ten").Body.String(); strings.Count(a, "&lt;b&gt;Amina") != 10 || a == b && approves.get(at+"?of=ten").Body.String() == a {
		t.Error("ten are not drawn at random")
	}
	if n := len(w.issuing.readers); n < 12 || !strings.HasPrefix(w.issuing.readers[0], approves.member.id+" ") {
		t.Errorf("who was read, and by whom: %q", w.issuing.readers)
	}
	if page := signs.get(at).Body.String(); strings.Contains(page, "Amina") || !strings.Contains(page, "HH-01") {
		t.Error("names are shown to an account that may not read people")
	}
	if c := approves.get(at + "?of=nothing").Code; c != 400 {
		t.Errorf("a list that is none: %d", c)
	}
	w.issuing.changed = true
	if page := approves.get(at).Body.String(); !strings.Contains(page, "Records changed since this was prepared") {
		t.Error("it is not said that records changed")
	}
}

// Who may lets somebody pass the gate for a named reason, before a second account approves.
func TestPassingTheGate(t *testing.T) {
	w := newWorld(t)
	signs := w.as(own, access.Issuer)
	id := w.issuing.batch(own, issuer.Prepared)
	at := "/batches/of/" + id + "/override"
	page := signs.get("/batches/of/" + id + "/mend").Body.String()
	if c := signs.submit(page, "/desk"+at).Code; c != 303 || w.issuing.over.Reason != "" {
		t.Errorf("taking back what is not there: %d", c)
	}
	unit := registry.ID{7}
	form := url.Values{"unit": {unit.String()}, "digest": {fmt.Sprintf("%x", w.issuing.proposals[own+"/"+id].Digest)}, "reason": {"no_papers"}}
	if c := signs.post(at, form).Code; c != 303 || *w.issuing.over != (issuer.Override{Unit: unit, Reason: "no_papers", By: signs.member.id}) {
		t.Errorf("%d, %+v", c, w.issuing.over)
	}
	form.Set("reason", "I know her")
	if c := signs.post(at, form).Code; c != 422 {
		t.Errorf("a reason of no list: %d, want 422", c)
	}
	form.Set("reason", "urgent")
	form.Set("digest", strings.Repeat("1", 64))
	if c := signs.post(at, form).Code; c != 409 {
		t.Errorf("of another batch than was shown: %d, want 409", c)
	}
	if c := signs.post("/batches/of/"+id+"/mend.csv", nil).Code; c != 403 {
		t.Errorf("the list to mend leaves without a reason: %d", c)
	}
	if file := signs.post("/batches/of/"+id+"/mend.csv", url.Values{"reason": {"to the village office"}}); file.Code != 200 || !strings.Contains(file.Body.String(), "'=HH-17") {
		t.Errorf("the list to mend: %d %q", file.Code, file.Body)
	}
	done := w.issuing.batch(own, issuer.Approved)
	form.Set("digest", fmt.Sprintf("%x", w.issuing.proposals[own+"/"+done].Digest))
	if c := signs.post("/batches/of/"+done+"/override", form).Code; c != 409 {
		t.Errorf("of a batch that is approved: %d, want 409", c)
	}
}

// Many cards are counted first, their number is typed, and more than twenty wait for a
// second account; a card that is not at the desk is replaced by two.
func TestManyCardsAndReplacements(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Issuer), w.as(own, access.DistributionLead)
	for range 60 {
		w.issuing.card(own)
	}
	form := url.Values{"place": {"K7Q2/1"}, "reason": {"wrong-list"}}
	page := b.post("/cards/many/suspend", form)
	if page.Code != 200 || !strings.Contains(page.Body.String(), "<bdi>60</bdi> of <bdi>60</bdi> can be suspended") {
		t.Fatalf("%d\n%s", page.Code, page.Body)
	}
	form.Set("step", "60")
	if c := b.post("/cards/many/suspend", form).Code; c != 422 {
		t.Errorf("without the number typed: %d", c)
	}
	form.Set("typed", "60")
	if c := b.post("/cards/many/suspend", form).Code; c != 303 {
		t.Fatalf("asking: %d", c)
	}
	for _, c := range w.issuing.cards {
		if c.Status != status.Valid {
			t.Fatal("one account alone has put sixty cards on hold")
		}
	}
	yes := func() {
		t.Helper()
		list, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil {
			t.Fatal(err)
		}
		at := "/approvals/" + list[0].ID
		hash := approvalHash.FindStringSubmatch(second.get(at).Body.String())
		if hash == nil {
			t.Fatalf("nothing to approve: %s", second.get(at).Body)
		}
		if c := second.post(at+"/approve", url.Values{"hash": {hash[1]}}).Code; c != 303 {
			t.Fatalf("approving: %d", c)
		}
	}
	yes()
	var id string
	for at, c := range w.issuing.cards {
		if c.Status != status.Suspended {
			t.Fatal("a card is not on hold")
		}
		id = strings.TrimPrefix(at, own+"/")
	}
	w.move(time.Minute)
	if c := b.post("/cards/of/"+id+"/replace", url.Values{"reason": {"lost"}}).Code; c != 303 || len(w.issuing.begun) != 0 {
		t.Fatalf("asking for a replacement: %d, %q", c, w.issuing.begun)
	}
	if page := w.as(own, access.Auditor).get("/approvals").Body.String(); strings.Contains(page, "GBFF") || !strings.Contains(page, "You vouch") {
		t.Errorf("who reads the log reads a card:\n%s", page)
	}
	yes()
	if len(w.issuing.begun) != 1 || w.issuing.begun[0] != "replace lost with "+second.member.id {
		t.Errorf("%q", w.issuing.begun)
	}
	var made string
	for made = range w.issuing.kin {
	}
	need, to := "to be printed: <bdi>1</bdi>", `href="/desk/cards/of/`+made+`"`
	if page := b.get("/").Body.String(); !strings.Contains(page, need) || !strings.Contains(page, to) {
		t.Errorf("who asked is not told that the new card waits:\n%s", page)
	}
	if page := w.as(own, access.Issuer).get("/").Body.String(); strings.Contains(page, to) {
		t.Error("who did not ask for a card is told that it waits")
	}
	if page := b.get("/cards/of/" + id).Body.String(); !strings.Contains(page, to) || !strings.Contains(page, "It was replaced by the card with the same number") {
		t.Errorf("a card does not say which replaced it:\n%s", page)
	}
	if page := b.get("/cards/of/" + made).Body.String(); !strings.Contains(page, `href="/desk/cards/of/`+id+`"`) || !strings.Contains(page, "It replaces the card") {
		t.Errorf("a card does not say which it replaces:\n%s", page)
	}
	number := cwt.GroupCardNumber(w.issuing.cards[own+"/"+made].CardNumber)
	if page := b.post("/cards", url.Values{"q": {number}}).Body.String(); !strings.Contains(page, "Replaced by another card with this number") || !strings.Contains(page, "It replaces another card with this number") {
		t.Errorf("of two cards with one number the list does not tell which is which:\n%s", page)
	}
	printed := w.issuing.cards[own+"/"+made]
	printed.Paper = issuer.CardPrinted
	w.issuing.cards[own+"/"+made] = printed
	if page := b.get("/").Body.String(); strings.Contains(page, "to be printed") {
		t.Error("a printed card waits to be printed")
	}
	if c := b.post("/cards/of/"+w.issuing.card(own)+"/replace", url.Values{"reason": {"spoiled"}}).Code; c != 303 || len(w.issuing.begun) != 2 {
		t.Errorf("a spoiled card: %d, %q", c, w.issuing.begun)
	}
	if c := b.post("/cards/of/"+id+"/revoke", nil).Code; c != 422 {
		t.Errorf("without a reason: %d", c)
	}
}

// A card leads to whose it is, and she to her card, for who may read both; nobody else is
// told a name.
func TestCardsAndPeopleLeadToEachOther(t *testing.T) {
	w := newWorld(t)
	her := w.person(own, "<b>Amina</b> Yusuf")
	card := w.issuing.card(own)
	c := w.issuing.cards[own+"/"+card]
	c.Unit = her
	w.issuing.cards[own+"/"+card] = c
	both, alone := w.as(own, access.Registrar), w.as(own, access.Verifier)
	link := `<a href="/desk/people/` + her.String() + `"><bdi>&lt;b&gt;Amina&lt;/b&gt; Yusuf</bdi></a>`
	for what, page := range map[string]func(*browser) string{
		"a card": func(b *browser) string { return b.get("/cards/of/" + card).Body.String() },
		"a list": func(b *browser) string { return b.post("/cards", url.Values{"q": {"GBFF"}}).Body.String() },
	} {
		if s := page(both); !strings.Contains(s, link) {
			t.Errorf("%s does not lead to whose it is:\n%s", what, s)
		}
		if s := page(alone); !strings.Contains(s, "GBFF") || strings.Contains(s, "Amina") || strings.Contains(s, "/desk/people/") {
			t.Errorf("%s tells a name to who reads no people:\n%s", what, s)
		}
	}
	if c := w.as(own, access.Issuer).post("/cards/of/"+card+"/replace", url.Values{"reason": {"lost"}}).Code; c != 303 {
		t.Fatalf("asking for a replacement: %d", c)
	}
	asked, err := w.doors[own].Approvals(t.Context(), boss)
	if err != nil || len(asked) == 0 {
		t.Fatal(asked, err)
	}
	picture := `<img class="portrait" src="/desk/media/` + her.String() + `"`
	if page := w.as(own, access.Approver).get("/approvals/" + asked[0].ID).Body.String(); !strings.Contains(page, link) || !strings.Contains(page, picture) {
		t.Errorf("who vouches for a holder is not told who she is:\n%s", page)
	}
	if page := w.as(own, access.Approver).get("/approvals").Body.String(); !strings.Contains(page, link) || strings.Contains(page, picture) {
		t.Errorf("the list of requests: her name alone is wanted:\n%s", page)
	}
	if page := w.as(own, access.DistributionLead).get("/approvals/" + asked[0].ID).Body.String(); strings.Contains(page, "Amina") || strings.Contains(page, picture) || !strings.Contains(page, `href="/desk/cards/of/`+card+`"`) {
		t.Errorf("who reads cards and no people is told a name, or of no card:\n%s", page)
	}
	house := w.household(own)
	n, _ := registry.ParseName("Halima Noor", registry.Official)
	if _, err := w.registry(own).Enter(t.Context(), registry.Entry{Household: house, Person: registry.Person{Names: []registry.Name{n}, Sex: registry.Female, Relation: registry.Head}}); err != nil {
		t.Fatal(err)
	}
	hers := w.issuing.cards[own+"/"+w.issuing.card(own)]
	hers.Unit, hers.CardNumber = house, "44YJF7Z49RR"
	w.peopleOf(own).cards = []issuer.Card{c, hers}
	at := `href="/desk/cards/of/` + card + `"`
	if page := both.get("/people/" + her.String()).Body.String(); !strings.Contains(page, at) {
		t.Errorf("a record does not lead to its card:\n%s", page)
	}
	if page := w.as(own, access.Protection).get("/people/" + her.String()).Body.String(); !strings.Contains(page, "GBFF") || strings.Contains(page, at) {
		t.Errorf("a record leads who reads no cards to one:\n%s", page)
	}
	if page := both.post("/people", url.Values{"q": {"Halima Noor"}}).Body.String(); !strings.Contains(page, "44YJ-F7Z4-9RR") {
		t.Errorf("a head is found without her household's card:\n%s", page)
	}
}

// What two accounts agreed to is done as it was asked for, or not at all: a card that was
// changed since, or that came to those that were chosen, ends it.
func TestCardsThatChangedSinceAreLeft(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Issuer), w.as(own, access.DistributionLead)
	set := func(id string, change func(*issuer.Card)) {
		c := w.issuing.cards[own+"/"+id]
		change(&c)
		w.issuing.cards[own+"/"+id] = c
	}
	approve := func() int {
		t.Helper()
		list, err := w.doors[own].Approvals(t.Context(), boss)
		if err != nil || list[0].State != access.Waiting {
			t.Fatalf("nothing waits: %+v, %v", list, err)
		}
		at := "/approvals/" + list[0].ID
		hash := approvalHash.FindStringSubmatch(second.get(at).Body.String())
		if hash == nil {
			t.Fatal("nothing to approve")
		}
		code := second.post(at+"/approve", url.Values{"hash": {hash[1]}}).Code
		w.move(time.Second)
		return code
	}
	held := func() (n int) {
		for _, c := range w.issuing.cards {
			if c.Status == status.Suspended {
				n++
			}
		}
		return n
	}
	for range 10_000 {
		w.issuing.card(own)
	}
	one := w.issuing.card(own)
	many := url.Values{"place": {"K7Q2/1"}, "reason": {"wrong-list"}, "step": {"10001"}, "typed": {"10001"}}
	ask := func() {
		t.Helper()
		if c := b.post("/cards/many/suspend", many).Code; c != 303 {
			t.Fatalf("asking for ten thousand cards: %d", c)
		}
	}
	for what, c := range map[string]struct{ do, undo func() }{
		"one was handed over": {func() { set(one, func(c *issuer.Card) { c.Paper = issuer.CardHandedOver }) }, func() { set(one, func(c *issuer.Card) { c.Paper = issuer.CardIssued }) }},
		"one was put on hold": {func() { set(one, func(c *issuer.Card) { c.Status = status.Suspended }) }, func() { set(one, func(c *issuer.Card) { c.Status = status.Valid }) }},
		"one came to them":    {func() { w.issuing.card(own) }, func() { many.Set("step", "10002"); many.Set("typed", "10002") }},
	} {
		ask()
		was := held()
		c.do()
		if code := approve(); code != 409 || held() > was+1 {
			t.Errorf("%s: %d, want 409; %d cards are on hold", what, code, held())
		}
		c.undo()
		many.Set("reason", many.Get("reason")+"x") // another request
	}
	ask()
	if code := approve(); code != 303 || held() != 10_002 {
		t.Errorf("as it was asked for: %d, %d on hold", code, held())
	}
	lost := w.issuing.card(own)
	if c := b.post("/cards/of/"+lost+"/replace", url.Values{"reason": {"lost"}}).Code; c != 303 {
		t.Fatal(c)
	}
	set(lost, func(c *issuer.Card) { c.Status = status.Suspended })
	if c := approve(); c != 409 || len(w.issuing.begun) != 0 {
		t.Errorf("a card that was put on hold since is replaced: %d, %q", c, w.issuing.begun)
	}
	set(lost, func(c *issuer.Card) { c.Status = status.Valid })
	if c := approve(); c != 303 || len(w.issuing.begun) != 1 {
		t.Errorf("as it was asked for: %d, %q", c, w.issuing.begun)
	}
	// A day's allowance is over: also one card waits for a second account then.
	w.issuing.spent = true
	w.move(time.Second)
	last := w.issuing.card(own)
	if c := b.post("/cards/of/"+last+"/suspend", url.Values{"reason": {"code"}}).Code; c != 303 || w.issuing.cards[own+"/"+last].Status != status.Valid {
		t.Errorf("one card more: %d", c)
	}
	if c := second.post("/cards/of/"+last+"/suspend", url.Values{"reason": {"code"}}).Code; c != 409 {
		t.Errorf("by who cannot ask for it: %d, want 409", c)
	}
	w.issuing.spent = false
	if c := approve(); c != 303 || w.issuing.cards[own+"/"+last].Status != status.Suspended {
		t.Errorf("one card more, by two: %d", c)
	}
}

// What stands on her card is what she said, and nothing else: as long as nobody asked, the
// number alone. It can be taken back, and the printing says of how many it is.
func TestWhatStandsOnHerCard(t *testing.T) {
	w := newWorld(t)
	id := w.person(own, "Amina Yusuf")
	b := w.as(own, access.Registrar)
	at := "/people/" + id.String() + "/face"
	face := func() (f registry.CardFace) {
		t.Helper()
		rec, err := w.registry(own).Record(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		p, err := rec.Person()
		if err != nil {
			t.Fatal(err)
		}
		if p.CardFace != nil {
			f = *p.CardFace
		}
		return f
	}
	if page := b.get(at).Body.String(); !strings.Contains(page, `id="name-no" name="name" value="no" checked`) || !strings.Contains(page, `id="photo-no" name="photo" value="no" checked`) {
		t.Errorf("without a choice it is not the number alone:\n%s", page)
	}
	for what, bad := range map[string]url.Values{"nothing": {}, "half": {"name": {"yes"}}, "how nobody says it": {"name": {"yes"}, "photo": {"no"}, "how": {"guessed"}}} {
		if c := b.post(at, bad).Code; c != 422 {
			t.Errorf("%s: %d, want 422", what, c)
		}
	}
	if c := b.post(at, url.Values{"name": {"yes"}, "photo": {"no"}, "how": {"thumb"}}).Code; c != 303 {
		t.Fatal(c)
	}
	if f := face(); !f.Name || f.Photo {
		t.Errorf("she said her name: %+v", f)
	}
	if c := b.submit(b.get(at).Body.String(), "/desk"+at).Code; c != 303 {
		t.Fatalf("taking it back: %d", c)
	}
	if f := face(); f.Name || f.Photo {
		t.Errorf("she took it back: %+v", f)
	}
	if page := w.as(own, access.Issuer).get("/prints/batch/" + w.issuing.batch(own, issuer.Done)).Body.String(); !strings.Contains(page, "<bdi>17</bdi> chose their name, <bdi>4</bdi> their photograph") {
		t.Errorf("the printing does not say of how many:\n%s", page)
	}
}

// What is due is counted before it is planned; what cannot be meant is said.
func TestPlanning(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.DistributionLead)
	at := "/programmes/of/" + w.issuing.programme(own)
	form := url.Values{"round": {"١"}, "amount": {"120.00"}, "items": {"BLANKET=2 SOAP=1.5kg"}}
	page := b.post(at+"/plan", form)
	if page.Code != 200 || !strings.Contains(page.Body.String(), "<bdi>412</bdi> of <bdi>430</bdi>") || !strings.Contains(page.Body.String(), "49440.00") || len(w.issuing.begun) != 0 {
		t.Fatalf("%d %q\n%s", page.Code, w.issuing.begun, page.Body)
	}
	form.Set("step", "412")
	form.Set("typed", "412")
	if c := b.post(at+"/plan", form).Code; c != 303 || len(w.issuing.begun) != 1 || w.issuing.begun[0] != "plan 1120.00[{BLANKET 2 } {SOAP 1.5 kg}]" {
		t.Errorf("%d %q", c, w.issuing.begun)
	}
	for name, bad := range map[string]url.Values{"no round": {"round": {"0"}}, "no item": {"round": {"1"}, "items": {"BLANKET"}}} {
		if c := b.post(at+"/plan", bad).Code; c != 422 {
			t.Errorf("%s: %d, want 422", name, c)
		}
	}
	if page := b.get(at).Body.String(); strings.Contains(page, "<b>Winter") || !strings.Contains(page, "&lt;b&gt;Winter") {
		t.Error("a name is no text")
	}
}

// The print log has the layout as one word of several; a reader is told the paper and what
// else, and a tab's title is text.
func TestAPrintIsToldInWords(t *testing.T) {
	w := newWorld(t)
	id := w.issuing.print(own)
	b := w.as(own, access.Issuer)
	for _, path := range []string{"/prints", "/prints/of/" + id} {
		page := b.get(path).Body.String()
		for _, says := range []string{"A4, ten cards a sheet", "Both sides", "Without organisation and programme"} {
			if !strings.Contains(page, says) {
				t.Errorf("%s does not say %q:\n%s", path, says, page)
			}
		}
		if strings.Contains(page, "prints.paper_") {
			t.Errorf("%s shows a key:\n%s", path, page)
		}
		if _, title, _ := strings.Cut(page, "<title>"); strings.Contains(strings.SplitN(title, "</title>", 2)[0], "bdi") {
			t.Errorf("the title of %s has an element in it:\n%s", path, page)
		}
	}
}

// Where wallets do not reach the server the list of offers says so, and nobody fills a form
// in vain.
func TestNoOfferIsBegunWhereNoWalletComes(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.Issuer)
	const form, says = `href="/desk/offers/new"`, "Wallets do not reach this server"
	if page := b.get("/offers").Body.String(); !strings.Contains(page, form) || strings.Contains(page, says) {
		t.Errorf("where wallets come:\n%s", page)
	}
	w.issuing.alone = console.ErrNoOffers
	if page := b.get("/offers").Body.String(); strings.Contains(page, form) || !strings.Contains(page, says) || !strings.Contains(page, "--base-url") {
		t.Errorf("where none comes:\n%s", page)
	}
	if a := b.get("/offers/new"); a.Code != 409 || !strings.Contains(a.Body.String(), says) || strings.Contains(a.Body.String(), `name="unit"`) {
		t.Errorf("its form: %d\n%s", a.Code, a.Body)
	}
}

// Offers are read by nobody of whom those they are for cannot be told.
func TestReadOffersAreTold(t *testing.T) {
	w := newWorld(t)
	id := w.issuing.offer(own)
	unit := w.issuing.offers[own+"/"+id].Unit.String()
	b := w.as(own, access.Complaints)
	for _, path := range []string{"/offers", "/offers/of/" + id} {
		w.issuing.readers = nil
		if a := b.get(path); a.Code != 200 || !slices.Equal(w.issuing.readers, []string{b.member.id + " " + unit}) {
			t.Errorf("%s: %d, %v", path, a.Code, w.issuing.readers)
		}
	}
	if a := w.as(own, access.Issuer).get("/offers/new?unit=17"); a.Code != 400 {
		t.Errorf("a number in an address: %d", a.Code)
	}
}

// Past what one account offers alone on a day a second account is asked, and told for whom
// it is.
func TestOffersPastTheCeilingNeedTwo(t *testing.T) {
	w := newWorld(t)
	w.doors[own].Handle(access.OfferMore, access.Executor{Run: func(context.Context, access.Actor, access.Approval) error { return nil }})
	w.issuing.spent, w.issuing.whom = true, w.person(own, "Amina <b>")
	maker := w.add(own, "maker", access.Issuer)
	if a := w.of(maker).post("/offers/new", url.Values{"unit": {"17"}, "place": {"K7Q2/1"}, "type": {"eligibility"}, "life": {"24h"}}); a.Code != 303 || a.Header().Get("Location") != "/desk/offers" {
		t.Fatalf("asking: %d %s", a.Code, a.Body)
	}
	open, err := w.doors[own].Open(t.Context(), boss)
	if err != nil || len(open) != 1 || open[0].Act != access.OfferMore {
		t.Fatal(open, err)
	}
	at := "/approvals/" + open[0].ID
	approver := w.as(own, access.Approver)
	page := approver.get(at).Body.String()
	has(t, page, "Amina &lt;b&gt;")
	has(t, page, "Good for: a day")
	has(t, page, w.issuing.whom.String())
	hasNot(t, w.as(own, access.Auditor).get(at).Body.String(), w.issuing.whom.String())
	payload, err := console.OfferMore{Unit: w.issuing.whom.String(), Type: "eligibility", Programme: "K7Q2", Round: 1, Life: 24 * 60 * 60}.Payload()
	if err != nil {
		t.Fatal(err)
	}
	who := access.Actor{ID: maker.id, Role: access.Issuer}
	take := func() error {
		_, err := w.doors[own].TakeApproved(t.Context(), who, access.OfferMore, payload)
		return err
	}
	if err := take(); !errors.Is(err, access.ErrNoApproval) {
		t.Errorf("before anybody approved it: %v", err)
	}
	if a := approver.submit(page, "/desk"+at+"/approve"); a.Code != 303 {
		t.Fatalf("approving: %d %s", a.Code, a.Body)
	}
	if err := take(); err != nil {
		t.Errorf("approved: %v", err)
	}
	if err := take(); !errors.Is(err, access.ErrNoApproval) {
		t.Errorf("a second time: %v", err)
	}
}

// A card's page tells why it is on hold or revoked, who asked for it and who confirmed it;
// what waits for a second account is told there, and not offered again.
func TestACardsPageTellsWhatBecameOfIt(t *testing.T) {
	w := newWorld(t)
	b, second := w.as(own, access.Issuer), w.as(own, access.Approver)
	id := w.issuing.card(own)
	at := "/cards/of/" + id
	b.follow(b.post(at+"/suspend", url.Values{"reason": {"stolen-bag"}}))
	has(t, b.get(at).Body.String(), "On hold – <bdi>"+b.member.id+"</bdi>, <bdi>stolen-bag</bdi>")
	w.issuing.spent = true // so that one more needs a second account
	b.follow(b.post(at+"/revoke", url.Values{"reason": {"not-found"}}))
	page := b.get(at).Body.String()
	asked := regexp.MustCompile(`/desk(/approvals/[^"]+)"`).FindStringSubmatch(page)
	if asked == nil {
		t.Fatalf("what waits is not told:\n%s", page)
	}
	hasNot(t, page, `id="revoke"`)
	w.issuing.spent = false
	before := second.get("/approvals").Body.String()
	second.follow(second.submit(second.get(asked[1]).Body.String(), "/desk"+asked[1]+"/approve"))
	after := b.get(at).Body.String()
	has(t, after, "Revoked, for ever – <bdi>"+b.member.id+"</bdi>, confirmed by <bdi>"+second.member.id+"</bdi>, <bdi>not-found</bdi>")
	hasNot(t, after, `class="warning asked"`)
	for _, page := range []string{before, second.get("/approvals").Body.String()} { // in the same words when it is done
		has(t, page, "not-found")
	}
}

// Who printed takes the file; once it was handed out, or by somebody else, it takes a reason
// and a fresh proof of identity, each time as another paper, and no program gets it so.
func TestAPrintTakenAgainIsAnotherPaper(t *testing.T) {
	w := newWorld(t)
	id := w.issuing.print(own)
	b, at := w.as(own, access.Issuer), "/prints/of/"+id
	file := at + "/cards.pdf"
	if page := b.get(at).Body.String(); strings.Contains(page, `id="file"`) || !strings.Contains(page, `id="again"`) {
		t.Errorf("the page of another's print:\n%s", page)
	}
	if a := b.get(file); a.Code != 409 || !strings.Contains(a.Body.String(), "handed out already") {
		t.Errorf("another's print: %d\n%s", a.Code, a.Body)
	}
	if a := b.post(file, url.Values{"reason": {""}}); a.Code != 422 {
		t.Errorf("without a reason: %d", a.Code)
	}
	why := url.Values{"reason": {"the printer ate it"}}
	if a := b.post(file, why); a.Code != 200 || a.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("with a reason: %d\n%s", a.Code, a.Body)
	}
	if page := b.get(at).Body.String(); !strings.Contains(page, `id="file"`) || !strings.Contains(page, `<dd id="papers"><bdi>1</bdi>`) || !strings.Contains(page, "If the download broke off") {
		t.Errorf("the page within minutes:\n%s", page)
	}
	w.move(issuer.FetchedAgain + time.Second)
	if a := b.get(file); a.Code != 409 {
		t.Errorf("later: %d", a.Code)
	}
	if a := b.post(file, why); a.Code != 401 || a.Header().Get("Content-Type") == "application/pdf" {
		t.Errorf("with no fresh proof: %d", a.Code)
	}
	p := w.program(own, access.Issuer, access.BatchPrint)
	if a := p.ask("GET", file, ""); a.Code != 409 {
		t.Errorf("a program, another's print: %d", a.Code)
	}
	if a := p.ask("POST", file, `{"reason":"again"}`); a.Code != 403 || w.issuing.prints[own+"/"+id].Papers != 1 {
		t.Errorf("a program with a reason: %d, %+v", a.Code, w.issuing.prints[own+"/"+id])
	}
}
