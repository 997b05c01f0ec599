package visit_test

import (
	"bytes"
	"testing"

	"aidpass/internal/cose"
	"aidpass/verifier/visit"
)

// What a table hears: whole journals of several devices in one file, the newest
// records of others, and by those whether its own memory was copied.
func TestWhatATableHears(t *testing.T) {
	a, b := &journal{t: t, signer: tables[0]}, &journal{t: t, signer: tables[1]}
	for range 3 {
		a.add(visit.Visit{Kind: visit.Note, Code: "served"})
		b.add(visit.Visit{Kind: visit.Note, Code: "served"})
	}
	find := func(kid []byte) *cose.Key {
		for _, s := range tables[:2] {
			if id := s.Key.ID(); bytes.Equal(id[:], kid) {
				return s.Key
			}
		}
		return nil
	}
	whole := bytes.Join([][]byte{a.records[0], b.records[0], a.records[1], b.records[1], a.records[2]}, nil)
	told, err := visit.ReadTold(whole, find)
	if err != nil || len(told) != 2 || len(told[0].Visits) != 3 || len(told[1].Visits) != 2 {
		t.Fatalf("%d journals, %v", len(told), err)
	}
	if got := told[0].Device(); got != tables[0].Key.ID() || !bytes.Equal(told[0].File, bytes.Join(a.records, nil)) {
		t.Errorf("the journal of %x", got)
	}
	// The newest record of another is no journal, and takes nothing away.
	told, err = visit.ReadTold(append(bytes.Join(a.records, nil), b.records[2]...), find)
	if err != nil || len(told) != 1 {
		t.Errorf("%d journals, %v", len(told), err)
	}
	if _, err := visit.ReadTold(b.records[2], find); err == nil {
		t.Error("a newest record alone is a journal")
	}
	if _, err := visit.ReadTold([]byte("\x89PNG\r\n"), find); err == nil {
		t.Error("a picture is a journal")
	}

	read := func(records ...[]byte) *visit.Journal {
		j, err := visit.Read(bytes.Join(records, nil), find)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	other := &journal{t: t, signer: tables[0]}
	other.add(visit.Visit{Kind: visit.Note, Code: "something_else"})
	for name, c := range map[string]struct {
		own  *visit.Journal
		told []byte
		want bool
	}{
		"its own, as far as it goes":      {read(a.records...), bytes.Join(a.records[:2], nil), false},
		"its newest record":               {read(a.records...), a.records[2], false},
		"more than it remembers":          {read(a.records[:2]...), append(bytes.Clone(b.records[0]), a.records[2]...), true},
		"it remembers nothing":            {read(), a.records[0], true},
		"another record under its number": {read(a.records...), other.records[0], true},
		"other devices":                   {read(a.records...), bytes.Join(b.records, nil), false},
		"no records":                      {read(a.records...), []byte{0x83, 1}, false},
	} {
		if got := c.own.CopiedBy(tables[0].Key, c.told); got != c.want {
			t.Errorf("%s: copied %v", name, got)
		}
	}
}

func FuzzReadTold(f *testing.F) {
	find := func([]byte) *cose.Key { return tables[0].Key }
	f.Add([]byte{0x83, 1})
	f.Fuzz(func(t *testing.T, file []byte) {
		told, err := visit.ReadTold(file, find)
		if (err != nil) != (len(told) == 0 && len(file) > 0) {
			t.Fatalf("%d journals and %v", len(told), err)
		}
		(&visit.Journal{}).CopiedBy(tables[0].Key, file)
	})
}
