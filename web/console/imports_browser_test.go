package console_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
)

// columnsOfList are those of bigList.
var columnsOfList = []string{"individual_id", "household_id", "full_name", "sex", "birth_date", "relationship", "phone", "national_id", "national_id_issuer", "household_size", "consent", "registration_date"}

// A plant is a wrong cell, the code it must give, and what it should say. Without a
// column the row is left out.
type plant struct{ column, wrong, code, right string }

// errorKinds keep a row out, one of each kind that a list can have.
var errorKinds = []plant{
	{"sex", "q", intake.SexUnknown, "f"},
	{"birth_date", "some day", registry.BirthUnreadable, "1991-04-05"},
	{"birth_date", "31/02/1990", registry.BirthImpossible, "1990-02-28"},
	{"birth_date", "12/03/2091", registry.BirthFuture, "1991-03-12"},
	{"birth_date", "12/03/1871", registry.BirthTooOld, "1971-03-12"},
	{"birth_date", "12/03/90", registry.BirthTwoDigits, "1990-03-12"},
	{"birth_date", "32874", registry.BirthSerial, "1990-01-03"},
	{"full_name", strings.Repeat("abc ", 60), registry.NameTooLong, "Abdikarim Warsame"},
	{"consent", "perhaps", intake.ConsentUnreadable, "yes"},
	{"household_size", "four", intake.SizeUnreadable, "1"},
	{"individual_id", "P-00001", intake.RowConflict, ""},
	{"", "", intake.RowUnreadable, ""},
}

// warningKinds come in and are told.
var warningKinds = []plant{
	{"phone", "call the shop", registry.PhoneUnreadable, ""}, {"phone", "+254712", registry.PhoneLength, ""}, {"phone", "+254700000000", registry.PhoneDummy, ""},
	{"national_id", "A1", registry.DocumentEmpty, ""}, {"relationship", "zig", intake.RelationUnknown, ""}, {"national_id_issuer", "QQQ", registry.DocumentNoLand, ""},
	{"full_name", "Amina 2 Hassani", registry.NameDigits, ""}, {"full_name", "\u202eAmina\u202c Hassani", registry.NameBidi, ""}, {"full_name", "Kato Kato", registry.NameRepeats, ""},
	{"full_name", "<script>alert(1)</script>", registry.NameSymbols, ""}, {"full_name", "", intake.NameMissing, ""}, {"birth_date", "01/01/2001", registry.BirthDefault, ""},
	{"consent", "", intake.ConsentMissing, ""}, {"registration_date", "yesterday", intake.RegisteredBad, ""},
}

// bigList is a CSV of so many households of one, with a plant of each kind.
func bigList(t *testing.T, n int) []byte {
	t.Helper()
	syllables := strings.Fields("ka le mi no ru sa te vi zo ba de fi go hu ja")
	word := func(n int) string {
		var b strings.Builder
		for range 5 {
			b.WriteString(syllables[n%len(syllables)])
			n /= len(syllables)
		}
		return strings.ToUpper(b.String()[:1]) + b.String()[1:]
	}
	plants := slices.Concat(errorKinds, warningKinds)
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	err := w.Write(columnsOfList)
	for i := range n {
		row := []string{fmt.Sprintf("P-%05d", i), fmt.Sprintf("H-%05d", i), word(500_000+i*3) + " " + word(i*7+3), "F", fmt.Sprintf("%d/%02d/%04d", 13+i%15, 2+i%5, 1970+i%30), "head",
			fmt.Sprintf("+2547%08d", 10_203_041+i*7), fmt.Sprintf("N%07dX", i), "KEN", "1", "yes", "2025-06-30"}
		if k := i - 100; k >= 0 && k%7 == 0 && k/7 < len(plants) {
			p := plants[k/7]
			if c := slices.Index(columnsOfList, p.column); c >= 0 {
				row[c] = p.wrong
			} else {
				row = append(row, "one", "too many")
			}
		}
		if err == nil {
			err = w.Write(row)
		}
	}
	w.Flush()
	if err != nil || w.Error() != nil {
		t.Fatal(err, w.Error())
	}
	return out.Bytes()
}

// enter signs a member in by the keyboard, at a page that asks for it.
func (d *desk) enter(m *member) {
	d.Helper()
	d.at("/sign-in")
	d.Write("account", m.id)
	d.Write("password", password)
	d.Write("code", d.w.code(m))
	d.Press("Enter", 0)
}

// A list of 5,000 rows with an error of each kind: taken in, mended, submitted and
// approved by a second account, by the keyboard alone. Nothing is issued by it.
func TestALargeListByKeyboardAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.w
	const rows = 5000
	const long = 60 * time.Second
	amina, bilal := w.add(own, "amina", access.Registrar), w.add(own, "bilal", access.Approver)
	d.open("/imports")
	d.enter(amina)
	d.at("/imports")
	d.EnterFile("file", "#file", "list.csv", bigList(t, rows))
	d.Enter("load")
	d.WaitFor(`location.pathname.endsWith("/columns") && document.querySelector("#go")`, long)
	d.Enter("go")
	d.WaitFor(`document.querySelector("[role=status]")?.innerText.includes("Checked")`, long)
	all, err := w.imports[own].List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(err, len(all))
	}
	m := all[0]
	// One of the two rows of a number that disagree is not planted, and both are told.
	if c := m.Counts; c.Rows != rows || c.Bad != len(errorKinds)+1 || c.Warned < len(warningKinds)-2 {
		t.Errorf("%+v, %d errors and %d warnings are planted", c, len(errorKinds), len(warningKinds))
	}
	_, _, kinds, err := w.imports[own].Findings(t.Context(), loader, m.ID, imports.Which{}, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Concat(errorKinds, warningKinds) {
		if !slices.ContainsFunc(kinds, func(k imports.Kind) bool { return k.Code == p.code }) {
			t.Errorf("%s is not found", p.code)
		}
	}
	d.Enter("to-findings")
	d.Wait(`document.querySelector("#only-errors")`)
	d.Enter("only-errors")
	d.Wait(`location.search.includes("severity=reject") && document.querySelector("#mend")`)
	type found struct {
		Code, Column string
		Row          int
	}
	list := browsertest.Eval[[]found](d.Page, `[...document.querySelectorAll("tr[data-code]")].map((r) => ({ Code: r.dataset.code, Row: Number(r.dataset.row), Column: r.querySelector("[name=column]")?.value ?? "" }))`)
	if len(list) != len(errorKinds)+1 {
		t.Errorf("%d errors on the page: %v", len(list), list)
	}
	for i, f := range list {
		k := slices.IndexFunc(errorKinds, func(p plant) bool { return p.code == f.Code })
		switch {
		case k < 0:
			t.Errorf("row %d: %s was not planted", f.Row, f.Code)
		case errorKinds[k].right != "" && f.Column == errorKinds[k].column:
			d.Write(fmt.Sprintf("value-%d", i), errorKinds[k].right)
		case f.Row != 3: // of the two who share a number the first is right
			d.TabTo(fmt.Sprintf("out-%d", i))
			d.Press(" ", 0)
		}
	}
	d.Enter("mend")
	d.Wait(`document.querySelector("[role=status]")?.innerText.includes("Changed")`)
	d.Enter("check")
	d.WaitFor(`document.querySelector("[role=status]")?.innerText.includes("0 with an error")`, long)
	d.Enter("submit")
	d.WaitFor(`document.querySelector("#state")?.innerText === "In review"`, long)
	if n := w.takenIn(); n != 0 {
		t.Fatalf("%d people are in the register before anybody approved", n)
	}
	if m, err = w.imports[own].Show(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	d.Enter("sign-out")
	d.at("/sign-in") // else the next page is asked for while she is still in
	d.open("/approvals")
	d.enter(bilal)
	d.at("/approvals")
	d.Enter("a-" + m.Review.Approval)
	d.Wait(`document.querySelector("#approve")`)
	if got := d.Text("main"); !strings.Contains(got, "4,998 rows become new records") || !strings.Contains(got, "No card is issued") {
		t.Errorf("the approver is told %q", got)
	}
	d.Enter("approve")
	d.WaitFor(`location.pathname === "/desk/approvals" && document.querySelector("[role=status]")`, long)
	if m, err = w.imports[own].Show(t.Context(), m.ID); err != nil || m.State != imports.Applied || m.Review.Second != "bilal" {
		t.Errorf("%s, approved by %q: %v", m.State, m.Review.Second, err)
	}
	if n := w.takenIn(); n != rows-2 {
		t.Errorf("%d people are in the register, want %d", n, rows-2)
	}
	if n := d.reports(); n != 0 {
		t.Errorf("the policy refused %d things", n)
	}
}

// Every page of the wizard, in a language of each direction, at the width of a phone.
func TestImportPagesAreOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			m := d.w.add(own, "amina", access.Registrar)
			in, err := d.w.doors[own].Session(t.Context(), m.token)
			if err == nil {
				err = d.w.doors[own].SetLanguage(t.Context(), in, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			d.as(m)
			d.open("/imports")
			d.look(lang, "imports-none")
			list := d.w.list(own, "قائمة.csv", append(bigList(t, 300), []byte("Q-1,H-9,Kale Lemi,F,14/03/1971,head,+254710203041,N0000000X,KEN,1,yes,2025-06-30\n")...))
			for name, path := range map[string]string{"imports": "", "import": "/" + list.ID, "import-columns": "/" + list.ID + "/columns", "import-findings": "/" + list.ID + "/findings",
				"import-doubles": "/" + list.ID + "/doubles", "import-mends": "/" + list.ID + "/mends"} {
				d.open("/imports" + path)
				d.look(lang, name)
			}
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}
