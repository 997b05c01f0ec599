package visit_test

import (
	"bytes"
	"reflect"
	"testing"

	"aidpass/credential"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

// Whatever the file, what is taken of it is the beginning of a journal the device
// signed, and reading that much again gives the same.
func FuzzRead(f *testing.F) {
	file, ends := day(f)
	f.Add(file)
	f.Add(file[:ends[2]-7])
	f.Add(append(bytes.Clone(file[:ends[0]]), file[ends[1]:]...))
	f.Add(append(bytes.Clone(file), 0xd2, 0x84, 0x5b, 255, 255, 255, 255, 255, 255, 255, 255))
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := visit.Read(b, ours)
		if j == nil {
			return
		}
		if !bytes.HasPrefix(file, b[:j.Good]) {
			t.Fatalf("%d records nobody signed", len(j.Visits))
		}
		if err == nil && !j.Torn && j.Good != len(b) {
			t.Fatal("bytes behind the records go unsaid")
		}
		again, err := visit.Read(b[:j.Good], ours)
		if err != nil || again.Torn || !reflect.DeepEqual(again.Visits, j.Visits) {
			t.Fatalf("read again: %v", err)
		}
	})
}

// What is signed is read, unchanged.
func FuzzPrepare(f *testing.F) {
	f.Add([]byte("tablet-1"), int64(1), uint8(1), "https://a.example", "AAAAAAAAAAAAAAAA", "K7Q2", uint64(3), []byte("0123456789"), "C1", "", uint8(1), []byte{1, 2}, uint64(0), "x")
	f.Add([]byte{1}, int64(253402300799), uint8(2), "", "p", "", uint64(0), []byte{}, "", "2 kg", uint8(0), []byte{}, uint64(0), "")
	f.Add([]byte{1}, int64(1), uint8(3), "", "", "", uint64(0), []byte(nil), "", "", uint8(0), []byte(nil), uint64(1), "\xff")
	f.Fuzz(func(t *testing.T, device []byte, at int64, kind uint8, iss, pseudonym, programme string, round uint64, card []byte, given, rest string, by uint8, checks []byte, cancels uint64, code string) {
		first := visit.Visit{Device: []byte{1}, Sequence: 1, At: 1, Kind: visit.Note}
		v := visit.Visit{Device: device, Sequence: 2, At: credential.Time(at), Kind: visit.Kind(kind),
			Ledger: verifier.LedgerKey{Issuer: iss, Pseudonym: pseudonym, Programme: programme, Round: round},
			Given:  given, Rest: rest, By: visit.Collector(by), Cancels: cancels, Code: code}
		if len(card) > 0 {
			v.Card = card
		}
		for _, c := range checks {
			v.Checks = append(v.Checks, visit.Check(c))
		}
		one := append1(t, tablet, nil, first)
		if _, err := visit.Prepare(tablet.Key, one, v); err != nil {
			return
		}
		j := read(t, append(bytes.Clone(one), append1(t, tablet, one, v)...))
		if !reflect.DeepEqual(j.Visits, []visit.Visit{first, v}) {
			t.Fatalf("got %+v, want %+v", j.Visits[1], v)
		}
	})
}

// Whatever the file, each record that is taken out of it is one the device signed,
// and merging does not mind what is around it.
func FuzzOpen(f *testing.F) {
	file, ends := day(f)
	f.Add(file)
	f.Add(file[3:])
	f.Add(append(bytes.Clone(file[ends[1]:]), file[:ends[2]-9]...))
	replaced := append1(f, tablet, nil, visit.Visit{Device: []byte{1}, Sequence: 1, At: 1, Kind: visit.Collection, Ledger: unit(1), Former: credential.Former{Issuer: "b", Pseudonym: "p"}})
	f.Add(replaced)
	file = append(file, replaced...)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := visit.Open(b, ours)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			if !bytes.Contains(file, r.Raw) {
				t.Fatal("a record nobody signed")
			}
		}
		m := visit.Merge(visit.Facts{At: 1}, p)
		if again := visit.Merge(visit.Facts{At: 1}, p, p); !reflect.DeepEqual(m, again) {
			t.Fatal("twice is not as once")
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"2.5 kg", "-1", "1e9", "999999999999.999999", "NaN x", " 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok, err := visit.ParseAmount(s)
		if !ok || err != nil {
			return
		}
		if b, ok, err := visit.ParseAmount(a.String()); b != a || !ok || err != nil || a.Micros <= 0 {
			t.Fatalf("%q is %+v, and %q is %+v", s, a, a.String(), b)
		}
	})
}
