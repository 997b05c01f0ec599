package issuer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// QualityGate is the Gate that judges records as they are at the moment it is asked.
func QualityGate(store registry.Store, gate quality.Gate, now func() time.Time) Gate {
	return func(ctx context.Context, unit UnitID) (d Decision, err error) {
		err = store.View(ctx, func(v registry.View) error {
			u, err := quality.One(v).Unit(unit)
			if err == nil {
				d = DecisionOf(gate.Judge(u, now()))
			}
			return err
		})
		return d, err
	}
}

// DecisionOf is a registry's decision as Issue wants it: the reasons that led to it,
// each once, with how many members it is true of and what would mend it.
func DecisionOf(q quality.Decision) (d Decision) {
	switch q.Outcome {
	case quality.Issue:
		return d
	case quality.Provisional:
		d.Ruling = GateProvisional
	default:
		d.Ruling = GateRefuse
	}
	d.Final = q.Final()
	times := map[string]int{}
	for _, r := range q.Reasons {
		if r.Weight == q.Outcome {
			times[r.String()]++
		}
	}
	for _, r := range q.Reasons {
		text := r.String()
		switch n := times[text]; {
		case n > 1:
			text = fmt.Sprintf("%s (%d members): %s", r.Text, n, r.Fix)
			fallthrough
		case n == 1:
			d.Reasons, d.Lacks = append(d.Reasons, text), append(d.Lacks, Lack{r.Code, r.Field, r.Issue, r.Months})
		}
		delete(times, r.String())
	}
	return d
}

// DueGate is QualityGate for a card that is given at the desk: besides, the unit
// must be of the kind its programme counts, and have an entitlement in one of the
// rounds that is neither on hold nor cancelled. A second person may let one pass
// that has none; not one of the wrong kind, and none that was held back. A
// programme that has no plan asks for neither.
func DueGate(store registry.Store, gate quality.Gate, programme string, rounds Rounds, now func() time.Time) Gate {
	judge := QualityGate(store, gate, now)
	return func(ctx context.Context, unit UnitID) (Decision, error) {
		d, err := judge(ctx, unit)
		if err != nil {
			return d, err
		}
		err = store.View(ctx, func(v registry.View) error {
			p, err := v.Programme(programme)
			if errors.Is(err, registry.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			rec, err := v.Record(unit)
			if err != nil {
				return err
			}
			why, final := "", true
			if p.Counts != "" && rec.Kind != p.Counts {
				why = fmt.Sprintf("this is a %s, and the programme counts by %s", rec.Kind, p.Counts)
			} else if why, final, err = due(v, unit, &p, rounds); err != nil {
				return err
			}
			if why != "" {
				d.Ruling, d.Final, d.Reasons = GateRefuse, d.Final || final, append(d.Reasons, why)
			}
			return nil
		})
		return d, err
	}
}

// due says why nothing is due to a unit in these rounds, "" when something is.
func due(v registry.View, unit UnitID, p *registry.Programme, rounds Rounds) (why string, final bool, err error) {
	found := false
	for _, r := range p.Rounds {
		if rounds != (Rounds{}) && (r.N < rounds.First || r.N > rounds.Last) {
			continue
		}
		e, err := v.Entitlement(unit, p.Code, r.N)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return "", false, err
		}
		if _, held := heldBack(e.Status); held == "" {
			return "", false, nil
		} else if !found {
			found, why = true, held
		}
	}
	if found {
		return why, true, nil
	}
	return "nothing is planned for this unit in programme " + p.Code + ": plan an entitlement", false, nil
}
