package console

import (
	"html/template"
	"sync"
	"time"
)

// A Note tells on the next page what an act has done.
type Note struct {
	Word string // key of a sentence
	Fill []any  // as in T
	Undo *Undo  // nil: there is no way back, or none that is safe

	Says  template.HTML // what Word says; set by Done
	until time.Time
}

// An Undo is a form that takes an act back: a POST of the console like any other, with
// the same checks.
type Undo struct {
	Path   string // below Root
	Fields map[string]string
}

// notes are those that no page has shown yet, of each session the newest.
type notes struct {
	now  func() time.Time
	mu   sync.Mutex
	list map[[32]byte]*Note
}

const (
	noteLife = 2 * time.Minute
	maxNotes = 4096
)

func (n *notes) leave(token string, note *Note) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.now()
	if len(n.list) >= maxNotes {
		for k, old := range n.list {
			if now.After(old.until) {
				delete(n.list, k)
			}
		}
	}
	if n.list == nil || len(n.list) >= maxNotes {
		n.list = map[[32]byte]*Note{}
	}
	note.until = now.Add(noteLife)
	n.list[key(token)] = note
}

func (n *notes) take(token string) *Note {
	n.mu.Lock()
	defer n.mu.Unlock()
	note := n.list[key(token)]
	delete(n.list, key(token))
	if note == nil || n.now().After(note.until) {
		return nil
	}
	return note
}
