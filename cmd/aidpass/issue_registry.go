package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
	"aidpass/schemas"
	"aidpass/web/console"
)

// recordFlags say for whom on record an issue without a roster is.
type recordFlags struct {
	importID, unitIDs, policy, reason, note string
	all, withExternal, photo                bool
	override                                []string

	unitSaid bool           // --unit was given
	planned  bool           // the unit is what the programme's plan counts
	fixed    map[string]any // claims for every card
}

func (f *recordFlags) flags(fl *pflag.FlagSet) {
	fl.StringVar(&f.importID, "import", "", "cards for those that this import made or changed: its id, or last")
	fl.BoolVar(&f.all, "all", false, "cards for everybody in use, with or without an entitlement")
	fl.StringVar(&f.unitIDs, "unit-ids", "", "cards for those a file lists: a line each, the id, or the number in the list (with --roster NAME)")
	fl.StringSliceVar(&f.override, "gate-override", nil, "ids or numbers of those the gate refuses and a second person lets pass")
	fl.StringVar(&f.reason, "reason", "", "why, with --gate-override: "+strings.Join(issuer.OverrideReasons, ", "))
	fl.StringVar(&f.note, "note", "", "what else is said of it, with --gate-override: names nobody")
	fl.StringVar(&f.policy, "policy", "", "what the gate wants known (default: required.json in the data folder, else built in)")
	fl.BoolVar(&f.withExternal, "with-external", false, "write the numbers of the list into cards.jsonl, for sorting the cards")
	fl.BoolVar(&f.photo, "bind-photo", false, "bind cards to the photo on record")
}

// overrideHint names the codes of overrides, which the log has and DQ-31 counts.
var overrideHint = "--reason is one of " + strings.Join(issuer.OverrideReasons, ", ") + "; --note says the rest"

// check looks at the flags before anything is opened.
func (f *recordFlags) check(roster bool, second string) error {
	chosen := 0
	for _, is := range []bool{f.importID != "", f.all, f.unitIDs != ""} {
		if is {
			chosen++
		}
	}
	switch {
	case roster && (chosen > 0 || len(f.override) > 0 || f.photo):
		return usagef("--import, --all, --unit-ids, --gate-override and --bind-photo are for those on record").
			hint("leave the roster out: aidpass registry import takes its people in")
	case chosen > 1:
		return usagef("--import, --all and --unit-ids are three ways to say for whom").hint("give one of them")
	case len(f.override) > 0 && f.reason == "":
		return usagef("--gate-override needs a --reason").hint("%s", overrideHint)
	case len(f.override) > 0 && !slices.Contains(issuer.OverrideReasons, f.reason):
		return usagef("--reason is not one for which somebody passes the gate").hint("%s", overrideHint)
	case len(f.note) > issuer.MaxOverrideNote:
		return usagef("--note has %d bytes, over %d", len(f.note), issuer.MaxOverrideNote).hint("it names nobody and tells in short what else should be known")
	case len(f.override) > 0 && second == "":
		return usagef("--gate-override needs a second person").hint("--second-person ACCOUNT")
	case len(f.override) == 0 && f.reason+f.note != "":
		return usagef("--reason and --note are those of --gate-override").hint("name whom the gate shall let pass: --gate-override IDS")
	}
	return nil
}

// claims reads those that are given to every card.
func (f *recordFlags) claims(i *issueFlags, t *schemas.Type) (err error) {
	if f.fixed, err = i.fixedClaims(t); err != nil {
		return err
	}
	if i.round == 0 && slices.Contains(t.OneOf, t.RoundClaim) && f.fixed[t.RoundClaim] == nil && f.fixed[t.RoundsClaim] == nil {
		return usagef("a %s is for a round", t.Name).hint("--round 1, or --claim %s=1-6 for several", t.RoundsClaim)
	}
	for _, name := range []string{t.ProgrammeClaim, t.RoundClaim} {
		if v := f.fixed[name]; v == i.programme || v == int64(i.round) {
			delete(f.fixed, name) // left to the batch: the card is the same card
		}
	}
	return nil
}

// candidates turns those on record into requests.
func (r *issueRun) candidates(ctx context.Context, desk *issuer.Desk, b *issuer.Batch) error {
	store := r.o.store
	r.external, r.units, r.leftOut = map[int]string{}, map[int]string{}, map[string]int{}
	if !r.f.dryRun { // what an interrupted run left
		n, err := desk.Reconcile(ctx, store, b.Type.VCT, b.Programme, b.Round)
		if err != nil {
			return err
		}
		r.granted = n
	}
	policy, err := r.qualityPolicy(r.f.record.policy)
	if err != nil {
		return err
	}
	gate := policy.Gate(b.Programme)
	ask := issuer.Ask{Type: b.Type, Programme: b.Programme, Round: b.Round, Kind: registry.Kind(r.f.unit), All: r.f.record.all,
		Seal: r.f.seal, Photo: r.f.record.photo, At: r.Now().UTC()}
	if ask.Until, err = r.provisionalUntil(gate); err != nil {
		return err
	}
	if err := r.choose(ctx, &ask); err != nil {
		return err
	}
	r.kind = ask.Kind
	override, err := r.overrides(ctx, ask.Kind)
	if err != nil {
		return err
	}
	decisions := map[issuer.UnitID]issuer.Decision{}
	bar := r.progress("asking the gate")
	err = issuer.Candidates(ctx, store, gate, ask, func(c *issuer.Candidate) error {
		r.list.rows++
		row := r.list.rows
		bar.step(row, row)
		r.units[row], r.list.raw[row] = c.Unit.String(), []string{c.Unit.String()}
		r.external[row] = listNumber(c.External)
		switch {
		case c.Skipped == issuer.SkippedClaims || c.Skipped != "" && ask.Units != nil && r.f.record.importID == "":
			r.list.refuse(row, c.Skipped, c.Why)
			return nil
		case c.Skipped != "":
			r.list.rows--
			r.leftOut[c.Skipped]++
			return nil
		}
		reason := ""
		if override[c.Unit] {
			delete(override, c.Unit)
			reason = r.f.record.reason
		}
		settled := c.Settle(reason)
		if settled.Refusal != nil {
			r.list.refuse(row, settled.Refusal.Code, settled.Refusal.Text)
			r.list.refused[len(r.list.refused)-1].reasons = settled.Decision.Reasons
			r.unfit = append(r.unfit, issuer.Unfit{Unit: c.Unit, Code: settled.Refusal.Code, Lacks: settled.Decision.Lacks})
			return nil
		}
		q := settled.Request
		q.Row = row
		if reason != "" {
			q.OverrideNote = r.f.record.note
		}
		maps.Copy(q.Claims, r.f.record.fixed)
		if r.pins != nil {
			if q.PIN, err = r.pins.draw(ctx, desk, row, c.Unit, issuer.CTI{}); err != nil {
				return err
			}
		}
		if r.f.pins != "" && r.f.dryRun {
			q.PIN = "000000" // the digest says that there is one, not which
		}
		decisions[c.Unit] = settled.Decision
		b.Requests = append(b.Requests, q)
		return nil
	})
	bar.end()
	if err != nil {
		return err
	}
	for u := range override {
		return usagef("--gate-override: %s is not among those the run is for", u).hint("aidpass registry gate --fix-list FILE lists those the gate refuses")
	}
	if r.list.rows == 0 {
		return r.nobodyChosen(b)
	}
	b.Gate = issuer.StillDue(store, b.Programme, b.Round, func(_ context.Context, u issuer.UnitID) (issuer.Decision, error) { return decisions[u], nil })
	return nil
}

// choose says for whom the run is: kind, and the units that were named.
func (r *issueRun) choose(ctx context.Context, ask *issuer.Ask) error {
	f := &r.f.record
	counts, err := r.o.counts(ctx, ask.Programme)
	switch {
	case err != nil:
		return err
	case counts != "" && f.unitSaid && counts != ask.Kind:
		return usagef("programme %s counts by %s", ask.Programme, counts).hint("leave --unit out")
	case counts != "":
		ask.Kind = counts
	}
	switch {
	case f.importID != "":
		units, err := r.o.importUnits(ctx, f.importID)
		if err != nil {
			return err
		}
		ask.Units, err = r.ofKind(ctx, units, ask.Kind)
		return err
	case f.unitIDs != "":
		b, err := readFile(f.unitIDs, 64<<20)
		if err != nil {
			return err
		}
		var names []string
		for line := range strings.Lines(strings.TrimPrefix(string(b), "\ufeff")) {
			if name := strings.TrimSpace(line); name != "" && !strings.HasPrefix(name, "#") {
				names = append(names, name)
			}
		}
		ask.Units, err = r.unitsCalled(ctx, names, ask.Kind)
		return err
	}
	return nil
}

// ofKind leaves out units of the other kind: an import has both.
func (r *issueRun) ofKind(ctx context.Context, units []issuer.UnitID, kind registry.Kind) ([]issuer.UnitID, error) {
	kept := []issuer.UnitID{} // not nil: these and no others
	err := r.o.store.View(ctx, func(v registry.View) error {
		for _, u := range units {
			rec, err := v.Record(u)
			if err != nil {
				return err
			}
			if rec.Kind == kind {
				kept = append(kept, u)
			}
		}
		return nil
	})
	return kept, err
}

// unitsCalled finds units by id, or by number in the list --roster.
func (r *issueRun) unitsCalled(ctx context.Context, names []string, kind registry.Kind) ([]issuer.UnitID, error) {
	units := []issuer.UnitID{}
	err := r.o.store.View(ctx, func(v registry.View) error {
		for i, name := range names {
			id, ok, err := v.Find(kind, r.f.roster, name)
			if err != nil {
				return err
			}
			if !ok {
				if id, err = registry.ParseID(name); err != nil {
					return usagef("no %s of this number, nor an id (entry %d of %d)", kind, i+1, len(names)).coded(console.CannotUnit).
						hint("--roster NAME says in which list the numbers are; aidpass registry show tells the ids")
				}
			}
			units = append(units, id)
		}
		return nil
	})
	return units, err
}

// overrides are the units of --gate-override.
func (r *issueRun) overrides(ctx context.Context, kind registry.Kind) (map[issuer.UnitID]bool, error) {
	units, err := r.unitsCalled(ctx, r.f.record.override, kind)
	set := map[issuer.UnitID]bool{}
	for _, u := range units {
		set[u] = true
	}
	return set, err
}

// provisionalMark stands in an approval before the end of provisional cards, which
// is reckoned from the day of --dry-run.
const provisionalMark = "~"

// provisionalUntil is when the run's provisional cards end: as approved, else as
// the gate reckons from now.
func (r *issueRun) provisionalUntil(gate quality.Gate) (credential.Time, error) {
	// To the day: what two people look at one after the other has one digest.
	latest := r.now() + credential.Time(gate.Provisional/time.Second)
	latest -= latest % day
	_, ends, dated := strings.Cut(r.f.approval, provisionalMark)
	if !dated {
		return latest, nil
	}
	until, err := credential.ParseTime(ends)
	if err != nil || until > latest || until <= r.now() {
		return 0, usagef("--approval: provisional cards that end %q are not what can be approved now", ends).
			hint("look at --dry-run together again, and approve what it tells")
	}
	return until, nil
}

// provisionalEnd is what --dry-run adds to the digest for approve.
func (r *issueRun) provisionalEnd(b *issuer.Batch) string {
	for i := range b.Requests {
		if e := b.Requests[i].ExpiresAt; e != 0 {
			return provisionalMark + e.String()
		}
	}
	return ""
}

func provisionals(b *issuer.Batch) (n int) {
	for i := range b.Requests {
		if b.Requests[i].ExpiresAt != 0 {
			n++
		}
	}
	return n
}
