package registrytest

import (
	"bytes"
	"maps"
	"reflect"
	"slices"

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
		if all || d.Decided == "" {
			list = append(list, d)
		}
	}
	return list, nil
}

func (t *tx) SaveDouble(d registry.Double) error {
	old := slices.Clone(t.s.pairs)
	i := slices.IndexFunc(t.s.pairs, func(o registry.Double) bool {
		return o.Why == d.Why && (o.A == d.A && o.B == d.B || o.A == d.B && o.B == d.A)
	})
	switch {
	case i < 0:
		if d.FoundAt.IsZero() {
			d.FoundAt = t.now
		}
		t.s.pairs = append(slices.Clone(t.s.pairs), d)
	case d.Decided != "":
		t.s.pairs = slices.Clone(t.s.pairs)
		t.s.pairs[i].Decided, t.s.pairs[i].By = d.Decided, t.by.ID
	default:
		return nil
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
