package visit_test

import (
	"bytes"
	"reflect"
	"testing"
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
