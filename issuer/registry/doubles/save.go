package doubles

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/match"
)

// chunk is how many pairs are written in one transaction.
const chunk = 200

// key names a pair, whichever way round.
type key [2]registry.ID

func keyOf(a, b registry.ID) key {
	if slices.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return key{a, b}
}

// A known pair is what is stored of one.
type known struct {
	match   *registry.Double // by a run; nil: none
	decided string           // of any Why, by people
	at      time.Time
}

// save stores what was found, and withdraws what was found earlier and is not any more.
func (r *run) save(found []pair) error {
	stored, err := r.stored()
	if err != nil {
		return err
	}
	still := make(map[key]bool, len(found))
	for _, p := range found {
		still[keyOf(p.a, p.b)] = true
	}
	var gone []registry.Double
	open := 0 // of people who were not compared again
	for k, s := range stored {
		if s.match == nil || s.match.Decided != "" {
			continue
		}
		switch {
		case r.again != nil && !r.again[k[0]] && !r.again[k[1]]:
			open++
		case !still[k]:
			gone = append(gone, *s.match)
		}
	}
	found = r.guard(found, stored, open)
	for part := range slices.Chunk(gone, chunk) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		err := r.desk.Store.Update(r.ctx, r.by, func(tx registry.Tx) error {
			for _, g := range part {
				if err := tx.SaveDouble(registry.Double{A: g.A, B: g.B, Why: g.Why, Decided: registry.Withdrawn}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.rep.Withdrawn += len(part)
	}
	for part := range slices.Chunk(found, chunk) {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		was := r.rep
		err := r.desk.Store.Update(r.ctx, r.by, func(tx registry.Tx) error {
			r.rep = was
			for _, p := range part {
				if err := r.savePair(tx, p, stored[keyOf(p.a, p.b)]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// stored are the pairs that the register has.
func (r *run) stored() (map[key]known, error) {
	stored := map[key]known{}
	err := r.desk.Store.View(r.ctx, func(v registry.View) error {
		list, err := v.Doubles(true)
		for i := range list {
			d := &list[i]
			k := keyOf(d.A, d.B)
			s := stored[k]
			if d.Why == registry.KeyMatch {
				s.match = d
			}
			if d.Decided == registry.Same || d.Decided == registry.Different {
				s.decided, s.at = d.Decided, d.DecidedAt
			}
			stored[k] = s
		}
		return err
	})
	return stored, err
}

// guard leaves out of what was found what people could not look at, the least telling. A
// pair that waits already is never left out.
func (r *run) guard(found []pair, stored map[key]known, open int) []pair {
	most := max(AlwaysLooked, r.rep.People*MostPerThousand/1000) - open
	of, over := map[registry.ID]int{}, map[registry.ID]bool{}
	waits := func(p pair) bool {
		s := stored[keyOf(p.a, p.b)]
		return s.match != nil && s.match.Decided == ""
	}
	for _, p := range found {
		if waits(p) {
			of[p.a]++
			of[p.b]++
			most--
		}
	}
	return slices.DeleteFunc(found, func(p pair) bool {
		if stored[keyOf(p.a, p.b)].decided != "" || waits(p) {
			return false
		}
		for _, id := range [...]registry.ID{p.a, p.b} {
			if of[id] >= MostOfOne && !over[id] {
				over[id] = true
				r.rep.FloodPeople++
			}
		}
		if most <= 0 || of[p.a] >= MostOfOne || of[p.b] >= MostOfOne {
			r.rep.Flood++
			return true
		}
		most--
		of[p.a]++
		of[p.b]++
		return false
	})
}

// savePair enters or renews one pair.
func (r *run) savePair(tx registry.Tx, p pair, s known) error {
	d := registry.Double{A: p.a, B: p.b, Why: registry.KeyMatch, FoundAt: r.rep.At, Bits: p.Bits, Told: p.Outcome == match.Duplicate, Guard: p.Guard, Evidence: p.evidence}
	if s.decided == "" && s.match != nil && s.match.Decided == "" && s.match.Bits == d.Bits && s.match.Told == d.Told && s.match.Guard == d.Guard {
		return nil
	}
	if s.decided == registry.Same {
		r.rep.Decided++
		return nil
	}
	a, err := tx.Record(p.a)
	b, errB := tx.Record(p.b)
	switch err := errors.Join(err, errB); {
	case errors.Is(err, registry.ErrErased) || errors.Is(err, registry.ErrNotFound):
		return nil // while the run compared
	case err != nil:
		return err
	}
	if a.CreatedAt.Before(b.CreatedAt) {
		d.A, d.B = p.b, p.a
	}
	if s.decided != "" || s.match == nil || s.match.Decided != "" { // else what is renewed is open, or nothing is
		now, err := decidedNow(tx, p)
		if err != nil {
			return err
		}
		if now != s.decided { // while the run compared
			r.rep.Decided++
			return nil
		}
	}
	if s.decided != "" {
		changed, err := r.restsOnOther(tx, d, s, a, b)
		if err != nil || !changed {
			r.rep.Decided++
			return err
		}
		r.rep.Reopened++
		if err := reopen(tx, d); err != nil {
			return err
		}
	} else if s.match == nil {
		r.rep.New++
	} else {
		r.rep.Renewed++
		if s.match.Decided != "" { // withdrawn, and found again
			if err := tx.SaveDouble(registry.Double{A: d.A, B: d.B, Why: d.Why, Decided: registry.Open}); err != nil {
				return err
			}
		}
	}
	return tx.SaveDouble(d)
}

// decidedNow is what people have decided of a pair; empty: nothing.
func decidedNow(tx registry.Tx, p pair) (decided string, err error) {
	list, err := tx.DoublesOf(p.a)
	for _, d := range list {
		if d.Is(p.a, p.b) && (d.Decided == registry.Same || d.Decided == registry.Different) {
			decided = d.Decided
		}
	}
	return decided, err
}

// Fields of a record, and of the evidence of a pair, that a decision rests on.
var (
	restsOn  = []string{"names", "birth", "documents"}
	compared = []string{"given", "family", "birth", "document"}
)

// restsOnOther reports whether people who said that two are two would see something else
// now: a name, birth or document of either was written since, and where it is known how
// these agreed then, they agree otherwise.
func (r *run) restsOnOther(tx registry.Tx, d registry.Double, s known, records ...registry.Record) (bool, error) {
	written := false
	for _, rec := range records {
		for _, f := range restsOn {
			written = written || rec.Fields[f].At.After(s.at)
		}
	}
	if !written {
		return false, nil
	}
	list, err := tx.DoublesOf(d.A)
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(list, func(o registry.Double) bool { return o.Why == d.Why && o.Is(d.A, d.B) && o.Evidence != nil })
	if i < 0 {
		return true, nil
	}
	for _, f := range compared {
		if levelOf(list[i].Evidence, f) != levelOf(d.Evidence, f) {
			return true, nil
		}
	}
	return false, nil
}

func levelOf(list []registry.Evidence, field string) string {
	for _, e := range list {
		if e.Field == field {
			return e.Level
		}
	}
	return ""
}

// reopen opens a pair again that people decided, by all that speaks for it.
func reopen(tx registry.Tx, d registry.Double) error {
	list, err := tx.DoublesOf(d.A)
	if err != nil {
		return err
	}
	for _, o := range list {
		if o.Is(d.A, d.B) && o.Decided == registry.Different {
			if err := tx.SaveDouble(registry.Double{A: o.A, B: o.B, Why: o.Why, Decided: registry.Open}); err != nil {
				return err
			}
		}
	}
	return tx.Note(access.Entry{Action: "double.reopen", Object: d.A.String(), Reason: "changed", Detail: fmt.Sprintf("with=%s", d.B)})
}
