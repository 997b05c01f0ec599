package intake_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

// sink takes records and forgets them, so that what is measured is the import's.
type sink struct{ registry.Tx }

func (sink) Save(c registry.Change) (registry.Saved, error) {
	if c.ID.IsZero() {
		return registry.Saved{ID: registry.NewID(), New: true, Changed: len(c.Fields)}, nil
	}
	return registry.Saved{ID: c.ID, Changed: len(c.Fields)}, nil
}
func (sink) Find(registry.Kind, string, string) (registry.ID, bool, error) {
	return registry.ID{}, false, nil
}
func (sink) Lookup(registry.Key) ([]registry.ID, error)                 { return nil, nil }
func (sink) Record(id registry.ID) (registry.Record, error)             { return registry.Record{ID: id}, nil }
func (sink) ImportOf([32]byte) (f registry.ImportFile, _ bool, _ error) { return f, false, nil }
func (sink) SaveDouble(registry.Double) error                           { return nil }
func (sink) SaveImport(registry.ImportFile) error                       { return nil }

type sinkStore struct{ registrytest.Store }

func (*sinkStore) Update(_ context.Context, _ access.Actor, fn func(registry.Tx) error) error {
	return fn(sink{})
}

// BenchmarkImport tells time and the most memory in use for a clean list.
func BenchmarkImport(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(map[int]string{10_000: "10k", 100_000: "100k"}[n], func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "list.csv")
			if err := os.WriteFile(path, []byte(newList(n/perHouse, 9).csv(b, nil)), 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				runtime.GC()
				base, most := inUse(), uint64(0)
				file, err := roster.OpenFile(path, roster.Options{})
				if err != nil {
					b.Fatal(err)
				}
				plan, err := intake.Guess(file)
				if err != nil {
					b.Fatal(err)
				}
				opt := intake.Options{Now: today, Country: "KEN", Progress: func(_ string, rows int) {
					if rows%5000 == 0 {
						runtime.GC()
						most = max(most, inUse())
					}
				}}
				report, err := intake.Run(context.Background(), &sinkStore{}, registrar, plan, file, opt)
				if err != nil {
					b.Fatal(err)
				}
				if report.Total().Created != n {
					b.Fatalf("%+v", report.Total())
				}
				file.Close()
				b.ReportMetric(float64(most-min(base, most))/(1<<20), "MiB-live")
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func inUse() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
