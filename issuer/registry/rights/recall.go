package rights

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// AnswerDue is how long a recipient has to answer a recall.
const AnswerDue = 30 * 24 * time.Hour

// A Recall is what one recipient is asked to stop using about one person.
type Recall struct {
	ID        string      `json:"id"` // 16 hex digits
	Unit      registry.ID `json:"unit"`
	To        string      `json:"to"`     // the party's id
	Name      string      `json:"name"`   // and name
	Issuer    string      `json:"issuer"` // its id on the trust list; empty: it cannot answer by a letter
	Agreement string      `json:"agreement"`
	Shares    []string    `json:"shares"` // files her row was in
	Why       Why         `json:"why"`
	At        time.Time   `json:"at"`
	Due       time.Time   `json:"due"`           // until when an answer is expected
	Letters   [][32]byte  `json:"letters"`       // digests of the letters that were written
	Answered  time.Time   `json:"answered"`      // zero: not yet
	Outcome   Outcome     `json:"outcome"`       // empty: no answer yet
	Records   int         `json:"records"`       // that the recipient found
	Spoken    string      `json:"how,omitempty"` // how it answered, where that was no letter: "by telephone"
}

// Withdraw takes yeses back: those to a party (its id), or to everybody where to is empty,
// for a purpose, or for any where that is empty. From this transaction on no file has her
// row for them, and each who got it under an agreement is to be told: it returns those recalls,
// and of how many files that waited nobody has anything, nor gets it any more. Withdrawing what was never given is a no on record, and no error.
func (d *Desk) Withdraw(ctx context.Context, by access.Actor, id registry.ID, purpose Purpose, to string) (recalls []Recall, unsent int, err error) {
	if purpose != "" && !purpose.Shared() {
		return nil, 0, deny(DeniedPurpose, "purpose: one of %s, or none for all of them", list(shared))
	}
	if to != "" && !shortID.MatchString(to) {
		return nil, 0, deny(DeniedRecipient, "a recipient is named by the id of its agreement")
	}
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		answers, save, err := answersOf(tx, id)
		if err != nil {
			return err
		}
		if err := save(d.takenBack(answers, purpose, to)); err != nil {
			return err
		}
		if recalls, unsent, err = d.recall(tx, id, purpose, to, Taken); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "consent.withdraw", Object: id.String(), Detail: fmt.Sprintf("purpose=%s to=%s recalls=%d unsent=%d", purpose, to, len(recalls), unsent)})
	})
	if err != nil {
		return nil, 0, err
	}
	return recalls, unsent, nil
}

// takenBack returns the answers with the yeses marked, and a plain no behind them, which
// also covers what was shared on a notice alone.
func (d *Desk) takenBack(answers []registry.Consent, purpose Purpose, to string) []registry.Consent {
	today := d.today()
	out := slices.Clone(answers)
	concerns := func(c registry.Consent) bool {
		return c.Purpose == AnySharing || Purpose(c.Purpose).Shared() && (purpose == "" || c.Purpose == string(purpose))
	}
	for i, c := range out {
		if !concerns(c) || !c.Given || c.Withdrawn != "" {
			continue
		}
		if to == "" && (purpose == "" || c.Purpose == string(purpose)) {
			out[i].Withdrawn = today
			continue
		}
		if at := slices.Index(c.Recipients, to); at >= 0 && c.Purpose != AnySharing {
			if len(c.Recipients) == 1 {
				out[i].Withdrawn = today
				continue
			}
			// Of several recipients one is taken back: the others' yes goes on.
			out[i].Recipients = slices.Delete(slices.Clone(c.Recipients), at, at+1)
			out[i].Declined = append(slices.Clone(c.Declined), to)
		}
	}
	no := registry.Consent{ID: newID(), Purpose: AnySharing, How: "withdrawal", By: "self", On: today}
	if purpose != "" {
		no.Purpose = string(purpose)
	}
	if to != "" {
		no.Declined = []string{to}
	}
	return append(out, no)
}

func newID() string {
	var n [8]byte
	rand.Read(n[:]) // never fails: package crypto/rand
	return hex.EncodeToString(n[:])
}

// recall keeps a recall for each party that got the row of a record, an agreement each,
// and is not told already. A file that waits is void instead.
func (d *Desk) recall(tx Tx, id registry.ID, purpose Purpose, to string, why Why) (out []Recall, unsent int, err error) {
	shares, err := SharesOf(tx, id)
	if err != nil {
		return nil, 0, err
	}
	before, err := readPapers[Recall](tx, kindRecall, id)
	if err != nil {
		return nil, 0, err
	}
	for _, s := range shares {
		if s.Void || s.Agreement == "" || to != "" && s.To != to || purpose != "" && s.Purpose != purpose ||
			slices.ContainsFunc(before, func(r Recall) bool { return r.Why == why && slices.Contains(r.Shares, s.ID) }) {
			continue
		}
		if s.Waits {
			unsent++
			s.Waits, s.Void = false, true
			if err := savePaper(tx, Paper{Kind: kindShare, ID: s.ID, At: s.At}, s); err != nil {
				return nil, 0, err
			}
			continue
		}
		i := slices.IndexFunc(out, func(r Recall) bool { return r.Agreement == s.Agreement })
		if i < 0 {
			a, err := AgreementIn(tx, s.Agreement)
			if err != nil {
				return nil, 0, err
			}
			i = len(out)
			out = append(out, Recall{ID: newID(), Unit: id, To: s.To, Name: s.Name, Issuer: a.With.Issuer, Agreement: s.Agreement, Why: why, At: d.now(), Due: d.now().Add(AnswerDue)})
		}
		if len(out[i].Shares) < maxRefs {
			out[i].Shares = append(out[i].Shares, s.ID)
		}
	}
	for _, r := range out {
		if err := saveRecall(tx, r); err != nil {
			return nil, 0, err
		}
		if err := tx.Note(access.Entry{Action: "recall.make", Object: r.ID, Reason: string(why), Detail: fmt.Sprintf("unit=%s to=%s agreement=%s files=%d", id, r.To, r.Agreement, len(r.Shares))}); err != nil {
			return nil, 0, err
		}
	}
	return out, unsent, nil
}

func saveRecall(tx Tx, r Recall) error {
	return savePaper(tx, Paper{Kind: kindRecall, ID: r.ID, Unit: r.Unit, At: r.At}, r)
}

// Recalls are those about a record, oldest first; of everybody where id is zero.
func (d *Desk) Recalls(ctx context.Context, id registry.ID) (all []Recall, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		all, err = readPapers[Recall](v, kindRecall, id)
		return err
	})
	return all, err
}

// A Naming says what a record goes by in a file: package export has it, as it wrote it.
type Naming func(v registry.View, s *Share, id registry.ID) (string, error)

// Letter is the letter of a recall, to be signed and handed to the recipient. Files in
// which she went by the number of her list can be named only while her record is there.
func (d *Desk) Letter(ctx context.Context, id string, name Naming) (l Letter, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		r, err := readPaper[Recall](v, kindRecall, id)
		if err != nil {
			return recallError(err)
		}
		if r.Issuer == "" {
			return deny(DeniedUnproved, "agreement %s does not say who %s is on the trust list, so no letter of it can be proved: tell it another way, and record its answer", r.Agreement, r.To)
		}
		raw, err := hex.DecodeString(r.ID)
		if err != nil {
			return err
		}
		l = Letter{ID: [8]byte(raw), From: d.Org, To: r.Issuer, Agreement: r.Agreement, Why: r.Why, At: r.At.UTC().Truncate(time.Second), By: r.Due.UTC().Truncate(time.Second)}
		for _, one := range r.Shares {
			s, err := readPaper[Share](v, kindShare, one)
			if err != nil {
				return err
			}
			file, err := hex.DecodeString(s.SHA256)
			if err != nil || len(file) != sha256.Size {
				return fmt.Errorf("rights: stored share %s: no digest", s.ID)
			}
			text, err := name(v, &s, r.Unit)
			if errors.Is(err, registry.ErrErased) {
				continue
			}
			if err != nil {
				return err
			}
			l.Refs = append(l.Refs, Ref{[32]byte(file), text})
		}
		return l.check()
	})
	return l, err
}

func recallError(err error) error {
	if errors.Is(err, ErrNoPaper) {
		return deny(DeniedNoRecall, "there is no such recall here")
	}
	return err
}

// Sent remembers the digest of a letter that was written, so that its answer is known.
func (d *Desk) Sent(ctx context.Context, by access.Actor, id string, letter [32]byte) error {
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		r, err := readPaper[Recall](tx, kindRecall, id)
		if err != nil || slices.Contains(r.Letters, letter) {
			return recallError(err)
		}
		r.Letters = append(r.Letters, letter)
		if err := saveRecall(tx, r); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "recall.send", Object: id, Digest: letter, Detail: "to=" + r.To})
	})
}

// TakeReply records the answer of a recipient, which was proved. A later one stands in
// place of an earlier; the same again changes nothing.
func (d *Desk) TakeReply(ctx context.Context, by access.Actor, a Reply, digest [32]byte) (r Recall, err error) {
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		if r, err = readPaper[Recall](tx, kindRecall, hex.EncodeToString(a.Recall[:])); err != nil {
			return recallError(err)
		}
		switch {
		case a.To != d.Org || a.From != r.Issuer:
			return deny(DeniedNotSent, "recall %s was not sent to %s", r.ID, a.From)
		case !slices.Contains(r.Letters, a.Letter):
			return deny(DeniedNotOurs, "the answer is to a letter that was not written here")
		case !a.At.After(r.Answered):
			return nil
		}
		r.Answered, r.Outcome, r.Records, r.Spoken = a.At, a.Outcome, a.Records, ""
		if err := saveRecall(tx, r); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "recall.answer", Object: r.ID, Digest: digest, Detail: fmt.Sprintf("to=%s outcome=%s records=%d", r.To, r.Outcome, r.Records)})
	})
	return r, err
}

// TakeSpoken records what a recipient said that cannot sign a letter, and how.
func (d *Desk) TakeSpoken(ctx context.Context, by access.Actor, id string, o Outcome, how string) (r Recall, err error) {
	if !o.known() || !plain(how) {
		return r, deny(DeniedOutcome, "outcome: %s; and how it was said, in at most %d bytes", list(Outcomes()), maxWords)
	}
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		if r, err = readPaper[Recall](tx, kindRecall, id); err != nil {
			return recallError(err)
		}
		r.Answered, r.Outcome, r.Records, r.Spoken = d.now(), o, 0, how
		if err := saveRecall(tx, r); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "recall.answer", Object: r.ID, Reason: how, Detail: fmt.Sprintf("to=%s outcome=%s", r.To, r.Outcome)})
	})
	return r, err
}

// A TakenIn is a recall of somebody else's, and what was answered to it.
type TakenIn struct {
	ID      string        `json:"id"`
	From    string        `json:"from"`
	Units   []registry.ID `json:"units"` // records that came with those files
	Outcome Outcome       `json:"outcome"`
	At      time.Time     `json:"at"`
	Due     time.Time     `json:"due"`

	Agreement string `json:"agreement,omitempty"` // as the sender calls it
	Why       Why    `json:"why,omitempty"`
	Files     int    `json:"files,omitempty"` // that the letter names
	Reply     []byte `json:"reply,omitempty"` // signed; nil: the answer is with who took the letter in
}

// Waits reports whether records that were stopped are here yet, for somebody to erase.
func (in *TakenIn) Waits() bool { return in.Outcome == Stopped }

// TakeLetter takes in a recall that was proved: it finds the records that came with the
// named numbers, in the list they were imported as, puts a no to all sharing into them in
// this transaction, and says what to answer. outcome empty answers what is true by then:
// Stopped, or NotHeld where nothing is here. Deleted is refused while a record is there.
func (d *Desk) TakeLetter(ctx context.Context, by access.Actor, l Letter, digest [32]byte, listName string, outcome Outcome) (in TakenIn, reply Reply, err error) {
	if l.To != d.Org {
		return in, reply, deny(DeniedNotForUs, "the recall is for %s", l.To)
	}
	if outcome != "" && !outcome.known() {
		return in, reply, deny(DeniedOutcome, "outcome: %s", list(Outcomes()))
	}
	err = d.Store.WriteRights(ctx, by, func(tx Tx) error {
		in = TakenIn{ID: hex.EncodeToString(l.ID[:]), From: l.From, At: d.now(), Due: l.By, Agreement: l.Agreement, Why: l.Why, Files: len(l.Refs)}
		was, err := readPaper[TakenIn](tx, kindTaken, in.From+" "+in.ID)
		if err != nil && !errors.Is(err, ErrNoPaper) {
			return err
		}
		here, gone := 0, len(was.Units)
		for _, ref := range l.Refs {
			for _, kind := range []registry.Kind{registry.KindPerson, registry.KindHousehold} {
				id, ok, err := tx.Find(kind, listName, ref.Name)
				if err != nil {
					return err
				}
				if ok && !slices.Contains(in.Units, id) {
					here++
					in.Units = append(in.Units, id)
				}
				if erased, err := tx.Erased(kind, listName, ref.Name); err != nil {
					return err
				} else if erased && gone == 0 {
					gone = 1
				}
			}
		}
		switch {
		case outcome == Deleted && here > 0:
			return deny(DeniedStillHere, "%d of the records are here: erase them first, two people (aidpass registry erase)", here)
		case outcome == NotHeld && here > 0:
			return deny(DeniedStillHere, "%d of the records are here", here)
		case outcome == "" && here > 0:
			outcome = Stopped
		case outcome == "" && gone > 0:
			outcome = Deleted
		case outcome == "":
			outcome = NotHeld
		case (outcome == Stopped || outcome == Kept) && here == 0:
			return deny(DeniedNoneHere, "none of the records is here")
		}
		for _, id := range in.Units {
			answers, save, err := answersOf(tx, id)
			if err != nil {
				return err
			}
			if said, _ := Said(answers, "", Party{}, d.today()); said != No {
				if err := save(d.takenBack(answers, "", "")); err != nil {
					return err
				}
			}
		}
		in.Outcome = outcome
		for _, id := range was.Units { // erased since: that she was here is known by the paper alone
			if !slices.Contains(in.Units, id) {
				in.Units = append(in.Units, id)
			}
		}
		reply = Reply{Recall: l.ID, Letter: digest, From: d.Org, To: l.From, At: d.now().Truncate(time.Second), Outcome: outcome, Records: max(len(in.Units), gone)}
		if outcome == NotHeld {
			reply.Records = 0
		}
		if err := savePaper(tx, Paper{Kind: kindTaken, ID: in.From + " " + in.ID, At: in.At}, in); err != nil {
			return err
		}
		return tx.NoteAbout(access.Entry{Action: "recall.take", Object: in.ID, Digest: digest, Detail: fmt.Sprintf("outcome=%s records=%d", outcome, reply.Records)}, in.Units)
	})
	return in, reply, err
}

// TakenIns are the recalls of others, oldest first: what is Stopped still waits for somebody to erase it.
func (d *Desk) TakenIns(ctx context.Context) (all []TakenIn, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		all, err = readPapers[TakenIn](v, kindTaken, registry.ID{})
		return err
	})
	return all, err
}
