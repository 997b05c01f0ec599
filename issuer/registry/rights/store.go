package rights

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// ErrNoPaper is of a paper that is not there.
var ErrNoPaper = errors.New("rights: no such paper")

// A Paper is what a Store keeps beside the records: one of the kinds below, as JSON.
type Paper struct {
	Kind Kind
	ID   string      // unique in its kind
	Unit registry.ID // whom it is about; zero: nobody, or many
	// Private: sealed under the key of Unit, and gone when she is erased. Others are sealed
	// under the organisation's key and say nothing that tells who somebody is.
	Private bool
	At      time.Time // of its making
	Data    []byte
}

// A Kind of papers.
type Kind string

// The kinds.
const (
	kindAgreement Kind = "agreement"
	kindNotice    Kind = "notice"
	kindShare     Kind = "share"
	kindRecall    Kind = "recall"
	kindTaken     Kind = "taken" // a recall of somebody else's, and what was answered
	kindRequest   Kind = "request"
	kindTerms     Kind = "terms"
	kindRemoval   Kind = "removal" // what two accounts are asked to destroy
	// KindInvited is what an exercise keeps of a unit (exercise.Unit): its id is CODE/UNIT.
	KindInvited Kind = "invited"
)

// Kinds lists them: a store's check reads all.
func Kinds() []Kind {
	return []Kind{kindAgreement, kindNotice, kindShare, kindRecall, kindTaken, kindRequest, kindTerms, kindRemoval, KindInvited}
}

// A View reads records and papers in one transaction.
type View interface {
	registry.View
	// Paper is one, or ErrNoPaper; also where the person it was about is erased.
	Paper(kind Kind, id string) (Paper, error)
	// Papers are those of a kind, oldest first; of one unit where that is not zero. Private
	// ones of erased people are not among them.
	Papers(kind Kind, unit registry.ID) ([]Paper, error)
	// Handed returns the objects of the entries of an action that NoteAbout kept about a
	// record: the shares its row was in.
	Handed(action access.Action, about registry.ID) ([]string, error)
	// Closings are the records that were closed before a time and are closed still, the
	// oldest first; with photos, those that have a photograph.
	Closings(before time.Time, photos bool) ([]Closing, error)
	// Closing is that of one record; false: it is in use, or gone.
	Closing(id registry.ID) (Closing, bool, error)
}

// A Closing is what the terms of a closed record count from.
type Closing struct {
	Unit  registry.ID
	At    time.Time // of the change that closed it: a date that somebody wrote may lie anywhere
	Photo bool      // it has a photograph
}

// A Tx writes them.
type Tx interface {
	registry.Tx
	Paper(kind Kind, id string) (Paper, error)
	Papers(kind Kind, unit registry.ID) ([]Paper, error)
	Handed(action access.Action, about registry.ID) ([]string, error)
	Closings(before time.Time, photos bool) ([]Closing, error)
	Closing(id registry.ID) (Closing, bool, error)
	// SavePaper adds a paper, or replaces the one of its kind and id. It leaves no entry in
	// the log: Note one.
	SavePaper(Paper) error
}

// TakenBack is why records are erased that a list brought by mistake. Nobody of them asked
// for it: the right list may bring the same numbers.
const TakenBack = "import-taken-back"

// A Store keeps records and papers.
type Store interface {
	registry.Store
	ReadRights(ctx context.Context, fn func(View) error) error
	// WriteRights is Update with papers.
	WriteRights(ctx context.Context, by access.Actor, fn func(Tx) error) error
	// EraseAll is Erase of several in one transaction: before runs while they can be read,
	// after when the numbers of their lists are free again. Either may be nil. What is erased
	// for the reason TakenBack may be brought by a list again.
	EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(Tx) error) error
}

func readPaper[T any](v View, kind Kind, id string) (t T, err error) {
	p, err := v.Paper(kind, id)
	if err != nil {
		return t, err
	}
	return t, p.into(&t)
}

func readPapers[T any](v View, kind Kind, unit registry.ID) (out []T, err error) {
	papers, err := v.Papers(kind, unit)
	if err != nil {
		return nil, err
	}
	for i := range papers {
		var t T
		if err := papers[i].into(&t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (p *Paper) into(v any) error {
	if err := json.Unmarshal(p.Data, v); err != nil {
		return fmt.Errorf("rights: stored %s %s: %w", p.Kind, p.ID, err)
	}
	return nil
}

func savePaper(tx Tx, p Paper, v any) (err error) {
	if p.Data, err = json.Marshal(v); err != nil {
		return fmt.Errorf("rights: %s %s: %w", p.Kind, p.ID, err)
	}
	return tx.SavePaper(p)
}

// A Desk does the acts of this package on a store. It may be used by several goroutines.
type Desk struct {
	Store Store
	Org   string           // the organisation's id
	Now   func() time.Time // nil: time.Now
}

func (d *Desk) now() time.Time {
	if d.Now == nil {
		return time.Now().UTC()
	}
	return d.Now().UTC()
}

func (d *Desk) today() string { return d.now().Format(time.DateOnly) }
