package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/internal/durable"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
	"aidpass/schemas"
)

// rosterList is a roster, read: people that can be asked a card for, and rows
// that cannot.
type rosterList struct {
	rows    int
	people  []rosterPerson
	refused []refusedRow
	header  []string
	raw     map[int][]string // cells by row, for --rejects
}

type rosterPerson struct {
	number int
	row    issuer.RosterRow
	claims map[string]any
	former credential.Former // whose card of another organisation is replaced; zero: none
	agreed bool              // the row says yes to being registered
}

func (l *rosterList) refuse(row int, code, why string) {
	l.refused = append(l.refused, refusedRow{Row: row, Code: code, Why: why})
}

// readRoster reads the file whole: nothing is issued of a file that breaks off.
func (o *org) readRoster(path string, t *schemas.Type, f *issueFlags) (*rosterList, error) {
	r, err := roster.Open(path, roster.Options{Sheet: f.sheet, Encoding: f.encoding})
	if err != nil {
		return nil, rosterError(err)
	}
	defer r.Close()
	header := r.Header()
	m := roster.Guess(header)
	if f.idColumn != "" {
		if !slices.Contains(header, f.idColumn) {
			return nil, usagef("no column %q", f.idColumn).hint("%s", columnsAre(header))
		}
		m[roster.PersonID] = f.idColumn
		if f.unit == "household" {
			m[roster.HouseholdID] = f.idColumn
		}
	}
	if f.unit == "household" && m[roster.HouseholdID] == "" {
		why := ""
		if f.record.planned {
			why = ", and programme " + f.programme + " counts those"
		}
		return nil, usagef("no column numbers the households%s", why).hint("--id-column NAME; %s", columnsAre(header)).
			hint("or issue to those on record: the same without a roster")
	}
	if m[roster.PersonID] == "" && m[roster.FullName] == "" && m[roster.GivenName] == "" && m[roster.FamilyName] == "" {
		return nil, usagef("no column numbers or names the people").hint("--id-column NAME; %s", columnsAre(header))
	}
	fixed, err := f.fixedClaims(t)
	if err != nil {
		return nil, err
	}
	if n := r.Labels(); n > 0 {
		o.a.say("row %d holds labels for the columns and is passed over", n)
	}
	for _, warning := range r.Warnings() {
		o.a.say("%s", warning)
	}
	list := &rosterList{header: header, raw: map[int][]string{}}
	claims := claimColumns(t, header, f.seal)
	if f.round == 0 && slices.Contains(t.OneOf, t.RoundClaim) && fixed[t.RoundClaim] == nil && fixed[t.RoundsClaim] == nil &&
		!slices.ContainsFunc(claims, func(c claimColumn) bool { return slices.Contains(t.OneOf, c.claim.Name) }) {
		return nil, usagef("a %s is for a round", t.Name).hint("--round 1, or --claim %s=1-6 for several", t.RoundsClaim)
	}
	var formers *formerDesk
	column := slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), formerColumn) })
	if column >= 0 {
		if formers, err = o.formers(t, f); err != nil {
			return nil, err
		}
	} else if f.pack != "" {
		return nil, usagef("--pack is for a roster with a column %s", formerColumn).hint("the text of the QR code of the card that is replaced stands in it")
	}
	consent := intake.ConsentColumns(header)
	seen := map[string]int{}
	now := o.a.Now().UTC()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, rosterError(err)
		}
		list.rows++
		if f.rejects != "" {
			list.raw[row.Number] = row.Raw()
		}
		if len(row.Problems) > 0 {
			why := make([]string, len(row.Problems))
			for i, p := range row.Problems {
				why[i] = p.String()
			}
			list.refuse(row.Number, "row", strings.Join(why, "; "))
			continue
		}
		key := unitKey(m, row, f.unit)
		if key == "" {
			list.refuse(row.Number, "no_identifier", "nothing numbers or names this "+f.unit+": fill the column of its number")
			continue
		}
		if first, twice := seen[key]; twice {
			list.refuse(row.Number, issuer.RefusedDuplicate, fmt.Sprintf("the same %s stands in row %d", f.unit, first))
			continue
		}
		seen[key] = row.Number
		answer := consentOf(row, consent)
		if answer == intake.No {
			list.refuse(row.Number, issuer.RefusedGate, saidNo)
			continue
		}
		values, err := rowClaims(t, m, row, claims, fixed, f)
		if what := f.differs(t, values); err == nil && what != "" {
			err = errors.New(what)
		}
		// What only repeats the run is left to the batch: the card is the same card.
		for _, name := range []string{t.ProgrammeClaim, t.RoundClaim} {
			if v := values[name]; v == f.programme || v == int64(f.round) {
				delete(values, name)
			}
		}
		if err != nil {
			list.refuse(row.Number, issuer.RefusedClaims, err.Error())
			continue
		}
		var former credential.Former
		if formers != nil {
			if text := row.Cell(header[column]); text != "" {
				var no *issuer.Refusal
				if former, no = formers.prove(text); no != nil {
					list.refuse(row.Number, no.Code, no.Text)
					continue
				}
			}
		}
		fields, err := recordFields(m, row, f.unit, now)
		if err != nil {
			return nil, err
		}
		who := issuer.RosterRow{Kind: issuer.UnitKind(f.unit), Namespace: f.roster, External: key, Fields: fields}
		if f.unit == "person" && !f.rename {
			who.Fixed = []string{"names"} // a household's row names one of its people
		}
		list.people = append(list.people, rosterPerson{number: row.Number, claims: values, former: former, row: who, agreed: answer == intake.Yes})
	}
}

// columnsAre tells of the columns without their names: where the header is
// missing, the first row is a person.
func columnsAre(header []string) string {
	return fmt.Sprintf("the columns are A to %s, %d in all; their names stand in the first row of the file, and is it there?",
		roster.ColumnLetter(len(header)), len(header))
}

func rosterError(err error) error {
	var file *roster.FileError
	if !errors.As(err, &file) {
		return err
	}
	e := usagef("%w", err)
	if file.Fix != "" {
		return e.hint("%s", file.Fix)
	}
	return e.hint("save it as CSV in UTF-8, or as a plain XLSX workbook")
}

// unitKey is what names the row's person or household in the roster.
func unitKey(m roster.Mapping, row roster.Row, unit string) string {
	if unit == "household" {
		return row.Cell(m[roster.HouseholdID])
	}
	key, _ := m.Key(row)
	return key
}

// claimColumn is a column that carries a claim.
type claimColumn struct {
	column string
	claim  *schemas.Claim
}

// claimColumns finds columns called like a claim that this roster fills: plain
// ones, those never on a card (for the gate), and sealed ones that were asked for.
func claimColumns(t *schemas.Type, header, seal []string) []claimColumn {
	var out []claimColumn
	for _, h := range header {
		name := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(h), " ", "_"))
		if c := t.Claim(name); c != nil && fills(t, c, seal) {
			out = append(out, claimColumn{h, c})
		}
	}
	return out
}

// fills says whether a claim is taken from the roster. A sealed one is when --seal
// names it, or the type cannot be issued without it.
func fills(t *schemas.Type, c *schemas.Claim, seal []string) bool {
	return c.Placement != schemas.Sealed || slices.Contains(seal, c.Name) || slices.Contains(t.Gate, c.Name)
}

// fixedClaims reads --claim NAME=VALUE.
func (f *issueFlags) fixedClaims(t *schemas.Type) (map[string]any, error) {
	out := map[string]any{}
	for _, s := range f.claims {
		name, text, ok := strings.Cut(s, "=")
		c := t.Claim(name)
		if !ok || c == nil {
			return nil, usagef("--claim %q names no claim of %s", name, t.Name).
				hint("it has %s", strings.Join(append(claimNames(t, schemas.Plain), claimNames(t, schemas.Sealed)...), " "))
		}
		v, err := c.Parse(text)
		if err != nil {
			return nil, usagef("--claim %s: %w", name, err).hint("as %s", t.Label("en"))
		}
		if c.Placement == schemas.Sealed && !slices.Contains(f.seal, name) {
			f.seal = append(f.seal, name)
		}
		out[name] = v
	}
	if what := f.differs(t, out); what != "" {
		return nil, usagef("--claim %s", what).hint("one run is for one programme and round: run the command once for each")
	}
	return out, nil
}

// differs tells which claim says another programme or round than the run: the
// card would stand in the store under a place that is not its own, and a second
// one could be issued beside it.
func (f *issueFlags) differs(t *schemas.Type, values map[string]any) string {
	if v := values[t.ProgrammeClaim]; v != nil && !covers(v, f.programme) {
		return t.ProgrammeClaim + ": the run is for programme " + f.programme
	}
	if v := values[t.RoundClaim]; v != nil && !covers(v, int64(f.round)) {
		return fmt.Sprintf("%s: the run is for round %d (--round)", t.RoundClaim, f.round)
	}
	if values[t.RoundsClaim] != nil && t.RoundsClaim != t.RoundClaim && f.round > 0 {
		return fmt.Sprintf("%s: the run is for round %d alone (--round)", t.RoundsClaim, f.round)
	}
	return ""
}

// covers says whether a claim is, or lists, a value.
func covers(claim, v any) bool {
	switch list := claim.(type) {
	case []string:
		s, ok := v.(string)
		return ok && slices.Contains(list, s)
	case []int64:
		n, ok := v.(int64)
		return ok && slices.Contains(list, n)
	}
	return claim == v
}

// rowClaims are the claims of one card: those for all, the row's own columns, and
// what follows from what the roster says in its own way.
func rowClaims(t *schemas.Type, m roster.Mapping, row roster.Row, columns []claimColumn, fixed map[string]any, f *issueFlags) (map[string]any, error) {
	values := map[string]any{}
	for name, v := range fixed {
		values[name] = v
	}
	for _, c := range columns {
		v, err := c.claim.Parse(row.Cell(c.column))
		if err != nil {
			return nil, err
		}
		if v != nil {
			values[c.claim.Name] = v
		}
	}
	// What the roster says and this program cannot read is the person's to be mended,
	// never left off the card in silence.
	derive := func(name, said string, read func(string) any) (err error) {
		c := t.Claim(name)
		if c == nil || values[name] != nil || said == "" || !fills(t, c, f.seal) {
			return nil
		}
		v := read(said)
		if v == nil {
			v = said
		}
		if v, err = c.Parse(v); v != nil && err == nil {
			values[name] = v
		}
		return err
	}
	err := errors.Join(
		derive("name", m.Name(row), func(s string) any { return s }),
		derive("sex", row.Cell(m[roster.Sex]), sexOf),
		derive("birth_year", row.Cell(m[roster.BirthDate]), yearOf),
		derive(t.SizeBandClaim, row.Cell(m[roster.HouseholdSize]), sizeOf))
	return values, err
}

// recordFields are what the registry keeps of the row: a record as an import makes
// it, only poorer. What the row says that has no field of its own, and what cannot
// be read, is kept as it stands under "ext", by column.
func recordFields(m roster.Mapping, row roster.Row, unit string, now time.Time) (map[string][]byte, error) {
	ext := map[string]string{}
	keep := func(fields ...roster.Field) {
		for _, f := range fields {
			if v := row.Cell(m[f]); v != "" {
				ext[string(f)] = v
			}
		}
	}
	name := m.Name(row)
	if unit == string(registry.KindHousehold) {
		keep(roster.BirthDate, roster.Sex, roster.PhotoID)
		house := registry.Household{Ext: ext}
		if n, ok := sizeOf(row.Cell(m[roster.HouseholdSize])).(int64); ok && n > 0 && n <= maxHousehold {
			house.Size = int(n)
		} else {
			keep(roster.HouseholdSize)
		}
		if name != "" {
			ext[string(roster.FullName)] = name
		}
		return house.Fields()
	}
	keep(roster.HouseholdID, roster.HouseholdSize, roster.PhotoID)
	who := registry.Person{Ext: ext}
	if n, _ := registry.ParseName(name, ""); n.Text != "" {
		who.Names = []registry.Name{n}
	} else if name != "" {
		ext[string(roster.FullName)] = name
	}
	if s, ok := sexOf(row.Cell(m[roster.Sex])).(string); ok {
		who.Sex = s
	} else {
		keep(roster.Sex)
	}
	if b, _ := registry.ParseBirth(row.Cell(m[roster.BirthDate]), registry.BirthOptions{Today: now}); b != (registry.Birth{}) {
		who.Birth = &b
	} else {
		keep(roster.BirthDate)
	}
	return who.Fields()
}

// maxHousehold is the largest size that is believed: more is a camp, or a slip.
const maxHousehold = 100

// sexOf is the code of a sex as registry.ParseSex reads it; nil where none is known.
func sexOf(s string) any {
	if code, ok := registry.ParseSex(s); ok && code != "" {
		return code
	}
	return nil
}

// yearOf is the year of a birth date as registry.ParseBirth reads it; nil for none.
// Where day and month may be either, the year is certain all the same.
func yearOf(s string) any {
	b, _ := registry.ParseBirth(s, registry.BirthOptions{})
	if y, ok := b.Year(); ok {
		return int64(y)
	}
	return nil
}

// sizeOf is the size of a household as registry.ParseSize reads it; nil for none.
func sizeOf(s string) any {
	if n, _ := registry.ParseSize(s); n > 0 {
		return int64(n)
	}
	return nil
}

// writeRejects writes the refused rows as they stood, with what is wrong, as a
// file to be mended and issued again.
func (l *rosterList) writeRejects(path string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(append(append([]string{}, l.header...), "row_in_roster", "what_to_mend")); err != nil {
		return err
	}
	for _, r := range l.refused {
		cells := append([]string{}, l.raw[r.Row]...)
		for len(cells) < len(l.header) {
			cells = append(cells, "")
		}
		if err := w.Write(append(cells[:len(l.header)], strconv.Itoa(r.Row), r.Why)); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return durable.WriteFile(path, b.Bytes(), 0o600)
}
