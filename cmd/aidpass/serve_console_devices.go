package main

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/storage"
	"aidpass/trust"
	"aidpass/verifier/enrol"
	"aidpass/web/console"
)

// consoleDevices is console.DeviceDesk on the database, with the server's pack room: what
// a person carries over and what phones fetch have numbers of one row.
type consoleDevices struct{ *serving }

// consoleRefusal says on a page what the command line would say, where the input or the
// state of things is at fault: by its code, with the program's own words for whoever helps.
func consoleRefusal(err error) error {
	var usage *usageError
	var clock *trust.TimeError
	if errors.As(err, &clock) {
		return console.ErrClock
	}
	if errors.As(err, &usage) {
		return console.CannotNow(cmp.Or(usage.code, console.CannotOther), usage.Error(), usage.fill...)
	}
	return err
}

// ours refuses another organisation than the one that this server is of.
func (s *serving) ours(org string) error {
	if org != s.o.entry.ID {
		return console.ErrNotFound
	}
	return nil
}

// Devices implements console.DeviceDesk.
func (d consoleDevices) Devices(ctx context.Context, org string) ([]access.Device, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.o.store.Devices(ctx)
}

// Sites are those of rounds and of devices.
func (d consoleDevices) Sites(ctx context.Context, org string) (sites []string, err error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	programmes, err := d.o.desk(access.DistributionLead).Programmes(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range programmes {
		for _, r := range p.Rounds {
			sites = append(sites, r.Sites...)
		}
	}
	devices, err := d.o.store.Devices(ctx)
	for _, x := range devices {
		sites = append(sites, x.Site)
	}
	slices.Sort(sites)
	return slices.Compact(sites), err
}

// Serves implements console.DeviceDesk: by the rule that packs are built by.
func (d consoleDevices) Serves(ctx context.Context, org string) (out []console.PackServes, err error) {
	sites, err := d.Sites(ctx, org)
	if err != nil {
		return nil, err
	}
	for _, site := range append(sites, "") {
		f := d.f.pack
		f.site = site
		served, err := d.o.served(ctx, &f)
		if err != nil {
			return nil, consoleRefusal(err)
		}
		s := console.PackServes{Site: site, Every: served == nil}
		for _, code := range slices.Sorted(maps.Keys(served)) {
			if len(served[code]) == 0 {
				s.Rounds = append(s.Rounds, console.PackRound{Programme: code})
			}
			for _, r := range served[code] {
				round := console.PackRound{Programme: code, Round: r.N}
				if r.Opens > 0 {
					round.Opens = r.Opens.Std()
				}
				if r.Closes < credential.MaxTime {
					round.Closes = (r.Closes - 1).Std() // its last second
				}
				s.Rounds = append(s.Rounds, round)
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// site refuses a place that is spelt nearly as one that is known: to cards and phones
// these are two, and a page lists those that are known.
func (d consoleDevices) site(ctx context.Context, site string) error {
	k, err := d.o.spelt(ctx, site)
	if k != "" {
		return console.CannotNow(console.CannotSite, "site "+site+" is spelt "+k+" elsewhere here", "site", site, "known", k)
	}
	return err
}

// Code implements console.DeviceDesk.
func (d consoleDevices) Code(ctx context.Context, org string, by access.Actor, site string) (c console.EnrolCode, err error) {
	if err := d.ours(org); err != nil {
		return c, err
	}
	if err := d.site(ctx, site); err != nil {
		return c, err
	}
	c.Site = site
	if c.Code, c.Until, err = d.o.store.NewEnrolmentCode(ctx, by, site); err != nil {
		return c, err
	}
	if address := d.best(); address != "" {
		c.Link = strings.TrimSuffix(address, "/") + "/scanner/#enrol=" + c.Code
	}
	return c, nil
}

// Certify implements console.DeviceDesk.
func (d consoleDevices) Certify(ctx context.Context, org string, by access.Actor, w console.Certify) error {
	if err := d.ours(org); err != nil {
		return err
	}
	d.packs.mu.Lock() // the list that says which keys sign is read anew by one at a time
	defer d.packs.mu.Unlock()
	c, err := d.a.certificate(w.Days, w.May, "")
	if err != nil {
		return consoleRefusal(err)
	}
	if err := d.o.plausibleClock(ctx); err != nil {
		return consoleRefusal(err)
	}
	if err := d.site(ctx, w.Site); err != nil {
		return err
	}
	c.Key, c.Site = w.Key, w.Site
	_, err = d.o.certify(ctx, by, c, w.Name, w.Replaces)
	return deviceFault(err)
}

// deviceFault gives what became of a device meanwhile the names of the console.
func deviceFault(err error) error {
	switch {
	case errors.Is(err, storage.ErrNoDevice):
		return console.ErrNotFound
	case errors.Is(err, storage.ErrDeviceWithdrawn), errors.Is(err, storage.ErrDeviceFrozen), errors.Is(err, storage.ErrNotFrozen):
		return console.ErrConflict
	}
	return consoleRefusal(err)
}

// Refuse implements console.DeviceDesk.
func (d consoleDevices) Refuse(ctx context.Context, org string, by access.Actor, kid [8]byte) error {
	if err := d.ours(org); err != nil {
		return err
	}
	x, err := d.o.store.Device(ctx, kid)
	if err != nil {
		return deviceFault(err)
	}
	if x.State != access.DevicePending {
		return console.ErrConflict
	}
	x.State, x.Reason = access.DeviceRefused, "not_confirmed"
	return deviceFault(d.o.store.SaveDevice(ctx, by, x))
}

// Withdraw implements console.DeviceDesk.
func (d consoleDevices) Withdraw(ctx context.Context, org string, by access.Actor, kid [8]byte, reason string, since time.Time) error {
	if err := d.ours(org); err != nil {
		return err
	}
	return deviceFault(d.o.store.WithdrawDevice(ctx, by, kid, reason, since))
}

// Thaw implements console.DeviceDesk.
func (d consoleDevices) Thaw(ctx context.Context, org string, by access.Actor, kid [8]byte, reason string) error {
	if err := d.ours(org); err != nil {
		return err
	}
	return deviceFault(d.o.store.ThawDevice(ctx, by, kid, reason))
}

// Answer implements console.DeviceDesk.
func (d consoleDevices) Answer(ctx context.Context, org string, by access.Actor, kid [8]byte, moving bool, reason string) ([]byte, int, error) {
	if err := d.ours(org); err != nil {
		return nil, 0, err
	}
	x, err := d.o.store.Device(ctx, kid)
	if err != nil {
		return nil, 0, deviceFault(err)
	}
	if x.State != access.DeviceConfirmed || x.Frozen() {
		return nil, 0, console.ErrConflict
	}
	raw, rows, err := d.Pack(ctx, org, by, console.PackOrder{Site: x.Site, Days: d.f.pack.days, Reason: reason})
	if err != nil {
		return nil, 0, err
	}
	answer, err := enrol.Seal(enrol.Answer{Certificate: x.Certificate, Pack: raw}, x.Key)
	if err == nil && moving {
		answer, err = movingCode(answer, framesASecond)
	}
	return answer, rows, consoleRefusal(err)
}

// Pack implements console.DeviceDesk: with what serve was told of packs.
func (d consoleDevices) Pack(ctx context.Context, org string, by access.Actor, w console.PackOrder) ([]byte, int, error) {
	if err := d.ours(org); err != nil {
		return nil, 0, err
	}
	if err := d.site(ctx, w.Site); err != nil {
		return nil, 0, err
	}
	f := d.f.pack
	f.site, f.days, f.by, f.reason = w.Site, w.Days, by, w.Reason
	if labels, err := d.a.setting(console.SettingLabels); f.labels == "" && err == nil && labels != nil {
		f.labels = d.a.settingPath(console.SettingLabels)
	}
	f.photos, f.noList = f.photos || w.Photos, f.noList || w.NoList
	raw, pack, err := d.packs.build(ctx, f)
	if err != nil {
		return nil, 0, consoleRefusal(err)
	}
	return raw, d.a.noteOf(pack).Rows, nil
}
