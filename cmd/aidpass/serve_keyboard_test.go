package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/browsertest"
	"aidpass/internal/qrcode"
	"aidpass/issuer"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/imports/importstest"
)

// By the keyboard alone, at a real server: a list of 5,000 rows with an error of each kind
// is taken in, mended, submitted and approved by a second account; nothing is issued by
// that. Then those of the list who agreed get cards: prepared, approved, signed, printed,
// and the verifier reads every code of the printed file.
func TestFromAListToCardsByKeyboardAlone(t *testing.T) {
	browsertest.Chromium(t)
	const rows, agree = 5000, 20
	l := withEntitled(t)
	s, _, stop := l.serveWalletsWith(nil, "--http", "localhost:0")
	defer stop()
	p := browsertest.New(t, time.Time{})
	open := func(path string) {
		t.Helper()
		p.Go(s.local + "/desk" + path)
		p.Wait(`document.querySelector("h1") && document.readyState === "complete"`)
	}
	open("/sign-in")
	as := func(token, path string) {
		t.Helper()
		browsertest.Eval[bool](p, fmt.Sprintf(`(document.cookie = "aidpass-local=%s; path=/", true)`, token))
		open(path)
	}
	press := func(id, then string) {
		t.Helper()
		p.Leave(func() { p.Enter(id) }, then)
	}
	const said = `document.querySelector("[role=status]")`
	done := func() {
		t.Helper()
		p.Wait(`document.querySelector(".card strong")?.innerText === "Done"`)
	}
	amina, bilal, sign := s.joined(t, "amina", access.Registrar).Token, s.joined(t, "bilal", access.Approver).Token, s.joined(t, "sign-1", access.Issuer).Token
	people := func() (n int) {
		t.Helper()
		err := s.o.store.View(t.Context(), func(v registry.View) error {
			ids, err := v.Units(registry.KindPerson, registry.ID{}, 10_000)
			n = len(ids)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := people()
	cards := func() []issuer.Card {
		t.Helper()
		all, err := s.o.store.Cards(t.Context(), issuer.Selection{Programme: "K7Q2"})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}

	// A file, its columns, the check.
	as(amina, "/imports")
	p.EnterFile("file", "#file", "list.csv", importstest.PlantedList(rows, agree))
	press("load", `location.pathname.endsWith("/columns") && document.querySelector("#go")`)
	press("go", said+`?.innerText.includes("Checked")`)
	all, err := s.imports.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(err, len(all))
	}
	m := all[0]
	// One of the two rows of a number that disagree is not planted, and both are told.
	if c := m.Counts; c.Rows != rows || c.Bad != len(importstest.ErrorKinds)+1 || c.Warned < len(importstest.WarningKinds)-2 {
		t.Errorf("%+v, %d errors and %d warnings are planted", c, len(importstest.ErrorKinds), len(importstest.WarningKinds))
	}
	_, _, kinds, err := s.imports.Findings(t.Context(), access.Actor{ID: "amina", Role: access.Registrar}, m.ID, imports.Which{}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range slices.Concat(importstest.ErrorKinds, importstest.WarningKinds) {
		if !slices.ContainsFunc(kinds, func(f imports.Kind) bool { return f.Code == k.Code }) {
			t.Errorf("%s is not found", k.Code)
		}
	}

	// Mended on the page of errors, checked again, submitted.
	press("to-findings", `document.querySelector("#only-errors")`)
	press("only-errors", `location.search.includes("severity=reject") && document.querySelector("#mend")`)
	type found struct {
		Code, Column string
		Row          int
	}
	list := browsertest.Eval[[]found](p, `[...document.querySelectorAll("tr[data-code]")].map((r) => ({ Code: r.dataset.code, Row: Number(r.dataset.row), Column: r.querySelector("[name=column]")?.value ?? "" }))`)
	if len(list) != len(importstest.ErrorKinds)+1 {
		t.Errorf("%d errors on the page: %v", len(list), list)
	}
	for i, f := range list {
		k := slices.IndexFunc(importstest.ErrorKinds, func(p importstest.Plant) bool { return p.Code == f.Code })
		switch {
		case k < 0:
			t.Errorf("row %d: %s was not planted", f.Row, f.Code)
		case importstest.ErrorKinds[k].Right != "" && f.Column == importstest.ErrorKinds[k].Column:
			p.Write(fmt.Sprintf("value-%d", i), importstest.ErrorKinds[k].Right)
		case f.Row != 3: // of the two who share a number the first is right
			p.TabTo(fmt.Sprintf("out-%d", i))
			p.Press(" ")
		}
	}
	press("mend", said+`?.innerText.includes("Changed")`)
	press("check", said+`?.innerText.includes("0 with an error")`)
	press("submit", `document.querySelector("#state")?.innerText === "In review"`)
	if n := people(); n != before {
		t.Fatalf("%d people are in the register before anybody approved", n-before)
	}

	// A second account sees what would become of it, and approves.
	approval := func(act access.Act) string {
		t.Helper()
		waiting, err := s.door.Approvals(t.Context(), access.Laptop{ID: "boss", Role: access.OrgAdmin})
		i := slices.IndexFunc(waiting, func(a access.Approval) bool { return a.Act == act && a.State == access.Waiting })
		if err != nil || i < 0 {
			t.Fatalf("nothing is asked for: %v %v", waiting, err)
		}
		return waiting[i].ID
	}
	as(bilal, "/approvals")
	press("a-"+approval(access.ImportSubmit), `document.querySelector("#approve")`)
	if got := p.Text("main"); !strings.Contains(got, "Rows that become new records: 4,998") || !strings.Contains(got, "No card is issued") {
		t.Errorf("the approver is told %q", got)
	}
	press("approve", `location.pathname === "/desk/approvals" && `+said)
	s.work.Wait()
	if m, err = s.imports.Show(t.Context(), m.ID); err != nil || m.State != imports.Applied || m.Review.Second != "bilal" {
		t.Fatalf("%s: %v", m.State, err)
	}
	if n := people() - before; n != rows-2 {
		t.Errorf("%d people of the list are in the register, want %d", n, rows-2)
	}
	if len(cards()) != 0 {
		t.Fatal("something was issued by an import alone")
	}

	// A batch of those whom the list brought; nothing is issued before it is approved.
	as(amina, "/batches")
	press("new", `document.querySelector("#who")`)
	p.TabTo("who")
	for range 4 {
		if browsertest.Eval[string](p, `document.querySelector("#who").value`) != m.ID {
			p.Press("ArrowDown")
		}
	}
	press("go", `document.querySelector("#submit")`)
	press("submit", said)
	batch := strings.TrimPrefix(browsertest.Eval[string](p, `location.pathname`), "/desk/batches/of/")
	as(sign, "/batches/of/"+batch)
	if browsertest.Eval[bool](p, `!!document.querySelector("#issue")`) {
		t.Error("it can be issued before it is approved")
	}
	if _, err := (consoleIssuing{s}).Issue(t.Context(), s.o.entry.ID, access.Actor{ID: "sign-1", Role: access.Issuer}, batch); err == nil {
		s.work.Wait()
	}
	if len(cards()) != 0 {
		t.Fatal("it was issued before it was approved")
	}
	as(bilal, "/approvals")
	press("a-"+approval(access.BatchSubmit), `document.querySelector("#approve")`)
	press("approve", `location.pathname === "/desk/approvals" && `+said)
	as(sign, "/batches/of/"+batch)
	press("issue", `location.pathname.startsWith("/desk/jobs/")`)
	done()
	made := cards()
	proposal, err := s.o.store.Proposal(t.Context(), batch)
	if err != nil || len(made) < agree || len(made) > agree+len(importstest.ErrorKinds) || proposal.Import != m.ID || proposal.Rows < rows-2 || proposal.State != issuer.Done || proposal.Issued != len(made) || proposal.Second != "bilal" {
		t.Fatalf("%d cards, %+v, %v", len(made), proposal, err)
	}

	// Printed, and every code is read.
	open("/batches/of/" + batch)
	press("print", `document.querySelector("#paper")`)
	press("go", `location.pathname.startsWith("/desk/jobs/")`)
	done()
	log, err := s.o.store.PrintJobs(t.Context(), "")
	if err != nil || len(log) != 1 || log[0].By != "sign-1" || log[0].Count != len(made) {
		t.Fatalf("the print log: %+v, %v", log, err)
	}
	open("/prints/of/" + log[0].ID)
	pdf := p.Download("file")
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		t.Fatalf("%q", pdf[:20])
	}
	file := l.path("cards.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	texts, err := qrcode.ReadPDF(t.Context(), file)
	if err != nil || len(texts) != len(made) {
		t.Fatalf("%d codes of %d cards: %v", len(texts), len(made), err)
	}
	stop()
	l.must("pack", "build", "--trust", l.path("granted.list"), "--site", "wellA", "--programme", "K7Q2=1@2026-11-01..2026-12-01", "--out", l.path("site.pack"))
	for _, text := range texts {
		if out := l.must("verify", "--pack", l.path("site.pack"), text); !strings.Contains(out, "GIVE") {
			t.Errorf("the verifier says %s", out)
		}
	}
}
