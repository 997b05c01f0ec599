package doubles_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
	"aidpass/issuer/registry/registrytest"
)

// A world is a register in memory, with what runs need beside it.
type world struct {
	*registrytest.Store
	t      testing.TB
	desk   *doubles.Desk
	now    time.Time
	erased int
	report []byte
	index  []byte
	seq    int64
	broken error // of the kept index
	made   []registry.ID
	log    []doubles.Decision
}

var (
	clerk = access.Actor{ID: "amal", Role: access.Registrar, SecondPerson: "lead"}
	start = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
)

func newWorld(t testing.TB) *world {
	w := &world{t: t, Store: &registrytest.Store{}, now: start}
	w.Now = func() time.Time { return w.now }
	w.desk = &doubles.Desk{Store: w, Now: w.Now}
	return w
}

func (w *world) Hash(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}

// last is the newest change of a record, or 0.
func last(v registry.View, id registry.ID) (seq int64) {
	list, _ := v.History(id)
	for _, c := range list {
		seq = max(seq, c.Seq)
	}
	return seq
}

func (w *world) Mark(ctx context.Context) (m doubles.Mark, err error) {
	m = doubles.Mark{Erased: w.erased, People: w.Len(registry.KindPerson)}
	err = w.View(ctx, func(v registry.View) error {
		for _, id := range w.made {
			m.Seq = max(m.Seq, last(v, id))
		}
		return nil
	})
	return m, err
}

func (w *world) Changed(ctx context.Context, after int64) (list []registry.ID, err error) {
	err = w.View(ctx, func(v registry.View) error {
		for _, id := range w.made {
			if last(v, id) > after {
				list = append(list, id)
			}
		}
		return nil
	})
	return list, err
}

func (w *world) KeepRun(_ context.Context, _ access.Actor, _ access.Entry, report []byte, at doubles.Mark, index []byte) (bool, error) {
	if index != nil && at.Erased != w.erased {
		return false, nil
	}
	if w.report = report; index != nil {
		w.index, w.seq = bytes.Clone(index), at.Seq
	}
	return index != nil, nil
}

func (w *world) Index(context.Context) ([]byte, int64, error) {
	if w.index == nil {
		return nil, 0, doubles.ErrNoIndex
	}
	return w.index, w.seq, w.broken
}

func (w *world) LastRun(context.Context) ([]byte, error) { return w.report, nil }

func (w *world) Decisions(_ context.Context, yield func(doubles.Decision) error) error {
	for _, d := range w.log {
		if err := yield(d); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) erase(id registry.ID) {
	w.t.Helper()
	if err := w.Erase(w.t.Context(), clerk, id, "asked"); err != nil {
		w.t.Fatal(err)
	}
	w.erased++
	w.index = nil
}

// syllables makes up a name of a number.
func syllables(n int) (s string) {
	for range 3 {
		s += string("bdfgklmnrst"[n%11]) + string("aiou"[n/11%4])
		n = n/44 + 13*n%97
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// stranger is somebody like nobody else.
func stranger(n int) registry.Person {
	name, _ := registry.ParseName(syllables(n*7+3)+" "+syllables(n*31+11), "")
	return registry.Person{Names: []registry.Name{name}, Sex: []string{"f", "m"}[n%2],
		Birth:    &registry.Birth{EDTF: fmt.Sprintf("%d-%02d-%02d", 1940+n*7%70, 1+n*5%12, 1+n*11%28), Precision: "day"},
		Location: &registry.Location{Site: fmt.Sprint("site ", n%9)}}
}

// likely is n of strangers once more, with a letter more in the name.
func likely(n int) registry.Person {
	p := stranger(n)
	p.Names[0].Text += "a"
	return p
}

func (w *world) put(c registry.Change) registry.ID {
	w.t.Helper()
	var id registry.ID
	w.update(func(tx registry.Tx) error {
		s, err := tx.Save(c)
		id = s.ID
		return err
	})
	if !slices.Contains(w.made, id) {
		w.made = append(w.made, id)
	}
	return id
}

func (w *world) update(fn func(registry.Tx) error) {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	if err := w.Update(context.Background(), clerk, fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) add(p registry.Person) registry.ID { return w.write(registry.ID{}, p) }

func (w *world) write(id registry.ID, p registry.Person) registry.ID {
	w.t.Helper()
	fields, err := p.Fields()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.put(registry.Change{ID: id, Kind: registry.KindPerson, Fields: fields})
}

func (w *world) crowd(n int) (ids []registry.ID) {
	for i := range n {
		ids = append(ids, w.add(stranger(i)))
	}
	return ids
}

func (w *world) run(o doubles.Options) doubles.Report {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	r, err := w.desk.Run(w.t.Context(), clerk, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// pairs are those that a run found, by their two records in order.
func (w *world) pairs(all bool) map[[2]registry.ID]registry.Double {
	w.t.Helper()
	out := map[[2]registry.ID]registry.Double{}
	err := w.View(context.Background(), func(v registry.View) error {
		list, err := v.Doubles(all)
		for _, d := range list {
			if d.Why == registry.KeyMatch {
				out[key(d.A, d.B)] = d
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func key(a, b registry.ID) [2]registry.ID {
	if slices.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return [2]registry.ID{a, b}
}

func (w *world) registry() *registry.Registry {
	return &registry.Registry{Store: w, Actor: clerk, Now: w.Now}
}
