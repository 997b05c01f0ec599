package issuer

import (
	"bytes"
	"context"
	"slices"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
)

// Fixes are what is to be mended of whom a proposal is for, as the records are now: a line
// for each reason, also where a card is given all the same, and what they get meanwhile.
// gate, units and now are as for Gather; the proposal itself stays as it is. Asked again,
// it judges again.
func (p Proposal) Fixes(ctx context.Context, store registry.Store, gate quality.Gate, units []UnitID, now func() time.Time) (list []quality.Fix, err error) {
	var all []quality.Decision
	_, _, err = p.gather(ctx, store, gate, units, now, func(c *Candidate, s *Settled) {
		d := c.Decision
		if s.LeftOut != "" {
			return // on hold, collected, closed: nothing of the record is wrong
		}
		d.Unit = c.Unit
		if c.Skipped == SkippedClaims {
			d.Outcome, d.Until = quality.Refuse, time.Time{}
			d.Reasons = append([]quality.Reason{{Code: SkippedClaims, Record: c.Unit, Weight: quality.Refuse, Text: c.Why, Fix: "look at the record"}}, d.Reasons...)
		} else if over, ok := p.Override(c.Unit); ok && s.Refusal == nil && d.Outcome != quality.Issue {
			d.Overridden = &quality.Override{By: over.By, Reason: over.Reason, Was: d.Outcome}
			d.Outcome, d.Until = quality.Issue, time.Time{}
		}
		if d.Outcome == quality.Provisional {
			d.Until = p.Until.Std()
		}
		if len(d.Reasons) > 0 {
			all = append(all, d)
		}
	})
	if err != nil {
		return nil, err
	}
	err = store.View(ctx, func(v registry.View) error {
		for _, d := range all {
			fixes, err := quality.Fixes(v, d)
			if err != nil {
				return err
			}
			list = append(list, fixes...)
		}
		return nil
	})
	quality.SortFixes(list)
	return list, err
}

// FixBook writes rows under quality.FixHeader as XLSX, in which no cell can be taken for a formula.
func FixBook(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	book := intake.NewWorkbook(&b)
	if err := book.Sheet("fixes"); err != nil {
		return nil, err
	}
	for _, row := range slices.Concat([][]string{quality.FixHeader}, rows) {
		if err := book.Row(row...); err != nil {
			return nil, err
		}
	}
	err := book.Close()
	return b.Bytes(), err
}
