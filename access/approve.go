package access

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// An Executor is what carries an act out once two accounts agreed to it. Console and
// command line register the same ones ([Door.Handle]).
type Executor struct {
	// Payload makes the canonical bytes of an object as it is now. Approve compares their
	// hash: what changed since it was asked for is ErrChanged. nil where the payload says all.
	// It is compared again before an act that failed is tried again.
	Payload func(ctx context.Context, object string) ([]byte, error)
	// Again is Payload where the object alone does not say what was asked for: it makes the
	// payload of a as things are now. What a did already, before a stop, is a.Payload. One of
	// both is nil.
	Again func(ctx context.Context, a Approval) ([]byte, error)
	// Makers are the accounts that made what the object holds, whoever asks for it: none of
	// them approves it. nil: only who asks made it.
	Makers func(ctx context.Context, object string) ([]string, error)
	// Run carries a out in the name of who: the account that asked, with the one that
	// approved as its second person. After a stop it is called again, so it knows a.ID or
	// its object again and has no second effect.
	Run func(ctx context.Context, who Actor, a Approval) error
}

// Handle says how an act of the table is carried out. It is called before the Door is used;
// for an act without four eyes, or twice for one, it panics.
func (d *Door) Handle(a Act, e Executor) {
	if r, _ := RuleOf(a); !r.FourEyes || e.Run == nil {
		panic(fmt.Sprintf("access: %s is not an act under four eyes that can be carried out", a))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.executors == nil {
		d.executors = map[Act]Executor{}
	}
	if _, twice := d.executors[a]; twice {
		panic(fmt.Sprintf("access: %s is carried out in two ways", a))
	}
	d.executors[a] = e
}

func (d *Door) executor(a Act) (Executor, bool) {
	if a == AccountRecover {
		return Executor{Run: d.recovery}, true
	}
	if a == AccountGrant {
		return d.granting(), true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.executors[a]
	return e, ok
}

// A Request is what somebody wants a second account to approve.
type Request struct {
	Act     Act
	Object  string // random identifier; may be empty
	Payload []byte // canonical bytes; nil: what the act's executor makes of Object
	List    []byte // of many, up to MaxList bytes, where the payload has the SHA-256 of it in hex; nil: none
	Reason  string // why: a code or a few words without names
}

// Ask makes a request. The same account asking the same again gets the one that waits;
// with MaxWaiting of its requests waiting it is ErrManyWaiting.
func (d *Door) Ask(ctx context.Context, c Caller, r Request) (a Approval, err error) {
	now := d.now()
	rule, _ := RuleOf(r.Act)
	if !rule.FourEyes {
		return a, fmt.Errorf("%w: %q is no act under four eyes", ErrNotAllowed, r.Act)
	}
	if err := c.Check(r.Act, now); err != nil {
		return a, err
	}
	e, ok := d.executor(r.Act)
	if !ok {
		return a, fmt.Errorf("access: nothing here carries out %s", r.Act)
	}
	if r.Payload == nil && e.Payload != nil {
		if r.Payload, err = e.Payload(ctx, r.Object); err != nil {
			return a, err
		}
	}
	if len(r.Payload) == 0 || len(r.Payload) > MaxPayload {
		return a, fmt.Errorf("access: a payload of %d bytes, want 1 to %d: name large things by their hash", len(r.Payload), MaxPayload)
	}
	list, err := r.list()
	if err != nil {
		return a, err
	}
	makers, err := e.makers(ctx, r.Object)
	if err != nil {
		return a, err
	}
	who := c.Actor(r.Act)
	a = Approval{Makers: makers, List: list, ID: d.id(), Org: d.Store.ID(), Act: r.Act, Object: r.Object, Hash: HashPayload(r.Payload), Payload: slices.Clone(r.Payload),
		By: who.ID, At: now, Ends: now.Add(ApprovalLife), State: Waiting, Why: r.Reason}
	err = d.Store.WriteAccess(ctx, who, func(tx Tx) error {
		open, err := tx.OpenApprovals()
		if err != nil {
			return err
		}
		mine := 0
		for _, o := range open {
			if d.settle(&o); o.State != Waiting || o.By != a.By {
				continue
			}
			if mine++; o.Act == a.Act && o.Object == a.Object && o.Hash == a.Hash {
				a = o
				return nil
			}
		}
		if mine >= MaxWaiting {
			return ErrManyWaiting
		}
		if err := tx.SaveApproval(a); err != nil {
			return err
		}
		if r.List != nil {
			if err := tx.SaveApprovalList(a.ID, r.List); err != nil {
				return err
			}
		}
		return tx.Audit(d.entry("approval.ask", &a, a.Why))
	})
	if err != nil {
		return Approval{}, err
	}
	return a, nil
}

// list is the hash of the list of a request, which the payload must name.
func (r *Request) list() (hash [32]byte, err error) {
	if r.List == nil {
		return hash, nil
	}
	if len(r.List) > MaxList {
		return hash, fmt.Errorf("access: a list of %d bytes, want %d at most: ask for a part of it", len(r.List), MaxList)
	}
	hash = HashPayload(r.List)
	if !bytes.Contains(r.Payload, []byte(hex.EncodeToString(hash[:]))) {
		return hash, errors.New("access: the payload does not name its list by SHA-256 in hex: nobody would approve it")
	}
	return hash, nil
}

// List is what a names by its hash: ErrChanged when it is not what both accounts meant.
func (d *Door) List(ctx context.Context, a Approval) (list []byte, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		list, err = v.ApprovalList(a.ID)
		return err
	})
	if err == nil && HashPayload(list) != a.List {
		err = ErrChanged
	}
	return list, err
}

// Forget deletes requests that were over ApprovalKept ago, with what stands beside them.
func (d *Door) Forget(ctx context.Context) (n int, err error) {
	before := d.now().Add(-ApprovalKept)
	err = d.Store.WriteAccess(ctx, door, func(tx Tx) error {
		all, err := tx.Approvals()
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.over().After(before) {
				continue
			}
			if d.settle(&a); a.State == Lapsed {
				if err := tx.SaveApproval(a); err != nil { // its row is final from now on
					return err
				}
			}
			if err := tx.EndApproval(a.ID); err != nil {
				return err
			}
			n++
		}
		if n == 0 {
			return nil
		}
		return tx.Audit(Entry{Action: "approval.forget", Detail: fmt.Sprintf("requests=%d before=%s", n, before.Format(time.DateOnly))})
	})
	return n, err
}

func (e Executor) makers(ctx context.Context, object string) ([]string, error) {
	if e.Makers == nil {
		return nil, nil
	}
	return e.Makers(ctx, object)
}

// entry tells of an approval: its digest is what both accounts mean.
func (d *Door) entry(action Action, a *Approval, reason string) Entry {
	return Entry{Action: action, Object: a.ID, Reason: reason, Detail: fmt.Sprintf("act=%s object=%s", a.Act, a.Object), Digest: a.Hash}
}

// settle shows a request that nobody answered, or carried out, in time as what it is.
func (d *Door) settle(a *Approval) {
	if (a.State == Waiting || a.State == Approved) && !d.now().Before(a.Ends) {
		a.State = Lapsed
	}
}

// sees reports whether c may read a: who asked, who could approve, and who reads the log.
// A program sees what its account asked for where it could have asked itself.
func (d *Door) sees(c Caller, a *Approval) bool {
	rule, _ := RuleOf(a.Act)
	may := func(act Act) bool {
		err := c.Check(act, d.now())
		return err == nil || errors.Is(err, ErrStepUp)
	}
	return SameAccount(c.Actor(a.Act).ID, a.By) && (!isProgram(c) || may(a.Act)) || may(rule.Second) || may(AuditRead)
}

// isProgram reports whether a token asks, and no person.
func isProgram(c Caller) bool {
	if s, ok := c.(*Session); ok {
		return s.token != nil
	}
	_, ok := c.(*Token)
	return ok
}

// Approval is one that the caller may see, else ErrNoApproval.
func (d *Door) Approval(ctx context.Context, c Caller, id string) (a Approval, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		a, err = v.Approval(id)
		if err == nil && !d.sees(c, &a) {
			err = ErrNoApproval
		}
		return err
	})
	if err != nil {
		return Approval{}, err
	}
	d.settle(&a)
	return a, nil
}

// Approvals are those that the caller may see, newest first.
func (d *Door) Approvals(ctx context.Context, c Caller) ([]Approval, error) {
	return d.seen(ctx, c, View.Approvals)
}

// Open are those of them that wait, or are approved and not carried out.
func (d *Door) Open(ctx context.Context, c Caller) ([]Approval, error) {
	return d.seen(ctx, c, View.OpenApprovals)
}

// Waits are the open requests that match names, newest first, whoever looks: a page that
// asks for something tells that it is asked for already. Sees says who may read more of them.
func (d *Door) Waits(ctx context.Context, match func(*Approval) bool) (list []Approval, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		list, err = v.OpenApprovals()
		return err
	})
	for i := range list {
		d.settle(&list[i])
	}
	return slices.DeleteFunc(list, func(a Approval) bool { return a.State != Waiting && a.State != Approved || !match(&a) }), err
}

// Sees reports whether the caller may read a request.
func (d *Door) Sees(c Caller, a Approval) bool { return d.sees(c, &a) }

func (d *Door) seen(ctx context.Context, c Caller, which func(View) ([]Approval, error)) (list []Approval, err error) {
	err = d.Store.ReadAccess(ctx, func(v View) error {
		list, err = which(v)
		return err
	})
	list = slices.DeleteFunc(list, func(a Approval) bool { return !d.sees(c, &a) })
	for i := range list {
		d.settle(&list[i])
	}
	return list, err
}

// CanApprove reports whether the session's account may be the second of a, step-up apart.
func (d *Door) CanApprove(s *Session, a Approval) bool {
	rule, _ := RuleOf(a.Act)
	d.settle(&a)
	return a.State == Waiting && rule.FourEyes && May(s.Roles, rule.Second) && !a.made(s.Account.ID) && !s.Account.Given.madeAlone(a.By)
}

// CanWithdraw reports whether the session's account may take a back.
func (d *Door) CanWithdraw(s *Session, a Approval) bool {
	d.settle(&a)
	return a.State == Waiting && SameAccount(s.Account.ID, a.By) || a.State == Approved && (SameAccount(s.Account.ID, a.By) || SameAccount(s.Account.ID, a.Second))
}

// made reports whether an account asked for a, or made what it is about.
func (a *Approval) made(account string) bool {
	return SameAccount(account, a.By) || slices.ContainsFunc(a.Makers, func(m string) bool { return SameAccount(account, m) })
}

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
