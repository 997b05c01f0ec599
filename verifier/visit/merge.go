package visit

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"maps"
	"slices"

	"aidpass/credential"
	"aidpass/verifier"
)

// A Doubt is something about a record that people should look at. A doubtful record
// counts like the others: what was handed out was handed out.
type Doubt string

// The doubts.
const (
	ClockBack       Doubt = "clock_back"          // its time is before that of the record before it
	ClockAhead      Doubt = "clock_ahead"         // its time is later than the merging
	LongAgo         Doubt = "long_ago"            // its time is more than a year before the merging
	BeforeCard      Doubt = "before_card"         // the card shown was issued later
	AfterCard       Doubt = "after_card"          // the card shown had ended
	OtherCard       Doubt = "other_card"          // the card shown is of another unit or programme
	FormerUnknown   Doubt = "former_unknown"      // the card shown replaces one of a unit that its issuer does not know
	OutsideCert     Doubt = "outside_certificate" // outside the dates of the device's certificates
	DeviceWithdrawn Doubt = "device_withdrawn"    // the device was withdrawn later
	AfterWithdrawal Doubt = "after_withdrawal"    // the device was withdrawn already
	Cloned          Doubt = "clone"               // the device signed two records of one number, here or before
	CancelsUnknown  Doubt = "cancels_unknown"     // a counter-entry whose record is not here
	OtherFormer     Doubt = "other_former"        // the card shown replaces another one than the unit's earliest record says
	RestOfUnknown   Doubt = "rest_of_unknown"     // the rest of a part that is not here
	OtherUnit       Doubt = "other_unit"          // an amount in another unit than what is due
)

// A State is what merging made of a record.
type State string

// The states.
const (
	Counted     State = "counted"          // the collection, or a part of it
	Conflict    State = "conflict"         // somebody else had given already
	Over        State = "over_entitlement" // with it more would be given than is due
	Cancelled   State = "cancelled"        // a counter-entry took it back
	Quarantined State = "quarantined"      // on a card or unit that its issuer does not know
	Noted       State = "noted"            // a note or a counter-entry
)

// Tolerances of clocks, in seconds.
const (
	clockSlack = 3600
	longAgo    = 400 * 24 * 3600
)

// firstDevices is before any device of ours recorded anything: what a clock says that
// was set back to its maker's date is no time.
const firstDevices credential.Time = 1735689600 // 2025-01-01

// Facts is what is known beside the journals. Every function may be nil.
type Facts struct {
	At credential.Time // when it is merged; 0: times are not compared with it

	// Device returns what is known of a device by its key id.
	Device func(key [8]byte) (Device, bool)

	// Issuer is whose cards and units the next three know. Records on other issuers'
	// cards are taken as they are.
	Issuer string
	Card   func(cti []byte) (Card, bool)
	Unit   func(k verifier.LedgerKey) bool           // whether the pseudonym is anybody's
	Due    func(k verifier.LedgerKey) (Amount, bool) // what is due; false: no amount is known
}

// A Device is what Facts knows of one.
type Device struct {
	Name        string
	Site        string
	From, Until credential.Time // of its certificates; zero: not known
	Withdrawn   credential.Time // zero: it was not

	// Frozen: it was found copied, and this sequence was the first of two records.
	// Thawed: somebody looked at what it had recorded up to this sequence, and let it
	// go on; what shows a copy up to there freezes it no more. Zero: not.
	Frozen, Thawed uint64
}

// A Card is what Facts knows of one.
type Card struct {
	Pseudonym, Programme string
	Issued, Expires      credential.Time
}

// An Entry is a record and what merging made of it.
type Entry struct {
	Record
	Est    credential.Time // when it was: the device's time, never before the record's before it
	Worker string          // code of who opened the shift it was recorded in; empty: not known
	State  State
	Doubts []Doubt // in the order of the constants' making; nil: none

	// Clash is the sequence of which this record shows that its device signed two; 0: none.
	Clash uint64
}

// A Range is sequences, both included.
type Range struct{ First, Last uint64 }

// A Held is a run of records in which each is chained to the one before it.
type Held struct {
	First, Last uint64   // sequences
	Head        [32]byte // hash of the last
}

// A Table is what one device's records come to.
type Table struct {
	Key     [8]byte
	Device  Device // zero: not known
	Records int

	Held   []Held  // the longest proved chain, a run between gaps each
	Gaps   []Range // sequences that are not here, below the highest that is
	Copied uint64  // the lowest sequence that two records have, or must have had; 0: no copy is known
	Frozen uint64  // the same, but for copies that the device was thawed from; 0: it may go on
}

// An Account is everything that one unit got in one round: all that stands on its
// ledger key, and on those of the cards that replaced each other.
type Account struct {
	Ledger verifier.LedgerKey   // the one of Facts.Issuer where there is one, else that of the first card
	Also   []verifier.LedgerKey // the others, in order; nil: none

	// Collected: all that was due. Part: some of it.
	Collected, Part bool
	Rest            string // what is still due, with Part
	Sum             []Amount

	// The records, by their place in Merged.Entries, in order of time. Of Counted
	// there is one full collection at most.
	Counted, Conflicts, Cancelled, Quarantined []int
}

// A Total is what one worker gave with one device on one day for one round. Sites,
// devices, workers, days, rounds and all are sums of these.
type Total struct {
	Key       [8]byte
	Worker    string // code of who opened the shift; empty: not known
	Site      string // empty: not known
	Day       string // of Est, UTC, as 2026-11-21
	Issuer    string
	Programme string
	Round     uint64

	Collections, Parts, Conflicts, Cancelled, Quarantined int
	Sum                                                   []Amount // of what counts, by unit
}

// Merged is one account of any number of journals.
type Merged struct {
	Entries  []Entry   // by device, sequence, hash
	Tables   []Table   // by device
	Accounts []Account // by ledger key
	Refused  []Refusal // by device, sequence, hash; each once
	Totals   []Total   // by device, day, worker, issuer, programme, round

	also map[verifier.LedgerKey]verifier.LedgerKey // of Account.Also: to its Ledger
}

// Merge makes one account of pieces of journals. The same records and facts give the
// same result in every order, however they are cut into pieces, and however often a
// piece is there.
//
//  1. The records are a set: each once, by the hash of its bytes.
//  2. A device's records are a chain. Two of one sequence, or one that is chained to a
//     record that was another, mean that the device's memory was copied: all of it is
//     kept, and what comes from there on is marked (Cloned, Table.Frozen). What is
//     missing is a gap, and accepted.
//  3. Est orders records of different devices: the device's time, but never before the
//     record before it, because a clock may be set back and a sequence may not. A time
//     that cannot be is none.
//  4. A counter-entry takes back the record it names on its own branch of the chain.
//  5. A card that replaces another organisation's counts with it (Account.Also).
//  6. In each account one full collection counts: the earliest by Est, device and
//     sequence. Parts count with it where whoever gave the rest knew of them. All
//     others are conflicts, which stay in the list. Nothing counts above what is due.
func Merge(f Facts, pieces ...*Piece) *Merged {
	g := &merging{facts: f, m: &Merged{}}
	g.union(pieces)
	for from := 0; from < len(g.m.Entries); {
		to := from + 1
		for to < len(g.m.Entries) && g.m.Entries[to].Key == g.m.Entries[from].Key {
			to++
		}
		g.table(from, to)
		from = to
	}
	g.accounts()
	g.totals()
	return g.m
}

type merging struct {
	facts  Facts
	m      *Merged
	tables map[[8]byte]Device
}

// union is the set of the records, in order.
func (g *merging) union(pieces []*Piece) {
	n := 0
	for _, p := range pieces {
		n += len(p.Records)
	}
	seen := make(map[[32]byte]bool, n)
	refused := map[[32]byte]Refusal{}
	for _, p := range pieces {
		for _, r := range p.Records {
			if !seen[r.Hash] {
				seen[r.Hash] = true
				g.m.Entries = append(g.m.Entries, Entry{Record: r})
			}
		}
		for _, r := range p.Refused {
			refused[r.Hash] = r
		}
	}
	slices.SortFunc(g.m.Entries, func(a, b Entry) int {
		return compare(a.Key, a.Sequence, a.Hash, b.Key, b.Sequence, b.Hash)
	})
	g.m.Refused = slices.SortedFunc(maps.Values(refused), func(a, b Refusal) int {
		return compare(a.Key, a.Sequence, a.Hash, b.Key, b.Sequence, b.Hash)
	})
}

func compare(k1 [8]byte, s1 uint64, h1 [32]byte, k2 [8]byte, s2 uint64, h2 [32]byte) int {
	return cmp.Or(bytes.Compare(k1[:], k2[:]), cmp.Compare(s1, s2), bytes.Compare(h1[:], h2[:]))
}

// totals sums what each worker gave with each device each day.
func (g *merging) totals() {
	type key struct {
		device            [8]byte
		day, worker       string
		issuer, programme string
		round             uint64
	}
	sums := map[key]*Total{}
	for i := range g.m.Entries {
		e := &g.m.Entries[i]
		if e.Kind > Partial {
			continue
		}
		k := key{e.Key, e.Est.String()[:len("2026-11-21")], e.Worker, e.Ledger.Issuer, e.Ledger.Programme, e.Ledger.Round}
		t := sums[k]
		if t == nil {
			t = &Total{Key: k.device, Worker: k.worker, Site: g.tables[k.device].Site, Day: k.day, Issuer: k.issuer, Programme: k.programme, Round: k.round}
			sums[k] = t
		}
		switch {
		case e.State == Counted && e.Kind == Collection:
			t.Collections++
		case e.State == Counted:
			t.Parts++
		case e.State == Conflict || e.State == Over:
			t.Conflicts++
		case e.State == Cancelled:
			t.Cancelled++
		case e.State == Quarantined:
			t.Quarantined++
		}
		if a, ok, _ := ParseAmount(e.Given); ok && e.State == Counted {
			t.Sum = AddAmount(t.Sum, a)
		}
	}
	for _, t := range sums {
		g.m.Totals = append(g.m.Totals, *t)
	}
	slices.SortFunc(g.m.Totals, func(a, b Total) int {
		return cmp.Or(bytes.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Worker, b.Worker), cmp.Compare(a.Issuer, b.Issuer),
			cmp.Compare(a.Programme, b.Programme), cmp.Compare(a.Round, b.Round))
	})
}

// AddAmount adds a to the sum of its unit in a list sorted by unit. A sum stays at
// its bound rather than turn over.
func AddAmount(list []Amount, a Amount) []Amount {
	i, there := slices.BinarySearchFunc(list, a.Unit, func(x Amount, unit string) int { return cmp.Compare(x.Unit, unit) })
	if !there {
		return slices.Insert(list, i, a)
	}
	list[i].Micros = min(list[i].Micros+a.Micros, maxMicros) // both are at most maxMicros: no overflow
	return list
}

// Earlier implements verifier.Uses: what was given on a ledger key, in all journals
// that were merged.
func (m *Merged) Earlier(k verifier.LedgerKey) (verifier.Use, bool) {
	if main, there := m.also[k]; there {
		k = main
	}
	i, ok := slices.BinarySearchFunc(m.Accounts, k, func(a Account, k verifier.LedgerKey) int { return CompareLedger(a.Ledger, k) })
	if !ok || len(m.Accounts[i].Counted) == 0 {
		return verifier.Use{}, false
	}
	a := &m.Accounts[i]
	e := &m.Entries[a.Counted[len(a.Counted)-1]]
	return verifier.Use{At: e.At, Device: hex.EncodeToString(e.Key[:]), Given: e.Given, Part: a.Part, Rest: a.Rest}, true
}
