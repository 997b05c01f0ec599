package roster_test

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"aidpass/issuer/registry/roster"
)

// BenchmarkXLSX reads 20,000 people of 8 columns, and prints the time as a ratio
// to excelize reading the same sheet as a stream.
func BenchmarkXLSX(b *testing.B) {
	const rows = 20_000
	path := filepath.Join(b.TempDir(), "list.xlsx")
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	for i := range rows + 1 {
		row := []any{fmt.Sprintf("P-%06d", i), fmt.Sprintf("H-%05d", i/5), fmt.Sprintf("Person Number %d", i), "1990-01-01", "F", i % 9, 33.9391 + float64(i), ""}
		if i == 0 {
			row = []any{"id", "household id", "full name", "birth date", "sex", "size", "place", "note"}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.SaveAs(path); err != nil {
		b.Fatal(err)
	}
	theirs := func() {
		f, err := excelize.OpenFile(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		sheet, err := f.Rows("Sheet1")
		if err != nil {
			b.Fatal(err)
		}
		for sheet.Next() {
			if _, err := sheet.Columns(); err != nil {
				b.Fatal(err)
			}
		}
	}
	ours := func() {
		r, err := roster.Open(path, roster.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for n := 0; ; n++ {
			if _, err := r.Next(); err == io.EOF {
				if n != rows {
					b.Fatalf("%d rows", n)
				}
				return
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
	var floor, taken time.Duration // side by side, so that a busy machine slows both
	for b.Loop() {
		start := time.Now()
		theirs()
		middle := time.Now()
		ours()
		floor, taken = floor+middle.Sub(start), taken+time.Since(middle)
	}
	b.ReportMetric(0, "ns/op") // of both together: it means nothing
	b.ReportMetric(rows*float64(b.N)/taken.Seconds(), "rows/s")
	b.ReportMetric(float64(taken)/float64(floor), "x-excelize")
}
