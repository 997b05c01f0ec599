package registry

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aidpass/access"
)

// codeSigns are those of a programme's code: no letter or digit that is taken for
// another, and no vowel, so that no code speaks (DOMAIN.md 8.1).
const codeSigns = "23456789BCDFGHJKMNPQRSTVWXZ"

// NewProgrammeCode draws a code of four signs.
func NewProgrammeCode() string {
	b := make([]byte, 4)
	rand.Read(b) // never fails: package crypto/rand
	for i, c := range b {
		b[i] = codeSigns[int(c)%len(codeSigns)]
	}
	return string(b)
}

// Modalities of a programme.
var modalities = []string{"cash", "voucher", "in_kind", "service"}

// SaveProgramme stores a programme, new or changed. An empty code is drawn. Rounds
// are kept by number; those already stored stay.
func (r *Registry) SaveProgramme(ctx context.Context, p Programme) (Programme, error) {
	if err := checkProgramme(p); err != nil {
		return p, err
	}
	err := r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		for p.Code == "" {
			code := NewProgrammeCode()
			if _, err := tx.Programme(code); errors.Is(err, ErrNotFound) {
				p.Code = code
			} else if err != nil {
				return err
			}
		}
		old, err := tx.Programme(p.Code)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case old.Counts != p.Counts:
			return refuse(RefusedCounts, "registry: programme %s counts %ss: make a new programme to count others", p.Code, old.Counts)
		}
		if old.Currency != "" && old.Currency != p.Currency {
			if err := plannedIn(tx, old); err != nil {
				return err
			}
		}
		for _, round := range old.Rounds {
			if !slices.ContainsFunc(p.Rounds, func(n Round) bool { return n.N == round.N }) {
				p.Rounds = append(p.Rounds, round)
			}
		}
		sortRounds(p.Rounds)
		if err := tx.SaveProgramme(p); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "programme.save", Object: p.Code, Detail: fmt.Sprintf("rounds=%d", len(p.Rounds))})
	})
	return p, err
}

// SaveRound stores a round of a programme, new or changed.
func (r *Registry) SaveRound(ctx context.Context, code string, round Round) (p Programme, err error) {
	if err := checkRound(round); err != nil {
		return p, err
	}
	err = r.Store.Update(ctx, r.Actor, func(tx Tx) error {
		if p, err = tx.Programme(code); err != nil {
			return fmt.Errorf("registry: programme %q: %w", code, err)
		}
		p.Rounds = slices.DeleteFunc(slices.Clone(p.Rounds), func(o Round) bool { return o.N == round.N })
		p.Rounds = append(p.Rounds, round)
		sortRounds(p.Rounds)
		if err := tx.SaveProgramme(p); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "programme.round", Object: code, Detail: fmt.Sprintf("round=%d", round.N)})
	})
	return p, err
}

// Programme reads a programme.
func (r *Registry) Programme(ctx context.Context, code string) (p Programme, err error) {
	err = r.Store.View(ctx, func(v View) error {
		p, err = v.Programme(code)
		return err
	})
	return p, err
}

// Programmes lists them by code.
func (r *Registry) Programmes(ctx context.Context) (list []Programme, err error) {
	err = r.Store.View(ctx, func(v View) error {
		list, err = v.Programmes()
		return err
	})
	return list, err
}

// plannedIn refuses a programme in whose currency something is planned or was given.
func plannedIn(v View, p Programme) error {
	for _, round := range p.Rounds {
		err := v.Entitlements(p.Code, round.N, func(e Entitlement) error {
			if e.Amount == "" {
				return nil
			}
			return refuse(RefusedOtherCurrency, "registry: programme %s has amounts of %s in round %d: make a new programme for another currency", p.Code, p.Currency, round.N)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SpeakingCode reports whether a programme's code may be read as a word or as letters
// that mean something: it has a vowel, or no digit.
func SpeakingCode(code string) bool {
	return strings.ContainsAny(code, "AEIOU") || !strings.ContainsAny(code, "0123456789")
}

func sortRounds(rounds []Round) {
	slices.SortFunc(rounds, func(a, b Round) int { return cmp.Compare(a.N, b.N) })
}

func checkProgramme(p Programme) error {
	for i := range len(p.Code) {
		if c := p.Code[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') || len(p.Code) > 8 {
			return refuse(RefusedProgrammeCode, "registry: programme code %q: up to 8 of A to Z and 0 to 9", p.Code)
		}
	}
	if !slices.Contains(modalities, p.Modality) {
		return refuse(RefusedModality, "registry: modality %q: one of %q", p.Modality, modalities)
	}
	if p.Counts != KindPerson && p.Counts != KindHousehold {
		return refuse(RefusedCountsWhat, "registry: a programme counts persons or households, not %q", p.Counts)
	}
	if p.Currency != "" {
		if _, err := CurrencyDigits(p.Currency); err != nil {
			return err
		}
	}
	if err := checkDays(p.Start, p.End); err != nil {
		return err
	}
	for _, r := range p.Rounds {
		if err := checkRound(r); err != nil {
			return err
		}
	}
	return nil
}

func checkRound(r Round) error {
	if r.N == 0 || r.N > 9999 {
		return refuse(RefusedRoundNumber, "registry: round %d: rounds are numbered from 1", r.N)
	}
	return checkDays(r.Opens, r.Closes)
}

func checkDays(from, to string) error {
	for _, d := range []string{from, to} {
		if _, err := time.Parse(time.DateOnly, d); d != "" && err != nil {
			return refuse(RefusedDay, "registry: day %q: write 2026-11-21", d)
		}
	}
	if from != "" && to != "" && to < from {
		return refuse(RefusedEndsBefore, "registry: it ends on %s, before it begins on %s", to, from)
	}
	return nil
}
