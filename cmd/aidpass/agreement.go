package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/storage"
	"aidpass/web/console"
)

func (a *app) agreementCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agreement",
		Short: "Data-sharing agreements: to whom what may go, for what, until when",
		Example: `  aidpass agreement make relief-b.yml --second-person dpo-1
  aidpass agreement list`,
	}
	cmd.AddCommand(a.agreementMakeCommand(), a.agreementListCommand(), a.agreementShowCommand(), a.agreementEndCommand(), a.agreementFilesCommand(), a.agreementTraceCommand())
	return cmd
}

// keeper is the desk of rights of an open organisation.
func (o *org) keeper() *rights.Desk {
	return &rights.Desk{Store: laptopStore{o.store, o.a.say}, Org: o.entry.ID, Now: o.a.Now}
}

// laptopStore is the store of a command by which records go. What was erased is gone for
// everybody who reads the database; that others read it meanwhile, so that the old bytes of
// a key are in a file yet, is said and is no failure.
type laptopStore struct {
	*storage.Org
	say func(format string, args ...any)
}

// EraseAll implements rights.Store.
func (s laptopStore) EraseAll(ctx context.Context, by access.Actor, ids []registry.ID, reason string, before, after func(rights.Tx) error) error {
	err := s.Org.EraseAll(ctx, by, ids, reason, before, after)
	if errors.Is(err, storage.ErrTraces) {
		s.say("warning: it is done, and old bytes of the keys stand in aidpass.db-wal as long as another program reads: when the server has stopped, run aidpass check, which empties it")
		return nil
	}
	return err
}

// Erase implements registry.Store.
func (s laptopStore) Erase(ctx context.Context, by access.Actor, id registry.ID, reason string) error {
	return s.EraseAll(ctx, by, []registry.ID{id}, reason, nil, nil)
}

// withRights opens the organisation for the length of work.
func (a *app) withRights(ctx context.Context, work func(*org, *rights.Desk) error) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	return rightsError(registryError(work(o, o.keeper())))
}

// rightsError makes what package rights refuses the caller's to mend.
func rightsError(err error) error {
	var refusal *rights.Refusal
	switch {
	case errors.As(err, &refusal):
		return usagef("%w", err).hint("aidpass agreement list tells the agreements; --help shows examples")
	case errors.Is(err, rights.ErrLetter):
		return usagef("%w", err).hint("is it the file as it was written, and does the trust list here have its sender's pack key? aidpass trust show")
	}
	return err
}

func (a *app) agreementMakeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "make FILE.yml --second-person ACCOUNT",
		Short: "Put an agreement in force, by two people",
		Long: `Put an agreement in force, by two people. The file (YAML or JSON) says who gets what:

  id: relief-b-2026
  with: {id: relief-b, name: Relief B, kind: humanitarian, issuer: https://relief-b.example/i1, contact: "dpo@relief-b.example"}
  purpose: health          # continuity deduplication distribution health payment referral resettlement survey
  basis: consent           # or notice: of the mandate; then who objected is left out
  fields: [full_name, size, pcode]
  areas: [KE07]            # codes of places; none: everywhere
  levels: [KE0701]         # a code of each level beneath them, as a sample; none: those places alone
  exclude_origin: [SOM]    # or: no_exclusion: why nobody is excluded
  from: 2026-11-22
  until: 2027-05-31
  retention_days: 180

A government or company (kind: government, private) gets documents, phones and origin by
consent alone, and a government never gets those who came from its country. An agreement
does not change: end it and make another one under a new id.`,
		Example: `  aidpass agreement make relief-b.yml --second-person dpo-1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readFile(args[0], rights.MaxAgreementBytes)
			if err != nil {
				return err
			}
			made, err := rights.ParseAgreement(raw)
			if err != nil {
				return rightsError(err)
			}
			for _, f := range made.Fields {
				if !export.Known(f) {
					return usagef("the agreement names field %q, which no file has", f).hint("aidpass registry export --list-fields tells them")
				}
			}
			places, err := a.placesNamed()
			if err != nil {
				return err
			}
			if sample, other := rights.Unpadded(made.Areas, made.Levels, places); sample != "" {
				return usagef("levels: %s has another length than %s, a place that labels.json names: by length alone it is unclear which places are meant", other, sample).
					hint("name every place in areas and leave levels empty, or give a sample of that length too")
			}
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				if err := desk.MakeAgreement(cmd.Context(), a.actor(access.OrgAdmin), made); err != nil {
					return err
				}
				return a.print(map[string]any{"made": made.ID, "until": made.Until}, func(w io.Writer) {
					fmt.Fprintf(w, "in force: %s with %s, for %s, until %s\n", made.ID, made.With.Name, made.Purpose, made.Until)
				})
			})
		},
	}
}

// placesNamed are the codes of places that the organisation has names for.
func (a *app) placesNamed() ([]string, error) {
	b, err := a.setting(console.SettingLabels)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	var names map[string]map[string]string
	if err := json.Unmarshal(b, &names); err != nil {
		return nil, usagef("%s: %w", a.settingPath(console.SettingLabels), err).hint("names by code and language, as {\"KE07\": {\"en\": \"Garissa\"}}")
	}
	return rights.PlaceCodes(slices.Sorted(maps.Keys(names))), nil
}

func standing(a *rights.Agreement, now time.Time) string {
	switch day := now.UTC().Format(time.DateOnly); {
	case !a.Ended.IsZero():
		return "ended on " + a.Ended.UTC().Format(time.DateOnly)
	case a.Live(now) == nil:
		return "live until " + a.Until
	case day < a.From:
		return "from " + a.From
	}
	return "over since " + a.Until
}

func (a *app) agreementListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "Tell the agreements, and how each stands",
		Example: `  aidpass agreement list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				all, err := desk.Agreements(cmd.Context())
				if err != nil {
					return err
				}
				for i := range all {
					g := &all[i]
					err := a.print(map[string]any{"id": g.ID, "with": g.With.ID, "purpose": g.Purpose, "live": g.Live(a.Now()) == nil, "until": g.Until}, func(w io.Writer) {
						fmt.Fprintf(w, "%-24s %-20s %-14s %s\n", g.ID, g.With.ID, g.Purpose, standing(g, a.Now()))
					})
					if err != nil {
						return err
					}
				}
				if len(all) == 0 && !a.JSON {
					fmt.Fprintln(a.Stdout, "there is no agreement: nothing may leave for others")
				}
				return nil
			})
		},
	}
}

func (a *app) agreementShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Write an agreement as the file it was made from, and who made it",
		Example: `  aidpass agreement show relief-b-2026`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				g, err := desk.Agreement(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				file, err := g.File()
				if err != nil {
					return err
				}
				return a.print(g, func(w io.Writer) {
					fmt.Fprintf(w, "# %s; made on %s by %s and %s\n%s", standing(&g, a.Now()), g.Made.UTC().Format(time.DateOnly), g.By, g.Second, file)
				})
			})
		},
	}
}

func (a *app) agreementEndCommand() *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use:     "end ID --reason TEXT",
		Short:   "End an agreement: nothing leaves under it from now on",
		Example: `  aidpass agreement end relief-b-2026 --reason "project closed"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				if err := desk.EndAgreement(cmd.Context(), a.actor(access.DataProtection), args[0], why); err != nil {
					return err
				}
				return a.print(map[string]any{"ended": args[0]}, func(w io.Writer) { fmt.Fprintln(w, "ended:", args[0]) })
			})
		},
	}
	cmd.Flags().StringVar(&why, "reason", "", "why, for the audit log; no names")
	return cmd
}

func (a *app) agreementFilesCommand() *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:     "files [--agreement ID]",
		Short:   "Tell every file of records that was made, for whom, how many rows",
		Example: `  aidpass agreement files --agreement relief-b-2026`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				all, err := desk.Shares(cmd.Context())
				if err != nil {
					return err
				}
				for _, s := range all {
					if id != "" && s.Agreement != id {
						continue
					}
					if err := a.print(shareJSON(&s), func(w io.Writer) { writeShare(w, &s) }); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&id, "agreement", "", "only those under it")
	return cmd
}

func shareJSON(s *rights.Share) map[string]any {
	return map[string]any{"id": s.ID, "at": s.At.UTC().Format(time.RFC3339), "agreement": textPtr(s.Agreement), "to": s.Recipient(), "purpose": s.Purpose, "reason": s.Reason,
		"rows": s.Rows, "fields": s.Fields, "sha256": s.SHA256, "by": s.By}
}

func writeShare(w io.Writer, s *rights.Share) {
	under := ""
	if s.Agreement != "" {
		under = " under " + s.Agreement
	}
	fmt.Fprintf(w, "%s  %s  to %s%s, for %s (%s): %s by %s; sha256 %s\n", s.At.UTC().Format("2006-01-02 15:04"), s.ID, s.Recipient(), under, s.Purpose, s.Reason, plural(s.Rows, "row", "rows"), s.By, s.SHA256[:16])
}

func (a *app) agreementTraceCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "trace FILE",
		Short: "Tell for whom a file was made that was found somewhere",
		Long: `Tell for whom a file was made that was found somewhere: a table, a part of one, or any
text with a number (x-...) of it. Each file has numbers of its own. Where an agreement
gives the numbers of lists instead, eight rows in their order tell it.`,
		Example: `  aidpass agreement trace found-online.csv`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRights(cmd.Context(), func(o *org, desk *rights.Desk) error {
				found, err := export.TraceFile(cmd.Context(), o.store, args[0])
				if err != nil {
					return err
				}
				if err := o.store.Note(cmd.Context(), a.actor(access.DataProtection), access.Entry{Action: "agreement.trace", Detail: fmt.Sprintf("found=%d", len(found))}); err != nil {
					return err
				}
				for i := range found {
					t := &found[i]
					result := shareJSON(&t.Share)
					result["how"], result["matched"] = t.How, t.Rows
					if err := a.print(result, func(w io.Writer) {
						writeShare(w, &t.Share)
						fmt.Fprintln(w, "  "+map[export.How]string{export.ByDigest: "it is that very file", export.ByNumbers: plural(t.Rows, "number of it stands there", "numbers of it stand there"),
							export.ByOrder: plural(t.Rows, "row stands in its order", "rows stand in its order")}[t.How])
					}); err != nil {
						return err
					}
				}
				if len(found) == 0 {
					return a.print(map[string]any{"found": 0}, func(w io.Writer) {
						fmt.Fprintln(w, "nothing in it tells of a file that was made here; that proves nothing")
					})
				}
				return nil
			})
		},
	}
}
