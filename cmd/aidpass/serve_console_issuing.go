package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/web/console"
)

// consoleIssuing is console.ProgrammesDesk and BatchesDesk on the database.
type consoleIssuing struct{ *serving }

func (d consoleIssuing) registry(by access.Actor) *registry.Registry {
	return &registry.Registry{Store: d.o.store, Actor: by, Now: d.a.Now}
}

// plainDesk is one that changes what is stored, and signs nothing.
func (s *serving) plainDesk(by access.Actor) *issuer.Desk {
	return &issuer.Desk{Issuer: s.o.entry.ID, Store: s.o.store, Actor: by, Now: s.a.Now}
}

// Programmes implements console.ProgrammesDesk.
func (d consoleIssuing) Programmes(ctx context.Context, org string) ([]registry.Programme, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.registry(access.Actor{}).Programmes(ctx)
}

// Programme implements console.ProgrammesDesk.
func (d consoleIssuing) Programme(ctx context.Context, org, code string) (registry.Programme, error) {
	if err := d.ours(org); err != nil {
		return registry.Programme{}, err
	}
	return d.registry(access.Actor{}).Programme(ctx, code)
}

// Due implements console.ProgrammesDesk.
func (d consoleIssuing) Due(ctx context.Context, org, code string) (map[uint64]map[registry.EntitlementStatus]int, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.registry(access.Actor{}).Due(ctx, code)
}

// SaveProgramme implements console.ProgrammesDesk.
func (d consoleIssuing) SaveProgramme(ctx context.Context, org string, by access.Actor, p registry.Programme) (registry.Programme, error) {
	if err := d.ours(org); err != nil {
		return p, err
	}
	return d.registry(by).SaveProgramme(ctx, p)
}

// SaveRound implements console.ProgrammesDesk.
func (d consoleIssuing) SaveRound(ctx context.Context, org string, by access.Actor, code string, r registry.Round) error {
	if err := d.ours(org); err != nil {
		return err
	}
	_, err := d.registry(by).SaveRound(ctx, code, r)
	return err
}

// Plan implements console.ProgrammesDesk.
func (d consoleIssuing) Plan(ctx context.Context, org string, by access.Actor, code string, round uint64, rule registry.Rule, preview bool) (registry.Plan, error) {
	if err := d.ours(org); err != nil {
		return registry.Plan{}, err
	}
	return d.registry(by).Plan(ctx, code, round, rule, preview)
}

// Types are those whose claims follow from the records.
func (consoleIssuing) Types() []string { return []string{"eligibility", "registration"} }

// Imports implements console.BatchesDesk: those that changed somebody, the newest first.
func (d consoleIssuing) Imports(ctx context.Context, org string) (list []registry.ImportFile, err error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	err = d.o.store.View(ctx, func(v registry.View) error {
		list, err = v.Imports()
		return err
	})
	slices.Reverse(list)
	return list[:min(len(list), 50)], err
}

// Proposals implements console.BatchesDesk.
func (d consoleIssuing) Proposals(ctx context.Context, org string) ([]issuer.Proposal, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.o.store.Proposals(ctx)
}

// Proposal implements console.BatchesDesk.
func (d consoleIssuing) Proposal(ctx context.Context, org, id string) (issuer.Proposal, error) {
	if err := d.ours(org); err != nil {
		return issuer.Proposal{}, err
	}
	return d.o.store.Proposal(ctx, id)
}

// moment is what a batch is made by: the gate's policy and whom an import means, now.
func (d consoleIssuing) moment(ctx context.Context, p *issuer.Proposal) (gate quality.Gate, units []issuer.UnitID, err error) {
	policy, err := d.a.qualityPolicy("")
	if err != nil {
		return gate, nil, err
	}
	if p.Import != "" {
		units, err = d.o.importUnits(ctx, p.Import)
	}
	return policy.Gate(p.Programme), units, err
}

// gather makes a proposal's batch from the records as they are, and counts who of it holds
// such a card already.
func (d consoleIssuing) gather(ctx context.Context, p *issuer.Proposal) (b issuer.Batch, unfit []issuer.Unfit, err error) {
	gate, units, err := d.moment(ctx, p)
	if err != nil {
		return b, nil, err
	}
	b, unfit, err = p.Gather(ctx, d.o.store, gate, units, d.a.Now)
	if err != nil {
		return b, nil, err
	}
	cards, err := d.o.store.Cards(ctx, issuer.Selection{Programme: p.Programme, Round: p.Round, Type: p.Type, Active: true})
	if err != nil {
		return b, nil, err
	}
	holds, short := map[issuer.UnitID]bool{}, map[issuer.UnitID]bool{}
	for i := range cards {
		holds[cards[i].Unit] = true
		short[cards[i].Unit] = cards[i].Provisional && cards[i].Status == status.Valid
	}
	p.Held, p.Follows = 0, 0
	for i := range b.Requests {
		switch q := &b.Requests[i]; {
		case short[q.Unit] && q.ExpiresAt == 0:
			p.Follows++
		case holds[q.Unit]:
			p.Held++
		}
	}
	return b, unfit, nil
}

// allowed refuses what no service point would accept, and a time that cannot be right.
func (d consoleIssuing) allowed(ctx context.Context, t *schemas.Type, programme string) error {
	d.packs.mu.Lock()
	defer d.packs.mu.Unlock()
	var usage *usageError
	if err := d.o.plausibleClock(ctx); errors.As(err, &usage) {
		return console.ErrClock
	} else if err != nil {
		return err
	}
	d.a.kept = nil // another command may have brought a newer trust list
	if err := d.o.mayIssue(t, programme); errors.As(err, &usage) {
		return console.ErrNotGranted
	} else if err != nil {
		return err
	}
	return nil
}

// Prepare implements console.BatchesDesk.
func (d consoleIssuing) Prepare(ctx context.Context, org string, by access.Actor, p issuer.Proposal) (issuer.Proposal, error) {
	if err := d.ours(org); err != nil {
		return p, err
	}
	t := schemas.ByName(p.Type)
	if t == nil || !slices.Contains(d.Types(), p.Type) {
		return p, registry.ErrNotFound
	}
	if _, err := d.registry(by).Programme(ctx, p.Programme); err != nil {
		return p, err
	}
	if err := d.o.hasRound(ctx, p.Programme, p.Round); err != nil {
		return p, consoleRefusal(err)
	}
	if err := d.allowed(ctx, t, p.Programme); err != nil {
		return p, err
	}
	gate, _, err := d.moment(ctx, &p)
	if err != nil {
		return p, consoleRefusal(err)
	}
	p.ID, p.By, p.At, p.State, p.Form = issuer.NewShortID(), by.ID, d.a.Now().UTC().Truncate(time.Second), issuer.Prepared, issuer.ProposalForm
	p.Until = credential.FromStd(p.At.Add(gate.Provisional))
	p.Until -= p.Until % day
	if _, _, err := d.gather(ctx, &p); err != nil {
		return p, err
	}
	if p.Rows == 0 {
		return p, issuer.ErrNobody
	}
	return p, d.o.store.AddProposal(ctx, by, p)
}

// Unfit implements console.BatchesDesk.
func (d consoleIssuing) Unfit(ctx context.Context, org string, by access.Actor, id string) ([]issuer.Unfit, error) {
	p, err := d.Proposal(ctx, org, id)
	if err != nil {
		return nil, err
	}
	_, list, err := d.gather(ctx, &p)
	if err != nil {
		return nil, err
	}
	var about []registry.ID
	for i := range list {
		list[i].External = listNumber(list[i].External)
		about = append(about, list[i].Unit)
	}
	return list, d.about(ctx, by, "batch.mend", id, about)
}

// Fixes implements console.BatchesDesk.
func (d consoleIssuing) Fixes(ctx context.Context, org, id string) ([]quality.Fix, error) {
	p, err := d.Proposal(ctx, org, id)
	if err != nil {
		return nil, err
	}
	p.At = d.a.Now().UTC() // who is met since is met
	gate, units, err := d.moment(ctx, &p)
	if err != nil {
		return nil, err
	}
	list, err := p.Fixes(ctx, d.o.store, gate, units, d.a.Now)
	for i := range list {
		list[i].Number = listNumber(list[i].Number)
	}
	return list, err
}

// FixesRead implements console.BatchesDesk.
func (d consoleIssuing) FixesRead(ctx context.Context, org string, by access.Actor, id string, records []issuer.UnitID) error {
	if err := d.ours(org); err != nil {
		return err
	}
	return d.about(ctx, by, "batch.mend", id, records)
}

// Read implements console.BatchesDesk.
func (d consoleIssuing) Read(ctx context.Context, org, id string) (*issuer.Reading, error) {
	p, err := d.Proposal(ctx, org, id)
	if err != nil {
		return nil, err
	}
	gate, units, err := d.moment(ctx, &p)
	if err != nil {
		return nil, err
	}
	return p.Read(ctx, d.o.store, gate, units, d.a.Now)
}

// Lines implements console.BatchesDesk.
func (d consoleIssuing) Lines(ctx context.Context, org string, by access.Actor, id string, units []issuer.UnitID) ([]records.Line, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	desk := records.Desk{Store: d.o.store, Country: d.o.entry.Country, Now: d.a.Now}
	return desk.Lines(ctx, by, access.Entry{Action: "batch.read", Object: id}, units)
}

// Override implements console.BatchesDesk.
func (d consoleIssuing) Override(ctx context.Context, org string, by access.Actor, id string, digest [32]byte, o issuer.Override) error {
	p, err := d.Proposal(ctx, org, id)
	if err != nil {
		return err
	}
	if p.Digest != digest {
		return issuer.ErrProposalChanged
	}
	if err := p.SetOverride(o); err != nil {
		return err
	}
	b, _, err := d.gather(ctx, &p)
	if err != nil {
		return err
	}
	passes := func(q issuer.Request) bool { return q.Unit == o.Unit && q.Override != "" }
	if o.Reason != "" && !slices.ContainsFunc(b.Requests, passes) {
		return issuer.ErrFinalGate
	}
	return d.o.store.ChangeProposal(ctx, by, id, func(now *issuer.Proposal) error {
		if now.Digest != digest || now.State != issuer.Prepared && now.State != issuer.Submitted {
			return issuer.ErrProposalChanged
		}
		*now = p
		return nil
	})
}

// about notes whose records a page shows, each once.
func (s *serving) about(ctx context.Context, by access.Actor, action access.Action, object string, units []registry.ID) error {
	if len(units) == 0 {
		return nil
	}
	slices.SortFunc(units, func(a, b registry.ID) int { return slices.Compare(a[:], b[:]) })
	return s.o.store.NoteAbout(ctx, by, access.Entry{Action: action, Object: object}, slices.Compact(units))
}

// Submitted implements console.BatchesDesk.
func (d consoleIssuing) Submitted(ctx context.Context, org string, by access.Actor, id, approval string) error {
	if err := d.ours(org); err != nil {
		return err
	}
	return d.o.store.ChangeProposal(ctx, by, id, func(p *issuer.Proposal) error {
		if p.State != issuer.Prepared && p.State != issuer.Submitted {
			return issuer.ErrProposalState
		}
		p.State, p.Approval = issuer.Submitted, approval
		return nil
	})
}

// approving carries out the approval of a batch.
func (d consoleIssuing) approving() access.Executor {
	return issuer.Approving(d.o.store, func(ctx context.Context, p *issuer.Proposal) error {
		_, _, err := d.gather(ctx, p)
		return err
	})
}

const issueWork = "batch-issue"

// Issue implements console.BatchesDesk.
func (d consoleIssuing) Issue(ctx context.Context, org string, by access.Actor, id string) (string, error) {
	p, err := d.Proposal(ctx, org, id)
	if err != nil {
		return "", err
	}
	if access.SameAccount(p.Second, by.ID) {
		return "", issuer.ErrNotApproved
	}
	if err := d.allowed(ctx, schemas.ByName(p.Type), p.Programme); err != nil {
		return "", err
	}
	args, err := json.Marshal(id)
	if err != nil {
		return "", err
	}
	job, err := d.work.Start(ctx, by, work.New{Kind: issueWork, Key: id, Args: args, Total: p.Can})
	if err == nil && (job.State == work.Stopped || job.State == work.Failed) {
		err = d.work.Resume(ctx, by, job.ID)
	}
	return job.ID, err
}

// issue is the work of it. What it did is known by the cards that are there.
func (d consoleIssuing) issue(ctx context.Context, t *work.Turn) (string, error) {
	var id string
	if err := json.Unmarshal(t.Args(), &id); err != nil {
		return "", err
	}
	p, err := d.o.store.Proposal(ctx, id)
	if err != nil {
		return "", err
	}
	if p.State == issuer.Done {
		return "/batches/of/" + id, nil // before a stop
	}
	run := issuer.Run{Registry: d.o.store, Proposals: d.o.store, Now: d.a.Now}
	if run.Gate, run.Units, err = d.moment(ctx, &p); err != nil {
		return "", err
	}
	if run.Desk, err = d.signing(t.Actor(), schemas.ByName(p.Type)); err != nil {
		return "", err
	}
	if run.ProgrammeKey, run.EpochKey, err = d.secrets(p.Programme); err != nil {
		return "", err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var told error
	err = run.Issue(ctx, id, func(done, total int) {
		if done%64 != 0 && done != total || told != nil {
			return
		}
		if told = t.Save(ctx, nil, done, total); told != nil {
			stop() // it was stopped
		}
	})
	if err == nil {
		err = d.issuedOf(context.WithoutCancel(ctx), t.Actor(), &p)
	}
	if errors.Is(err, issuer.ErrProposalChanged) {
		return "", &work.Fault{Word: console.WordChanged, Err: err}
	}
	return "/batches/of/" + id, errors.Join(err, told)
}

// issuedOf marks the lists whose people have a card of a batch now.
func (d consoleIssuing) issuedOf(ctx context.Context, by access.Actor, p *issuer.Proposal) error {
	all, err := d.imports.List(ctx)
	if err != nil {
		return err
	}
	cards, err := d.o.store.Cards(ctx, issuer.Selection{Approval: p.Digest, Programme: p.Programme})
	if err != nil {
		return err
	}
	holds := map[issuer.UnitID]bool{}
	for i := range cards {
		holds[cards[i].Unit] = true
	}
	for i := range all {
		if all[i].State != imports.Applied {
			continue
		}
		id, err := registry.ParseID(all[i].ID)
		if err != nil {
			return err
		}
		units, err := d.o.store.ImportUnits(ctx, id)
		if err != nil && !errors.Is(err, issuer.ErrNotFound) { // of one that changed nobody
			return err
		}
		if slices.ContainsFunc(units, func(u issuer.UnitID) bool { return holds[u] }) {
			if err := d.imports.Issued(ctx, by, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// signing is a desk that signs cards of a type in somebody's name.
func (s *serving) signing(by access.Actor, t *schemas.Type) (*issuer.Desk, error) {
	s.packs.mu.Lock()
	defer s.packs.mu.Unlock()
	desk, err := s.a.openIssuer(s.o, t)
	if err != nil {
		return nil, err
	}
	desk.Actor = by
	return desk, nil
}

// secrets are the keys that a batch of a programme needs besides.
func (s *serving) secrets(programme string) (programmeKey, epochKey []byte, err error) {
	s.packs.mu.Lock()
	defer s.packs.mu.Unlock()
	if programmeKey, err = s.o.programmeKey(programme); err == nil {
		epochKey, err = s.o.epochKey()
	}
	return programmeKey, epochKey, err
}
