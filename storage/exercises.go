package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/rights"
)

// Exercises are papers: one of each, sealed under the organisation's key, and one of each unit
// that was invited, sealed under hers, which an erasure takes away.
const (
	exercisePaper rights.Kind = "exercise"
	invitedPaper              = rights.KindInvited
)

// ReadExercises implements exercise.Store.
func (o *Org) ReadExercises(ctx context.Context, fn func(exercise.View) error) error {
	return o.View(ctx, func(v registry.View) error { return fn(v.(records)) })
}

// WriteExercises implements exercise.Store.
func (o *Org) WriteExercises(ctx context.Context, by access.Actor, fn func(exercise.Tx) error) error {
	return o.Update(ctx, by, func(tx registry.Tx) error { return fn(tx.(records)) })
}

func (r records) Exercise(code string) (e exercise.Exercise, err error) {
	p, err := r.Paper(exercisePaper, code)
	if errors.Is(err, rights.ErrNoPaper) {
		return e, exercise.ErrNone
	}
	if err == nil {
		err = json.Unmarshal(p.Data, &e)
	}
	return e, err
}

func (r records) Exercises() (list []exercise.Exercise, err error) {
	all, err := r.Papers(exercisePaper, registry.ID{})
	for _, p := range all {
		var e exercise.Exercise
		if err := json.Unmarshal(p.Data, &e); err != nil {
			return nil, fmt.Errorf("storage: exercise %s: %w", p.ID, err)
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b exercise.Exercise) int { return strings.Compare(a.Code, b.Code) })
	return list, err
}

func (r records) SaveExercise(e exercise.Exercise) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return r.SavePaper(rights.Paper{Kind: exercisePaper, ID: e.Code, At: e.At, Data: data})
}

func invitedID(code string, unit registry.ID) string { return code + "/" + unit.String() }

func (r records) Invited(code string, unit registry.ID) (u exercise.Unit, err error) {
	p, err := r.Paper(invitedPaper, invitedID(code, unit))
	if errors.Is(err, rights.ErrNoPaper) {
		return u, exercise.ErrNotInvited
	}
	if err != nil {
		return u, err
	}
	return invited(p)
}

func invited(p rights.Paper) (u exercise.Unit, err error) {
	if err := json.Unmarshal(p.Data, &u); err != nil {
		return u, fmt.Errorf("storage: invited %s: %w", p.ID, err)
	}
	u.ID = p.Unit
	return u, nil
}

func (r records) AllInvited(code string, after registry.ID, limit int) (list []exercise.Unit, err error) {
	from, end := code+"/", code+"0" // the letter after the slash
	if !after.IsZero() {
		from = invitedID(code, after)
	}
	const of = `kind = $2 AND id IN (SELECT id FROM paper WHERE org_id = $1 AND kind = $2 AND id > $3 AND id < $4 ORDER BY id LIMIT $5)`
	all, err := r.papers(of, string(invitedPaper), from, end, limit)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		u, err := invited(p)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
	}
	slices.SortFunc(list, func(a, b exercise.Unit) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return list, nil
}

func (r records) SaveInvited(code string, u exercise.Unit) error {
	data, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return r.SavePaper(rights.Paper{Kind: invitedPaper, ID: invitedID(code, u.ID), Unit: u.ID, Private: true, At: u.At, Data: data})
}

var (
	_ exercise.Store = (*Org)(nil)
	_ exercise.Tx    = records{}
)
