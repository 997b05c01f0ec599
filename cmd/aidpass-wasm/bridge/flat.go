// Package bridge is the one door between a web page and the core: a function
// aidpass(op, ...args) that takes strings, numbers and bytes and gives back one
// flat object. Nothing is fetched, stored or timed in here; the page passes the
// clock and keeps the state it is given.
//
//	aidpass("open", pack, state, at, updates)
//	                                      -> {ok, reason, error, state, updates, org, site, sequence, issued, expires, faults}; updates
//	                                         are to be kept beside pack and state
//	aidpass("visits", records)            -> {ok, error, records, torn, copied, journals: [{name, former, file}]}: of other tables; journals
//	                                         are those that became longer, each in the place of the one named former, if any:
//	                                         of a copied table there are several
//	aidpass("verify", text, at, tables, again)
//	                                      -> {answer, reason, reasons, word, ...}, see Flat; with tables true also what
//	                                         the pack's sealed tables tell, see give.go. again: the number of the newest verdict,
//	                                         which is made once more: its live code stays proved
//	aidpass("pin", text, at, pin, tables, again)
//	                                      -> as verify
//	aidpass("unlock", key, code)          -> {ok, error}: the device's P-256 private scalar (32 bytes) and the
//	                                         operator's code open sealed parts from now on; key null locks again
//	aidpass("points")                     -> {ok, points}: for a key that never leaves the browser: what it is multiplied with
//	aidpass("unseal", secrets, code)      -> {ok, error}: as unlock, by the x coordinates of those products, in order
//	aidpass("challenge", bytes | null)    -> {ok}: what live codes must answer from now on
//	aidpass("challenge", nonce, at)
//	                                      -> {ok, error, sign}: the bytes for the device key, ES256, of a challenge to a phone;
//	                                         nonce is 16 random bytes
//	aidpass("challenged", signature)
//	                                      -> {ok, error, text}: of the QR code to show. Live codes must answer it until one
//	                                         did or another is asked for, within verifier.AnswerWithin
//	aidpass("ask", audience, nonce)       -> {ok}: what the holder of a wallet credential was asked to sign; nonce null: nothing
//	aidpass("update", pack, at)           -> as open, against the state in hand; a refused pack leaves the open one
//	aidpass("number", text, at, pick)     -> as verify with tables for a typed card number: never valid. Where several rows of
//	                                         the list have it and pick is 0: {ok, rows: [{programme, name, round}]}; pick counts from 1
//	aidpass("names", at, verdict)         -> {ok, error, names, collectors}: of the newest verdict's row, while it may be shown
//	aidpass("whereabouts", at, verdict)   -> {ok, error, site, when, sites}: of the newest verdict, for the supervisor alone
//	aidpass("face", at, verdict)          -> {ok, error, photo}: JPEG, unless the card was issued with another one
//	aidpass("badge", text, at)            -> {ok, error, reason, staff, lead, until, code}: a volunteer's, to open a shift with
//	aidpass("lists", at)                  -> {ok, lists: [{kind, name, own, as_of, age, next}], programmes, round_open, round_opens, old_lists_until, old_lists_spent, tables, keys}: tables as with
//	                                         a verdict; keys: there is something that the operator's code opens
//	aidpass("labels", language)           -> {ok, "type.claim": text, "type.claim=value": text}
//	aidpass("old_lists", decision | null) -> {ok, error}: {reason, lead, second, ceiling, from, until} opens the round on old lists
//	aidpass("clear_clock")                -> {ok, state}: the supervisor's act when the clock ran ahead
//
// A device that records brings its public key (65 bytes, uncompressed) and journal:
//
//	aidpass("device", point, journal, certificate | null, at)
//	                                      -> {ok, error, kid, words, certified, asks, site, until, records, torn, good}
//	aidpass("prepare", entry, at)         -> {ok, error, sequence, sign}: the bytes for the device key, ES256. An entry is
//	                                         {kind, given, rest, by, checks, cancels, code, lines, verdict}; kinds 1 and 2 and every
//	                                         entry with a verdict are for the newest one, whose number it must be. Where the tables say what is due, given, rest and kind follow from lines,
//	                                         [{code, amount, instead}]; without lines all of it was given. What the page can
//	                                         mend has a reason: amount, too_much, check, ceiling
//	aidpass("attach", signature)          -> {ok, error, sequence, record, state}: to be stored, both, before anything is said
//	aidpass("records")                    -> {ok, records: [{sequence, at, kind, number, given, rest, code, cancels, cancelled}]}
//
// What is carried by hand (docs/formats/enrol.md, exchange.md):
//
//	aidpass("request", name)              -> {ok, error, request, text}: what the phone shows of its key
//	aidpass("kind", file)                 -> {ok, kind: answer | exchange | receipt | journal | status | pack, point}
//	aidpass("answer", file, secret)       -> {ok, error, certificate, pack}: secret is the device key times point
//	aidpass("frame", text)                -> {ok, error, frame, have, count, message}: one QR code of a moving row
//	aidpass("frames", file)               -> {ok, error, frames, round}: the texts of such a row, the first round of them plain
//	aidpass("status", file, at)           -> {ok, error, reason, newer, state, updates}: newer lists alone; newer are their owners' names
//	aidpass("parts")                      -> {ok, error, file}: the status lists in use, as such a file
//	aidpass("share", journal, salt)       -> {ok, error, file}: sealed to the tables of the site; salt is 16 random bytes
//	aidpass("shared", file)               -> {ok, error, journal}
//	aidpass("receipt", file)              -> {ok, error, covers, copied}: records up to that sequence are in the office
//
//	aidpass("state")                      -> {ok, state}: to be kept after a wrong PIN and after a live code
//	aidpass("forget")                     -> {ok}: pack, visits, keys and state are dropped
package bridge

import (
	"aidpass/credential"
	"aidpass/internal/jose"
	"aidpass/verifier"
	"aidpass/words"
)

// reply is the object a page gets: strings, numbers, truth values and nulls. This
// file needs no browser, so that tests can compare what one says with what Go says.
type reply map[string]any

// The methods are out of line: a reply is filled in many places.

//go:noinline
func (o reply) text(key, s string) { o[key] = s }

//go:noinline
func (o reply) number(key string, n int64) { o[key] = float64(n) }

//go:noinline
func (o reply) flag(key string, b bool) { o[key] = b }

// moment leaves a time that is not known null.
func (o reply) moment(key string, t credential.Time) {
	if t != 0 {
		o.number(key, int64(t))
	}
}

//go:noinline
//go:noinline
func done() reply { return reply{"ok": true} }

// Flat is a result as a page gets it.
func Flat(r *verifier.Result) map[string]any {
	out := done()
	for _, key := range [...]string{"credential", "type", "issuer", "issuer_name", "valid_from", "valid_until", "number",
		"status_as_of", "trust_as_of", "age", "earlier_rest"} {
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
	out.text("todo", row.Todo)
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
	// Which credential it is may be told wherever its number may: the help desk has
	// to find it. What it says only where the answer allows all.
	if r.Facts == words.NoFacts || !c.Proven() {
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
	if r.Facts != words.AllFacts {
		return out
	}
	if r.Has(words.OKGrace) {
		out.moment("grace_until", r.GraceEnds())
	}
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
