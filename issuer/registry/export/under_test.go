package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/rights"
)

// partner makes an agreement in a store, and returns its desk.
func partner(t *testing.T, s *registrytest.Store, change func(*rights.Agreement)) *rights.Desk {
	t.Helper()
	desk := &rights.Desk{Store: s, Org: "https://relief-a.example/i1", Now: func() time.Time { return now }}
	a := rights.Agreement{ID: "b-1", With: rights.Party{ID: "relief-b", Name: "Relief B", Kind: rights.Humanitarian, Contact: "dpo"}, Purpose: rights.Distribution, Basis: rights.ByNotice,
		Fields: []string{"full_name", "size", "sex"}, ExcludeOrigin: []string{"SOM"}, From: day(-1), Until: day(100), RetentionDays: 30}
	change(&a)
	if err := desk.MakeAgreement(t.Context(), access.Actor{ID: "admin", Role: access.OrgAdmin, SecondPerson: "dpo"}, a); err != nil {
		t.Fatal(err)
	}
	return desk
}

func day(n int) string { return now.AddDate(0, 0, n).Format(time.DateOnly) }

// village has n households of two, each with a number of the list.
func village(t *testing.T, n int) (s *registrytest.Store, heads, homes []registry.ID) {
	s = &registrytest.Store{Now: func() time.Time { return now }}
	for i := range n {
		err := s.Update(t.Context(), clerk, func(tx registry.Tx) error {
			fields, err := registry.Household{Size: 2}.Fields()
			if err != nil {
				return err
			}
			h, err := tx.Save(registry.Change{Kind: registry.KindHousehold, External: fmt.Sprintf("HH-%02d", i), Fields: fields})
			if err != nil {
				return err
			}
			homes = append(homes, h.ID)
			for j, relation := range []string{registry.Head, "spouse"} {
				fields, err := registry.Person{Names: named(fmt.Sprintf("Person %d %d", i, j)), Sex: "f", Relation: relation}.Fields()
				if err != nil {
					return err
				}
				p, err := tx.Save(registry.Change{Kind: registry.KindPerson, External: fmt.Sprintf("P-%02d-%d", i, j), Fields: fields, Household: h.ID})
				if err != nil {
					return err
				}
				if j == 0 {
					heads = append(heads, p.ID)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s, heads, homes
}

func trace(t *testing.T, s *registrytest.Store, name string, data []byte) []export.Trace {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := export.TraceFile(t.Context(), s, path)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestALeakedFileIsTraced: whole, in part, sorted anew; with the numbers of lists by its order.
func TestALeakedFileIsTraced(t *testing.T) {
	s, _, _ := village(t, 12)
	partner(t, s, func(*rights.Agreement) {})
	for _, form := range []export.Form{export.HXL, export.XLSX, export.RRF} {
		data, sum := write(t, s, export.Options{Form: form, Use: rights.Use{Agreement: "b-1"}})
		if bytes.Contains(data, []byte("HH-0")) || bytes.Contains(data, []byte("P-0")) {
			t.Errorf("%s: numbers of lists went out", form)
		}
		found := trace(t, s, "whole."+string(form), data)
		if len(found) != 1 || found[0].Share.ID != sum.Share.ID || found[0].How != export.ByDigest {
			t.Errorf("%s: %+v", form, found)
		}
		if form != export.HXL {
			continue
		}
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		found = trace(t, s, "part.txt", []byte("seen on a wall: "+lines[len(lines)-1]))
		if len(found) != 1 || found[0].Share.ID != sum.Share.ID || found[0].How != export.ByNumbers || found[0].Rows < 1 {
			t.Errorf("a row: %+v", found)
		}
	}
	s, _, _ = village(t, 40)
	partner(t, s, func(a *rights.Agreement) { a.Numbers = true })
	opt := export.Options{Form: export.XLSX, Use: rights.Use{Agreement: "b-1"}}
	var sums []export.Summary
	var files []string
	for range 2 {
		data, sum := write(t, s, opt)
		sums = append(sums, sum)
		var b strings.Builder
		f := openFile(t, export.XLSX, data)
		rows, err := f.Rows("Households")
		if err != nil {
			t.Fatal(err)
		}
		for row, err := rows.Next(); err == nil; row, err = rows.Next() {
			fmt.Fprintln(&b, row.Cell("household_id"))
		}
		files = append(files, b.String())
	}
	if files[0] == files[1] {
		t.Fatal("two files in one order")
	}
	for i, text := range files {
		found := trace(t, s, "typed.txt", []byte(text))
		if len(found) != 1 || found[0].Share.ID != sums[i].Share.ID || found[0].How != export.ByOrder {
			t.Errorf("file %d: %+v\n%s", i, found, text)
		}
		few := strings.Join(strings.Split(text, "\n")[:7], "\n")
		if found := trace(t, s, "few.txt", []byte(few)); len(found) != 0 {
			t.Errorf("seven rows tell: %+v", found)
		}
	}
}

// TestWhoIsLeftOut: one no of a household or its head keeps all of it; a member's own no keeps her.
func TestWhoIsLeftOut(t *testing.T) {
	s, heads, homes := village(t, 4)
	desk := partner(t, s, func(*rights.Agreement) {})
	for _, id := range []registry.ID{heads[0], homes[1]} {
		if _, _, err := desk.Withdraw(t.Context(), clerk, id, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	var spouse registry.ID
	err := s.Update(t.Context(), clerk, func(tx registry.Tx) error {
		members, err := tx.Members(homes[2])
		for _, m := range members {
			if m != heads[2] {
				spouse = m
			}
		}
		fields, _ := registry.Household{Origin: "SOM"}.Fields()
		_, err2 := tx.Save(registry.Change{ID: homes[3], Fields: map[string][]byte{"origin": fields["origin"]}})
		if err == nil {
			err = err2
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := desk.Withdraw(t.Context(), clerk, spouse, "", "relief-b"); err != nil {
		t.Fatal(err)
	}
	data, sum := write(t, s, export.Options{Form: export.HXL, Use: rights.Use{Agreement: "b-1"}})
	if sum.Households != 1 || sum.People != 1 || !bytes.Contains(data, []byte("Person 2 0")) || sum.LeftOut[export.LeftAnswer] != 3 || sum.LeftOut[export.LeftOrigin] != 1 {
		t.Errorf("%+v\n%s", sum, data)
	}
	// For her own organisation's use a no to sharing changes nothing.
	if _, sum = write(t, s, export.Options{Form: export.HXL}); sum.People != 8 {
		t.Errorf("own use: %+v", sum)
	}
}

// TestAnAgreementThatEndsWhileAFileIsWritten: it is not handed out.
func TestAnAgreementThatEndsWhileAFileIsWritten(t *testing.T) {
	s, _, _ := village(t, 2)
	desk := partner(t, s, func(*rights.Agreement) {})
	w := &ender{end: func() error { return desk.EndAgreement(t.Context(), clerk, "b-1", "stopped") }}
	s2 := slow{s, w}
	_, err := export.Write(t.Context(), s2, clerk, export.Options{Form: export.HXL, Reason: "a", Use: rights.Use{Agreement: "b-1"}, Now: s.Now}, new(bytes.Buffer))
	if err == nil || !strings.Contains(err.Error(), "was ended") {
		t.Errorf("%v", err)
	}
	if shares, err := desk.Shares(t.Context()); err != nil || len(shares) != 0 {
		t.Errorf("%+v, %v", shares, err)
	}
}

type ender struct{ end func() error }

// slow ends the agreement between the reading and the log.
type slow struct {
	*registrytest.Store
	w *ender
}

func (s slow) WriteRights(ctx context.Context, by access.Actor, fn func(rights.Tx) error) error {
	if err := s.w.end(); err != nil {
		return err
	}
	return s.Store.WriteRights(ctx, by, fn)
}

// TestCountingIsWriting: what is counted before is what is written then, and nothing is
// kept of the counting; a file that is given up is none.
func TestCountingIsWriting(t *testing.T) {
	s, heads, homes := village(t, 301)
	desk := partner(t, s, func(*rights.Agreement) {})
	if _, _, err := desk.Withdraw(t.Context(), clerk, heads[0], "", ""); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), clerk, func(tx registry.Tx) error {
		fields, err := registry.Household{Status: &registry.Status{State: "closed"}}.Fields()
		if err == nil {
			_, err = tx.Save(registry.Change{ID: homes[300], Fields: fields})
		}
		members, err2 := tx.Members(homes[300])
		for _, m := range members {
			if err == nil {
				_, err = tx.Save(registry.Change{ID: m, Fields: fields})
			}
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	opt := export.Options{Reason: "a", Use: rights.Use{Agreement: "b-1"}, Now: s.Now}
	for _, opt.Form = range []export.Form{export.HXL, export.RRF, export.XLSX} {
		before := len(s.Notes())
		counted, err := export.Count(t.Context(), s, opt)
		if err != nil || counted.Households != 299 || counted.People != 598 || counted.LeftOut[export.LeftAnswer] != 1 || counted.LeftOut[export.LeftClosed] != 3 || counted.Share.ID != "" || len(s.Notes()) != before {
			t.Fatalf("%s: %+v %v", opt.Form, counted, err)
		}
		var told []int
		with := opt
		with.Progress = func(rows int) error { told = append(told, rows); return nil }
		sum, err := export.Write(t.Context(), s, clerk, with, new(bytes.Buffer))
		if err != nil || sum.Households != counted.Households || sum.People != counted.People || !maps.Equal(sum.LeftOut, counted.LeftOut) || fmt.Sprint(told) != "[501]" {
			t.Errorf("%s: %+v %v %v", opt.Form, sum, told, err)
		}
	}
	opt.Progress = func(int) error { return context.Canceled }
	if _, err := export.Write(t.Context(), s, clerk, opt, new(bytes.Buffer)); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if shares, err := desk.Shares(t.Context()); err != nil || len(shares) != 3 {
		t.Errorf("%d shares, %v", len(shares), err)
	}
	partner(t, s, func(a *rights.Agreement) { a.ID, a.Areas = "b-2", []string{"KE07"} })
	opt.Use.Agreement, opt.Progress = "b-2", nil
	if sum, err := export.Count(t.Context(), s, opt); err != nil || sum.People != 0 || sum.LeftOut[export.LeftArea] != 300 {
		t.Errorf("nobody: %+v %v", sum, err)
	}
}
