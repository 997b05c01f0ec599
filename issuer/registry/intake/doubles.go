package intake

import (
	"slices"

	"aidpass/issuer/registry"
)

// mostDoubles bounds how many records on file a row is compared with by one key.
const mostDoubles = 5

// doubles finds rows and records that share a document, or a name and year of
// birth, with this one.
func (r *run) doubles(t *tableRun, s *state, d *draft) error {
	if s.found && s.outcome == duplicate {
		return nil // found when it came in
	}
	at := ref{r.place(t), int32(len(t.states))}
	before := len(r.pairs) // what follows is this row's
	var seen []registry.ID
	for _, k := range registry.Keys(*d.person) {
		if k.Kind != registry.KeyDocument && k.Kind != registry.KeyNameYear { // the others find people only
			continue
		}
		ids, err := r.view.Lookup(k)
		if err != nil {
			return err
		}
		for _, id := range ids[:min(len(ids), mostDoubles)] {
			if id != s.id && !slices.Contains(seen, id) {
				seen = append(seen, id)
				r.pairs = append(r.pairs, pair{row: at, other: ref{-1, -1}, record: id, why: k.Kind})
			}
		}
		h := keyOf(registry.Kind("key "+k.Kind), k.Text)
		first, ok := r.keys[h]
		if !ok {
			r.keys[h] = at
			continue
		}
		if r.state(first).key == s.key || slices.ContainsFunc(r.pairs[before:], func(p pair) bool { return p.other == first }) {
			continue
		}
		r.pairs = append(r.pairs, pair{row: at, other: first, why: k.Kind})
	}
	return nil
}

func (r *run) place(t *tableRun) int32 { return int32(slices.Index(r.tables, t)) }
