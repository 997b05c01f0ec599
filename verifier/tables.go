package verifier

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/bits"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/jose"
	"aidpass/schemas"
)

// Bounds of what a pack's sealed parts hold (docs/formats/pack.md).
const (
	MaxRows       = 100_000  // of the expected list
	MaxPhotoBytes = 64 << 10 // of one photo
	maxLines      = 16       // of a row or a table
	MaxNames      = 8        // of a row; collectors too
	MaxNameBytes  = 256      // of a name, label, unit or code
	maxProgrammes = 256
	maxTables     = 1024 // of one programme
	maxLabels     = 4096
	maxLanguages  = 16
	maxBound      = 8 // cards of a row that bind the photo

	pseudonymBytes  = 12
	beforePseudonym = 3 // the map's head, its key 1 and the head of 12 bytes
	photoKeyBytes   = 16
)

// tableLimits bound the CBOR of a sealed part; the members have tighter ones.
var tableLimits = cbor.Limits{Depth: 8, Entries: MaxRows}

// Line is one thing that is given.
type Line struct {
	Code   string            // of the thing or service; empty: money
	Amount string            // decimal, "2400.00"
	Unit   string            // KES, kg, visit; empty: pieces
	Label  map[string]string // what Code is called, by language tag; nil: not told
}

// RowCheck is how the person in front is tied to a row where nothing signed does it.
type RowCheck uint8

// The checks. The laptop knows which can be made; staff may always take another.
const (
	RowUnsaid  RowCheck = iota
	RowPhoto            // compare with the photo in the pack
	RowWitness          // somebody of the committee knows her
	RowPrivate          // she refused a photo or is veiled: female staff in private, or a witness
	lastCheck  = RowPrivate
)

// Row is one unit on the site's expected list.
type Row struct {
	Issuer, Programme, Pseudonym string
	Round                        uint64
	Names                        []string // as recorded; nil: nobody is to be named
	Size                         uint64   // heads; 0: not told
	Lines                        []Line   // what is due; nil: the tables say
	Collectors                   []string // names of who else may fetch it
	Check                        RowCheck

	PhotoKey []byte   // PhotoKey of the photo in the pack; nil: none
	Bound    [][]byte // photo_hash of her cards, where the pack's photo is a smaller copy of what they bind
}

// PhotoKey names a photo in a pack: the first 16 bytes of its SHA-256.
func PhotoKey(photo []byte) []byte {
	sum := sha256.Sum256(photo)
	return sum[:photoKeyBytes]
}

// Tables are a pack's sealed parts, opened: code and amount tables, expected list,
// photos. The zero value and nil are empty. It keeps the decrypted bytes and where
// rows begin in them: four bytes a row beside the part itself.
type Tables struct {
	programmes map[string]programmeTable
	labels     map[string]map[string]string

	list   []byte
	rows   []uint32 // where the pseudonym of each row stands in list
	groups []rowGroup

	photos []byte
	images []uint32 // where each key begins in photos, by rising key
}

type programmeTable struct {
	names  map[string]string
	tables []dueTable
}

type dueTable struct {
	round uint64
	band  string
	lines []Line
}

// rowGroup is the rows of one issuer, programme and round; from and to index rows.
type rowGroup struct {
	issuer, programme string
	round             uint64
	from, to          int
}

var errTables = errors.New("verifier: a sealed part of the pack is not as one is written")

// Tables opens the pack's sealed parts with what the operator unlocked: empty
// Tables where the pack has none or u holds no content key. The error is ErrUnlock
// where a part does not open with that key, else of a part that is malformed.
func (p *Pack) Tables(u *Unlocked) (*Tables, error) {
	t := new(Tables)
	if u == nil || u.ContentKey == nil {
		return t, nil
	}
	var seen [lastPart + 1]bool
	for _, part := range p.Parts {
		if part.Kind < PartCodes || part.Kind > PartPhotos {
			continue
		}
		if seen[part.Kind] {
			return nil, errTables
		}
		seen[part.Kind] = true
		plain, err := p.OpenPackPart(u, part)
		if err != nil {
			return nil, err
		}
		if !t.read(part.Kind, plain) {
			return nil, errTables
		}
	}
	return t, nil
}

// read takes in one opened part; false: it is malformed.
func (t *Tables) read(kind PartKind, b []byte) bool {
	n, form, err := cbor.Scan(b, tableLimits)
	if err != nil || form != 0 || len(b) != sizeClass(n) || !zeros(b[n:]) {
		return false
	}
	b = b[:n]
	r := tableReader{Reader: cbor.NewReader(b), at: b}
	switch kind {
	case PartCodes:
		t.readCodes(&r)
	case PartExpected:
		t.list = b
		t.readList(&r)
	default:
		t.photos = b
		t.readPhotos(&r)
	}
	return !r.bad && r.Done()
}

// sizeClass is how long a part's content of n bytes is sealed: zeros behind it make a
// few sizes of many, so that a part's size does not tell how many people are in it.
// It adds an eighth at most, and up to 4,096 bytes.
func sizeClass(n int) int {
	step := max(4096, 1<<bits.Len(uint(n))>>4)
	return (n + step - 1) / step * step
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// tableReader reads with bounds and remembers whether any was broken.
type tableReader struct {
	cbor.Reader
	at  []byte // the whole part
	bad bool
}

func (r *tableReader) ensure(ok bool) {
	if !ok {
		r.bad = true
	}
}

// more is true while entries are left and all was well so far.
//
//go:noinline
func (r *tableReader) more(n int) bool { return n > 0 && !r.bad && r.Err() == nil }

//go:noinline
func (r *tableReader) text() string {
	b := r.Text()
	r.ensure(len(b) <= MaxNameBytes)
	return string(b)
}

//go:noinline
func (r *tableReader) array(most int) int {
	n := r.Array()
	r.ensure(n <= most)
	return n
}

//go:noinline
func (r *tableReader) entries(most int) int {
	n := r.Map()
	r.ensure(n <= most)
	return n
}

//go:noinline
func (r *tableReader) byLanguage() map[string]string {
	m := map[string]string{}
	for n := r.entries(maxLanguages); r.more(n); n-- {
		lang := r.text()
		m[lang] = r.text()
	}
	return m
}

//go:noinline
func (r *tableReader) texts() (list []string) {
	n := r.array(MaxNames)
	r.ensure(n > 0)
	for ; r.more(n); n-- {
		s := r.text()
		r.ensure(s != "")
		list = append(list, s)
	}
	return list
}

//go:noinline
func (r *tableReader) lines() (list []Line) {
	n := r.array(maxLines)
	r.ensure(n > 0)
	for ; r.more(n); n-- {
		r.ensure(r.Array() == 3)
		l := Line{Code: r.text(), Amount: r.text(), Unit: r.text()}
		r.ensure(decimal(l.Amount))
		list = append(list, l)
	}
	return list
}

// decimal is true of digits with at most one point between them.
func decimal(s string) bool {
	whole, part, point := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return len(s) <= 20 && digits(whole) && (!point || digits(part))
}

// codes = { 1: { * programme => [names, [* table]] }, 2: { * code => labels } }
func (t *Tables) readCodes(r *tableReader) {
	t.programmes, t.labels = map[string]programmeTable{}, map[string]map[string]string{}
	r.ensure(r.Kind() == cbor.Map && r.Map() == 2 && r.Int() == 1)
	for n := r.entries(maxProgrammes); r.more(n); n-- {
		code := r.text()
		r.ensure(r.Array() == 2)
		p := programmeTable{names: r.byLanguage()}
		for m := r.array(maxTables); r.more(m); m-- {
			r.ensure(r.Array() == 3)
			p.tables = append(p.tables, dueTable{round: r.Uint(), band: r.text(), lines: r.lines()})
		}
		t.programmes[code] = p
	}
	r.ensure(r.Int() == 2)
	for n := r.entries(maxLabels); r.more(n); n-- {
		code := r.text()
		t.labels[code] = r.byLanguage()
	}
}

// expected = [* [issuer, programme, round, [* row]]], groups and rows rising: a row
// is found by halving, also from a card number, which is how a pseudonym begins.
func (t *Tables) readList(r *tableReader) {
	for n := r.array(MaxRows); r.more(n); n-- {
		r.ensure(r.Array() == 4)
		t.groups = append(t.groups, rowGroup{issuer: r.text(), programme: r.text(), round: r.Uint(), from: len(t.rows)})
		g := &t.groups[len(t.groups)-1]
		r.ensure(len(t.groups) == 1 || t.groups[len(t.groups)-2].before(g))
		m := r.array(MaxRows)
		r.ensure(m > 0 && len(t.rows)+m <= MaxRows)
		var last []byte
		for ; r.more(m); m-- {
			t.rows = append(t.rows, uint32(len(r.at)-r.Left()+beforePseudonym))
			pseudonym := r.row(nil)
			r.ensure(last == nil || bytes.Compare(last, pseudonym) < 0)
			last = pseudonym
		}
		g.to = len(t.rows)
	}
}

func (g *rowGroup) before(o *rowGroup) bool {
	if c := strings.Compare(g.issuer, o.issuer); c != 0 {
		return c < 0
	}
	if c := strings.Compare(g.programme, o.programme); c != 0 {
		return c < 0
	}
	return g.round < o.round
}

// row reads one row, into out where it is asked for, and returns its pseudonym.
func (r *tableReader) row(out *Row) (pseudonym []byte) {
	var skip Row
	if out == nil {
		out = &skip
	}
	n := r.Map()
	r.ensure(n > 0 && r.Int() == 1)
	pseudonym = r.Bytes()
	r.ensure(len(pseudonym) == pseudonymBytes)
	for n--; r.more(n); n-- {
		switch r.Int() {
		case 2:
			out.Names = r.texts()
		case 3:
			out.Size = r.Uint()
			r.ensure(out.Size > 0)
		case 4:
			out.Lines = r.lines()
		case 5:
			out.Collectors = r.texts()
		case 6:
			c := r.Uint()
			r.ensure(c > 0 && c <= uint64(lastCheck))
			out.Check = RowCheck(c)
		case 7:
			out.PhotoKey = r.Bytes()
			r.ensure(len(out.PhotoKey) == photoKeyBytes)
		case 8:
			m := r.array(maxBound)
			r.ensure(m > 0)
			for ; r.more(m); m-- {
				h := r.Bytes()
				r.ensure(len(h) == photoKeyBytes)
				out.Bound = append(out.Bound, h)
			}
		default:
			r.bad = true
		}
	}
	return pseudonym
}

// photos = { * key => JPEG }
func (t *Tables) readPhotos(r *tableReader) {
	for n := r.entries(MaxRows); r.more(n); n-- {
		r.ensure(len(r.Bytes()) == photoKeyBytes)
		t.images = append(t.images, uint32(len(r.at)-r.Left()-photoKeyBytes))
		jpeg := r.Bytes()
		r.ensure(len(jpeg) <= MaxPhotoBytes && bytes.HasPrefix(jpeg, []byte{0xff, 0xd8}))
	}
}

// ProgrammeName is what a programme is called: in lang, else in English, else in any
// language; "" where the pack does not tell.
func (t *Tables) ProgrammeName(programme, lang string) string {
	if t == nil {
		return ""
	}
	return InLanguage(t.programmes[programme].names, lang)
}

// InLanguage picks a text by language tag: lang, "en", or the first by tag.
func InLanguage(texts map[string]string, lang string) string {
	for _, l := range [...]string{lang, "en"} {
		if s := texts[l]; s != "" {
			return s
		}
	}
	first := ""
	for l := range texts {
		if first == "" || l < first {
			first = l
		}
	}
	return texts[first]
}

// Due is what is to be given under a ledger key: the lines of its row, else the
// table of programme, round and size band (the card's size_band claim; "" where it
// has none), else the table for whoever comes. Nil: the pack does not tell.
func (t *Tables) Due(l LedgerKey, band string) []Line {
	if row := t.Row(l); row != nil && row.Lines != nil {
		return row.Lines
	}
	if t == nil {
		return nil
	}
	for _, b := range [...]string{band, ""} {
		for _, d := range t.programmes[l.Programme].tables {
			if d.round == l.Round && d.band == b {
				return t.labelled(slices.Clone(d.lines))
			}
		}
	}
	return nil
}

func (t *Tables) labelled(lines []Line) []Line {
	for i := range lines {
		lines[i].Label = t.labels[lines[i].Code]
	}
	return lines
}

// Row is the row of the expected list under a ledger key, or nil.
func (t *Tables) Row(l LedgerKey) *Row {
	if t == nil {
		return nil
	}
	want, err := jose.DecodeBase64(l.Pseudonym)
	if err != nil || len(want) != pseudonymBytes {
		return nil
	}
	for _, row := range t.between(want, want) {
		if row.Ledger() == l {
			return row
		}
	}
	return nil
}

// ByNumber finds the rows of a printed card number, typed as people type them, in
// every programme and round on the list. Nil too where the number cannot be one.
func (t *Tables) ByNumber(number string) (rows []*Row) {
	number, err := cwt.CheckCardNumber(number)
	if err != nil || t == nil {
		return nil
	}
	least := cwt.PseudonymPrefix(number)
	most := slices.Clone(least)
	most[len(most)-1] |= 0x3f
	return t.between(least, most)
}

// between finds the rows of any group whose pseudonym begins with least, with most or
// with what lies between them.
func (t *Tables) between(least, most []byte) (rows []*Row) {
	for i := range t.groups {
		g := &t.groups[i]
		for n := find(t.list, t.rows, g.from, g.to, least); n < g.to && bytes.Compare(t.list[t.rows[n]:][:len(most)], most) <= 0; n++ {
			rows = append(rows, t.row(g, n))
		}
	}
	return rows
}

// find is the first of keys from to to that is not below want; keys tells where in b
// each begins, and they rise.
func find(b []byte, keys []uint32, from, to int, want []byte) int {
	for from < to {
		mid := (from + to) / 2
		if bytes.Compare(b[keys[mid]:][:len(want)], want) < 0 {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from
}

func (t *Tables) row(g *rowGroup, n int) *Row {
	out := &Row{Issuer: g.issuer, Programme: g.programme, Round: g.round}
	r := tableReader{Reader: cbor.NewReader(t.list[t.rows[n]-beforePseudonym:])}
	out.Pseudonym = jose.EncodeBase64(r.row(out))
	t.labelled(out.Lines)
	return out
}

// Ledger is where the row's collections are counted.
func (r *Row) Ledger() LedgerKey {
	return LedgerKey{Issuer: r.Issuer, Pseudonym: r.Pseudonym, Programme: r.Programme, Round: r.Round}
}

// Photo is the row's photo as JPEG; nil where the pack has none, or another one
// under its key. It aliases the pack: not to be changed.
func (t *Tables) Photo(row *Row) []byte {
	if t == nil || row == nil || row.PhotoKey == nil {
		return nil
	}
	n := find(t.photos, t.images, 0, len(t.images), row.PhotoKey)
	if n == len(t.images) {
		return nil
	}
	r := cbor.NewReader(t.photos[t.images[n]+photoKeyBytes:])
	if photo := r.Bytes(); bytes.Equal(PhotoKey(photo), row.PhotoKey) {
		return photo
	}
	return nil
}

// Counts tells how much the tables hold.
func (t *Tables) Counts() (programmes, rows, photos int) {
	if t == nil {
		return 0, 0, 0
	}
	return len(t.programmes), len(t.rows), len(t.images)
}

// Fit says whether a photo is the one a card was issued with.
type Fit uint8

// The answers. A card that binds no photo is as good: it says nothing either way.
const (
	FitUnknown Fit = iota // the card binds no photo, or there is none to compare
	FitYes
	FitNo // the row's photo is another than the card's: the help desk
)

// PhotoFits holds the photo of a row against the photo_hash of a proven card
// (cwt.PhotoHash): over the very bytes, or, where the pack has a smaller copy, over
// what the laptop wrote beside it from the whole one.
func (t *Tables) PhotoFits(c *credential.Credential, row *Row) Fit {
	photo := t.Photo(row)
	if photo == nil || !c.Proven() || c.Plain == nil {
		return FitUnknown
	}
	r := cbor.NewReader(c.Plain)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if r.Int() != schemas.PhotoHashKey {
			r.Skip()
			continue
		}
		if r.Kind() != cbor.Bytes {
			return FitUnknown
		}
		want := r.Bytes()
		if hash := cwt.PhotoHash(c.ID, photo); bytes.Equal(hash[:], want) {
			return FitYes
		}
		for _, h := range row.Bound {
			if bytes.Equal(h, want) {
				return FitYes
			}
		}
		return FitNo
	}
	return FitUnknown
}
