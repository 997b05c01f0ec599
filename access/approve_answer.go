package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Approve is the second account's yes to the bytes of hash, and carries the act out. proof
// is a WebAuthn assertion with hash as its challenge, which the caller has proved, or empty.
//
// Only a session can, never a token or the laptop: what counts is that another person
// looked. Who asked, or made what it is about, is ErrOwnApproval, whatever their roles, and whom who
// asked let in alone ErrOwnMade; a hash that is not the stored
// one, or not of the object as it is now, ErrChanged; past what two accounts approve for each other on a day ErrPair; a request that is refused, withdrawn or
// too old ErrClosed. Approving again what one approved oneself gives the same answer and does nothing more.
//
// An error of the executor comes back, with the request approved: Carry tries again for
// ApprovalLife, unless one of the two accounts takes it back.
func (d *Door) Approve(ctx context.Context, s *Session, id string, hash [32]byte, proof []byte) (Approval, error) {
	a, err := d.second(ctx, s, id)
	if err != nil {
		return Approval{}, err
	}
	rule, _ := RuleOf(a.Act)
	who := s.Actor(rule.Second)
	if len(proof) > maxProof {
		return Approval{}, fmt.Errorf("access: a proof of over %d bytes", maxProof)
	}
	if a.Hash != hash || a.Hash != HashPayload(a.Payload) {
		return Approval{}, ErrChanged
	}
	if a.Second == who.ID && (a.State == Approved || a.State == Carried) {
		return a, nil
	}
	if a.State != Waiting {
		return Approval{}, ErrClosed
	}
	if err := d.unmade(ctx, s, &a); err != nil {
		return Approval{}, err
	}
	if err := d.unchanged(ctx, s.Actor(rule.Second), &a); err != nil {
		return Approval{}, err
	}
	most, err := d.pairs(ctx)
	if err != nil {
		return Approval{}, err
	}
	err = d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		if err := d.pairOnce(tx, most, a.By, who.ID); err != nil {
			return err
		}
		now, err := tx.Approval(id)
		if err != nil {
			return err
		}
		if d.settle(&now); now.State != Waiting || now.Hash != a.Hash {
			return ErrClosed // somebody was quicker
		}
		a = now
		a.State, a.Second, a.Proof, a.Ends = Approved, who.ID, proof, d.now().Add(ApprovalLife)
		if err := tx.SaveApproval(a); err != nil {
			return err
		}
		e := d.entry("approval.approve", &a, "")
		e.Detail += " proof=" + proofWord(proof)
		if len(proof) > 0 { // the request is forgotten some day, and its proof with it
			e.Detail += fmt.Sprintf(" proof-sha256=%x", sha256.Sum256(proof))
		}
		return tx.Audit(e)
	})
	if err != nil {
		return Approval{}, err
	}
	return d.carry(ctx, a, false)
}

// proofWord tells in the log how a second account said yes.
func proofWord(proof []byte) string {
	if len(proof) > 0 {
		return "passkey" // which signed the hash
	}
	return "sign-in"
}

// maxProof bounds a WebAuthn assertion: client data, authenticator data, signature.
const maxProof = 8 << 10

// second is the request that s answers as the second of four eyes.
func (d *Door) second(ctx context.Context, s *Session, id string) (Approval, error) {
	a, err := d.Approval(ctx, s, id)
	if err != nil {
		return a, err
	}
	rule, _ := RuleOf(a.Act)
	if SameAccount(s.Account.ID, a.By) {
		return a, ErrOwnApproval // before all else: it is no question of roles
	}
	return a, s.Check(rule.Second, d.now())
}

// unmade refuses a second account that made what it is about, as it is now.
func (d *Door) unmade(ctx context.Context, s *Session, a *Approval) error {
	e, _ := d.executor(a.Act)
	now, err := e.makers(ctx, a.Object)
	if err != nil {
		return err
	}
	if a.Makers = append(a.Makers, now...); a.made(s.Account.ID) {
		return ErrOwnApproval
	}
	if s.Account.Given.madeAlone(a.By) {
		return ErrOwnMade
	}
	return nil
}

// unchanged holds what was asked for against what is there now; who is told to the log.
func (d *Door) unchanged(ctx context.Context, who Actor, a *Approval) error {
	e, ok := d.executor(a.Act)
	if !ok {
		return fmt.Errorf("access: nothing here carries out %s", a.Act)
	}
	var payload []byte
	var err error
	switch {
	case e.Again != nil:
		payload, err = e.Again(ctx, *a)
	case e.Payload != nil:
		payload, err = e.Payload(ctx, a.Object)
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if HashPayload(payload) == a.Hash {
		return nil
	}
	noted := d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		return tx.Audit(d.entry("approval.changed", a, ""))
	})
	return errors.Join(ErrChanged, noted)
}

// carry carries out what was approved, once: who asked must still be allowed to, its time
// must not be over, and where it is tried again, it must be what was approved.
func (d *Door) carry(ctx context.Context, a Approval, again bool) (Approval, error) {
	e, ok := d.executor(a.Act)
	if !ok {
		return a, fmt.Errorf("access: nothing here carries out %s", a.Act)
	}
	d.carrying.Lock() // of two that carry, the second finds it done
	defer d.carrying.Unlock()
	var who Actor
	err := d.Store.ReadAccess(ctx, func(v View) (err error) {
		if a, err = v.Approval(a.ID); err != nil {
			return err
		}
		if d.settle(&a); a.State != Approved {
			return nil
		}
		if a.Hash != HashPayload(a.Payload) {
			return ErrChanged
		}
		r, err := v.Account(a.By)
		if err != nil {
			return err
		}
		if r.Disabled || !May(r.Roles, a.Act) {
			return fmt.Errorf("%w: %s, who asked, may not do it any more", ErrNotAllowed, a.By)
		}
		who = Actor{ID: a.By, Role: RoleFor(r.Roles, a.Act), SecondPerson: a.Second}
		return nil
	})
	if err != nil || a.State != Approved {
		return a, err
	}
	if again {
		if err := d.unchanged(ctx, who, &a); err != nil {
			return a, err
		}
	}
	if err := e.Run(ctx, who, a); err != nil {
		return a, fmt.Errorf("access: %s was approved and could not be carried out: %w", a.Act, err)
	}
	err = d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		now, err := tx.Approval(a.ID)
		if err != nil {
			return err
		}
		if a = now; a.State != Approved {
			return nil // another program was here
		}
		a.State, a.Done = Carried, d.now()
		if err := tx.SaveApproval(a); err != nil {
			return err
		}
		return tx.Audit(d.entry("approval.carried", &a, ""))
	})
	return a, err
}

// Carry carries out what is approved and was not finished: after a stop, or after its
// executor failed, while the time of the approval lasts. It is called when a program starts, and by whoever tries again.
func (d *Door) Carry(ctx context.Context) (n int, err error) {
	var open []Approval
	err = d.Store.ReadAccess(ctx, func(v View) error {
		open, err = v.OpenApprovals()
		return err
	})
	for _, a := range open {
		if d.settle(&a); a.State != Approved {
			continue
		}
		if _, here := d.executor(a.Act); !here {
			continue
		}
		if _, e := d.carry(ctx, a, true); e != nil {
			err = errors.Join(err, e)
		} else {
			n++
		}
	}
	return n, err
}

// Refuse is the second account's no, with a reason for who asked.
func (d *Door) Refuse(ctx context.Context, s *Session, id, reason string) (Approval, error) {
	a, err := d.second(ctx, s, id)
	if err != nil && !errors.Is(err, ErrStepUp) { // no needs no proof of identity
		return Approval{}, err
	}
	rule, _ := RuleOf(a.Act)
	return d.close(ctx, s.Actor(rule.Second), id, Refused, reason)
}

// Withdraw takes a request back: who asked can, and once it is approved and could not be
// carried out, who approved as well. A program can what it could have asked for itself.
func (d *Door) Withdraw(ctx context.Context, c Caller, id, reason string) (Approval, error) {
	a, err := d.Approval(ctx, c, id)
	if err != nil {
		return Approval{}, err
	}
	who := c.Actor(a.Act)
	if !SameAccount(who.ID, a.By) && (a.State != Approved || !SameAccount(who.ID, a.Second)) {
		return Approval{}, ErrNotAllowed
	}
	if isProgram(c) && (!SameAccount(who.ID, a.By) || errors.Is(c.Check(a.Act, d.now()), ErrNotAllowed)) {
		return Approval{}, ErrNotAllowed // it reads the log, and is nobody's second
	}
	d.carrying.Lock() // what is being carried out is not taken back meanwhile
	defer d.carrying.Unlock()
	return d.close(ctx, who, id, Withdrawn, reason)
}

func (d *Door) close(ctx context.Context, who Actor, id string, to ApprovalState, reason string) (a Approval, err error) {
	if len(reason) > MaxText || !utf8.ValidString(reason) {
		return a, fmt.Errorf("access: a reason is text of at most %d bytes", MaxText)
	}
	err = d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		if a, err = tx.Approval(id); err != nil {
			return err
		}
		d.settle(&a)
		switch {
		case a.State == to && to == Withdrawn:
			return nil
		case a.State != Waiting && (a.State != Approved || to != Withdrawn):
			return ErrClosed
		}
		a.State, a.Reason = to, reason
		action := Action("approval.withdraw")
		if to == Refused {
			a.Second, action = who.ID, "approval.refuse"
		}
		if err := tx.SaveApproval(a); err != nil {
			return err
		}
		return tx.Audit(d.entry(action, &a, reason))
	})
	if err != nil {
		return Approval{}, err
	}
	return a, nil
}
