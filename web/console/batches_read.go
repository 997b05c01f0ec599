package console

import (
	"context"
	"html/template"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality/indicator"
)

// What of a batch is read, by the query's "of".
const (
	listAll       = "all"
	listNew       = "new"      // was not in the round before
	listChanged   = "changed"  // is due something else than then
	listGone      = "gone"     // was in it, and gets nothing now
	listOwn       = "own"      // written by the account that prepared the batch
	listDoubles   = "doubles"  // possible doubles, decided or not
	listOverrides = "override" // past the gate
	listShort     = "short"    // a provisional card
	listTen       = "ten"      // drawn at random, anew each time
)

// listWords are the keys of what can be read, in their order.
var listWords = []struct{ of, word string }{
	{listAll, "batches.read_all"}, {listNew, "batches.read_new"}, {listChanged, "batches.read_changed"}, {listGone, "batches.read_gone"}, {listOwn, "batches.read_own"},
	{listDoubles, "batches.read_doubles"}, {listOverrides, "batches.read_override"}, {listShort, "batches.read_short"}, {listTen, "batches.read_ten"},
}

// overrides are the reasons for which somebody passes the gate: issuer.OverrideReasons.
var overrides = []named{{"no_papers", "batches.over_no_papers"}, {"known_here", "batches.over_known_here"}, {"urgent", "batches.over_urgent"}, {"being_mended", "batches.over_being_mended"}}

// An overShare is how many of a batch's cards pass the gate by a reason, where that is more
// than an approver should pass by without looking (DQ-31).
type overShare struct {
	Percent float64         `json:"percent"`
	State   indicator.State `json:"state"`
	Says    template.HTML   `json:"-"`
}

// overrideShare is that of a batch; nil up to one in a hundred.
func (p *Page) overrideShare(b *issuer.Proposal) *overShare {
	s := overShare{Percent: 100 * float64(len(b.Overrides)) / float64(max(1, b.Can))}
	word := "batches.share_amber"
	switch {
	case s.Percent <= 1:
		return nil
	case s.Percent <= 3:
		s.State = indicator.Amber
	default:
		s.State, word = indicator.Red, "batches.share_red"
	}
	s.Says = p.T(word, "share", p.decimal(s.Percent))
	return &s
}

type readingData struct {
	batchRow
	Unchanged bool          `json:"unchanged"` // the records still say what was prepared
	Share     *overShare    `json:"overrides,omitempty"`
	Before    uint64        `json:"before"` // the round it is compared with; 0: none
	Of        string        `json:"of"`
	Lists     []readingList `json:"lists"`
	People    []readingRow  `json:"people"`
	Paging    *Paging       `json:"paging,omitempty"`
}

type readingList struct {
	Of    string `json:"of"`
	Count int    `json:"count"`
	Word  string `json:"-"`
	Path  string `json:"-"`
	Here  bool   `json:"-"`
}

// A readingRow is one unit: name and number for who may read people, else the number alone.
type readingRow struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Name     string    `json:"name,omitempty"`
	Number   string    `json:"number,omitempty"`
	Size     int       `json:"size,omitempty"` // of a household
	Gets     string    `json:"gets,omitempty"`
	Got      string    `json:"got,omitempty"` // in the round before
	Until    time.Time `json:"until"`         // of a provisional card
	Wrote    []string  `json:"wrote"`         // accounts that wrote what stands in the record
	New      bool      `json:"new"`
	Changed  bool      `json:"changed"`
	Own      bool      `json:"own"`
	Override string    `json:"override,omitempty"`
	OverBy   string    `json:"override_by,omitempty"`
	OverNote string    `json:"override_note,omitempty"`

	Doubles []readingDouble `json:"doubles,omitempty"`
	Why     template.HTML   `json:"why,omitempty"` // of who gets nothing now
	Path    string          `json:"-"`             // of the record; empty: who looks may not read it
	Says    template.HTML   `json:"-"`             // why it passed the gate
}

type readingDouble struct {
	Other   string `json:"other"`
	Why     string `json:"why"`
	Decided string `json:"decided,omitempty"`
	By      string `json:"by,omitempty"`
	Path    string `json:"-"`
}

// inList tells which lists a row stands in.
func inList(r *issuer.ReadingRow, of string) bool {
	switch of {
	case listNew:
		return r.New
	case listChanged:
		return r.Changed
	case listOwn:
		return r.Own
	case listDoubles:
		return len(r.Doubles) > 0
	case listOverrides:
		return r.Override.Reason != ""
	case listShort:
		return r.Until != 0
	}
	return true
}

// read shows whom a batch is for, and what whoever approves it should look at.
func (s *Batches) read(p *Page) error {
	row, err := s.find(p)
	if err != nil {
		return err
	}
	of := p.Query.Get("of")
	if of == "" {
		of = listAll
	}
	all, err := s.Desk.Read(p.Context(), p.Org(), row.ID)
	if err != nil {
		return deskFault(err)
	}
	d := readingData{Share: p.overrideShare(&row.Proposal), batchRow: *row, Unchanged: all.Digest == row.Proposal.Digest, Before: all.Before, Of: of}
	var shown []issuer.ReadingRow
	for _, w := range listWords {
		list := readingList{Of: w.of, Word: w.word, Path: Root + "/batches/of/" + row.ID + "/people?" + url.Values{"of": {w.of}}.Encode(), Here: w.of == of}
		var rows []issuer.ReadingRow
		switch w.of {
		case listGone:
			rows = all.Gone
		case listTen:
			for _, i := range rand.Perm(len(all.Rows))[:min(10, len(all.Rows))] {
				rows = append(rows, all.Rows[i])
			}
		default:
			for i := range all.Rows {
				if inList(&all.Rows[i], w.of) {
					rows = append(rows, all.Rows[i])
				}
			}
		}
		if list.Count = len(rows); list.Here {
			shown = rows
		}
		if comparing := w.of == listNew || w.of == listChanged || w.of == listGone; !comparing || all.Before > 0 {
			d.Lists = append(d.Lists, list)
		}
	}
	if !slices.ContainsFunc(listWords, func(w struct{ of, word string }) bool { return w.of == of }) {
		return errFields
	}
	d.Paging = p.Paging(len(shown))
	shown = shown[d.Paging.Offset():min(len(shown), d.Paging.Offset()+d.Paging.Size)]
	if d.People, err = s.people(p, row.ID, shown); err != nil {
		return err
	}
	return p.Show("batches_read", "batches.read", d, "programme", row.Programme, "round", int64(row.Round))
}

// people puts to rows who they are; the log is told.
func (s *Batches) people(p *Page, batch string, rows []issuer.ReadingRow) (list []readingRow, err error) {
	var ids []issuer.UnitID
	for i := range rows {
		ids = append(ids, rows[i].Unit)
	}
	lines, err := s.Desk.Lines(p.Context(), p.Org(), p.Actor(), batch, ids)
	if err != nil {
		return nil, deskFault(err)
	}
	for i := range rows {
		list = append(list, p.readingRow(&rows[i], &lines[i]))
	}
	return list, nil
}

func (p *Page) readingRow(r *issuer.ReadingRow, l *records.Line) readingRow {
	one := readingRow{ID: r.Unit.String(), Kind: string(l.Kind), Number: l.Number, Gets: whatDue(&r.Due), Got: whatDue(&r.Was), Wrote: r.Wrote, New: r.New, Changed: r.Changed, Own: r.Own,
		Override: r.Override.Reason, OverBy: r.Override.By, OverNote: r.Override.Note}
	if l.Kind == registry.KindHousehold {
		one.Size = l.Size
	}
	if p.May(string(access.PersonRead)) {
		one.Name = l.Name.Text
		one.Path = pathOf(l.Kind, r.Unit)
	}
	if r.Until != 0 {
		one.Until = r.Until.Std()
	}
	if r.Override.Reason != "" {
		one.Says = p.overrideWord(r.Override.Reason)
	}
	if r.Why.Count > 0 {
		one.Why = p.lackWord(leftWords, r.Why.Lack, r.Why.Why)
	}
	for _, f := range r.Doubles {
		d := readingDouble{Other: f.Other.String(), Why: f.Why, Decided: f.Decided, By: f.By}
		if one.Path != "" {
			d.Path = pathOf(registry.KindPerson, f.Other)
		}
		one.Doubles = append(one.Doubles, d)
	}
	return one
}

// pathOf is the page of a record.
func pathOf(kind registry.Kind, id registry.ID) string {
	if kind == registry.KindHousehold {
		return Root + "/households/" + id.String()
	}
	return Root + "/people/" + id.String()
}

// overrideWord says why somebody passed the gate: in the words of a code, or as the code.
func (p *Page) overrideWord(reason string) template.HTML {
	if i := slices.IndexFunc(overrides, func(n named) bool { return n.Code == reason }); i >= 0 {
		return p.T(overrides[i].Word)
	}
	return p.T("batches.over_other", "reason", reason)
}

// override lets one unit of a prepared batch pass the gate, or takes that back.
func (s *Batches) override(p *Page) error {
	r, err := s.find(p)
	if err != nil {
		return err
	}
	unit, err := registry.ParseID(p.Form.Get("unit"))
	if err != nil {
		return errFields
	}
	reason := p.Form.Get("reason")
	if reason != "" && !has(overrides, reason) {
		return BadForm("batches.over_why")
	}
	if !r.CanSubmit || p.Form.Get("digest") != r.Digest {
		return ErrConflict
	}
	o := issuer.Override{Unit: unit, Reason: reason, Note: p.Form.Get("note"), By: p.Actor().ID}
	err = p.Do(func(ctx context.Context) error {
		return s.Desk.Override(ctx, p.Org(), p.Actor(), r.ID, r.Proposal.Digest, o)
	})
	if err != nil {
		return deskFault(err)
	}
	if reason == "" {
		return p.Done("/batches/of/"+r.ID+"/mend", Note{Word: "batches.over_ended"})
	}
	return p.Done("/batches/of/"+r.ID+"/people?of="+listOverrides, Note{Word: "batches.over_done"})
}

// leftWords and refusedWords say why somebody gets no card, where the gate was not asked.
var (
	leftWords = map[string]string{issuer.SkippedHold: "batches.left_hold", issuer.SkippedCancel: "batches.left_cancelled", issuer.SkippedOver: "batches.left_over", issuer.SkippedGone: "batches.left_gone",
		issuer.RefusedClaims: "batches.left_claims"}
	refusedWords = map[string]string{issuer.RefusedGate: "batches.refused_gate", issuer.RefusedUnit: "batches.left_gone", issuer.RefusedExists: "batches.refused_exists", issuer.RefusedRevoked: "batches.refused_revoked",
		issuer.RefusedAlone: "batches.refused_alone", issuer.RefusedLost: "batches.refused_lost", issuer.RefusedWithdrawn: "batches.refused_withdrawn", issuer.RefusedDuplicate: "batches.refused_duplicate",
		issuer.RefusedClaims: "batches.left_claims", issuer.RefusedReplaced: "batches.refused_replaced", issuer.RefusedFormer: "batches.refused_former", issuer.RefusedName: "batches.refused_name",
		issuer.RefusedOtherKey: "batches.refused_other_key", issuer.RefusedBadCard: "batches.refused_bad_card", issuer.RefusedNumber: "batches.refused_number", issuer.RefusedSealed: "batches.refused_sealed"}
)

// lackWord says why somebody gets no card, in the reader's language where there are words
// for it: those of the gate, or the given ones. english is what there is else.
func (p *Page) lackWord(words map[string]string, l issuer.Lack, english string) template.HTML {
	if word := p.gateWord(l); word != "" {
		return word
	}
	if word := words[l.Code]; word != "" {
		return p.T(word)
	}
	return `<bdi lang="en">` + template.HTML(template.HTMLEscapeString(english)) + `</bdi>`
}

// A reasonSays is a reason in the reader's language, and of how many it is true.
type reasonSays struct {
	Count int
	Word  template.HTML
}

// reasons puts those together that say the same.
func (p *Page) reasons(words map[string]string, all []issuer.BulkReason) (list []reasonSays) {
	for _, r := range all {
		word := p.lackWord(words, r.Lack, r.Why)
		if i := slices.IndexFunc(list, func(s reasonSays) bool { return s.Word == word }); i >= 0 {
			list[i].Count += r.Count
			continue
		}
		list = append(list, reasonSays{r.Count, word})
	}
	return list
}

// Where implements Pointer: what whoever approves a batch reads first.
func (s *Batches) Where(_ *Page, a access.Approval) string {
	if a.Act != access.BatchSubmit || strings.ContainsAny(a.Object, "/?#") {
		return ""
	}
	return "/batches/of/" + a.Object + "/people"
}
