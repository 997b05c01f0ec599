package console

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/issuer/registry"
)

// presence is who has a form of a record open. It is kept in memory and for a short
// time: it is a courtesy, and nothing depends on it.
type presence struct {
	mu   sync.Mutex
	list map[registry.ID]map[string]time.Time // until when, by account
}

const (
	formStays    = 3 * time.Minute  // a form that only the page tells of
	streamStays  = 20 * time.Second // one whose page is told of news
	mostWatched  = 4096             // records
	watchedEvery = time.Second
)

func (p *presence) come(id registry.ID, account string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.list == nil || len(p.list) >= mostWatched {
		p.list = map[registry.ID]map[string]time.Time{}
	}
	if p.list[id] == nil {
		p.list[id] = map[string]time.Time{}
	}
	p.list[id][account] = until
}

func (p *presence) leave(id registry.ID, account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if delete(p.list[id], account); len(p.list[id]) == 0 {
		delete(p.list, id)
	}
}

// who are the others that have a form of a record open.
func (p *presence) who(id registry.ID, but string, now time.Time) (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for account, until := range p.list[id] {
		if !now.Before(until) {
			delete(p.list[id], account)
		} else if account != but {
			list = append(list, account)
		}
	}
	slices.Sort(list)
	return list
}

// stamp tells one state of a record from another, for a page to know that it is old.
func (s *People) stamp(p *Page, k *recordKind, id registry.ID) (string, error) {
	changes, undecided, err := s.Desk.Stamp(p.Context(), id, k.kind)
	return fmt.Sprintf("%d.%d", changes, undecided), err
}

// live tells who else is editing, and that a record has changed since the page was made,
// as events (HTML, server-sent events). It says nothing of what stands in it.
func (s *People) live(p *Page, k *recordKind, id registry.ID) error {
	stamp, err := s.stamp(p, k, id)
	if err != nil {
		return err
	}
	w := p.c.Response()
	w.Header().Set("Content-Type", eventMedia)
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	end := time.NewTimer(liveLife)
	defer end.Stop()
	tick := time.NewTicker(watchedEvery)
	defer tick.Stop()
	fmt.Fprint(w, "retry: 1000\n\n")
	for last := ""; ; {
		now := s.Desk.Now()
		if p.Query.Get("edit") != "" {
			s.at.come(id, p.In.Account.ID, now.Add(streamStays))
		}
		data, err := json.Marshal(map[string]string{"stamp": stamp, "says": string(editing(p, s.at.who(id, p.In.Account.ID, now)))})
		if err != nil {
			return err
		}
		if string(data) != last {
			last = string(data)
			fmt.Fprintf(w, "data: %s\n\n", data)
		} else {
			fmt.Fprint(w, ":\n\n") // finds out that nobody listens
		}
		if control.Flush() != nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return nil
		case <-p.Context().Done():
			return nil
		}
		if stamp, err = s.stamp(p, k, id); err != nil {
			return nil // the answer has begun: asking again tells it
		}
	}
}

// editing says who has a form open; empty for nobody.
func editing(p *Page, who []string) template.HTML {
	if len(who) == 0 {
		return ""
	}
	return p.T("people.editing", "who", strings.Join(who, ", "))
}
