package console_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
)

func init() {
	makers["export"] = func(w *world, org string, b *browser) string {
		by := access.Actor{ID: anybody, Role: access.DataProtection}
		if b != nil && org == own {
			by.ID = b.member.id
		}
		w.person(org, "Amina Yusuf")
		job, err := exportDesk{w}.Start(w.Context(), org, by, console.ExportOrder{Purpose: rights.Copy, Form: export.HXL, Reason: "monthly copy"}, 2)
		if err != nil {
			w.Fatal(err)
		}
		return job
	}
	maps.Copy(forms, map[string]url.Values{"POST /exports": {"use": {"own:copy"}, "form": {"xlsx"}, "reason": {"monthly copy"}}})
}

// anybody is whose files are that a test makes for no account.
const anybody = "anybody"

// exportDesk makes files of the records in memory, at once.
type exportDesk struct{ w *world }

func (d exportDesk) Agreements(ctx context.Context, org string) ([]rights.Agreement, error) {
	return d.w.rightsOf(org).Agreements(ctx)
}

func (d exportDesk) Programmes(context.Context, string) ([]registry.Programme, error) {
	return nil, nil
}

func (d exportDesk) options(o console.ExportOrder) export.Options {
	opt := o.Options()
	opt.Now, opt.Waits = d.w.now, true
	return opt
}

func (d exportDesk) Count(ctx context.Context, org string, o console.ExportOrder) (export.Summary, error) {
	return export.Count(ctx, d.w.peopleOf(org), d.options(o))
}

func (d exportDesk) Start(ctx context.Context, org string, by access.Actor, o console.ExportOrder, _ int) (string, error) {
	var file bytes.Buffer
	sum, err := export.Write(ctx, d.w.peopleOf(org), by, d.options(o), &file)
	if err != nil {
		return "", err
	}
	job := d.w.jobs.add(org, access.ExportMake)
	d.w.files[org+" "+by.ID+" "+job] = console.ExportMade{Order: o, Summary: sum, Until: d.w.now().Add(24 * time.Hour), Body: file.Bytes()}
	return job, nil
}

func (d exportDesk) Made(_ context.Context, org, account, job string) (console.ExportMade, error) {
	m, ok := d.w.files[org+" "+account+" "+job]
	if !ok {
		m, ok = d.w.files[org+" "+anybody+" "+job]
	}
	if !ok {
		return m, console.ErrNotFound
	}
	return m, nil
}

func (d exportDesk) HandOut(ctx context.Context, org string, by access.Actor, job string) (console.ExportMade, error) {
	m, err := d.Made(ctx, org, by.ID, job)
	if err == nil {
		err = d.w.rightsOf(org).HandOut(ctx, by, m.Summary.Share)
	}
	return m, err
}

var jobPath = regexp.MustCompile(`^/desk/jobs/(.+)$`)

// A file for others is counted first, with who is left out and why; it is made once that
// number was confirmed, is handed to who asked alone, and the log knows of whom it tells.
func TestAFileUnderAnAgreement(t *testing.T) {
	w := newWorld(t)
	a := w.agreement(own, func(*rights.Agreement) {})
	home := w.household(own)
	kept := w.member(own, home, "=HYPERLINK(1)", "1987-05-12")
	w.person(own, "Binta Yusuf")
	refugee, elsewhere, no := w.person(own, "Carol Yusuf"), w.household(own), w.person(own, "Dina Yusuf")
	w.change(refugee, registry.Person{Origin: "SOM"})
	w.change(elsewhere, registry.Household{Location: &registry.Location{PCode: "KE0071"}})
	w.change(no, registry.Person{Consents: []registry.Consent{{ID: "c9", Purpose: "sharing"}}})
	dpo := w.as(own, access.DataProtection)
	has(t, dpo.get("/exports?agreement="+a.ID).Body.String(), `value="agreement:`+a.ID+`" selected`)
	form := url.Values{"use": {"agreement:" + a.ID}, "form": {"csv"}, "reason": {"winter distribution"}}
	before := len(w.files)
	asked := dpo.post("/exports", form)
	page := asked.Body.String()
	for _, want := range []string{"Under agreement <bdi>" + a.ID + "</bdi>", "households: <bdi>2</bdi>, people: <bdi>2</bdi>", "<bdi>1</bdi>: households or people who said no, or did not say yes", "<bdi>1</bdi>: from a country", "<bdi>1</bdi>: outside of the agreement"} {
		has(t, page, want)
	}
	if shares, _ := w.rightsOf(own).Shares(t.Context()); asked.Code != 200 || len(shares) != 0 || len(w.files) != before {
		t.Fatalf("%d: counting made a file: %v", asked.Code, shares)
	}
	begun := dpo.submit(page, "/desk/exports")
	job := jobPath.FindStringSubmatch(begun.Header().Get("Location"))
	if begun.Code != 303 || job == nil {
		t.Fatalf("%d %s", begun.Code, begun.Body)
	}
	at := "/exports/of/" + job[1]
	has(t, dpo.get(at).Body.String(), "<bdi>winter distribution</bdi>")
	for who, b := range map[string]*browser{"another account": w.as(own, access.DataProtection), "no role": w.as(own, access.OrgAdmin)} {
		if code := b.get(at).Code; code != 404 && code != 403 {
			t.Errorf("%s sees the file: %d", who, code)
		}
		if code := b.post(at+"/take", nil).Code; code != 404 && code != 403 {
			t.Errorf("%s takes the file: %d", who, code)
		}
	}
	file := dpo.post(at+"/take", nil)
	if file.Code != 200 || !strings.Contains(file.Body.String(), "'=HYPERLINK(1)") || strings.Contains(file.Body.String(), ",=HYPERLINK") || strings.Contains(file.Body.String(), "Carol") || strings.Contains(file.Body.String(), kept.String()) {
		t.Errorf("%d %s", file.Code, file.Body)
	}
	shares, err := w.rightsOf(own).Shares(t.Context())
	sum := sha256.Sum256(file.Body.Bytes())
	if err != nil || len(shares) != 1 || shares[0].Agreement != a.ID || shares[0].SHA256 != hex.EncodeToString(sum[:]) || shares[0].By != dpo.member.id || shares[0].Reason != "winter distribution" {
		t.Errorf("%+v %v", shares, err)
	}
	log := w.entries(own)
	if e := log[len(log)-1]; e.Action != "export.make" || e.Object != a.ID || e.Reason != "winter distribution" || e.Digest != sum || !strings.Contains(e.Detail, "rows=4") || e.Actor.ID != dpo.member.id {
		t.Errorf("the log tells %+v", e)
	}
	if recalls, _, err := w.rightsOf(own).Withdraw(t.Context(), clerk, kept, "", ""); err != nil || len(recalls) != 1 {
		t.Errorf("a recall reaches the file: %v %v", recalls, err)
	}
}

// What is not confirmed, has no reason, or is for nobody makes no file.
func TestFilesThatAreRefused(t *testing.T) {
	w := newWorld(t)
	live, over := w.agreement(own, func(*rights.Agreement) {}), w.agreement(own, func(*rights.Agreement) {})
	if err := w.rightsOf(own).EndAgreement(t.Context(), two, over.ID, "closed"); err != nil {
		t.Fatal(err)
	}
	foreign := w.agreement(other, func(*rights.Agreement) {})
	w.person(own, "Amina Yusuf")
	dpo := w.as(own, access.DataProtection)
	for name, c := range map[string]struct {
		form url.Values
		code int
	}{
		"no reason":               {url.Values{"use": {"agreement:" + live.ID}, "form": {"csv"}}, 403},
		"for nobody":              {url.Values{"form": {"csv"}, "reason": {"x"}}, 422},
		"a purpose of sharing":    {url.Values{"use": {"own:survey"}, "form": {"csv"}, "reason": {"x"}}, 422},
		"another form":            {url.Values{"use": {"own:copy"}, "form": {"pdf"}, "reason": {"x"}}, 422},
		"over":                    {url.Values{"use": {"agreement:" + over.ID}, "form": {"csv"}, "reason": {"x"}}, 422},
		"another organisation's":  {url.Values{"use": {"agreement:" + foreign.ID}, "form": {"csv"}, "reason": {"x"}}, 422},
		"a field it has not":      {url.Values{"use": {"agreement:" + live.ID}, "form": {"csv"}, "reason": {"x"}, "fields": {"phone"}}, 422},
		"a field of no file":      {url.Values{"use": {"own:copy"}, "form": {"csv"}, "reason": {"x"}, "fields": {"photo"}}, 422},
		"a number that is not it": {url.Values{"use": {"agreement:" + live.ID}, "form": {"csv"}, "reason": {"x"}, "step": {"1"}}, 422},
	} {
		if a := dpo.post("/exports", c.form); a.Code != c.code {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	if code := w.as(own, access.Registrar).post("/exports", url.Values{"use": {"own:copy"}, "form": {"csv"}, "reason": {"x"}}).Code; code != 403 {
		t.Errorf("without the role: %d", code)
	}
	if len(w.files) != 0 {
		t.Errorf("%d files were made", len(w.files))
	}
	// Nobody in it: the page says why, and has nothing to press.
	nobody := w.agreement(own, func(a *rights.Agreement) { a.Areas = []string{"KE001"} })
	page := dpo.post("/exports", url.Values{"use": {"agreement:" + nobody.ID}, "form": {"csv"}, "reason": {"x"}}).Body.String()
	has(t, page, "<bdi>1</bdi>: outside of the agreement")
	if strings.Contains(page, `id="go"`) {
		t.Error("a file of nobody is offered")
	}
}
