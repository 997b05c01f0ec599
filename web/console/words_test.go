package console_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/issuer/print"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/match"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/issuer/registry/rights"
	"aidpass/issuer/registry/roster"
	"aidpass/trust"
	"aidpass/web/api"
	"aidpass/web/console"
)

// catalogue joins a language's files, and names the file of each key.
func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob("words/*" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(raw, &texts); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for k, v := range texts {
			all[k] = v
		}
	}
	return all
}

var places = regexp.MustCompile(`\{\w+\}`)

// Every language says everything, with the same values in it.
func TestEveryLanguageHasEveryWord(t *testing.T) {
	english := catalogue(t, "en")
	for _, lang := range api.Languages {
		texts := catalogue(t, lang)
		for key, want := range english {
			got := texts[key]
			if strings.TrimSpace(got) == "" {
				t.Errorf("%s: %q is not said", lang, key)
				continue
			}
			a, b := places.FindAllString(got, -1), places.FindAllString(want, -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %q has the values %q, want %q", lang, key, a, b)
			}
		}
		for key := range texts {
			if english[key] == "" {
				t.Errorf("%s: %q is no word of the console", lang, key)
			}
		}
	}
}

// families are the keys that no source spells out.
func families(t *testing.T) (keys []string) {
	for _, r := range access.StaffRoles() {
		keys = append(keys, "role."+string(r))
	}
	for _, r := range access.Rules() {
		if r.FourEyes {
			keys = append(keys, "act."+string(r.Act))
		}
	}
	all, err := acts()
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range all {
		noun, verb, _ := strings.Cut(act, ".")
		keys = append(keys, "acts.noun_"+noun, "acts.verb_"+verb)
	}
	for _, s := range []access.ApprovalState{access.Waiting, access.Approved, access.Carried, access.Refused, access.Withdrawn, access.Lapsed} {
		keys = append(keys, "approvals.state_"+string(s))
	}
	for _, s := range []console.JobState{console.JobWaits, console.JobRuns, console.JobStopped, console.JobDone, console.JobFailed} {
		keys = append(keys, "jobs.state_"+string(s))
	}
	for _, w := range intake.FieldWords() {
		if !strings.Contains(w.Name, "TYPE") && !strings.Contains(w.Name, "NAME") {
			keys = append(keys, "imports.field_"+w.Name)
		}
	}
	for _, w := range intake.RoleWords() {
		keys = append(keys, "imports.role_"+w.Name)
	}
	for _, s := range []imports.State{imports.Loaded, imports.Checked, imports.InReview, imports.Approved, imports.Applied, imports.Issued, imports.Refused, imports.Withdrawn, imports.Undone} {
		keys = append(keys, "imports.state_"+string(s))
	}
	for _, k := range []string{"severity_reject", "severity_issue", "severity_note", "why_" + registry.KeyDocument, "why_" + registry.KeyNameYear, "order_dmy", "order_mdy", "order_hm", "order_mf",
		"part_file", "part_columns", "part_options", "part_mends", "part_rows", "turn_new", "turn_updated", "turn_known", "turn_left_out",
		"left_" + imports.LeftCard, "left_" + imports.LeftEdited, "left_" + imports.LeftDue, "left_" + imports.LeftGiven, "left_" + imports.LeftLived} {
		keys = append(keys, "imports."+k)
	}
	for _, c := range roster.Codes() {
		keys = append(keys, "imports.file_"+string(c), "imports.file_"+string(c)+".do")
	}
	for _, code := range findingCodes(t) {
		keys = append(keys, "imports.code_"+code, "imports.mend_"+code)
	}
	for _, code := range texts(t, "../../issuer/registry/photo/photo.go") {
		keys = append(keys, "photo.refused_"+code)
	}
	for name, code := range texts(t, "../../access/audit.go") {
		if strings.HasPrefix(name, "Bad") {
			keys = append(keys, "audit.bad_"+code)
		}
	}
	for _, code := range texts(t, "../../issuer/registry/refusal.go") {
		keys = append(keys, "refusals."+code)
	}
	for name, kind := range texts(t, "../../trust/changes.go") {
		switch {
		case strings.HasPrefix(name, "Change"):
			keys = append(keys, "trust.entry_"+kind)
		case kind != trust.TermUse && kind != trust.TermState && kind != trust.TermQuorum: // these have families of their own
			keys = append(keys, "trust.term_"+kind)
		}
	}
	for u := trust.UseCard; u <= trust.UseSeal; u++ {
		keys = append(keys, "trust.use_"+u.String())
	}
	for s := trust.Active; s <= trust.Compromised; s++ {
		keys = append(keys, "trust.state_"+s.String())
	}
	for _, code := range texts(t, "../../issuer/registry/rights/refusal.go") {
		keys = append(keys, "agreements.denied_"+code)
	}
	for name, code := range texts(t, "cannot.go") {
		if strings.HasPrefix(name, "Cannot") {
			keys = append(keys, "cannot."+code, "cannot."+code+".do")
		}
	}
	for name, code := range texts(t, "../../issuer/registry/quality/gate.go") {
		if strings.HasPrefix(name, "Reason") {
			keys = append(keys, "batches.gate_"+code)
		}
	}
	for _, way := range []string{"cash", "voucher", "in_kind", "service"} {
		keys = append(keys, "programmes.way_"+way)
	}
	for _, kind := range []registry.Kind{registry.KindPerson, registry.KindHousehold} {
		keys = append(keys, "programmes.by_"+string(kind))
	}
	for p := print.A4; p <= print.Thermal80; p++ {
		keys = append(keys, "prints.paper_"+p.String())
	}
	keys = append(keys, work.WordNotAllowed, "role."+string(access.System))
	for _, p := range rights.SharedPurposes() {
		keys = append(keys, "agreements.for_"+string(p))
	}
	for _, k := range []rights.PartyKind{rights.Humanitarian, rights.Government, rights.Private} {
		keys = append(keys, "agreements.kind_"+string(k))
	}
	for _, b := range []rights.Basis{rights.ByConsent, rights.ByNotice} {
		keys = append(keys, "agreements.by_"+string(b))
	}
	for _, p := range rights.OwnPurposes() {
		keys = append(keys, "exports.own_"+string(p))
	}
	for _, o := range rights.Outcomes() {
		keys = append(keys, "agreements.said_"+string(o))
	}
	for _, a := range recheck.Answers() {
		keys = append(keys, "rechecks.is_"+string(a))
	}
	for _, l := range []string{console.SettingPairs, console.SettingOffers, console.SettingRechecks} {
		keys = append(keys, "organisation."+l, "organisation."+l+"_help", "organisation."+l+"_label", "organisation.tell_"+l)
	}
	for _, d := range []string{"tell_person_less", "tell_person_more", "tell_household_less", "tell_household_more", "tell_threshold", "tell_provisional_days", "tell_verified_months", "tell_told", "tell_look", "tell_unverified",
		"strict_told", "strict_look", "strict_unverified", "double_note", "double_provisional", "double_refuse"} {
		keys = append(keys, "organisation."+d)
	}
	for _, field := range match.FieldCodes() {
		keys = append(keys, "doubles.field_"+field)
		for _, level := range match.LevelCodes(field) {
			keys = append(keys, console.LevelWord(field, level))
		}
	}
	for _, code := range []string{registry.StateReview, registry.StateTold, registry.StatePostponed, registry.StateDecided, registry.Withdrawn} {
		keys = append(keys, "doubles.state_"+code)
	}
	for _, why := range []string{registry.KeyDocument, registry.KeyNameYear, registry.KeyMatch} {
		keys = append(keys, "doubles.why_"+why)
	}
	for _, code := range registry.PostponeReasons() {
		keys = append(keys, "doubles.later_"+code)
	}
	keys = append(keys, "doubles.was_"+registry.Same, "doubles.was_"+registry.Different, "doubles.was_later", "doubles.did_"+registry.Same, "doubles.did_"+registry.Different)
	for _, c := range []string{"reason", "place", "clerk"} {
		keys = append(keys, "batches.fixes_by_"+c)
	}
	for _, c := range indicator.Cuts()[1:] {
		keys = append(keys, "quality.by_"+string(c))
	}
	keys = append(keys, "quality.is_person", "quality.is_household")
	keys = append(keys, rightsFamilies()...)
	keys = append(keys, exerciseFamilies()...)
	for m := range 12 {
		keys = append(keys, "date.month"+strconv.Itoa(m+1))
	}
	return keys
}

var (
	keyInGo   = regexp.MustCompile(`"([a-z_0-9]+\.[a-z_0-9.-]+)"`)
	keyInPage = regexp.MustCompile(`(?:T|Plain) "([a-z_0-9.-]+)"`)
)

// What a page asks for is there, and what is there some page asks for: a word that
// nobody says is one that five people translated for nothing.
func TestPagesAndWordsMeet(t *testing.T) {
	english := catalogue(t, "en")
	used := map[string]bool{"language": true}
	for _, k := range families(t) {
		used[k] = true
	}
	for _, pattern := range []string{"pages/*.html", "parts/*.html", "*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			found := keyInPage
			if strings.HasSuffix(f, ".go") {
				found = keyInGo
			}
			for _, m := range found.FindAllSubmatch(text, -1) {
				key := string(m[1])
				if used[key] = true; english[key] == "" && (found == keyInPage || strings.HasPrefix(key, "fault.")) {
					t.Errorf("%s says %q, which no language has", f, key)
				}
				used[key+".do"] = true // of faults
			}
		}
	}
	for key := range english {
		if !used[key] {
			t.Errorf("no page says %q", key)
		}
	}
	for _, k := range families(t) {
		if english[k] == "" {
			t.Errorf("%q is not said", k)
		}
	}
}

// Every value that a page shows is isolated, so that an Arabic name does not turn an
// English sentence around: it stands in <bdi>, in an attribute, or comes from what
// isolates it itself.
func TestEveryValueIsIsolated(t *testing.T) {
	shown := regexp.MustCompile(`\{\{[^{}]+\}\}`)
	quiet := regexp.MustCompile(`^\{\{(-? ?(if|else|end|range|with|define|template|block|break|continue)\b|/\*|\$?\.?\$?\.?(A\.)?(T|Word|Number|Date|Day|Time|TrustTerm) |\$[a-z]+ :?=)`)
	made := regexp.MustCompile(`^\{\{(\.|\$\.)?(Data\.)?(Title|Head|Says|Do)\}\}$|^\{\{\$says\}\}$`) // by T
	files, _ := filepath.Glob("p*/*.html")
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range shown.FindAllIndex(text, -1) {
			action := string(text[at[0]:at[1]])
			if quiet.MatchString(action) || made.MatchString(action) {
				continue
			}
			before := shown.ReplaceAllString(string(text[:at[0]]), "")
			inTag := strings.LastIndex(before, "<") > strings.LastIndex(before, ">")
			isolated := strings.LastIndex(before, "<bdi") > strings.LastIndex(before, "</bdi") || strings.LastIndex(before, "<option") > strings.LastIndex(before, "</option") || strings.LastIndex(before, "<textarea") > strings.LastIndex(before, "</textarea")
			if !inTag && !isolated {
				t.Errorf("%s shows %s outside of <bdi>", f, action)
			}
		}
	}
}

// Nothing of a page is inline, and no page asks another host for anything.
func TestPagesHaveNothingInline(t *testing.T) {
	bad := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script[^>]*>[^<]|https?://`)
	files, _ := filepath.Glob("p*/*.html")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		if found := bad.Find(text); found != nil {
			t.Errorf("%s has %q in it", f, found)
		}
	}
}

// Numbers and dates as each language writes them, each isolated.
func TestNumbersAndDates(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ lang, want string }{
		{"en", `<bdi>12,345</bdi>`}, {"es", `<bdi>12.345</bdi>`}, {"ar", `<bdi>١٢٬٣٤٥</bdi>`}, {"sw", `<bdi>12,345</bdi>`},
	} {
		if got := string(w.console.Say(c.lang, "confirm.type", "count", 12345)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", c.lang, got, c.want)
		}
	}
	for _, c := range []struct{ lang, want string }{
		{"en", `<bdi><time datetime="2026-11-22T09:30:00Z">22 November 2026, 09:30 UTC</time></bdi>`},
		{"ar", `<bdi><time datetime="2026-11-22T09:30:00Z">٢٢ نوفمبر ٢٠٢٦، ٠٩:٣٠ بالتوقيت العالمي</time></bdi>`},
	} {
		if got := string(w.console.Say(c.lang, "confirm.type", "count", now)); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q in it", c.lang, got, c.want)
		}
	}
	if got := string(w.console.Say("en", "fault.request", "id", "{id}<b>")); got != "Number for support: <bdi>&#123;id&#125;&lt;b&gt;</bdi>" {
		t.Errorf("a value with a place and markup in it: %q", got)
	}
}
