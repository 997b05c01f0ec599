package visit_test

import (
	"bytes"
	"reflect"
	"testing"

	"aidpass/verifier/visit"
)

// A journal that grew record by record is the one that is read from the file.
func TestAGrownJournalIsTheOneReadAgain(t *testing.T) {
	file, ends := day(t)
	grown := read(t, nil)
	from := 0
	for _, end := range ends {
		if err := grown.Append(file[from:end], tablet.Key); err != nil {
			t.Fatal(err)
		}
		again := read(t, file[:end])
		if !reflect.DeepEqual(grown.Visits, again.Visits) || !bytes.Equal(grown.Last, again.Last) || grown.Good != again.Good {
			t.Fatalf("after %d bytes: got %+v, want %+v", end, grown, again)
		}
		for _, v := range again.Visits {
			got, there := grown.Earlier(v.Ledger)
			if want, ok := again.Earlier(v.Ledger); got != want || there != ok {
				t.Fatalf("record %d: got %+v %v, want %+v %v", v.Sequence, got, there, want, ok)
			}
		}
		from = end
	}
	if !grown.Cancelled(1) || grown.Cancelled(2) {
		t.Error("the first record was cancelled, and only that")
	}
}

func TestARecordOutOfPlaceIsNotAppended(t *testing.T) {
	file, ends := day(t)
	j := read(t, file[:ends[1]])
	if err := j.Append(file[ends[2]:ends[3]], tablet.Key); err == nil {
		t.Error("the fourth record follows the second")
	}
	if err := j.Append(file[ends[1]:ends[2]], world.Device.Key); err == nil {
		t.Error("another device's key signed it")
	}
	if j.Next() != 3 || j.Good != ends[1] {
		t.Errorf("a refused record changed the journal: next %d", j.Next())
	}
}

// A file of the smallest items that look like records is bounded like any other
// rubbish: behind so many faults the rest is one.
func TestAFileOfRubbishIsBounded(t *testing.T) {
	file := bytes.Repeat([]byte{0xd2, 0x84, 0x58, 0x00, 0xa0, 0x40, 0x40}, 200_000)
	p, err := visit.Open(file, anyTable)
	if err != nil || len(p.Records) != 0 || len(p.Refused) > 20_000 {
		t.Errorf("%d refusals, %v", len(p.Refused), err)
	}
	// What a device signed is found behind less of it.
	j := (&journal{t: t, signer: tables[0]}).add(visit.Visit{Kind: visit.Note, Code: "closed"})
	if p, err = visit.Open(append(file[:7*5000:7*5000], j.records[0]...), anyTable); err != nil || len(p.Records) != 1 || len(p.Refused) != 5000 {
		t.Errorf("%d records, %d refusals, %v", len(p.Records), len(p.Refused), err)
	}
}
