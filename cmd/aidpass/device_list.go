package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/access"
)

// deviceLine is a device as programs read it.
type deviceLine struct {
	Device    string             `json:"device"` // key id
	Name      string             `json:"name"`
	Site      string             `json:"site"`
	State     access.DeviceState `json:"state"`
	From      *string            `json:"from"` // of its certificates
	Until     *string            `json:"until"`
	Withdrawn *string            `json:"withdrawn_at"`
	Reason    *string            `json:"reason"`
}

func (a *app) deviceListCommand() *cobra.Command {
	var site string
	cmd := &cobra.Command{
		Use:     "list [--site SITE]",
		Short:   "List the devices, by site and name",
		Example: `  aidpass device list --site wellA`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			devices, err := o.store.Devices(cmd.Context())
			if err != nil {
				return err
			}
			n := 0
			for _, d := range devices {
				if site != "" && d.Site != site {
					continue
				}
				n++
				line := deviceLine{Device: d.ID(), Name: d.Name, Site: d.Site, State: d.State, From: timePtr(d.From), Until: timePtr(d.Until), Reason: textPtr(d.Reason)}
				if !d.WithdrawnAt.IsZero() {
					line.Withdrawn = textPtr(d.WithdrawnAt.UTC().Format("2006-01-02T15:04:05Z07:00"))
				}
				err := a.print(line, func(w io.Writer) {
					fmt.Fprintf(w, "%s  %-12s %-12s %-10s until %s %s\n", line.Device, line.Name, line.Site, line.State, deref(line.Until), d.Reason)
				})
				if err != nil {
					return err
				}
			}
			if n == 0 {
				a.say("no device yet: aidpass device add")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&site, "site", "", "only those of this service point")
	return cmd
}

func (a *app) deviceWithdrawCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "withdraw NAME --reason CODE",
		Short: "End a device for good: lost, stolen, copied",
		Long: `End a device for good: lost, stolen, copied. The next packs leave it out, so that no
table believes what it records from then on; its records still come in, and those
made later are marked. NAME is the device's name or its key id.

Whoever has the device and the operator's code can open the sealed facts of cards
until the epoch ends. A device that is found again is enrolled with a new key.`,
		Example: `  aidpass device withdraw tab-1 --reason stolen`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("a withdrawal needs a reason").hint("--reason lost, stolen, copied or broken")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			devices, err := o.store.Devices(cmd.Context())
			if err != nil {
				return err
			}
			d, err := findDevice(devices, args[0])
			if err != nil {
				return err
			}
			if d.State == access.DeviceWithdrawn {
				return usagef("%s was withdrawn already", args[0]).hint("aidpass device list tells when")
			}
			if err := o.store.WithdrawDevice(cmd.Context(), a.actor(access.OrgAdmin), d.KID, reason); err != nil {
				return err
			}
			return a.print(deviceLine{Device: d.ID(), Name: d.Name, Site: d.Site, State: access.DeviceWithdrawn, Reason: &reason}, func(w io.Writer) {
				fmt.Fprintf(w, "%s (%s) is withdrawn: build new packs for %s\n", d.Name, d.ID(), d.Site)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "code: lost, stolen, copied, broken")
	return cmd
}
