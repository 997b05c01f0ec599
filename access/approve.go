package access

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
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
