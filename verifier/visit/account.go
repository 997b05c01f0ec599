package visit

import (
	"cmp"
	"slices"

	"aidpass/verifier"
)

// accounts brings the collections of each unit together.
func (g *merging) accounts() {
	former := g.formers()
	by := map[verifier.LedgerKey][]int{}
	for i := range g.m.Entries {
		if e := &g.m.Entries[i]; e.Kind <= Partial {
			k := former.first(e.Ledger)
			by[k] = append(by[k], i)
		}
	}
	keys := former.groups(g.facts.Issuer)
	g.m.also = map[verifier.LedgerKey]verifier.LedgerKey{}
	for k, list := range by {
		var also []verifier.LedgerKey
		if group := keys[k]; group != nil {
			k, also = group[0], group[1:]
		}
		a := g.account(k, list)
		a.Also = also
		for _, other := range also {
			g.m.also[other] = k
		}
		g.m.Accounts = append(g.m.Accounts, a)
	}
	slices.SortFunc(g.m.Accounts, func(a, b Account) int { return CompareLedger(a.Ledger, b.Ledger) })
}

// CompareLedger orders ledger keys: issuer, programme, round, pseudonym.
func CompareLedger(a, b verifier.LedgerKey) int {
	return cmp.Or(cmp.Compare(a.Issuer, b.Issuer), cmp.Compare(a.Programme, b.Programme), cmp.Compare(a.Round, b.Round), cmp.Compare(a.Pseudonym, b.Pseudonym))
}

// account judges the records of one unit, whose ledger key is k.
func (g *merging) account(k verifier.LedgerKey, list []int) Account {
	a := Account{Ledger: k}
	at := func(i int) *Entry { return &g.m.Entries[i] }
	slices.SortFunc(list, func(i, j int) int { return cmp.Or(cmp.Compare(at(i).Est, at(j).Est), cmp.Compare(i, j)) })
	var live []int
	for _, i := range list {
		switch at(i).State {
		case Cancelled:
			a.Cancelled = append(a.Cancelled, i)
		case Quarantined:
			a.Quarantined = append(a.Quarantined, i)
		default:
			live = append(live, i)
		}
	}
	due := purse{}
	if g.facts.Due != nil && (g.facts.Issuer == "" || k.Issuer == g.facts.Issuer) {
		due.amount, due.known = g.facts.Due(k)
	}
	// The earliest full collection leads, if what it gave and what it knew of comes to
	// no more than is due.
	full := -1
	for n, i := range live {
		if at(i).Kind != Collection {
			continue
		}
		if with, left := due.spend(g.known(live[:n], at(i)), at); left.fits(at(i)) {
			full = i
			a.Counted = append(with, i)
			if at(i).ofRest() && len(with) == 0 {
				at(i).Doubts = append(at(i).Doubts, RestOfUnknown)
			}
			break
		}
		at(i).State = Over
	}
	if full < 0 {
		parts := slices.DeleteFunc(slices.Clone(live), func(i int) bool { return at(i).Kind != Partial })
		a.Counted, _ = due.spend(parts, at)
	}
	for _, i := range a.Counted {
		e := at(i)
		e.State = Counted
		amount, ok, _ := ParseAmount(e.Given)
		if ok {
			a.Sum = AddAmount(a.Sum, amount)
		}
		if ok && due.known && amount.Unit != due.amount.Unit {
			e.Doubts = append(e.Doubts, OtherUnit)
		}
		a.Rest = e.Rest
	}
	for _, i := range live {
		switch e := at(i); {
		case e.State == Counted:
			continue
		case e.State == Over:
		case full >= 0:
			e.State = Conflict
		default:
			e.State = Over
		}
		a.Conflicts = append(a.Conflicts, i)
	}
	a.Collected = full >= 0
	if full < 0 && len(a.Counted) > 0 {
		if left, ok := due.after(a.Counted, at); ok {
			a.Collected, a.Rest = left.Micros == 0, left.String()
		}
	}
	if a.Part = len(a.Counted) > 0 && !a.Collected; !a.Part {
		a.Rest = ""
	}
	return a
}

// known are the parts among earlier records that whoever recorded e knew of: all of
// them where it says that it gave the rest, else those on its own device.
func (g *merging) known(earlier []int, e *Entry) (parts []int) {
	for _, i := range earlier {
		p := &g.m.Entries[i]
		if p.Kind == Partial && (e.ofRest() || p.Key == e.Key && p.Sequence < e.Sequence) {
			parts = append(parts, i)
		}
	}
	return parts
}

// A purse is what is still due, where an amount is known.
type purse struct {
	amount Amount
	known  bool
}

// fits reports whether e gives no more than the purse holds. What is no amount, or
// one of another unit, is not compared.
func (p purse) fits(e *Entry) bool {
	a, ok, _ := ParseAmount(e.Given)
	return !p.known || !ok || a.Unit != p.amount.Unit || a.Micros <= p.amount.Micros
}

func (p purse) less(e *Entry) purse {
	if a, ok, _ := ParseAmount(e.Given); ok && p.known && a.Unit == p.amount.Unit {
		p.amount.Micros -= a.Micros
	}
	return p
}

// spend takes out, in order, the records that it holds enough for.
func (p purse) spend(list []int, at func(int) *Entry) (spent []int, left purse) {
	for _, i := range list {
		if p.fits(at(i)) {
			p = p.less(at(i))
			spent = append(spent, i)
		}
	}
	return spent, p
}

// after is what is due after parts, where they can be compared. Where no amount is
// known, the first part tells of one: what it gave and what it left. The rest that a
// later one names is too much where its table did not know of those before it.
func (p purse) after(parts []int, at func(int) *Entry) (left Amount, ok bool) {
	left = p.amount
	if !p.known {
		rest, ok, _ := ParseAmount(at(parts[0]).Rest)
		given, same, _ := ParseAmount(at(parts[0]).Given)
		if !ok || !same || given.Unit != rest.Unit {
			return left, false
		}
		left = Amount{Micros: min(given.Micros+rest.Micros, maxMicros), Unit: rest.Unit}
	}
	all := true
	for _, i := range parts {
		if given, ok, _ := ParseAmount(at(i).Given); ok && given.Unit == left.Unit {
			left.Micros = max(left.Micros-given.Micros, 0)
		} else {
			all = false
		}
	}
	return left, all || left.Micros == 0
}
