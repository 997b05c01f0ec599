package storage

import (
	"context"

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
			if a.Ledger.Issuer != o.id || a.Ledger.Programme != programme || a.Ledger.Round != round || !a.Collected && !a.Part {
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
		err := (records{t}).Entitlements(programme, round, func(e registry.Entitlement) error {
			a := accounts[e.Unit.String()]
			delete(accounts, e.Unit.String())
			r.add(e.Status, a)
			return nil
		})
		r.Unplanned = len(accounts)
		return err
	})
	return r, err
}

// add counts one entitlement and its account, nil for none.
func (r *Reconciliation) add(status registry.EntitlementStatus, a *visit.Account) {
	r.Planned++
	off := false
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
