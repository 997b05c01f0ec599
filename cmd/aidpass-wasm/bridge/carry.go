//go:build js && wasm

package bridge

import (
	"bytes"
	"errors"
	"syscall/js"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// What a phone is handed and hands on: its enrolment, frames of moving QR codes,
// what the tables of one site tell each other, and the office's receipts.

var (
	errAnswer = errors.New("bridge: the answer is for another phone")
	errLocked = errors.New("bridge: the operator's code is needed first")
)

// request is what the phone shows of itself.
func (d *desk) request(name string) reply {
	if d.device == nil {
		return fail(errNoDevice)
	}
	r := enrol.Request{Key: d.device.key, Name: name}
	raw, err := r.Encode()
	if err != nil {
		return fail(err)
	}
	text, err := r.Text()
	if err != nil {
		return fail(err)
	}
	out := done()
	out.bytes("request", raw)
	out.text("text", text)
	return out
}

// kind says what a file is by its beginning. For an answer it gives the point that
// the device key is to be multiplied with.
func (d *desk) kind(file []byte) reply {
	out := done()
	switch {
	case enrol.IsAnswer(file):
		out.text("kind", "answer")
		if box := answerBox(file); box != nil {
			out.bytes("point", box[:pointBytes])
		}
	case visit.IsExchange(file):
		out.text("kind", "exchange")
	case bytes.Contains(file[:min(len(file), 128)], []byte(visit.TypReceipt)):
		out.text("kind", "receipt")
	case bytes.Contains(file[:min(len(file), 128)], []byte(visit.TypJournal)):
		out.text("kind", "journal")
	case status.SourceOf(file) != "":
		out.text("kind", "status")
	default:
		out.text("kind", "pack") // or nothing: OpenPack says
	}
	return out
}

// answerBox finds the box of an answer: its first point begins after a head that
// enrol.Open checks whole.
func answerBox(file []byte) []byte {
	const most = 64 // bytes before the box: label, key id and heads
	for i := range min(len(file), most) {
		if file[i] == 4 && len(file)-i >= cose.BoxOverhead {
			if _, err := cose.ParseKey(coseKey(file[i : i+pointBytes])); err == nil {
				return file[i:]
			}
		}
	}
	return nil
}

// answer opens an answer with the product of its point.
func (d *desk) answer(file, secret []byte) reply {
	if d.device == nil {
		return fail(errNoDevice)
	}
	box := answerBox(file)
	if box == nil {
		return fail(errAnswer)
	}
	to := answered{d.device.point, map[string][]byte{string(box[:pointBytes]): secret}}
	a, err := enrol.Open(to, d.device.key.ID(), file)
	if err != nil {
		return fail(errAnswer)
	}
	out := done()
	out.bytes("certificate", a.Certificate)
	if len(a.Pack) > 0 {
		out.bytes("pack", a.Pack)
	}
	return out
}

// certify takes the device's certificate where the pack does not carry it.
func (d *desk) certify(raw []byte, at credential.Time) reply {
	switch {
	case d.pack == nil:
		return fail(errNoPack)
	case d.device == nil:
		return fail(errNoDevice)
	}
	c, ca, reason := d.pack.Trust.OpenDevice(raw)
	if reason == words.OK {
		reason = ca.Judge(c.NotBefore, at)
	}
	if reason != words.OK || c.Key.Thumbprint() != d.device.key.Thumbprint() || c.Org != d.pack.Org || !c.May(trust.SignJournal) {
		return fail(errNotForHere)
	}
	d.device.certificate = c
	return done()
}

// frame takes one QR code of a moving row.
func (d *desk) frame(text string) reply {
	out := done()
	out.flag("frame", enrol.IsFrame(text))
	if !enrol.IsFrame(text) {
		return out
	}
	message, err := d.frames.Add(text)
	if err != nil {
		return fail(err)
	}
	have, count := d.frames.Progress()
	out.number("have", int64(have))
	out.number("count", int64(count))
	if message != nil {
		out.bytes("message", message)
	}
	return out
}

// frames turns a file into the texts of a moving row, a round of which are its own.
func frames(file []byte) reply {
	texts, round := enrol.Row(file)
	if texts == nil {
		return fail(enrol.ErrFrame)
	}
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	out := done()
	out.list("frames", list)
	out.number("round", int64(round))
	return out
}

// maxUpdates is how many status parts beside a pack a device keeps: then a whole
// pack is due.
const maxUpdates = 64

// status takes a status update: whole lists or deltas that came alone. What is
// refused leaves everything as it is.
func (d *desk) status(file []byte, at credential.Time) reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	parts, err := verifier.SplitUpdates(file)
	var p *verifier.Pack
	var floors verifier.Floors
	var used [][]byte
	if err == nil {
		p, floors, used, err = d.pack.AddUpdates(parts, d.floors, at)
	}
	if err == nil && len(d.updates)+len(used) > maxUpdates {
		err = &verifier.PackError{Reason: words.TooLarge, Err: errUpdates}
	}
	if err != nil {
		out := fail(err)
		if e, ok := err.(*verifier.PackError); ok {
			out.text("reason", string(e.Reason))
		}
		return out
	}
	// Which lists became newer.
	newer := []any{}
	for _, l := range p.Lists() {
		for _, old := range d.pack.Lists() {
			if old.URI == l.URI && old.IssuedAt < l.IssuedAt {
				newer = append(newer, d.nameOf(l.URI))
			}
		}
	}
	if len(used) > 0 {
		d.pack, d.floors = p, floors
		d.updates = append(d.updates, used...)
	}
	out := done()
	out.list("newer", newer)
	return d.state(out)
}

var errUpdates = errors.New("bridge: too many updates beside the pack: load a whole pack")

// parts is what another phone needs to have this one's lists.
func (d *desk) parts() reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	out := done()
	out.bytes("file", bytes.Join(append(d.pack.StatusParts(), d.updates...), nil))
	return out
}

// pack and unpack keep several files in one, each as a byte string.
func pack(files [][]byte) (b []byte) {
	for _, f := range files {
		b = cbor.AppendBytes(b, f)
	}
	return b
}

func unpack(b []byte) (files [][]byte) {
	for len(b) > 0 {
		n, _, err := cbor.Scan(b, cbor.DefaultLimits)
		if err != nil {
			return files
		}
		r := cbor.NewReader(b[:n])
		files, b = append(files, r.Bytes()), b[n:]
	}
	return files
}

// share seals the own journal to the tables of the site, and with it the newest
// record of each table that was heard; salt is fresh randomness.
func (d *desk) share(journal, salt []byte) reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	if d.unlocked == nil || len(d.unlocked.SiteKeys) == 0 {
		return fail(errLocked)
	}
	keys := d.unlocked.SiteKeys
	for _, j := range d.visits {
		journal = append(journal, j.Last...)
	}
	file, err := visit.SealExchange(keys[len(keys)-1], d.pack.Org, d.pack.Site, journal, bytes.NewReader(salt))
	if err != nil {
		return fail(err)
	}
	out := done()
	out.bytes("file", file)
	return out
}

// shared opens what another table of the site sealed.
func (d *desk) shared(file []byte) reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	if d.unlocked == nil || len(d.unlocked.SiteKeys) == 0 {
		return fail(errLocked)
	}
	records, err := visit.OpenExchange(d.unlocked.SiteKeys, d.pack.Org, d.pack.Site, file)
	if err != nil {
		return fail(err)
	}
	out := done()
	out.bytes("journal", records)
	return out
}

// receipt says how far the office has this phone's journal.
func (d *desk) receipt(raw []byte) reply {
	switch {
	case d.pack == nil:
		return fail(errNoPack)
	case d.device == nil:
		return fail(errNoDevice)
	}
	r, err := visit.OpenReceipt(raw, func(org string, kid []byte) *cose.Key {
		if k, reason := d.pack.Trust.Find([]byte(org), kid, trust.UsePack); reason == words.OK && org == d.pack.Org {
			return k.Key
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	covers, err := r.Covers(d.device.journal)
	if err != nil {
		out := fail(err)
		if errors.Is(err, visit.ErrCopied) {
			d.device.copied = true
			out.flag("copied", true)
		}
		return out
	}
	out := done()
	out.number("covers", int64(covers))
	return out
}

// carry finds the operations of this file; false: not one of them.
func (d *desk) carry(op string, arg func(int) js.Value) (reply, bool) {
	switch op {
	case "request":
		return d.request(textOf(arg(0))), true
	case "kind":
		return d.kind(bytesOf(arg(0))), true
	case "answer":
		return d.answer(bytesOf(arg(0)), bytesOf(arg(1))), true
	case "certificate":
		return d.certify(bytesOf(arg(0)), timeOf(arg(1))), true
	case "frame":
		return d.frame(textOf(arg(0))), true
	case "share":
		return d.share(bytesOf(arg(0)), bytesOf(arg(1))), true
	case "shared":
		return d.shared(bytesOf(arg(0))), true
	case "frames":
		return frames(bytesOf(arg(0))), true
	case "status":
		return d.status(bytesOf(arg(0)), timeOf(arg(1))), true
	case "parts":
		return d.parts(), true
	case "receipt":
		return d.receipt(bytesOf(arg(0))), true
	}
	return nil, false
}
