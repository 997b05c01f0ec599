package apart

import (
	"bytes"
	"reflect"
	"testing"

	"aidpass/issuer/registry/roster"
)

// FuzzRows: what a worker sends may be anything: rows, or an error, and those that are
// read are written as they were read.
func FuzzRows(f *testing.F) {
	row := roster.RawRow{Number: 7, Path: "submission 3", Index: "3", Parent: "1", Version: "v2", Cells: []string{"", "\xff\x00", "Zuhura"},
		Problems: []roster.Problem{{Row: 7, Column: "sex", What: "it is none", Fix: "write f or m"}}}
	f.Add(appendRow(appendRow(nil, &row), &roster.RawRow{}))
	f.Add([]byte{1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readRows(b)
		if err != nil {
			return
		}
		var again []byte
		for i := range rows {
			again = appendRow(again, &rows[i])
		}
		back, err := readRows(again)
		if err != nil || !reflect.DeepEqual(back, rows) || len(again) > len(b) {
			t.Errorf("%q became %q: %v", b, again, err)
		}
		if op, got, err := readFrame(bytes.NewReader(b)); err == nil && len(got) > len(b) {
			t.Errorf("frame %q of %d bytes", op, len(got))
		}
	})
}
