//go:build js && wasm

package bridge

import (
	"aidpass/credential"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/trust"
	"aidpass/verifier"
)

// asking is a challenge that live codes must answer.
type asking struct {
	prepared *cose.Prepared
	message  []byte          // nil: not signed yet
	at       credential.Time // when it was made
}

// challenge begins a new challenge at a time, or without one takes that which was made
// elsewhere; what was asked before is over.
func (d *desk) challenge(b []byte, at credential.Time) reply {
	d.asking = nil
	out := done()
	if b == nil {
		return out
	}
	if at == 0 {
		c, err := verifier.ReadChallenge(b)
		if err != nil {
			return fail(err)
		}
		d.asking = &asking{message: b, at: c.At}
		return out
	}
	a := &asking{at: at}
	d.asking = a
	p, err := verifier.PrepareChallenge(d.certificateFor(trust.SignChallenge), b, at)
	if err != nil {
		return fail(err)
	}
	a.prepared = p
	out.bytes("sign", p.ToBeSigned())
	return out
}

// challenged attaches the signature.
func (d *desk) challenged(signature []byte) reply {
	a := d.asking
	if a == nil || a.prepared == nil {
		return fail(errNotPrepared)
	}
	raw, err := a.prepared.Attach(signature)
	if err != nil {
		return fail(err)
	}
	a.message = raw
	out := done()
	out.text("text", qr.EncodeStored(raw))
	return out
}
