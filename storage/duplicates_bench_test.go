package storage_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/doubles"
	"aidpass/storage"
)

// BenchmarkDuplicates is a run over 100,000 people, and one over the hundred who came since:
// go test ./storage -run - -bench Duplicates -benchtime 1x
func BenchmarkDuplicates(b *testing.B) {
	const people = 100_000
	db, err := storage.Open(b.Context(), b.TempDir(), storage.Options{})
	check(b, err)
	defer db.Close()
	org, err := db.CreateOrg(b.Context(), "org-a", make([]byte, storage.KEKBytes), keeper)
	check(b, err)
	r := rand.New(rand.NewPCG(1, 2))
	word := func() (s string) {
		for range 2 + r.IntN(3) {
			s += string("bdfghjklmnrstwz"[r.IntN(15)]) + string("aeiou"[r.IntN(5)])
		}
		return s
	}
	words := make([]string, 4000)
	for i := range words {
		words[i] = word()
	}
	pick := func() string { return words[min(r.IntN(len(words)), r.IntN(len(words)))] }
	add := func(n int) {
		for done := 0; done < n; done += 500 {
			check(b, org.Update(b.Context(), keeper, func(tx registry.Tx) error {
				for range min(500, n-done) {
					name, _ := registry.ParseName(pick()+" "+pick()+" "+pick(), "")
					fields, err := registry.Person{Names: []registry.Name{name}, Sex: []string{"f", "m"}[r.IntN(2)],
						Birth: &registry.Birth{EDTF: fmt.Sprintf("%d-%02d-%02d", 1940+r.IntN(80), 1+r.IntN(12), 1+r.IntN(28)), Precision: "day"}}.Fields()
					if err != nil {
						return err
					}
					if _, err := tx.Save(registry.Change{Kind: registry.KindPerson, Fields: fields}); err != nil {
						return err
					}
				}
				return nil
			}))
		}
	}
	add(people)
	desk := &doubles.Desk{Store: org, Now: time.Now}
	for b.Loop() {
		for _, o := range []doubles.Options{{Full: true}, {}} {
			rep, err := desk.Run(b.Context(), keeper, o)
			check(b, err)
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			b.Logf("full %t: %d people, %d read, %d pairs compared, %d found, %.1f s, %d MiB in all", rep.Full, rep.People, rep.Read, rep.Compared, rep.Told+rep.Review, rep.Seconds, mem.Sys>>20)
			add(100)
		}
	}
}
