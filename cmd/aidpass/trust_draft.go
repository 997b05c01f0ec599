package main

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/trust"
)

const day credential.Time = 24 * 60 * 60

// A draft file is deterministic CBOR:
//
//	["aidpass-draft-1", payload: bstr, base: bstr]
//
// payload is what the custodians sign, base the signed list it follows (empty for
// the first), so that whoever is handed the draft sees what it changes.
const (
	draftName  = "aidpass-draft-1"
	draftLimit = 2*trust.MaxListBytes + 64
)

// draftFile is a list being written, and the list it follows.
type draftFile struct {
	*trust.Draft
	base    *trust.List // nil: the first list
	baseRaw []byte
	signed  bool // it was a signed list: this is the start of the next one
}

// edit is what every act on a draft takes.
type edit struct {
	out  string
	days int
}

func (e *edit) flags(f *pflag.FlagSet) {
	f.StringVar(&e.out, "out", "", "draft to write; needed when LIST is a signed list, else LIST is written over")
	e.dates(f)
}

func (e *edit) dates(f *pflag.FlagSet) {
	f.IntVar(&e.days, "days", 0, "days until the next list is due (default: as before, at first 90)")
}

// openDraft reads a draft, or starts the list that follows a signed one.
func openDraft(path string) (*draftFile, error) {
	raw, err := readFile(path, draftLimit)
	if err != nil {
		return nil, err
	}
	r := cbor.NewReader(raw)
	if r.Kind() != cbor.Array || r.Array() != 3 || r.Kind() != cbor.Text || string(r.Text()) != draftName {
		list, err := trust.Open(raw, trust.Anchors{})
		if err != nil {
			return nil, usagef("%s: %w", path, err).hint("a draft, or a list that enough custodians have signed, is needed here")
		}
		return &draftFile{Draft: trust.FromList(list), base: list, baseRaw: raw, signed: true}, nil
	}
	payload, base := r.Bytes(), r.Bytes()
	if !r.Done() {
		return nil, usagef("%s is a damaged draft", path).hint("start again from the last signed list")
	}
	list, err := trust.ParsePayload(payload)
	if err != nil {
		return nil, usagef("%s: %w", path, err).hint("start again from the last signed list")
	}
	d := &draftFile{}
	now := trust.FromList(list)
	if len(base) == 0 {
		d.Draft = trust.NewDraft(list.ID, list.Anchors)
	} else {
		if d.base, err = trust.Open(base, trust.Anchors{}); err != nil {
			return nil, usagef("%s: the list it follows: %w", path, err).hint("start again from the last signed list")
		}
		d.baseRaw = base
		d.Draft = trust.FromList(d.base)
	}
	d.ID, d.Sequence, d.Issued, d.NextUpdate = list.ID, list.Sequence, list.Issued, list.NextUpdate
	d.Anchors, d.FloorReset = list.Anchors, list.FloorReset
	d.Organisations, d.Recognitions, d.Removed = now.Organisations, now.Recognitions, now.Removed
	return d, nil
}

// editDraft does one act on a draft and writes it back. The issue date becomes
// now: acts are judged by it.
func (a *app) editDraft(path string, e *edit, act func(d *draftFile) (done string, err error)) error {
	d, err := openDraft(path)
	if err != nil {
		return err
	}
	out := e.out
	if out == "" {
		if d.signed {
			return usagef("%s is signed and stays as it is", path).hint("--out list-%d.draft names the draft of the next list", d.Sequence)
		}
		out = path
	} else if out != path {
		if err := mustNotExist(out); err != nil {
			return err
		}
	}
	a.date(d, e)
	done, err := act(d)
	if err != nil {
		return usagef("%w", err).hint("aidpass trust show %s tells what stands in it", path)
	}
	return a.saveDraft(d, out, e, done)
}

// date sets when the list is issued and when the next is due.
func (a *app) date(d *draftFile, e *edit) {
	life := d.NextUpdate - d.Issued
	if d.signed {
		life = d.base.NextUpdate - d.base.Issued
	}
	if e.days > 0 {
		life = credential.Time(e.days) * day
	}
	if life <= 0 {
		life = 90 * day
	}
	d.Issued = a.now()
	d.NextUpdate = d.Issued + life
}

// saveDraft writes the draft and tells what is unwise in it.
func (a *app) saveDraft(d *draftFile, out string, e *edit, done string) error {
	if d.Issued == 0 {
		a.date(d, e)
	}
	payload, err := d.Encode()
	if err != nil {
		return usagef("%w", err).hint("the draft is left as it was")
	}
	b := cbor.AppendText(cbor.AppendArray(nil, 3), draftName)
	b = cbor.AppendBytes(cbor.AppendBytes(b, payload), d.baseRaw)
	if err := writeFile(out, b); err != nil {
		return err
	}
	if err := a.warnOfRival(d, payload); err != nil {
		return err
	}
	var notes []string
	for _, w := range d.Lint() {
		notes = append(notes, w.String())
	}
	return a.print(map[string]any{"draft": out, "sequence": d.Sequence, "done": done, "notes": notes}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s (list %d)\n", out, done, d.Sequence)
		for _, n := range notes {
			fmt.Fprintln(w, "  note:", n)
		}
	})
}

// rivals reports whether the draft, as payload, would be another list of a number that
// have took already. Two lists of one number split those who hold one from those who
// hold the other: neither can go on to the other's.
func (d *draftFile) rivals(have *trust.List, payload []byte) bool {
	l, err := trust.ParsePayload(payload)
	return err == nil && have != nil && have.ID == l.ID && have.Sequence >= l.Sequence && have.Digest() != l.Digest()
}

// warnOfRival says where a list of the draft's number has been in use here. The draft may
// be somebody else's, whose word on the order of lists counts more than this laptop's.
func (a *app) warnOfRival(d *draftFile, payload []byte) error {
	have, err := a.keptList()
	if err != nil {
		return err
	}
	if d.rivals(have, payload) {
		a.say("warning: this draft is list %d, and list %d has been used here: whoever has that one takes no other of its number", d.Sequence, have.Sequence)
		a.say("hint: start the next list with the signed one: aidpass trust grant %s ... --out next.draft", a.keptPath())
	}
	return nil
}

// readList opens a signed list.
func readList(path string, pinned trust.Anchors) ([]byte, *trust.List, error) {
	raw, err := readFile(path, trust.MaxListBytes)
	if err != nil {
		return nil, nil, err
	}
	list, err := trust.Open(raw, pinned)
	if err != nil {
		return nil, nil, usagef("%s: %w", path, err).hint("a list that enough custodians have signed is needed: aidpass trust show %s tells who has", path)
	}
	return raw, list, nil
}
