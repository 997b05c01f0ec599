package registry

import (
	"fmt"
	"strings"
	"time"
)

// Bounds of what a household is believed to be (DOMAIN.md 5, DQ-19 and DQ-20).
const (
	LargestHousehold = 60 // over it, a camp or a school was counted
	LeastHeadAge     = 15
	LeastParentGap   = 12 // years between parent and child
	MostParentGap    = 60
)

// A Member is a person of a household, with her id.
type Member struct {
	ID ID
	Person
}

// Living reports whether a record is in use: its status is not closed.
func (s *Status) Living() bool { return s == nil || s.State != StateClosed }

// States of a record.
const (
	StateActive   = "active"
	StateInactive = "inactive"
	StateClosed   = "closed"
)

// Check says what about a household does not fit together, on a day: sizes, ages
// and relations. Nearly all of it is worth a second look and keeps nobody from a
// card; a size that cannot be blocks.
//
// Members are the living ones. Ages that are not known, or not to the year, give no
// issue unless every age they may be is out of bounds. Being head gives no right, so
// a household without one is fine where the list does not name heads.
//
// DOMAIN.md 5 (DQ-05, DQ-06, DQ-19, DQ-20, DQ-21).
func Check(h Household, members []Member, at time.Time) (issues []Issue) {
	add := func(i Issue) { issues = append(issues, i) }
	switch {
	case h.Size < 0:
		add(block(HouseholdSize, "size", "a size below zero: count the household again"))
	case h.Size > LargestHousehold:
		add(block(HouseholdSize, "size", fmt.Sprintf("over %d people: count the household again, or part it", LargestHousehold)))
	}
	issues = append(issues, checkBands(h)...)
	if len(members) > 0 && h.Size > 0 && h.CollectType != "partial" && h.CollectType != "size_only" && counted(members) != h.Size {
		add(note(HouseholdMembers, "size", fmt.Sprintf("%d are on record and %d were declared: who is missing, or who left?", counted(members), h.Size)))
	}
	issues = append(issues, checkHeads(h, members, at)...)
	issues = append(issues, checkRelations(h, members, at)...)
	issues = append(issues, checkCollectors(h, members, at)...)
	return issues
}

// counted is the number of members who share what is given.
func counted(members []Member) (n int) {
	for _, m := range members {
		if m.Relation != NoRelation && m.Status.Living() {
			n++
		}
	}
	return n
}

// checkBands compares the heads by age and sex with the size. Bands of lists' own,
// such as counts of pregnant or disabled people, are left out: they count again.
func checkBands(h Household) []Issue {
	sum := 0
	for name, n := range h.Bands {
		if n < 0 || n > LargestHousehold {
			return []Issue{block(HouseholdBands, "bands", "a count that cannot be: count the household again")}
		}
		if isBand(name) {
			sum += n
		}
	}
	if sum > 0 && h.Size > 0 && sum != h.Size {
		return []Issue{note(HouseholdBands, "bands", fmt.Sprintf("the counts by age and sex add up to %d and the size is %d", sum, h.Size))}
	}
	return nil
}

// isBand tells f_0_4, m_18_59, f_60p and the like.
func isBand(name string) bool {
	rest, ok := strings.CutPrefix(name, "f_")
	if !ok {
		rest, ok = strings.CutPrefix(name, "m_")
	}
	for _, part := range strings.Split(rest, "_") {
		ok = ok && digits(strings.TrimSuffix(part, "p"))
	}
	return ok
}

// headOf finds the head: the one the record names, else the only one by relation.
func headOf(h Household, members []Member) (head *Member, byRelation int) {
	for i := range members {
		m := &members[i]
		if m.Relation == Head {
			byRelation++
			if head == nil {
				head = m
			}
		}
	}
	for i := range members {
		if h.Head != "" && members[i].ID.String() == h.Head {
			return &members[i], byRelation
		}
	}
	return head, byRelation
}

func checkHeads(h Household, members []Member, at time.Time) (issues []Issue) {
	head, n := headOf(h, members)
	switch {
	case n > 1:
		issues = append(issues, note(HouseholdHeads, "head", fmt.Sprintf("%d members are called head: whom do the relations speak of?", n)))
	case len(members) > 0 && head == nil && h.CollectType != "partial":
		issues = append(issues, note(HouseholdNoHead, "head", "no member is called head, so the relations speak of nobody"))
	}
	if head != nil && head.Birth != nil {
		if _, most, known := head.Birth.Age(at); known && most < LeastHeadAge {
			issues = append(issues, note(HouseholdHeadAge, "head", fmt.Sprintf("the head is under %d: a household of children needs a named adult at collection", LeastHeadAge)))
		}
	}
	return issues
}

func checkRelations(h Household, members []Member, at time.Time) (issues []Issue) {
	head, _ := headOf(h, members)
	spouse, gap := false, false
	for i := range members {
		m := &members[i]
		if m.Birth == nil {
			continue
		}
		if _, most, known := m.Birth.Age(at); m.Relation == Spouse && known && most < LeastHeadAge {
			spouse = true
		}
		if head == nil || head == m || head.Birth == nil {
			continue
		}
		switch m.Relation {
		case Child:
			gap = gap || !mayBeParent(*head.Birth, *m.Birth)
		case Parent:
			gap = gap || !mayBeParent(*m.Birth, *head.Birth)
		}
	}
	if spouse {
		issues = append(issues, note(HouseholdSpouse, "members", fmt.Sprintf("a spouse under %d: compare the birth date, and speak with a protection colleague", LeastHeadAge)))
	}
	if gap {
		issues = append(issues, note(HouseholdChild, "members",
			fmt.Sprintf("a parent and child less than %d or more than %d years apart: compare birth dates and relations", LeastParentGap, MostParentGap)))
	}
	return issues
}

// mayBeParent reports whether some days of the two births lie within the bounds.
func mayBeParent(parent, child Birth) bool {
	p1, p2, ok1 := parent.span()
	c1, c2, ok2 := child.span()
	if !ok1 || !ok2 {
		return true
	}
	if parent.Estimated || child.Estimated {
		p1, c2 = p1.AddDate(-1, 0, 0), c2.AddDate(1, 0, 0)
		p2, c1 = p2.AddDate(1, 0, 0), c1.AddDate(-1, 0, 0)
	}
	return !c2.Before(p1.AddDate(LeastParentGap, 0, 0)) && !c1.After(p2.AddDate(MostParentGap+1, 0, 0))
}

func checkCollectors(h Household, members []Member, at time.Time) (issues []Issue) {
	in := map[string]*Member{}
	for i := range members {
		in[members[i].ID.String()] = &members[i]
	}
	if h.FocalPoint != "" && in[h.FocalPoint] == nil && !collects(h, h.FocalPoint) {
		issues = append(issues, note(HouseholdFocal, "focal_point", "the focal point is neither a member nor a collector"))
	}
	for _, c := range h.Collectors {
		if !c.Serves(at) {
			continue
		}
		m := in[c.Person]
		if m == nil {
			continue // fetches for a household she is not of
		}
		if !m.Status.Living() {
			issues = append(issues, note(HouseholdCollects, "collectors", "a collector's record is closed: name another one"))
		} else if m.Birth != nil {
			if adult, decided := m.Birth.Adult(at); decided && !adult {
				issues = append(issues, note(HouseholdCollects, "collectors", "a collector is under 18: name an adult beside her, or two staff"))
			}
		}
	}
	return issues
}

func collects(h Household, person string) bool {
	for _, c := range h.Collectors {
		if c.Person == person && c.Revoked == "" {
			return true
		}
	}
	return false
}

// Serves reports whether the collector may fetch on a day: not revoked, and within
// her time.
func (c Collector) Serves(at time.Time) bool {
	d := at.UTC().Format(time.DateOnly)
	return c.Revoked == "" && (c.From == "" || c.From <= d) && (c.To == "" || d <= c.To)
}

// ParseSize reads the size of a household as lists write it: 5, 5.0, ٥. An empty or
// placeholder cell is 0, not known, without an issue; what cannot be a size is 0 with
// a blocking one.
func ParseSize(text string) (size int, issues []Issue) {
	s := strings.TrimSpace(westernDigits(cleanDate(text)))
	if s == "" || Placeholder(s) && strings.Trim(s, "09") != "" {
		return 0, nil
	}
	s = strings.NewReplacer("٫", ".", ",", ".").Replace(s)
	if whole, part, ok := strings.Cut(s, "."); ok && strings.Trim(part, "0") == "" {
		s = whole
	}
	negative := strings.HasPrefix(s, "-")
	switch s = strings.TrimPrefix(s, "-"); {
	case !digits(s) || len(s) > 9:
		return 0, []Issue{block(HouseholdSize, "size", "not readable as a number of people")}
	case negative || number(s) == 0:
		return 0, []Issue{block(HouseholdSize, "size", "a household of nobody: count it again")}
	case number(s) > LargestHousehold:
		return 0, []Issue{block(HouseholdSize, "size", fmt.Sprintf("over %d people: count the household again, or part it", LargestHousehold))}
	}
	return number(s), nil
}
