package access

import (
	"context"
	"errors"
	"slices"
)

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
