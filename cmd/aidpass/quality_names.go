package main

import (
	"context"
	"strings"
	"time"
	"unicode"

	"aidpass/issuer/registry/imports"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/web/console"
)

// cutNames are what values of a cut go by besides their code.
type cutNames map[string]console.CutName

// cutNames finds the names of a cut's values: the title of an exercise, or of a list the file
// and the day of the newest import that brought it.
func (o *org) cutNames(ctx context.Context, cut indicator.Cut) (cutNames, error) {
	names := cutNames{}
	switch cut {
	case indicator.Session:
		list, err := o.exercises().List(ctx)
		for _, e := range list {
			names[e.Code] = console.CutName{Text: plainName(e.Title)}
		}
		return names, err
	case indicator.Batch:
		err := o.store.ReadImports(ctx, func(v imports.View) error {
			list, err := v.Imports()
			for i := range list {
				m := &list[i]
				if m.State == imports.Applied && !m.Done.Before(names[m.Options.Source].Day) {
					names[m.Options.Source] = console.CutName{Text: plainName(m.Name), Day: m.Done}
				}
			}
			return err
		})
		return names, err
	}
	return names, nil
}

// plainName is a name that strangers wrote, without signs that turn others around, and short.
func plainName(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return s
}

// of is a value as it is printed: a code with its name, and an area that the list of place
// codes does not have as such.
func (n cutNames) of(cut indicator.Cut, value string) string {
	code, listed := indicator.Area(cut, value)
	if !listed {
		return code + " (not in the list)"
	}
	name, ok := n[value]
	if !ok {
		return value
	}
	parts := []string{}
	if value != "" {
		parts = append(parts, value)
	}
	if name.Text != "" {
		parts = append(parts, name.Text)
	}
	if !name.Day.IsZero() {
		parts = append(parts, name.Day.UTC().Format(time.DateOnly))
	}
	return strings.Join(parts, " · ")
}
