package records

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
)

// A Form is a record as somebody at a desk is about to correct it.
type Form struct {
	Record registry.Record
	Values map[string]string // by field, as intake.Correct takes them; a field that is missing here cannot be set
	Seen   string            // which state of the record that is; it comes back with Save
}

// Edit reads a record for correction. Fields of which the record has several values of
// one kind, such as two telephones, are left out: one line cannot say them.
func (d *Desk) Edit(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind) (Form, error) {
	s, err := d.sheet(ctx, id, kind)
	if err != nil {
		return Form{}, err
	}
	values, err := flat(s.Record)
	if err != nil {
		return Form{}, err
	}
	return Form{s.Record, values, seenOf(s.Record)}, d.Store.Note(ctx, by, access.Entry{Action: "person.read", Object: id.String(), Detail: "edit"})
}

// seenOf writes the versions of a record's fields: "birth:1,names:2".
func seenOf(rec registry.Record) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(rec.Fields)) {
		parts = append(parts, name+":"+strconv.FormatInt(rec.Fields[name].Version, 10))
	}
	return strings.Join(parts, ",")
}

// MaxSeen bounds Form.Seen, in bytes.
const MaxSeen = 4096

var errSeen = errors.New("records: what the form was made from cannot be read")

// asSeen is the record as it stood when a form of it was made. What seen says is checked
// against the history: a version that never was is ErrQuery.
func asSeen(v registry.View, rec registry.Record, seen string) (registry.Record, error) {
	old := rec
	old.Fields = map[string]registry.Value{}
	if len(seen) > MaxSeen {
		return old, errSeen
	}
	if seen == "" {
		return old, nil
	}
	versions := map[string]int64{}
	for part := range strings.SplitSeq(seen, ",") {
		name, text, _ := strings.Cut(part, ":")
		n, err := strconv.ParseInt(text, 10, 64)
		if _, twice := versions[name]; err != nil || n < 1 || twice || n > rec.Fields[name].Version {
			return old, errSeen
		}
		versions[name] = n
	}
	past := false
	for name, n := range versions {
		if n == rec.Fields[name].Version {
			old.Fields[name] = rec.Fields[name]
		} else {
			past = true
		}
	}
	if !past {
		return old, nil
	}
	changes, err := v.History(rec.ID)
	if err != nil {
		return old, err
	}
	count := map[string]int64{}
	for _, c := range changes {
		if count[c.Field]++; count[c.Field] == versions[c.Field] {
			old.Fields[c.Field] = registry.Value{Version: versions[c.Field], Data: c.Data, At: c.At, By: c.By}
		}
	}
	return old, nil
}

// An Outcome says what became of a Save.
type Outcome struct {
	Set   []string         // fields that stand as they were typed
	Rival []registry.Rival // values that did not replace what somebody else had set meanwhile
	Notes []intake.Finding // worth a second look
}

// Save corrects what was typed in a Form, whatever others have done to the record since.
// Fields that were left as they were shown are not touched. One that nobody else has
// changed is set. Where somebody has, to something else, hers stands and this one is
// kept beside it as a registry.Rival, until people decide.
//
// A value that an import would reject is an *intake.Rejection, and nothing is written.
func (d *Desk) Save(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind, seen string, typed map[string]string, reason string) (out Outcome, err error) {
	_, err = d.registry(by).Revise(ctx, id, reason, func(v registry.View, rec registry.Record) (map[string][]byte, map[string]int64, error) {
		out = Outcome{}
		if rec.Kind != kind {
			return nil, nil, registry.ErrNotFound
		}
		m, err := newMerge(v, rec, seen, d.options())
		if err != nil {
			return nil, nil, err
		}
		for _, field := range slices.Sorted(maps.Keys(typed)) {
			if err := m.take(field, typed[field], registry.Rival{Field: field, By: by.ID, Device: by.Device, At: d.Now().UTC()}); err != nil {
				return nil, nil, err
			}
		}
		out.Rival = m.kept
		fields, base, c, err := m.result()
		for f := range m.set {
			out.Set = append(out.Set, f)
		}
		slices.Sort(out.Set)
		out.Notes = c.Notes
		return fields, base, err
	})
	return out, err
}

func (d *Desk) options() intake.Options { return intake.Options{Country: d.Country, Now: d.Now()} }

// merge joins what one person typed to what is on record now.
type merge struct {
	rec     registry.Record
	was, is map[string]string // fields as the author saw them, and as they are
	opt     intake.Options
	set     map[string]string
	kept    []registry.Rival
	open    []registry.Rival
}

func newMerge(v registry.View, rec registry.Record, seen string, opt intake.Options) (*merge, error) {
	old, err := asSeen(v, rec, seen)
	if err != nil {
		return nil, err
	}
	m := &merge{rec: rec, opt: opt, set: map[string]string{}}
	if m.was, err = flat(old); err != nil {
		return nil, err
	}
	if m.is, err = flat(rec); err != nil {
		return nil, err
	}
	m.open, err = rec.Undecided()
	return m, err
}

// take puts one typed value where it belongs.
func (m *merge) take(field, text string, author registry.Rival) error {
	text = strings.TrimSpace(text)
	if text == m.was[field] {
		return nil
	}
	c, err := intake.Correct(m.rec, m.with(field, text), m.opt)
	if err != nil {
		return err
	}
	switch now, ok := m.is[field]; {
	case len(c.Changes) == 0: // it stands so
	case ok && now == m.was[field]:
		m.set[field] = text
	default:
		author.Text = text
		open, err := registry.WithRival(m.open, author)
		if err != nil {
			return err
		}
		m.kept = append(m.kept, author)
		m.open = open
	}
	return nil
}

// with is a value with those that intake.Correct wants beside it: the issuer of a
// document is nothing without its number.
func (m *merge) with(field, text string) map[string]string {
	values := map[string]string{field: text}
	if kind, ok := strings.CutPrefix(field, "issuer."); ok {
		values["document."+kind] = cmp.Or(m.set["document."+kind], m.is["document."+kind])
	}
	return values
}

// result is what to write.
func (m *merge) result() (map[string][]byte, map[string]int64, intake.Correction, error) {
	values := map[string]string{}
	for field, text := range m.set {
		for f, t := range m.with(field, text) {
			if _, typed := m.set[f]; !typed || f == field {
				values[f] = t
			}
		}
	}
	c := intake.Correction{Fields: map[string][]byte{}, Base: map[string]int64{}}
	if len(values) > 0 {
		var err error
		if c, err = intake.Correct(m.rec, values, m.opt); err != nil {
			return nil, nil, c, err
		}
	}
	return withUndecided(m.rec, c, m.open)
}

// withUndecided adds to a correction what of the record waits for a decision afterwards.
func withUndecided(rec registry.Record, c intake.Correction, open []registry.Rival) (map[string][]byte, map[string]int64, intake.Correction, error) {
	data, err := registry.AppendUndecided(open)
	if err != nil {
		return nil, nil, c, err
	}
	if data != nil || rec.Fields[registry.UndecidedField].Data != nil {
		c.Fields[registry.UndecidedField] = data
		c.Base[registry.UndecidedField] = rec.Fields[registry.UndecidedField].Version
	}
	return c.Fields, c.Base, c, nil
}

// Decide ends what is undecided of a field: what stands is kept for an empty handle, else
// the rival of that name is set. stands is the text that was shown as standing: another
// by now is registry.ErrConflict, and nothing is written.
func (d *Desk) Decide(ctx context.Context, by access.Actor, id registry.ID, kind registry.Kind, field, stands, handle string) error {
	_, err := d.registry(by).Revise(ctx, id, "decided", func(v registry.View, rec registry.Record) (map[string][]byte, map[string]int64, error) {
		if rec.Kind != kind {
			return nil, nil, registry.ErrNotFound
		}
		m, err := newMerge(v, rec, seenOf(rec), d.options())
		if err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(m.open, func(r registry.Rival) bool { return r.Field == field && (handle == "" || r.Handle() == handle) })
		if i < 0 || m.is[field] != stands {
			return nil, nil, registry.ErrConflict
		}
		if handle != "" {
			m.set[field] = m.open[i].Text
		}
		m.open = slices.DeleteFunc(m.open, func(r registry.Rival) bool { return r.Field == field })
		fields, base, _, err := m.result()
		return fields, base, err
	})
	return err
}

// standings are the fields of a record that wait for a decision, with who set what stands.
func standings(v registry.View, rec registry.Record) (list []Standing, err error) {
	open, err := rec.Undecided()
	if err != nil || len(open) == 0 {
		return nil, err
	}
	is, err := flat(rec)
	if err != nil {
		return nil, err
	}
	changes, err := v.History(rec.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range open {
		i := slices.IndexFunc(list, func(s Standing) bool { return s.Field == r.Field })
		if i < 0 {
			i = len(list)
			s := Standing{Field: r.Field, Text: is[r.Field]}
			for _, c := range changes {
				if c.Field == recordField(rec.Kind, r.Field) {
					s.By = registry.Rival{By: c.By, Device: c.Device, At: c.At}
				}
			}
			list = append(list, s)
		}
		list[i].Rivals = append(list[i].Rivals, r)
	}
	return list, nil
}

// Kept tells how many values a Save did not write.
func (o *Outcome) Kept() int { return len(o.Rival) }

func (o *Outcome) String() string {
	return fmt.Sprintf("set=%d undecided=%d", len(o.Set), len(o.Rival))
}
