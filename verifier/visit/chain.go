package visit

import (
	"slices"

	"aidpass/credential"
)

// A link is an entry's place in the chain of its device.
type link struct {
	parent int // index of the entry it is chained to, -1: not here
	branch int // index of its branch
	height int // records that follow on it, on the longest way
}

// A branch is a run of a device's records in which each has one before it. A copied
// device has several, a journal with gaps too.
type branch struct {
	up    int // branch it left, -1: none that is known
	first uint64
	last  uint64
	at    map[uint64]int // sequence -> entry
}

// table works on the entries [from, to), which are one device's, by sequence.
func (g *merging) table(from, to int) {
	entries := g.m.Entries[from:to]
	t := Table{Key: entries[0].Key, Records: len(entries)}
	if g.facts.Device != nil {
		t.Device, _ = g.facts.Device(t.Key)
	}
	if g.tables == nil {
		g.tables = map[[8]byte]Device{}
	}
	g.tables[t.Key] = t.Device
	links := chainOf(entries)
	t.Copied, t.Frozen = clashes(entries, links, t.Device)
	t.Gaps = gapsOf(entries)
	t.Held = held(entries, links)
	g.m.Tables = append(g.m.Tables, t)

	estimate(entries, links, g.facts.At)
	workers(entries, links)
	for i := range entries {
		g.doubt(&entries[i], links[i], entries, &t)
	}
	counter(entries, branches(entries, links), links)
}

// chainOf finds the record before each.
func chainOf(entries []Entry) []link {
	links := make([]link, len(entries))
	at := make(map[[32]byte]int, len(entries))
	for i := range entries {
		at[entries[i].Hash] = i
	}
	for i, e := range entries {
		links[i].parent = -1
		if p, ok := at[e.Prev]; ok && entries[p].Sequence+1 == e.Sequence {
			links[i].parent = p
		}
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if p := links[i].parent; p >= 0 {
			links[p].height = max(links[p].height, links[i].height+1)
		}
	}
	return links
}

// clashes marks the records that show a copy (Entry.Clash): two have one sequence, or
// one is chained to another record than the one that is here. copied is the lowest
// such sequence, frozen the lowest that nobody has thawed; 0: none.
func clashes(entries []Entry, links []link, d Device) (copied, frozen uint64) {
	frozen = d.Frozen
	clash := func(group []Entry, at uint64) {
		for i := range group {
			group[i].Clash = at
		}
		if copied == 0 || at < copied {
			copied = at
		}
		if at > d.Thawed && (frozen == 0 || at < frozen) {
			frozen = at
		}
	}
	before := 0 // the records of the sequence before stand in [before, from)
	for from, to := 0, 0; from < len(entries); before, from = from, to {
		s := entries[from].Sequence
		for to = from; to < len(entries) && entries[to].Sequence == s; to++ {
			e := &entries[to]
			switch {
			case links[to].parent >= 0:
			case s == 1 && e.Prev != [32]byte{}:
				clash(entries[to:to+1], 1)
			case from > 0 && entries[from-1].Sequence+1 == s:
				clash(entries[before:from], s-1)
				clash(entries[to:to+1], s-1)
			}
		}
		if to-from > 1 {
			clash(entries[from:to], s)
		}
	}
	return copied, frozen
}

func gapsOf(entries []Entry) (gaps []Range) {
	next := uint64(1)
	for _, e := range entries {
		if e.Sequence > next {
			gaps = append(gaps, Range{next, e.Sequence - 1})
		}
		next = e.Sequence + 1
	}
	return gaps
}

// held follows the chain, at a fork into the branch with more records, and begins
// anew behind each gap.
func held(entries []Entry, links []link) (list []Held) {
	on := -1
	for i := 0; i < len(entries); {
		end, best := i, -1
		for ; end < len(entries) && entries[end].Sequence == entries[i].Sequence; end++ {
			e := &entries[end]
			follows := links[end].parent == on && (e.Sequence > 1 || e.Prev == [32]byte{})
			if follows && (best < 0 || links[end].height > links[best].height) {
				best = end
			}
		}
		e := &entries[i]
		switch {
		case best < 0 && on >= 0 && e.Sequence > entries[on].Sequence+1:
			on = -1 // behind a gap: this number again, with nothing before it
			continue
		case best < 0: // what is here was chained to another record
		case on < 0:
			list = append(list, Held{e.Sequence, e.Sequence, entries[best].Hash})
			on = best
		default:
			h := &list[len(list)-1]
			h.Last, h.Head = e.Sequence, entries[best].Hash
			on = best
		}
		i = end
	}
	return list
}

// estimate gives each record a time that never goes back along the sequence. A time
// later than the merging, or before there were devices, is no time: the record is taken
// to follow the one before; with none before it, to be as old as the first that has one.
func estimate(entries []Entry, links []link, now credential.Time) {
	wrong := func(e *Entry) bool { return now > 0 && (e.At > now+clockSlack || e.At < firstDevices) }
	below := now // the latest estimate of lower sequences, for what follows a gap
	if i := slices.IndexFunc(entries, func(e Entry) bool { return !wrong(&e) }); now > 0 && i >= 0 {
		s := entries[i].Sequence
		for ; i < len(entries) && entries[i].Sequence == s; i++ {
			if e := &entries[i]; !wrong(e) {
				below = min(below, e.At)
			}
		}
	}
	for i := 0; i < len(entries); {
		j := i
		for ; j < len(entries) && entries[j].Sequence == entries[i].Sequence; j++ {
			e := &entries[j]
			before := below
			if p := links[j].parent; p >= 0 {
				before = entries[p].Est
			}
			if e.Est = max(e.At, before); wrong(e) {
				e.Est = before
			}
		}
		for ; i < j; i++ {
			below = max(below, entries[i].Est)
		}
	}
}

// workers follows the shifts along the chain.
func workers(entries []Entry, links []link) {
	for i := range entries {
		e := &entries[i]
		switch p := links[i].parent; {
		case e.Kind == Note && e.Code == CodeShiftOpen:
			e.Worker = e.Given
		case p >= 0 && (entries[p].Kind != Note || entries[p].Code != CodeShiftClose):
			e.Worker = entries[p].Worker
		}
	}
}

// branches cuts the links into branches and names each entry's.
func branches(entries []Entry, links []link) []branch {
	var all []branch
	for i, e := range entries {
		p := links[i].parent
		if p >= 0 {
			if b := &all[links[p].branch]; b.last+1 == e.Sequence {
				b.last, b.at[e.Sequence] = e.Sequence, i
				links[i].branch = links[p].branch
				continue
			}
		}
		up := -1
		if p >= 0 {
			up = links[p].branch
		}
		links[i].branch = len(all)
		all = append(all, branch{up: up, first: e.Sequence, last: e.Sequence, at: map[uint64]int{e.Sequence: i}})
	}
	return all
}

// counter carries counter-entries out. One names an earlier record, so going
// backwards it is known of each whether it was itself taken back.
func counter(entries []Entry, all []branch, links []link) {
	for i := len(entries) - 1; i >= 0; i-- {
		e := &entries[i]
		if e.Kind != Counter || e.State == Cancelled {
			continue
		}
		target := -1
		b := links[i].branch
		for b >= 0 && e.Cancels < all[b].first {
			b = all[b].up
		}
		if b >= 0 {
			if at, ok := all[b].at[e.Cancels]; ok {
				target = at
			}
		} else {
			// The chain is broken by a gap: it can only be the one record of that number.
			from, _ := slices.BinarySearchFunc(entries, e.Cancels, func(x Entry, s uint64) int {
				if x.Sequence < s {
					return -1
				}
				return 1
			})
			if from < len(entries) && entries[from].Sequence == e.Cancels && (from+1 == len(entries) || entries[from+1].Sequence != e.Cancels) {
				target = from
			}
		}
		if target < 0 {
			e.Doubts = append(e.Doubts, CancelsUnknown)
			continue
		}
		entries[target].State = Cancelled
	}
}

// doubt looks at one record beside its neighbours and the facts.
func (g *merging) doubt(e *Entry, l link, entries []Entry, t *Table) {
	add := func(d Doubt, is bool) {
		if is {
			e.Doubts = append(e.Doubts, d)
		}
	}
	f, d := &g.facts, &t.Device
	add(ClockBack, l.parent >= 0 && e.At < entries[max(l.parent, 0)].At)
	add(ClockAhead, f.At > 0 && e.At > f.At+clockSlack)
	add(LongAgo, f.At > 0 && e.At < f.At-longAgo)
	if f.Card != nil && len(e.Card) > 0 && e.Ledger.Issuer == f.Issuer {
		if c, ok := f.Card(e.Card); ok {
			add(BeforeCard, e.At < c.Issued)
			add(AfterCard, e.At > c.Expires)
			add(OtherCard, e.Kind <= Partial && (c.Pseudonym != e.Ledger.Pseudonym || c.Programme != e.Ledger.Programme))
		} else if e.Kind <= Partial {
			e.State = Quarantined
		}
	}
	if f.Unit != nil && e.Kind <= Partial && e.Ledger.Issuer == f.Issuer && !f.Unit(e.Ledger) {
		e.State = Quarantined
	}
	if old := e.Ledger.Formerly(e.Former); f.Unit != nil && e.Kind <= Partial && e.Former.Issuer != "" && e.Former.Issuer == f.Issuer {
		add(FormerUnknown, !f.Unit(old))
	}
	add(OutsideCert, d.Until > 0 && (e.At < d.From || e.At > d.Until))
	add(DeviceWithdrawn, d.Withdrawn > 0 && e.Est < d.Withdrawn)
	add(AfterWithdrawal, d.Withdrawn > 0 && e.Est >= d.Withdrawn)
	add(Cloned, t.Frozen > 0 && e.Sequence >= t.Frozen || t.Copied > 0 && e.Sequence >= t.Copied && e.Sequence <= d.Thawed)
	if e.Kind > Partial {
		e.State = Noted
	}
}
