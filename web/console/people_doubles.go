package console

import (
	"context"
	"html/template"
	"net/http"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// A Search over the register for records that may be one person, and what the newest found.
type Search struct {
	Start func(ctx context.Context, by access.Actor) (job string, err error) // in the background
	Last  func(ctx context.Context) (Searched, error)
}

// WordSearching is what that work is called.
const WordSearching = "doubles.job"

// Searched is what a search came to; At is zero where there was none.
type Searched struct {
	At     time.Time
	People int // compared
	Pairs  int // new, or open again
	Left   int // found and not shown: more than people can look at
}

// reviewing are the routes by which people decide who is in the register twice.
func (s *People) reviewing() []Route {
	other := Text("other", 64)
	routes := []Route{
		{Method: http.MethodGet, Path: "/doubles", Act: access.PersonFind, Paged: true, Query: []Field{Text("show", 16)}, Answer: pairsAnswer{}, Handler: s.doubles},
		{Method: http.MethodGet, Path: "/doubles/next", Act: access.PersonHistory, Answer: Acted, Handler: s.nextDouble},
		{Method: http.MethodGet, Path: "/people/:person/double", Act: access.PersonHistory, Query: []Field{other}, Answer: Either(besideAnswer{}, Acted), Handler: s.beside},
		{Method: http.MethodPost, Path: "/people/:person/double", Act: access.PersonMerge,
			Form: ConfirmFields(other, Text("decision", 16), Text("until", 10), Text("because", 32), Text("seen", 64)), Handler: s.decideDouble},
	}
	if s.Search != nil {
		routes = append(routes, Route{Method: http.MethodPost, Path: "/doubles/search", Act: access.DuplicatesRun, Handler: s.search})
	}
	return routes
}

// shownStates are the states of pairs that each choice of the list shows.
var shownStates = map[string][]string{
	"open": {registry.StateReview, registry.StateTold}, "told": {registry.StateTold}, "look": {registry.StateReview},
	"postponed": {registry.StatePostponed}, "decided": {registry.StateDecided},
}

// queueData is the list of pairs.
type queueData struct {
	*peopleData
	Queue    records.Queue
	Rows     []records.QueueRow // of this page
	Paging   *Paging
	Show     string
	First    string // path of the first that waits; empty: none
	Asked    askedPairs
	Last     *lastDecision
	Searches bool
	Searched Searched
}

// Shows are what the list can show.
func (d *queueData) Shows() []choice {
	return []choice{{"open", "doubles.show_open"}, {"told", "doubles.show_told"}, {"look", "doubles.show_look"}, {"postponed", "doubles.show_postponed"}, {"decided", "doubles.show_decided"}}
}

// Path is where a pair is decided.
func (d *queueData) Path(r records.QueueRow) string { return pairPath(&r.Pair) }

// Today is how many the account has decided today, of these and those that wait.
func (d *queueData) Today() int { return len(d.Queue.Mine) }
func (d *queueData) All() int {
	return len(d.Queue.Mine) + d.Queue.Counts[registry.StateReview] + d.Queue.Counts[registry.StateTold]
}

// State says how far a pair is.
func (d *queueData) State(r records.QueueRow) template.HTML {
	if d.Asked[keyOf(&r.Pair)] != nil {
		return d.p.T("doubles.state_asked")
	}
	return d.state(&r.Pair, r.State)
}

// state says of a pair what was decided, until when it is put off, or how sure it is.
func (d *peopleData) state(p *registry.Pair, state string) template.HTML {
	switch {
	case p.Decided == registry.Withdrawn:
		return d.p.T("doubles.state_withdrawn")
	case p.Decided != "":
		return d.p.T("doubles.state_decided", "decision", d.p.T("doubles.was_"+p.Decided), "by", p.By, "at", p.DecidedAt)
	case state == registry.StatePostponed:
		return d.p.T("doubles.state_postponed", "until", d.p.Date(p.Until), "why", d.p.T("doubles.later_"+p.Reason))
	}
	return d.p.T("doubles.state_" + state)
}

// Whys says what found a pair.
func (d *peopleData) Whys(p registry.Pair) template.HTML {
	var parts []template.HTML
	for _, why := range p.Whys {
		parts = append(parts, d.p.T("doubles.why_"+why))
	}
	return joined(parts, ", ")
}

// Most says of a pair what speaks most for one person, and what most against it; of one that
// no run has compared what found it.
func (d *queueData) Most(p registry.Pair) template.HTML {
	var parts []template.HTML
	for _, against := range []bool{false, true} {
		for _, e := range p.Evidence { // most telling first
			if strength(e.Bits) != 0 && e.Bits < 0 == against {
				parts = append(parts, d.p.reason(e))
				break
			}
		}
	}
	if len(parts) == 0 {
		return d.Whys(p)
	}
	return joined(parts, "; ")
}

func joined(parts []template.HTML, by template.HTML) (all template.HTML) {
	for i, part := range parts {
		if i > 0 {
			all += by
		}
		all += part
	}
	return all
}

// Programs implements forProgram.
func (d *queueData) Programs() any {
	a := pairsAnswer{Total: len(d.Queue.Of), Counts: d.Queue.Counts, Paging: d.Paging}
	for i := range d.Rows {
		r := &d.Rows[i]
		a.Pairs = append(a.Pairs, pairAnswer{A: lineOf(&r.Newer), B: lineOf(&r.Older), pairView: viewOfPair(&r.Pair, r.State)})
	}
	return a
}

func (s *People) doubles(p *Page) error {
	show := p.Query.Get("show")
	if show == "" {
		show = "open"
	}
	states, ok := shownStates[show]
	if !ok {
		return ErrNotFound
	}
	d := &queueData{peopleData: s.view(p, peopleData{}), Show: show, Searches: s.Search != nil}
	var err error
	if d.Queue, err = s.Desk.Queue(p.Context(), p.Actor(), states...); err != nil {
		return err
	}
	if d.Asked, err = s.askedPairs(p); err != nil {
		return err
	}
	d.First, _ = s.around(d.Queue.Open, nil, d.Asked)
	d.Paging = p.Paging(len(d.Queue.Of))
	from := d.Paging.Offset()
	if d.Rows, err = s.Desk.Who(p.Context(), p.Actor(), d.Queue.Of[from:min(from+d.Paging.Size, len(d.Queue.Of))]); err != nil {
		return err
	}
	if d.Last, err = s.last(p, d.Queue.Mine, d.Asked); err != nil {
		return err
	}
	if d.Searches {
		if d.Searched, err = s.Search.Last(p.Context()); err != nil {
			return err
		}
	}
	return p.Show("people_doubles", "people.doubles_title", d)
}

// nextDouble goes to the first pair that waits, or to the list where none does.
func (s *People) nextDouble(p *Page) error {
	asked, err := s.askedPairs(p)
	if err != nil {
		return err
	}
	q, err := s.Desk.Queue(p.Context(), p.Actor())
	if err != nil {
		return err
	}
	next, _ := s.around(q.Open, nil, asked)
	if next == "" {
		next = "/doubles"
	}
	return p.Go(next)
}

// search looks through the register in the background.
func (s *People) search(p *Page) error {
	var job string
	err := p.Do(func(ctx context.Context) (err error) {
		job, err = s.Search.Start(ctx, p.Actor())
		return err
	})
	if err != nil {
		return err
	}
	return p.Go("/jobs/" + job)
}

// pairPath is where a pair is decided, below Root.
func pairPath(p *registry.Pair) string {
	return aPerson.path + "/" + p.A.String() + "/double?other=" + p.B.String()
}

// A pairKey names a pair whichever way round.
type pairKey [2]registry.ID

func keyOf(p *registry.Pair) pairKey { return keyOfTwo(p.A, p.B) }

func keyOfTwo(a, b registry.ID) pairKey {
	if a.String() > b.String() {
		a, b = b, a
	}
	return pairKey{a, b}
}

// askedPairs are the pairs whose decision waits for a second account, with the request.
type askedPairs map[pairKey]*access.Approval

func (s *People) askedPairs(p *Page) (askedPairs, error) {
	asked := askedPairs{}
	open, err := p.console.Door.Waits(p.Context(), func(a *access.Approval) bool { return a.Act == access.PersonChange })
	for i := range open {
		if c, err := records.ReadChange(open[i].Payload); err == nil && ofPair(c) {
			asked[keyOfTwo(c.Unit, c.Others[0])] = &open[i]
		}
	}
	return asked, err
}

func ofPair(c records.Change) bool {
	return (c.Kind == records.Same || c.Kind == records.Different || c.Kind == records.Open) && len(c.Others) == 1
}

// around finds among the pairs that wait those after and before one, in their order, which
// begins anew at its end; of nil the first. A path is empty where no other waits.
func (s *People) around(waiting []registry.Pair, at *registry.Pair, asked askedPairs) (next, before string) {
	var first, last *registry.Pair // of all but the one
	var prev, after *registry.Pair // beside it
	here := false
	for i := range waiting {
		one := &waiting[i]
		switch {
		case at != nil && one.Is(at.A, at.B):
			here, prev = true, last
			continue
		case len(asked) > 0 && asked[keyOf(one)] != nil:
			continue
		case first == nil:
			first = one
		}
		if last = one; here && after == nil {
			after = one
		}
	}
	if after == nil {
		after = first
	}
	if after != nil {
		next = pairPath(after)
	}
	if prev != nil {
		before = pairPath(prev)
	}
	return next, before
}

// A lastDecision is the newest that the account took today and can take back.
type lastDecision struct {
	Path     string // below Root
	Other    string
	Who      string
	Decision string
}

// What is the word for the decision.
func (l *lastDecision) What() string { return "doubles.was_" + l.Decision }

// last is the newest decision of the account: one that was done, or one that waits for a
// second account.
func (s *People) last(p *Page, mine []registry.Pair, asked askedPairs) (*lastDecision, error) {
	var at time.Time
	l := &lastDecision{}
	var a, b registry.ID
	if len(mine) > 0 {
		at, a, b, l.Decision = mine[0].DecidedAt, mine[0].A, mine[0].B, mine[0].Decided
		if l.Decision == "" {
			at, l.Decision = mine[0].PutOff.At, "later"
		}
	}
	for _, r := range asked {
		if c, err := records.ReadChange(r.Payload); err == nil && access.SameAccount(r.By, p.In.Account.ID) && c.Kind != records.Open && r.At.After(at) {
			at, a, b, l.Decision = r.At, c.Unit, c.Others[0], c.Kind
		}
	}
	if at.IsZero() {
		return nil, nil
	}
	who, err := s.Desk.Lines(p.Context(), p.Actor(), access.Entry{Action: "person.find", Object: "registry", Detail: "last"}, []registry.ID{a, b})
	if err != nil {
		return nil, err
	}
	l.Path, l.Other, l.Who = aPerson.path+"/"+a.String()+"/double", b.String(), calledBoth(who)
	return l, nil
}

// calledBoth are the names of two records.
func calledBoth(who []records.Line) string {
	var names []string
	for i := range who {
		names = append(names, lineText(&who[i]))
	}
	return strings.Join(names, " – ")
}
