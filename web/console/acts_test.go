package console_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/web/api"
)

// actInGo are the acts that a source writes into the log.
var actInGo = regexp.MustCompile(`(?:[aA]ction\w*|note|audit|entry)(?: access\.Action)?(?:: *| :?= |\()(?:[\w.]+, )*"([a-z]+\.[a-z-]+)"`)

// acts are all that the log can have: those of the table of permissions, and those that the
// sources name.
var acts = sync.OnceValues(func() (all []string, err error) {
	for _, r := range access.Rules() {
		all = append(all, string(r.Act))
	}
	for _, s := range []issuer.CardState{issuer.CardIssued, issuer.CardPrinted, issuer.CardHandedOver, issuer.CardSpoiled, issuer.CardUnclaimed, issuer.CardDestroyed} {
		all = append(all, "card."+string(s))
	}
	for _, s := range []issuer.ProposalState{issuer.Prepared, issuer.Submitted, issuer.Approved, issuer.Issuing, issuer.Done} {
		all = append(all, "batch."+string(s))
	}
	for _, dir := range []string{"access", "cmd/aidpass", "issuer", "storage", "trust", "web/api", "web/openid"} {
		err = errors.Join(err, filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "storagetest") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, m := range actInGo.FindAllSubmatch(text, -1) {
				all = append(all, string(m[1]))
			}
			return err
		}))
	}
	slices.Sort(all)
	return slices.Compact(all), err
})

// The log tells in words what was done, and what was written beside it; below it stands
// what every act of the table means.
func TestTheLogIsToldInWords(t *testing.T) {
	w := newWorld(t)
	for i, act := range []access.Action{"card.revoke", "unit.change", "card.<b>new"} {
		w.desks[own].log = append(w.desks[own].log, access.Entry{Seq: uint64(i + 1), Time: now, Actor: access.Actor{ID: "amina", Role: access.OrgAdmin}, Action: act, Object: "4afK"})
	}
	b := w.as(own, access.Auditor)
	page := b.get("/audit").Body.String()
	for _, want := range []string{"Card: revoke", `<bdi dir="ltr" class="small id">card.revoke</bdi>`, "Record: change", "Card: <bdi>&lt;b&gt;new</bdi>", "4afK"} {
		has(t, page, want)
	}
	legend := between(t, page, `id="legend"`, "</details>")
	for _, r := range access.Rules() {
		if !strings.Contains(legend, ">"+string(r.Act)+"<") {
			t.Errorf("%s is not in the legend", r.Act)
		}
	}
	all, err := acts()
	if err != nil || len(all) < 150 {
		t.Fatal(len(all), err)
	}
	for _, lang := range api.Languages {
		english, texts := catalogue(t, "en"), catalogue(t, lang)
		for _, act := range all {
			noun, verb, _ := strings.Cut(act, ".")
			if same := texts["acts.verb_"+verb] == english["acts.verb_"+verb]; texts["acts.noun_"+noun] == "" || texts["acts.verb_"+verb] == "" || lang == "ar" && same {
				t.Errorf("%s: %s is not said", lang, act)
			}
		}
	}
}
