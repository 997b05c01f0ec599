package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "People and households: who they are, who lives with whom, and how that changed",
		Example: `  aidpass registry show HH-0042 --list camp-north
  aidpass registry duplicates review
  aidpass registry split 6f2c... --leaving 91aa... --leaving 07bd...
  aidpass registry history 6f2c...`,
	}
	cmd.AddCommand(
		a.registryShowCommand(), a.registryLookedCommand(), a.registryFindCommand(), a.registryHistoryCommand(), a.registryCompareCommand(),
		a.registryDuplicatesCommand(), a.registrySplitCommand(), a.registryMergeCommand(), a.registryDiedCommand(), a.registryEraseCommand(),
		a.registryCollectorCommand(), a.registryFaceCommand(), a.registrySetCommand(), a.registryDecideCommand(),
		a.registryImportCommand(), a.registryExportCommand(), a.registryGateCommand(), a.registryContactCommand(),
	)
	return cmd
}

// desk is the registry of an open organisation, in the name of who acts.
func (o *org) desk(role access.Role) *registry.Registry {
	return &registry.Registry{Store: o.store, Actor: o.a.actor(role), Now: o.a.Now}
}

// whichRecord is a record as somebody at a desk names it.
type whichRecord struct{ list, kind string }

func (w *whichRecord) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.list, "list", "", "name of the list whose numbers people go by (default: the organisation's own)")
	cmd.Flags().StringVar(&w.kind, "kind", "", "person or household, where both have the number")
}

// find returns the records that a text may name: an id of 32 digits, a number of a
// list, a card number or credential.
func (w whichRecord) find(ctx context.Context, o *org, text string) (ids []registry.ID, err error) {
	if id, err := registry.ParseID(text); err == nil {
		return []registry.ID{id}, nil
	}
	kinds := []registry.Kind{registry.KindPerson, registry.KindHousehold}
	switch w.kind {
	case "":
	case "person", "household":
		kinds = []registry.Kind{registry.Kind(w.kind)}
	default:
		return nil, usagef("--kind %q", w.kind).hint("person or household")
	}
	err = o.store.View(ctx, func(v registry.View) error {
		for _, kind := range kinds {
			id, ok, err := v.Find(kind, w.list, text)
			if err != nil {
				return err
			}
			if ok {
				ids = append(ids, id)
			}
		}
		return nil
	})
	if err != nil || len(ids) > 0 || w.list != "" {
		return ids, err
	}
	// A card, or a number of a list that was not named: those who had a card have it.
	cards, err := o.store.FindCredentials(ctx, text)
	if err != nil {
		return nil, err
	}
	seen := map[registry.ID]bool{}
	for _, c := range cards {
		if !seen[c.Unit] {
			seen[c.Unit] = true
			ids = append(ids, c.Unit)
		}
	}
	return ids, nil
}

// one is find for exactly one record.
func (w whichRecord) one(ctx context.Context, o *org, text string) (registry.ID, error) {
	ids, err := w.find(ctx, o, text)
	switch {
	case err != nil:
		return registry.ID{}, err
	case len(ids) == 0:
		// What was typed may be a name, and stands in no error.
		return registry.ID{}, usagef("%w", registry.ErrNotFound).
			hint("an id of 32 digits, the number of a card, or the number in a list with --list NAME")
	case len(ids) > 1:
		called, err := o.called(ctx, ids...)
		if err != nil {
			return registry.ID{}, err
		}
		return registry.ID{}, usagef("that means %d records", len(ids)).hint("--kind person or --kind household, or one of the ids %s", strings.Join(called, ", "))
	}
	return ids[0], nil
}

// open opens the organisation and finds the one record that text names; the organisation is
// the caller's to close when there is no error.
func (w whichRecord) open(ctx context.Context, a *app, text string) (*org, registry.ID, error) {
	o, err := a.openOrg(ctx)
	if err != nil {
		return nil, registry.ID{}, err
	}
	id, err := w.one(ctx, o, text)
	if err != nil {
		o.close()
		return nil, registry.ID{}, err
	}
	return o, id, nil
}

// all is one for several texts.
func (w whichRecord) all(ctx context.Context, o *org, texts []string) (ids []registry.ID, err error) {
	for i, text := range texts {
		id, err := w.one(ctx, o, text)
		var usage *usageError
		if len(texts) > 1 && errors.As(err, &usage) {
			usage.err = fmt.Errorf("%d of %d: %w", i+1, len(texts), usage.err)
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// registryError makes what the registry refuses the caller's to mend.
func registryError(err error) error {
	var refusal *registry.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return usagef("%w", err).hint("--help shows examples")
	case errors.Is(err, registry.ErrSecondPerson):
		return usagef("%w", err).hint("--second-person ACCOUNT")
	case errors.Is(err, registry.ErrErased):
		return usagef("%w", err).hint("nothing of it can be read again, here or in any copy")
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrClosed), errors.Is(err, registry.ErrConflict), errors.Is(err, registry.ErrPrincipal):
		return usagef("%w", err).hint("aidpass registry show tells how it stands")
	}
	return err
}

// parseMoment reads --as-of, --from and --to: a day counts to its last second where
// last says so.
func parseMoment(s string, last bool) (time.Time, error) {
	read := parseAt
	if last {
		read = parseLastDay
	}
	t, err := read(s)
	return time.Unix(int64(t), 0).UTC(), err
}

// afterJSON is what is left to do after a change of people.
type afterJSON struct {
	Stopped int      `json:"cards_revoked"`
	Stale   []string `json:"cards_to_replace"`
	Ask     []string `json:"ask_alone"`
	Decide  []string `json:"decide"`
	stale   []string // with the numbers of the list
	ask     []string
}

func (o *org) leftToDo(ctx context.Context, after registry.After) (left afterJSON, err error) {
	left = afterJSON{Stopped: after.Stopped, Stale: idTexts(after.Stale), Ask: idTexts(after.Ask), Decide: append([]string{}, after.Decide...)}
	if left.stale, err = o.called(ctx, after.Stale...); err == nil {
		left.ask, err = o.called(ctx, after.Ask...)
	}
	return left, err
}

func (s afterJSON) write(w io.Writer) {
	if s.Stopped > 0 {
		fmt.Fprintf(w, "%s revoked: whoever shows one is sent to the help desk, and not told why\n", plural(s.Stopped, "card was", "cards were"))
		fmt.Fprintln(w, "  aidpass pack build ...   # tells the service points")
	}
	for _, id := range s.stale {
		fmt.Fprintln(w, "says an old size, replace its card when its people come:", id)
	}
	for _, id := range s.ask {
		fmt.Fprintln(w, "ask alone who holds the card:", id)
	}
	for _, code := range s.Decide {
		fmt.Fprintln(w, "to be decided:", decideWords[code])
	}
}

var decideWords = map[string]string{
	registry.DecideNoAdult:     "no adult is left: a named adult or two staff collect",
	registry.DecideNewNoAdult:  "no adult is among those who leave: a named adult or two staff collect for them",
	registry.DecideHousehold:   "the household is closed: which one is hers now?",
	registry.DecideNoCollector: "nobody on record may collect",
	registry.DecideHead:        "the head is gone: relations speak of nobody",
	registry.DecideRound: "the old card may have been used: what it was good for is on hold for the new number.\n" +
		"  Two look at its ticks or the site's journal; aidpass entitle release HOUSEHOLD --programme CODE --round N",
	registry.DecidePlan: "what the new household is due is to be planned: aidpass entitle, again",
	registry.DecideDue:  "a record was due something that does not go with it: look who is due it now, and plan it for whom it belongs to: aidpass entitle",
}

func idTexts(ids []registry.ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
