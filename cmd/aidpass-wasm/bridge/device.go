//go:build js && wasm

package bridge

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall/js"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// device is the phone itself. Its private key stays with the browser; what is
// signed goes out as bytes and comes back as a signature.
type device struct {
	key      *cose.Key
	point    []byte
	journal  *visit.Journal
	prepared *cose.Prepared
	sequence uint64
	copied   bool // another device has this one's memory: nothing is recorded any more
	gives    bool // what is prepared is a collection

	certificate *trust.DeviceCertificate // given beside the pack; nil: the pack's counts
}

const pointBytes = 65 // an uncompressed point of P-256: 4, x, y

var (
	errNoDevice    = errors.New("bridge: give the device's key first")
	errNoCard      = errors.New("bridge: nothing was judged that could be recorded")
	errNotPrepared = errors.New("bridge: prepare an entry first")
	errNotForHere  = errors.New("bridge: no certificate lets this device record now: a pack with one is needed")
	errSecrets     = errors.New("bridge: one secret for every point")
)

// uses looks through the own journal and those of the other tables.
func (d *desk) uses() verifier.Uses {
	if d.device == nil || d.device.journal == nil {
		return d.visits
	}
	return append(visit.Journals{d.device.journal}, d.visits...)
}

// coseKey writes a point as a COSE_Key (RFC 9052 7, RFC 9053 7.1.1).
func coseKey(point []byte) []byte {
	b := cbor.AppendMap(nil, 4)
	b = cbor.AppendInt(cbor.AppendInt(b, 1), 2)
	b = cbor.AppendInt(cbor.AppendInt(b, -1), 1)
	b = cbor.AppendBytes(cbor.AppendInt(b, -2), point[1:33])
	return cbor.AppendBytes(cbor.AppendInt(b, -3), point[33:])
}

// enrol takes the public half of the device key and the journal so far, and says
// what the open pack makes of the device.
func (d *desk) enrol(point, journal, certificate []byte, at credential.Time) reply {
	d.device = nil
	if len(point) != pointBytes || point[0] != 4 {
		return fail(fmt.Errorf("bridge: a key of %d bytes, want an uncompressed point", len(point)))
	}
	key, err := cose.ParseKey(coseKey(point))
	if err != nil {
		return fail(err)
	}
	dev := &device{key: key, point: point}
	j, err := visit.Read(journal, dev.find)
	if err != nil {
		return fail(err)
	}
	dev.journal, d.device = j, dev
	id, thumb := key.ID(), key.Thumbprint()
	out := done()
	out.text("kid", hex.EncodeToString(id[:]))
	out.text("words", trust.HashWords(thumb[:]))
	out.number("records", int64(len(j.Visits)))
	out.flag("torn", j.Torn)
	out.number("good", int64(j.Good))
	if len(certificate) > 0 {
		d.certify(certificate, at) // one that does not hold vouches for nothing
	}
	c := d.certificate()
	out.flag("certified", c != nil && c.Judge(at, at) == words.OK)
	out.flag("asks", d.certificateFor(trust.SignChallenge) != nil)
	if c != nil {
		out.text("site", c.Site)
		out.moment("until", c.NotAfter)
		out.text("ceiling", c.Ceiling)
		out.number("overrides", int64(overridesUnder(c.Ceiling)))
	}
	return out
}

func (v *device) find(kid []byte) *cose.Key {
	if id := v.key.ID(); bytes.Equal(id[:], kid) {
		return v.key
	}
	return nil
}

// certificate is what the open pack lets this device do, nil for nothing.
func (d *desk) certificate() *trust.DeviceCertificate { return d.certificateFor(trust.SignJournal) }

// certificateFor is the certificate that lets this device sign what, nil for none.
func (d *desk) certificateFor(what uint64) *trust.DeviceCertificate {
	if d.pack == nil || d.device == nil {
		return nil
	}
	id := d.device.key.ID()
	c, own := d.pack.Device(id[:], what), d.device.certificate
	if own != nil && own.May(what) && (c == nil || own.NotAfter > c.NotAfter) {
		return own
	}
	return c
}

// prepare makes the bytes of the next record. A collection is recorded on the
// newest verdict alone, which the entry names by its number, and only where that was a good one, or where an entry
// names the reason (a code) for which a supervisor gave all the same.
func (d *desk) prepare(entry js.Value, at credential.Time) reply {
	dev := d.device
	if dev == nil {
		return fail(errNoDevice)
	}
	dev.prepared = nil
	if dev.copied {
		return fail(visit.ErrCopied)
	}
	c := d.certificate()
	if c == nil || c.Judge(at, at) != words.OK {
		return fail(errNotForHere)
	}
	if entry.Type() != js.TypeObject {
		return fail(errNotPrepared)
	}
	v := visit.Visit{Device: c.DeviceID, Sequence: dev.journal.Next(), At: at,
		Kind:  visit.Kind(intOf(entry.Get("kind"))),
		Given: textOf(entry.Get("given")), Rest: textOf(entry.Get("rest")), Code: textOf(entry.Get("code")),
		By: visit.Collector(intOf(entry.Get("by"))), Cancels: uint64(intOf(entry.Get("cancels")))}
	if list := entry.Get("checks"); list.Type() == js.TypeObject {
		for i := range min(list.Length(), 8) {
			v.Checks = append(v.Checks, visit.Check(intOf(list.Index(i))))
		}
	}
	if len(dev.journal.Visits) > 0 {
		v.Device = dev.journal.Visits[0].Device // a journal is one device's, whatever a later certificate calls it
	}
	if verdict := intOf(entry.Get("verdict")); v.Kind <= visit.Partial || verdict != 0 {
		err := d.onCard(&v, entry.Get("lines"), at, verdict)
		if err == nil && strings.HasPrefix(v.Code, overriding) {
			err = withinCeiling(dev.journal, c.Ceiling)
		}
		if err != nil {
			return refusal(err)
		}
	}
	p, err := visit.Prepare(dev.key, dev.journal.Last, v)
	if err != nil {
		return fail(err)
	}
	dev.prepared, dev.sequence, dev.gives = p, v.Sequence, v.Kind <= visit.Partial || v.Code == "served"
	out := done()
	out.number("sequence", int64(v.Sequence))
	out.bytes("sign", p.ToBeSigned())
	return out
}

func (d *desk) onCard(v *visit.Visit, lines js.Value, at credential.Time, verdict int64) error {
	r := d.shown
	if r == nil || !r.Credential.Proven() && r.Row == nil || !d.mayShow(at, verdict) {
		return errNoCard
	}
	if v.Kind <= visit.Partial {
		switch {
		case r.Answer != words.Valid && v.Code == "":
			return fmt.Errorf("bridge: the answer was %s: without a reason nothing is recorded as given", r.Answer)
		case r.Row != nil && !slices.Contains(v.Checks, visit.CheckPhoto) && !slices.Contains(v.Checks, visit.CheckWitness):
			return errNumberAlone
		}
		if err := d.reckon(v, lines); err != nil {
			return err
		}
	}
	v.Ledger, v.Former, v.Card = r.Ledger, r.Former, r.Credential.ID
	if v.Kind == visit.Collection && r.Has(words.PartlyCollected) {
		switch v.Code {
		case "":
			v.Code = visit.CodeRest
		case string(words.NumberOnly):
			v.Code += ":" + visit.CodeRest
		}
	}
	if r.OldList != nil && v.Kind <= visit.Partial && v.Ledger.Pseudonym != "" && !strings.HasPrefix(v.Code, overriding) {
		v.LetPass()
	}
	if v.Ledger.Pseudonym == "" && v.Kind <= visit.Partial {
		// A type that counts no collections, as a referral: that it was served is noted.
		v.Kind, v.Rest = visit.Note, ""
		if v.Code == "" {
			v.Code = "served"
		}
	}
	if r.Holder&verifier.PINRight != 0 {
		v.Checks = append(v.Checks, visit.CheckPIN)
	}
	if r.Holder&verifier.LiveProof != 0 {
		v.Checks = append(v.Checks, visit.CheckLive)
	}
	return nil
}

func (d *desk) attach(signature []byte) reply {
	dev := d.device
	if dev == nil || dev.prepared == nil {
		return fail(errNotPrepared)
	}
	record, err := dev.prepared.Attach(signature)
	dev.prepared = nil
	if err != nil {
		return fail(err)
	}
	if err := dev.journal.Append(record, dev.key); err != nil {
		return fail(err)
	}
	d.floors = d.floors.RecordedAt(dev.journal.Visits[len(dev.journal.Visits)-1].At)
	if dev.gives {
		d.shown = nil // once recorded, once given
	}
	out := done()
	out.number("sequence", int64(dev.sequence))
	out.bytes("record", record)
	return d.state(out)
}

// records tells what this device wrote down, oldest first.
func (d *desk) records() reply {
	if d.device == nil {
		return fail(errNoDevice)
	}
	j := d.device.journal
	list := make([]any, len(j.Visits))
	for i := range j.Visits {
		v := &j.Visits[i]
		r := reply{"number": nil}
		r.number("sequence", int64(v.Sequence))
		r.number("at", int64(v.At))
		r.number("kind", int64(v.Kind))
		r.text("given", v.Given)
		r.text("rest", v.Rest)
		r.text("code", v.Code)
		r.number("cancels", int64(v.Cancels))
		r.flag("cancelled", j.Cancelled(v.Sequence))
		if n, err := cwt.CardNumber(v.Ledger.Pseudonym); err == nil {
			r.text("number", n)
		}
		list[i] = map[string]any(r)
	}
	out := done()
	out.list("records", list)
	return out
}

// points are the ephemeral keys of the boxes that may be sealed to this device.
func (d *desk) points() reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	list := []any{}
	for _, box := range d.boxes() {
		list = append(list, array(box[:pointBytes]))
	}
	out := done()
	out.list("points", list)
	return out
}

func (d *desk) boxes() (boxes [][]byte) {
	for i := range d.pack.Parts {
		if p := &d.pack.Parts[i]; p.Kind == verifier.PartAudience && len(p.Data) >= cose.BoxOverhead {
			boxes = append(boxes, p.Data)
		}
	}
	return boxes
}

// answered is a Recipient whose products the browser has made beforehand.
type answered struct {
	public  []byte
	secrets map[string][]byte
}

func (a answered) PublicKey() []byte { return a.public }

func (a answered) ECDH(point []byte) ([]byte, error) {
	if s := a.secrets[string(point)]; len(s) == 32 {
		return s, nil
	}
	return nil, errSecrets
}

func (d *desk) unseal(secrets js.Value, code string) error {
	d.lock()
	switch {
	case d.pack == nil:
		return errNoPack
	case d.device == nil:
		return errNoDevice
	}
	boxes := d.boxes()
	if secrets.Type() != js.TypeObject || secrets.Length() != len(boxes) {
		return errSecrets
	}
	a := answered{d.device.point, map[string][]byte{}}
	for i, box := range boxes {
		a.secrets[string(box[:pointBytes])] = bytesOf(secrets.Index(i))
	}
	return d.openWith(a, code)
}

// lists tells how old everything is that verdicts rest on.
func (d *desk) lists(at credential.Time) reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	p := d.pack
	list := []any{}
	add := func(kind, name, org string, asOf, next credential.Time) {
		l := reply{"as_of": nil, "next": nil}
		l.text("kind", kind)
		l.text("name", name)
		l.flag("own", org == p.Org)
		if o := p.Trust.Organisation([]byte(org)); o != nil {
			l.text("name", o.Names["en"])
		}
		l.moment("as_of", asOf)
		l.moment("next", next)
		l.number("age", max(0, int64(at-asOf)))
		list = append(list, map[string]any(l))
	}
	add("pack", p.Site, p.Org, p.Issued, p.Expires)
	add("trust", p.Trust.ID, "", p.Trust.Issued, p.Trust.NextUpdate)
	for _, s := range p.Lists() {
		add("status", s.URI, d.ownerOf(s.URI), s.IssuedAt, s.NextUpdate)
		list[len(list)-1].(map[string]any)["uri"] = s.URI // an organisation may have several
	}
	out := done()
	out.list("lists", list)
	out.number("hard_floor", int64(d.floors.Hard()))
	out.number("soft_floor", int64(d.floors.Soft))
	o, spent := d.decision(at)
	if o == nil && spent != nil {
		out.flag("old_lists_spent", true)
		o = spent
	}
	if o != nil {
		out.moment("old_lists_until", o.Until)
		out.text("old_lists_ceiling", o.Ceiling)
		if most, counted := verifier.CeilingOf(o.Ceiling); counted {
			out.number("old_lists_most", int64(most))
			out.number("old_lists_given", int64(d.givenUnder(o)))
		}
	}
	open, next := p.Policy.Open(at)
	out.flag("round_open", open)
	out.moment("round_opens", next)
	programmes := []any{}
	for code := range p.Policy.Programmes {
		programmes = append(programmes, code)
	}
	out.list("programmes", programmes)
	out.text("tables", d.sealed())
	out.flag("keys", len(d.boxes()) > 0)
	return out
}

// ownerOf is the organisation whose status part a list came by; "" for none.
func (d *desk) ownerOf(uri string) string {
	for i := range d.pack.Parts {
		if p := &d.pack.Parts[i]; p.Name == uri {
			return p.Owner
		}
	}
	return ""
}

// nameOf is what people call whose status list it is.
func (d *desk) nameOf(uri string) string {
	if o := d.pack.Trust.Organisation([]byte(d.ownerOf(uri))); o != nil {
		return o.Names["en"]
	}
	return uri
}

// labels are the names of types, claims and their values in one language.
func (d *desk) labels(lang string) reply {
	if d.pack == nil {
		return fail(errNoPack)
	}
	d.lang = lang // what the tables are called is told in it too
	out := done()
	for _, t := range d.pack.Types.All() {
		out.text(t.Name, t.Label(lang))
		for i := range t.Claims {
			c := &t.Claims[i]
			out.text(t.Name+"."+c.Name, c.Label(lang))
			for _, value := range c.Values {
				out.text(t.Name+"."+c.Name+"="+value, c.ValueLabel(lang, value))
			}
		}
	}
	return out
}

// openRound is the site's one-time decision on the device itself (DESIGN 7).
func (d *desk) openRound(v js.Value) reply {
	d.oldLists = nil
	if v.Type() != js.TypeObject {
		return done()
	}
	o := &verifier.Decision{Reason: textOf(v.Get("reason")), Lead: textOf(v.Get("lead")), Second: textOf(v.Get("second")),
		Ceiling: textOf(v.Get("ceiling")), From: timeOf(v.Get("from")), Until: timeOf(v.Get("until"))}
	if o.Reason == "" || !o.Holds(o.From) {
		return fail(errors.New("bridge: a reason, two different people and an end are needed"))
	}
	d.oldLists = o
	return done()
}

//go:noinline
//go:noinline
func intOf(v js.Value) int64 {
	if v.Type() != js.TypeNumber || v.Float() < 0 || v.Float() > 1<<53 {
		return 0
	}
	return int64(v.Float())
}
