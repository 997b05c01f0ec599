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
//	aidpass("challenge", bytes | null)    -> {ok}: what live codes must answer from now on
//	aidpass("forget")                     -> {ok}: pack, visits and state are dropped
package bridge

import (
	"encoding/base64"
	"fmt"
	"slices"
	"syscall/js"

	"aidpass/credential"
	"aidpass/internal/cose"
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
	challenge []byte
}

// Serve puts the function on the page under name and never returns.
func Serve(name string) {
	var d desk
	js.Global().Set(name, js.FuncOf(func(_ js.Value, args []js.Value) (result any) {
		// A fault of ours must not take the page's worker down with it.
		defer func() {
			if p := recover(); p != nil {
				result = map[string]any{"ok": false, "error": fmt.Sprint("internal fault: ", p)}
			}
		}()
		if len(args) == 0 || args[0].Type() != js.TypeString {
			return fail("the first argument names what to do")
		}
		return d.call(args[0].String(), args[1:])
	}))
	if ready := js.Global().Get(name + "Ready"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	select {}
}

func (d *desk) call(op string, args []js.Value) map[string]any {
	arg := func(i int) js.Value {
		if i < len(args) {
			return args[i]
		}
		return js.Undefined()
	}
	switch op {
	case "open":
		return d.open(bytesOf(arg(0)), bytesOf(arg(1)), timeOf(arg(2)))
	case "visits":
		return d.addVisits(bytesOf(arg(0)))
	case "verify":
		return d.verify(textOf(arg(0)), timeOf(arg(1)), "")
	case "pin":
		return d.verify(textOf(arg(0)), timeOf(arg(1)), textOf(arg(2)))
	case "challenge":
		d.challenge = bytesOf(arg(0))
		return map[string]any{"ok": true}
	case "forget":
		*d = desk{}
		return map[string]any{"ok": true}
	}
	return fail("no such operation")
}

func fail(text string) map[string]any { return map[string]any{"ok": false, "error": text} }

func (d *desk) open(pack, state []byte, at credential.Time) map[string]any {
	floors := verifier.Floors{}
	if len(state) > 0 {
		var err error
		if floors, err = verifier.DecodeFloors(state); err != nil {
			return fail(err.Error())
		}
	}
	p, floors, err := verifier.OpenPack(pack, floors, at)
	d.floors = floors
	if err != nil {
		d.refused = words.PackMismatch
		if e, ok := err.(*verifier.PackError); ok {
			d.refused = e.Reason
		}
		return map[string]any{"ok": false, "reason": string(d.refused), "error": err.Error(), "state": array(floors.Encode())}
	}
	d.pack, d.refused = p, ""
	faults := make([]any, 0, len(p.Faults))
	for _, f := range p.Faults {
		faults = append(faults, string(f.Reason)+" "+f.Part)
	}
	return map[string]any{
		"ok": true, "org": p.Org, "site": p.Site, "sequence": float64(p.Sequence),
		"issued": float64(p.Issued), "expires": float64(p.Expires), "faults": faults, "state": array(floors.Encode()),
	}
}

func (d *desk) addVisits(file []byte) map[string]any {
	if d.pack == nil {
		return fail("open a pack first: it vouches for the devices")
	}
	j, err := visit.Read(file, func(kid []byte) *cose.Key {
		if c := d.pack.Device(kid); c != nil {
			return c.Key
		}
		return nil
	})
	if err != nil {
		return fail(err.Error())
	}
	d.visits = append(d.visits, j)
	return map[string]any{"ok": true, "records": len(j.Visits), "torn": j.Torn}
}

func (d *desk) verify(text string, at credential.Time, pin string) map[string]any {
	in := verifier.Inputs{At: at, Floors: d.floors, Pack: d.pack, Challenge: d.challenge, PIN: pin, PackRefused: d.refused}
	if len(d.visits) > 0 {
		in.Uses = d.visits
	}
	r := d.checker.Verify(text, in)
	d.floors = r.Floors
	return Flat(&r)
}

// Flat is a result as a page gets it: strings, numbers and nulls, no tree.
func Flat(r *verifier.Result) map[string]any {
	reasons := []any{}
	for _, x := range r.Reasons() {
		reasons = append(reasons, string(x))
	}
	row := words.For(r.Reason, r.Known)
	out := map[string]any{
		"ok": true, "answer": string(r.Answer), "reason": string(r.Reason), "reasons": reasons, "word": string(r.Word),
		"exit": row.Exit, "shape": row.Shape, "colour": row.Colour, "facts": int(r.Facts),
		"credential": nil, "type": nil, "issuer": nil, "issuer_name": nil, "valid_from": nil, "valid_until": nil,
		"number": nil, "status_as_of": nil, "trust_as_of": nil, "age": nil,
		"earlier_at": nil, "earlier_rest": nil, "holder": int(r.Holder), "clock_behind": r.ClockBehind,
	}
	if r.Age >= 0 {
		out["age"] = float64(r.Age)
	}
	moment := func(key string, t credential.Time) {
		if t != 0 {
			out[key] = float64(t)
		}
	}
	moment("status_as_of", r.StatusAsOf)
	moment("trust_as_of", r.TrustAsOf)
	if n := r.CardNumber(); n != "" {
		out["number"] = n
	}
	if r.Facts == words.AllFacts && r.Credential.Proven() {
		c := &r.Credential
		out["credential"] = base64.RawURLEncoding.EncodeToString(c.ID)
		out["issuer"] = string(c.Issuer)
		if r.Type != nil {
			out["type"] = r.Type.Name
		}
		if r.Issuer != nil {
			out["issuer_name"] = r.Issuer.Names["en"]
		}
		moment("valid_from", c.NotBefore)
		moment("valid_until", c.ExpiresAt)
		moment("earlier_at", r.Earlier.At)
		if r.Earlier.Rest != "" {
			out["earlier_rest"] = r.Earlier.Rest
		}
		for name, v := range r.Claims() {
			out["claim_"+name] = plain(v)
		}
	}
	return out
}

// plain turns a claim's value into what js.ValueOf takes.
func plain(v any) any {
	switch v := v.(type) {
	case []byte:
		return base64.RawURLEncoding.EncodeToString(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = plain(out[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	case nil, bool, string, int, float64:
		return v
	}
	return fmt.Sprint(v)
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

func array(b []byte) js.Value {
	a := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(a, b)
	return a
}
