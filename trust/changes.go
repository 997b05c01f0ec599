package trust

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aidpass/credential"
)

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
	// The same three as terms, for whoever has words of its own.
	Of, Was, Is []Term
}

// Codes of terms. They are stable.
const (
	TermKey            = "key"        // Text: its id in hex
	TermUse            = "use"        // Text: a Use
	TermProfile        = "profile"    // Text: a Profile
	TermOrganisation   = "of"         // Text: its id
	TermTypes          = "types"      // List
	TermProgrammes     = "programmes" // List
	TermEveryProgramme = "every_programme"
	TermCountries      = "countries" // List
	TermEveryCountry   = "every_country"
	TermReplaces       = "replaces" // List: ids of organisations
	TermList           = "list"     // Text: its id
	TermPrefix         = "prefix"   // Text: how addresses begin
	TermSigns          = "signs"
	TermQuorum         = "quorum"  // K of N
	TermName           = "name"    // Text, in the language Lang
	TermCountry        = "country" // Text
	TermStatus         = "status"
	TermNoStatus       = "no_status"
	TermState          = "state"       // Text: a State
	TermSignsTo        = "signs_to"    // From, To
	TermRetired        = "retired"     // From
	TermAcceptedTo     = "accepted_to" // To
	TermSince          = "since"       // From
	TermUntil          = "until"       // To
	TermWithoutEnd     = "without_end"
	TermAccepted       = "accepted"
	TermAnchors        = "anchors" // Text: their words
)

// Term is one thing that is said of an entry: a code, and what belongs to it by the table above.
type Term struct {
	Code     string
	Text     string
	Lang     string
	List     []string
	K, N     int
	From, To credential.Time
}

// String says it in English. Names are quoted.
func (t Term) String() string {
	switch t.Code {
	case TermTypes:
		return "types " + quotedList(t.List)
	case TermProgrammes, TermCountries:
		return t.Code + " " + quotedList(t.List)
	case TermEveryProgramme:
		return "all programmes"
	case TermEveryCountry:
		return "all countries"
	case TermSigns:
		return "signs the list"
	case TermQuorum:
		return fmt.Sprintf("%d of %d", t.K, t.N)
	case TermName:
		return fmt.Sprintf("%s %q", t.Lang, t.Text)
	case TermStatus:
		return "status lists"
	case TermNoStatus:
		return "NO status lists"
	case TermSignsTo:
		return fmt.Sprintf("signs %v to %v", t.From, t.To)
	case TermRetired:
		return fmt.Sprintf("retired %v", t.From)
	case TermAcceptedTo:
		return fmt.Sprintf("accepted until %v", t.To)
	case TermSince:
		return fmt.Sprintf("since %v", t.From)
	case TermUntil:
		return fmt.Sprintf("until %v", t.To)
	case TermWithoutEnd:
		return "without end"
	case TermAccepted:
		return "accepted"
	case TermAnchors:
		return "anchors " + t.Text
	}
	return t.Text
}

func english(terms []Term) string {
	var said []string
	for _, t := range terms {
		said = append(said, t.String())
	}
	return strings.Join(said, ", ")
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
	add := func(sign, what string, was, is fact) {
		f := is
		if sign == "-" {
			f = was
		}
		changes = append(changes, Change{sign, what, english(was.says), english(is.says), f.kind, f.of, was.says, is.says})
	}
	old, now := facts(before), facts(after)
	for what, is := range now {
		switch was, had := old[what]; {
		case !had:
			add("+", what, fact{}, is)
		case english(was.says) != english(is.says):
			add("~", what, was, is)
		}
	}
	for what, was := range old {
		if _, has := now[what]; !has {
			add("-", what, was, fact{})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.What, b.What) })
	return changes
}

// A fact is what is said of an entry.
type fact struct {
	kind     string
	of, says []Term
}

// facts writes a list as one line for each thing that can be added, removed or
// changed.
func facts(l *List) map[string]fact {
	f := map[string]fact{}
	if l == nil {
		return f
	}
	for _, k := range l.Anchors.Keys {
		id := fmt.Sprintf("%x", k.ID())
		f["anchor "+id] = fact{ChangeAnchor, []Term{{Code: TermKey, Text: id}}, []Term{{Code: TermSigns}}}
	}
	f["signatures needed"] = fact{ChangeSignatures, nil, []Term{{Code: TermQuorum, K: l.Anchors.K, N: len(l.Anchors.Keys)}}}
	for _, o := range l.Organisations {
		if o.Recognised == nil {
			o.facts(f)
		}
	}
	for _, r := range l.Recognitions {
		f[fmt.Sprintf("recognition of list %q", r.List)] = fact{ChangeRecognition, []Term{{Code: TermList, Text: r.List}},
			[]Term{{Code: TermAnchors, Text: r.Anchors.Words()}, {Code: TermTypes, List: r.Types}, some(TermCountries, TermEveryCountry, r.Countries), {Code: TermUntil, To: r.Recheck}}}
	}
	for _, x := range l.Removed {
		f[fmt.Sprintf("removed organisation %q", x.ID)] = fact{ChangeRemoved, []Term{{Code: TermOrganisation, Text: x.ID}}, []Term{{Code: TermSince, From: x.Since}}}
	}
	return f
}

func (o *Organisation) facts(f map[string]fact) {
	own := Term{Code: TermOrganisation, Text: o.ID}
	var says []Term
	for _, lang := range slices.Sorted(maps.Keys(o.Names)) {
		says = append(says, Term{Code: TermName, Lang: lang, Text: o.Names[lang]})
	}
	says = append(says, Term{Code: TermCountry, Text: o.Country})
	if o.UsesStatus {
		says = append(says, Term{Code: TermStatus})
	} else {
		says = append(says, Term{Code: TermNoStatus})
	}
	f[fmt.Sprintf("organisation %q", o.ID)] = fact{ChangeOrganisation, []Term{own}, says}
	for _, k := range o.Keys {
		says := []Term{{Code: TermState, Text: k.State.String()}, {Code: TermSignsTo, From: k.NotBefore, To: k.NotAfter}}
		switch k.State {
		case Retired:
			says = append(says, Term{Code: TermRetired, From: k.Since}, Term{Code: TermAcceptedTo, To: k.AcceptUntil})
		case Compromised:
			says = append(says, Term{Code: TermSince, From: k.Since})
		}
		of := []Term{{Code: TermKey, Text: fmt.Sprintf("%x", k.KID)}, {Code: TermUse, Text: k.Use.String()}, own}
		if k.Profile != ProfileNone {
			of = append(of, Term{Code: TermProfile, Text: k.Profile.String()})
		}
		f[fmt.Sprintf("%s key %x of %q (%s)", k.Use, k.KID, o.ID, k.Profile)] = fact{ChangeKey, of, says}
	}
	for _, g := range o.Grants {
		programmes, countries := some(TermProgrammes, TermEveryProgramme, g.Programmes), some(TermCountries, TermEveryCountry, g.Countries)
		of := []Term{own, {Code: TermTypes, List: g.Types}, programmes, countries}
		what := fmt.Sprintf("right of %q to issue %s, %v, %v", o.ID, quotedList(g.Types), programmes, countries)
		if len(g.Replaces) > 0 {
			of = append(of, Term{Code: TermReplaces, List: g.Replaces})
			what += ", also in place of cards of " + quotedList(g.Replaces)
		}
		until := Term{Code: TermWithoutEnd}
		if g.Until != 0 {
			until = Term{Code: TermUntil, To: g.Until}
		}
		f[what] = fact{ChangeRight, of, []Term{until}}
	}
	for _, p := range o.StatusPrefixes {
		f[fmt.Sprintf("status lists of %q under %q", o.ID, p)] = fact{ChangeStatus, []Term{own, {Code: TermPrefix, Text: p}}, []Term{{Code: TermAccepted}}}
	}
}

// some is a list of what is named, by code; every where none is.
func some(code, every string, list []string) Term {
	if len(list) == 0 {
		return Term{Code: every}
	}
	return Term{Code: code, List: list}
}

func quotedList(list []string) string {
	var q []string
	for _, s := range list {
		q = append(q, fmt.Sprintf("%q", s))
	}
	return strings.Join(q, " ")
}
