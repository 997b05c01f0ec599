//go:build js && wasm

// Package bridge is the one door between a web page and the core: a function
// aidpass(op, ...args) that takes strings, numbers and bytes and gives back one
// flat object. Nothing is fetched, stored or timed in here; the page passes the
// clock and keeps the state it is given.
//
//	aidpass("open", pack, state, at)      -> {ok, reason, error, state, org, site, sequence, issued, expires, faults}
//	aidpass("visits", journal)            -> {ok, error, records, torn}
//	aidpass("verify", text, at)           -> {answer, reason, reasons, word, ..., state?}
//	aidpass("pin", text, at, pin)         -> as verify
//	aidpass("unlock", key, code)          -> {ok, error}: the device's P-256 private scalar (32 bytes) and the
//	                                         operator's code open sealed parts from now on; key null locks again
//	aidpass("challenge", bytes | null)    -> {ok}: what live codes must answer from now on
//	aidpass("forget")                     -> {ok}: pack, visits, keys and state are dropped
package bridge

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"syscall/js"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// desk is what one page has open.
type desk struct {
	checker   verifier.Checker
	pack      *verifier.Pack
	refused   words.Reason // why there is no pack; empty: none was opened
	floors    verifier.Floors
	visits    visit.Journals
	unlocked  *verifier.Unlocked
	challenge []byte
}

// reply is the object a page gets: strings, numbers, truth values and nulls.
type reply map[string]any

// The methods are out of line: a reply is filled in many places.

//go:noinline
func (o reply) text(key, s string) { o[key] = s }

//go:noinline
func (o reply) number(key string, n int64) { o[key] = float64(n) }

//go:noinline
func (o reply) flag(key string, b bool) { o[key] = b }

//go:noinline
func (o reply) bytes(key string, b []byte) {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, b)
	o[key] = a
}

// moment leaves a time that is not known null.
func (o reply) moment(key string, t credential.Time) {
	if t != 0 {
		o.number(key, int64(t))
	}
}

// done is the reply to what was done, fail to what was not and why.
func done() reply { return reply{"ok": true} }

func fail(err error) reply { return reply{"ok": false, "error": err.Error()} }

// Serve puts the function on the page under name and never returns.
func Serve(name string) {
	var d desk
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
		return d.open(bytesOf(arg(0)), bytesOf(arg(1)), timeOf(arg(2)))
	case "visits":
		return d.addVisits(bytesOf(arg(0)))
	case "verify":
		return d.verify(textOf(arg(0)), timeOf(arg(1)), "")
	case "pin":
		return d.verify(textOf(arg(0)), timeOf(arg(1)), textOf(arg(2)))
	case "unlock":
		err = d.unlock(bytesOf(arg(0)), textOf(arg(1)))
	case "challenge":
		d.challenge = bytesOf(arg(0))
	case "forget":
		*d = desk{}
	default:
		err = errOperation
	}
	if err != nil {
		return fail(err)
	}
	return done()
}

func (d *desk) open(pack, state []byte, at credential.Time) reply {
	floors, err := verifier.Floors{}, error(nil)
	if len(state) > 0 {
		if floors, err = verifier.DecodeFloors(state); err != nil {
			return fail(err)
		}
	}
	p, floors, err := verifier.OpenPack(pack, floors, at)
	d.floors, d.pack, d.refused = floors, p, ""
	var out reply
	if err != nil {
		d.refused = words.PackMismatch
		if e, ok := err.(*verifier.PackError); ok {
			d.refused = e.Reason
		}
		out = fail(err)
		out.text("reason", string(d.refused))
	} else {
		out = done()
		faults := make([]any, len(p.Faults))
		for i, f := range p.Faults {
			faults[i] = string(f.Reason) + " " + f.Part
		}
		out["faults"] = faults
		out.text("org", p.Org)
		out.text("site", p.Site)
		out.number("sequence", int64(p.Sequence))
		out.moment("issued", p.Issued)
		out.moment("expires", p.Expires)
	}
	out.bytes("state", floors.Encode())
	return out
}

var errNoPack = errors.New("bridge: open a pack first")

func (d *desk) addVisits(file []byte) reply {
	if d.pack == nil {
		return fail(errNoPack) // it vouches for the devices
	}
	j, err := visit.Read(file, func(kid []byte) *cose.Key {
		if c := d.pack.Device(kid); c != nil {
			return c.Key
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	d.visits = append(d.visits, j)
	out := done()
	out.number("records", int64(len(j.Visits)))
	out.flag("torn", j.Torn)
	return out
}

func (d *desk) unlock(scalar []byte, code string) error {
	d.unlocked = nil
	if scalar == nil {
		return nil
	}
	if d.pack == nil {
		return errNoPack // it carries the sealed keys
	}
	device, err := ecdh.P256().NewPrivateKey(scalar)
	if err == nil {
		d.unlocked, err = d.pack.Unlock(device, []byte(code))
	}
	return err
}

func (d *desk) verify(text string, at credential.Time, pin string) reply {
	in := verifier.Inputs{At: at, Floors: d.floors, Pack: d.pack, Challenge: d.challenge, Unlock: d.unlocked, PIN: pin, PackRefused: d.refused}
	if len(d.visits) > 0 {
		in.Uses = d.visits
	}
	r := d.checker.Verify(text, in)
	d.floors = r.Floors
	return flat(&r)
}

// flat is a result as a page gets it.
func flat(r *verifier.Result) reply {
	out := done()
	for _, key := range [...]string{"credential", "type", "issuer", "issuer_name", "valid_from", "valid_until", "number",
		"status_as_of", "trust_as_of", "age", "earlier_at", "earlier_rest"} {
		out[key] = nil
	}
	reasons := []any{}
	for _, x := range r.Reasons() {
		reasons = append(reasons, string(x))
	}
	out["reasons"] = reasons
	row := words.For(r.Reason, r.Known)
	out.text("answer", string(r.Answer))
	out.text("reason", string(r.Reason))
	out.text("word", string(r.Word))
	out.text("shape", row.Shape)
	out.text("colour", row.Colour)
	out.number("exit", int64(row.Exit))
	out.number("facts", int64(r.Facts))
	out.number("holder", int64(r.Holder))
	out.flag("clock_behind", r.ClockBehind)
	if r.Age >= 0 {
		out.number("age", r.Age)
	}
	out.moment("status_as_of", r.StatusAsOf)
	out.moment("trust_as_of", r.TrustAsOf)
	if n := r.CardNumber(); n != "" {
		out.text("number", n)
	}
	c := &r.Credential
	if r.Facts != words.AllFacts || !c.Proven() {
		return out
	}
	out.text("credential", jose.EncodeBase64(c.ID))
	out.text("issuer", string(c.Issuer))
	if r.Type != nil {
		out.text("type", r.Type.Name)
	}
	if r.Issuer != nil {
		out.text("issuer_name", r.Issuer.Names["en"])
	}
	out.moment("valid_from", c.NotBefore)
	out.moment("valid_until", c.ExpiresAt)
	out.moment("earlier_at", r.Earlier.At)
	if r.Earlier.Rest != "" {
		out.text("earlier_rest", r.Earlier.Rest)
	}
	for name, v := range r.Claims() {
		out["claim_"+name] = plain(v)
	}
	return out
}

// plain turns a claim's value (see schemas.Kind) into what js.ValueOf takes.
func plain(v any) any {
	switch v := v.(type) {
	case []byte:
		return jose.EncodeBase64(v)
	case int64:
		return float64(v)
	case []int64:
		out := make([]any, len(v))
		for i, n := range v {
			out[i] = float64(n)
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	}
	return v
}

func textOf(v js.Value) string {
	if v.Type() != js.TypeString {
		return ""
	}
	return v.String()
}

func timeOf(v js.Value) credential.Time {
	if v.Type() != js.TypeNumber {
		return 0
	}
	return credential.Time(v.Float())
}

func bytesOf(v js.Value) []byte {
	if v.Type() != js.TypeObject || !v.InstanceOf(js.Global().Get("Uint8Array")) {
		return nil
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}
