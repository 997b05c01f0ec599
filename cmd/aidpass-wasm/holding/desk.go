package holding

import (
	"crypto/rand"
	"errors"
	"fmt"

	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/verifier"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

// Desk is what one page has open. The zero value is ready.
type Desk struct {
	w         *wallet.Wallet
	issuing   *openid.Issuing
	offered   *openid.Offered
	asking    *openid.Asking
	live      *wallet.Live
	liveEvent wallet.Event
	wish      *wallet.WishDraft
	wishEvent wallet.Event
	rules     openid.Rules
	lang      string
}

type reply = map[string]any

var (
	errOperation = errors.New("holding: the first argument names what to do")
	errNoWallet  = errors.New("holding: no wallet is open")
	errNoOffer   = errors.New("holding: no offer is open")
	errNoRequest = errors.New("holding: no request is open")
)

func fail(err error) reply {
	out := reply{"ok": false, "error": err.Error()}
	var f *openid.Fault
	if errors.As(err, &f) {
		out["why"], out["code"] = string(f.Why), f.Code
	}
	return out
}

// arguments are those of one call: string, float64, bool, []byte, []any or nil, and
// map[string]any for what has names.
type arguments []any

func (a arguments) at(i int) any {
	if i < len(a) {
		return a[i]
	}
	return nil
}

func (a arguments) text(i int) string  { s, _ := a.at(i).(string); return s }
func (a arguments) bytes(i int) []byte { b, _ := a.at(i).([]byte); return b }
func (a arguments) flag(i int) bool    { b, _ := a.at(i).(bool); return b }
func (a arguments) number(i int) int   { return int(a.time(i)) }
func (a arguments) time(i int) credential.Time {
	f, _ := a.at(i).(float64)
	if f != f || f < 0 || f > float64(credential.MaxTime) {
		return 0
	}
	return credential.Time(f)
}

func (a arguments) texts(i int) (out []string) {
	list, _ := a.at(i).([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (a arguments) blobs(i int) (out [][]byte) {
	list, _ := a.at(i).([]any)
	for _, v := range list {
		b, _ := v.([]byte)
		out = append(out, b)
	}
	return out
}

// Call does one operation. A fault of ours must not take the page's worker down.
func (d *Desk) Call(op string, args ...any) (out map[string]any) {
	defer func() {
		if p := recover(); p != nil {
			out = fail(fmt.Errorf("internal fault: %v", p))
		}
	}()
	a := arguments(args)
	for _, part := range []func(string, arguments) (reply, error){d.keeping, d.cards, d.offers, d.requests} {
		r, err := part(op, a)
		if errors.Is(err, errOperation) {
			continue
		}
		if err != nil {
			return fail(err)
		}
		if r == nil {
			r = reply{}
		}
		r["ok"] = true
		return r
	}
	return fail(errOperation)
}

func changed(r reply) reply { r["changed"] = true; return r }

// newID names a card in this wallet; a backup may bring it to a command line, so it
// does not read as a flag.
func newID() string {
	b := make([]byte, 9)
	for {
		_, _ = rand.Read(b)
		if id := jose.EncodeBase64(b); id[0] != '-' {
			return id
		}
	}
}

// keeping are operations on the wallet as a whole.
func (d *Desk) keeping(op string, a arguments) (reply, error) {
	switch op {
	case "new":
		d.w = &wallet.Wallet{}
		return changed(reply{}), nil
	case "open":
		w, err := wallet.Decode(a.bytes(0))
		if err == nil {
			d.w = w
		}
		return nil, err
	case "key":
		k, err := wallet.KeyFromPIN(a.text(0), a.bytes(1), a.bytes(2))
		return reply{"key": k}, err
	case "seal":
		s, err := wallet.Seal(a.bytes(0), a.text(1), a.bytes(2), rand.Reader)
		return reply{"sealed": s}, err
	case "unseal":
		p, err := wallet.Unseal(a.bytes(0), a.text(1), a.bytes(2))
		return reply{"plain": p}, err
	case "kind":
		return reply{"kind": kindOf(a.text(0))}, nil
	case "development":
		d.rules.Development = a.flag(0)
		return nil, nil
	case "forget":
		*d = Desk{rules: d.rules}
		return nil, nil
	case "words":
		words, err := wallet.NewWords(rand.Reader)
		return reply{"words": words}, err
	case "restore":
		handles := a.texts(2)
		w, lost, err := wallet.Restore(a.bytes(0), a.text(1), func(h string) bool { return contains(handles, h) }, a.time(3))
		if err != nil {
			return nil, err
		}
		if d.w != nil {
			if err := d.w.Join(w); err != nil {
				return nil, err
			}
		} else {
			d.w = w
		}
		return changed(reply{"lost": list(lost)}), nil
	}
	if d.w == nil {
		return nil, d.without(op)
	}
	switch op {
	case "wallet":
		return reply{"wallet": d.w.Encode()}, nil
	case "backup":
		file, err := d.w.BackUp(a.text(0), rand.Reader, a.time(1))
		return changed(reply{"file": file}), err
	case "handover":
		text, err := d.w.HandOver(a.text(0), a.text(1), a.text(2), a.time(3))
		return changed(reply{"text": text}), err
	case "takeover":
		c, err := d.w.TakeOver(a.text(0), newID, a.time(1))
		if err != nil {
			return nil, err
		}
		return changed(reply{"id": c.ID}), nil
	}
	return nil, errOperation
}

// without is the answer to an operation while no wallet is open.
func (d *Desk) without(op string) error {
	switch op {
	case "offer", "offer_resume", "offer_state", "offer_next", "offer_take", "offer_agree", "offer_keys", "offer_signed",
		"ask", "ask_resume", "ask_state", "ask_next", "ask_take", "ask_chain", "ask_signed", "challenge":
		return errOperation // they do without: go on looking
	}
	return errNoWallet
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// list is a list as a page gets it.
func list[T any](in []T) []any {
	out := make([]any, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out
}

func kindOf(text string) string {
	if openid.IsOffer(text) {
		return "offer"
	}
	if openid.IsRequest(text) {
		return "request"
	}
	if len(text) > 5 && text[:5] == "APH1:" {
		return "handover"
	}
	if _, err := wallet.GlanceAt(text); err == nil {
		return "card"
	}
	if _, err := parseChallenge(text); err == nil {
		return "challenge"
	}
	return "other"
}

// parseChallenge reads the QR text a device shows.
func parseChallenge(text string) (*verifier.Challenge, error) {
	if qr.Recognise(text) != qr.ZlibCard {
		return nil, verifier.ErrChallenge
	}
	var s qr.Scratch
	raw, err := s.Decode(text)
	if err != nil {
		return nil, verifier.ErrChallenge
	}
	return verifier.ReadChallenge(append([]byte(nil), raw...))
}

// pointKey reads a public key as WebCrypto exports it: 04 || x || y.
func pointKey(point []byte) (*cose.Key, error) {
	if len(point) != 65 || point[0] != 4 {
		return nil, errors.New("holding: a key is a point of P-256 of 65 bytes")
	}
	b := []byte{0xa4, 0x01, 0x02, 0x20, 0x01, 0x21} // {1: EC2, -1: P-256, -2: x, -3: y}
	b = cbor.AppendBytes(b, point[1:33])
	return cose.ParseKey(cbor.AppendBytes(append(b, 0x22), point[33:]))
}
