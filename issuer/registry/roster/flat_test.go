package roster_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/xuri/excelize/v2"

	"aidpass/issuer/registry/roster"
)

// makers write a file of so many people.
var makers = map[string]func(t testing.TB, path string, people int){
	"list.csv": func(t testing.TB, path string, people int) {
		lines(t, path, "id,household id,full name,birth date,sex\n", people, "P-%[1]d,H-%[1]d,Person Number %[1]d,1990-01-01,F\n", "")
	},
	"list.json": func(t testing.TB, path string, people int) {
		lines(t, path, `{"results":[{"_id":0}`+"\n", people-1, `,{"_id":%[1]d,"_uuid":"u-%[1]d","group/full_name":"Person Number %[1]d","sex":"F","size":1,"members":[{"members/name":"Member of %[1]d","members/age":9}]}`+"\n", "]}")
	},
	"list.xml": func(t testing.TB, path string, people int) {
		lines(t, path, "<UNHCR_RRF>", people, `<CASE><dataIndividual><IndividualGUID>g%[1]d</IndividualGUID><FamilyName>Person Number %[1]d</FamilyName></dataIndividual></CASE>`+"\n", "</UNHCR_RRF>")
	},
	"list.xlsx": func(t testing.TB, path string, people int) { // its texts stand in their cells
		f := excelize.NewFile()
		defer f.Close()
		w, err := f.NewStreamWriter("Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		for i := range people + 1 {
			row := []any{fmt.Sprintf("P-%d", i), fmt.Sprintf("H-%d", i), fmt.Sprintf("Person Number %d", i), "1990-01-01", "F"}
			if i == 0 {
				row = []any{"id", "household id", "full name", "birth date", "sex"}
			}
			if err := w.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := f.SaveAs(path); err != nil {
			t.Fatal(err)
		}
	},
}

func lines(t testing.TB, path, start string, n int, line, end string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	w.WriteString(start)
	for i := range n {
		fmt.Fprintf(w, line, i+1)
	}
	w.WriteString(end)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// held reads all tables of a file, and returns the rows of the first and the most
// bytes that were held at once while they came.
func held(t testing.TB, path string) (rows int, most uint64) {
	f, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var m runtime.MemStats
	for i, table := range f.Tables() {
		r, err := f.Rows(table.Name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; ; n++ {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				rows++
			}
			if n%2_000 == 1_999 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}
	return rows, most
}

// What is held in memory does not grow with the rows: four times as many people
// take no more than a few buffers.
func TestMemoryIsFlat(t *testing.T) {
	for name, write := range makers {
		folder := t.TempDir()
		var most [2]uint64
		for i, people := range []int{4_000, 16_000} {
			path := filepath.Join(folder, fmt.Sprint(i)+name)
			write(t, path, people)
			rows := 0
			if rows, most[i] = held(t, path); rows != people {
				t.Fatalf("%s: %d rows, want %d", name, rows, people)
			}
		}
		if most[1] > most[0]+1<<20 {
			t.Errorf("%s: %d bytes for 4,000 people, %d for 16,000", name, most[0], most[1])
		}
	}
}

// BenchmarkRows opens and reads 100,000 people of each form.
func BenchmarkRows(b *testing.B) {
	const people = 100_000
	for _, name := range []string{"list.csv", "list.xlsx", "list.json", "list.xml"} {
		b.Run(filepath.Ext(name)[1:], func(b *testing.B) {
			path := filepath.Join(b.TempDir(), name)
			makers[name](b, path, people)
			b.ReportAllocs()
			for b.Loop() {
				f, err := roster.OpenFile(path, roster.Options{})
				if err != nil {
					b.Fatal(err)
				}
				r, err := f.Rows(f.Tables()[0].Name)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					_, err = r.Next()
				}
				if err != io.EOF {
					b.Fatal(err)
				}
				f.Close()
			}
			b.ReportMetric(people*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			_, most := held(b, path)
			b.ReportMetric(float64(most)/(1<<20), "MB-held")
		})
	}
}
