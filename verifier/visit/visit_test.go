package visit_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

var world = vt.New()

// tablet signs the same record the same way in every process: fuzzing runs in several.
var tablet = vt.Ed25519("tablet")

// ours finds the keys of these two devices and nobody else's.
func ours(kid []byte) *cose.Key {
	for _, s := range []vt.Signer{world.Device, tablet} {
		if bytes.Equal(kid, s.KID()) {
			return s.Key
		}
	}
	return nil
}

// full is a record with every member.
func full() visit.Visit {
	return visit.Visit{
		Device: []byte("tablet-1"), Sequence: 1, At: vt.Now, Kind: visit.Partial, Ledger: world.Ledger(), Card: []byte("0123456789"),
		Given: "C1", Rest: "2 kg", By: visit.Alternate, Checks: []visit.Check{visit.CheckPhoto, visit.CheckLive}, Code: "late",
	}
}

// append1 signs v as the next record of the journal in file.
func append1(t testing.TB, s vt.Signer, prev []byte, v visit.Visit) []byte {
	t.Helper()
	p, err := visit.Prepare(s.Key, prev, v)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(s, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	record, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

func read(t testing.TB, file []byte) *visit.Journal {
	t.Helper()
	j, err := visit.Read(file, ours)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// day is a journal of five records; ends are where each ends.
func day(t testing.TB) (file []byte, ends []int) {
	other := world.Ledger()
	other.Pseudonym = "AAAAAAAAAAAAAAAA"
	var prev []byte
	for i, v := range []visit.Visit{
		{Kind: visit.Collection, Ledger: world.Ledger(), Given: "C1", By: visit.Holder},
		{Kind: visit.Partial, Ledger: other, Given: "C1", Rest: "1 of 2"},
		{Kind: visit.Note, Code: "closed"},
		{Kind: visit.Counter, Cancels: 1, Code: "mistake"},
		{Kind: visit.Collection, Ledger: other, Given: "C2"},
	} {
		v.Device, v.Sequence, v.At = []byte("tablet-1"), uint64(i+1), vt.Made+credential.Time(i)
		prev = append1(t, tablet, prev, v)
		file = append(file, prev...)
		ends = append(ends, len(file))
	}
	return file, ends
}

func TestARecordComesBackAsItWasWritten(t *testing.T) {
	want := full()
	first := append1(t, tablet, nil, want)
	second := visit.Visit{Device: []byte("tablet-1"), Sequence: 2, At: vt.Now, Kind: visit.Counter, Cancels: 1}
	j := read(t, append(bytes.Clone(first), append1(t, tablet, first, second)...))
	if !reflect.DeepEqual(j.Visits, []visit.Visit{want, second}) {
		t.Errorf("got %+v", j.Visits)
	}
	if j.Torn || j.Next() != 3 {
		t.Errorf("torn %v, next %d", j.Torn, j.Next())
	}
}

func TestAnEmptyFileIsAnEmptyJournal(t *testing.T) {
	j := read(t, nil)
	if j.Torn || j.Last != nil || j.Next() != 1 {
		t.Errorf("got %+v", j)
	}
	if _, ok := j.Earlier(world.Ledger()); ok {
		t.Error("something was collected")
	}
}

func TestACutFileGivesTheRecordsBeforeTheCut(t *testing.T) {
	file, ends := day(t)
	for cut := range len(file) + 1 {
		j, err := visit.Read(file[:cut], ours)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		whole, end := 0, 0
		for _, e := range ends {
			if e <= cut {
				whole, end = whole+1, e
			}
		}
		if len(j.Visits) != whole || j.Good != end || j.Torn != (cut > end) {
			t.Fatalf("cut at %d: %d records to byte %d, torn %v; want %d to %d", cut, len(j.Visits), j.Good, j.Torn, whole, end)
		}
	}
}

func TestAFlippedByteIsNoticed(t *testing.T) {
	file, ends := day(t)
	for at := range file {
		bad := bytes.Clone(file)
		bad[at] ^= 1 << (at % 8)
		j, err := visit.Read(bad, ours)
		if err == nil && !j.Torn {
			t.Fatalf("byte %d: nothing noticed", at)
		}
		in := 0 // the record hit
		for ends[in] <= at {
			in++
		}
		if len(j.Visits) > in {
			t.Fatalf("byte %d is in record %d, and %d records were taken", at, in+1, len(j.Visits))
		}
		// Only the last record can look cut off: a damaged length in the middle must
		// not pass for a power cut that lost the rest.
		if j.Torn && in != len(ends)-1 {
			t.Fatalf("byte %d in record %d passes for a torn tail", at, in+1)
		}
		var broken *visit.BrokenError
		if err != nil && (!errors.As(err, &broken) || broken.Sequence != uint64(len(j.Visits)+1)) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

func TestRecordsOutOfPlaceEndTheReading(t *testing.T) {
	file, ends := day(t)
	record := func(i int) []byte {
		if i == 0 {
			return file[:ends[0]]
		}
		return file[ends[i-1]:ends[i]]
	}
	stranger := vt.P256("another tablet")
	foreign := append1(t, stranger, record(0), visit.Visit{Device: []byte("tablet-2"), Sequence: 2, At: vt.Now, Kind: visit.Note})
	unchained := append1(t, tablet, nil, visit.Visit{Device: []byte("tablet-1"), Sequence: 2, At: vt.Now, Kind: visit.Note})
	both := func(kid []byte) *cose.Key {
		if bytes.Equal(kid, stranger.KID()) {
			return stranger.Key
		}
		return ours(kid)
	}
	for _, c := range []struct {
		name  string
		parts [][]byte
		find  func([]byte) *cose.Key
		good  int
	}{
		{"one left out", [][]byte{record(0), record(2)}, ours, 1},
		{"two swapped", [][]byte{record(0), record(2), record(1)}, ours, 1},
		{"one twice", [][]byte{record(0), record(0)}, ours, 1},
		{"the first is missing", [][]byte{record(1)}, ours, 0},
		{"another device's, which nobody vouches for", [][]byte{record(0), foreign}, ours, 1},
		{"another device's, which is enrolled too", [][]byte{record(0), foreign}, both, 1},
		{"not chained", [][]byte{record(0), unchained}, ours, 1},
		{"something else behind", [][]byte{record(0), {0x01}}, ours, 1},
		{"a card in its place", [][]byte{record(0), world.Card(vt.CardOptions{})}, ours, 1},
		{"no key at all", [][]byte{record(0)}, func([]byte) *cose.Key { return nil }, 0},
	} {
		j, err := visit.Read(bytes.Join(c.parts, nil), c.find)
		var broken *visit.BrokenError
		if !errors.As(err, &broken) || broken.Sequence != uint64(c.good+1) || len(j.Visits) != c.good || j.Torn {
			t.Errorf("%s: %d records, %v; want %d and the next named", c.name, len(j.Visits), err, c.good)
		}
	}
}

func TestWhatIsRefusedBeforeItIsSigned(t *testing.T) {
	for name, edit := range map[string]func(*visit.Visit){
		"no device":                       func(v *visit.Visit) { v.Device = nil },
		"a long device id":                func(v *visit.Visit) { v.Device = make([]byte, 17) },
		"sequence 0":                      func(v *visit.Visit) { v.Sequence = 0 },
		"no time":                         func(v *visit.Visit) { v.At = 0 },
		"a time in milliseconds":          func(v *visit.Visit) { v.At *= 1000 },
		"no kind":                         func(v *visit.Visit) { v.Kind = 0 },
		"a kind of tomorrow":              func(v *visit.Visit) { v.Kind = 5 },
		"a collection of nobody":          func(v *visit.Visit) { v.Ledger = verifier.LedgerKey{} },
		"a counter-entry of nothing":      func(v *visit.Visit) { v.Kind, v.Rest = visit.Counter, "" },
		"a counter-entry of itself":       func(v *visit.Visit) { v.Kind, v.Rest, v.Cancels = visit.Counter, "", 1 },
		"a collection that cancels":       func(v *visit.Visit) { v.Sequence, v.Cancels = 2, 1 },
		"a rest after all was given":      func(v *visit.Visit) { v.Kind = visit.Collection },
		"a story about a person":          func(v *visit.Visit) { v.Code = strings.Repeat("x", 257) },
		"a text that is not UTF-8":        func(v *visit.Visit) { v.Given = "\xff" },
		"nine checks":                     func(v *visit.Visit) { v.Checks = make([]visit.Check, 9) },
		"a card id of 65 bytes":           func(v *visit.Visit) { v.Card = make([]byte, 65) },
		"an issuer longer than a claim's": func(v *visit.Visit) { v.Ledger.Issuer = strings.Repeat("i", 1025) },
	} {
		v := full()
		edit(&v)
		if _, err := visit.Prepare(tablet.Key, nil, v); err == nil {
			t.Errorf("%s is signed", name)
		}
	}
	// The longest record that is signed is also read.
	v := full()
	long := strings.Repeat("x", 256)
	v.Ledger = verifier.LedgerKey{Issuer: strings.Repeat("i", 1024), Pseudonym: long, Programme: long, Round: 1<<64 - 1}
	v.Given, v.Rest, v.Code, v.Card = long, long, long, make([]byte, 64)
	if j := read(t, append1(t, tablet, nil, v)); !reflect.DeepEqual(j.Visits[0], v) {
		t.Error("the longest record comes back changed")
	}
}

func TestWhatCountsAsCollected(t *testing.T) {
	mine := world.Ledger()
	collection := visit.Visit{Kind: visit.Collection, Ledger: mine, Given: "all"}
	partial := visit.Visit{Kind: visit.Partial, Ledger: mine, Given: "half", Rest: "2 kg"}
	rest := visit.Visit{Kind: visit.Partial, Ledger: mine, Given: "more", Rest: "1 kg"}
	cancel := func(n uint64) visit.Visit { return visit.Visit{Kind: visit.Counter, Cancels: n} }
	note := visit.Visit{Kind: visit.Note, Ledger: mine, Code: "asked"}
	for _, c := range []struct {
		name   string
		visits []visit.Visit
		given  string // "" nothing collected
		part   bool
	}{
		{"nothing", nil, "", false},
		{"a note gives nothing", []visit.Visit{note}, "", false},
		{"all", []visit.Visit{collection}, "all", false},
		{"a part", []visit.Visit{partial}, "half", true},
		{"two parts: the newer rest is due", []visit.Visit{partial, rest}, "more", true},
		{"a part, then the rest", []visit.Visit{partial, collection}, "all", false},
		{"all, then a part by mistake: it stays all", []visit.Visit{collection, partial}, "all", false},
		{"all, cancelled", []visit.Visit{collection, cancel(1)}, "", false},
		{"all, cancelled, and given again", []visit.Visit{collection, cancel(1), partial}, "half", true},
		{"the rest was cancelled, the part stands", []visit.Visit{partial, collection, cancel(2)}, "half", true},
		{"the counter-entry was the mistake", []visit.Visit{collection, cancel(1), cancel(2)}, "all", false},
		{"and so on", []visit.Visit{collection, cancel(1), cancel(2), cancel(3)}, "", false},
	} {
		use, ok := read(t, world.Journal(c.visits...)).Earlier(mine)
		if ok != (c.given != "") || use.Given != c.given || use.Part != c.part {
			t.Errorf("%s: got %+v %v", c.name, use, ok)
		}
		if ok && use.Device == "" {
			t.Errorf("%s: whose journal it was is not said", c.name)
		}
	}
	for name, edit := range map[string]func(*verifier.LedgerKey){
		"another round":     func(k *verifier.LedgerKey) { k.Round++ },
		"another programme": func(k *verifier.LedgerKey) { k.Programme = "ZZZZ" },
		"another unit":      func(k *verifier.LedgerKey) { k.Pseudonym = "AAAAAAAAAAAAAAAA" },
		"another issuer":    func(k *verifier.LedgerKey) { k.Issuer = world.B.ID },
	} {
		k := mine
		edit(&k)
		if _, ok := read(t, world.Journal(collection)).Earlier(k); ok {
			t.Errorf("%s meets the same record", name)
		}
	}
}

func TestOfSeveralJournalsAFullCollectionLeads(t *testing.T) {
	all := read(t, world.Journal(visit.Visit{Kind: visit.Collection, Ledger: world.Ledger(), Given: "all"}))
	part := read(t, world.Journal(visit.Visit{Kind: visit.Partial, Ledger: world.Ledger(), Given: "half", Rest: "2 kg"}))
	undone := read(t, world.Journal(visit.Visit{Kind: visit.Collection, Ledger: world.Ledger()}, visit.Visit{Kind: visit.Counter, Cancels: 1}))
	none := read(t, nil)
	for _, c := range []struct {
		js    visit.Journals
		given string
	}{
		{visit.Journals{part, all}, "all"}, {visit.Journals{all, part}, "all"}, {visit.Journals{none, part, undone}, "half"},
		{visit.Journals{undone, none}, ""}, {nil, ""},
	} {
		use, ok := c.js.Earlier(world.Ledger())
		if ok != (c.given != "") || use.Given != c.given {
			t.Errorf("%d journals: got %+v %v, want %q", len(c.js), use, ok, c.given)
		}
	}
}

func TestATooLongFileIsNotRead(t *testing.T) {
	if _, err := visit.Read(make([]byte, visit.MaxJournalBytes+1), ours); err == nil {
		t.Error("it is read")
	}
}
