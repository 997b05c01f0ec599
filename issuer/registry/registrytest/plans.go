package registrytest

import (
	"bytes"
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"

	"aidpass/issuer/registry"
)

func (t *tx) Programme(code string) (registry.Programme, error) {
	p, ok := t.s.plans[code]
	if !ok {
		return p, registry.ErrNotFound
	}
	p.Rounds = slices.Clone(p.Rounds)
	return p, nil
}

func (t *tx) Programmes() (list []registry.Programme, err error) {
	for _, code := range slices.Sorted(maps.Keys(t.s.plans)) {
		list = append(list, t.s.plans[code])
	}
	return list, nil
}

func (t *tx) SaveProgramme(p registry.Programme) error {
	old, had := t.s.plans[p.Code]
	p.Rounds = slices.Clone(p.Rounds)
	t.s.plans[p.Code] = p
	t.then(func() {
		if delete(t.s.plans, p.Code); had {
			t.s.plans[p.Code] = old
		}
	})
	return nil
}

func (t *tx) Entitlement(unit registry.ID, programme string, round uint64) (registry.Entitlement, error) {
	e, ok := t.s.dues[due{unit, programme, round}]
	if !ok {
		return e, registry.ErrNotFound
	}
	return e, nil
}

func (t *tx) Entitlements(programme string, round uint64, yield func(registry.Entitlement) error) error {
	var keys []due
	for k := range t.s.dues {
		if k.programme == programme && k.round == round {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b due) int { return bytes.Compare(a.unit[:], b.unit[:]) })
	for _, k := range keys {
		if err := yield(t.s.dues[k]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) SaveEntitlement(e registry.Entitlement) (bool, error) {
	k := due{e.Unit, e.Programme, e.Round}
	old, had := t.s.dues[k]
	if e.ID == "" {
		if e.ID = old.ID; !had {
			e.ID = registry.NewID().String()
		}
	}
	if had && reflect.DeepEqual(old, e) {
		return false, nil
	}
	t.s.dues[k] = e
	t.then(func() {
		if delete(t.s.dues, k); had {
			t.s.dues[k] = old
		}
	})
	return true, nil
}

func (t *tx) Doubles(all bool) (list []registry.Double, err error) {
	for _, d := range t.s.pairs {
		if all || d.Decided == "" && !t.gone(d.A) && !t.gone(d.B) {
			d.Evidence = nil
			list = append(list, d)
		}
	}
	mostTelling(list)
	return list, nil
}

func (t *tx) gone(id registry.ID) bool { return t.s.records[id] != nil && t.s.records[id].erased }

func (t *tx) DoublesOf(id registry.ID) (list []registry.Double, err error) {
	for _, d := range t.s.pairs {
		if d.A == id || d.B == id {
			if t.gone(d.A) || t.gone(d.B) {
				d.Evidence = nil
			}
			list = append(list, d)
		}
	}
	mostTelling(list)
	return list, nil
}

func (t *tx) DoublesWith(id registry.ID) (list []registry.Double, err error) {
	open, err := t.Doubles(false)
	return slices.DeleteFunc(open, func(d registry.Double) bool { return d.A != id && d.B != id }), err
}

func (t *tx) DoublesBy(account string, since time.Time) (list []registry.Double, err error) {
	at := func(d registry.Double) time.Time {
		if d.Decided != "" {
			return d.DecidedAt
		}
		return d.PutOff.At
	}
	all, err := t.Doubles(true)
	for _, d := range all {
		by := d.By
		if d.Decided == "" {
			by = d.PutOff.By
		}
		if by == account && !at(d).Before(since) {
			list = append(list, d)
		}
	}
	slices.SortStableFunc(list, func(a, b registry.Double) int { return at(b).Compare(at(a)) })
	return list, err
}

func (t *tx) CountDoubles(at time.Time) (registry.Count, error) {
	c := registry.Count{Of: map[string]int{}}
	all, err := t.Doubles(true)
	for _, p := range registry.Pairs(all) {
		if p.Decided != "" {
			c.Of[registry.StateDecided]++
		}
	}
	open, _ := t.Doubles(false)
	for _, p := range registry.Pairs(open) {
		state := p.State(at)
		if c.Of[state]++; state != registry.StatePostponed && (c.Oldest.IsZero() || p.FoundAt.Before(c.Oldest)) {
			c.Oldest = p.FoundAt
		}
	}
	return c, err
}

func mostTelling(list []registry.Double) {
	slices.SortStableFunc(list, func(a, b registry.Double) int {
		return cmp.Or(cmp.Compare(b.Bits, a.Bits), a.FoundAt.Compare(b.FoundAt))
	})
}

func (t *tx) SaveDouble(d registry.Double) error {
	old := t.s.pairs
	t.s.pairs = slices.Clone(old)
	i := slices.IndexFunc(t.s.pairs, func(o registry.Double) bool { return o.Why == d.Why && o.Is(d.A, d.B) })
	if i < 0 {
		fresh := d
		fresh.Decided, fresh.DecidedAt, fresh.By, fresh.Until, fresh.Reason, fresh.PutOff = "", time.Time{}, "", time.Time{}, "", registry.Act{}
		if fresh.FoundAt.IsZero() {
			fresh.FoundAt = t.now
		}
		t.s.pairs = append(t.s.pairs, fresh)
		i = len(t.s.pairs) - 1
	}
	switch p := &t.s.pairs[i]; {
	case d.Decided == registry.Open:
		p.Decided, p.DecidedAt, p.By, p.Until, p.Reason, p.PutOff = "", time.Time{}, "", time.Time{}, "", registry.Act{}
	case d.Decided == registry.Withdrawn && p.Decided != "":
	case d.Decided != "" && d.Decided != p.Decided:
		p.Decided, p.DecidedAt, p.By, p.Until, p.Reason, p.PutOff = d.Decided, t.now, t.by.ID, time.Time{}, "", registry.Act{}
	case d.Decided != "" || p.Decided != "":
	case d.Reason != "":
		p.Until, p.Reason, p.PutOff = d.Until, d.Reason, registry.Act{By: t.by.ID, At: t.now}
	case d.Bits != 0:
		p.Bits, p.Told, p.Guard, p.Evidence = d.Bits, d.Told, d.Guard, d.Evidence
	}
	t.then(func() { t.s.pairs = old })
	return nil
}

func (t *tx) ImportOf(digest [32]byte) (registry.ImportFile, bool, error) {
	for _, f := range t.s.imports {
		if f.Digest == digest {
			return f, true, nil
		}
	}
	return registry.ImportFile{}, false, nil
}

func (t *tx) Imports() ([]registry.ImportFile, error) { return slices.Clone(t.s.imports), nil }

func (t *tx) SaveImport(f registry.ImportFile) error {
	n := len(t.s.imports)
	if f.ID.IsZero() {
		f.ID = registry.NewID()
	}
	f.At, f.By = t.now, t.by.ID
	t.s.imports = append(t.s.imports, f)
	t.then(func() { t.s.imports = t.s.imports[:n] })
	return nil
}

func (t *tx) StopCards(units []registry.ID, _ string) (stopped int, err error) {
	for _, id := range units {
		if n := t.s.cards[id]; n > 0 {
			stopped += n
			delete(t.s.cards, id)
			t.then(func() { t.s.cards[id] = n })
		}
	}
	return stopped, nil
}
