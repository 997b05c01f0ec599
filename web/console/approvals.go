package console

import (
	"context"
	"encoding/hex"
	"html/template"
	"net/http"
	"slices"
	"time"

	"aidpass/access"
)

// A Teller is a screen that can say in words what an approval of one of its acts would
// change, as whoever approves it must know before she does.
type Teller interface {
	// Tell returns the sentences, made by p.T; nil for acts of other screens. Errors are
	// those of handlers.
	Tell(p *Page, a access.Approval) ([]template.HTML, error)
}

// A Pointer is a screen that has a page with the details of what is asked for.
type Pointer interface {
	// Where is its path below Root; "" for acts of other screens.
	Where(a access.Approval) string
}

// approvals are the requests that wait for a second account.
type approvals struct{ *Console }

func (a *approvals) Routes() []Route {
	reason := Lines("reason", 200)
	return []Route{
		{Method: http.MethodGet, Path: "/approvals", Act: Staff, Program: true, Answer: approvalList{}, Menu: "approvals.menu", Paged: true, Handler: a.list},
		{Method: http.MethodGet, Path: "/approvals/:approval", Act: Staff, Program: true, Answer: approvalView{}, Handler: a.show},
		{Method: http.MethodPost, Path: "/approvals/:approval/approve", Act: Staff, Form: []Field{Text("hash", 64)}, Handler: a.approve},
		{Method: http.MethodPost, Path: "/approvals/:approval/refuse", Act: Staff, Form: []Field{reason}, Handler: a.refuse},
		{Method: http.MethodPost, Path: "/approvals/:approval/withdraw", Act: Staff, Program: true, Form: []Field{reason}, Handler: a.withdraw},
	}
}

// Needs are the requests that this account could answer.
func (a *approvals) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	all, err := a.Door.Approvals(ctx, in)
	n := Need{Word: "approvals.need", Path: "/approvals"}
	for _, r := range all {
		if a.Door.CanApprove(in, r) {
			n.Count++
			n.Since = r.At // the newest come first
		}
	}
	return []Need{n}, err
}

type approvalsData struct {
	*approvalRow
	Rows   []approvalRow
	Paging *Paging
	Tells  []template.HTML
	Path   string // below Root, of the details; empty: there are none
}

// An approvalView is a request as programs see it: what it would change in words, and
// its fingerprint, and not its bytes.
type approvalView struct {
	ID       string
	Act      access.Act
	Object   string
	SHA256   string
	By       string
	At, Ends time.Time
	State    access.ApprovalState
	Second   string
	Why      string // it was asked for
	Reason   string // of a refusal
	Done     time.Time
	Changes  []template.HTML
}

type approvalList struct {
	Rows   []approvalView
	Paging *Paging
}

func (r *approvalRow) view(tells []template.HTML) approvalView {
	a := r.Approval
	return approvalView{a.ID, a.Act, a.Object, r.Hex, a.By, a.At, a.Ends, a.State, a.Second, a.Why, a.Reason, a.Done, tells}
}

// Programs implements forProgram.
func (d approvalsData) Programs() any {
	if d.approvalRow != nil {
		return d.view(d.Tells)
	}
	list := approvalList{Paging: d.Paging}
	for i := range d.Rows {
		list.Rows = append(list.Rows, d.Rows[i].view(nil))
	}
	return list
}

type approvalRow struct {
	access.Approval
	Hex       string
	Can, Mine bool
	Tells     []template.HTML // of one that waits
}

// tell says in words what a request would change.
func (a *approvals) tell(p *Page, r access.Approval) (tells []template.HTML, err error) {
	for _, screen := range a.screens {
		if t, ok := screen.(Teller); ok && tells == nil {
			if tells, err = t.Tell(p, r); err != nil {
				return nil, err
			}
		}
	}
	return tells, nil
}

func (a *approvals) row(p *Page, r access.Approval) approvalRow {
	return approvalRow{r, hex.EncodeToString(r.Hash[:]), a.Door.CanApprove(p.In, r), r.State == access.Waiting && access.SameAccount(r.By, p.In.Account.ID), nil}
}

// list has what waits for this account first.
func (a *approvals) list(p *Page) error {
	all, err := a.Door.Approvals(p.Context(), p.In)
	if err != nil {
		return err
	}
	rank := func(r access.Approval) int {
		switch {
		case a.Door.CanApprove(p.In, r):
			return 0
		case r.State == access.Waiting:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(x, y access.Approval) int { return rank(x) - rank(y) })
	d := approvalsData{Paging: p.Paging(len(all))}
	for _, r := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		row := a.row(p, r)
		if r.State == access.Waiting {
			if row.Tells, err = a.tell(p, r); err != nil {
				return err
			}
		}
		d.Rows = append(d.Rows, row)
	}
	return p.Show("approvals", "approvals.title", d)
}

func (a *approvals) show(p *Page) error {
	r, err := a.Door.Approval(p.Context(), p.In, p.Param("approval"))
	if err != nil {
		return err
	}
	row := a.row(p, r)
	d := approvalsData{approvalRow: &row}
	if d.Tells, err = a.tell(p, r); err != nil {
		return err
	}
	for _, screen := range a.screens {
		if t, ok := screen.(Pointer); ok && d.Path == "" {
			d.Path = t.Where(r)
		}
	}
	return p.Show("approval", "act."+string(r.Act), d)
}

// approve takes the hash that the page showed: what changed since is refused.
func (a *approvals) approve(p *Page) error {
	id := p.Param("approval")
	if _, err := a.Door.Approval(p.Context(), p.In, id); err != nil {
		return err
	}
	var hash [32]byte
	if b, err := hex.DecodeString(p.Form.Get("hash")); err != nil || len(b) != len(hash) {
		return errFields
	} else {
		copy(hash[:], b)
	}
	err := p.Do(func(ctx context.Context) error {
		_, err := a.Door.Approve(ctx, p.In, id, hash, nil)
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.approved"})
}

func (a *approvals) refuse(p *Page) error {
	id := p.Param("approval")
	if _, err := a.Door.Approval(p.Context(), p.In, id); err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("approvals.why")
	}
	if _, err := a.Door.Refuse(p.Context(), p.In, id, p.Form.Get("reason")); err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.refused"})
}

func (a *approvals) withdraw(p *Page) error {
	if _, err := a.Door.Withdraw(p.Context(), p.In, p.Param("approval"), p.Form.Get("reason")); err != nil {
		return err
	}
	return p.Done("/approvals", Note{Word: "approvals.withdrawn"})
}
