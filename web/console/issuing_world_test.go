package console_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"aidpass/access"
	"aidpass/credential"
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
	return registry.Plan{Units: 430, New: 412, Kept: 18, Elsewhere: 7, Total: "49440.00"}, nil
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
func (s *issuing) Fixes(_ context.Context, org, id string) ([]quality.Fix, error) {
	p, err := kept(s.proposals, org, id, issuer.ErrNoProposal)
	unit := func(n byte) registry.ID { return registry.ID{n} }
	until := p.Until.Std()
	fix := func(n byte, o quality.Outcome, kind registry.Kind, r quality.Reason) quality.Fix {
		f := quality.Fix{Reason: r, Unit: unit(n), Outcome: o, Kind: kind, List: "=village", Number: fmt.Sprintf("HH-%02d", n), Place: "<i>Well A</i>", Clerk: "clerk-1"}
		if f.Record = unit(n); o == quality.Provisional {
			f.Until = until
		}
		return f
	}
	return []quality.Fix{
		fix(1, quality.Refuse, registry.KindPerson, quality.Reason{Code: quality.ReasonName, Field: "name", Weight: quality.Refuse, Text: "no name is known", Fix: "ask"}),
		fix(2, quality.Provisional, registry.KindPerson, quality.Reason{Code: quality.ReasonTold, Weight: quality.Provisional, Other: unit(9), Text: "twice", Fix: "decide"}),
		fix(2, quality.Provisional, registry.KindPerson, quality.Reason{Code: quality.ReasonOld, Weight: quality.Provisional, Months: 14, Text: "old", Fix: "speak"}),
		fix(3, quality.Issue, registry.KindHousehold, quality.Reason{Code: quality.ReasonField, Field: "origin", Weight: quality.Issue, Text: "origin is missing", Fix: "ask"}),
	}, err
}
func (s *issuing) FixesRead(_ context.Context, _ string, by access.Actor, _ string, units []issuer.UnitID) error {
	for _, u := range units {
		s.readers = append(s.readers, by.ID+" "+u.String())
	}
	return by.Check()
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
