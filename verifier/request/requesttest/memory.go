// Package requesttest holds a Store of requests in memory, for tests of what answers
// wallets. What is stored for good is package storage's, under its own suite.
package requesttest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/verifier/request"
)

// Memory is a request.Store. The zero value is empty. It may be used by several
// goroutines.
type Memory struct {
	mu      sync.Mutex
	records map[string]request.Record
}

var _ request.Store = (*Memory)(nil)

// AddRequest is of request.Store, as are the others.
func (m *Memory) AddRequest(_ context.Context, _ access.Actor, r request.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = map[string]request.Record{}
	}
	m.records[r.ID] = r
	return nil
}

func (m *Memory) Request(_ context.Context, id string) (request.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.records[id]; ok {
		return r, nil
	}
	return request.Record{}, request.ErrNotFound
}

func (m *Memory) RequestByHandle(_ context.Context, handle string) (request.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if r.Handle == handle {
			return r, nil
		}
	}
	return request.Record{}, request.ErrNotFound
}

func (m *Memory) ChangeRequest(_ context.Context, _ access.Actor, id string, change func(*request.Record) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[id]
	if !ok {
		return request.ErrNotFound
	}
	if err := change(&r); err != nil {
		return err
	}
	m.records[id] = r
	return nil
}

func (m *Memory) Requests(context.Context) (all []request.Record, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b request.Record) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func (m *Memory) DropRequests(_ context.Context, _ access.Actor, before time.Time) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, r := range m.records {
		if r.Ends.Before(before) {
			delete(m.records, id)
			n++
		}
	}
	return n, nil
}
