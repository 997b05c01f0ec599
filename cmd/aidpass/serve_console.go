package main

import (
	"cmp"
	"errors"
	"net/url"

	"aidpass/access"
	"aidpass/storage"
	"aidpass/web/console"
)

// staffDesk makes the console of the organisation's staff, at /desk/. A screen of it is
// joined here to the desk behind it: one line in Screens.
func (s *serving) staffDesk() (*console.Console, error) {
	door := &access.Door{Store: s.o.store, Now: s.a.Now}
	s.jobs = newJobRoom(s.o.entry.ID, s.log, s.a.Now)
	return console.New(console.Config{Base: s.origin(), Door: door, Jobs: s.jobs, Screens: []console.Screen{},
		OrgName: func(id string) string { return cmp.Or(s.o.entry.Names["en"], id) },
		Fault:   consoleError, Log: s.log, Now: s.a.Now})
}

// origin is the scheme and host of --base-url, by which links of the console leave this
// server; "" without it.
func (s *serving) origin() string {
	u, err := url.Parse(s.f.base)
	if err != nil || s.f.base == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// consoleError gives conditions of the store the names that the console answers to.
func consoleError(err error) error {
	if errors.Is(err, storage.ErrBusy) || errors.Is(err, storage.ErrFull) {
		return storeError(err)
	}
	return err
}
