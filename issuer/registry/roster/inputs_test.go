package roster_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/issuer/registry/roster"
)

// shared returns a folder of the files that are kept beside the repository.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "shared", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skipf("SKIPPED: ../shared/%s not present", name)
	return ""
}

// whole is a file read to its end.
type whole struct {
	*roster.File
	rows map[string][]roster.Row // by table
}

func readAll(path string, opt roster.Options) (whole, error) {
	f, err := roster.OpenFile(path, opt)
	if err != nil {
		return whole{}, err
	}
	defer f.Close()
	w := whole{f, map[string][]roster.Row{}}
	for _, t := range f.Tables() {
		rows, err := f.Rows(t.Name)
		if err != nil {
			return w, err
		}
		for {
			row, err := rows.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				return w, err
			}
			w.rows[t.Name] = append(w.rows[t.Name], row)
		}
		if len(w.rows[t.Name]) == 0 {
			return w, fmt.Errorf("table %q has no rows and is no error", t.Name)
		}
	}
	return w, nil
}

// summary is the form of a file and the rows of its tables, with those that have
// problems after a slash; or why it is refused.
func summary(path string) string {
	w, err := readAll(path, roster.Options{})
	var refused *roster.FileError
	if errors.As(err, &refused) {
		return "refused: it " + refused.What
	} else if err != nil {
		return err.Error()
	}
	out := string(w.Format())
	for _, t := range w.Tables() {
		bad := 0
		for _, row := range w.rows[t.Name] {
			if len(row.Problems) > 0 {
				bad++
			}
		}
		out += fmt.Sprintf(" %s=%d", t.Name, len(w.rows[t.Name]))
		if bad > 0 {
			out += fmt.Sprintf("/%d", bad)
		}
	}
	return out
}

func TestEveryFileFromOutsideOpensOrIsRefused(t *testing.T) {
	const (
		xlsForm = "refused: it is the form (XLSForm), not its answers"
		oldBook = "refused: it is an old Excel workbook (.xls), not CSV or XLSX"
		rrf     = "rrf Cases=1 Individuals=5 Memberships=5"
		rrfRest = " Addresses=5 Aliases=1 Education=2 Employment=15 Relatives=4 Languages=3 Photographs=3 Resettlement=1 Vulnerabilities=2"
		repeat  = "kobo-json submissions=6 household_visit/houshold_member_repeat=13"
		nests   = "kobo-json submissions=2 group_tree=3 group_tree/group_nest=4 group_tree/group_nest/group_egg=7"
	)
	want := map[string]string{
		"erff-xml/V4-TEST-CrossReference.xml":                            rrf + " CrossReferences=2" + rrfRest,
		"erff-xml/V4-TEST-Minimal.xml":                                   "rrf Cases=1 Individuals=1 Memberships=1 Addresses=1 Aliases=1 Education=1 Employment=1 Relatives=1 Languages=1 Photographs=1 Resettlement=1 Vulnerabilities=1",
		"erff-xml/V4-TEST.xml":                                           rrf + rrfRest,
		"erff-xml/rrf-v4.xsd":                                            "refused: it is an XML schema: it describes exchange files and holds nobody",
		"formpack-fixtures/all_geo_types/v1.json":                        "kobo-json submissions=1",
		"formpack-fixtures/all_geo_types/v2.json":                        "kobo-json submissions=1",
		"formpack-fixtures/grouped_repeatable/v1.json":                   repeat,
		"formpack-fixtures/hxl_grouped_repeatable/v1.json":               repeat,
		"formpack-fixtures/nested_grouped_repeatable/v1.json":            nests,
		"formpack-fixtures/nested_grouped_repeatable/v2.json":            nests,
		"formpack-fixtures/or_other/v1.json":                             "kobo-json submissions=3",
		"formpack-fixtures/selectone_to_multiple/submissions.json":       "kobo-json submissions=9",
		"formpack-fixtures/selectone_to_multiple/v1_normal.json":         "refused: it is the form, not its answers",
		"formpack-fixtures/selectone_to_multiple/v2_selectone.json":      "refused: it is the form, not its answers",
		"formpack-fixtures/selectone_to_multiple/v3_selectmultiple.json": "refused: it is the form, not its answers",
		"formpack-fixtures/site_inspection/v1.json":                      "kobo-json submissions=2",
		"formpack-fixtures/site_inspection/v2.json":                      "kobo-json submissions=2",
		"formpack-fixtures/site_inspection/v3.json":                      "kobo-json submissions=2",
		"formpack-fixtures/site_inspection/v4.json":                      "kobo-json submissions=2",
		"formpack-fixtures/site_inspection/v5.json":                      "kobo-json submissions=2",
		"formpack-fixtures/site_inspection/v6.json":                      "kobo-json submissions=2",
		"formpack-fixtures/translations_labels_mismatch/v1.json":         "kobo-json submissions=1",
		"hope-kobo/FlexibleAttributesInit.xlsx":                          xlsForm,
		"hope-kobo/kobo-template-invalid.xlsx":                           xlsForm,
		"hope-kobo/kobo-template-valid.xlsx":                             xlsForm,
		"hope-kobo/kobo_submissions.json":                                "kobo-json submissions=1 individual_questions=2",
		"hope-kobo/test_calculate_hash_for_kobo_submission1.json":        "kobo-json submissions=1 individual_questions=2",
		"hope-payment/import_file_one_record.xlsx":                       "xlsx Test FSP 1=1",
		"hope-payment/import_file_with_existing_delivery_date.xlsx":      "xlsx Test FSP 1=3",
		"hope-payment/pp_payment_list_valid.xlsx":                        "xlsx Payment Plan - Payment List=2",
		"hope-payment/unordered_columns_1.xlsx":                          "xlsx Payment Verifications=2",
		"hope-rdi/error-xlsx.xlsx":                                       "hope Households=3 Individuals=6",
		"hope-rdi/invalid_area.xlsx":                                     "hope Households=3 Individuals=6",
		"hope-rdi/invalid_cols.xlsx":                                     "hope Households=19 Individuals=27",
		"hope-rdi/invalid_rows.xlsx":                                     "hope Households=19 Individuals=27",
		"hope-rdi/new_reg_data_import.xlsx":                              "hope Households=3 Individuals=6",
		"hope-rdi/rdi_import_3_hh_missing_required_delivery_fields.xlsx": "hope Households=3 Individuals=14",
		"hope-rdi/rdi_import_50_hh_50_ind.xlsx":                          "hope Households=50 Individuals=208",
		"hxl-samples/hxl-default-schema.json":                            "hxl-json submissions=7",
		"hxl-samples/hxl-showcase-3w-export.csv":                         "hxl-csv =1226",
		"hxl-samples/hxl-tags-2014.csv":                                  "csv =89",
		"hxl-samples/input-fuzzy.csv":                                    "hxl-csv =4",
		"hxl-samples/input-invalid.csv":                                  "csv =6/2",
		"hxl-samples/input-merged.xlsx":                                  "hxl-xlsx input-valid=4",
		"hxl-samples/input-multiple-headers.csv":                         "hxl-csv =2",
		"hxl-samples/input-quality.xlsx":                                 "hxl-xlsx input-quality-no-hxl=5 input-quality-hxl=4",
		"hxl-samples/input-untagged.csv":                                 "csv =5/1",
		"hxl-samples/input-valid-latin1.csv":                             "hxl-csv =4",
		"hxl-samples/input-valid.csv":                                    "hxl-csv =4",
		"hxl-samples/input-valid.json":                                   "hxl-json =4",
		"hxl-samples/input-valid.tsv":                                    "hxl-csv =4",
		"hxl-samples/input-valid.xlsx":                                   "hxl-xlsx input-valid=4",
		"kobo-unhcr/ListCaseNos.csv":                                     "csv =4042",
		"kobo-unhcr/MainDataFrame.csv":                                   "csv =381",
		"kobo-unhcr/XLSform_template.xlsx":                               xlsForm,
		"kobo-unhcr/dico_form.xls.csv":                                   xlsForm,
		"kobo-unhcr/unhcr_vaf_form.xls":                                  oldBook,
		"progres-codes/specific_needs_codes_v3.csv":                      "csv =113",
		"pyxform-samples/bad_calc.xlsx":                                  xlsForm,
		"pyxform-samples/badly_named_choices_sheet.xls":                  oldBook,
		"pyxform-samples/cascading_select_test_equivalent.xls":           oldBook,
		"pyxform-samples/choice_filter_test.xlsx":                        xlsForm,
		"pyxform-samples/duplicate_columns.xlsx":                         xlsForm,
		"pyxform-samples/tutorial.xls":                                   oldBook,
		"pyxform-samples/widgets.xls":                                    oldBook,
		"pyxform-samples/xl_date_ambiguous.xlsx":                         xlsForm,
		"pyxform-samples/xlsform_spec_test.xlsx":                         xlsForm,
		"pyxform-samples/xlsform_spec_test.xml":                          "refused: it is the form (XForm), not its answers",
		"pyxform-samples/yes_or_no_question.xlsx":                        xlsForm,
		"ridl-schema/ckanext-unhcr-dataset.json":                         "refused: it is JSON without a list of submissions",
	}
	folder := shared(t, "inputs")
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "SOURCE") || strings.HasPrefix(d.Name(), "LICENSE") {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		if got := summary(path); got != want[filepath.ToSlash(name)] {
			t.Errorf("%q: %q,\nwant %q", name, got, want[filepath.ToSlash(name)])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHostileFilesGetWhatTheManifestSays(t *testing.T) {
	const picture = "refused: it is a picture, not CSV or XLSX"
	folder := shared(t, "hostile-files")
	want := map[string]string{
		"ok.csv":                        "csv =1",
		"bom.csv":                       "csv =1",
		"utf16le.csv":                   "csv =1",
		"nul.csv":                       "csv =1/1",
		"ragged.csv":                    "csv =2/2",
		"missing-header.csv":            "refused: it has no header: column B of the first row holds a number or a date",
		"lone-cr.csv":                   "csv =1",
		"header-only.csv":               "refused: it has a header and no rows",
		"dates.csv":                     "csv =7",
		"formula-names.csv":             "csv =12",
		"unicode-names.csv":             "csv =13",
		"ok.xlsx":                       "xlsx People=1",
		"bomb-sharedstrings-100MB.xlsx": "refused: it holds a file that unpacks from 102031 to 104857714 bytes",
		"xxe-billion-laughs.xlsx":       "refused: it declares XML entities in \"xl/worksheets/sheet1.xml\"",
		"dup-entry.xlsx":                "refused: it holds two files named \"xl/worksheets/sheet1.xml\", so no two programs need see the same list",
		"huge-row-number.xlsx":          "refused: it has a cell in row 1048576, column XFD; it may have 4000 columns, up to EWV",
		"formula-cells.xlsx":            "xlsx People=1",
		"not-zip.xlsx":                  "refused: it is a damaged archive (it has no end)",
		"csv-as-xlsx.xlsx":              "refused: it is a text such as CSV, not the workbook its name says",
		"ok.jpg":                        picture,
		"ok.png":                        picture,
		"exif-gps.jpg":                  picture,
		"png-bomb-12000x12000.png":      picture,
		"png-zero-size.png":             picture,
		"truncated.jpg":                 picture,
		"png-itxt-script.png":           picture,
		"html-as-png.png":               "refused: it is a web page, not CSV or XLSX",
		"gif-60-frames-2000x2000.gif":   picture,
		"1x1.png":                       picture,
		"CON.png":                       picture,
	}
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct{ File, Expect string }
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, m := range manifest {
		if got := summary(filepath.Join(folder, m.File)); got != want[m.File] {
			t.Errorf("%q: %q,\nwant %q", m.File, got, want[m.File])
		}
		switch filepath.Ext(m.File) {
		case ".csv", ".xlsx":
		default:
			continue // pictures are for those who read pictures
		}
		if refused := strings.HasPrefix(want[m.File], "refused"); refused && !strings.Contains(m.Expect, "error") || !refused && !strings.Contains(m.Expect, "accept") && !strings.Contains(m.Expect, "row") {
			t.Errorf("%q: the manifest wants %q, and it is %q", m.File, m.Expect, want[m.File])
		}
	}
}
