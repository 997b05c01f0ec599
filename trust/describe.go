package trust

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aidpass/credential"
)

// Describe says in plain text what a custodian is about to sign: the list, the
// six words of its hash for comparing by voice, who must sign, and what it adds,
// removes and changes against before (nil: the first list). Names are quoted, so
// that no character of theirs can reorder or fake a line.
//
// A payload that a reader would refuse is a *Refusal.
func Describe(payload []byte, before *List) (string, error) {
	l, err := ParsePayload(payload)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("Trust list %q, number %d", l.ID, l.Sequence)
	say("issued %v, next update %v", l.Issued, l.NextUpdate)
	say("hash words: %s", HashWords(l.digest[:]))
	say("SHA-256: %x", l.digest)
	say("anchors: %d of %d, %s", l.Anchors.K, len(l.Anchors.Keys), l.Anchors.Words())
	if before == nil && l.Sequence > 1 {
		say("It is not compared with the list before; all of it is listed as added.")
	} else if before == nil {
		say("This is the first list: %d of its anchors sign.", l.Anchors.K)
	} else {
		say("It follows number %d, issued %v.", before.Sequence, before.Issued)
		if !before.Anchors.Equal(l.Anchors) {
			say("THE ANCHORS CHANGE, from %s: %d of the anchors before and %d of these sign.",
				before.Anchors.Words(), before.Anchors.K, l.Anchors.K)
		}
		if before.ID != l.ID {
			say("IT IS THE LIST OF ANOTHER CONSORTIUM: before, %q.", before.ID)
		}
		if l.Sequence <= before.Sequence {
			say("ITS NUMBER IS NOT HIGHER than the one before: devices will refuse it.")
		}
	}
	if l.FloorReset {
		say("IT RESETS THE CLOCK FLOOR of every device to its issue time.")
	}
	for _, f := range l.Faults {
		say("REFUSED BY READERS: %s", f.Text)
	}
	changes := Changes(before, l)
	for _, sign := range []string{"+", "-", "~"} {
		heading := map[string]string{"+": "added:", "-": "removed:", "~": "changed:"}[sign]
		for _, c := range changes {
			if c.Sign != sign {
				continue
			}
			if heading != "" {
				say("%s", heading)
				heading = ""
			}
			say("  %s", c)
		}
	}
	if len(changes) == 0 {
		say("Nothing is added, removed or changed.")
	}
	d := FromList(l)
	d.Issued, d.NextUpdate = l.Issued, l.NextUpdate
	for _, w := range d.Lint() {
		say("note: %s", w)
	}
	return b.String(), nil
}

// Kinds of entries that a change is of. They are stable.
const (
	ChangeAnchor       = "anchor"
	ChangeSignatures   = "signatures"
	ChangeOrganisation = "organisation"
	ChangeKey          = "key"
	ChangeRight        = "right"
	ChangeStatus       = "status"
	ChangeRecognition  = "recognition"
	ChangeRemoved      = "removed"
)

// Change is one difference between two lists.
type Change struct {
	Sign          string // "+" added, "-" removed, "~" changed
	What          string // "key 0102... of \"https://...\""
	Before, After string // what is said of it; empty where it is not there
	Kind          string // of the entry, one of those above
}

func (c Change) String() string {
	switch c.Sign {
	case "+":
		return c.What + ": " + c.After
	case "-":
		return c.What + ": " + c.Before
	}
	return c.What + ": " + c.Before + " -> " + c.After
}

// Changes compares two lists, entry by entry, in the order of their texts. A
// nil list is an empty one.
func Changes(before, after *List) []Change {
	var changes []Change
	old, now := facts(before), facts(after)
	for what, text := range now {
		switch was, had := old[what]; {
		case !had:
			changes = append(changes, Change{"+", what, "", text.says, text.kind})
		case was != text:
			changes = append(changes, Change{"~", what, was.says, text.says, text.kind})
		}
	}
	for what, text := range old {
		if _, has := now[what]; !has {
			changes = append(changes, Change{"-", what, text.says, "", text.kind})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.What, b.What) })
	return changes
}

// A fact is what is said of an entry.
type fact struct{ kind, says string }

// facts writes a list as one line for each thing that can be added, removed or
// changed.
func facts(l *List) map[string]fact {
	f := map[string]fact{}
	if l == nil {
		return f
	}
	for _, k := range l.Anchors.Keys {
		f[fmt.Sprintf("anchor %x", k.ID())] = fact{ChangeAnchor, "signs the list"}
	}
	f["signatures needed"] = fact{ChangeSignatures, fmt.Sprintf("%d of %d", l.Anchors.K, len(l.Anchors.Keys))}
	for _, o := range l.Organisations {
		if o.Recognised == nil {
			o.facts(f)
		}
	}
	for _, r := range l.Recognitions {
		f[fmt.Sprintf("recognition of list %q", r.List)] = fact{ChangeRecognition, fmt.Sprintf("anchors %s, types %s, %s, until %v",
			r.Anchors.Words(), quotedList(r.Types), everywhere("countries", r.Countries), r.Recheck)}
	}
	for _, x := range l.Removed {
		f[fmt.Sprintf("removed organisation %q", x.ID)] = fact{ChangeRemoved, fmt.Sprintf("since %v", x.Since)}
	}
	return f
}

func (o *Organisation) facts(f map[string]fact) {
	var names []string
	for _, lang := range slices.Sorted(maps.Keys(o.Names)) {
		names = append(names, fmt.Sprintf("%s %q", lang, o.Names[lang]))
	}
	status := "status lists"
	if !o.UsesStatus {
		status = "NO status lists"
	}
	f[fmt.Sprintf("organisation %q", o.ID)] = fact{ChangeOrganisation, fmt.Sprintf("%s, %s, %s", strings.Join(names, ", "), o.Country, status)}
	for _, k := range o.Keys {
		text := fmt.Sprintf("%s, signs %v to %v", k.State, k.NotBefore, k.NotAfter)
		switch k.State {
		case Retired:
			text += fmt.Sprintf(", retired %v, accepted until %v", k.Since, k.AcceptUntil)
		case Compromised:
			text += fmt.Sprintf(" since %v", k.Since)
		}
		f[fmt.Sprintf("%s key %x of %q (%s)", k.Use, k.KID, o.ID, k.Profile)] = fact{ChangeKey, text}
	}
	for _, g := range o.Grants {
		what := fmt.Sprintf("right of %q to issue %s, %s, %s", o.ID, quotedList(g.Types),
			everywhere("programmes", g.Programmes), everywhere("countries", g.Countries))
		if len(g.Replaces) > 0 {
			what += ", also in place of cards of " + quotedList(g.Replaces)
		}
		f[what] = fact{ChangeRight, until(g.Until)}
	}
	for _, p := range o.StatusPrefixes {
		f[fmt.Sprintf("status lists of %q under %q", o.ID, p)] = fact{ChangeStatus, "accepted"}
	}
}

func until(t credential.Time) string {
	if t == 0 {
		return "without end"
	}
	return "until " + t.String()
}

func everywhere(what string, list []string) string {
	if len(list) == 0 {
		return "all " + what
	}
	return what + " " + quotedList(list)
}

func quotedList(list []string) string {
	var q []string
	for _, s := range list {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return strings.Join(q, " ")
}
