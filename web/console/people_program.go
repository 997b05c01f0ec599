package console

import (
	"time"

	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// What programs are answered about people. Values are those of the record, in its codes.

type lineAnswer struct {
	ID        string
	Kind      string // person, household
	Name      string
	Number    string
	List      string
	Relation  string // of a member
	Born      string // EDTF
	Household string
	Size      int
	Closed    string // why; empty: in use
	Cards     []string
	Undecided bool
}

type foundAnswer struct {
	Total int // there may be more than are told
	Found []lineAnswer
}

type cardAnswer struct {
	Number, Type, Programme, State string
	Until                          time.Time
}

type dueAnswer struct {
	registry.Entitlement
	OfHousehold bool
}

type doubleAnswer struct {
	lineAnswer
	Why string // document, name-year
}

type pairAnswer struct {
	A, B lineAnswer // A is the newer
	pairView
}

type pairsAnswer struct {
	Total  int            // of those asked for; the first are told
	Counts map[string]int // of all, by state
	Pairs  []pairAnswer
	Paging *Paging
}

// A pairView is why two records may be one person, and what became of that.
type pairView struct {
	State     string   // needs_adjudication, duplicate, postponed, decided
	Whys      []string // document, name-year, match
	Found     time.Time
	Bits      float64   // what speaks for one person; 0: nothing was weighed
	Guard     string    // twins
	Until     time.Time // put off
	Reason    string    // for which
	Decided   string    // same, different, withdrawn
	By        string
	DecidedAt time.Time
}

func viewOfPair(p *registry.Pair, state string) pairView {
	return pairView{State: state, Whys: p.Whys, Found: p.FoundAt, Bits: float64(p.Bits), Guard: p.Guard, Until: p.Until, Reason: p.Reason, Decided: p.Decided, By: p.By, DecidedAt: p.DecidedAt}
}

// An evidenceAnswer is how one field agrees, in the codes of package match.
type evidenceAnswer struct {
	Field, Level string
	Bits         float64 // over 0: for one person
}

type saidAnswer struct {
	Text, By, Device string
	At               time.Time
	Rival            string // names it to POST .../decide; empty of what stands
}

type undecidedAnswer struct {
	Field  string
	Stands saidAnswer
	Rivals []saidAnswer
}

type recordAnswer struct {
	ID        string
	Kind      string
	Number    string
	List      string
	Person    *registry.Person
	Household *registry.Household // of a household
	Home      *lineAnswer         // of a person
	Members   []lineAnswer
	Cards     []cardAnswer
	Due       []dueAnswer
	Doubles   []doubleAnswer
	Undecided []undecidedAnswer
	Editing   []string          // accounts that have a form of it open
	Stamp     string            // another one: it has changed
	Waits     []askedRow        // changes that a second account is asked to agree to
	MetHow    string            // in what way somebody was met last; empty: not known
	MetOn     time.Time         // when
	Told      map[string]string // of a party of an agreement all that it is told, by field
}

type besideAnswer struct {
	A, B recordAnswer // A is the newer
	pairView
	Evidence []evidenceAnswer
	Seen     string // comes back with the decision: it is refused where something has changed since
	Stops    int    // cards that end where they are one
	Two      bool   // and a second account is asked
}

type changeAnswer struct {
	At         time.Time
	By, Device string
	Field      string
	From, To   string

	FromDestroyed, ToDestroyed bool // a photograph stood there that nobody can read any more
}

type historyAnswer struct{ Changes []changeAnswer }

type formAnswer struct {
	Seen   string // comes back with what is typed
	Values map[string]string
	Stamp  string
}

type lookedAnswer struct {
	Title string
	Lead  []string
	Lines [][2]string
	Foot  []string
}

// Programs implements forProgram.
func (d *peopleData) Programs() any {
	switch {
	case d.Looked != nil:
		return lookedAnswer{d.Looked.Title, d.Looked.Lead, d.Looked.Lines, d.Looked.Foot}
	case d.Fields != nil:
		f := formAnswer{Seen: d.Seen, Values: map[string]string{}, Stamp: d.Stamp}
		for _, e := range append(d.Fields, d.Documents...) {
			f.Values[e.Name] = e.Value
		}
		return f
	case d.Sheet != nil:
		return recordOf(d, d.Sheet)
	case !d.Record.IsZero():
		return d.changes()
	}
	a := foundAnswer{Total: d.Total}
	for i := range d.Lines {
		a.Found = append(a.Found, lineOf(&d.Lines[i]))
	}
	return a
}

func (d *peopleData) changes() (a historyAnswer) {
	for _, p := range d.Past {
		a.Changes = append(a.Changes, changeAnswer{p.At, p.By, p.Device, p.Field, d.past(p.Field, p.From, p.FromGone), d.past(p.Field, p.To, p.Destroyed), p.FromGone, p.Destroyed})
	}
	for _, c := range d.Compared {
		a.Changes = append(a.Changes, changeAnswer{At: c.At, By: c.By, Field: c.Field, From: d.past(c.Field, c.From, c.FromGone), To: d.past(c.Field, c.To, c.ToGone), FromDestroyed: c.FromGone, ToDestroyed: c.ToGone})
	}
	return a
}

func lineOf(l *records.Line) lineAnswer {
	a := lineAnswer{ID: l.ID.String(), Kind: string(l.Kind), Name: l.Name.Text, Number: l.Number, List: l.List, Relation: l.Relation, Size: l.Size, Closed: l.Closed, Cards: l.Cards, Undecided: l.Undecided}
	if l.Born != nil {
		a.Born = l.Born.EDTF
	}
	if !l.Household.IsZero() {
		a.Household = l.Household.String()
	}
	return a
}

func recordOf(d *peopleData, s *records.Sheet) recordAnswer {
	a := recordAnswer{ID: s.Record.ID.String(), Kind: string(s.Record.Kind), Number: s.Record.External, List: s.Record.Source, Editing: d.Editing, Stamp: d.Stamp, Waits: d.Waits}
	if d.Met != nil {
		a.MetHow, a.MetOn = d.Met.How, d.Met.At
	}
	if s.Record.Kind == registry.KindHousehold {
		a.Household = &s.Household
	} else {
		a.Person = &s.Person
	}
	if s.Home != nil {
		home := lineOf(s.Home)
		a.Home = &home
	}
	for i := range s.Members {
		a.Members = append(a.Members, lineOf(&s.Members[i]))
	}
	for i := range s.Cards {
		c := &s.Cards[i]
		a.Cards = append(a.Cards, cardAnswer{c.CardNumber, c.Type, c.Programme, cardState(c), c.ExpiresAt.Std()})
	}
	for _, e := range s.Due {
		a.Due = append(a.Due, dueAnswer{e.Entitlement, e.House})
	}
	for i := range s.Doubles {
		a.Doubles = append(a.Doubles, doubleAnswer{lineOf(&s.Doubles[i].Line), s.Doubles[i].Why})
	}
	for _, u := range s.Undecided {
		said := undecidedAnswer{Field: u.Field, Stands: saidAnswer{Text: u.Text, By: u.By.By, Device: u.By.Device, At: u.By.At}}
		for _, r := range u.Rivals {
			said.Rivals = append(said.Rivals, saidAnswer{r.Text, r.By, r.Device, r.At, r.Handle()})
		}
		a.Undecided = append(a.Undecided, said)
	}
	return a
}
