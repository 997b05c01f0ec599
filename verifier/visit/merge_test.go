package visit_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// tables are five devices; their names are in the order of their key ids.
var tables = func() []vt.Signer {
	var list []vt.Signer
	for i := range 5 {
		list = append(list, vt.Ed25519(fmt.Sprint("table ", i)))
	}
	slices.SortFunc(list, func(a, b vt.Signer) int { return bytes.Compare(a.KID(), b.KID()) })
	return list
}()

func anyTable(kid []byte) *cose.Key {
	for _, s := range tables {
		if bytes.Equal(kid, s.KID()) {
			return s.Key
		}
	}
	return nil
}

func unit(n int) verifier.LedgerKey {
	return verifier.LedgerKey{Issuer: "https://a.example", Pseudonym: fmt.Sprintf("unit-%d", n), Programme: "K7Q2", Round: 1}
}

// A journal is one device's records as they are written.
type journal struct {
	t       testing.TB
	signer  vt.Signer
	records [][]byte
}

// add signs the next record; a time of 0 is a minute after the one before.
func (j *journal) add(v visit.Visit) *journal {
	var prev []byte
	if n := len(j.records); n > 0 {
		prev = j.records[n-1]
	}
	v.Device, v.Sequence = j.signer.KID(), uint64(len(j.records)+1)
	if v.At == 0 {
		v.At = vt.Made + credential.Time(60*v.Sequence)
	}
	j.records = append(j.records, append1(j.t, j.signer, prev, v))
	return j
}

// clone is the device's memory, copied.
func (j *journal) clone() *journal {
	return &journal{j.t, j.signer, slices.Clone(j.records)}
}

func (j *journal) piece() *visit.Piece { return open(j.t, bytes.Join(j.records, nil)) }

func (j *journal) some(from, to int) *visit.Piece {
	return open(j.t, bytes.Join(j.records[from-1:to], nil))
}

func open(t testing.TB, file []byte) *visit.Piece {
	t.Helper()
	p, err := visit.Open(file, anyTable)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// told is what a merge says, in a form a test can write down: each record as
// device.sequence, its state and doubts.
func told(m *visit.Merged) string {
	var b strings.Builder
	for _, e := range m.Entries {
		n := slices.IndexFunc(tables, func(s vt.Signer) bool { return bytes.Equal(s.KID(), e.Key[:]) })
		fmt.Fprintf(&b, "%d.%d %s", n, e.Sequence, e.State)
		for _, d := range e.Doubts {
			fmt.Fprintf(&b, " %s", d)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestWhatMergingMakesOfRecords(t *testing.T) {
	all := func(u int) visit.Visit {
		return visit.Visit{Kind: visit.Collection, Ledger: unit(u), Card: []byte("old")}
	}
	key := func(org string, u int) verifier.LedgerKey {
		k := unit(u)
		k.Issuer = "https://" + org + ".example"
		return k
	}
	bare := func(org string, u int) visit.Visit { return visit.Visit{Kind: visit.Collection, Ledger: key(org, u)} }
	inPlace := func(org string, u int, old verifier.LedgerKey) visit.Visit {
		v := bare(org, u)
		v.Former = credential.Former{Issuer: old.Issuer, Pseudonym: old.Pseudonym}
		return v
	}
	part := func(u int, given, rest string) visit.Visit {
		return visit.Visit{Kind: visit.Partial, Ledger: unit(u), Given: given, Rest: rest}
	}
	rest := func(u int) visit.Visit {
		return visit.Visit{Kind: visit.Collection, Ledger: unit(u), Code: visit.CodeRest}
	}
	cancel := func(n uint64) visit.Visit { return visit.Visit{Kind: visit.Counter, Cancels: n, Code: "mistake"} }
	at := func(v visit.Visit, t credential.Time) visit.Visit { v.At = t; return v }
	on := func(n int, visits ...visit.Visit) *visit.Piece {
		j := &journal{t: t, signer: tables[n]}
		for _, v := range visits {
			j.add(v)
		}
		return j.piece()
	}
	facts := visit.Facts{At: vt.Now}
	due := func(micros int64) visit.Facts {
		return visit.Facts{Due: func(verifier.LedgerKey) (visit.Amount, bool) {
			return visit.Amount{Micros: micros * 1e6, Unit: "kg"}, true
		}}
	}
	for _, c := range []struct {
		name   string
		facts  visit.Facts
		pieces []*visit.Piece
		want   string
	}{
		{"one collection", facts, []*visit.Piece{on(0, all(1))}, "0.1 counted\n"},
		{"a card of A, and the one of B in its place", facts, []*visit.Piece{on(0, all(1)), on(1, at(inPlace("b", 7, unit(1)), vt.Made+900))}, "0.1 counted\n1.1 conflict\n"},
		{"the one of B first", facts, []*visit.Piece{on(0, at(all(1), vt.Made+900)), on(1, inPlace("b", 7, unit(1)))}, "0.1 conflict\n1.1 counted\n"},
		{"a part by the one, the rest by the other", facts, []*visit.Piece{on(0, part(1, "1 kg", "1 kg")),
			on(1, func() visit.Visit { v := at(inPlace("b", 7, unit(1)), vt.Made+900); v.Code = visit.CodeRest; return v }())}, "0.1 counted\n1.1 counted\n"},
		{"also by a delegation for the new one, which names no old one", facts,
			[]*visit.Piece{on(0, all(1)), on(1, at(inPlace("b", 7, unit(1)), vt.Made+900), at(bare("b", 7), vt.Made+960))}, "0.1 counted\n1.1 conflict\n1.2 conflict\n"},
		{"taken back, it says all the same whose place it took", facts,
			[]*visit.Piece{on(0, all(1)), on(1, inPlace("b", 7, unit(1)), cancel(1), at(bare("b", 7), vt.Made+900))}, "0.1 counted\n1.1 cancelled\n1.2 noted\n1.3 conflict\n"},
		{"of another round", facts, []*visit.Piece{on(0, all(1)), on(1, func() visit.Visit { v := inPlace("b", 7, unit(1)); v.Ledger.Round++; return v }())}, "0.1 counted\n1.1 counted\n"},
		{"B says it of two units of A: the first, and the other's own card is not touched", facts,
			[]*visit.Piece{on(0, at(all(1), vt.Made+800), at(all(2), vt.Made+800)), on(1, inPlace("b", 7, unit(1)), inPlace("b", 7, unit(2)))},
			"0.1 conflict\n0.2 counted\n1.1 counted\n1.2 conflict other_former\n"},
		{"two of B say it of one unit of A", facts, []*visit.Piece{on(0, inPlace("b", 7, unit(1))), on(1, at(inPlace("b", 8, unit(1)), vt.Made+900))}, "0.1 counted\n1.1 conflict\n"},
		{"a card of C in the place of B's, which stood for A's", facts,
			[]*visit.Piece{on(0, all(1)), on(1, at(inPlace("c", 9, key("b", 7)), vt.Made+900)), on(2, at(inPlace("b", 7, unit(1)), vt.Made+950))},
			"0.1 counted\n1.1 conflict\n2.1 conflict\n"},
		{"each says it stands for the other", facts,
			[]*visit.Piece{on(0, inPlace("c", 9, key("b", 7))), on(1, at(inPlace("b", 7, key("c", 9)), vt.Made+900))}, "0.1 counted\n1.1 conflict\n"},
		{"a unit that its issuer does not know", visit.Facts{Issuer: unit(0).Issuer, Unit: func(k verifier.LedgerKey) bool { return k == unit(1) }},
			[]*visit.Piece{on(0, all(1)), on(1, inPlace("b", 7, unit(2)))}, "0.1 counted\n1.1 counted former_unknown\n"},
		{"the same file twice", facts, []*visit.Piece{on(0, all(1)), on(0, all(1))}, "0.1 counted\n"},
		{"old card here, new card there: the earlier one counts", facts,
			[]*visit.Piece{on(0, at(all(1), vt.Made+500)), on(1, at(all(1), vt.Made+400))}, "0.1 conflict\n1.1 counted\n"},
		{"at the same second the device decides", facts, []*visit.Piece{on(1, all(1)), on(0, all(1))}, "0.1 counted\n1.1 conflict\n"},
		{"taken back there, it stands here", facts, []*visit.Piece{on(0, all(1), cancel(1)), on(1, at(all(1), vt.Made+4000))},
			"0.1 cancelled\n0.2 noted\n1.1 counted\n"},
		{"taking back is taken back", facts, []*visit.Piece{on(0, all(1), cancel(1), cancel(2))}, "0.1 counted\n0.2 cancelled\n0.3 noted\n"},
		{"a part here, the rest there", facts, []*visit.Piece{on(0, part(1, "1 kg", "1 kg")), on(1, at(rest(1), vt.Made+900))}, "0.1 counted\n1.1 counted\n"},
		{"a part here, all there", facts, []*visit.Piece{on(0, part(1, "1 kg", "1 kg")), on(1, at(all(1), vt.Made+900))}, "0.1 conflict\n1.1 counted\n"},
		{"a part and then all on one device is the rest", facts, []*visit.Piece{on(0, part(1, "1 kg", "1 kg"), all(1))}, "0.1 counted\n0.2 counted\n"},
		{"the rest of a part that is not here", facts, []*visit.Piece{on(0, rest(1))}, "0.1 counted rest_of_unknown\n"},
		{"parts up to what is due", due(2), []*visit.Piece{on(0, part(1, "1 kg", "1 kg")), on(1, part(1, "1 kg", "1 kg")), on(2, part(1, "1 kg", "1 kg"))},
			"0.1 counted\n1.1 counted\n2.1 over_entitlement\n"},
		{"more than is due is no collection", due(2), []*visit.Piece{on(0, visit.Visit{Kind: visit.Collection, Ledger: unit(1), Given: "3 kg"}), on(1, at(all(1), vt.Made+900))},
			"0.1 over_entitlement\n1.1 counted\n"},
		{"another unit cannot be compared", due(2), []*visit.Piece{on(0, part(1, "3 l", "1 l"))}, "0.1 counted other_unit\n"},
		{"the clock goes back: the sequence is the order", facts,
			[]*visit.Piece{on(0, at(all(1), vt.Made+86400), at(all(2), vt.Made+10)), on(1, at(all(2), vt.Made+5000))},
			"0.1 counted\n0.2 conflict clock_back\n1.1 counted\n"},
		{"a clock of 2099 wins nothing and loses nothing", facts,
			[]*visit.Piece{on(0, at(all(1), vt.Made+60), at(all(2), 4070908800)), on(1, at(all(2), vt.Made+4000))},
			"0.1 counted\n0.2 counted clock_ahead\n1.1 conflict\n"},
		{"a clock of 1970", facts, []*visit.Piece{on(0, at(all(1), 60))}, "0.1 counted long_ago\n"},
		{"a clock of 1970 wins nothing", facts, []*visit.Piece{on(0, at(all(1), 60), at(all(2), vt.Made+4000)), on(1, at(all(1), vt.Made+900))},
			"0.1 conflict long_ago\n0.2 counted\n1.1 counted\n"},
		{"a journal that begins in 2099 loses nothing by it", facts,
			[]*visit.Piece{on(0, at(visit.Visit{Kind: visit.Note}, 4070908800), at(all(1), vt.Made+60)), on(1, at(all(1), vt.Made+900))},
			"0.1 noted clock_ahead\n0.2 counted clock_back\n1.1 conflict\n"},
		{"two tables give the same part: what is still due is less than either says", due(10),
			[]*visit.Piece{on(0, part(1, "4 kg", "6 kg")), on(1, part(1, "4 kg", "6 kg"))}, "0.1 counted\n1.1 counted\n"},
		{"notes count nothing", facts, []*visit.Piece{on(0, visit.Visit{Kind: visit.Note, Code: "closed"})}, "0.1 noted\n"},
	} {
		if got := told(visit.Merge(c.facts, c.pieces...)); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// What is still due after parts of tables that did not know of each other.
func TestTheRestOfParts(t *testing.T) {
	part := func(n int, given, rest string) *visit.Piece {
		return (&journal{t: t, signer: tables[n]}).add(visit.Visit{Kind: visit.Partial, Ledger: unit(1), Given: given, Rest: rest, At: vt.Made + credential.Time(60*n)}).piece()
	}
	for _, c := range []struct {
		name      string
		pieces    []*visit.Piece
		rest      string
		collected bool
	}{
		{"one", []*visit.Piece{part(0, "4 kg", "6 kg")}, "6 kg", false},
		{"the second knew", []*visit.Piece{part(0, "4 kg", "6 kg"), part(1, "1 kg", "5 kg")}, "5 kg", false},
		{"the second did not", []*visit.Piece{part(0, "4 kg", "6 kg"), part(1, "4 kg", "6 kg")}, "2 kg", false},
		{"together it is all", []*visit.Piece{part(0, "5 kg", "5 kg"), part(1, "5 kg", "5 kg")}, "", true},
		{"together it is more", []*visit.Piece{part(0, "6 kg", "4 kg"), part(1, "6 kg", "4 kg")}, "", true},
		{"codes say nothing of how much", []*visit.Piece{part(0, "C1", "C2"), part(1, "C1", "C2")}, "C2", false},
		{"nor do two units", []*visit.Piece{part(0, "4 kg", "6 kg"), part(1, "1 l", "2 l")}, "2 l", false},
	} {
		a := visit.Merge(visit.Facts{}, c.pieces...).Accounts[0]
		if a.Rest != c.rest || a.Collected != c.collected || a.Part == c.collected {
			t.Errorf("%s: %q is due, collected %v; want %q, %v", c.name, a.Rest, a.Collected, c.rest, c.collected)
		}
	}
}

func TestACopiedDeviceIsFrozen(t *testing.T) {
	one := (&journal{t: t, signer: tables[0]}).add(visit.Visit{Kind: visit.Collection, Ledger: unit(1)}).add(visit.Visit{Kind: visit.Collection, Ledger: unit(2)})
	two := one.clone()
	one.add(visit.Visit{Kind: visit.Collection, Ledger: unit(3)})
	two.add(visit.Visit{Kind: visit.Collection, Ledger: unit(4)}).add(visit.Visit{Kind: visit.Counter, Cancels: 3}).add(visit.Visit{Kind: visit.Collection, Ledger: unit(1)})
	m := visit.Merge(visit.Facts{}, one.piece(), two.piece())
	states := map[string]int{}
	for _, e := range m.Entries {
		states[string(e.State)]++
		if cloned := slices.Contains(e.Doubts, visit.Cloned); cloned != (e.Sequence >= 3) {
			t.Errorf("record %d: %v", e.Sequence, e.Doubts)
		}
	}
	// The counter-entry took back the third record of its own branch alone.
	if want := map[string]int{"counted": 3, "cancelled": 1, "conflict": 1, "noted": 1}; !reflect.DeepEqual(states, want) {
		t.Errorf("states %v, want %v", states, want)
	}
	if d := m.Tables[0]; d.Frozen != 3 || len(d.Held) != 1 || d.Held[0].Last != 5 || d.Records != 6 || len(d.Gaps) != 0 {
		t.Errorf("table %+v", d)
	}
	// The other record of a number need not be here to be known of.
	m = visit.Merge(visit.Facts{}, one.some(1, 3), two.some(4, 5))
	if d := m.Tables[0]; d.Frozen != 3 || len(d.Held) != 1 || d.Held[0].Last != 3 {
		t.Errorf("table %+v", d)
	}
}

func TestGapsAreAccepted(t *testing.T) {
	j := &journal{t: t, signer: tables[0]}
	for i := range 6 {
		j.add(visit.Visit{Kind: visit.Collection, Ledger: unit(i)})
	}
	j.add(visit.Visit{Kind: visit.Counter, Cancels: 2}).add(visit.Visit{Kind: visit.Counter, Cancels: 4})
	m := visit.Merge(visit.Facts{}, j.some(6, 8), j.some(2, 3))
	d := m.Tables[0]
	if want := []visit.Range{{1, 1}, {4, 5}}; !reflect.DeepEqual(d.Gaps, want) || d.Frozen != 0 || len(d.Held) != 2 || d.Held[0].Last != 3 || d.Held[1].First != 6 || d.Held[1].Last != 8 {
		t.Errorf("table %+v, want gaps %v", d, want)
	}
	if want := "0.2 cancelled\n0.3 counted\n0.6 counted\n0.7 noted\n0.8 noted cancels_unknown\n"; told(m) != want {
		t.Errorf("got\n%swant\n%s", told(m), want)
	}
}

func TestEveryRecordCarriesItsWorker(t *testing.T) {
	j := &journal{t: t, signer: tables[0]}
	shift := func(code, staff string) visit.Visit { return visit.Visit{Kind: visit.Note, Code: code, Given: staff} }
	give := func(n int) visit.Visit { return visit.Visit{Kind: visit.Collection, Ledger: unit(n)} }
	// A code of the staff may look like an amount that nobody can hand out.
	for _, v := range []visit.Visit{give(1), shift(visit.CodeShiftOpen, "-07"), give(2), shift(visit.CodeShiftClose, ""), give(3),
		shift(visit.CodeShiftOpen, "st-9"), shift(visit.CodeShiftOpen, "1e999"), give(4), give(5), give(6)} {
		j.add(v)
	}
	var got []string
	for _, e := range visit.Merge(visit.Facts{}, j.some(1, 8), j.some(10, 10)).Entries {
		got = append(got, e.Worker)
	}
	if want := []string{"", "-07", "-07", "-07", "", "st-9", "1e999", "1e999", ""}; !slices.Equal(got, want) {
		t.Errorf("workers %q, want %q", got, want)
	}
	given := map[string]int{}
	for _, total := range visit.Merge(visit.Facts{}, j.piece()).Totals {
		given[total.Worker] += total.Collections
	}
	if want := map[string]int{"": 2, "-07": 1, "1e999": 3}; !reflect.DeepEqual(given, want) {
		t.Errorf("given by each worker %v, want %v", given, want)
	}
}

func TestDoubtsAndQuarantine(t *testing.T) {
	k := unit(1)
	stranger := unit(9)
	other := verifier.LedgerKey{Issuer: "https://b.example", Pseudonym: "x", Programme: "P", Round: 1}
	j := &journal{t: t, signer: tables[0]}
	for _, v := range []visit.Visit{
		{At: 50, Ledger: k, Card: []byte("card")}, {At: 150, Ledger: k, Card: []byte("card")}, {At: 250, Ledger: k, Card: []byte("card")},
		{At: 260, Ledger: k, Card: []byte("made up")}, {At: 270, Ledger: stranger}, {At: 280, Ledger: other, Card: []byte("theirs")},
		{At: 290, Ledger: unit(2), Card: []byte("card")}, {At: 390, Ledger: unit(2)},
	} {
		v.Kind = visit.Collection
		j.add(v)
	}
	facts := visit.Facts{
		Issuer: k.Issuer,
		Device: func([8]byte) (visit.Device, bool) {
			return visit.Device{Site: "wellA", From: 100, Until: 300, Withdrawn: 280}, true
		},
		Card: func(cti []byte) (visit.Card, bool) {
			return visit.Card{Pseudonym: k.Pseudonym, Programme: k.Programme, Issued: 100, Expires: 200}, string(cti) == "card"
		},
		Unit: func(k verifier.LedgerKey) bool { return k.Pseudonym != stranger.Pseudonym },
	}
	want := `0.1 counted before_card outside_certificate device_withdrawn
0.2 conflict device_withdrawn
0.3 conflict after_card device_withdrawn
0.4 quarantined device_withdrawn
0.5 quarantined device_withdrawn
0.6 counted after_withdrawal
0.7 counted after_card other_card after_withdrawal
0.8 conflict outside_certificate after_withdrawal
`
	m := visit.Merge(facts, j.piece())
	if got := told(m); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := m.Totals; len(got) != 2 || got[0].Site != "wellA" || got[0].Day != "1970-01-01" || got[0].Collections != 2 || got[0].Conflicts != 3 || got[0].Quarantined != 2 {
		t.Errorf("totals %+v", got)
	}
}

func TestRecordsAreRefusedOneByOne(t *testing.T) {
	j := (&journal{t: t, signer: tables[0]}).add(visit.Visit{Kind: visit.Collection, Ledger: unit(1)}).add(visit.Visit{Kind: visit.Collection, Ledger: unit(2)})
	forged := bytes.Clone(j.records[0])
	forged[len(forged)-1] ^= 1
	unknown := append1(t, vt.Ed25519("nobody's"), nil, visit.Visit{Device: []byte{1}, Sequence: 1, At: 1, Kind: visit.Note})
	// Signed by the device, past the package: "-1 kg", and a kind that is none.
	bad := func(find, put string) []byte {
		record := append1(t, tables[0], nil, visit.Visit{Device: []byte{1}, Sequence: 3, At: 1, Kind: visit.Collection, Ledger: unit(3), Given: "11 kg"})
		payload := bytes.Replace(record[bytes.Index(record, []byte{0xa0, 0x58})+3:len(record)-66], []byte(find), []byte(put), 1)
		q := cose.Prepare(tables[0].Key, visit.TypJournal, payload, nil)
		sig, err := cose.SignRaw(tables[0], q.ToBeSigned())
		if err != nil {
			t.Fatal(err)
		}
		record, err = q.Attach(sig)
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	file := bytes.Join([][]byte{forged, j.records[0], unknown, bad("11 kg", "-1 kg"), bad("\x05\x01", "\x05\x09"), {0x01}, j.records[1], j.records[1][:40]}, nil)
	p := open(t, file)
	var why []visit.Why
	for _, r := range p.Refused {
		why = append(why, r.Why)
	}
	if want := []visit.Why{visit.BadSignature, visit.UnknownDevice, visit.BadAmount, visit.Nonsense, visit.Unreadable}; !slices.Equal(why, want) {
		t.Errorf("refused %v, want %v", why, want)
	}
	if len(p.Records) != 2 || !p.Torn {
		t.Errorf("%d records, torn %v", len(p.Records), p.Torn)
	}
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		text, want string
		ok, fails  bool
	}{
		{"2 kg", "2 kg", true, false}, {"120.50 KES", "120.5 KES", true, false}, {"3", "3", true, false}, {"0.000001", "0.000001", true, false},
		{"C1", "", false, false}, {"", "", false, false}, {"3F", "", false, false}, {"999999999999 t", "999999999999 t", true, false},
		{"-2 kg", "", false, true}, {"+2", "", false, true}, {"0 kg", "", false, true}, {"NaN", "", false, true}, {"Infinity", "", false, true},
		{"9223372036854775808", "", false, true}, {"1e9", "", false, true}, {"1e999", "", false, true}, {"0.0000001", "", false, true}, {"1. kg", "", false, true}, {".5", "", false, true},
	} {
		a, ok, err := visit.ParseAmount(c.text)
		if ok != c.ok || (err != nil) != c.fails || ok && a.String() != c.want {
			t.Errorf("%q: %v %v %v", c.text, a, ok, err)
		}
	}
}

// Any order and partition of five devices' journals, with copies of devices, replays
// and torn ends, merges to one identical result.
func TestMergeInAnyOrder(t *testing.T) {
	facts := visit.Facts{
		At: vt.Now, Issuer: unit(0).Issuer,
		Due: func(k verifier.LedgerKey) (visit.Amount, bool) {
			return visit.Amount{Micros: 5e6, Unit: "kg"}, k.Pseudonym < "unit-4"
		},
		Unit: func(k verifier.LedgerKey) bool { return k.Pseudonym != "unit-0" },
	}
	if facts.Issuer != orgs[0] {
		t.Fatal("the facts are not those of the first organisation")
	}
	rapid.Check(t, func(r *rapid.T) {
		var journals []*journal
		for n := range 5 {
			j := &journal{t: t, signer: tables[n]}
			copies := []*journal{j}
			for range rapid.IntRange(0, 8).Draw(r, "records") {
				c := rapid.SampledFrom(copies).Draw(r, "copy")
				if rapid.IntRange(0, 9).Draw(r, "copied") == 0 {
					c = c.clone()
					copies = append(copies, c)
				}
				c.add(anyVisit(r, len(c.records)))
			}
			journals = append(journals, copies...)
		}
		var whole []*visit.Piece
		records := map[string]bool{}
		for _, j := range journals {
			whole = append(whole, j.piece())
			for _, b := range j.records {
				records[string(b)] = true
			}
		}
		want := visit.Merge(facts, whole...)
		sound(r, want, len(records))

		got := visit.Merge(facts, cut(r, journals)...)
		if !reflect.DeepEqual(got, want) {
			r.Fatalf("got\n%swant\n%s", told(got), told(want))
		}
	})
}

// orgs issue cards; the first is the one whose office merges.
var orgs = []string{"https://a.example", "https://b.example", "https://c.example"}

// anyVisit is the next record of a journal of n.
func anyVisit(r *rapid.T, n int) visit.Visit {
	v := visit.Visit{At: vt.Made + credential.Time(rapid.IntRange(-100, 400).Draw(r, "time"))}
	switch kind := rapid.IntRange(0, 9).Draw(r, "kind"); {
	case kind == 0:
		v.Kind, v.Code = visit.Note, "closed"
	case kind <= 2 && n > 0:
		v.Kind, v.Cancels = visit.Counter, uint64(rapid.IntRange(1, n).Draw(r, "cancels"))
	case kind <= 4:
		v.Kind, v.Given, v.Rest = visit.Partial, rapid.SampledFrom([]string{"1 kg", "3 kg", "C1", "2 l"}).Draw(r, "given"), "C2"
	default:
		v.Kind, v.Given = visit.Collection, rapid.SampledFrom([]string{"", "5 kg", "6 kg"}).Draw(r, "given")
		v.Code = rapid.SampledFrom([]string{"", visit.CodeRest}).Draw(r, "code")
	}
	if v.Kind <= visit.Partial {
		v.Ledger = unit(rapid.IntRange(0, 5).Draw(r, "unit"))
		// A replaces nobody's cards; B and C those of A and of each other, as they like.
		if n := rapid.IntRange(0, 4).Draw(r, "issuer"); n < len(orgs) {
			v.Ledger.Issuer = orgs[n]
			if old := rapid.IntRange(0, len(orgs)).Draw(r, "former"); n > 0 && old < len(orgs) && old != n {
				v.Former = credential.Former{Issuer: orgs[old], Pseudonym: unit(rapid.IntRange(0, 5).Draw(r, "replaces")).Pseudonym}
			}
		}
	}
	if rapid.IntRange(0, 19).Draw(r, "clock") == 0 {
		v.At = rapid.SampledFrom([]credential.Time{60, 4070908800}).Draw(r, "wrong")
	}
	return v
}

// cut makes files of journals: each record in one at least, in any order, some twice,
// some files with another record torn off behind.
func cut(r *rapid.T, journals []*journal) (pieces []*visit.Piece) {
	file := func(j *journal, from, to int) {
		b := bytes.Join(j.records[from:to], nil)
		if to < len(j.records) && rapid.Bool().Draw(r, "torn") {
			b = append(b, j.records[to][:rapid.IntRange(1, len(j.records[to])-1).Draw(r, "tear")]...)
		}
		pieces = append(pieces, open(j.t, b))
	}
	for _, j := range journals {
		for from := 0; from < len(j.records); {
			to := rapid.IntRange(from+1, len(j.records)).Draw(r, "to")
			file(j, from, to)
			from = to
		}
		for range rapid.IntRange(0, 2).Draw(r, "again") {
			from := rapid.IntRange(0, len(j.records)).Draw(r, "from")
			file(j, from, rapid.IntRange(from, len(j.records)).Draw(r, "to"))
		}
	}
	return rapid.Permutation(pieces).Draw(r, "order")
}

// sound holds a merge to what must be true of every one.
func sound(r *rapid.T, m *visit.Merged, records int) {
	if len(m.Entries) != records {
		r.Fatalf("%d records of %d", len(m.Entries), records)
	}
	told := map[int]int{}
	whose := map[verifier.LedgerKey]int{}
	for n, a := range m.Accounts {
		for i, k := range append([]verifier.LedgerKey{a.Ledger}, a.Also...) {
			if whose[k]++; whose[k] > 1 {
				r.Fatalf("%v stands in two accounts", k)
			}
			// Nobody but A could say that two of A's units are one.
			if i > 0 && k.Issuer == orgs[0] {
				r.Fatalf("%v and %v are one", a.Ledger, k)
			}
			use, ok := m.Earlier(k)
			if first, there := m.Earlier(a.Ledger); use != first || ok != there || ok != (len(m.Accounts[n].Counted) > 0) {
				r.Fatalf("%v and %v are told differently", k, a.Ledger)
			}
		}
		full, kg := 0, int64(0)
		for _, i := range a.Counted {
			e := m.Entries[i]
			if e.Kind == visit.Collection {
				full++
			}
			if e.State != visit.Counted || e.Ledger != a.Ledger && !slices.Contains(a.Also, e.Ledger) {
				r.Fatalf("%s counts with %v", e.State, a.Ledger)
			}
		}
		for _, s := range a.Sum {
			if s.Unit == "kg" {
				kg = s.Micros
			}
		}
		if full > 1 || a.Ledger.Issuer == orgs[0] && a.Ledger.Pseudonym < "unit-4" && kg > 5e6 {
			r.Fatalf("%v was paid %d times, %d", a.Ledger, full, kg)
		}
		for _, list := range [][]int{a.Counted, a.Conflicts, a.Cancelled, a.Quarantined} {
			for _, i := range list {
				told[i]++
			}
		}
	}
	sum := 0
	for i, e := range m.Entries {
		if (e.Kind <= visit.Partial) != (told[i] == 1) {
			r.Fatalf("record %d is told %d times", i, told[i])
		}
		if e.Kind <= visit.Partial {
			sum++
		}
	}
	for _, t := range m.Totals {
		sum -= t.Collections + t.Parts + t.Conflicts + t.Cancelled + t.Quarantined
	}
	if sum != 0 {
		r.Fatalf("the totals leave %d records out", sum)
	}
}
