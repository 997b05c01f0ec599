package export_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aidpass/cmd/aidpass/demoworld"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/registrytest"
)

// TestAnExportOfAListSaysNothingNew: whatever was read of a list, its findings and
// how its births were understood, is not changed by the list's own export.
func TestAnExportOfAListSaysNothingNew(t *testing.T) {
	world, err := demoworld.New(now)
	if err != nil {
		t.Fatal(err)
	}
	var demo bytes.Buffer
	if err := world.Write(&demo); err != nil {
		t.Fatal(err)
	}
	lists := map[string][]byte{"the demo's": demo.Bytes()}
	if b, err := os.ReadFile(fifty(t)); err == nil {
		lists["fifty households"] = b
	} else {
		t.Log("SKIPPED: ../shared/inputs/hope-rdi is not there: a list from outside is not tested")
	}
	for name, list := range lists {
		for _, form := range []export.Form{export.XLSX, export.HXL} {
			if form == export.HXL && name != "the demo's" {
				continue // its telephones lack a country, which a flat row then gives them
			}
			for what, fields := range map[string][]string{"by default": nil, "with every field": everything()[:len(everything())-1]} {
				moment := now
				s := &registrytest.Store{Now: func() time.Time { moment = moment.Add(time.Second); return moment }}
				if n := take(t, s, export.XLSX, list).Total(); n.Created == 0 {
					t.Fatalf("%s: %v", name, n)
				}
				before := s.Len("person")
				data, _ := write(t, s, export.Options{Form: form, Fields: fields})
				again := take(t, s, form, data)
				if n := again.Total(); n.Created != 0 || n.Updated != 0 || n.Rejected != 0 || n.Duplicate != n.Rows || s.Len("person") != before {
					t.Errorf("%s as %s %s: %v", name, form, what, n)
					for _, f := range again.Findings {
						t.Logf("%s row %d %s %s", f.Table, f.Row, f.Column, f.Code)
					}
				}
			}
		}
	}
}

func fifty(t *testing.T) string {
	t.Helper()
	for dir, err := os.Getwd(); err == nil; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", "inputs", "hope-rdi", "rdi_import_50_hh_50_ind.xlsx")
		if _, err := os.Stat(path); err == nil || dir == filepath.Dir(dir) {
			return path
		}
	}
	return ""
}
