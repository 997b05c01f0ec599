package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry"
)

// onRecord is what an issue without a roster counts besides.
type onRecord struct {
	kind        registry.Kind  // empty: of a roster
	external    map[int]string // number in the list, by row
	units       map[int]string // by row
	leftOut     map[string]int // by code
	provisional int
	overridden  int
	granted     int            // entitlements marked as issued
	unfit       []issuer.Unfit // who got no card, and the log was not told of yet
}

func (o *onRecord) count(r *issuer.Result) {
	if r.Provisional {
		o.provisional++
	}
	if r.Overridden && !r.Old {
		o.overridden++
	}
}

// noteRefused tells the log whom the gate refused since the last call: DQ-31 counts them, as
// those of a batch at the desk.
func (r *issueRun) noteRefused(ctx context.Context, b *issuer.Batch) error {
	unfit := r.unfit
	r.unfit = nil
	return issuer.NoteRefused(ctx, r.o.store, r.actor(access.Issuer), b.Type.Name, b.Programme, b.Round, unfit)
}

// counted is what the run went through, for people.
func (o *onRecord) counted(n int) string {
	kind := string(o.kind)
	if kind == "" {
		kind = "row"
	}
	return plural(n, kind, kind+"s")
}

// nameOf names whom a refusal is about: the row of a roster, or the record.
func (r *issueRun) nameOf(x refusedRow) string {
	if r.kind == "" {
		return fmt.Sprintf("row %d", x.Row)
	}
	name := string(r.kind) + " " + r.units[x.Row]
	if e := r.external[x.Row]; e != "" {
		name += " (" + e + ")"
	}
	return name
}

// tell adds to the result what a run without a roster has besides.
func (r *issueRun) tell(result map[string]any) {
	if r.kind == "" {
		return
	}
	for i := range r.list.refused {
		r.list.refused[i].Unit = r.units[r.list.refused[i].Row]
	}
	result["provisional"], result["overridden"], result["left_out"], result["entitlements_issued"] = r.provisional, r.overridden, r.leftOut, r.granted
}

// writeRecord prints the same.
func (r *issueRun) writeRecord(w io.Writer, provisional int) {
	if r.kind == "" {
		return
	}
	if provisional > 0 {
		fmt.Fprintf(w, "%d provisional: something is to be filled in; aidpass registry gate --fix-list FILE\n", provisional)
	}
	if r.overridden > 0 {
		fmt.Fprintf(w, "%d past the gate: %s confirmed it\n", r.overridden, r.SecondPerson)
	}
	for _, code := range slices.Sorted(maps.Keys(r.leftOut)) {
		fmt.Fprintf(w, "%d left out: %s\n", r.leftOut[code], leftOutWords[code])
	}
	if r.granted > 0 {
		fmt.Fprintf(w, "%s\n", plural(r.granted, "entitlement is issued", "entitlements are issued"))
	}
}

var leftOutWords = map[string]string{
	issuer.SkippedHold:   "the entitlement is on hold",
	issuer.SkippedCancel: "the entitlement is cancelled",
	issuer.SkippedOver:   "collected, returned or lapsed",
	issuer.SkippedGone:   "the record is closed or inactive",
}

// nobodyChosen: the run is for nobody.
func (r *issueRun) nobodyChosen(b *issuer.Batch) error {
	if n := len(r.leftOut); n > 0 {
		r.writeRecord(r.Stderr, 0)
		return usagef("nobody is left to get a card").hint("those left out are counted above")
	}
	f := &r.f.record
	switch {
	case f.all, f.importID != "", f.unitIDs != "":
		return usagef("no %s is on record for this", r.kind).hint("aidpass registry import LIST takes people in; --unit says what is counted")
	case b.Round == 0:
		return usagef("for whom?").hint("--all, --import ID or --unit-ids FILE; or --round N for those with an entitlement")
	}
	return usagef("nobody has an entitlement in round %d of programme %s", b.Round, b.Programme).
		hint("aidpass entitle plans them; or --all, --import ID, --unit-ids FILE, or a ROSTER")
}

// nobody: of those there were none got a card.
func (r *issueRun) nobody() error {
	if r.kind != "" {
		return usagef("nobody got a card").hint("each is named above with what to mend; --rejects FILE writes them to a file")
	}
	return usagef("no row got a card").hint("each row is named above with what to mend; --rejects FILE writes them to a file")
}
