package records

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
	"aidpass/status"
)

// MostPairs is how many pairs a list of them shows at once.
const MostPairs = 200

// A Queue is pairs of records that may be one person, in the order in which people decide
// them: told ones first, then by what speaks for one person, then the oldest; those of one
// group stand together.
type Queue struct {
	Of     []registry.Pair // of the states that were asked for
	Open   []registry.Pair // that wait for a decision: to be looked at, and told
	Counts map[string]int  // by state
	Mine   []registry.Pair // what the account decided or put off today (UTC), the newest first
}

// A QueueRow is a pair with who the two are.
type QueueRow struct {
	registry.Pair
	State        string
	Newer, Older Line
}

// Queue lists the pairs of states (registry.StateReview and the others); of what was decided
// the newest stand first. Nobody's record is read, and no seal opened.
func (d *Desk) Queue(ctx context.Context, by access.Actor, states ...string) (q Queue, err error) {
	now := d.Now()
	err = d.Store.View(ctx, func(v registry.View) error {
		c, err := v.CountDoubles(now)
		if err != nil {
			return err
		}
		q.Counts = c.Of
		open, err := v.Doubles(false) // without those of which one was erased: nobody can decide them
		if err != nil {
			return err
		}
		pairs := registry.Pairs(open)
		slices.SortStableFunc(pairs, func(a, b registry.Pair) int { return cmpBool(b.Told, a.Told) })
		for _, p := range doubles.Together(pairs) {
			state := p.State(now)
			if state != registry.StatePostponed {
				q.Open = append(q.Open, p)
			}
			if slices.Contains(states, state) {
				q.Of = append(q.Of, p)
			}
		}
		if slices.Contains(states, registry.StateDecided) {
			all, err := v.Doubles(true)
			if err != nil {
				return err
			}
			decided := slices.DeleteFunc(registry.Pairs(all), func(p registry.Pair) bool { return p.Decided == "" })
			slices.SortStableFunc(decided, func(a, b registry.Pair) int { return b.DecidedAt.Compare(a.DecidedAt) })
			q.Of = append(decided, q.Of...)
		}
		mine, err := v.DoublesBy(by.ID, now.UTC().Truncate(24*time.Hour))
		q.Mine = slices.DeleteFunc(registry.Pairs(mine), func(p registry.Pair) bool { return p.Decided == registry.Withdrawn })
		return err
	})
	return q, err
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Who reads who stands in pairs, and their Evidence. The log is told who is shown.
func (d *Desk) Who(ctx context.Context, by access.Actor, pairs []registry.Pair) (rows []QueueRow, err error) {
	now := d.Now()
	var about []registry.ID
	err = d.Store.View(ctx, func(v registry.View) error {
		for _, p := range pairs {
			row := QueueRow{Pair: p, State: p.State(now)}
			if p.Bits != 0 {
				of, err := v.DoublesOf(p.A)
				if err != nil {
					return err
				}
				for _, q := range registry.Pairs(of) {
					if q.A == p.A && q.B == p.B || q.A == p.B && q.B == p.A {
						row.Evidence = q.Evidence
					}
				}
			}
			if row.Newer, err = ReadLine(v, p.A); err != nil {
				return err
			}
			if row.Older, err = ReadLine(v, p.B); err != nil {
				return err
			}
			rows, about = append(rows, row), append(about, p.A, p.B)
		}
		return nil
	})
	if err != nil || len(about) == 0 {
		return rows, err
	}
	return rows, d.Store.NoteAbout(ctx, by, access.Entry{Action: "person.find", Object: "registry", Detail: fmt.Sprintf("doubles=%d", len(rows))}, about)
}

// A Review is a pair as people decide it: both records, why they may be one, and what each
// decision would do.
type Review struct {
	registry.Pair // with its Evidence
	State         string
	Newer, Older  *Sheet
	Places        [2]*registry.Location // where the two stay: hers, or her household's
	Has           map[string]int        // records that have the number both have, by field of the evidence: "phone", "document"
	Fits          [][2]Line             // others of the two households who may be one person too
	Touched       []Touch               // what changed since the pair was found
	Same          Plan                  // what "same" would come to
	SameErr       error                 // why it cannot be decided so: registry.ErrClosed, a registry.Refusal
	Seen          string                // of all that: another one, and something has changed
}

// A Touch is a field that was changed after its pair was found.
type Touch struct {
	Newer bool // of the newer record
	Field string
	At    time.Time
}

// Review reads a pair, named either way round. What is no pair is registry.ErrNotFound. The
// log is told of both records and of whom their pages show.
func (d *Desk) Review(ctx context.Context, by access.Actor, a, b registry.ID) (*Review, error) {
	r, err := d.pair(ctx, a, b)
	if err != nil {
		return nil, err
	}
	about := []registry.ID{r.A, r.B}
	for _, id := range []registry.ID{r.A, r.B} {
		s, err := d.sheet(ctx, id, registry.KindPerson)
		if err == nil {
			err = d.around(ctx, s)
		}
		if err != nil {
			return nil, err
		}
		if about = append(about, s.who()...); id == r.A {
			r.Newer = s
		} else {
			r.Older = s
		}
	}
	r.touched()
	if err := d.places(ctx, r); err != nil {
		return nil, err
	}
	if r.Fits = fits(r.Newer, r.Older); r.Newer.Record.Household == r.Older.Record.Household {
		r.Fits = nil
	}
	if err := d.numbers(ctx, r); err != nil {
		return nil, err
	}
	if r.Decided == "" {
		r.Same, err = d.plan(ctx, by, Change{Kind: Same, Unit: r.A, Others: []registry.ID{r.B}})
		if _, refused := errors.AsType[*registry.Refusal](err); refused || errors.Is(err, registry.ErrClosed) {
			r.SameErr = err
		} else if err != nil {
			return nil, err
		}
	}
	if r.Seen, err = d.Seen(ctx, r.A, r.B); err != nil {
		return nil, err
	}
	slices.SortFunc(about, func(a, b registry.ID) int { return bytes.Compare(a[:], b[:]) })
	return r, d.Store.NoteAbout(ctx, by, access.Entry{Action: "person.read", Object: r.A.String(), Detail: "pair"}, slices.Compact(about))
}

// pair is a Review with its pair alone.
func (d *Desk) pair(ctx context.Context, a, b registry.ID) (*Review, error) {
	r := &Review{}
	err := d.Store.View(ctx, func(v registry.View) error {
		all, err := v.DoublesOf(a)
		if err != nil {
			return err
		}
		pairs := registry.Pairs(slices.DeleteFunc(all, func(p registry.Double) bool { return !p.Is(a, b) }))
		if len(pairs) == 0 {
			return fmt.Errorf("records: %s and %s: %w", a, b, registry.ErrNotFound)
		}
		r.Pair, r.State = pairs[0], pairs[0].State(d.Now())
		return nil
	})
	return r, err
}

// Seen is a mark of what a decision about a pair rests on: both records and what was decided.
func (d *Desk) Seen(ctx context.Context, a, b registry.ID) (string, error) {
	r, err := d.pair(ctx, a, b)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %d %d\n", r.Decided, r.DecidedAt.UnixMicro(), r.Until.UnixMicro())
	if err := d.versions(ctx, sum, []registry.ID{r.A, r.B}); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// versions writes of each record its household and which version each field has.
func (d *Desk) versions(ctx context.Context, sum hash.Hash, ids []registry.ID) error {
	return d.Store.View(ctx, func(v registry.View) error {
		for _, id := range ids {
			rec, err := v.Record(id)
			if err != nil {
				return err
			}
			fmt.Fprintf(sum, "record %s of %s\n", id, rec.Household)
			for _, name := range slices.Sorted(maps.Keys(rec.Fields)) {
				fmt.Fprintf(sum, "%s %d\n", name, rec.Fields[name].Version)
			}
		}
		return nil
	})
}

// touched finds what changed after the pair was found.
func (r *Review) touched() {
	for _, s := range []*Sheet{r.Newer, r.Older} {
		for name, v := range s.Record.Fields {
			if v.At.After(r.FoundAt) {
				r.Touched = append(r.Touched, Touch{s == r.Newer, name, v.At})
			}
		}
	}
	slices.SortFunc(r.Touched, func(a, b Touch) int {
		if c := b.At.Compare(a.At); c != 0 {
			return c
		}
		return bytes.Compare([]byte(a.Field), []byte(b.Field))
	})
}

// places reads where the two stay.
func (d *Desk) places(ctx context.Context, r *Review) error {
	return d.Store.View(ctx, func(v registry.View) error {
		for i, s := range []*Sheet{r.Newer, r.Older} {
			if r.Places[i] = s.Person.Location; r.Places[i] != nil || s.Home == nil || s.Home.Gone() {
				continue
			}
			rec, err := v.Record(s.Home.ID)
			if err != nil {
				return err
			}
			h, err := rec.HouseholdRecord()
			if err != nil {
				return err
			}
			r.Places[i] = h.Location
		}
		return nil
	})
}

// numbers counts who has the telephone, and the document, that both have.
func (d *Desk) numbers(ctx context.Context, r *Review) error {
	r.Has = map[string]int{}
	fields := map[string]string{registry.KeyPhone: "phone", registry.KeyDocument: "document"}
	older := registry.Keys(r.Older.Person)
	return d.Store.View(ctx, func(v registry.View) error {
		for _, k := range registry.Keys(r.Newer.Person) {
			field := fields[k.Kind]
			if field == "" || !slices.Contains(older, k) {
				continue
			}
			who, err := v.Lookup(k)
			if err != nil {
				return err
			}
			if n := r.Has[field]; n == 0 || len(who) < n { // of several the rarest tells most
				r.Has[field] = len(who)
			}
		}
		return nil
	})
}

// fits are who of two households may be one person by name and year of birth.
func fits(a, b *Sheet) (pairs [][2]Line) {
	taken := map[registry.ID]bool{a.Record.ID: true, b.Record.ID: true}
	for _, x := range a.Members {
		keys := lineKeys(&x)
		for _, y := range b.Members {
			if !taken[x.ID] && !taken[y.ID] && slices.ContainsFunc(lineKeys(&y), func(k registry.Key) bool { return slices.Contains(keys, k) }) {
				taken[x.ID], taken[y.ID] = true, true
				pairs = append(pairs, [2]Line{x, y})
			}
		}
	}
	return pairs
}

func lineKeys(l *Line) []registry.Key {
	if l.Closed != "" || l.Name.Text == "" {
		return nil
	}
	return slices.DeleteFunc(registry.Keys(registry.Person{Names: []registry.Name{l.Name}, Birth: l.Born}), func(k registry.Key) bool { return k.Kind != registry.KeyNameYear })
}

// Postpone puts the decision of a pair off until the end of a day.
func (d *Desk) Postpone(ctx context.Context, by access.Actor, a, b registry.ID, until time.Time, reason string) error {
	return d.registry(by).Postpone(ctx, a, b, until, reason)
}

// Pair reads a pair, named either way round, with its evidence, and nothing of the records.
func (d *Desk) Pair(ctx context.Context, a, b registry.ID) (registry.Pair, error) {
	r, err := d.pair(ctx, a, b)
	if err != nil {
		return registry.Pair{}, err
	}
	return r.Pair, nil
}

// deciding is the registry in which a change is done. To take back that two are one it looks
// whether that had stopped a card.
func (d *Desk) deciding(ctx context.Context, by access.Actor, c Change) (*registry.Registry, error) {
	r := d.registry(by)
	r.Pairs.Once = true
	if c.Kind != Open || len(c.Others) == 0 {
		return r, nil
	}
	p, err := d.pair(ctx, c.Unit, c.Others[0])
	if err != nil {
		return nil, err
	}
	units := []registry.ID{p.A}
	err = d.Store.View(ctx, func(v registry.View) error {
		rec, err := v.Record(p.A)
		if err == nil && !rec.Household.IsZero() {
			units = append(units, rec.Household)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	cards, err := d.Store.Cards(ctx, issuer.Selection{Units: units})
	r.Pairs.Untouched = !slices.ContainsFunc(cards, func(c issuer.Card) bool { return c.Status == status.Invalid })
	return r, err
}
