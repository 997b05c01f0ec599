package main

import (
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/verifier"
)

// formerColumn of a roster holds the text of the QR code of another organisation's
// card, in whose place the row's is issued.
const formerColumn = "replaces"

// A formerDesk proves the cards that are to be replaced.
type formerDesk struct {
	o       *org
	in      verifier.Inputs
	checker verifier.Checker
	listed  *trust.Organisation
	vct     string
	f       *issueFlags
}

// formers opens the pack of --pack, whose trust list must be the one that is known
// here or a newer one of the same custodians: a stranger's would name its own keys.
func (o *org) formers(t *schemas.Type, f *issueFlags) (*formerDesk, error) {
	if f.pack == "" {
		return nil, usagef("column %s holds other organisations' cards, and nothing to verify them with", formerColumn).
			hint("--pack FILE, with their status lists: aidpass pack build --status DIR")
	}
	list, err := o.a.keptList()
	if err != nil {
		return nil, err
	}
	listed, err := o.listed()
	if err != nil {
		return nil, err
	}
	if listed == nil {
		return nil, usagef("no trust list that names %s has been seen here", o.entry.ID).hint("name the newest signed list: --trust trust.list")
	}
	raw, err := readFile(f.pack, verifier.MaxPackBytes)
	if err != nil {
		return nil, err
	}
	d := &formerDesk{o: o, listed: listed, vct: t.VCT, f: f}
	d.in.At = o.a.now()
	if d.in.Pack, d.in.Floors, err = verifier.OpenPack(raw, verifier.Floors{}, d.in.At); err != nil {
		return nil, usagef("%s: %w", f.pack, err).hint("build it anew: aidpass pack build")
	}
	if p := d.in.Pack.Trust; p.ID != list.ID || !p.Anchors.Equal(list.Anchors) || p.Sequence < list.Sequence {
		return nil, usagef("the trust list of %s is not the one known here, or an older one", f.pack).
			hint("--trust LIST names the newest; then aidpass pack build --trust LIST")
	}
	return d, nil
}

// prove reads a cell. Blanks at its end are part of a card's text, and tables drop them.
func (d *formerDesk) prove(cell string) (credential.Former, *issuer.Refusal) {
	r := d.checker.Verify(cell, d.in)
	for pad := 1; pad <= 2 && !r.Credential.Proven(); pad++ {
		if padded := d.checker.Verify(cell+strings.Repeat(" ", pad), d.in); padded.Credential.Proven() {
			r = padded
		}
	}
	var f credential.Former
	var no *issuer.Refusal
	for _, country := range append(countriesOf(d.listed), d.o.entry.Country) {
		if f, no = issuer.ProveFormer(&r, d.listed, d.vct, d.f.programme, country, d.in.At); no == nil {
			break
		}
	}
	return f, no
}

// listed is the organisation as the trust list known here has it; nil where there is
// no list, or it does not stand on it.
func (o *org) listed() (*trust.Organisation, error) {
	list, err := o.a.keptList()
	if err != nil || list == nil {
		return nil, err
	}
	return list.Organisation([]byte(o.entry.ID)), nil
}

// replacedBy are the organisations in whose cards' place o may issue, each once.
func replacedBy(o *trust.Organisation) (ids []string) {
	if o == nil {
		return nil
	}
	for _, g := range o.Grants {
		ids = append(ids, g.Replaces...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
