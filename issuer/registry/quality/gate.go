package quality

import (
	"fmt"
	"slices"
	"time"

	"aidpass/issuer/registry"
)

// Outcome is what a Gate lets happen.
type Outcome string

// The outcomes, from good to bad.
const (
	Issue       Outcome = "issue"
	Provisional Outcome = "provisional" // a card of a few days, so that nobody goes without while something is mended
	Refuse      Outcome = "refuse"
)

// worse returns the worse of two outcomes.
func worse(a, b Outcome) Outcome {
	rank := map[Outcome]int{Issue: 0, Provisional: 1, Refuse: 2}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// A Gate judges records for one programme.
type Gate struct {
	Required    Required
	Threshold   float64       // share of required fields under which a card is provisional
	Provisional time.Duration // how long that card holds
	// Told and Look are of a unit with an open possible double that was told to be one person,
	// and with one that somebody must look at. Issue makes it a note.
	Told, Look Outcome
	Months     int     // after which a unit that nobody met is not verified any more
	Unverified Outcome // of such a unit
}

// Gate returns the gate of a programme; "" for what holds everywhere.
func (p Policy) Gate(programme string) Gate {
	g := Gate{
		Required: p.Required(programme), Threshold: p.Threshold,
		Provisional: time.Duration(p.ProvisionalDays) * 24 * time.Hour,
		Told:        outcomes[p.told()], Look: outcomes[p.look()], Months: p.months(), Unverified: outcomes[p.unverified()],
	}
	if own := p.Programmes[programme]; own.Threshold != 0 {
		g.Threshold = own.Threshold
	}
	return g
}

// A Decision is what a Gate says of one unit.
type Decision struct {
	Unit    registry.ID `json:"-"`
	Outcome Outcome     `json:"outcome"`
	Factor  Factor      `json:"factor"`
	// Reasons for everything but a plain Issue, and notes, the heaviest first.
	Reasons []Reason `json:"reasons,omitempty"`
	// Until is when a provisional card ends; zero for others.
	Until      time.Time `json:"until,omitzero"`
	Overridden *Override `json:"overridden,omitempty"`
}

// A Reason is one thing to mend. It holds no value of a record.
type Reason struct {
	Code   string      `json:"code"`            // stable: the Reason constants, or an issue's own
	Field  string      `json:"field,omitempty"` // of the policy or the record
	Record registry.ID `json:"-"`               // where: the unit or one of its members
	Weight Outcome     `json:"weight"`          // what it alone would lead to; Issue: a note
	Text   string      `json:"text"`
	Fix    string      `json:"fix"`
	Issue  string      `json:"-"` // code of the issue that is open, where it is one
	Other  registry.ID `json:"-"` // of ReasonDouble: the record that may be the same person as Record
	// Months since somebody met them, of ReasonOld; 0: it is not on record when. Not
	// where, nor the day.
	Months int `json:"months,omitempty"`
}

func (r Reason) String() string { return r.Text + ": " + r.Fix }

// The codes of reasons.
const (
	ReasonName     = "name_missing"
	ReasonBirth    = "birth_missing"
	ReasonSize     = "size_missing"
	ReasonHead     = "head_missing"
	ReasonHeadGone = "head_gone"
	ReasonNotice   = "notice_missing"
	ReasonNo       = "notice_refused"
	ReasonClosed   = "closed"
	ReasonInactive = "inactive"
	ReasonIssue    = "issue_open"
	ReasonMember   = "member_issue_open"
	ReasonField    = "field_missing"
	ReasonTold     = "double_told" // an open possible double that was told to be one person
	ReasonDouble   = "double_open" // one that somebody must look at
	ReasonOld      = "unverified"
	ReasonChildren = "children_alone"
)

// Judge says whether a unit may get a card at a time.
//
//  1. A record that is closed or inactive gets none.
//  2. Who it is must be known: a name, and the birth or that it is unknown; of a
//     household those of its head, or another member's; of one that is only
//     counted the size and its head's name.
//  3. The registration notice was given and not taken back.
//  4. No blocking issue is open; one of a member who is not the head makes a
//     household's card provisional.
//  5. Completeness below the threshold makes the card provisional.
//  6. An open possible double, and a unit that nobody met for long, do what the policy
//     says: by default they never stop a card.
//
// A photo is never asked for.
func (g Gate) Judge(u Unit, at time.Time) Decision {
	j := judgement{unit: u, at: at, d: Decision{Unit: u.ID, Outcome: Issue, Factor: Completeness(u, g.Required, at)}}
	j.status()
	j.identity()
	j.consent()
	j.issues()
	j.children()
	j.doubles(g)
	j.verified(g)
	gaps := Issue // what is missing is told even where enough is known
	if j.d.Factor.Share < g.Threshold {
		gaps = Provisional
	}
	for _, gap := range j.d.Factor.Gaps {
		said := func(r Reason) bool { return r.Record == gap.Record && r.Field == gap.Field }
		if slices.ContainsFunc(j.d.Reasons, said) { // by what weighs more
			continue
		}
		j.add(gaps, ReasonField, gap.Field, gap.Record, fmt.Sprintf("%s is missing", gap.Field), fixes[gap.Field])
	}
	j.sort()
	if j.d.Outcome == Provisional {
		j.d.Until = at.Add(g.Provisional)
	}
	return j.d
}

// judgement is a Judge at work.
type judgement struct {
	unit Unit
	at   time.Time
	d    Decision
}

func (j *judgement) add(weight Outcome, code, field string, record registry.ID, text, fix string) {
	if fix == "" { // a column of the list's own
		fix = "fill it in"
	}
	j.d.Outcome = worse(j.d.Outcome, weight)
	j.d.Reasons = append(j.d.Reasons, Reason{Code: code, Field: field, Record: record, Weight: weight, Text: text, Fix: fix})
}

// sort puts the heaviest reasons first and leaves their order otherwise.
func (j *judgement) sort() {
	var sorted []Reason
	for _, weight := range []Outcome{Refuse, Provisional, Issue} {
		for _, r := range j.d.Reasons {
			if r.Weight == weight {
				sorted = append(sorted, r)
			}
		}
	}
	j.d.Reasons = sorted
}

func (j *judgement) status() {
	status := j.unit.status()
	switch state(status) {
	case active:
	case "closed":
		why := "no reason is on record"
		if slices.Contains(closings, status.Reason) { // anything else may tell more than a reason should
			why = status.Reason
		}
		j.add(Refuse, ReasonClosed, "status", j.unit.ID, "the record is closed ("+why+")", "look for the record it was moved to, or open it again if that was a mistake")
	default:
		j.add(Refuse, ReasonInactive, "status", j.unit.ID, "the record is not active", "make it active once somebody has seen or spoken to them")
	}
}

// closings are the reasons for which a record is closed: see registry.Status.
var closings = []string{"deceased", "departed", "duplicate", "withdrawn", "split", "merged", "emptied"}

// status returns the status of the unit itself.
func (u Unit) status() *registry.Status {
	if u.Person != nil {
		return u.Person.Status
	}
	return u.Household.Status
}

func (j *judgement) identity() {
	u := j.unit
	if u.Person != nil {
		j.who(u.ID, *u.Person)
		return
	}
	s := subject{household: u.Household, unit: &u, at: j.at}
	if u.counted() {
		if u.Household.Size <= 0 {
			j.add(Refuse, ReasonSize, "size", u.ID, "how many live in the household is not known", fixes["size"])
		}
		if !s.hasHead() {
			j.add(Refuse, ReasonHead, "head", u.ID, "nobody is named for the household", fixes["head"])
		}
		return
	}
	face, _ := u.face()
	j.who(face.ID, face.Person)
	if head := u.Household.Head; head != "" && face.ID.String() != head {
		j.add(Provisional, ReasonHeadGone, "head", u.ID, "the head is not with the household any more", "ask the household who is head now; the other adults are asked alone who holds the card")
	}
}

// who asks for a name and for a birth, which may be unknown if that is said.
func (j *judgement) who(id registry.ID, p registry.Person) {
	if !hasName(p) {
		j.add(Refuse, ReasonName, "name", id, "no name is known", fixes["name"])
	}
	if !saidBirth(p.Birth) {
		j.add(Refuse, ReasonBirth, "birth", id, "nothing is said of the birth", fixes["birth"])
	}
}

func (j *judgement) consent() {
	s := subject{person: j.unit.Person, household: j.unit.Household, at: j.at}
	if j.unit.Person == nil {
		s.unit = &j.unit
	}
	switch s.notice() {
	case noticeMissing:
		j.add(Refuse, ReasonNotice, "consent", j.unit.ID, "it is not on record that the registration notice was given", "read the notice to them and record purpose \"registration\" with the day")
	case noticeRefused:
		j.add(Refuse, ReasonNo, "consent", j.unit.ID, "they said no to being registered, or took it back", "respect it; help is given without a card, and the answer may change at any desk")
	}
}

func (j *judgement) issues() {
	u := j.unit
	if u.Person != nil {
		j.open(Refuse, ReasonIssue, u.ID, u.Person.Issues)
		return
	}
	j.open(Refuse, ReasonIssue, u.ID, u.Household.Issues)
	face, _ := u.face()
	for _, m := range u.active() {
		if m.ID == face.ID {
			j.open(Refuse, ReasonIssue, m.ID, m.Person.Issues)
		} else {
			j.open(Provisional, ReasonMember, m.ID, m.Person.Issues)
		}
	}
}

// open adds the blocking issues of a record.
func (j *judgement) open(weight Outcome, code string, record registry.ID, issues []registry.Issue) {
	for _, i := range issues {
		if i.Blocking {
			j.add(weight, code, i.Field, record, "an issue is open ("+i.Code+")", i.Text)
			j.d.Reasons[len(j.d.Reasons)-1].Issue = i.Code
		}
	}
}

// doubles adds a reason for each pair, the told ones first.
func (j *judgement) doubles(g Gate) {
	for _, told := range []bool{true, false} {
		for _, p := range j.unit.Doubles {
			switch {
			case p.Told != told:
				continue
			case told:
				j.add(g.Told, ReasonTold, "", p.Of, "is told to be on record twice", "look at the two records side by side, and decide")
			default:
				j.add(g.Look, ReasonDouble, "", p.Of, "may be on record twice", "decide the open possible double")
			}
			j.d.Reasons[len(j.d.Reasons)-1].Other = p.With
		}
	}
}

// verified adds a reason where nobody met or spoke to the unit for longer than the gate
// wants, or where it is not on record when anybody did.
func (j *judgement) verified(g Gate) {
	met := j.unit.LastMet()
	if met.AddDate(0, g.Months, 0).After(j.at) {
		return
	}
	text, months := "it is not on record when somebody last met them", 0
	if !met.IsZero() {
		months = monthsBetween(met, j.at)
		text = fmt.Sprintf("nobody met or spoke to them for %d months", months)
	}
	j.add(g.Unverified, ReasonOld, "", j.unit.ID, text, "speak to them, at a desk, by phone or through somebody they trust, and record the contact")
	j.d.Reasons[len(j.d.Reasons)-1].Months = months
}

// monthsBetween are the whole months from a to a later b.
func monthsBetween(a, b time.Time) int {
	n := 12*(b.Year()-a.Year()) + int(b.Month()-a.Month())
	if a.AddDate(0, n, 0).After(b) {
		n--
	}
	return n
}

// children notes a household of children whom nobody fetches for: a note, as children
// are not kept from a card.
func (j *judgement) children() {
	u := j.unit
	members := u.active()
	if u.Person != nil || len(members) == 0 || slices.ContainsFunc(u.Household.Collectors, func(c registry.Collector) bool { return c.Serves(j.at) }) {
		return
	}
	for _, m := range members {
		if m.Person.Birth == nil {
			return
		}
		if adult, decided := m.Person.Birth.Adult(j.at); adult || !decided {
			return
		}
	}
	j.add(Issue, ReasonChildren, "collector", u.ID, "children alone, and nobody may fetch for them", "name an adult who collects, with a second person, and tell a protection colleague")
}

// fixes say how to fill a field.
var fixes = map[string]string{
	"name":         "write the name as they say it, in their script; a single name is whole",
	"sex":          "ask, and write f, m, x (other) or u (not said)",
	"birth":        "write what is known, a year or a decade is enough, or that it is unknown",
	"origin":       "write the country of origin or nationality, its name or its code, as SOM; it never stands on a card",
	"relation":     "say who they are to the head of the household",
	"location":     "write where they stay now: the site, an address, or the p-code of the place",
	"pcode":        "write the p-code of the place where they stay now",
	"registration": "write the day of registration, and that the registration notice was given",
	"document":     "write type and number of a document, if there is one",
	"contact":      "write a phone, or somebody who can be told",
	"language":     "write the language they speak, its name or its code, as som",
	"assurance":    "say how they were identified: declared, witnessed or by a document",
	"size":         "count who lives there",
	"head":         "write the name of the head, or of who answers for the household",
	"collector":    "ask who fetches what the household is due",
	"residence":    "say how they live there: displaced, refugee, host, returnee",
	"bands":        "count them by age and sex",
	"members":      "write down every member, or correct the size",
}
