//go:build js && wasm

package bridge

import (
	"encoding/hex"
	"errors"
	"fmt"
	"syscall/js"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// desk is what one page has open.
type desk struct {
	checker  verifier.Checker
	pack     *verifier.Pack
	refused  words.Reason // why there is no pack; empty: none was opened
	updates  [][]byte     // status parts that came alone and made a list newer than the pack's
	floors   verifier.Floors
	visits   visit.Journals
	unlocked *verifier.Unlocked
	asking   *asking           // nil: no phone was asked
	tokens   verifier.Tokens   // nil: this core reads no wallet credentials
	binding  *verifier.Binding // what a wallet was asked to sign

	frames   enrol.Frameset
	device   *device            // whose key is the page's, see device.go
	oldLists *verifier.Decision // taken on the phone
	policy   *verifier.Decision // the one that came in the pack
	shown    *verifier.Result   // the newest verdict, for what is recorded on it
	shownAt  credential.Time
	verdicts int64 // how many there were: each goes by its number

	tables *verifier.Tables // nil: locked, see give.go
	lang   string
	row    *verifier.Row // of the newest verdict; nil: not on the list
	due    []visit.Line  // by the newest verdict; nil: the tables do not say
}

//go:noinline
//go:noinline
func fail(err error) reply { return reply{"ok": false, "error": err.Error()} }

// Serve puts the function on the page under name and never returns. tokens reads
// wallet credentials; nil for a core that carries no reader of them.
func Serve(name string, tokens verifier.Tokens) {
	d := desk{tokens: tokens}
	js.Global().Set(name, js.FuncOf(func(_ js.Value, args []js.Value) (result any) {
		// A fault of ours must not take the page's worker down with it.
		defer func() {
			if p := recover(); p != nil {
				err, ok := p.(error)
				if !ok {
					err = errors.New("without an error")
				}
				result = map[string]any(fail(fmt.Errorf("internal fault: %w", err)))
			}
		}()
		if len(args) == 0 {
			return map[string]any(fail(errOperation))
		}
		return map[string]any(d.call(textOf(args[0]), args[1:]))
	}))
	if ready := js.Global().Get(name + "Ready"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	select {}
}

var errOperation = errors.New("bridge: the first argument names what to do")

func (d *desk) call(op string, args []js.Value) reply {
	arg := func(i int) js.Value {
		if i < len(args) {
			return args[i]
		}
		return js.Undefined()
	}
	var err error
	switch op {
	case "open":
		d.updates = unpack(bytesOf(arg(3)))
		return d.open(bytesOf(arg(0)), bytesOf(arg(1)), timeOf(arg(2)), false)
	case "update":
		return d.open(bytesOf(arg(0)), nil, timeOf(arg(1)), true)
	case "visits":
		return d.addVisits(bytesOf(arg(0)))
	case "verify":
		return d.verify(textOf(arg(0)), timeOf(arg(1)), "", arg(2).Truthy(), intOf(arg(3)))
	case "pin":
		return d.verify(textOf(arg(0)), timeOf(arg(1)), textOf(arg(2)), arg(3).Truthy(), intOf(arg(4)))
	case "number":
		return d.number(textOf(arg(0)), timeOf(arg(1)), int(intOf(arg(2))))
	case "names":
		return d.names(timeOf(arg(0)), intOf(arg(1)))
	case "whereabouts":
		return d.whereabouts(timeOf(arg(0)), intOf(arg(1)))
	case "face":
		return d.face(timeOf(arg(0)), intOf(arg(1)))
	case "unlock":
		err = d.unlock(bytesOf(arg(0)), textOf(arg(1)))
	case "points":
		return d.points()
	case "unseal":
		err = d.unseal(arg(0), textOf(arg(1)))
	case "device":
		return d.enrol(bytesOf(arg(0)), bytesOf(arg(1)), bytesOf(arg(2)), timeOf(arg(3)))
	case "prepare":
		return d.prepare(arg(0), timeOf(arg(1)))
	case "attach":
		return d.attach(bytesOf(arg(0)))
	case "records":
		return d.records()
	case "badge":
		return d.badge(textOf(arg(0)), timeOf(arg(1)))
	case "lists":
		return d.lists(timeOf(arg(0)))
	case "labels":
		return d.labels(textOf(arg(0)))
	case "old_lists":
		return d.openRound(arg(0))
	case "clear_clock":
		d.floors = d.floors.ClearSoft()
		return d.state(done())
	case "state":
		return d.state(done())
	case "challenge":
		return d.challenge(bytesOf(arg(0)), timeOf(arg(1)))
	case "challenged":
		return d.challenged(bytesOf(arg(0)))
	case "ask":
		d.binding = nil
		if nonce := textOf(arg(1)); nonce != "" {
			d.binding = &verifier.Binding{Audience: textOf(arg(0)), Nonce: nonce}
		}
	case "forget":
		*d = desk{verdicts: d.verdicts, tokens: d.tokens} // no number comes again
	default:
		if out, known := d.carry(op, arg); known {
			return out
		}
		err = errOperation
	}
	if err != nil {
		return fail(err)
	}
	return done()
}

// open takes a pack. With keep, one that is refused leaves what is open as it is,
// and what the device remembers is what it has in hand.
func (d *desk) open(pack, state []byte, at credential.Time, keep bool) reply {
	floors, err := verifier.Floors{}, error(nil)
	if keep {
		floors = d.floors
	} else if len(state) > 0 {
		if floors, err = verifier.DecodeFloors(state); err != nil {
			return fail(err)
		}
	}
	p, floors, err := verifier.OpenPack(pack, floors, at)
	var used [][]byte
	if err == nil && len(d.updates) > 0 {
		p, floors, used, _ = p.AddUpdates(d.updates, floors, at) // those that the new lists leave behind are dropped
	}
	if err == nil && keep {
		err = d.goesBack(p, at)
	}
	var out reply
	if err != nil {
		refused := words.PackMismatch
		if e, ok := err.(*verifier.PackError); ok {
			refused = e.Reason
		}
		out = fail(err)
		out.text("reason", string(refused))
		if !keep {
			d.floors, d.pack, d.refused = floors, nil, refused
		}
	} else {
		d.floors, d.pack, d.refused, d.updates = floors, p, "", used
		out = done()
		faults := make([]any, len(p.Faults))
		for i, f := range p.Faults {
			faults[i] = string(f.Reason) + " " + f.Part
		}
		out.list("faults", faults)
		out.text("org", p.Org)
		out.text("site", p.Site)
		out.number("sequence", int64(p.Sequence))
		out.moment("issued", p.Issued)
		out.moment("expires", p.Expires)
		// What the pack decides is counted here, as what the phone does: see decision.
		d.policy, p.Policy.OldLists = p.Policy.OldLists, nil
		d.lock() // the keys were the other pack's
		d.shown = nil
	}
	return d.state(out)
}

// goesBack refuses a pack that would take a list out of use that is newer than its
// own: it was built before the update that the device took.
func (d *desk) goesBack(p *verifier.Pack, at credential.Time) error {
	if d.pack == nil {
		return nil
	}
	for _, l := range d.pack.Lists() {
		if _, reason := d.pack.List([]byte(l.URI), at); reason != words.OK {
			continue
		}
		if _, reason := p.List([]byte(l.URI), at); reason == words.StatusRollback {
			return &verifier.PackError{Reason: words.PackRollback, Err: errNewerLists}
		}
	}
	return nil
}

var errNewerLists = errors.New("its status lists are older than those in use")

// state adds what the page must keep for this device.
func (d *desk) state(out reply) reply {
	out.bytes("updates", pack(d.updates))
	out.bytes("state", d.floors.Encode())
	return out
}

var errNoPack = errors.New("bridge: open a pack first")

func (d *desk) addVisits(file []byte) reply {
	if file == nil {
		d.visits = nil
		return done()
	}
	if d.pack == nil {
		return fail(errNoPack) // it vouches for the devices
	}
	out := done()
	if dev := d.device; dev != nil && dev.journal.CopiedBy(dev.key, file) {
		dev.copied = true
		out.flag("copied", true)
	}
	told, err := visit.ReadTold(file, d.pack.JournalKey)
	if err != nil {
		return fail(err)
	}
	records, torn, journals := 0, false, []any{}
	for _, t := range told {
		id := t.Device()
		if d.device != nil && id == d.device.key.ID() {
			continue
		}
		records += len(t.Visits)
		torn = torn || t.Torn
		if former, news := d.hear(t.Journal); news {
			j := reply{"file": array(t.File)}
			j.text("name", branch(t.Journal))
			j.text("former", "")
			if former != nil {
				j.text("former", branch(former))
			}
			journals = append(journals, map[string]any(j))
		}
	}
	out.number("records", int64(records))
	out.flag("torn", torn)
	out.list("journals", journals)
	return out
}

// branch names what was heard of a device up to a record: a copied device has several.
func branch(j *visit.Journal) string {
	id := j.Device()
	return hex.EncodeToString(id[:]) + "/" + hex.EncodeToString(j.Hashes[len(j.Hashes)-1][:8])
}

// hear takes another device's journal, in the place of former, which it goes on; nil:
// of none. Without news there is nothing new in it.
func (d *desk) hear(j *visit.Journal) (former *visit.Journal, news bool) {
	for i, o := range d.visits {
		switch n := len(o.Hashes); {
		case o.Device() != j.Device():
		case len(j.Hashes) <= n && o.Hashes[len(j.Hashes)-1] == j.Hashes[len(j.Hashes)-1]:
			return nil, false
		case len(j.Hashes) > n && j.Hashes[n-1] == o.Hashes[n-1]:
			d.visits[i] = j
			return o, true
		}
	}
	d.visits = append(d.visits, j) // a new table, or a copied one: then both count
	return nil, true
}

func (d *desk) unlock(scalar []byte, code string) error {
	d.lock()
	if scalar == nil {
		d.shown = nil // what its keys opened of the last card goes too
		return nil
	}
	if d.pack == nil {
		return errNoPack // it carries the sealed keys
	}
	device, err := cose.NewRecipient(scalar)
	if err != nil {
		return err
	}
	return d.openWith(device, code)
}

// verify judges text. again is the number of the verdict that is made once more, with
// what was opened or typed since; 0: none. Only the newest is, and none that was
// recorded on: a live code proves one hand-over.
func (d *desk) verify(text string, at credential.Time, pin string, tables bool, again int64) reply {
	in := d.inputs(at)
	in.PIN = pin
	if d.mayShow(at, again) {
		in.Again = d.shown.Live
	}
	r := d.checker.Verify(text, in)
	r.Keep()
	d.floors = r.Floors
	if r.Holder&verifier.LiveChallenge != 0 {
		d.asking = nil // answered once
	}
	out := reply(Flat(&r))
	d.show(out, &r, at, tables)
	return out
}

func (d *desk) inputs(at credential.Time) verifier.Inputs {
	in := verifier.Inputs{At: at, Floors: d.floors, Pack: d.pack, Unlock: d.unlocked, PackRefused: d.refused,
		Tokens: d.tokens, Binding: d.binding}
	if a := d.asking; a != nil {
		// One that is over stays until it is taken back: who was asked by it has not
		// answered, and what counts where nobody was asked is no answer.
		in.Challenge, in.Asked = a.message, a.at
	}
	in.OldLists, _ = d.decision(at)
	if len(d.visits) > 0 || d.device != nil || d.tables != nil {
		in.Uses = d.uses()
	}
	return in
}

//go:noinline
//go:noinline
func textOf(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

//go:noinline
//go:noinline
func timeOf(v js.Value) credential.Time {
	if v.Type() != js.TypeNumber {
		return 0
	}
	return credential.Time(v.Float())
}

//go:noinline
//go:noinline
func bytesOf(v js.Value) []byte {
	if v.Type() != js.TypeObject || !v.InstanceOf(js.Global().Get("Uint8Array")) {
		return nil
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}

// list puts an array there.
//
//go:noinline
func (o reply) list(key string, l []any) { o[key] = l }

// bytes puts a Uint8Array there.
//
//go:noinline
func (o reply) bytes(key string, b []byte) { o[key] = array(b) }

//go:noinline
//go:noinline
func array(b []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}
