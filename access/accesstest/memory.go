// Package accesstest has a store of accounts in memory, for tests of what stands on
// package access, and the suite that every access.Store passes.
package accesstest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/access"
)

// Memory is an access.Store that forgets. Its log is chained as a real one.
type Memory struct {
	Org string
	Now func() time.Time

	mu   sync.Mutex
	data data
}

type kept struct {
	kind string
	ends time.Time
	data []byte
}

type tallyKey struct {
	what string
	day  int64
}

type data struct {
	accounts  map[string]access.Record
	sessions  map[access.Mark]access.SessionRow
	invites   map[access.Mark]access.Invite
	tokens    map[access.Mark]access.Token
	approvals map[string]access.Approval
	tries     map[string]access.Tries
	kept      map[access.Mark]kept
	tallies   map[tallyKey]int
	lists     map[string][]byte
	log       []access.Entry
}

func (d data) clone() data {
	return data{maps.Clone(d.accounts), maps.Clone(d.sessions), maps.Clone(d.invites), maps.Clone(d.tokens), maps.Clone(d.approvals),
		maps.Clone(d.tries), maps.Clone(d.kept), maps.Clone(d.tallies), maps.Clone(d.lists), slices.Clone(d.log)}
}

// New makes an empty store of an organisation. now is what its log goes by.
func New(org string, now func() time.Time) *Memory {
	return &Memory{Org: org, Now: now, data: data{map[string]access.Record{}, map[access.Mark]access.SessionRow{}, map[access.Mark]access.Invite{},
		map[access.Mark]access.Token{}, map[string]access.Approval{}, map[string]access.Tries{}, map[access.Mark]kept{}, map[tallyKey]int{}, map[string][]byte{}, nil}}
}

// ID is the organisation's.
func (m *Memory) ID() string { return m.Org }

// Audit calls yield with every entry of the log, oldest first.
func (m *Memory) Audit(_ context.Context, yield func(*access.Entry) error) error {
	m.mu.Lock()
	log := slices.Clone(m.data.log)
	m.mu.Unlock()
	for i := range log {
		if err := yield(&log[i]); err != nil {
			return err
		}
	}
	return nil
}

// ReadAccess implements access.Store.
func (m *Memory) ReadAccess(_ context.Context, work func(access.View) error) error {
	m.mu.Lock()
	d := m.data.clone()
	m.mu.Unlock()
	return work(&tx{data: d})
}

// WriteAccess implements access.Store.
func (m *Memory) WriteAccess(_ context.Context, by access.Actor, work func(access.Tx) error) error {
	if err := by.Check(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &tx{data: m.data.clone(), org: m.Org, by: by, now: m.Now()}
	if err := work(t); err != nil {
		return err
	}
	if t.broken != nil {
		return t.broken
	}
	if t.changed && len(t.log) == len(m.data.log) {
		return errors.New("accesstest: a change without an entry in the log")
	}
	m.data = t.data
	return nil
}

type tx struct {
	data
	org     string
	by      access.Actor
	now     time.Time
	changed bool
	broken  error
}

func (t *tx) Account(id string) (access.Record, error) {
	r, ok := t.accounts[id]
	if !ok {
		return r, access.ErrNoAccount
	}
	return copied(r), nil
}

// copied parts a record from the stored one, whose slices a caller may write in.
func copied(r access.Record) access.Record {
	r.Roles, r.Passkeys, r.Subjects = slices.Clone(r.Roles), slices.Clone(r.Passkeys), slices.Clone(r.Subjects)
	r.Settle()
	return r
}

func (t *tx) Accounts() (list []access.Record, err error) {
	for _, id := range slices.Sorted(maps.Keys(t.accounts)) {
		list = append(list, copied(t.accounts[id]))
	}
	return list, nil
}

func (t *tx) owner(has func(access.Record) bool) (string, error) {
	for id, r := range t.accounts {
		if has(r) {
			return id, nil
		}
	}
	return "", access.ErrNoAccount
}

func (t *tx) PasskeyOwner(credential []byte) (string, error) {
	return t.owner(func(r access.Record) bool {
		return slices.ContainsFunc(r.Passkeys, func(k access.Passkey) bool { return bytes.Equal(k.ID, credential) })
	})
}

func (t *tx) SubjectOwner(s access.Subject) (string, error) {
	return t.owner(func(r access.Record) bool { return slices.Contains(r.Subjects, s) })
}

func (t *tx) SaveAccount(r access.Record) error {
	for _, k := range r.Passkeys {
		if id, err := t.PasskeyOwner(k.ID); err == nil && id != r.ID {
			return t.fail(access.ErrTaken)
		}
	}
	for _, s := range r.Subjects {
		if id, err := t.SubjectOwner(s); err == nil && id != r.ID {
			return t.fail(access.ErrTaken)
		}
	}
	t.accounts[r.ID], t.changed = copied(r), true
	return nil
}

// fail makes sure that nothing stays of a transaction whose caller did not look.
func (t *tx) fail(err error) error {
	t.broken = err
	return err
}

func (t *tx) Session(mark access.Mark) (access.SessionRow, error) {
	s, ok := t.sessions[mark]
	if !ok {
		return s, access.ErrNoSession
	}
	return s, nil
}

func (t *tx) Sessions(account string) (list []access.SessionRow, err error) {
	for _, s := range t.sessions {
		if s.Account == account {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b access.SessionRow) int { return b.Created.Compare(a.Created) })
	return list, nil
}

func (t *tx) SaveSession(s access.SessionRow) error { t.sessions[s.Mark] = s; return nil }
func (t *tx) EndSession(mark access.Mark) error     { delete(t.sessions, mark); return nil }

func (t *tx) EndSessions(account string, but access.Mark) error {
	maps.DeleteFunc(t.sessions, func(m access.Mark, s access.SessionRow) bool { return s.Account == account && m != but })
	return nil
}

func (t *tx) Invite(mark access.Mark) (access.Invite, error) {
	i, ok := t.invites[mark]
	if !ok {
		return i, access.ErrNoInvite
	}
	return i, nil
}

func (t *tx) SaveInvite(i access.Invite) error { t.invites[i.Mark], t.changed = i, true; return nil }

func (t *tx) EndInvites(account string) error {
	maps.DeleteFunc(t.invites, func(_ access.Mark, i access.Invite) bool { return i.Account == account })
	return nil
}

func (t *tx) Token(mark access.Mark) (access.Token, error) {
	k, ok := t.tokens[mark]
	if !ok {
		return k, access.ErrNoToken
	}
	return k, nil
}

func (t *tx) Tokens() ([]access.Token, error) {
	list := slices.Collect(maps.Values(t.tokens))
	slices.SortFunc(list, func(a, b access.Token) int { return cmp.Or(b.Created.Compare(a.Created), strings.Compare(a.ID, b.ID)) })
	return list, nil
}

func (t *tx) SaveToken(k access.Token) error {
	was, ok := t.tokens[k.Mark]
	t.changed = t.changed || !ok || !was.Revoked.Equal(k.Revoked)
	t.tokens[k.Mark] = k
	return nil
}

func (t *tx) Approval(id string) (access.Approval, error) {
	a, ok := t.approvals[id]
	if !ok {
		return a, access.ErrNoApproval
	}
	return a, nil
}

func (t *tx) Approvals() ([]access.Approval, error) {
	list := slices.Collect(maps.Values(t.approvals))
	slices.SortFunc(list, func(a, b access.Approval) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(a.ID, b.ID)) })
	return list, nil
}

func (t *tx) OpenApprovals() ([]access.Approval, error) {
	list, err := t.Approvals()
	return slices.DeleteFunc(list, func(a access.Approval) bool { return a.State != access.Waiting && a.State != access.Approved }), err
}

func (t *tx) ApprovalList(id string) ([]byte, error) {
	list, ok := t.lists[id]
	if !ok {
		return nil, access.ErrNoApproval
	}
	return list, nil
}

func (t *tx) SaveApprovalList(id string, list []byte) error { t.lists[id] = list; return nil }

func (t *tx) EndApproval(id string) error {
	if s := t.approvals[id].State; s == access.Waiting || s == access.Approved {
		return t.fail(errors.New("accesstest: an open approval stays"))
	}
	t.changed = true
	delete(t.approvals, id)
	delete(t.lists, id)
	return nil
}

func (t *tx) SaveApproval(a access.Approval) error {
	t.approvals[a.ID], t.changed = a, true
	return nil
}

func (t *tx) Tries(about string) (access.Tries, error)     { return t.tries[about], nil }
func (t *tx) SaveTries(about string, n access.Tries) error { t.tries[about] = n; return nil }

func (t *tx) Tally(what string, day int64) (int, error) { return t.tallies[tallyKey{what, day}], nil }
func (t *tx) SaveTally(n access.Tally) error            { t.tallies[tallyKey{n.What, n.Day}] = n.N; return nil }

func (t *tx) Keep(mark access.Mark, kind string, ends time.Time, b []byte) error {
	t.kept[mark] = kept{kind, ends, b}
	return nil
}

func (t *tx) Take(mark access.Mark, kind string) ([]byte, time.Time, error) {
	k, ok := t.kept[mark]
	if !ok || k.kind != kind {
		return nil, time.Time{}, access.ErrNothingKept
	}
	delete(t.kept, mark)
	return k.data, k.ends, nil
}

func (t *tx) Sweep(now time.Time) error {
	maps.DeleteFunc(t.sessions, func(_ access.Mark, s access.SessionRow) bool { return now.Sub(s.Created) >= access.SessionLife })
	maps.DeleteFunc(t.invites, func(_ access.Mark, i access.Invite) bool { return !now.Before(i.Ends) })
	maps.DeleteFunc(t.kept, func(_ access.Mark, k kept) bool { return !now.Before(k.ends) })
	maps.DeleteFunc(t.tallies, func(k tallyKey, _ int) bool { return k.day < now.Add(-access.TallyLife).Unix()/86400 })
	maps.DeleteFunc(t.tries, func(_ string, n access.Tries) bool {
		return now.Sub(n.Last) >= access.TriesLife && now.Sub(n.Good) >= access.GoodLife
	})
	return nil
}

func (t *tx) Audit(e access.Entry) error {
	e.Org, e.Time = t.org, t.now
	if e.Actor.ID == "" {
		e.Actor = t.by
	}
	if err := e.Check(); err != nil {
		return t.fail(fmt.Errorf("accesstest: %w", err))
	}
	var head access.Head
	if n := len(t.log); n > 0 {
		head = access.Head{Seq: t.log[n-1].Seq, Hash: t.log[n-1].Hash}
	}
	e.Link(head)
	t.log = append(t.log, e)
	return nil
}

var _ access.Store = (*Memory)(nil)
