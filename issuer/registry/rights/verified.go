package rights

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/words"
)

// Verified is what one exercise keeps of somebody, or of her household.
type Verified struct {
	Code string // of the exercise
	exercise.Unit
}

// verifiedOf reads what exercises keep of units.
func verifiedOf(v View, units []registry.ID) (all []Verified, err error) {
	for _, unit := range units {
		papers, err := v.Papers(KindInvited, unit)
		if err != nil {
			return nil, err
		}
		for i := range papers {
			var one Verified
			if err := papers[i].into(&one.Unit); err != nil {
				return nil, err
			}
			one.ID = unit
			one.Code, _, _ = strings.Cut(papers[i].ID, "/")
			all = append(all, one)
		}
	}
	slices.SortStableFunc(all, func(a, b Verified) int { return a.At.Compare(b.At) })
	return all, nil
}

// verified says what happened at exercises, with everything that was taken back.
func (h *Held) verified(c *words.Catalogue) Section {
	s := Section{Title: c.Text("verified")}
	for i := range h.Verified {
		u := &h.Verified[i]
		add := func(day, event string, beneath ...string) {
			s.Lines = append(s.Lines, [2]string{day + "  " + codeIn(c, "event", event), strings.Join(present(append([]string{u.Code}, beneath...)...), " · ")})
		}
		add(dayIn(c, u.At), "invited")
		for _, m := range u.Marks {
			back := ""
			if !m.Undone.IsZero() {
				back = c.Fill("taken", "date", dayIn(c, m.Undone))
			}
			how := ""
			if m.How != "" {
				how = codeIn(c, "met", string(m.How))
			}
			add(dayIn(c, m.When), string(m.Outcome), how, m.Desk, back)
		}
		for _, n := range u.Notices {
			add(dayText(c, n.Day), "notice", codeIn(c, "told", n.How))
		}
		for _, a := range u.Appeals {
			add(dayText(c, a.Day), "appeal")
		}
		if !u.Slept.IsZero() {
			add(dayIn(c, u.Slept), "inactive")
		}
	}
	return s
}
