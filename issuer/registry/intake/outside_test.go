package intake_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

// What becomes of every list from outside: counts of a table as
// rows=created+updated+duplicate+rejected, "?" for a question, and nothing at all
// for a file that roster refuses.
var outside = map[string]string{
	"hope-rdi/error-xlsx.xlsx":                                       "Households 3=3+0+0+0; Individuals 6=6+0+0+0",
	"hope-rdi/invalid_area.xlsx":                                     "Households 3=3+0+0+0; Individuals 6=6+0+0+0",
	"hope-rdi/invalid_cols.xlsx":                                     "?",
	"hope-rdi/invalid_rows.xlsx":                                     "Households 19=18+0+0+1; Individuals 27=23+0+0+4",
	"hope-rdi/new_reg_data_import.xlsx":                              "Households 3=3+0+0+0; Individuals 6=6+0+0+0",
	"hope-rdi/rdi_import_3_hh_missing_required_delivery_fields.xlsx": "Households 3=3+0+0+0; Individuals 14=14+0+0+0",
	"hope-rdi/rdi_import_50_hh_50_ind.xlsx":                          "Households 50=50+0+0+0; Individuals 208=208+0+0+0",
	"hope-payment/import_file_one_record.xlsx":                       "Test FSP 1 1=0+0+0+1",
	"hope-payment/import_file_with_existing_delivery_date.xlsx":      "Test FSP 1 3=0+0+0+3",
	"hope-payment/pp_payment_list_valid.xlsx":                        "Payment Plan - Payment List 2=2+0+0+0",
	"hope-payment/unordered_columns_1.xlsx":                          "?",
	"hope-kobo/kobo_submissions.json":                                "submissions 1=1+0+0+0; individual_questions 2=2+0+0+0",
	"hope-kobo/test_calculate_hash_for_kobo_submission1.json":        "submissions 1=1+0+0+0; individual_questions 2=2+0+0+0",
	"kobo-unhcr/ListCaseNos.csv":                                     "?",
	"kobo-unhcr/MainDataFrame.csv":                                   "?",
	"erff-xml/V4-TEST-CrossReference.xml":                            "Cases 1=1+0+0+0; Individuals 5=5+0+0+0",
	"erff-xml/V4-TEST-Minimal.xml":                                   "Cases 1=1+0+0+0; Individuals 1=1+0+0+0",
	"erff-xml/V4-TEST.xml":                                           "Cases 1=1+0+0+0; Individuals 5=5+0+0+0",
	"hxl-samples/hxl-default-schema.json":                            "?",
	"hxl-samples/hxl-showcase-3w-export.csv":                         "?",
	"hxl-samples/hxl-tags-2014.csv":                                  "?",
	"hxl-samples/input-fuzzy.csv":                                    "?",
	"hxl-samples/input-invalid.csv":                                  "?",
	"hxl-samples/input-merged.xlsx":                                  "?",
	"hxl-samples/input-multiple-headers.csv":                         "?",
	"hxl-samples/input-quality.xlsx":                                 "?",
	"hxl-samples/input-untagged.csv":                                 "?",
	"hxl-samples/input-valid-latin1.csv":                             "?",
	"hxl-samples/input-valid.csv":                                    "?",
	"hxl-samples/input-valid.json":                                   "?",
	"hxl-samples/input-valid.tsv":                                    "?",
	"hxl-samples/input-valid.xlsx":                                   "?",
	"progres-codes/specific_needs_codes_v3.csv":                      "?",
	"formpack-fixtures/all_geo_types/v1.json":                        "?",
	"formpack-fixtures/all_geo_types/v2.json":                        "?",
	"formpack-fixtures/grouped_repeatable/v1.json":                   "?",
	"formpack-fixtures/hxl_grouped_repeatable/v1.json":               "submissions 6=6+0+0+0",
	"formpack-fixtures/nested_grouped_repeatable/v1.json":            "?",
	"formpack-fixtures/nested_grouped_repeatable/v2.json":            "?",
	"formpack-fixtures/or_other/v1.json":                             "?",
	"formpack-fixtures/site_inspection/v1.json":                      "?",
	"formpack-fixtures/site_inspection/v2.json":                      "?",
	"formpack-fixtures/site_inspection/v3.json":                      "?",
	"formpack-fixtures/site_inspection/v4.json":                      "?",
	"formpack-fixtures/site_inspection/v5.json":                      "?",
	"formpack-fixtures/site_inspection/v6.json":                      "?",
	"formpack-fixtures/translations_labels_mismatch/v1.json":         "?",
	"formpack-fixtures/selectone_to_multiple/submissions.json":       "?",
}

// TestEveryListFromOutside: no row is lost, every rejection is named, and the same
// file again adds nothing.
func TestEveryListFromOutside(t *testing.T) {
	root := shared(t, "inputs")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".csv", ".tsv", ".xlsx", ".json", ".xml"}, filepath.Ext(path)) {
			return err
		}
		name, _ := filepath.Rel(root, path)
		want, pinned := outside[name]
		seen[name] = true
		var store registrytest.Store
		in, err := try(t, &store, path, intake.Options{})
		var refused *roster.FileError
		var question *intake.Question
		got := ""
		switch {
		case errors.As(err, &refused):
		case errors.As(err, &question):
			got = "?"
			if store.Len(registry.KindPerson)+store.Len(registry.KindHousehold) > 0 {
				t.Errorf("%s: asked, and imported", name)
			}
		case err != nil:
			t.Errorf("%s: %v", name, err)
			return nil
		default:
			got = in.counts()
		}
		if got != want || (got != "") != pinned {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		if in.Report == nil {
			return nil
		}
		total := in.Total()
		if total.Rows == 0 {
			t.Errorf("%s: no rows and no error", name)
		}
		again := must(t, &store, path, intake.Options{})
		if sum := again.Total(); sum.Created+sum.Updated > 0 || sum.Rejected != total.Rejected || again.Earlier == nil || again.Earlier.Rows != total.Rows {
			t.Errorf("%s: the same file again: %s, earlier %v", name, again.counts(), again.Earlier)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range outside {
		if !seen[name] {
			t.Errorf("%s is not there any more", name)
		}
	}
}

func TestTheFiftyHouseholds(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, shared(t, "inputs", "hope-rdi", "rdi_import_50_hh_50_ind.xlsx"), intake.Options{})
	persons, households := people(t, &store)
	if len(persons) != 208 || len(households) != 50 {
		t.Fatalf("%d people in %d households", len(persons), len(households))
	}
	heads, collectors := 0, 0
	for _, h := range households {
		if h.Head != "" {
			heads++
		}
		collectors += len(h.Collectors)
		if registry.Blocked(h.Issues) {
			t.Errorf("a household is blocked: %v", h.Issues)
		}
		if len(h.Consents) == 0 || !h.Consents[0].Given || h.Size != 1 {
			t.Errorf("consent or size is not as the list says it: %+v", h)
		}
	}
	for _, p := range persons {
		if registry.Blocked(p.Issues) || len(p.Names) != 1 || p.Sex == "" || p.Birth == nil {
			t.Errorf("a person is blocked or not whole: %+v", p)
		}
	}
	if heads != 50 || collectors == 0 {
		t.Errorf("%d heads, %d collectors", heads, collectors)
	}
	if in.Quality.People != 208 || in.Quality.Filled["sex"] != 208 || in.Quality.FilledHH["consent"] != 50 {
		t.Errorf("quality: %+v", in.Quality)
	}
}

func TestInvalidRowsAreRejectedByName(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, shared(t, "inputs", "hope-rdi", "invalid_rows.xlsx"), intake.Options{})
	want := []string{
		"Households:5:consent_unreadable", "Households:5:size_unreadable",
		"Individuals:10:household_rejected", "Individuals:11:household_rejected", "Individuals:29:household_unknown", "Individuals:8:birth_serial",
	}
	if got := in.found(intake.Reject); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// The file of rejected rows has the sheets and the two header rows it came with.
	path := in.rejects(t)
	file, err := roster.OpenFile(path, roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Format() != roster.HOPE || len(file.Tables()) != 2 || file.Tables()[0].Labels != 2 {
		t.Errorf("rejects: %s %+v", file.Format(), file.Tables())
	}
	again := must(t, &store, path, intake.Options{})
	if again.counts() != "Households 1=0+0+0+1; Individuals 4=0+0+0+4" {
		t.Errorf("unmended rejects: %s", again.counts())
	}
}

func TestInvalidColumnsEndInAQuestion(t *testing.T) {
	var store registrytest.Store
	path := shared(t, "inputs", "hope-rdi", "invalid_cols.xlsx")
	_, err := try(t, &store, path, intake.Options{})
	var q *intake.Question
	if !errors.As(err, &q) || len(q.Asks) != 1 {
		t.Fatalf("no question: %v", err)
	}
	a := q.Asks[0]
	if a.Table != "Households" || a.Field != intake.Consent || !slices.Contains(a.Columns, "consent_image") || a.Answer != "Households:consent=consent_image" {
		t.Errorf("asked %+v", a)
	}
	in := must(t, &store, path, intake.Options{}, a.Answer)
	if in.Total().Created == 0 {
		t.Errorf("answered: %s", in.counts())
	}
}

func TestMissingDeliveryFieldsAreListedByHousehold(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, shared(t, "inputs", "hope-rdi", "rdi_import_3_hh_missing_required_delivery_fields.xlsx"), intake.Options{})
	var got []string
	for _, d := range in.Delivery {
		got = append(got, d.Household+" "+d.Mechanism+" "+strings.Join(d.Missing, ","))
	}
	const name, expiry = "name_of_cardholder__atm_card_i_c", "card_expiry_date__atm_card_i_c"
	want := []string{"1875780963 atm_card " + name, "12277481 atm_card " + name, "12277481 atm_card " + expiry + "," + name}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What the manifest of hostile files asks for.
func TestHostileLists(t *testing.T) {
	root := shared(t, "hostile-files")
	for name, want := range map[string]string{
		"ok.csv": "1=1+0+0+0", "bom.csv": "1=1+0+0+0", "utf16le.csv": "1=1+0+0+0", "lone-cr.csv": "1=1+0+0+0", "ok.xlsx": "People 1=1+0+0+0",
		"formula-cells.xlsx": "People 1=1+0+0+0",
		"nul.csv":            "1=0+0+0+1", "ragged.csv": "2=0+0+0+2",
		"dates.csv": "7=1+0+0+6", "formula-names.csv": "12=10+0+2+0", "unicode-names.csv": "13=11+0+1+1",
		"missing-header.csv": "", "header-only.csv": "", "bomb-sharedstrings-100MB.xlsx": "", "xxe-billion-laughs.xlsx": "", "dup-entry.xlsx": "",
		"huge-row-number.xlsx": "", "not-zip.xlsx": "", "csv-as-xlsx.xlsx": "",
	} {
		var store registrytest.Store
		in, err := try(t, &store, filepath.Join(root, name), intake.Options{})
		var refused *roster.FileError
		switch {
		case want == "" && !errors.As(err, &refused):
			t.Errorf("%s: want a file error, got %v", name, err)
		case want == "":
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case strings.TrimSpace(in.counts()) != want:
			t.Errorf("%s: got %q, want %q", name, in.counts(), want)
		}
	}
}
