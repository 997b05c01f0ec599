package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
)

// LongestAlternate is how long somebody may fetch for others before she is asked
// again (DOMAIN.md R17).
const LongestAlternate = 180 * 24 * time.Hour

// Roles of a collector.
const (
	Primary   = "primary"
	Alternate = "alternate"
)

var (
	// ErrSecondPerson: two staff must stand behind this act.
	ErrSecondPerson = errors.New("registry: a second person is needed")
	// ErrPrincipal: only the holder of the card may ask for this.
	ErrPrincipal = errors.New("registry: only who holds the card may ask for this")
)

// AddCollector lets somebody fetch what a household is due. An alternate's time is
// bounded: to LongestAlternate from today when c.To is empty, and no longer in any
// case. Asked for again, it is from now on as it was asked for last. A child, somebody
// whose age is not decided, anybody for a household of no adult, another holder of the
// card than the one there is, or one who is of another household, needs a second
// person (DOMAIN.md R16, R17, R25).
func (r *Registry) AddCollector(ctx context.Context, household ID, c Collector) error {
	if c.Role != Primary && c.Role != Alternate {
		return refuse(RefusedCollectorRole, "registry: a collector is %q or %q, not %q", Primary, Alternate, c.Role)
	}
	c.External = strings.Join(strings.Fields(c.External), " ")
	if (c.Person == "") == (c.External == "") {
		return refuse(RefusedCollectorWho, "registry: a collector is a person on record, or somebody named who is not")
	}
	if c.From == "" {
		c.From = r.today()
	}
	if err := checkDays(c.From, c.To); err != nil {
		return err
	}
	if c.To != "" && c.To < r.today() {
		return refuse(RefusedCollectorOver, "registry: a collector until %s: that day is over", c.To)
	}
	if c.Role == Alternate {
		last := r.Now().UTC().Add(LongestAlternate).Format(time.DateOnly)
		if c.From > last {
			return refuse(RefusedAlternateFrom, "registry: an alternate from %s: ask again then, %s is the last day for now", c.From, last)
		}
		if c.To > last {
			return refuse(RefusedAlternateLong, "registry: an alternate until %s: half a year is the longest, %s is the last day for now", c.To, last)
		}
		if c.To == "" {
			c.To = last
		}
	}
	serves := 0 // other households
	if id, err := ParseID(c.Person); err == nil && c.Role == Primary {
		others, err := r.CollectsFor(ctx, id)
		if err != nil {
			return err
		}
		serves = len(slices.DeleteFunc(others, func(h ID) bool { return h == household }))
	}
	return r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, h, err := readHousehold(tx, household)
		if err != nil {
			return err
		}
		if !h.Status.Living() {
			return fmt.Errorf("registry: household %s: %w", rec.Called(), ErrClosed)
		}
		members, err := readMembers(tx, household)
		if err != nil {
			return err
		}
		two := len(members) > 0 && slices.Contains(decisions(h, members, r), DecideNoAdult)
		two = two || c.Role == Primary && slices.ContainsFunc(h.Collectors, func(old Collector) bool {
			return old.Role == Primary && old.Serves(r.Now()) && (old.Person != c.Person || old.External != c.External)
		})
		if c.Person != "" {
			id, err := ParseID(c.Person)
			if err != nil {
				return err
			}
			who, p, err := readPerson(tx, id)
			if err != nil {
				return err
			}
			if !p.Status.Living() {
				return fmt.Errorf("registry: person %s: %w", who.Called(), ErrClosed)
			}
			if c.Role == Primary && who.Household != household && r.Actor.SecondPerson == "" {
				return fmt.Errorf("registry: household %s: person %s is of another household, and a collector of %d others already: %w",
					rec.Called(), who.Called(), serves, ErrSecondPerson)
			}
			adult := false
			if p.Birth != nil {
				adult, _ = p.Birth.Adult(r.Now())
			}
			two = two || !adult
		}
		if two && r.Actor.SecondPerson == "" {
			return fmt.Errorf("registry: household %s: a collector who is no adult, for a household without one, or to hold the card beside who holds it: %w", rec.Called(), ErrSecondPerson)
		}
		same := func(old Collector) bool {
			return old.Person == c.Person && old.External == c.External && old.Revoked == "" && (old.To == "" || old.To >= r.today())
		}
		if i := slices.IndexFunc(h.Collectors, same); i >= 0 {
			old := h.Collectors[i]
			if old.Role == Primary && c.Role == Alternate {
				return refuse(RefusedHolderAlternate, "registry: household %s: who holds the card needs to be nobody's alternate", rec.Called())
			}
			if old == c {
				return nil
			}
			h.Collectors = slices.DeleteFunc(slices.Clone(h.Collectors), same)
		}
		h.Collectors = append(slices.Clone(h.Collectors), c)
		if err := saveHousehold(tx, rec, h); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "collector.add", Object: household.String(), Detail: c.Role})
	})
}

// RevokeCollector ends an alternate's right at once. principal is who asks for it: a
// serving primary collector of the household, or any member where there is none.
// Neither the head nor the alternate has a say (DOMAIN.md R17).
//
// The alternate is named by the id of her record, or by the name she was entered with.
func (r *Registry) RevokeCollector(ctx context.Context, household ID, alternate string, principal ID) error {
	return r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		rec, h, err := readHousehold(tx, household)
		if err != nil {
			return err
		}
		primary, asks := false, false
		for _, c := range h.Collectors {
			if c.Role == Primary && c.Serves(r.Now()) {
				primary = true
				asks = asks || c.Person == principal.String()
			}
		}
		if !primary {
			members, err := readMembers(tx, household)
			if err != nil {
				return err
			}
			asks = principal.String() != alternate && slices.ContainsFunc(members, func(m Member) bool { return m.ID == principal })
		}
		if !asks {
			return fmt.Errorf("registry: household %s: %w", rec.Called(), ErrPrincipal)
		}
		found := false
		for i, c := range h.Collectors {
			if c.Role == Alternate && c.Revoked == "" && (c.Person == alternate || c.Person == "" && c.External == alternate) && alternate != "" {
				h.Collectors[i].Revoked = r.today()
				found = true
			}
		}
		if !found {
			return fmt.Errorf("registry: household %s has no such alternate: %w", rec.Called(), ErrNotFound)
		}
		if err := saveHousehold(tx, rec, h); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "collector.revoke", Object: household.String()})
	})
}

// ManyHouseholds is how many an alternate may serve before she is reported.
const ManyHouseholds = 3

// A BusyCollector serves more households than one family's worth.
type BusyCollector struct {
	Person     string // id of her record; empty for one who is not on record
	External   string // her name then
	Households []ID
}

// BusyAlternates reports alternates who serve more than ManyHouseholds households
// (DOMAIN.md R17), most first.
func (r *Registry) BusyAlternates(ctx context.Context) ([]BusyCollector, error) {
	by := map[string]*BusyCollector{}
	err := r.eachHousehold(ctx, func(id ID, h Household) {
		for _, c := range h.Collectors {
			if c.Role != Alternate || !c.Serves(r.Now()) {
				continue
			}
			key := c.Person
			if key == "" {
				key = "name " + Skeleton(c.External)
			}
			b := by[key]
			if b == nil {
				b = &BusyCollector{Person: c.Person, External: c.External}
				by[key] = b
			}
			if !slices.Contains(b.Households, id) {
				b.Households = append(b.Households, id)
			}
		}
	})
	var list []BusyCollector
	for _, b := range by {
		if len(b.Households) > ManyHouseholds {
			list = append(list, *b)
		}
	}
	slices.SortFunc(list, func(a, b BusyCollector) int {
		return cmp.Or(len(b.Households)-len(a.Households), cmp.Compare(a.Person, b.Person), cmp.Compare(a.External, b.External))
	})
	return list, err
}
