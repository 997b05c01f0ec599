package storage

import (
	"fmt"

	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/status"
)

// StopCards implements registry.Tx. A mere reservation is none yet: the gate keeps
// it from being signed.
func (r records) StopCards(units []registry.ID, reason string) (stopped int, err error) {
	for _, unit := range units {
		cards, err := r.t.credentials(`c.unit_id = $2 ORDER BY c.reserved_at, c.id`, unit.String())
		if err != nil {
			return stopped, fmt.Errorf("storage: cards of %s: %w", unit, err)
		}
		for _, c := range cards {
			if c.State == issuer.Reserved || c.State == issuer.Released || c.Status == status.Invalid {
				continue
			}
			if err := r.t.setStatus(c, status.Invalid, reason); err != nil {
				return stopped, fmt.Errorf("storage: stop card %s: %w", c.ID, err)
			}
			if err := r.t.told.add(r.t, c, status.Invalid); err != nil {
				return stopped, fmt.Errorf("storage: stop card %s: %w", c.ID, err)
			}
			stopped++
		}
	}
	return stopped, nil
}
