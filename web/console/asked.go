package console

import (
	"html/template"
	"slices"
	"time"

	"aidpass/access"
)

// An askedRow is an open request for a second account, told on the page on which it was made.
type askedRow struct {
	Act      access.Act           `json:"act"`
	State    access.ApprovalState `json:"state"`
	By       string               `json:"by"`
	At       time.Time            `json:"at"`
	Approval string               `json:"approval,omitempty"` // empty: who looks may not read it

	Says template.HTML `json:"-"`
	Path string        `json:"-"` // of the request; empty as Approval
}

// asked are the open requests of acts whose object is one, the newest first.
func (p *Page) asked(object string, acts ...access.Act) ([]askedRow, error) {
	return p.waits(func(a *access.Approval) bool { return a.Object == object && slices.Contains(acts, a.Act) })
}

// waits are the open requests that match names, the newest first.
func (p *Page) waits(match func(*access.Approval) bool) (rows []askedRow, err error) {
	open, err := p.console.Door.Waits(p.Context(), match)
	for _, a := range open {
		r := askedRow{Act: a.Act, State: a.State, By: a.By, At: a.At}
		r.Says = p.T("approvals.asked_here", "what", p.Word("act.", a.Act), "by", a.By, "at", p.Time(a.At))
		if p.console.Door.Sees(p.In, a) {
			r.Approval, r.Path = a.ID, Root+"/approvals/"+a.ID
		}
		rows = append(rows, r)
	}
	return rows, err
}
