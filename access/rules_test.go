package access_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aidpass/access"
)

var update = flag.Bool("update", false, "write ../docs/permissions.md from the table")

// permissionsPage is docs/permissions.md.
func permissionsPage() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `# Who may do what

The table of `+"`access/rules.go`"+`; a test keeps this page equal to it (`+"`go test ./access -run TestThePageIsTheTable -update`"+` writes it anew).
What is not here is allowed to nobody. Every act is of one organisation, the session's own; a partner also stays within the fields, areas and purpose of
its agreement. *Proof*: identity was proved at most five minutes ago. *Second account*: it is asked for, and takes effect when another account that may do
the act named there has approved the very same bytes. *Personal*: it shows or changes what is known of people. *Token*: a program may do it by a token of an
account that may; none does what a person proves her identity for, but for the acts at the end of this page.

| act | what it is | who | personal | proof | second account | token |
|---|---|---|---|---|---|---|
`)
	yes := func(v bool) string {
		if v {
			return "yes"
		}
		return ""
	}
	for _, r := range access.Rules() {
		var who []string
		for _, role := range r.Roles {
			who = append(who, string(role))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", r.Act, r.Says, strings.Join(who, ", "), yes(r.Personal), yes(r.StepUp), r.Second, yes(slices.Contains(access.TokenActs(), r.Act)))
	}
	fmt.Fprint(&b, "\n## By role\n\n")
	for _, role := range access.StaffRoles() {
		var acts []string
		for _, r := range access.Rules() {
			if slices.Contains(r.Roles, role) {
				acts = append(acts, string(r.Act))
			}
		}
		fmt.Fprintf(&b, "- **%s**: %s\n", role, strings.Join(acts, ", "))
	}
	fmt.Fprint(&b, "\n## What a token may do that a person proves her identity for, and why\n\n")
	for _, r := range access.Rules() {
		if r.Program != "" {
			fmt.Fprintf(&b, "- `%s`: %s\n", r.Act, r.Program)
		}
	}
	return b.Bytes()
}

func TestThePageIsTheTable(t *testing.T) {
	const path = "../docs/permissions.md"
	want := permissionsPage()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the table says: go test ./access -run TestThePageIsTheTable -update", path)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	rules := access.Rules()
	if !slices.IsSortedFunc(rules, func(a, b access.Rule) int { return strings.Compare(string(a.Act), string(b.Act)) }) {
		t.Error("the table is not in the order of acts")
	}
	has := map[access.Role]bool{}
	for i, r := range rules {
		if i > 0 && rules[i-1].Act == r.Act {
			t.Errorf("%s stands twice", r.Act)
		}
		noun, verb, ok := strings.Cut(string(r.Act), ".")
		if !ok || noun == "" || verb == "" {
			t.Errorf("%q is no noun.verb", r.Act)
		}
		if len(r.Roles) == 0 || !strings.HasSuffix(r.Says, ".") {
			t.Errorf("%s has no role, or no sentence", r.Act)
		}
		for _, role := range r.Roles {
			has[role] = true
			if !slices.Contains(access.StaffRoles(), role) {
				t.Errorf("%s is allowed to %q, which no account can have", r.Act, role)
			}
		}
		if got, ok := access.RuleOf(r.Act); !ok || got.Says != r.Says {
			t.Errorf("%s is not found in its table", r.Act)
		}
		if token := slices.Contains(access.TokenActs(), r.Act); r.StepUp && token != (r.Program != "") || r.Program != "" && (!r.StepUp || !strings.HasSuffix(r.Program, ".")) {
			t.Errorf("%s wants a proof of identity %v, and a token may %v: %q", r.Act, r.StepUp, token, r.Program)
		}
		if r.FourEyes != (r.Second != "") {
			t.Errorf("%s: four eyes %v, second %q", r.Act, r.FourEyes, r.Second)
		}
	}
	for _, role := range access.StaffRoles() {
		if !has[role] {
			t.Errorf("%s may do nothing", role)
		}
	}
	rules[0].Roles[0] = access.PlatformOperator // a copy
	if access.May([]access.Role{access.PlatformOperator}, rules[0].Act) {
		t.Error("a caller changed the table")
	}
}

func TestRolesStayApart(t *testing.T) {
	partner := []access.Act{access.PersonRead}
	for _, r := range access.Rules() {
		if r.Personal && slices.Contains(r.Roles, access.PlatformOperator) {
			t.Errorf("the platform operator sees people by %s", r.Act)
		}
		if !r.Reads && slices.Contains(r.Roles, access.Auditor) {
			t.Errorf("the auditor changes something by %s", r.Act)
		}
		if got, want := slices.Contains(r.Roles, access.Partner), slices.Contains(partner, r.Act); got != want {
			t.Errorf("partner and %s: %v, want %v", r.Act, got, want)
		}
		if !r.FourEyes {
			continue
		}
		second, ok := access.RuleOf(r.Second)
		if !ok || !second.StepUp {
			t.Errorf("%s is approved by %q, which is not in the table or needs no proof of identity", r.Act, r.Second)
		}
		if r.Second == r.Act {
			continue // two of one role, as two administrators: the account is what differs
		}
		for _, role := range r.Roles {
			if slices.Contains(second.Roles, role) {
				t.Errorf("%s both asks for %s and approves it", role, r.Act)
			}
		}
	}
}

// Reads is believed by the tests above, so it is held against the verbs.
func TestWhatReadsIsNamedSo(t *testing.T) {
	verbs := []string{"read", "find", "list", "history", "verify"}
	for _, r := range access.Rules() {
		_, verb, _ := strings.Cut(string(r.Act), ".")
		if want := slices.Contains(verbs, verb) || r.Act == access.AuditExport; r.Reads != want {
			t.Errorf("%s reads: %v, want %v", r.Act, r.Reads, want)
		}
	}
}

func TestWhatIsNotInTheTableIsAllowedToNobody(t *testing.T) {
	all := append(access.StaffRoles(), access.System)
	for _, a := range []access.Act{"", "person", "person.*", "person.read ", "Person.read", "person.delete", "zzz.zzz", "account"} {
		if access.May(all, a) {
			t.Errorf("%q is allowed", a)
		}
	}
	for _, r := range access.Rules() {
		if access.May(nil, r.Act) || access.May([]access.Role{"", "boss", access.System}, r.Act) {
			t.Errorf("%s is allowed to nobody in particular", r.Act)
		}
	}
}

func TestRolesAddUpAndNothingElse(t *testing.T) {
	rules := access.Rules()
	rapid.Check(t, func(t *rapid.T) {
		roles := rapid.SliceOfDistinct(rapid.SampledFrom(access.StaffRoles()), func(r access.Role) access.Role { return r }).Draw(t, "roles")
		r := rapid.SampledFrom(rules).Draw(t, "rule")
		want := slices.ContainsFunc(roles, func(role access.Role) bool { return slices.Contains(r.Roles, role) })
		if got := access.May(roles, r.Act); got != want {
			t.Fatalf("May(%v, %s) = %v, want %v", roles, r.Act, got, want)
		}
		if in := access.RoleFor(roles, r.Act); want != (in != "") || want && (!slices.Contains(roles, in) || !slices.Contains(r.Roles, in)) {
			t.Fatalf("RoleFor(%v, %s) = %q", roles, r.Act, in)
		}
	})
}

// Whoever makes an offer has what is signed: only who signs cards does, with a fresh proof
// of identity, and no program.
func TestOffersAreMadeByWhoSigns(t *testing.T) {
	r, _ := access.RuleOf(access.OfferMake)
	if !slices.Equal(r.Roles, []access.Role{access.Issuer}) || !r.StepUp || slices.Contains(access.TokenActs(), access.OfferMake) {
		t.Errorf("%+v, of tokens %v", r, slices.Contains(access.TokenActs(), access.OfferMake))
	}
}
