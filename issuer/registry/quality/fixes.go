package quality

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"aidpass/issuer/registry"
)

// A Fix is one thing to mend, with where to find it and what its unit gets meanwhile. It
// names nobody.
type Fix struct {
	Reason
	Unit    registry.ID
	Outcome Outcome   // of the unit meanwhile: a card, one of some days, none
	Until   time.Time // of Provisional
	Passed  bool      // somebody let the unit pass the gate, by a reason
	Kind    registry.Kind
	List    string // in which Record has its Number
	Number  string
	Place   string // where they stay: the site, else the p-code, else empty
	Clerk   string // account that entered the record; empty: all of it was changed since
}

// Fixes are the reasons of a decision as things to mend, the heaviest first.
func Fixes(v registry.View, d Decision) ([]Fix, error) {
	list := make([]Fix, 0, len(d.Reasons))
	for _, r := range d.Reasons {
		f := Fix{Reason: r, Unit: d.Unit, Outcome: d.Outcome, Until: d.Until, Passed: d.Overridden != nil}
		rec, err := v.Record(r.Record)
		if err != nil {
			return nil, fmt.Errorf("quality: %w", err)
		}
		f.Kind, f.List, f.Number, f.Clerk = rec.Kind, rec.Source, rec.External, rec.EnteredBy()
		if f.Place, err = placeOf(v, rec); err != nil {
			return nil, fmt.Errorf("quality: %w", err)
		}
		list = append(list, f)
	}
	return list, nil
}

// placeOf is where somebody stays, by her own record or her household's.
func placeOf(v registry.View, rec registry.Record) (string, error) {
	said := func(l *registry.Location) string {
		if l == nil {
			return ""
		}
		return cmp.Or(l.Site, l.PCode)
	}
	if rec.Kind == registry.KindPerson {
		p, err := rec.Person()
		if err != nil || said(p.Location) != "" || rec.Household.IsZero() {
			return said(p.Location), err
		}
		if rec, err = v.Record(rec.Household); errors.Is(err, registry.ErrErased) {
			return "", nil
		} else if err != nil {
			return "", err
		}
	}
	h, err := rec.HouseholdRecord()
	return said(h.Location), err
}

// SortFixes puts what keeps most people from a card first; then what belongs together.
func SortFixes(list []Fix) {
	rank := map[Outcome]int{Refuse: 0, Provisional: 1, Issue: 2}
	slices.SortStableFunc(list, func(a, b Fix) int {
		return cmp.Or(cmp.Compare(rank[a.Weight], rank[b.Weight]), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Place, b.Place), slices.Compare(a.Unit[:], b.Unit[:]))
	})
}

// FixHeader is the first row of a list of what is to be mended.
var FixHeader = []string{"outcome", "until", "unit", "list", "number", "record", "leads_to", "code", "field", "months", "other", "place", "clerk", "what", "fix"}

// Row is a Fix as a row under FixHeader; what and fix say it in the reader's words.
func (f *Fix) Row(what, fix string) []string {
	until, months, other := "", "", ""
	if !f.Until.IsZero() {
		until = f.Until.UTC().Format(time.DateOnly)
	}
	if f.Months > 0 {
		months = strconv.Itoa(f.Months)
	}
	if !f.Other.IsZero() {
		other = f.Other.String()
	}
	return []string{string(f.Outcome), until, f.Unit.String(), f.List, f.Number, f.Record.String(), string(f.Weight), f.Code, f.Field, months, other, f.Place, f.Clerk, what, fix}
}
