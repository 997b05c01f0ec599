package verifier_test

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/schemas"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

const programme = "K7Q2"

func unitPseudonym(n int) string {
	return cwt.Pseudonym([]byte("programme"), binary.BigEndian.AppendUint32(nil, uint32(n)))
}

func jpegOf(text string) []byte { return append([]byte{0xff, 0xd8}, text...) }

// sealed makes the three parts of the given contents under the world's content key.
func sealed(t testing.TB, w *vt.World, codes *verifier.Codes, rows []verifier.Row, photos [][]byte) []verifier.Part {
	t.Helper()
	var list verifier.ListWriter
	for i := range rows {
		check(t, list.Add(&rows[i]))
	}
	var parts []verifier.Part
	add := func(kind verifier.PartKind, name string, plain []byte, err error) {
		t.Helper()
		check(t, err)
		p := verifier.Part{Owner: w.A.ID, Kind: kind, Name: name, Sequence: 3, Data: plain}
		p.Data, err = verifier.SealPackPart(w.Content, w.A.ID, vt.Site, p, rand.Reader)
		check(t, err)
		parts = append(parts, p)
	}
	if codes != nil {
		b, err := codes.Encode()
		add(verifier.PartCodes, "codes", b, err)
	}
	if rows != nil {
		b, err := list.Encode()
		add(verifier.PartExpected, "list", b, err)
	}
	if photos != nil {
		b, err := verifier.EncodePhotos(photos)
		add(verifier.PartPhotos, "photos", b, err)
	}
	return parts
}

var someCodes = verifier.Codes{
	Programmes: map[string]verifier.ProgrammeCodes{programme: {
		Names: map[string]string{"en": "Winter cash", "ar": "نقد الشتاء"},
		Tables: []verifier.DueTable{
			{Round: 1, Band: "1-2", Lines: []verifier.Line{{Amount: "1200.00", Unit: "KES"}}},
			{Round: 1, Lines: []verifier.Line{{Code: "RICE", Amount: "5", Unit: "kg"}}}},
	}},
	Labels: map[string]map[string]string{"RICE": {"en": "Rice", "ar": "أرز"}},
}

func someRows(w *vt.World) []verifier.Row {
	return []verifier.Row{
		{Issuer: w.A.ID, Programme: programme, Pseudonym: unitPseudonym(1), Round: 1, Names: []string{"Amina Yusuf", "أمينة يوسف"}, Size: 6,
			Lines:      []verifier.Line{{Amount: "2400.00", Unit: "KES"}, {Code: "RICE", Amount: "12.5", Unit: "kg"}},
			Collectors: []string{"Omar Yusuf"}, Check: verifier.RowPhoto, PhotoKey: verifier.PhotoKey(jpegOf("amina"))},
		{Issuer: w.A.ID, Programme: programme, Pseudonym: unitPseudonym(1), Round: 2, Names: []string{"Amina Yusuf"}},
		{Issuer: w.A.ID, Programme: programme, Pseudonym: unitPseudonym(2), Round: 1, Check: verifier.RowPrivate},
		{Issuer: w.A.ID, Programme: "M4TX", Pseudonym: unitPseudonym(3), Round: 1, Names: []string{"Bol Deng"}, Check: verifier.RowWitness},
	}
}

// someTables are opened as a device opens them.
func someTables(t testing.TB, w *vt.World) (*verifier.Pack, *verifier.Tables) {
	t.Helper()
	p, _ := open(t, w.Pack(vt.PackOptions{More: sealed(t, w, &someCodes, someRows(w), [][]byte{jpegOf("amina"), jpegOf("omar"), jpegOf("amina")})}), verifier.Floors{}, vt.Now)
	tables, err := p.Tables(keys(w))
	check(t, err)
	return p, tables
}

func TestTablesSayWhoIsExpectedAndWhatIsDue(t *testing.T) {
	w := vt.New()
	_, tables := someTables(t, w)
	for _, want := range someRows(w) {
		got := tables.Row(want.Ledger())
		for i := range want.Lines {
			want.Lines[i].Label = someCodes.Labels[want.Lines[i].Code]
		}
		if !reflect.DeepEqual(got, &want) {
			t.Errorf("row of %s:\n got %+v\nwant %+v", want.Pseudonym, got, want)
		}
	}
	if p, rows, photos := tables.Counts(); p != 1 || rows != 4 || photos != 2 {
		t.Errorf("%d programmes, %d rows, %d photos", p, rows, photos)
	}
	for lang, want := range map[string]string{"ar": "نقد الشتاء", "en": "Winter cash", "sw": "Winter cash"} {
		if got := tables.ProgrammeName(programme, lang); got != want {
			t.Errorf("the programme in %s: %q", lang, got)
		}
	}
	key := func(n int, round uint64) verifier.LedgerKey {
		return verifier.LedgerKey{Issuer: w.A.ID, Pseudonym: unitPseudonym(n), Programme: programme, Round: round}
	}
	for _, c := range []struct {
		name string
		l    verifier.LedgerKey
		band string
		want string
	}{
		{"the row's own lines", key(1, 1), "1-2", "2400.00 KES 12.5 kg"},
		{"a row without lines, by its band", key(2, 1), "1-2", "1200.00 KES"},
		{"a row without lines, of a band without a table", key(2, 1), "6-8", "5 kg"},
		{"no row, no band", key(9, 1), "", "5 kg"},
		{"a round nothing is told of", key(1, 2), "1-2", ""},
		{"another issuer's", verifier.LedgerKey{Issuer: w.B.ID, Pseudonym: unitPseudonym(1), Programme: "X", Round: 1}, "1-2", ""},
	} {
		got := ""
		for _, l := range tables.Due(c.l, c.band) {
			got += l.Amount + " " + l.Unit + " "
			if l.Code == "RICE" && l.Label["ar"] != "أرز" {
				t.Errorf("%s: rice has no name", c.name)
			}
		}
		if c.want += " "; got != c.want && (got != "" || c.want != " ") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := tables.Photo(tables.Row(key(1, 1))); !bytes.Equal(got, jpegOf("amina")) {
		t.Errorf("photo: %x", got)
	}
	if tables.Photo(tables.Row(key(2, 1))) != nil || tables.Photo(&verifier.Row{PhotoKey: verifier.PhotoKey([]byte("x"))}) != nil {
		t.Error("a photo that is not in the pack is shown")
	}
}

func TestEmptyTablesAnswerNothing(t *testing.T) {
	w := vt.New()
	p, _ := someTables(t, w)
	var none *verifier.Tables
	locked, err := p.Tables(nil)
	check(t, err)
	keyless, err := p.Tables(&verifier.Unlocked{})
	check(t, err)
	for _, tables := range []*verifier.Tables{none, {}, locked, keyless} {
		row := someRows(w)[0]
		if tables.Row(row.Ledger()) != nil || tables.Due(row.Ledger(), "1-2") != nil || tables.ProgrammeName(programme, "en") != "" ||
			tables.Photo(&row) != nil || tables.ByNumber("00000000000") != nil {
			t.Error("tables that were never opened answer")
		}
	}
}

func numberOf(t testing.TB, n int) string {
	t.Helper()
	number, err := cwt.CardNumber(unitPseudonym(n))
	check(t, err)
	return number
}

func TestARowIsFoundByItsPrintedNumber(t *testing.T) {
	w := vt.New()
	_, tables := someTables(t, w)
	for n, want := range map[int]int{1: 2, 2: 1, 3: 1, 4: 0} {
		number := numberOf(t, n)
		for _, typed := range []string{number, number[:4] + "-" + number[4:], " " + string(bytes.ToLower([]byte(number)))} {
			rows := tables.ByNumber(typed)
			if len(rows) != want {
				t.Errorf("unit %d typed %q: %d rows, want %d", n, typed, len(rows), want)
			}
			for _, r := range rows {
				if r.Pseudonym != unitPseudonym(n) {
					t.Errorf("unit %d: the row of somebody else", n)
				}
			}
		}
	}
	for _, typed := range []string{"", "x", "00000000001", numberOf(t, 1) + "0"} {
		if rows := tables.ByNumber(typed); rows != nil {
			t.Errorf("%q finds %d rows", typed, len(rows))
		}
	}
}

type collected map[verifier.LedgerKey]verifier.Use

func (c collected) Earlier(k verifier.LedgerKey) (verifier.Use, bool) {
	u, ok := c[k]
	return u, ok
}

func TestATypedNumberIsNeverValid(t *testing.T) {
	w := vt.New()
	p, tables := someTables(t, w)
	row := someRows(w)[0]
	open := verifier.Policy{Programmes: map[string][]verifier.Round{programme: {{N: 1, Opens: vt.Now - 1, Closes: vt.Now + 1}}, "M4TX": nil}}
	shut := verifier.Policy{Programmes: map[string][]verifier.Round{programme: {{N: 2, Opens: vt.Now - 1, Closes: vt.Now + 1}}}}
	for _, c := range []struct {
		name   string
		number string
		policy verifier.Policy
		uses   verifier.Uses
		at     credential.Time
		round  uint64
		want   []words.Reason
	}{
		{"on the list, nothing given yet", numberOf(t, 1), open, collected{}, vt.Now, 1, []words.Reason{words.NumberOnly}},
		{"no journal to look into", numberOf(t, 1), open, nil, vt.Now, 1, []words.Reason{words.NumberOnly}},
		{"given before", numberOf(t, 1), open, collected{row.Ledger(): {At: 1}}, vt.Now, 1, []words.Reason{words.AlreadyRedeemed, words.NumberOnly}},
		{"a part given before", numberOf(t, 1), open, collected{row.Ledger(): {Part: true}}, vt.Now, 1, []words.Reason{words.NumberOnly, words.PartlyCollected}},
		{"the round that is open comes first", numberOf(t, 1), shut, nil, vt.Now, 2, []words.Reason{words.NumberOnly}},
		{"a round that is over", numberOf(t, 2), shut, nil, vt.Now, 1, []words.Reason{words.NumberOnly, words.WrongRound}},
		{"a programme that is not served", numberOf(t, 3), shut, nil, vt.Now, 1, []words.Reason{words.NumberOnly, words.WrongProgramme}},
		{"any round served", numberOf(t, 3), open, nil, vt.Now, 1, []words.Reason{words.NumberOnly}},
		{"not on the list", numberOf(t, 9), open, collected{}, vt.Now, 0, []words.Reason{words.NumberOnly}},
		{"no number at all", "ABC", open, collected{}, vt.Now, 0, []words.Reason{words.NumberOnly}},
		{"a pack that is over", numberOf(t, 3), verifier.Policy{}, nil, p.Expires, 1, []words.Reason{words.NumberOnly, words.PackExpired}},
		{"a clock that is behind", numberOf(t, 3), verifier.Policy{}, nil, vt.Made - 400*day, 1, []words.Reason{words.NumberOnly, words.ClockImplausible}},
	} {
		q := *p
		q.Policy = c.policy
		results := verifier.Number(c.number, tables, verifier.Inputs{At: c.at, Pack: &q, Uses: c.uses})
		r := results[0]
		if !reflect.DeepEqual(r.Reasons(), c.want) || r.Reason != c.want[0] || r.Facts != words.NoFacts || r.CardNumber() != "" {
			t.Errorf("%s: %v, facts %v", c.name, r.Reasons(), r.Facts)
		}
		if (r.Row == nil) != (c.round == 0) || r.Ledger.Round != c.round {
			t.Errorf("%s: row %+v", c.name, r.Row)
		}
		if want := words.Of(c.want[0]); r.Answer != want.Answer || r.Word != want.Word || r.Answer == words.Valid {
			t.Errorf("%s: %s %s", c.name, r.Answer, r.Word)
		}
		if (r.Err != nil) != (c.number == "ABC") {
			t.Errorf("%s: %v", c.name, r.Err)
		}
	}
	if r := verifier.Number(numberOf(t, 1), tables, verifier.Inputs{At: vt.Now}); len(r) != 1 || r[0].Row != nil || r[0].Answer != words.Unsure {
		t.Errorf("without a pack: %+v", r)
	}
}

func TestSealedContentsOpenNowhereElse(t *testing.T) {
	w := vt.New()
	p, _ := someTables(t, w)
	for name, edit := range map[string]func(*verifier.Pack, *verifier.Unlocked){
		"another site":        func(p *verifier.Pack, _ *verifier.Unlocked) { p.Site = "DAD-1" },
		"another pack's key":  func(_ *verifier.Pack, u *verifier.Unlocked) { u.ContentKey = make([]byte, 16) },
		"an older round":      func(p *verifier.Pack, _ *verifier.Unlocked) { p.Parts[len(p.Parts)-2].Sequence-- },
		"a byte of it":        func(p *verifier.Pack, _ *verifier.Unlocked) { p.Parts[len(p.Parts)-2].Data[40] ^= 1 },
		"the list as photos":  func(p *verifier.Pack, _ *verifier.Unlocked) { p.Parts[len(p.Parts)-2].Kind = verifier.PartPhotos },
		"the same part twice": func(p *verifier.Pack, _ *verifier.Unlocked) { p.Parts = append(p.Parts, p.Parts[len(p.Parts)-1]) },
	} {
		q, u := *p, keys(w)
		q.Parts = bytesOf(p.Parts)
		edit(&q, u)
		if tables, err := q.Tables(u); err == nil || tables != nil {
			t.Errorf("%s: opened", name)
		} else if name != "the same part twice" && !errors.Is(err, verifier.ErrUnlock) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func bytesOf(parts []verifier.Part) []verifier.Part {
	out := append([]verifier.Part(nil), parts...)
	for i := range out {
		out[i].Data = bytes.Clone(out[i].Data)
	}
	return out
}

func TestWhatNoDeviceWouldReadIsNotWritten(t *testing.T) {
	w := vt.New()
	row := verifier.Row{Issuer: w.A.ID, Programme: programme, Pseudonym: unitPseudonym(1), Round: 1}
	with := func(edit func(*verifier.Row)) []verifier.Row {
		r := row
		edit(&r)
		return []verifier.Row{r}
	}
	long := string(bytes.Repeat([]byte("a"), 257))
	for name, rows := range map[string][]verifier.Row{
		"two rows of one unit":       {row, row},
		"a name without end":         with(func(r *verifier.Row) { r.Names = []string{long} }),
		"an empty name":              with(func(r *verifier.Row) { r.Names = []string{""} }),
		"an amount in words":         with(func(r *verifier.Row) { r.Lines = []verifier.Line{{Amount: "two", Unit: "KES"}} }),
		"an amount below nothing":    with(func(r *verifier.Row) { r.Lines = []verifier.Line{{Amount: "-2", Unit: "KES"}} }),
		"seventeen lines":            with(func(r *verifier.Row) { r.Lines = make([]verifier.Line, 17) }),
		"a check nobody knows":       with(func(r *verifier.Row) { r.Check = 9 }),
		"a photo key of three bytes": with(func(r *verifier.Row) { r.PhotoKey = []byte("abc") }),
	} {
		var list verifier.ListWriter
		for i := range rows {
			check(t, list.Add(&rows[i]))
		}
		if _, err := list.Encode(); err == nil {
			t.Errorf("%s is written", name)
		}
	}
	if err := new(verifier.ListWriter).Add(&verifier.Row{Pseudonym: "short"}); err == nil {
		t.Error("a pseudonym of five characters is taken")
	}
	for name, photo := range map[string][]byte{"no JPEG": []byte("GIF89a"), "too large": append(jpegOf(""), make([]byte, verifier.MaxPhotoBytes)...)} {
		if _, err := verifier.EncodePhotos([][]byte{photo}); err == nil {
			t.Errorf("a photo that is %s is written", name)
		}
	}
}

// A list of MaxRows costs a device its bytes and four more a row.
func TestManyRowsTakeLittleMemory(t *testing.T) {
	w := vt.New()
	var list verifier.ListWriter
	for n := range verifier.MaxRows {
		check(t, list.Add(&verifier.Row{Issuer: w.A.ID, Programme: programme, Pseudonym: unitPseudonym(n), Round: 1,
			Names: []string{fmt.Sprintf("Person %d", n)}, Size: uint64(n%9 + 1), Lines: []verifier.Line{{Amount: "2400.00", Unit: "KES"}}}))
	}
	plain, err := list.Encode()
	check(t, err)
	list = verifier.ListWriter{}
	part := verifier.Part{Owner: w.A.ID, Kind: verifier.PartExpected, Name: "list", Sequence: 3, Data: plain}
	part.Data, err = verifier.SealPackPart(w.Content, w.A.ID, vt.Site, part, rand.Reader)
	check(t, err)
	size := len(plain)
	plain = nil
	p, _ := open(t, w.Pack(vt.PackOptions{More: []verifier.Part{part}}), verifier.Floors{}, vt.Now)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	tables, err := p.Tables(keys(w))
	check(t, err)
	kept := int(heap() - before)
	if most := size + 8*verifier.MaxRows + 1<<16; kept > most {
		t.Errorf("%d bytes are kept of a list of %d, at most %d", kept, size, most)
	}
	for _, n := range []int{0, 1, 4711, verifier.MaxRows - 1} {
		if rows := tables.ByNumber(numberOf(t, n)); len(rows) != 1 || rows[0].Names[0] != fmt.Sprintf("Person %d", n) {
			t.Errorf("unit %d: %v", n, rows)
		}
	}
	runtime.KeepAlive(p)
}

func TestThePhotoOfARowIsHeldAgainstTheCard(t *testing.T) {
	w := vt.New()
	_, tables := someTables(t, w)
	row := tables.Row(someRows(w)[0].Ledger())
	var cti []byte
	pack, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	card := func(photo []byte) *credential.Credential {
		r := verifier.Verify(w.Text(vt.CardOptions{Draft: func(d *cwt.Draft) {
			cti = d.ID[:]
			claims := map[string]any{"programme": vt.Programme, "round": int64(1), "size_band": "4-5", "collector_rule": "holder_or_alternate", "assurance": "witnessed"}
			if photo != nil {
				hash := cwt.PhotoHash(d.ID[:], photo)
				claims["photo_hash"] = hash[:]
			}
			var err error
			d.Plain, err = schemas.ByName("eligibility").EncodePlain(claims)
			check(t, err)
		}}), verifier.Inputs{At: vt.Now, Pack: pack, Floors: f})
		if !r.Credential.Proven() {
			t.Fatal(r.Reason, r.Err)
		}
		return &r.Credential
	}
	whole := jpegOf("amina, before she was made smaller")
	card(nil)
	bound := cwt.PhotoHash(cti, whole)
	smaller := *row
	smaller.Bound = [][]byte{make([]byte, 16), bound[:]}
	for _, c := range []struct {
		name string
		card *credential.Credential
		row  *verifier.Row
		want verifier.Fit
	}{
		{"the very photo", card(jpegOf("amina")), row, verifier.FitYes},
		{"a smaller copy of it", card(whole), &smaller, verifier.FitYes},
		{"somebody else's", card(jpegOf("omar")), row, verifier.FitNo},
		{"a card that binds none", card(nil), row, verifier.FitUnknown},
		{"a row without a photo", card(jpegOf("amina")), &verifier.Row{}, verifier.FitUnknown},
		{"no card", &credential.Credential{}, row, verifier.FitUnknown},
	} {
		if got := tables.PhotoFits(c.card, c.row); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func FuzzTables(f *testing.F) {
	w := vt.New()
	codes, err := someCodes.Encode()
	check(f, err)
	var list verifier.ListWriter
	rows := someRows(w)
	for i := range rows {
		check(f, list.Add(&rows[i]))
	}
	expected, err := list.Encode()
	check(f, err)
	photos, err := verifier.EncodePhotos([][]byte{jpegOf("a"), jpegOf("b")})
	check(f, err)
	for i, b := range [][]byte{codes, expected, photos, {0x80}, {0xa0}} {
		f.Add(uint8(i), b)
	}
	plain, _ := open(f, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		p := *plain
		part := verifier.Part{Owner: w.A.ID, Kind: verifier.PartCodes + verifier.PartKind(kind%3), Name: "x", Sequence: 1, Data: b}
		var err error
		part.Data, err = verifier.SealPackPart(w.Content, p.Org, p.Site, part, rand.Reader)
		check(t, err)
		p.Parts = append(p.Parts[:len(p.Parts):len(p.Parts)], part)
		tables, err := p.Tables(keys(w))
		if err != nil {
			return
		}
		for _, row := range rows {
			tables.Due(row.Ledger(), "1-2")
			number, err := cwt.CardNumber(row.Pseudonym)
			check(t, err)
			for _, r := range tables.ByNumber(number) {
				if tables.Row(r.Ledger()) == nil {
					t.Errorf("a row found by number %s and not by its place", number)
				}
				tables.Photo(r)
			}
		}
	})
}
