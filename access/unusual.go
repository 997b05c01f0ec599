package access

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Work is what one account did in a time, in counts alone: nothing of whom it was about.
type Work struct {
	Account string `json:"account"`
	Changes int    `json:"changes"`      // of records, imports and cards
	Hour    int    `json:"most_an_hour"` // in the busiest hour of the clock
	After   int    `json:"after_hours"`  // of Changes: outside working hours
	Asked   int    `json:"asked"`        // of what was approved and carried out, what this account asked for
	Second  string `json:"second"`       // who approved most of that
	Same    int    `json:"same_second"`  // of Asked: by Second
	Offers  int    `json:"offers"`       // to wallets
	OfDay   int    `json:"most_offers_a_day"`
	Fast    bool   `json:"fast"`        // more an hour than three times the middle account's
	Late    bool   `json:"late"`        // a fifth and more after hours
	Pair    bool   `json:"pair"`        // four fifths and more by the same second
	Many    bool   `json:"many_offers"` // as many on a day as one makes alone where nobody said
}

// What is told as unusual, from how much on.
const (
	unusualHour    = 30 // changes in an hour
	unusualChanges = 20 // before a share after hours says anything
	unusualAsked   = 5  // before a share of one second says anything
)

// Working hours: from the first to before the second, by the clock of the place.
const (
	dayBegins = 6
	dayEnds   = 20
)

// An Unusual counts work by the log. Zone is the clock of the place, nil is UTC.
//
// THREATS T3: somebody who enters people that are not there enters many, or late, or has
// always the same second.
type Unusual struct {
	Zone *time.Location

	work    map[string]*Work
	hours   map[hourOf]int
	seconds map[[2]string]int
	offers  map[hourOf]int // by day
}

type hourOf struct {
	account string
	hour    int64
}

// changing are the nouns of actions that change records, imports or cards; looking the
// verbs that change nothing.
var (
	changing = []string{"person", "unit", "record", "household", "registry", "import", "card", "credential", "consent", "offer", "gate", "batch"}
	looking  = []string{"read", "find", "history", "print", "look", "export", "doubles"}
)

// Changes reports whether an action changes records, imports or cards.
func (a Action) Changes() bool {
	noun, verb, _ := strings.Cut(string(a), ".")
	return slices.Contains(changing, noun) && !slices.Contains(looking, verb)
}

// Add counts an entry.
func (u *Unusual) Add(e *Entry) {
	if e.Actor.Role == System || strings.HasPrefix(e.Actor.ID, "device-") {
		return
	}
	if u.work == nil {
		u.work, u.hours, u.seconds, u.offers = map[string]*Work{}, map[hourOf]int{}, map[[2]string]int{}, map[hourOf]int{}
	}
	carried := e.Action == "approval.carried" && e.Actor.SecondPerson != ""
	if !carried && !e.Action.Changes() {
		return
	}
	w := u.work[e.Actor.ID]
	if w == nil {
		w = &Work{Account: e.Actor.ID}
		u.work[e.Actor.ID] = w
	}
	if carried {
		pair := [2]string{e.Actor.ID, e.Actor.SecondPerson}
		u.seconds[pair]++
		w.Asked++
		if n := u.seconds[pair]; n > w.Same {
			w.Second, w.Same = e.Actor.SecondPerson, n
		}
		return
	}
	if e.Action == "offer.create" {
		at := hourOf{e.Actor.ID, day(e.Time)}
		u.offers[at]++
		w.Offers++
		w.OfDay = max(w.OfDay, u.offers[at])
	}
	w.Changes++
	at := hourOf{e.Actor.ID, e.Time.Unix() / 3600}
	u.hours[at]++
	w.Hour = max(w.Hour, u.hours[at])
	zone := u.Zone
	if zone == nil {
		zone = time.UTC
	}
	if h := e.Time.In(zone).Hour(); h < dayBegins || h >= dayEnds {
		w.After++
	}
}

// Rows are the accounts, those with something unusual first.
func (u *Unusual) Rows() (rows []Work) {
	var middle []int
	for _, w := range u.work {
		if w.Changes > 0 {
			middle = append(middle, w.Hour)
		}
	}
	slices.Sort(middle)
	for _, w := range u.work {
		r := *w
		r.Fast = r.Hour >= unusualHour && r.Hour > 3*middle[(len(middle)-1)/2]
		r.Late = r.Changes >= unusualChanges && 5*r.After >= r.Changes
		r.Pair = r.Asked >= unusualAsked && 5*r.Same >= 4*r.Asked
		r.Many = r.OfDay >= DefaultOffers
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b Work) int {
		return cmp.Or(b.unusual()-a.unusual(), b.Changes-a.Changes, strings.Compare(a.Account, b.Account))
	})
	return rows
}

func (w *Work) unusual() (n int) {
	for _, is := range []bool{w.Fast, w.Late, w.Pair, w.Many} {
		if is {
			n++
		}
	}
	return n
}
