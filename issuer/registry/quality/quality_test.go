package quality_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func given() []registry.Consent {
	return []registry.Consent{{Purpose: "registration", Given: true, On: "2026-11-01"}}
}

// whole is a person of whom everything required is known.
func whole() registry.Person {
	return registry.Person{
		Names: []registry.Name{{Text: "አበበ"}}, Sex: "m", Birth: &registry.Birth{EDTF: "1987", Precision: "year"},
		Origin: "ETH", Relation: "head", Location: &registry.Location{PCode: "KE0301"}, Registered: "2026-11-01", Consents: given(),
	}
}

func person(change func(*registry.Person)) quality.Unit {
	p := whole()
	change(&p)
	return quality.Unit{ID: registry.NewID(), Person: &p, Household: &registry.Household{}}
}

// family is a household with its head and members; each may be changed.
func family(h registry.Household, people ...registry.Person) quality.Unit {
	u := quality.Unit{ID: registry.NewID(), Household: &h}
	for _, p := range people {
		u.Members = append(u.Members, quality.Member{ID: registry.NewID(), Person: p})
	}
	if len(people) > 0 && h.Head == "" {
		u.Household.Head = u.Members[0].ID.String()
	}
	return u
}

func changed(change func(*registry.Person)) registry.Person {
	p := whole()
	change(&p)
	return p
}

func codes(d quality.Decision) (out []string) {
	for _, r := range d.Reasons {
		out = append(out, r.Code)
		if r.Text == "" || r.Fix == "" {
			out = append(out, "NO WAY OUT")
		}
	}
	return out
}

func TestAPersonAtTheGate(t *testing.T) {
	gate := quality.Default().Gate("")
	for name, c := range map[string]struct {
		change func(*registry.Person)
		want   quality.Outcome
		codes  []string
	}{
		"all is known":                {func(*registry.Person) {}, quality.Issue, nil},
		"no photo, no document":       {func(p *registry.Person) { p.Photo, p.Documents = nil, nil }, quality.Issue, nil},
		"one of seven is missing":     {func(p *registry.Person) { p.Origin = "" }, quality.Provisional, []string{"field_missing"}},
		"a placeholder is not filled": {func(p *registry.Person) { p.Origin = "N/A" }, quality.Provisional, []string{"field_missing"}},
		"sex not said":                {func(p *registry.Person) { p.Sex = "u" }, quality.Issue, nil},
		"another sex":                 {func(p *registry.Person) { p.Sex = "x" }, quality.Issue, nil},
		"nobody asked for the sex":    {func(p *registry.Person) { p.Sex = "" }, quality.Provisional, []string{"field_missing"}},
		"a site without a code":       {func(p *registry.Person) { p.Location = &registry.Location{Site: "Block 4"} }, quality.Issue, nil},
		"an address alone":            {func(p *registry.Person) { p.Location = &registry.Location{Address: "behind the mill"} }, quality.Issue, nil},
		"a country alone":             {func(p *registry.Person) { p.Location = &registry.Location{Country: "KEN"} }, quality.Provisional, []string{"field_missing"}},
		"no name":                     {func(p *registry.Person) { p.Names = nil }, quality.Refuse, []string{"name_missing"}},
		"a filler for a name":         {func(p *registry.Person) { p.Names[0].Text = "unknown" }, quality.Refuse, []string{"name_missing"}},
		"birth not said":              {func(p *registry.Person) { p.Birth = nil }, quality.Refuse, []string{"birth_missing"}},
		"birth said to be unknown":    {func(p *registry.Person) { p.Birth = &registry.Birth{Precision: "unknown"} }, quality.Provisional, []string{"field_missing"}},
		"born in 1900, says a form":   {func(p *registry.Person) { p.Birth = &registry.Birth{EDTF: "1900", Precision: "year"} }, quality.Refuse, []string{"birth_missing"}},
		"a decade is enough":          {func(p *registry.Person) { p.Birth = &registry.Birth{EDTF: "198X", Precision: "decade"} }, quality.Issue, nil},
		"no notice":                   {func(p *registry.Person) { p.Consents = nil }, quality.Refuse, []string{"notice_missing", "field_missing"}},
		"sharing refused": {func(p *registry.Person) {
			p.Consents = append(p.Consents, registry.Consent{Purpose: "sharing"})
		}, quality.Issue, nil},
		"no to the notice":   {func(p *registry.Person) { p.Consents[0].Given = false }, quality.Refuse, []string{"notice_refused", "field_missing"}},
		"taken back":         {func(p *registry.Person) { p.Consents[0].Withdrawn = "2026-11-20" }, quality.Refuse, []string{"notice_refused", "field_missing"}},
		"the notice ran out": {func(p *registry.Person) { p.Consents[0].Expires = "2026-11-21" }, quality.Refuse, []string{"notice_missing", "field_missing"}},
		"taken back, then yes": {func(p *registry.Person) {
			p.Consents = append([]registry.Consent{{Purpose: "registration"}}, p.Consents...)
		}, quality.Issue, nil},
		"a blocking issue": {func(p *registry.Person) { p.Issues = []registry.Issue{{Code: "x", Blocking: true, Text: "mend it"}} }, quality.Refuse, []string{"issue_open"}},
		"a note":           {func(p *registry.Person) { p.Issues = []registry.Issue{{Code: "x", Text: "look at it"}} }, quality.Issue, nil},
		"dead":             {func(p *registry.Person) { p.Status = &registry.Status{State: "closed", Reason: "deceased"} }, quality.Refuse, []string{"closed"}},
		"not in use":       {func(p *registry.Person) { p.Status = &registry.Status{State: "inactive"} }, quality.Refuse, []string{"inactive"}},
	} {
		d := gate.Judge(person(c.change), at)
		if d.Outcome != c.want || !slices.Equal(codes(d), c.codes) {
			t.Errorf("%s: %s %q, want %s %q", name, d.Outcome, codes(d), c.want, c.codes)
		}
		if wantUntil := c.want == quality.Provisional; wantUntil != d.Until.Equal(at.AddDate(0, 0, 30)) {
			t.Errorf("%s: until %v", name, d.Until)
		}
	}
}

func TestWhatTheHouseholdSaysHoldsForItsMembers(t *testing.T) {
	u := person(func(p *registry.Person) { p.Origin, p.Location, p.Registered, p.Consents = "", nil, "", nil })
	u.Household = &registry.Household{Origin: "SOM", Location: &registry.Location{PCode: "KE0301"}, Registered: "2026-11-01", Consents: given()}
	if d := quality.Default().Gate("").Judge(u, at); d.Outcome != quality.Issue {
		t.Errorf("%s, %q", d.Outcome, codes(d))
	}
	u.Person.Consents = []registry.Consent{{Purpose: "registration"}} // her own no stands above it
	if d := quality.Default().Gate("").Judge(u, at); d.Outcome != quality.Refuse || d.Reasons[0].Code != quality.ReasonNo {
		t.Errorf("%s, %q", d.Outcome, codes(d))
	}
}

func TestARelationIsAskedOnlyInAHousehold(t *testing.T) {
	u := person(func(p *registry.Person) { p.Relation = "" })
	if f := quality.Completeness(u, quality.Default().Required(""), at); f.Applicable != 7 || f.Filled != 6 || !slices.Equal(f.Missing, []string{"relation"}) {
		t.Errorf("in a household: %+v", f)
	}
	u.Household = nil
	if f := quality.Completeness(u, quality.Default().Required(""), at); f.Applicable != 6 || f.Filled != 6 || f.Share != 1 {
		t.Errorf("alone: %+v", f)
	}
}

func TestAHouseholdAtTheGate(t *testing.T) {
	child := changed(func(p *registry.Person) { p.Relation = "son_daughter" })
	nameless := changed(func(p *registry.Person) { p.Names = nil })
	closed := func(p registry.Person) registry.Person {
		p.Status = &registry.Status{State: "closed", Reason: "deceased"}
		return p
	}
	flagged := changed(func(p *registry.Person) { p.Issues = []registry.Issue{{Code: "x", Blocking: true, Text: "mend it"}} })
	h := registry.Household{Size: 2, Location: &registry.Location{PCode: "KE0301"}, Origin: "SOM", Registered: "2026-11-01", Consents: given()}
	counted := h
	counted.CollectType = "size_only"
	outside := counted
	outside.Collectors = []registry.Collector{{External: "Hodan", Role: "primary"}}
	unplaced := outside
	unplaced.Location = nil
	sizeless := outside
	sizeless.Size = 0
	for name, c := range map[string]struct {
		unit  quality.Unit
		want  quality.Outcome
		codes []string
	}{
		"head and child":                     {family(h, whole(), child), quality.Issue, nil},
		"a child without a name":             {family(h, whole(), nameless), quality.Issue, []string{"field_missing"}},
		"the head has no name":               {family(h, nameless, child), quality.Refuse, []string{"name_missing"}},
		"the head died":                      {family(h, closed(whole()), child), quality.Provisional, []string{"head_gone"}},
		"a member's issue":                   {family(h, whole(), flagged), quality.Provisional, []string{"member_issue_open"}},
		"the head's issue":                   {family(h, flagged, child), quality.Refuse, []string{"issue_open"}},
		"only counted, head on record":       {family(counted, registry.Person{Names: whole().Names}), quality.Issue, nil},
		"only counted, head from outside":    {family(outside), quality.Issue, nil},
		"only counted, nobody named":         {family(counted), quality.Refuse, []string{"head_missing"}},
		"only counted, place unknown":        {family(unplaced), quality.Provisional, []string{"field_missing"}},
		"only counted, and not even that":    {family(sizeless), quality.Refuse, []string{"size_missing"}},
		"all members gone":                   {family(outside, closed(whole())), quality.Issue, nil},
		"members on record, none asked more": {family(registry.Household{Consents: given()}, whole()), quality.Issue, nil},
	} {
		d := quality.Default().Gate("").Judge(c.unit, at)
		if d.Outcome != c.want || !slices.Equal(codes(d), c.codes) {
			t.Errorf("%s: %s %q (%+v), want %s %q", name, d.Outcome, codes(d), d.Factor, c.want, c.codes)
		}
	}
	// The mean over the members, not over all fields: 1 and 6/7.
	f := quality.Completeness(family(h, whole(), nameless), quality.Default().Required(""), at)
	if want := (1 + 6.0/7) / 2; f.Share != want || f.Filled != 13 || f.Applicable != 14 {
		t.Errorf("%+v, want a share of %v", f, want)
	}
}

func TestAProgrammeRequiresMore(t *testing.T) {
	p, err := quality.ReadPolicy([]byte(`{"aidpass_required":1,"person":["name","sex","birth","origin","relation","location","registration"],
		"household":["size","head","location","registration"],"threshold":0.9,"provisional_days":14,
		"programmes":{"K7Q2":{"person":["contact","ext.shelter"],"household":["collector"],"threshold":1}}}`))
	if err != nil {
		t.Fatal(err)
	}
	u := person(func(*registry.Person) {})
	if d := p.Gate("other").Judge(u, at); d.Outcome != quality.Issue {
		t.Errorf("elsewhere: %s", d.Outcome)
	}
	d := p.Gate("K7Q2").Judge(u, at)
	if d.Outcome != quality.Provisional || !slices.Equal(d.Factor.Missing, []string{"contact", "ext.shelter"}) || !d.Until.Equal(at.AddDate(0, 0, 14)) {
		t.Errorf("%s, %+v, until %v", d.Outcome, d.Factor, d.Until)
	}
	u.Person.Contacts = []registry.Contact{{Kind: "phone", Value: "+254700000123"}}
	u.Person.Ext = map[string]string{"shelter": "12"}
	if d := p.Gate("K7Q2").Judge(u, at); d.Outcome != quality.Issue {
		t.Errorf("filled: %s %q", d.Outcome, codes(d))
	}
	h := family(registry.Household{Consents: given(), Size: 1}, changed(func(p *registry.Person) {
		p.Contacts = u.Person.Contacts
		p.Ext = u.Person.Ext
	}))
	if d := p.Gate("K7Q2").Judge(h, at); !slices.Equal(d.Factor.Missing, []string{"collector"}) {
		t.Errorf("household: %+v", d.Factor)
	}
	h.Household.Collectors = []registry.Collector{{Person: h.Household.Head, Role: "primary", To: "2026-12-01"}}
	if d := p.Gate("K7Q2").Judge(h, at); d.Outcome != quality.Issue {
		t.Errorf("household with a collector: %+v", d.Factor)
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	good := `{"aidpass_required":1,"person":["name"],"household":["size"],"threshold":0.9,"provisional_days":30}`
	if _, err := quality.ReadPolicy([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][3]string{
		"a field misspelt":        {`["name"]`, `["nmae"]`, `"nmae"`},
		"a photo required":        {`["name"]`, `["name","photo"]`, "never required"},
		"twice":                   {`["name"]`, `["name","name"]`, "twice"},
		"a person's field":        {`["size"]`, `["sex"]`, `"sex"`},
		"an empty column":         {`["name"]`, `["ext."]`, `"ext."`},
		"nothing required":        {`["name"]`, `[]`, "at least one"},
		"an unknown member":       {`"threshold"`, `"treshold"`, "treshold"},
		"no threshold":            {`"threshold":0.9,`, ``, "threshold"},
		"per cent":                {`0.9`, `90`, "threshold"},
		"too many days":           {`30}`, `365}`, "provisional_days"},
		"another version":         {`required":1`, `required":2`, "reads 1"},
		"something behind":        {`30}`, `30} {}`, "follows"},
		"not JSON":                {`{`, `[`, "policy"},
		"a double rule":           {`30}`, `30,"open_double":"maybe"}`, "open_double"},
		"a long code":             {`30}`, `30,"programmes":{"ABCDEFGHI":{}}}`, "1 to 8"},
		"a field of a programme":  {`30}`, `30,"programmes":{"A":{"person":["x"]}}}`, `programme "A"`},
		"a programme's household": {`30}`, `30,"programmes":{"A":{"household":["x"]}}}`, `programme "A"`},
		"a programme's threshold": {`30}`, `30,"programmes":{"A":{"threshold":2}}}`, `programme "A"`},
	} {
		_, err := quality.ReadPolicy([]byte(strings.Replace(good, c[0], c[1], 1)))
		if err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v, want %q", name, err, c[2])
		}
	}
	if _, err := quality.ReadPolicy(make([]byte, quality.MaxPolicyBytes+1)); err == nil {
		t.Error("a huge policy")
	}
}

func TestASecondPersonLetsAUnitPass(t *testing.T) {
	gate := quality.Default().Gate("")
	refused := gate.Judge(person(func(p *registry.Person) { p.Birth = nil }), at)
	two := access.Actor{ID: "amina", Role: access.Issuer, SecondPerson: "joseph"}
	d, err := refused.Override(two, " seen by the committee ")
	if err != nil || d.Outcome != quality.Issue || len(d.Reasons) == 0 ||
		*d.Overridden != (quality.Override{By: "amina", Second: "joseph", Reason: "seen by the committee", Was: quality.Refuse}) {
		t.Errorf("%+v, %v", d, err)
	}
	for name, c := range map[string]struct {
		by     access.Actor
		reason string
	}{
		"alone":              {access.Actor{ID: "amina", Role: access.Issuer}, "because"},
		"with herself":       {access.Actor{ID: "amina", Role: access.Issuer, SecondPerson: " AMINA "}, "because"},
		"for no reason":      {two, " \n"},
		"for a long reason":  {two, strings.Repeat("because ", 60)},
		"for no text at all": {two, "\xff"},
	} {
		if d, err := refused.Override(c.by, c.reason); err == nil || d.Outcome == quality.Issue {
			t.Errorf("%s: %s, %v", name, d.Outcome, err)
		}
	}
	dead := gate.Judge(person(func(p *registry.Person) { p.Status = &registry.Status{State: "closed", Reason: "deceased"} }), at)
	if _, err := dead.Override(two, "because"); !errors.Is(err, quality.ErrClosed) || !dead.Final() || refused.Final() {
		t.Errorf("a card for the dead: %v", err)
	}
	fine := gate.Judge(person(func(*registry.Person) {}), at)
	if d, err := fine.Override(access.Actor{}, ""); err != nil || d.Overridden != nil {
		t.Errorf("nothing to override: %+v, %v", d, err)
	}
}

func TestATallyCountsUnitsNotMembers(t *testing.T) {
	gate := quality.Default().Gate("")
	bare := changed(func(p *registry.Person) { p.Origin, p.Sex = "", "" })
	var tally quality.Tally
	tally.Add(gate.Judge(family(registry.Household{Consents: given()}, bare, bare, bare), at))
	tally.Add(gate.Judge(person(func(*registry.Person) {}), at))
	tally.Add(gate.Judge(person(func(p *registry.Person) { p.Names = nil }), at))
	if tally.Units != 3 || tally.Issued != 1 || tally.Provisional != 1 || tally.Refused != 1 {
		t.Errorf("%+v", tally)
	}
	if want := (5.0/7 + 1 + 6.0/7) / 3; tally.Share < want-1e-9 || tally.Share > want+1e-9 {
		t.Errorf("share %v, want %v", tally.Share, want)
	}
	rows := tally.Rows()
	if len(rows) != 3 || rows[0] != (quality.Row{Weight: quality.Refuse, Code: "name_missing", Field: "name", Units: 1}) {
		t.Errorf("%+v", rows)
	}
	for _, r := range rows {
		if r.Units != 1 {
			t.Errorf("%+v: a unit counted twice", r)
		}
	}
}

// FuzzReadPolicy: what is read never breaks the gate.
func FuzzReadPolicy(f *testing.F) {
	f.Add([]byte(`{"aidpass_required":1,"person":["name","ext.a"],"household":["size","members"],"threshold":0.9,"provisional_days":30,"programmes":{"A":{"household":["bands"]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := quality.ReadPolicy(b)
		if err != nil {
			return
		}
		for code := range p.Programmes {
			for _, u := range []quality.Unit{person(func(*registry.Person) {}), family(registry.Household{}), family(registry.Household{}, whole())} {
				if d := p.Gate(code).Judge(u, at); d.Factor.Share < 0 || d.Factor.Share > 1 {
					t.Errorf("%+v", d.Factor)
				}
			}
		}
	})
}

func TestAPolicyMayAskForThePCode(t *testing.T) {
	p, err := quality.ReadPolicy([]byte(`{"aidpass_required": 1, "person": ["name", "pcode"], "household": ["size", "pcode"], "threshold": 0.9, "provisional_days": 30}`))
	if err != nil {
		t.Fatal(err)
	}
	for place, want := range map[registry.Location]quality.Outcome{{PCode: "KE0301"}: quality.Issue, {Site: "Block 4"}: quality.Provisional} {
		d := p.Gate("").Judge(person(func(p *registry.Person) { p.Location = &place }), at)
		if d.Outcome != want {
			t.Errorf("%+v: %s %q, want %s", place, d.Outcome, codes(d), want)
		}
	}
}
