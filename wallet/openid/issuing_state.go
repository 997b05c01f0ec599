package openid

import (
	"errors"
	"io"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// issuingVersion is the first item of an encoded Issuing.
const issuingVersion = 2

// MaxState is the longest encoded state read, in bytes.
const MaxState = 8 << 20

var stateLimits = cbor.Limits{Depth: 8, Entries: 512}

// ErrState: bytes that Encode did not write, or another version of it did.
var ErrState = errors.New("openid: not a state that can be gone on from")

// Encode gives the bytes to go on from after a reload (docs/formats/wallet.md). They
// hold the offer's code, what a sign-in is proved by, and the access token: seal them. The code the holder typed is
// not among them, so before the token came she is asked again.
func (i *Issuing) Encode() []byte {
	at := i.stage
	switch at {
	case atToken:
		at = atAsk
	case atCredential: // the nonce may be spent: the same keys with a new one
		switch {
		case len(i.keys) == 0:
		case i.issuer.nonce != "":
			at = atNonce
		default:
			at = atSign
		}
	}
	b := cbor.AppendArray(nil, 25)
	b = cbor.AppendInt(cbor.AppendInt(b, issuingVersion), int64(at))
	b = cbor.AppendText(b, i.offerURI)
	b = cbor.AppendBytes(cbor.AppendBytes(b, i.offerDoc), i.metaDoc)
	b = cbor.AppendText(b, i.tokenURL)
	b = cbor.AppendBool(b, i.again)
	b = cbor.AppendBool(cbor.AppendText(b, i.signInURL), i.wantIss)
	in := signIn{}
	if i.signIn != nil && at == atSignIn {
		in = *i.signIn
	}
	for _, s := range []string{in.Client, in.Redirect, in.verifier, in.state} {
		b = cbor.AppendText(b, s)
	}
	b = appendTexts(b, i.agreed)
	b = cbor.AppendInt(b, int64(i.copies))
	b = cbor.AppendText(b, i.token)
	b = cbor.AppendText(appendKeys(b, i.keys), i.nonce)
	b = cbor.AppendText(b, i.later)
	b = cbor.AppendInt(b, int64(i.until))
	b = appendTexts(b, i.texts)
	b = cbor.AppendText(b, i.notify)
	why := ""
	if i.failed != nil {
		why = i.failed.Err.Error()
	}
	b = cbor.AppendText(b, why)
	b = cbor.AppendText(b, i.provingURL())
	b = cbor.AppendArray(b, len(i.received))
	for _, r := range i.received {
		b = cbor.AppendText(cbor.AppendArray(b, 5), r.Configuration.ID)
		b = cbor.AppendText(cbor.AppendText(b, r.Issuer), r.Type)
		b = appendKeys(b, []*cose.Key{r.IssuerKey})
		b = cbor.AppendArray(b, len(r.Copies))
		for _, c := range r.Copies {
			b = appendKeys(cbor.AppendText(cbor.AppendArray(b, 2), c.Text), []*cose.Key{c.Key})
		}
	}
	return b
}

func (i *Issuing) provingURL() string {
	if i.stage == atProveSet {
		return i.proving.url
	}
	return ""
}

// ResumeIssuing goes on from what Encode gave. The error is ErrState.
func ResumeIssuing(b []byte, rules Rules, random io.Reader) (*Issuing, error) {
	if len(b) > MaxState || cbor.CheckDeterministic(b, stateLimits) != nil {
		return nil, ErrState
	}
	r := cbor.NewReader(b)
	if r.Kind() != cbor.Array || r.Array() != 25 || r.Int() != issuingVersion {
		return nil, ErrState
	}
	i := &Issuing{rules: rules, rand: random, stage: stage(r.Int()), offerURI: string(r.Text())}
	i.offerDoc, i.metaDoc = r.Bytes(), r.Bytes()
	i.tokenURL, i.again = string(r.Text()), r.Bool()
	i.signInURL, i.wantIss = string(r.Text()), r.Bool()
	in := signIn{SignIn: SignIn{Client: string(r.Text()), Redirect: string(r.Text())}, verifier: string(r.Text()), state: string(r.Text())}
	if i.stage == atSignIn {
		i.signIn = &in
	}
	i.agreed = readTexts(&r)
	i.copies, i.token = int(r.Int()), string(r.Text())
	var ok bool
	if i.keys, ok = readKeys(&r); !ok {
		return nil, ErrState
	}
	i.nonce = string(r.Text())
	i.later, i.until, i.texts = string(r.Text()), credential.Time(r.Int()), readTexts(&r)
	i.notify = string(r.Text())
	if why := string(r.Text()); why != "" {
		i.failed = fault(BadIssued, "%s", why)
	}
	url := string(r.Text())
	if r.Err() != nil || i.stage < 0 || i.stage > atDone || i.stage == atToken {
		return nil, ErrState
	}
	if err := i.reread(); err != nil {
		return nil, err
	}
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		if r.Array() != 5 {
			return nil, ErrState
		}
		c := i.configurationOr(string(r.Text()))
		if c == nil {
			return nil, ErrState
		}
		is := Issued{Configuration: *c, Issuer: string(r.Text()), Type: string(r.Text())}
		k, ok := readKeys(&r)
		if !ok || len(k) != 1 {
			return nil, ErrState
		}
		is.IssuerKey = k[0]
		for m := r.Array(); m > 0 && r.Err() == nil; m-- {
			if r.Array() != 2 {
				return nil, ErrState
			}
			text := string(r.Text())
			k, ok := readKeys(&r)
			if !ok || len(k) != 1 {
				return nil, ErrState
			}
			is.Copies = append(is.Copies, Copy{text, k[0]})
		}
		i.received = append(i.received, is)
	}
	if !r.Done() {
		return nil, ErrState
	}
	return i, i.restand(url)
}

// reread reads the documents again, by the same rules.
func (i *Issuing) reread() (err error) {
	if i.stage == atOffer {
		return i.rules.checkURL(i.offerURI)
	}
	if i.offer, err = i.rules.parseOffer(i.offerDoc); err != nil || i.stage == atIssuer {
		return err
	}
	if i.issuer, err = i.rules.parseIssuer(i.metaDoc, i.offer.Issuer, i.offer.Server); err != nil || i.stage == atServer {
		return err
	}
	if i.signInURL != "" {
		if err := i.rules.checkURL(i.signInURL); err != nil {
			return err
		}
	}
	return i.rules.checkURL(i.tokenURL)
}

func (i *Issuing) configurationOr(id string) *Configuration {
	if i.issuer == nil {
		return nil
	}
	return i.configuration(id)
}

// restand makes sure that the stage has what it works with.
func (i *Issuing) restand(url string) error {
	if i.copies < 0 || i.copies > MaxCopies {
		return ErrState
	}
	for _, id := range i.agreed {
		if c := i.configurationOr(id); c == nil || !c.usable() {
			return ErrState
		}
	}
	for _, k := range i.keys {
		if k == nil || k.Alg() != cose.ES256 {
			return ErrState
		}
	}
	if in := i.signIn; in != nil && (len(i.agreed) == 0 || i.copies == 0 || i.signInURL == "" || in.Client == "" || in.Redirect == "" || len(in.verifier) != 43 || in.state == "") {
		return ErrState
	}
	if i.stage < atKeys || i.stage == atDone {
		return nil
	}
	if len(i.agreed) == 0 || i.token == "" || i.copies == 0 {
		return ErrState
	}
	switch i.stage {
	case atNonce, atSign:
		if len(i.keys) == 0 || i.stage == atNonce && i.issuer.nonce == "" {
			return ErrState
		}
	case atDeferred:
		if i.later == "" || i.issuer.deferred == "" {
			return ErrState
		}
	case atNotify:
		if i.notify == "" || i.issuer.notified == "" {
			return ErrState
		}
	case atProve, atProveSet:
		was := i.stage
		if len(i.texts) == 0 || i.prove() != nil || i.stage != atProve {
			return ErrState
		}
		if i.stage = was; was == atProveSet {
			if i.rules.checkURL(url) != nil {
				return ErrState
			}
			i.proving.url = url
		}
	}
	return nil
}

func appendTexts(b []byte, list []string) []byte {
	b = cbor.AppendArray(b, len(list))
	for _, s := range list {
		b = cbor.AppendText(b, s)
	}
	return b
}

func readTexts(r *cbor.Reader) (out []string) {
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		out = append(out, string(r.Text()))
	}
	return out
}

// appendKeys writes public keys; null for none.
func appendKeys(b []byte, keys []*cose.Key) []byte {
	b = cbor.AppendArray(b, len(keys))
	for _, k := range keys {
		if k == nil {
			b = cbor.AppendNull(b)
		} else {
			b = cbor.AppendBytes(b, k.Append(nil))
		}
	}
	return b
}

func readKeys(r *cbor.Reader) (out []*cose.Key, ok bool) {
	for n := r.Array(); n > 0 && r.Err() == nil; n-- {
		if r.Kind() == cbor.Null {
			r.Null()
			out = append(out, nil)
			continue
		}
		k, err := cose.ParseKey(r.Bytes())
		if err != nil {
			return nil, false
		}
		out = append(out, k)
	}
	return out, r.Err() == nil
}
