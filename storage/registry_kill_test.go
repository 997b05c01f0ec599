package storage_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/storage"
)

// importing is the folder in which TestKillImportChild imports, in a process of its own.
const importing = "AIDPASS_TEST_KILL_IMPORT"

const importPeople = 2000

// TestKillImport is promise R2: kill -9 at any moment of an import of 2,000
// people, and either all of them are there or none; the import repeated is whole.
// AIDPASS_LOAD=1 kills 1,000 times.
func TestKillImport(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: processes and their deaths take long under the race detector")
	}
	kills := 20
	if os.Getenv("AIDPASS_LOAD") != "" {
		kills = 1000
	}
	dir := t.TempDir()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	defer db.Close()
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	check(t, err)
	begin := time.Now()
	check(t, startChild(t, "TestKillImportChild", importing+"="+dir, importing+"_LIST=0").Wait())
	long := time.Since(begin)
	lists := 1 // lists 0 to lists-1 are in
	for range kills {
		c := startChild(t, "TestKillImportChild", importing+"="+dir, importing+"_LIST="+strconv.Itoa(lists))
		time.Sleep(rand.N(long))
		killChild(t, c)
		switch n := peopleOf(t, org); n {
		case lists * importPeople:
		case (lists + 1) * importPeople: // it was done before it died
			lists++
		default:
			t.Fatalf("%d people are there after %d whole lists of %d", n, lists, importPeople)
		}
	}
	check(t, startChild(t, "TestKillImportChild", importing+"="+dir, importing+"_LIST="+strconv.Itoa(lists)).Wait())
	lists++
	head, err := org.VerifyAudit(t.Context(), access.Head{})
	check(t, err)
	check(t, startChild(t, "TestKillImportChild", importing+"="+dir, importing+"_LIST="+strconv.Itoa(lists-1)).Wait())
	if again, err := org.VerifyAudit(t.Context(), head); err != nil || again != head {
		t.Errorf("the same list again left entries in the audit log: %d after %d, %v", again.Seq, head.Seq, err)
	}
	if n := peopleOf(t, org); n != lists*importPeople {
		t.Errorf("%d people are there, want %d lists of %d", n, lists, importPeople)
	}
	findings, err := org.Check(t.Context())
	check(t, err)
	for _, f := range findings {
		t.Errorf("check: %v", f)
	}
}

func peopleOf(t *testing.T, org *storage.Org) (n int) {
	t.Helper()
	check(t, org.View(t.Context(), func(v registry.View) error {
		all, err := v.Units(registry.KindPerson, registry.ID{}, 1<<30)
		n = len(all)
		return err
	}))
	return n
}

func TestKillImportChild(t *testing.T) {
	dir := os.Getenv(importing)
	if dir == "" {
		t.Skip("run by TestKillImport")
	}
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	org, err := db.Org(t.Context(), "org-a", make([]byte, storage.KEKBytes))
	check(t, err)
	os.Stdout.WriteString("begin\n")
	importList(t, org, "list-"+os.Getenv(importing+"_LIST"), importPeople)
}

// importList is an import as package intake makes one: households of five, and
// their members with what identifies them.
func importList(t testing.TB, org *storage.Org, list string, people int) {
	t.Helper()
	check(t, org.Update(t.Context(), access.Actor{ID: "acc-1", Role: access.Registrar}, func(tx registry.Tx) error {
		var house registry.ID
		for i := range people {
			if i%5 == 0 {
				s, err := tx.Save(registry.Change{Kind: registry.KindHousehold, Source: list, External: fmt.Sprintf("HH-%06d", i/5)})
				if err != nil {
					return err
				}
				house = s.ID
			}
			p := registry.Person{
				Names: []registry.Name{{Text: "Abdirahman Yusuf", Script: "Latn"}}, Sex: "m", Relation: "child",
				Birth:     &registry.Birth{EDTF: "1987-05", Precision: "month"},
				Documents: []registry.Document{{Type: "national_id", Country: "SOM", Number: strconv.Itoa(i)}},
				Contacts:  []registry.Contact{{Kind: "phone", Value: "+252610000000"}},
				Consents:  []registry.Consent{{Purpose: "registration", Given: true, How: "form"}},
			}
			fields, err := p.Fields()
			if err != nil {
				return err
			}
			_, err = tx.Save(registry.Change{
				Kind: registry.KindPerson, Source: list, External: strconv.Itoa(i), Fields: fields, Household: house,
				Keys: []registry.Key{{Kind: registry.KeyDocument, Text: strconv.Itoa(i)}, {Kind: registry.KeyNameYear, Text: strconv.Itoa(i % 997)}},
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// BenchmarkImport is a registration of 5,000 people with ten fields and two keys
// each, in 1,000 households, as one transaction.
func BenchmarkImport(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		db, err := storage.Open(b.Context(), b.TempDir(), storage.Options{})
		check(b, err)
		org, err := db.CreateOrg(b.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
		check(b, err)
		b.StartTimer()
		importList(b, org, "list", 5000)
		b.StopTimer()
		check(b, db.Close())
		b.StartTimer()
	}
	b.ReportMetric(5000/(b.Elapsed()/time.Duration(b.N)).Seconds(), "people/s")
}

// TestLoadImport imports 100,000 people in one transaction: the memory it takes is
// that of the database's cache, not of the list.
func TestLoadImport(t *testing.T) {
	if os.Getenv("AIDPASS_LOAD") == "" {
		t.Skip("SKIPPED: AIDPASS_LOAD=1 imports 100,000 people")
	}
	dir := t.TempDir()
	db, err := storage.Open(t.Context(), dir, storage.Options{})
	check(t, err)
	defer db.Close()
	org, err := db.CreateOrg(t.Context(), "org-a", make([]byte, storage.KEKBytes), access.Actor{ID: "acc-1", Role: access.OrgAdmin})
	check(t, err)
	importList(t, org, "warm", 2000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := time.Now()
	importList(t, org, "large", 100_000)
	took := time.Since(begin)
	runtime.ReadMemStats(&after) // with its garbage
	wal, err := os.Stat(filepath.Join(dir, "aidpass.db-wal"))
	check(t, err)
	file, err := os.Stat(filepath.Join(dir, "aidpass.db"))
	check(t, err)
	t.Logf("%.0f people/s; memory from the system %d MiB and %d MiB before; database %d MiB, its log %d MiB",
		100_000/took.Seconds(), after.Sys>>20, before.Sys>>20, file.Size()>>20, wal.Size()>>20)
	if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
		t.Errorf("the import took %d MiB of memory", grown>>20)
	}
	importList(t, org, "small", 10) // the log is cut again
	if wal, err = os.Stat(filepath.Join(dir, "aidpass.db-wal")); err != nil || wal.Size() > 80<<20 {
		t.Errorf("the write-ahead log has %d MiB after the next transaction, %v", wal.Size()>>20, err)
	}
}
