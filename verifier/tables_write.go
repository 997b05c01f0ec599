package verifier

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"aidpass/internal/cbor"
	"aidpass/internal/jose"
)

// Codes is the content of a part of kind PartCodes, to be written.
type Codes struct {
	Programmes map[string]ProgrammeCodes
	Labels     map[string]map[string]string // of things and services, by code and language tag
}

// ProgrammeCodes is what a pack tells of one programme.
type ProgrammeCodes struct {
	Names  map[string]string // by language tag
	Tables []DueTable
}

// DueTable is what each unit of a size band is due in a round; an empty band is
// whoever no other table speaks of.
type DueTable struct {
	Round uint64
	Band  string
	Lines []Line // labels are those of Codes
}

// Encode writes the part before it is sealed, and refuses what no device would read.
func (c *Codes) Encode() ([]byte, error) {
	var programmes, labels cbor.MapBuilder
	for code, p := range c.Programmes {
		b := appendTexts(cbor.AppendArray(nil, 2), p.Names)
		b = cbor.AppendArray(b, len(p.Tables))
		for _, d := range p.Tables {
			b = cbor.AppendText(cbor.AppendUint(cbor.AppendArray(b, 3), d.Round), d.Band)
			b = appendLines(b, d.Lines)
		}
		programmes.PutText(code, b)
	}
	for code, texts := range c.Labels {
		labels.PutText(code, appendTexts(nil, texts))
	}
	b := mustAppend(&programmes, cbor.AppendInt(cbor.AppendMap(nil, 2), 1))
	b = mustAppend(&labels, cbor.AppendInt(b, 2))
	return readable(PartCodes, b)
}

func appendTexts(b []byte, texts map[string]string) []byte {
	var m cbor.MapBuilder
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		m.PutText(lang, cbor.AppendText(nil, texts[lang]))
	}
	return mustAppend(&m, b)
}

func appendLines(b []byte, lines []Line) []byte {
	b = cbor.AppendArray(b, len(lines))
	for _, l := range lines {
		b = cbor.AppendText(cbor.AppendArray(b, 3), l.Code)
		b = cbor.AppendText(cbor.AppendText(b, l.Amount), l.Unit)
	}
	return b
}

// readable pads a part to its size class, and refuses one that a device would refuse.
func readable(kind PartKind, b []byte) ([]byte, error) {
	b = append(b, make([]byte, sizeClass(len(b))-len(b))...)
	if !new(Tables).read(kind, b) {
		return nil, fmt.Errorf("verifier: %s: over its bounds, or an amount that is no decimal (docs/formats/pack.md)", kind)
	}
	return b, nil
}

// ListWriter gathers the rows of an expected list as the bytes they will be: what a
// list of 50,000 takes in memory is little more than the part.
type ListWriter struct{ groups []*writtenGroup }

type writtenGroup struct {
	rowGroup
	rows [][]byte
}

// Add takes one row. Its pseudonym is the text of cwt.Pseudonym.
func (w *ListWriter) Add(r *Row) error {
	pseudonym, err := jose.DecodeBase64(r.Pseudonym)
	if err != nil || len(pseudonym) != pseudonymBytes {
		return fmt.Errorf("verifier: expected list: a pseudonym of %d characters", len(r.Pseudonym))
	}
	i := slices.IndexFunc(w.groups, func(g *writtenGroup) bool {
		return g.issuer == r.Issuer && g.programme == r.Programme && g.round == r.Round
	})
	if i < 0 {
		i = len(w.groups)
		w.groups = append(w.groups, &writtenGroup{rowGroup: rowGroup{issuer: r.Issuer, programme: r.Programme, round: r.Round}})
	}
	g := w.groups[i]
	g.rows = append(g.rows, appendRow(pseudonym, r))
	return nil
}

func appendRow(pseudonym []byte, r *Row) []byte {
	n, b := 1, cbor.AppendBytes(cbor.AppendInt(nil, 1), pseudonym)
	put := func(key int64) {
		n++
		b = cbor.AppendInt(b, key)
	}
	names := func(key int64, list []string) {
		if list = list[:min(len(list), MaxNames)]; len(list) == 0 {
			return
		}
		put(key)
		b = cbor.AppendArray(b, len(list))
		for _, s := range list {
			b = cbor.AppendText(b, s)
		}
	}
	names(2, r.Names)
	if r.Size > 0 {
		put(3)
		b = cbor.AppendUint(b, r.Size)
	}
	if len(r.Lines) > 0 {
		put(4)
		b = appendLines(b, r.Lines)
	}
	names(5, r.Collectors)
	if r.Check != RowUnsaid {
		put(6)
		b = cbor.AppendUint(b, uint64(r.Check))
	}
	if r.PhotoKey != nil {
		put(7)
		b = cbor.AppendBytes(b, r.PhotoKey)
	}
	if len(r.Bound) > 0 {
		put(8)
		b = cbor.AppendArray(b, min(len(r.Bound), maxBound))
		for _, h := range r.Bound[:min(len(r.Bound), maxBound)] {
			b = cbor.AppendBytes(b, h)
		}
	}
	return append(cbor.AppendMap(nil, n), b...)
}

// Len is how many rows were added.
func (w *ListWriter) Len() (n int) {
	for _, g := range w.groups {
		n += len(g.rows)
	}
	return n
}

// Encode writes the part before it is sealed, and refuses what no device would read:
// two rows of one unit and round, too many, a name that is too long.
func (w *ListWriter) Encode() ([]byte, error) {
	slices.SortFunc(w.groups, func(a, b *writtenGroup) int {
		return cmp.Or(cmp.Compare(a.issuer, b.issuer), cmp.Compare(a.programme, b.programme), cmp.Compare(a.round, b.round))
	})
	b := cbor.AppendArray(nil, len(w.groups))
	for _, g := range w.groups {
		slices.SortFunc(g.rows, func(a, b []byte) int { return bytes.Compare(a[3:3+pseudonymBytes], b[3:3+pseudonymBytes]) })
		b = cbor.AppendText(cbor.AppendText(cbor.AppendArray(b, 4), g.issuer), g.programme)
		b = cbor.AppendArray(cbor.AppendUint(b, g.round), len(g.rows))
		for _, row := range g.rows {
			b = append(b, row...)
		}
	}
	return readable(PartExpected, b)
}

// EncodePhotos writes the part of photos (JPEG, at most MaxPhotoBytes each) before it
// is sealed. A photo that comes twice is written once.
func EncodePhotos(photos [][]byte) ([]byte, error) {
	var m cbor.MapBuilder
	seen := map[string]bool{}
	for _, p := range photos {
		key := PhotoKey(p)
		if seen[string(key)] {
			continue
		}
		seen[string(key)] = true
		m.Put(cbor.AppendBytes(nil, key), cbor.AppendBytes(nil, p))
	}
	return readable(PartPhotos, mustAppend(&m, nil))
}
