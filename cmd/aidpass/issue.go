package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/schemas/compile"
)

// issueFlags are what issue is asked for.
type issueFlags struct {
	typeName, typeFile, programme, sheet, idColumn, unit string
	round                                                uint64
	validDays                                            int
	claims, seal                                         []string
	out, images, rejects, pins, form, approvedBy, trust  string
	list, pack                                           string
	encoding, roster, approval                           string
	replace, rename, dryRun, onlyNew                     bool
	chain                                                []string
	record                                               recordFlags
}

func (a *app) issueCommand() *cobra.Command {
	var f issueFlags
	cmd := &cobra.Command{
		Use:   "issue [ROSTER] --type TYPE --programme CODE --round N --out cards.jsonl",
		Short: "Issue cards to those on record, or to the people of a roster",
		Long: `Issue cards to those on record, or to the people of a roster (CSV or XLSX).

Without a ROSTER cards are for the people or households of the registry, as the
programme counts them (--unit where it has no plan): those with an entitlement
planned for the round, or everybody in use (--all), those an import made or
changed (--import ID), or those a file lists (--unit-ids FILE: a line each, the id
or the number in the list). An entitlement on hold or cancelled gets no card. The
quality gate (aidpass registry gate) is asked about each: what it refuses is listed
with what to mend, what lacks a little gets a provisional card of 30 days. A second
person may let single ones pass: --gate-override IDS --reason CODE --second-person,
with --note for what else should be known of it.
An entitlement is marked as issued with its card.

A ROSTER is for a quick list of another system that has already done registration:
its people are taken in first, and what makes a record good is not asked. What is on
record holds all the same: the dead, closed doubles, those who said no (also in a
column of the roster) and entitlements on hold get no card, and a programme whose
plan counts households gives none to persons. Otherwise: aidpass registry import.
Columns are found by their names: the person's number (else household, name and
birth date together name a person), household size, and columns called like a
claim of the type. --claim gives one value to all. Claims that stand sealed on
the card are taken only when --seal names them.

A column replaces holds the text of the QR code of another organisation's card that
the new one stands in for: it is verified against --pack, and the trust list must let
this organisation replace that one's cards (aidpass trust grant --replaces). Both cards
then count as one, and so do all later ones of that person in the programme.

Every row is issued or refused with a reason; --rejects writes the refused rows
to a file to be mended and issued again. Where no row at all gets a card the
command exits 2. The same roster again issues nothing
twice: the cards that are there are listed again, marked "already"; --only-new leaves them
out (what was printed before is left out by print itself).

A number means one person: where a row comes with another name than the one known
under its number it is refused. --roster NAME keeps the numbers of a list apart
from those of others, --rename takes the new names over. A person whose card was
revoked gets a new one only with --replace, and with a second person where the card
was not spoiled and would still be good, or for more than 20 at once.

Four eyes: --dry-run tells the digest of what would be signed, and --list FILE.csv
writes for the second person who would get what; the run with
--approval DIGEST --approved-by ACCOUNT signs that and nothing else.

cards.jsonl has one object a card: credential (its identity), type, issuer, text
(of the QR code), row, unit (the record's id), number (printed on the card),
programme, round, valid_from, valid_until, status {uri, idx}, already; provisional
where it is, and with --with-external the number of the list. Images are PNG files named by card
number, at error correction level M; where the picture of another card of that
person is there, the credential's identity follows the number.

A run that was interrupted is simply started again.`,
		Example: `  # people first: aidpass registry import, then cards for them
  aidpass issue --type eligibility --programme K7Q2 --round 1 --trust trust.list --out cards.jsonl
  aidpass issue --type eligibility --programme K7Q2 --round 1 --import last --unit household --out cards.jsonl
  aidpass issue --type eligibility --programme K7Q2 --round 1 --gate-override HH-0042 --reason no_papers --second-person lead-2 --out cards.jsonl
  aidpass issue --type registration --all --out cards.jsonl

  # a quick list of another system, which has done the registration
  aidpass issue roster.csv --type eligibility --programme K7Q2 --round 1 --out cards.jsonl --images cards/
  aidpass issue roster.xlsx --sheet Individuals --type registration --out cards.jsonl --rejects rejected.csv
  aidpass issue roster.csv --type eligibility --programme K7Q2 --round 1 --claim collector_rule=holder_or_alternate \
      --claim collect_from=2026-12-01 --seal name,entitlement --pins pins.csv --out cards.jsonl
  aidpass issue village-b.csv --roster village-b --type eligibility --programme K7Q2 --round 1 --out cards.jsonl
  aidpass issue arrivals.csv --type eligibility --programme K7Q2 --round 2 --pack site.pack --out cards.jsonl
  aidpass issue --type eligibility --programme K7Q2 --round 1 --dry-run --list who.csv
  aidpass issue roster.csv --type eligibility --programme K7Q2 --round 1 --approval DIGEST --approved-by lead-2 --out cards.jsonl
  aidpass issue roster.csv --type-file our-type.json --programme W1 --round 3 --valid-days 60 --out cards.jsonl`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.record.unitSaid = cmd.Flags().Changed("unit")
			path := ""
			if len(args) == 1 {
				path = args[0]
			}
			return a.issue(cmd.Context(), path, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.typeName, "type", "", "registration, eligibility, referral, delegation or receipt")
	fl.StringVar(&f.typeFile, "type-file", "", "own credential type (JSON Schema with x-aidpass)")
	fl.StringVar(&f.programme, "programme", "", "opaque code of the programme, as K7Q2")
	fl.Uint64Var(&f.round, "round", 0, "number of the round")
	fl.IntVar(&f.validDays, "valid-days", 0, "days until the cards end (default: as the type says)")
	fl.StringArrayVar(&f.claims, "claim", nil, "NAME=VALUE for every card; repeat")
	fl.StringSliceVar(&f.seal, "seal", nil, "claims of the sealed part to fill, by name")
	fl.StringVar(&f.sheet, "sheet", "", "sheet of a workbook (default: guessed)")
	fl.StringVar(&f.encoding, "encoding", "", "of a CSV that is not UTF-8: windows-1256 (Arabic), windows-1252 (French, Spanish), windows-1250, -1251, -1254, iso-8859-1")
	fl.StringVar(&f.idColumn, "id-column", "", "column that numbers the people (default: guessed)")
	fl.StringVar(&f.unit, "unit", "person", "what the programme counts, where its plan does not say: person or household")
	f.record.flags(fl)
	fl.StringVar(&f.form, "form", "card", "card is the only form yet")
	fl.StringVar(&f.out, "out", "", "file for the cards; they are as good as cash: readable to you alone")
	fl.StringVar(&f.images, "images", "", "folder for PNG images")
	fl.StringVar(&f.rejects, "rejects", "", "CSV file for the refused rows")
	fl.StringVar(&f.pins, "pins", "", "give each card a PIN and write them to this CSV file; the same roster writes what the file lacks")
	fl.StringVar(&f.trust, "trust", "", "newest signed trust list (default: the newest that was used here)")
	fl.StringVar(&f.pack, "pack", "", "with a roster's column replaces: newest pack, to verify the cards in it")
	fl.StringArrayVar(&f.chain, "chain", nil, "with --trust: list that changed the custodians, oldest first; repeat")
	fl.StringVar(&f.roster, "roster", "", "name of this roster, where its numbers are unique in it alone, as of a village")
	fl.BoolVar(&f.rename, "rename", false, "take over names that changed; without it such a row is refused: it may be another person")
	fl.BoolVar(&f.replace, "replace", false, "new cards also for people whose card was revoked")
	fl.BoolVar(&f.onlyNew, "only-new", false, "leave out of --out the cards that an earlier run issued; not after a run that was cut off")
	fl.BoolVar(&f.dryRun, "dry-run", false, "take the people in, sign nothing, and tell the digest to be approved")
	fl.StringVar(&f.list, "list", "", "with --dry-run: CSV file of who would get what, for the second person: numbers, no names")
	fl.StringVar(&f.approval, "approval", "", "digest that --dry-run told and the second person approved")
	fl.StringVar(&f.approvedBy, "approved-by", "", "account of the second person who approved it, with --approval")
	return cmd
}

func (a *app) issue(ctx context.Context, path string, f issueFlags) (err error) {
	t, err := f.check()
	if err == nil {
		err = f.record.check(path != "", a.SecondPerson)
	}
	if err != nil {
		return err
	}
	if err := distinct(named{"the roster", path}, named{"--out", f.out}, named{"--list", f.list}, named{"--rejects", f.rejects}, named{"--pins", f.pins},
		named{"--type-file", f.typeFile}, named{"--trust", f.trust}, named{"--unit-ids", f.record.unitIDs}, named{"--policy", f.record.policy}, named{"--pack", f.pack}, named{"--passphrase-file", a.PassphraseFile}); err != nil {
		return err
	}
	if !f.dryRun {
		if err := errors.Join(placeFor("--out", f.out), placeFor("--rejects", f.rejects)); err != nil {
			return err
		}
	}
	if path == "" {
		if f.pack != "" {
			return usagef("--pack is for a roster with a column %s", formerColumn).hint("leave it out")
		}
		if err := f.record.claims(&f, t); err != nil {
			return err
		}
	}
	if f.trust != "" {
		if err := a.useTrustList(f.trust, f.chain); err != nil {
			return err
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	list := &rosterList{raw: map[int][]string{}, header: []string{"unit"}}
	if path != "" {
		if err := o.countAs(ctx, &f); err != nil {
			return err
		}
		if list, err = o.readRoster(path, t, &f); err != nil {
			return err
		}
	}
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	if err := o.mayIssue(t, f.programme); err != nil {
		return err
	}
	if err := o.hasRound(ctx, f.programme, f.round); err != nil {
		return err
	}
	desk, err := a.openIssuer(o, t)
	if err != nil {
		return err
	}
	batch, err := f.batch(o, t, a.now())
	if err != nil {
		return err
	}
	run := &issueRun{app: a, f: f, o: o, list: list}
	if f.pins != "" && !f.dryRun {
		if run.pins, err = o.openPINs(f.pins, &batch); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, run.pins.flush(), run.pins.close()) }()
	}
	if !f.dryRun {
		if err := run.resume(ctx, desk); err != nil {
			return err
		}
	}
	if path != "" {
		err = run.enrol(ctx, desk, &batch)
	} else {
		err = run.candidates(ctx, desk, &batch)
	}
	if err != nil {
		return err
	}
	if err := run.approve(desk, &batch); err != nil || f.dryRun {
		return err
	}
	if err := run.noteRefused(ctx, &batch); err != nil {
		return err
	}
	p := a.progress("issuing")
	err = desk.Issue(ctx, batch, func(r issuer.Result) error {
		p.step(len(run.cards)+len(run.list.refused), run.list.rows)
		return run.take(&r, &batch)
	})
	p.end()
	// Also after an error: what was issued is known to the plan.
	n, err2 := desk.Reconcile(ctx, o.store, t.VCT, f.programme, f.round)
	run.granted += n
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	if err := run.noteRefused(ctx, &batch); err != nil { // became worse meanwhile
		return err
	}
	return run.finish(ctx)
}

// resume ends what an interrupted run left: what it was about to sign is signed,
// and the run lists it as issued before.
func (r *issueRun) resume(ctx context.Context, desk *issuer.Desk) error {
	done := 0
	err := desk.Resume(ctx, func(res issuer.Result) error {
		if res.Refusal != nil {
			r.say("warning: left by an interrupted run: %s", res.Refusal.Text)
		} else {
			done++
		}
		return nil
	})
	if done > 0 {
		r.say("%s", plural(done, "card that an interrupted run had begun is finished", "cards that an interrupted run had begun are finished"))
	}
	return err
}

// approve binds the run to what was approved, or tells what is to be approved.
// The digest says what each person gets; the moment the cards end follows it,
// where --valid-days counts it from now.
func (r *issueRun) approve(desk *issuer.Desk, b *issuer.Batch) error {
	approval, _, _ := strings.Cut(r.f.approval, provisionalMark)
	want, ends, dated := strings.Cut(approval, "@")
	if dated {
		until, err := credential.ParseTime(ends)
		if err != nil || r.f.validDays == 0 || until > b.ExpiresAt {
			return usagef("--approval: %q is not what was approved", ends).hint("give --approval and --valid-days as --dry-run told and was asked")
		}
		b.ExpiresAt = until
	}
	digest, err := b.Digest()
	if err != nil {
		return err
	}
	have := hex.EncodeToString(digest[:])
	b.Approval = issuer.Approval{By: r.Actor, Digest: digest}
	if r.f.approval != "" {
		if want != have {
			return usagef("this is not what %s approved: the digest is %s", r.f.approvedBy, have).
				hint("something was changed since: look at --dry-run together, and approve what it tells")
		}
		by, err := access.AccountID(r.f.approvedBy)
		if err != nil {
			return usagef("--approved-by: %w", err).hint("the account of the second person, as lead-2")
		}
		if access.SameAccount(by, r.Actor) {
			return usagef("--approved-by is who acts").hint("another person approves")
		}
		desk.FourEyes, b.Approval.By = true, by
	}
	if !r.f.dryRun {
		return nil
	}
	if b.ExpiresAt != 0 {
		have += "@" + b.ExpiresAt.String()
	}
	have += r.provisionalEnd(b)
	if r.f.list != "" {
		if err := r.writeDue(r.f.list, b); err != nil {
			return err
		}
	}
	result := map[string]any{"rows": r.list.rows, "to_issue": len(b.Requests), "refused": len(r.list.refused), "refusals": r.list.refused, "digest": have,
		"provisional": provisionals(b), "left_out": r.leftOut}
	return r.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d to be issued, %d refused; nothing was signed\n", r.counted(r.list.rows), len(b.Requests), len(r.list.refused))
		r.writeRecord(w, provisionals(b))
		fmt.Fprintln(w, "digest:", have)
		read := "the roster"
		if r.kind != "" {
			read = "the list (--list FILE.csv writes it)"
		}
		if r.f.list != "" {
			read = r.f.list
		}
		fmt.Fprintf(w, "next: the second person reads %s, then --approval DIGEST --approved-by ACCOUNT\n", read)
	})
}

// check looks at the flags before anything is opened.
func (f *issueFlags) check() (*schemas.Type, error) {
	var t *schemas.Type
	switch {
	case f.out == "" && !f.dryRun:
		return nil, usagef("where do the cards go?").hint("--out cards.jsonl")
	case (f.approval == "") != (f.approvedBy == ""):
		return nil, usagef("--approval and --approved-by belong together").hint("--dry-run tells the digest that the second person approves")
	case f.list != "" && !f.dryRun:
		return nil, usagef("--list is for --dry-run").hint("cards.jsonl has what was issued; aidpass print --list makes the list for the hand-over")
	case f.dryRun && f.approval != "":
		return nil, usagef("--dry-run signs nothing that could be approved").hint("leave --approval out")
	case f.form != "card":
		return nil, usagef("no form %q", f.form).hint("--form card")
	case f.unit != "person" && f.unit != "household":
		return nil, usagef("--unit %q", f.unit).hint("--unit person or --unit household")
	case f.typeFile != "":
		b, err := readFile(f.typeFile, 1<<20)
		if err != nil {
			return nil, err
		}
		if t, err = compile.Compile(b); err != nil {
			return nil, usagef("%s: %w", f.typeFile, err).hint("the embedded types in schemas/ are examples of a type file")
		}
		for _, own := range schemas.Embedded() {
			if own.VCT == t.VCT || own.Name == t.Name {
				return nil, usagef("%s takes the name or the vct of the type %s, which this program has", f.typeFile, own.Name).
					hint("--type %s, or a vct and a name of its own", own.Name)
			}
		}
		if f.typeName != "" && f.typeName != t.Name {
			return nil, usagef("%s holds type %s, not %s", f.typeFile, t.Name, f.typeName).hint("leave --type out")
		}
	default:
		if t = schemas.ByName(f.typeName); t == nil {
			return nil, usagef("no type %q", f.typeName).hint("--type registration, eligibility, referral, delegation or receipt; --type-file FILE for an own one")
		}
	}
	if f.programme == "" {
		if t.ProgrammeClaim != "" {
			return nil, usagef("cards of type %s belong to a programme", t.Name).hint("--programme K7Q2")
		}
		f.programme = t.Name
	}
	if longest := t.MaxValidity / int64(day); f.validDays < 0 || longest > 0 && int64(f.validDays) > longest {
		return nil, usagef("--valid-days %d: a %s lives %d days at most", f.validDays, t.Name, longest).hint("leave it out for %d days", t.Validity/int64(day))
	}
	for _, name := range f.seal {
		if c := t.Claim(name); c == nil || c.Placement != schemas.Sealed {
			return nil, usagef("the type %s has no sealed claim %q", t.Name, name).hint("it has %s", strings.Join(claimNames(t, schemas.Sealed), " "))
		}
	}
	return t, nil
}

func claimNames(t *schemas.Type, where schemas.Placement) []string {
	var names []string
	for _, c := range t.Claims {
		if c.Placement == where && c.Kind != schemas.KindBytes {
			names = append(names, c.Name)
		}
	}
	return names
}

// batch is the request without its rows.
func (f *issueFlags) batch(o *org, t *schemas.Type, now credential.Time) (issuer.Batch, error) {
	b := issuer.Batch{Type: t, Programme: f.programme, Round: f.round, Form: credential.FormCWT, Replace: f.replace}
	if f.validDays > 0 {
		b.ExpiresAt = now + credential.Time(f.validDays)*day
	}
	var err error
	if b.ProgrammeKey, err = o.programmeKey(f.programme); err != nil {
		return b, err
	}
	sealed := len(f.seal) > 0 || f.pins != ""
	for _, name := range t.Gate {
		if c := t.Claim(name); c != nil && c.Placement == schemas.Sealed {
			sealed = true
		}
	}
	if sealed {
		b.EpochKey, err = o.epochKey()
	}
	return b, err
}

// issueRun is one issue under way.
type issueRun struct {
	*app
	f       issueFlags
	o       *org
	list    *rosterList
	cards   []cardLine
	already int
	pins    *pinBook // nil: the cards get none

	onRecord // of a run without a roster
}

// enrol stores the people and turns the usable rows into requests.
func (r *issueRun) enrol(ctx context.Context, desk *issuer.Desk, b *issuer.Batch) error {
	if err := r.hold(ctx, b); err != nil {
		return err
	}
	rows := make([]issuer.RosterRow, len(r.list.people))
	for i, p := range r.list.people {
		rows[i] = p.row
	}
	bar := r.progress("reading in")
	units, err := desk.Enrol(ctx, rows, func(done int) { bar.step(done, len(rows)) })
	bar.end()
	if err != nil {
		return err
	}
	for i, p := range r.list.people {
		if no := units[i].Refusal; no != nil {
			r.list.refuse(p.number, no.Code, no.Text+": --roster NAME where this list has numbers of its own, --rename where it is the same person")
			continue
		}
		q := issuer.Request{Row: p.number, Unit: units[i].ID, Claims: p.claims, Former: p.former}
		if r.pins != nil {
			if q.PIN, err = r.pins.draw(ctx, desk, p.number, units[i].ID, issuer.CTI{}); err != nil {
				return err
			}
		}
		if r.f.pins != "" && r.f.dryRun {
			q.PIN = "000000" // the digest says that there is one, not which
		}
		b.Requests = append(b.Requests, q)
	}
	return nil
}

// take keeps what became of a row.
func (r *issueRun) take(res *issuer.Result, b *issuer.Batch) error {
	if res.Refusal != nil {
		why := res.Refusal.Text
		if res.Refusal.Code == issuer.RefusedAlone {
			why += " (--second-person ACCOUNT)"
		}
		if r.kind != "" && res.Refusal.Code == issuer.RefusedExists {
			why += " (a provisional card of a record that was mended: aidpass card replace CARD --reason mended)"
		}
		r.list.refuse(res.Row, res.Refusal.Code, why)
		r.unfit = append(r.unfit, issuer.Unfit{Unit: res.Unit, Code: res.Refusal.Code, Lacks: res.Lacks})
		return nil
	}
	r.count(res)
	c := &res.Credential
	if res.Replaces != (issuer.CTI{}) {
		r.say("row %d: card %s stands in for revoked credential %s", res.Row, cwt.GroupCardNumber(c.CardNumber), res.Replaces)
	}
	from := max(c.IssuedAt, b.NotBefore)
	line := cardLine{
		Credential: c.ID.String(), Type: b.Type.Name, Issuer: r.o.entry.ID, Text: res.Text, Row: res.Row, Number: c.CardNumber,
		Unit: c.Unit.String(), Provisional: res.Provisional,
		Programme: b.Programme, ValidFrom: from.String(), ValidUntil: c.ExpiresAt.String(),
		Status: statusRef{c.StatusURI, c.StatusIndex}, Already: res.Old,
	}
	if b.Round > 0 {
		line.Round = &b.Round
	}
	if r.f.record.withExternal {
		line.External = r.external[res.Row]
	}
	r.cards = append(r.cards, line)
	if res.Old {
		r.already++
	}
	if r.pins == nil {
		return nil
	}
	known, err := r.pins.take(res)
	if err == nil && !known {
		r.say("warning: row %d: the PIN of card %s is not known here: revoke it and issue again", res.Row, cwt.GroupCardNumber(c.CardNumber))
	}
	return err
}
