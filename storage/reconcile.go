package storage

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// A Reconciliation holds what was planned for a round of ours against what the
// journals tell.
type Reconciliation struct {
	Programme string `json:"programme"`
	Round     uint64 `json:"round"`

	Planned     int `json:"planned"` // entitlements; the sum of the next four
	Collected   int `json:"collected"`
	Partial     int `json:"partial"`
	Uncollected int `json:"uncollected"`
	Cancelled   int `json:"cancelled"` // or on hold, returned, lapsed: and nothing was given

	Unplanned int `json:"unplanned"` // given to units of ours that were due nothing
	Despite   int `json:"despite"`   // given although it was cancelled; in Collected or Partial too
	Unsettled int `json:"unsettled"` // entitlements that say another thing than the journals, but for Despite

	// Sums by unit, as "120 KES + 40 kg"; empty: nothing that is an amount. Due leaves out
	// what was cancelled. A collection that names no amount gave what was due.
	Due   string `json:"due"`
	Given string `json:"given"`

	// Records that do not count: in conflict or too much, on an unknown card or unit,
	// and taken back.
	Conflicts   int `json:"conflicts"`
	Quarantined int `json:"quarantined"`
	TakenBack   int `json:"taken_back"`
}

// Balanced reports whether the sums hold and the entitlements say what the journals do.
func (r Reconciliation) Balanced() bool {
	return r.Planned == r.Collected+r.Partial+r.Uncollected+r.Cancelled && r.Unsettled == 0
}

// Reconcile holds the entitlements of one round against m, which is MergeVisits'.
// Entitlements of erased units cannot be read and are not counted.
func (o *Org) Reconcile(ctx context.Context, m *visit.Merged, programme string, round uint64) (r Reconciliation, err error) {
	r = Reconciliation{Programme: programme, Round: round}
	err = o.view(ctx, "reconcile", func(t *tx) error {
		accounts := map[string]*visit.Account{} // by unit
		for i := range m.Accounts {
			a := &m.Accounts[i]
			if a.Ledger.Issuer != o.id || a.Ledger.Programme != programme || a.Ledger.Round != round {
				continue
			}
			r.Conflicts += len(a.Conflicts)
			r.Quarantined += len(a.Quarantined)
			r.TakenBack += len(a.Cancelled)
			if !a.Collected && !a.Part {
				continue
			}
			unit, ok, err := t.unitOf(a.Ledger)
			if err != nil {
				return err
			}
			if ok {
				accounts[unit] = a
			}
		}
		var due, given []visit.Amount
		err := (records{t}).Entitlements(programme, round, func(e registry.Entitlement) error {
			a := accounts[e.Unit.String()]
			delete(accounts, e.Unit.String())
			if !r.add(e.Status, a) {
				due = sum(due, duesOf(e))
			}
			switch {
			case a == nil:
			case a.Collected && unsaid(m, a):
				given = sum(given, duesOf(e))
			default:
				given = sum(given, a.Sum)
			}
			return nil
		})
		for _, a := range accounts {
			given = sum(given, a.Sum)
		}
		r.Unplanned, r.Due, r.Given = len(accounts), amounts(due), amounts(given)
		return err
	})
	return r, err
}

// unsaid reports whether a counted collection of an account names no amount: it gave
// all that was due.
func unsaid(m *visit.Merged, a *visit.Account) bool {
	return slices.ContainsFunc(a.Counted, func(i int) bool {
		e := &m.Entries[i]
		_, ok, _ := visit.ParseAmount(e.Given)
		return e.Kind == visit.Collection && !ok
	})
}

func sum(list, more []visit.Amount) []visit.Amount {
	for _, a := range more {
		list = visit.AddAmount(list, a)
	}
	return list
}

func amounts(list []visit.Amount) string {
	var texts []string
	for _, a := range list {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, " + ")
}

// duesOf are the amounts of an entitlement: money, and each kind of thing. What no
// record can hold is left out.
func duesOf(e registry.Entitlement) (list []visit.Amount) {
	add := func(text string) {
		if a, ok, err := visit.ParseAmount(text); ok && err == nil {
			list = visit.AddAmount(list, a)
		}
	}
	if e.Amount != "" {
		add(e.Amount + " " + e.Currency)
	}
	for _, item := range e.Items {
		add(item.Qty + " " + cmp.Or(item.Unit, item.Code))
	}
	return list
}

// add counts one entitlement and its account, nil for none. It reports whether it was
// cancelled.
func (r *Reconciliation) add(status registry.EntitlementStatus, a *visit.Account) (off bool) {
	r.Planned++
	says := registry.Granted // what the journals say; also planned
	switch status {
	case registry.Collected, registry.Partial:
		says = status
	case registry.Planned, registry.Granted:
	default:
		off = true
	}
	switch {
	case a != nil && a.Collected:
		r.Collected++
		r.differs(off, says != registry.Collected)
	case a != nil:
		r.Partial++
		r.differs(off, says != registry.Partial)
	case off:
		r.Cancelled++
	default:
		r.Uncollected++
		r.differs(false, says != registry.Granted)
	}
	return off
}

func (r *Reconciliation) differs(despite, otherwise bool) {
	switch {
	case despite:
		r.Despite++
	case otherwise:
		r.Unsettled++
	}
}

// VisitRounds returns the rounds of ours that anything was handed out in, once each,
// in order.
func VisitRounds(m *visit.Merged, issuer string) (rounds []verifier.LedgerKey) {
	for i := range m.Accounts {
		k := m.Accounts[i].Ledger
		k.Pseudonym = ""
		if n := len(rounds); k.Issuer == issuer && (n == 0 || rounds[n-1] != k) {
			rounds = append(rounds, k)
		}
	}
	return rounds
}
