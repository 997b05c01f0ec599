package registrytest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/exercise"
	"aidpass/issuer/registry/rights"
)

var _ exercise.Store = (*Store)(nil)

// ReadExercises is View, with exercises.
func (s *Store) ReadExercises(ctx context.Context, fn func(exercise.View) error) error {
	return s.View(ctx, func(v registry.View) error { return fn(v.(*tx)) })
}

// WriteExercises is Update, with exercises.
func (s *Store) WriteExercises(ctx context.Context, by access.Actor, fn func(exercise.Tx) error) error {
	return s.Update(ctx, by, func(t registry.Tx) error { return fn(t.(*tx)) })
}

func (t *tx) Exercise(code string) (e exercise.Exercise, err error) {
	p, err := t.Paper("exercise", code)
	if err != nil {
		return e, exercise.ErrNone
	}
	return e, json.Unmarshal(p.Data, &e)
}

func (t *tx) Exercises() (list []exercise.Exercise, err error) {
	all, err := t.Papers("exercise", registry.ID{})
	for _, p := range all {
		var e exercise.Exercise
		if err := json.Unmarshal(p.Data, &e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b exercise.Exercise) int { return strings.Compare(a.Code, b.Code) })
	return list, err
}

func (t *tx) Invited(code string, unit registry.ID) (u exercise.Unit, err error) {
	p, err := t.Paper(rights.KindInvited, code+"/"+unit.String())
	if err != nil {
		return u, exercise.ErrNotInvited
	}
	err = json.Unmarshal(p.Data, &u)
	u.ID = unit
	return u, err
}

func (t *tx) AllInvited(code string, after registry.ID, limit int) (list []exercise.Unit, err error) {
	all, err := t.Papers(rights.KindInvited, registry.ID{})
	for _, p := range all {
		if strings.HasPrefix(p.ID, code+"/") && bytes.Compare(p.Unit[:], after[:]) > 0 {
			u, err := t.Invited(code, p.Unit)
			if err != nil {
				return nil, err
			}
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b exercise.Unit) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return list[:min(len(list), limit)], err
}

func (t *tx) SaveExercise(e exercise.Exercise) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return t.SavePaper(rights.Paper{Kind: "exercise", ID: e.Code, At: e.At, Data: data})
}

func (t *tx) SaveInvited(code string, u exercise.Unit) error {
	data, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return t.SavePaper(rights.Paper{Kind: rights.KindInvited, ID: code + "/" + u.ID.String(), Unit: u.ID, Private: true, At: u.At, Data: data})
}
