package quality_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

// hopeFile finds a workbook of ../shared/inputs/hope-rdi, which is not part of the repository.
func hopeFile(t *testing.T, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", "inputs", "hope-rdi", name)
		if _, err := os.Stat(found); err == nil {
			return found
		} else if !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if dir == filepath.Dir(dir) {
			t.Skip("SKIPPED: ../shared/inputs/hope-rdi not present")
		}
	}
}

// A real registration with impossible births, ages and phones: it is all told, and
// none of it keeps a household from its card in the months after. Years later, when nobody
// has met them since, everybody has one of some days.
func TestAllFiftyHouseholdsOfARegistrationGetCards(t *testing.T) {
	ctx := context.Background()
	file, err := roster.OpenFile(hopeFile(t, "rdi_import_50_hh_50_ind.xlsx"), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plan, err := intake.Guess(file)
	if err != nil {
		t.Fatal(err)
	}
	store := &registrytest.Store{}
	if _, err := intake.Run(ctx, store, access.Actor{ID: "amina", Role: access.Registrar}, plan, file, intake.Options{Now: at}); err != nil {
		t.Fatal(err)
	}
	var tally, later quality.Tally
	err = store.View(ctx, func(v registry.View) error {
		r, err := quality.NewReader(v)
		if err != nil {
			return err
		}
		ids, err := v.Units(registry.KindHousehold, registry.ID{}, 1000)
		for _, id := range ids {
			u, err := r.Unit(id)
			if err != nil {
				return err
			}
			gate := quality.Default().Gate("")
			tally.Add(gate.Judge(u, u.LastMet().AddDate(0, 6, 0)))
			later.Add(gate.Judge(u, at))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if tally.Units != 50 || tally.Issued != 50 {
		t.Errorf("%d households: %d cards, %d provisional, %d refused: %+v", tally.Units, tally.Issued, tally.Provisional, tally.Refused, tally.Rows())
	}
	if later.Provisional != 50 {
		t.Errorf("years later: %+v", later.Rows())
	}
}
