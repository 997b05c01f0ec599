package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry"
)

func (a *app) registryContactCommand() *cobra.Command {
	var which whichRecord
	var way, on, desk string
	cmd := &cobra.Command{
		Use:   "contact ID|NUMBER --how in-person|phone|remote [--on DAY]",
		Short: "Keep that somebody was met in person, by phone or remotely",
		Long: `Keep that somebody, or somebody of a household, was met in person, by phone or remotely.
What is on record is confirmed by it as of that day (DQ-22, DQ-23); a photograph never
is but in person. Day, way and desk are sealed with the record.

A record that is inactive because nobody had seen its people is active again.`,
		Example: `  aidpass registry contact HH-0042 --list camp-north --how in-person
  aidpass registry contact P-0107 --list camp-north --how phone --on 2026-11-18`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			at, err := moment(on)
			if err != nil {
				return err
			}
			if at.IsZero() {
				at = a.Now().UTC()
			}
			o, err := a.openOrg(ctx)
			if err != nil {
				return err
			}
			defer o.close()
			id, err := which.one(ctx, o, args[0])
			if err != nil {
				return err
			}
			r := o.desk(access.Registrar)
			saved, err := r.Meet(ctx, id, registry.Met{At: at, How: how(way), By: r.Actor.ID, Desk: desk})
			if err != nil {
				return registryError(err)
			}
			return a.print(map[string]any{"record": id.String(), "known": saved.Changed == 0}, func(w io.Writer) {
				if saved.Changed == 0 {
					fmt.Fprintln(w, "that was known already")
				} else {
					fmt.Fprintln(w, "kept")
				}
			})
		},
	}
	which.flags(cmd)
	cmd.Flags().StringVar(&way, "how", "", "in-person, phone or remote")
	cmd.Flags().StringVar(&on, "on", "", "day or time (default: now)")
	cmd.Flags().StringVar(&desk, "desk", "", "where, as staff call it")
	return cmd
}
