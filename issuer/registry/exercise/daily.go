package exercise

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// A Daily is the report of days of an exercise, by day, desk and clerk.
type Daily struct {
	Exercise Exercise   `json:"exercise"`
	From     string     `json:"from"` // day; both are counted
	To       string     `json:"to"`
	Rows     []DailyRow `json:"rows"`
	Total    DailyRow   `json:"total"` // of the rows; Invited is of the whole exercise
	Left     int        `json:"left"`  // invited, and nothing is said of them to the end of To
}

// A DailyRow counts units, each once: on the day, at the desk and by the clerk of the mark
// that counts. Nobody's name or number is in it.
type DailyRow struct {
	Day   string `json:"day,omitempty"`
	Desk  string `json:"desk,omitempty"`
	Clerk string `json:"clerk,omitempty"`
	// Invited of a row are those of whom it says anything: what a share is taken of.
	Invited   int             `json:"invited"`
	Seen      int             `json:"seen"` // and nothing had to be changed
	Updated   int             `json:"updated"`
	Absent    int             `json:"absent"`
	Refused   int             `json:"refused"`
	ByContact map[Contact]int `json:"by_contact"` // of who was met
	Fields    int             `json:"fields"`     // that were looked at with them
	Changed   int             `json:"changed"`    // of those
	Twice     int             `json:"twice"`      // marks of other desks that do not count
}

func (r *DailyRow) add(o *DailyRow) {
	r.Invited += o.Invited
	r.Seen += o.Seen
	r.Updated += o.Updated
	r.Absent += o.Absent
	r.Refused += o.Refused
	r.Fields += o.Fields
	r.Changed += o.Changed
	r.Twice += o.Twice
	for how, n := range o.ByContact {
		r.ByContact[how] += n
	}
}

// row is a unit as a row counts it.
func (i *Invited) row() DailyRow {
	r := DailyRow{Day: i.When.UTC().Format(time.DateOnly), Desk: i.Desk, Clerk: i.By, Invited: 1, ByContact: map[Contact]int{}, Fields: i.Fields, Changed: i.Changed, Twice: i.Twice}
	switch i.Outcome {
	case Seen:
		r.Seen = 1
	case Updated:
		r.Updated = 1
	case Absent:
		r.Absent = 1
	case Refused:
		r.Refused = 1
	}
	if i.Outcome.met() {
		r.ByContact[i.How] = 1
	}
	return r
}

// Daily counts the days from one to another; empty days are the first and the last of the
// exercise. Absent are those that a desk marked so: who simply did not come is Left.
func (d *Desk) Daily(ctx context.Context, code, from, to string) (day Daily, err error) {
	type key struct{ day, desk, clerk string }
	rows := map[key]*DailyRow{}
	err = d.each(ctx, code, nil, func(_ *Exercise, u *Unit) error {
		day.Total.Invited++
		i := u.Counted()
		if i.Outcome == Waiting {
			day.Left++
			return nil
		}
		r := i.row()
		switch {
		case to != "" && r.Day > to:
			day.Left++
			return nil
		case r.Day < from:
			return nil
		}
		k := key{r.Day, r.Desk, r.Clerk}
		if rows[k] == nil {
			rows[k] = &DailyRow{Day: r.Day, Desk: r.Desk, Clerk: r.Clerk, ByContact: map[Contact]int{}}
		}
		rows[k].add(&r)
		return nil
	})
	if err != nil {
		return Daily{}, err
	}
	if day.Exercise, err = d.Find(ctx, code); err != nil {
		return Daily{}, err
	}
	day.From, day.To = cmp.Or(from, day.Exercise.Opens), cmp.Or(to, day.Exercise.Closes)
	invited := day.Total.Invited
	day.Total.ByContact = map[Contact]int{}
	byKey := func(a, b key) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.desk, b.desk), cmp.Compare(a.clerk, b.clerk))
	}
	day.Rows = []DailyRow{}
	for _, k := range slices.SortedFunc(maps.Keys(rows), byKey) {
		day.Rows = append(day.Rows, *rows[k])
		day.Total.add(rows[k])
	}
	day.Total.Invited = invited
	return day, nil
}
