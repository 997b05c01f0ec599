package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"aidpass/trust"
	"aidpass/web/console"
)

// The newest trust list seen here, DATA/public/trust.list, decides which of our
// keys sign, and its issue time bounds our clock.

func (a *app) keptPath() string { return filepath.Join(a.publicDir(), "trust.list") }

// keptList returns it; nil where none was seen yet. It was checked when it was
// kept; a damaged one is an error, never none.
func (a *app) keptList() (*trust.List, error) {
	if a.kept != nil {
		return a.kept, nil
	}
	_, list, err := readList(a.keptPath(), trust.Anchors{})
	if notThere(err) {
		return nil, nil
	}
	a.kept = list
	return list, err
}

// useTrustList reads and keeps the list of --trust.
func (a *app) useTrustList(path string, chain []string) error {
	raw, list, err := readList(path, trust.Anchors{})
	if err != nil {
		return err
	}
	return a.keepTrustList(raw, list, chain)
}

// openOrgTrusting opens the organisation as openOrg does, and remembers the list that
// --trust names; "" is none. The caller closes what is returned.
func (a *app) openOrgTrusting(ctx context.Context, trustFile string) (*org, error) {
	o, err := a.openOrg(ctx)
	if err != nil || trustFile == "" {
		return o, err
	}
	if err := a.useTrustList(trustFile, nil); err != nil {
		return nil, errors.Join(err, o.close())
	}
	return o, nil
}

// keepTrustList remembers a list, if it follows the one that was kept: not older,
// not another one of the same number, and signed by the custodians of the kept
// list or by those that the lists of --chain put in their place.
func (a *app) keepTrustList(raw []byte, list *trust.List, chain []string) error {
	have, err := a.keptList()
	if err != nil {
		return err
	}
	if have != nil && have.ID != list.ID {
		a.say("warning: until now this organisation went by trust list %s, from here on by %s", have.ID, list.ID)
		a.say("hint: compare the custodians with what is on paper: aidpass trust show")
		have = nil
	}
	if have != nil {
		switch {
		case have.Sequence > list.Sequence:
			return usagef("%s is list %d, and list %d has been used here", "--trust", list.Sequence, have.Sequence).coded(console.CannotOldList).
				hint("use the newest: %s", a.keptPath())
		case have.Sequence == list.Sequence && have.Digest() != list.Digest():
			return usagef("this list %d says something else than the list %d that has been used here", list.Sequence, have.Sequence).coded(console.CannotOldList).
				hint("ask the keeper of the list which of the two is right; the other is %s", a.keptPath())
		}
		var links [][]byte
		for _, path := range chain {
			link, err := readFile(path, trust.MaxListBytes)
			if err != nil {
				return err
			}
			links = append(links, link)
		}
		if err := signedOn(have, list.ID, raw, links); err != nil {
			return usagef("--trust: the custodians known here did not sign this list: %w", err).coded(console.CannotOldList).
				hint("--chain FILE: the lists that changed the custodians since %s, oldest first", a.keptPath())
		}
	}
	if err := os.MkdirAll(a.publicDir(), 0o755); err != nil {
		return err
	}
	a.kept = list
	return writeFile(a.keptPath(), raw)
}

// signedOn reports whether a list was signed by the custodians of have, or by those that
// the lists of chain put in their place, oldest first.
func signedOn(have *trust.List, id string, raw []byte, chain [][]byte) error {
	pinned := have.Anchors
	for _, link := range chain {
		if l, err := trust.Open(link, pinned); err == nil && l.ID == id {
			pinned = l.Anchors
		}
	}
	_, err := trust.Open(raw, pinned)
	return err
}
