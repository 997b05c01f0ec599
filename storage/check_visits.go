package storage

import (
	"errors"
	"fmt"

	"aidpass/verifier/visit"
)

// visits opens every record and proves its signature again.
func (c *checker) visits() error {
	find, err := c.JournalKeys(c.ctx)
	if err != nil {
		return err
	}
	rows, err := c.db.read.QueryContext(c.ctx, `SELECT kid, seq, hash, sealed FROM visit WHERE org_id = $1 ORDER BY kid, seq, hash`, c.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var kid string
		var sequence int64
		var hash, sealed []byte
		if err := rows.Scan(&kid, &sequence, &hash, &sealed); err != nil {
			return err
		}
		c.counts[CheckVisit]++
		r, err := c.openVisit(kid, sequence, hash, sealed)
		if err == nil {
			_, err = visit.ParseRecord(r.Raw, find)
		}
		if err == nil {
			continue
		}
		why := "it does not open in its place"
		var refused *visit.Refusal
		if errors.As(err, &refused) {
			why = "it does not prove itself: " + string(refused.Why)
		}
		c.find(CheckVisit, fmt.Sprintf("%s/%d", kid, sequence), "%s", why)
	}
	return rows.Err()
}
