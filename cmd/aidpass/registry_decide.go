package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

func (a *app) registryDecideCommand() *cobra.Command {
	var which whichRecord
	var take string
	var keep bool
	cmd := &cobra.Command{
		Use:   "decide ID|NUMBER [FIELD --keep|--take HANDLE]",
		Short: "Decide which of two values holds that people set at once",
		Long: `Decide which of two values holds that people set at once. Without a field it tells what
waits: what stands, who set it, and what else was said, each with its handle.

--keep keeps what stands; --take sets the value of a handle. The history keeps both.
Where the record has been changed since, nothing is written: look again.`,
		Example: `  aidpass registry decide P-0107 --list camp-north
  aidpass registry decide P-0107 --list camp-north birth --take 5f0c2a9b
  aidpass registry decide P-0107 --list camp-north birth --keep`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			switch {
			case keep && take != "":
				return usagef("--keep and --take").hint("one of them")
			case len(args) == 2 && !keep && take == "":
				return usagef("which value of %s holds?", args[1]).hint("--keep keeps what stands, --take HANDLE sets another; without the field it tells both")
			case len(args) == 1 && (keep || take != ""):
				return usagef("of which field?").hint("aidpass registry decide %s FIELD --keep", args[0])
			}
			o, id, err := which.open(ctx, a, args[0])
			if err != nil {
				return err
			}
			defer o.close()
			open, kind, err := o.undecided(ctx, id)
			if err != nil {
				return registryError(err)
			}
			if len(args) == 1 {
				return a.tellUndecided(open)
			}
			return o.decide(ctx, id, kind, open, args[1], take)
		},
	}
	which.flags(cmd)
	cmd.Flags().BoolVar(&keep, "keep", false, "what stands holds")
	cmd.Flags().StringVar(&take, "take", "", "the value of this handle holds")
	return cmd
}

// undecided reads what of a record waits for a decision. That it was read stands in the log.
func (o *org) undecided(ctx context.Context, id registry.ID) ([]records.Standing, registry.Kind, error) {
	rec, err := o.desk(access.Registrar).Record(ctx, id)
	if err != nil {
		return nil, "", err
	}
	sheet, err := o.records().Sheet(ctx, o.a.actor(access.Registrar), id, rec.Kind)
	if err != nil {
		return nil, "", err
	}
	return sheet.Undecided, rec.Kind, nil
}

// tellUndecided prints what waits, a field after the other.
func (a *app) tellUndecided(open []records.Standing) error {
	type said struct {
		Text   string `json:"text"`
		By     string `json:"by,omitempty"`
		At     string `json:"at,omitempty"`
		Handle string `json:"handle,omitempty"`
	}
	moment := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	for _, s := range open {
		rivals := []said{}
		for _, r := range s.Rivals {
			rivals = append(rivals, said{r.Text, r.By, moment(r.At), r.Handle()})
		}
		result := map[string]any{"field": s.Field, "stands": said{Text: s.Text, By: s.By.By, At: moment(s.By.At)}, "others": rivals}
		err := a.print(result, func(w io.Writer) {
			fmt.Fprintf(w, "%s\n  stands    %s, as %s said at %s\n", s.Field, orDash(s.Text), s.By.By, moment(s.By.At))
			for _, r := range rivals {
				fmt.Fprintf(w, "  %s  %s, as %s said at %s\n", r.Handle, orDash(r.Text), r.By, r.At)
			}
		})
		if err != nil {
			return err
		}
	}
	if len(open) == 0 {
		a.say("nothing waits for a decision")
	}
	return nil
}

// orDash is a value in a line; one that was removed is a dash.
func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// decide ends what is undecided of a field, by the act that the page has.
func (o *org) decide(ctx context.Context, id registry.ID, kind registry.Kind, open []records.Standing, field, handle string) error {
	i := slices.IndexFunc(open, func(s records.Standing) bool { return s.Field == field })
	if i < 0 {
		return usagef("nothing of %s waits for a decision", field).hint("aidpass registry decide %s tells what does", id)
	}
	if handle != "" && !slices.ContainsFunc(open[i].Rivals, func(r registry.Rival) bool { return r.Handle() == handle }) {
		return usagef("no value of %s has this handle", field).hint("aidpass registry decide %s tells them", id)
	}
	err := o.records().Decide(ctx, o.a.actor(access.Registrar), id, kind, field, open[i].Text, handle)
	if errors.Is(err, registry.ErrConflict) {
		return usagef("%w", err).hint("aidpass registry decide %s tells what stands now", id)
	}
	if err != nil {
		return registryError(err)
	}
	result := map[string]any{"decided": id.String(), "field": field, "kept": handle == ""}
	return o.a.print(result, func(w io.Writer) { fmt.Fprintf(w, "decided: %s of %s\n", field, id) })
}
