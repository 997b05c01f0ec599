package intake_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

var (
	today     = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	registrar = access.Actor{ID: "registrar-1", Role: access.Registrar}
)

// shared returns a folder of files from outside, and skips the test aloud where it
// is not beside the repository.
func shared(t testing.TB, parts ...string) string {
	t.Helper()
	for dir, err := os.Getwd(); err == nil; dir = filepath.Dir(dir) {
		if path := filepath.Join(dir, "shared", filepath.Join(parts...)); there(path) {
			return path
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	t.Skipf("SKIPPED: ../shared/%s is not there: lists from outside are not tested", filepath.Join(parts...))
	return ""
}

func there(path string) bool { _, err := os.Stat(path); return err == nil }

func write(t testing.TB, name, data string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// imported is one run of a list.
type imported struct {
	*intake.Report
	path  string
	file  *roster.File
	plan  intake.Plan
	store *registrytest.Store
}

// try imports a list into a store with a guessed plan and answers.
func try(t testing.TB, store *registrytest.Store, path string, opt intake.Options, answers ...string) (imported, error) {
	t.Helper()
	file, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		return imported{}, err
	}
	t.Cleanup(func() { file.Close() })
	plan, err := intake.Guess(file)
	if err != nil {
		return imported{}, err
	}
	if err := plan.Answer(file, answers); err != nil {
		return imported{}, err
	}
	if opt.Places == nil {
		if opt.Places, err = intake.PlacesOf(&plan, file); err != nil {
			return imported{}, err
		}
	}
	opt.Now = today
	report, err := intake.Run(context.Background(), store, registrar, plan, file, opt)
	return imported{report, path, file, plan, store}, err
}

func must(t testing.TB, store *registrytest.Store, path string, opt intake.Options, answers ...string) imported {
	t.Helper()
	in, err := try(t, store, path, opt, answers...)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return in
}

// counts writes a report's sums as created+updated+duplicate+rejected of rows.
func (in imported) counts() string {
	var out []string
	for _, c := range in.Tables {
		out = append(out, fmt.Sprintf("%s %d=%d+%d+%d+%d", c.Name, c.Rows, c.Created, c.Updated, c.Duplicate, c.Rejected))
	}
	return strings.Join(out, "; ")
}

// found lists findings as "table:row:code", the given severities only.
func (in imported) found(of ...intake.Severity) []string {
	var out []string
	for _, f := range in.Findings {
		if slices.Contains(of, f.Severity) {
			out = append(out, strings.TrimPrefix(fmt.Sprintf("%s:%d:%s", f.Table, f.Row, f.Code), ":"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rejects writes the rejected rows and returns the file.
func (in imported) rejects(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rejects"+intake.RejectsExt(in.file.Format()))
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(in.WriteRejects(f, in.file), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// people returns what is on record, by number; households by theirs.
func people(t testing.TB, store *registrytest.Store) (map[string]registry.Person, map[string]registry.Household) {
	t.Helper()
	persons, households := map[string]registry.Person{}, map[string]registry.Household{}
	err := store.View(context.Background(), func(v registry.View) error {
		for _, kind := range []registry.Kind{registry.KindPerson, registry.KindHousehold} {
			ids, err := v.Units(kind, registry.ID{}, 1<<20)
			if err != nil {
				return err
			}
			for _, id := range ids {
				rec, err := v.Record(id)
				if err != nil {
					return err
				}
				if kind == registry.KindPerson {
					persons[rec.External], err = rec.Person()
				} else {
					households[rec.External], err = rec.HouseholdRecord()
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return persons, households
}

func csvOf(t testing.TB, rows [][]string) string {
	t.Helper()
	var b strings.Builder
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
