package main

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

// On the database that the command line has: a file under an agreement is made as long
// work, waits for who asked for it alone, a day, and the log knows of whom it tells; a look
// of a partner is a share beside it, which the page of who looked tells of.
func TestFilesAndLooksUnderAnAgreement(t *testing.T) {
	l := withEntitled(t)
	s, _, stop := l.serveWalletsWith(nil)
	defer stop()
	s.joined(t, "dpo-1", access.DataProtection)
	ctx, org, by := t.Context(), s.o.entry.ID, access.Actor{ID: "dpo-1", Role: access.DataProtection}
	a := rights.Agreement{ID: "moi-2026", With: rights.Party{ID: "ministry", Name: "Ministry", Kind: rights.Government, Country: "ETH", Contact: "registry office"}, Purpose: rights.Distribution, Basis: rights.ByNotice,
		Fields: []string{"full_name", "sex", "pcode"}, Areas: []string{"KE001"}, NoExclusion: "nobody is at risk", From: "2026-11-01", Until: "2027-05-31", RetentionDays: 90}
	if err := s.o.keeper().MakeAgreement(ctx, access.Actor{ID: "lead", Role: access.OrgAdmin, SecondPerson: "dpo-1"}, a); err != nil {
		t.Fatal(err)
	}
	desk := consoleExports{consoleIssuing{s}}
	if all, err := desk.Agreements(ctx, org); err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	order := console.ExportOrder{Agreement: a.ID, Form: export.HXL, Reason: "winter distribution"}
	counted, err := desk.Count(ctx, org, order)
	if err != nil || counted.People == 0 {
		t.Fatalf("%+v %v", counted, err)
	}
	var files []string
	made := func() console.ExportMade {
		t.Helper()
		id, err := desk.Start(ctx, org, by, order, counted.Households+counted.People)
		if err != nil {
			t.Fatal(err)
		}
		s.work.Wait()
		job, err := s.work.Job(ctx, id)
		if err != nil || job.State != work.Done || job.Done != job.Total || job.Result != "/exports/of/"+id {
			t.Fatalf("%+v %v", job, err)
		}
		for _, who := range []struct{ org, account string }{{org, "dpo-2"}, {"another", by.ID}} {
			if _, err := desk.Made(ctx, who.org, who.account, id); !errors.Is(err, console.ErrNotFound) {
				t.Errorf("%v: %v", who, err)
			}
		}
		files = append(files, id)
		m, err := desk.Made(ctx, org, by.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := made()
	rows, err := csv.NewReader(strings.NewReader(string(m.Body))).ReadAll()
	if err != nil || len(rows) != 2+counted.People || m.Summary.People != counted.People {
		t.Errorf("%d rows of %+v: %v", len(rows), m.Summary, err)
	}
	if again := made(); again.Summary.Share.ID == m.Summary.Share.ID || slices.Equal(again.Body, m.Body) {
		t.Error("two files are one")
	}

	var id registry.ID
	err = s.o.store.View(ctx, func(v registry.View) (err error) {
		id, _, err = v.Find(registry.KindPerson, "", "1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ministry := access.Actor{ID: "ministry-1", Role: access.Partner}
	scope := access.Scope{Agreement: a.ID, Purpose: "distribution", Fields: []string{"full_name"}, Areas: []string{"KE001"}}
	for range 2 {
		if told, err := export.Look(ctx, s.o.store, ministry, scope, id, s.a.Now()); err != nil || len(told.Fields) != 1 {
			t.Fatalf("%+v %v", told, err)
		}
	}
	page, err := s.looked(ctx, by, id, "en")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{} // the same act stands once a minute
	for _, line := range page.Lines {
		if strings.Contains(line[1], "for Ministry under moi-2026") {
			told[line[1]] = true
		}
	}
	if len(told) != 2 {
		t.Errorf("of files and looks her page tells %v", told)
	}
	for range 2 {
		if _, err := desk.HandOut(ctx, org, by, files[0]); err != nil {
			t.Errorf("the file is taken: %v", err)
		}
	}
	recalls, unsent, err := s.o.keeper().Withdraw(ctx, by, id, "", "")
	if err != nil || len(recalls) != 1 || len(recalls[0].Shares) != 2 || unsent != 1 {
		t.Errorf("of a look, a file that was taken and one that waits: %+v %d %v", recalls, unsent, err)
	}
	if _, err := desk.HandOut(ctx, org, by, files[1]); !errors.Is(err, console.ErrExportGone) {
		t.Errorf("the file that waited is taken: %v", err)
	}
	if _, err := export.Look(ctx, s.o.store, ministry, scope, id, s.a.Now()); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("after she took it back: %v", err)
	}
	if _, err := desk.Made(ctx, org, by.ID, files[0]); !errors.Is(err, console.ErrExportGone) {
		t.Errorf("a file with her row, after she took it back: %v", err)
	}
	s.listsAreLongWork(t)
	made()
	if err := s.o.store.Erase(ctx, by, id, "asked"); err != nil { // by another program
		t.Fatal(err)
	}
	if _, err := desk.Made(ctx, org, by.ID, files[len(files)-1]); !errors.Is(err, console.ErrExportGone) {
		t.Errorf("a file that was made before somebody was erased: %v", err)
	}
	made()
	if err := s.o.keeper().EndAgreement(ctx, by, a.ID, "closed"); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Made(ctx, org, by.ID, files[len(files)-1]); !errors.Is(err, console.ErrExportGone) {
		t.Errorf("a file under an agreement that has ended: %v", err)
	}
	jobID, err := desk.Start(ctx, org, by, order, 1)
	s.work.Wait()
	if job, err2 := s.work.Job(ctx, jobID); err != nil || err2 != nil || job.State != work.Failed || job.Why != console.WordExportRefused {
		t.Errorf("under an agreement that has ended: %+v %v %v", job, err, err2)
	}
}

// listsAreLongWork: where the register is large, figures and lists are made beside the pages,
// tell how far they are, can be stopped, and wait for who asked alone.
func (s *serving) listsAreLongWork(t *testing.T) {
	t.Helper()
	s.joined(t, "registrar-1", access.Registrar)
	ctx, by := t.Context(), access.Actor{ID: "registrar-1", Role: access.Registrar}
	d := consoleQuality{s}
	if large, err := d.Large(ctx); large || err != nil {
		t.Errorf("a handful is large: %v", err)
	}
	s.small = 2
	if large, err := d.Large(ctx); !large || err != nil {
		t.Errorf("two and more are small: %v", err)
	}
	done := func(o console.QualityOrder) work.Job {
		t.Helper()
		job, err := d.Start(ctx, by, o)
		if err != nil {
			t.Fatal(err)
		}
		s.work.Wait()
		j, err := s.work.Job(ctx, job)
		if err != nil || j.State != work.Done || j.Total == 0 || j.Done != j.Total {
			t.Fatalf("%+v %v", j, err)
		}
		return j
	}
	if j := done(console.QualityOrder{What: console.QualityTaken}); j.Result != "/quality" || j.Act != access.QualityTake {
		t.Errorf("%+v", j)
	}
	if last, err := s.o.store.LastSnapshot(ctx); err != nil || last.Day() != s.a.Now().UTC().Format(time.DateOnly) {
		t.Errorf("%v %v", last.At, err)
	}
	list := done(console.QualityOrder{What: console.QualityListed, Indicator: "DQ-01"})
	m, err := d.Made(ctx, by.ID, list.ID)
	if err != nil || list.Result != "/quality/made/"+list.ID || len(m.Listing.Lines) == 0 || m.Listing.All != len(m.Listing.Lines) {
		t.Errorf("%+v %v", m, err)
	}
	file := done(console.QualityOrder{What: console.QualityFile, Indicator: "DQ-01", Reason: "on Monday"})
	if f, err := d.Made(ctx, by.ID, file.ID); err != nil || f.Rows != m.Listing.All || !strings.HasPrefix(string(f.Body), "PK") {
		t.Errorf("%d rows, %v", f.Rows, err)
	}
	if _, err := d.Made(ctx, "dpo-1", list.ID); !errors.Is(err, console.ErrNotFound) {
		t.Errorf("for another account: %v", err)
	}
	about := 0
	looks, err := s.o.store.Looked(ctx, m.Listing.Lines[0].Record)
	for _, e := range looks {
		if e.Actor.ID == by.ID && (e.Action == "quality.list" || e.Action == "quality.export" && e.Reason == "on Monday") {
			about++
		}
	}
	if err != nil || about != 2 {
		t.Errorf("her page tells of %d lists, %v", about, err)
	}
	s.listed.most = 1
	job, err := d.Start(ctx, by, console.QualityOrder{What: console.QualityListed, Indicator: "DQ-01"})
	s.work.Wait()
	if j, err2 := s.work.Job(ctx, job); err != nil || err2 != nil || j.State != work.Failed || j.Why != console.WordListTooLarge {
		t.Errorf("more than may wait: %+v %v %v", j, err, err2)
	}
	s.waiting()[1].clear()
	if _, err := d.Made(ctx, by.ID, list.ID); !errors.Is(err, console.ErrListGone) {
		t.Errorf("after somebody was erased: %v", err)
	}
}

// What waits is bounded in bytes and in time.
func TestFilesThatWait(t *testing.T) {
	r := madeRoom[string]{most: 100}
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	big := made[string]{what: "rows", bytes: 99, until: now.Add(madeLife), by: "dpo-1"}
	if err := r.keep("j1", big, now); err != nil {
		t.Fatal(err)
	}
	if err := r.keep("j2", made[string]{what: "ab", bytes: 2, until: now.Add(madeLife), by: "dpo-1"}, now); !errors.Is(err, errMadeLarge) {
		t.Errorf("more than there is room for: %v", err)
	}
	if _, ok := r.find("j1", "dpo-1", now.Add(madeLife)); !ok {
		t.Error("gone within the day")
	}
	if _, ok := r.find("j1", "dpo-1", now.Add(madeLife+time.Second)); ok || len(r.made) != 0 {
		t.Error("there after a day")
	}
	if err := r.keep("j1", big, now); err != nil {
		t.Fatal(err)
	}
	r.clear()
	if f, ok := r.find("j1", "dpo-1", now); !ok || !f.gone || f.what != "" {
		t.Error("there after somebody was erased, or nobody can say so")
	}
	if _, ok := r.find("j1", "dpo-1", now.Add(madeLife+time.Second)); ok || len(r.made) != 0 {
		t.Error("known of after a day")
	}
	if n, err := (&bounded{most: 100}).Write(make([]byte, 101)); n != 0 || !errors.Is(err, errMadeLarge) {
		t.Errorf("a file of more than may wait: %d %v", n, err)
	}
}
