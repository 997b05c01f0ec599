package issuer

import (
	"slices"
	"time"

	"aidpass/issuer/registry"
	"aidpass/schemas"
)

// ClaimsOf returns the claims of a type that follow from a record, by name: those
// of the plain part, those the type's gate asks for, and of the sealed part those
// that seal names. who is the person, or of a household the one who collects for it
// (the zero value: not known); house her household, or the one the card is for.
//
// What is not known is left out. An age band is left out where the answer differs
// across the days on which she may have been born: it is never guessed. What the
// record says and the type cannot hold is a *schemas.ValueError.
func ClaimsOf(t *schemas.Type, who registry.Person, house registry.Household, at time.Time, seal []string) (map[string]any, error) {
	values := map[string]any{}
	for i := range t.Claims {
		c := &t.Claims[i]
		if c.Placement == schemas.Never || c.Placement == schemas.Sealed && !slices.Contains(seal, c.Name) && !slices.Contains(t.Gate, c.Name) {
			continue
		}
		said := said(t, c.Name, &who, &house, at)
		if said == nil {
			continue
		}
		v, err := c.Parse(said)
		if err != nil {
			return nil, err
		}
		if v != nil {
			values[c.Name] = v
		}
	}
	return values, nil
}

// said is what the record says to a claim; nil for nothing.
func said(t *schemas.Type, claim string, who *registry.Person, house *registry.Household, at time.Time) any {
	switch claim {
	case t.SizeBandClaim:
		if house.Size > 0 {
			return int64(house.Size)
		}
	case "name":
		return nonEmpty(who.DisplayName())
	case "name_latin":
		if latin := who.Name("Latn").Text; latin != who.DisplayName() {
			return nonEmpty(latin)
		}
	case "sex":
		return nonEmpty(who.Sex)
	case "assurance":
		return nonEmpty(who.Assurance)
	case "languages":
		if len(who.Languages) > 0 {
			return who.Languages
		}
	case "birth_year":
		if who.Birth != nil {
			if year, ok := who.Birth.Year(); ok {
				return int64(year)
			}
		}
	case "age_over_18":
		return ageBand(who.Birth, registry.AdultAge, true, at)
	case "age_over_60":
		return ageBand(who.Birth, 60, true, at)
	case "age_under_5":
		return ageBand(who.Birth, 5, false, at)
	case "collector_rule":
		return collectorRule(house.Collectors, at)
	}
	return nil
}

func nonEmpty(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// ageBand is whether she is (over) or is not (under) of that age; nil where that
// is not decided.
func ageBand(b *registry.Birth, age int, over bool, at time.Time) any {
	if b == nil {
		return nil
	}
	yes, decided := b.AtLeast(age, at)
	if !decided {
		return nil
	}
	return yes == over
}

// collectorRule says whether an alternate may collect on a day; nil where nobody
// was recorded to collect.
func collectorRule(collectors []registry.Collector, at time.Time) any {
	today := at.UTC().Format(time.DateOnly)
	known := false
	for _, c := range collectors {
		if !current(c, today) {
			continue
		}
		known = true
		if c.Role == "alternate" {
			return "holder_or_alternate"
		}
	}
	if known {
		return "holder_only"
	}
	return nil
}

// current reports whether a collector may collect on a day, as 2026-11-21.
func current(c registry.Collector, today string) bool {
	return c.Revoked == "" && (c.From == "" || c.From <= today) && (c.To == "" || today <= c.To)
}

// benefit is the claim of what an entitlement grants; nil for nothing a card can
// name. Of several services the visits are added.
func benefit(e *registry.Entitlement) map[string]any {
	b := map[string]any{}
	if e.Amount != "" {
		b["amount"], b["currency"] = e.Amount, e.Currency
	}
	var items []any
	for _, i := range e.Items {
		unit := i.Unit
		if unit == "" {
			unit = "pc"
		}
		items = append(items, map[string]any{"code": i.Code, "qty": i.Qty, "unit": unit})
	}
	if items != nil {
		b["items"] = items
	}
	visits := 0
	for _, s := range e.Services {
		visits += s.Visits
	}
	if visits > 0 {
		b["visits"] = int64(visits)
	}
	if len(b) == 0 {
		return nil
	}
	return b
}
