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
	"aidpass/credential"
	"aidpass/storage"
)

// devices returns those of these names or key ids, in that order; without any, all.
func (o *org) devices(ctx context.Context, names ...string) ([]access.Device, error) {
	all, err := o.store.Devices(ctx)
	if err != nil || len(names) == 0 {
		return all, err
	}
	chosen := make([]access.Device, len(names))
	for i, name := range names {
		if chosen[i], err = findDevice(all, name); err != nil {
			return nil, err
		}
	}
	return chosen, nil
}

// device returns the one of this name or key id. States, where given, are those that
// count: of devices in others the name is nobody's.
func (o *org) device(ctx context.Context, name string, states ...access.DeviceState) (access.Device, error) {
	all, err := o.store.Devices(ctx)
	if err != nil {
		return access.Device{}, err
	}
	if len(states) > 0 {
		all = slices.DeleteFunc(all, func(d access.Device) bool { return !slices.Contains(states, d.State) })
	}
	return findDevice(all, name)
}

// errNoDevice is what findDevice has none of.
var errNoDevice = errors.New("no device is called")

// findDevice finds a device by name or key id. A name may have come to a new key: those
// that are not withdrawn lead, and of the withdrawn any will do to say that it is.
func findDevice(devices []access.Device, name string) (found access.Device, err error) {
	n := 0
	for _, d := range devices {
		switch leads := d.State != access.DeviceWithdrawn; {
		case d.ID() == name:
			return d, nil
		case d.Name != name:
		case leads:
			found, n = d, n+1
		case n == 0:
			found = d
		}
	}
	switch {
	case n > 1:
		return access.Device{}, usagef("%d devices are called %q", n, name).hint("name it by the 16 digits of its key: aidpass device list")
	case found.Key == nil:
		return access.Device{}, usagef("%w %q", errNoDevice, name).hint("aidpass device list shows them")
	}
	return found, nil
}

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
	Frozen    *string            `json:"frozen_at"`   // it was found copied; null: it is not frozen
	CopiedAt  uint64             `json:"frozen_from"` // the first number of which it signed two records; 0: not frozen
	ThawedTo  uint64             `json:"thawed_to"`   // copies up to this record were judged; 0: never
}

func newDeviceLine(d *access.Device) deviceLine {
	line := deviceLine{Device: d.ID(), Name: d.Name, Site: d.Site, State: d.State, From: timePtr(d.From), Until: timePtr(d.Until), Reason: textPtr(d.Reason), ThawedTo: d.ThawedTo}
	if !d.WithdrawnAt.IsZero() {
		line.Withdrawn = textPtr(credential.FromStd(d.WithdrawnAt).String())
	}
	if d.Frozen() {
		line.Frozen, line.CopiedAt = textPtr(credential.FromStd(d.FrozenAt).String()), d.FrozenFrom
	}
	return line
}

func (l *deviceLine) write(w io.Writer) {
	fmt.Fprintf(w, "%s  %-12s %-12s %-10s", l.Device, l.Name, l.Site, l.State)
	if l.Until != nil {
		fmt.Fprintf(w, " until %s", *l.Until)
	}
	if l.Withdrawn != nil {
		fmt.Fprintf(w, " withdrawn from %s on", *l.Withdrawn)
	}
	if l.Reason != nil {
		fmt.Fprintf(w, ": %s", plain(reasonCodes, *l.Reason))
	}
	if l.Frozen != nil {
		fmt.Fprintf(w, " FROZEN: copied, two records of one number from %d on, seen %s", l.CopiedAt, *l.Frozen)
	} else if l.ThawedTo > 0 {
		fmt.Fprintf(w, "; thawed: copies up to record %d were judged", l.ThawedTo)
	}
	fmt.Fprintln(w)
}

func (a *app) deviceListCommand() *cobra.Command {
	var site string
	cmd := &cobra.Command{
		Use:     "list [--site SITE]",
		Short:   "List the devices, by site and name",
		Example: `  aidpass device list --site WELL-A`,
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
				line := newDeviceLine(&d)
				err := a.print(line, line.write)
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

func (a *app) deviceThawCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "thaw NAME --reason CODE",
		Short: "Let a device go on that was frozen because it was copied",
		Long: `Let a device go on that was frozen because it was copied: it had signed two records
of one number, as when a phone's memory is brought back from a backup or put into a
second phone. visits report shows those records.

Look at the phone first, and at who has had it. Where its key is in two phones,
withdraw it instead, and enrol the one that is there with a new key. A thawed device
is in the next packs; another copy freezes it again. NAME is its name or its key id.`,
		Example: `  aidpass visits report
  aidpass device thaw tab-1 --reason restored_backup`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("a thaw needs a reason").hint("--reason restored_backup, one_phone or mistake; if it is in two hands: aidpass device withdraw")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			d, err := o.device(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !d.Frozen() {
				return usagef("%s is not frozen", args[0]).hint("aidpass device list shows which are")
			}
			if err := o.store.ThawDevice(cmd.Context(), a.actor(access.OrgAdmin), d.KID, reason); err != nil {
				return err
			}
			if d, err = o.store.Device(cmd.Context(), d.KID); err != nil {
				return err
			}
			return a.print(newDeviceLine(&d), func(w io.Writer) {
				fmt.Fprintf(w, "%s (%s) may go on: build new packs for %s, and sign it a receipt\n", d.Name, d.ID(), d.Site)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "code: restored_backup, one_phone, mistake")
	return cmd
}

func (a *app) deviceWithdrawCommand() *cobra.Command {
	var reason, since string
	cmd := &cobra.Command{
		Use:   "withdraw NAME --reason CODE [--since TIME]",
		Short: "End a device for good: lost, stolen, copied",
		Long: `End a device for good: lost, stolen, copied. The next packs leave it out, so that no
table believes what it records from then on; its records still come in, and those
made later are marked. NAME is the device's name or its key id.

With --since it counts as withdrawn from that time on: when it was last seen in the
right hands, where that is longer ago. It cannot be changed later. The time is held
against the clock of the device, put right by what others signed meanwhile.

Whoever has the device and the operator's code can open the sealed facts of cards
until the epoch ends. A device that is found again is enrolled with a new key.`,
		Example: `  aidpass device withdraw tab-1 --reason stolen
  aidpass device withdraw tab-1 --reason stolen --since 2026-11-20T14:00:00Z`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usagef("a withdrawal needs a reason").hint("--reason lost, stolen, copied or broken")
			}
			var from time.Time
			if since != "" {
				t, err := parseAt(since)
				if err != nil {
					return err
				}
				from = t.Std()
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			d, err := o.device(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if d.State == access.DeviceWithdrawn {
				return usagef("%s was withdrawn already", args[0]).hint("aidpass device list tells when")
			}
			err = o.store.WithdrawDevice(cmd.Context(), a.actor(access.OrgAdmin), d.KID, reason, from)
			if errors.Is(err, storage.ErrWithdrawnAhead) {
				return usagef("--since %s is ahead of this machine's clock", since).hint("without --since the device is withdrawn from now on")
			}
			if err != nil {
				return err
			}
			if d, err = o.store.Device(cmd.Context(), d.KID); err != nil {
				return err
			}
			return a.print(newDeviceLine(&d), func(w io.Writer) {
				fmt.Fprintf(w, "%s (%s) is withdrawn: build new packs for %s\n", d.Name, d.ID(), d.Site)
				fmt.Fprintf(w, "what it recorded from %s on is marked: aidpass visits report\n", credential.FromStd(d.WithdrawnAt))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "code: lost, stolen, copied, broken")
	cmd.Flags().StringVar(&since, "since", "", "when it was last in the right hands, as 2026-11-20T14:00:00Z (default: now)")
	return cmd
}
