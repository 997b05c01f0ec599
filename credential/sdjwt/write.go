package sdjwt

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/credential/internal/jwtclaims"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/schemas"
)

const saltBytes = 16 // 128 bits, RFC 9901 9.3

// Frame says of each claim by name how it is shared. A claim it does not name
// is not written.
type Frame map[string]Rule

// Rule is how one claim, or one element of an array, is shared.
type Rule struct {
	// Disclosure: always is in plain view, allowed becomes a disclosure, never
	// must not be handed to Prepare at all.
	Disclosure schemas.Disclosure
	// Members rules those of an object; nil: they go with the claim. One that is
	// not named is refused.
	Members Frame
	// Each rules every element of an array; nil: they go with the claim.
	Each *Rule
}

// FrameOf is the frame of a credential type, as its file has it, and the rule of
// the ledger's claim, which its holder may always leave out.
func FrameOf(t *schemas.Type) Frame {
	f := make(Frame, len(t.Claims)+1)
	for _, c := range t.Claims {
		f[c.Name] = Rule{Disclosure: c.Disclosure}
	}
	f[schemas.LedgerClaim] = Rule{Disclosure: schemas.DiscloseAllowed}
	return f
}

// Draft is a credential before it is signed.
type Draft struct {
	Issuer    string // iss
	Type      string // vct
	Integrity string // vct#integrity, as sdjwt.Integrity gives it; "" for none
	ID        string // jti; "" for none. Each of a batch of one-time credentials has its own

	IssuedAt  credential.Time
	NotBefore credential.Time // 0 or anything up to IssuedAt: not written
	ExpiresAt credential.Time

	StatusURI   string // JWT status list; empty: no status claim
	StatusIndex uint64 // of this credential alone: two that share it are known for one another's

	HolderKey *cose.Key // nil: not bound to a phone

	KeyID  string        // kid; "" stands for jose.KeyID of the signing key
	Header []jose.Member // further headers, such as x5c

	Claims jose.Value // an object: what the credential says, by the frame's names
	Frame  Frame
	// PadTo is how many digests there are at the top at least, decoys among
	// them, so that their number does not tell which claims a person has.
	PadTo int
}

// Say fills in what a credential of type t says: Type, Claims, Frame and PadTo.
//
// values are those a card of t is made of (schemas.Type.EncodePlain); ledger is
// the unit's name in the programme and whom it stands for (credential.Former.Ledger),
// "" where nothing is ever collected on it. Every credential of one type has the same
// number of digests, whatever it says. Errors are *schemas.ValueError.
func (d *Draft) Say(t *schemas.Type, values map[string]any, ledger string) error {
	claims, err := t.EncodeWallet(values, ledger)
	if err != nil {
		return err
	}
	d.Type, d.Claims, d.Frame, d.PadTo = t.VCT, claims, FrameOf(t), 0
	for _, rule := range d.Frame {
		if rule.Disclosure == schemas.DiscloseAllowed {
			d.PadTo++
		}
	}
	return nil
}

// Prepared is a credential or a presentation that lacks only its signature.
type Prepared struct {
	key    *cose.Key
	tbs    []byte
	before string // stands before the signed JWT
	after  string // stands behind it, from the first tilde on
}

// ToBeSigned is the exact text to sign: with SHA-256 and ECDSA for a P-256 key,
// as it is for Ed25519. The caller must not change it.
func (p *Prepared) ToBeSigned() []byte { return p.tbs }

// Disclosures is what must be recorded beside ToBeSigned, or nobody can ever
// read the claims: the salts come once. "" for a presentation.
func (p *Prepared) Disclosures() string { return p.after }

// Resume makes a credential's Prepared again from what was recorded of it.
func Resume(k *cose.Key, tbs []byte, disclosures string) *Prepared {
	return &Prepared{key: k, tbs: tbs, after: disclosures}
}

// Attach checks sig (64 bytes, as cose.SignRaw returns it) and returns the
// finished text. A signature by another key, or of other bytes, is
// jose.ErrSignature.
func (p *Prepared) Attach(sig []byte) (string, error) {
	if p.key.Verify(p.key.Alg(), p.tbs, sig, false) != nil {
		return "", jose.ErrSignature
	}
	return p.before + string(p.tbs) + "." + jose.EncodeBase64(sig) + p.after, nil
}

// Prepare is the first phase of signing: it fixes the exact bytes to be signed
// by k's private half, wherever that is kept, and the disclosures beside them.
//
// random gives the salts, 16 bytes each, and 32 bytes a decoy. Prepare refuses
// what the reader would refuse, and a claim that its frame does not let out.
func Prepare(k *cose.Key, d Draft, random io.Reader) (*Prepared, error) {
	switch {
	case d.Issuer == "" || d.Type == "":
		return nil, errors.New("sdjwt: a credential needs an issuer and a type")
	case d.IssuedAt <= 0 || d.ExpiresAt <= max(d.IssuedAt, d.NotBefore):
		return nil, fmt.Errorf("sdjwt: exp %s is not after iat and nbf", d.ExpiresAt)
	case d.Claims.Kind != jose.Object:
		return nil, errors.New("sdjwt: the claims are not an object")
	case d.PadTo > MaxDisclosures:
		return nil, fmt.Errorf("sdjwt: padding to %d digests, at most %d", d.PadTo, MaxDisclosures)
	}
	w := writer{random: random}
	body, digests, err := w.members(d.Claims, d.Frame, true)
	if err != nil {
		return nil, err
	}
	for len(digests) < d.PadTo {
		var noise [sha256.Size]byte
		if _, err := io.ReadFull(random, noise[:]); err != nil {
			return nil, fmt.Errorf("sdjwt: a decoy: %w", err)
		}
		// RFC 9901 4.2.5: the hash of something random.
		digests = append(digests, digest(string(noise[:])))
	}
	add := func(name string, v jose.Value) {
		body.Members = append(body.Members, jose.Member{Name: name, Value: v})
	}
	if len(w.texts)+len(digests) > 0 {
		add(hashName, jose.StringOf(hashValue))
	}
	addDigests(&body, digests)
	add("iss", jose.StringOf(d.Issuer))
	add("vct", jose.StringOf(d.Type))
	if d.Integrity != "" {
		add("vct#integrity", jose.StringOf(d.Integrity))
	}
	if d.ID != "" {
		add("jti", jose.StringOf(d.ID))
	}
	add("iat", jose.IntOf(int64(d.IssuedAt)))
	if d.NotBefore > d.IssuedAt {
		add("nbf", jose.IntOf(int64(d.NotBefore)))
	}
	add("exp", jose.IntOf(int64(d.ExpiresAt)))
	if d.StatusURI != "" {
		add("status", jwtclaims.StatusOf(d.StatusURI, d.StatusIndex))
	}
	if d.HolderKey != nil {
		add("cnf", jwtclaims.HolderOf(d.HolderKey))
	}
	if d.KeyID == "" {
		d.KeyID = jose.KeyID(k)
	}
	p, err := jose.Prepare(k, Type, d.KeyID, body.Sorted().Append(nil), limits, d.Header...)
	if err != nil {
		return nil, fmt.Errorf("sdjwt: prepare: %w", err)
	}
	out := &Prepared{key: k, tbs: p.ToBeSigned(), after: "~"}
	if len(w.texts) > 0 {
		out.after = "~" + strings.Join(w.texts, "~") + "~"
	}
	return out, out.readBack()
}

// readBack reads what was prepared as everyone will, but for the signature.
func (p *Prepared) readBack() error {
	e, err := Parse(string(p.tbs) + "." + jose.EncodeBase64(make([]byte, 64)) + p.after)
	if err != nil {
		return fmt.Errorf("sdjwt: prepare: %w", err)
	}
	var c Credential
	if c.Claims, _, err = process(e.payload, e.disclosures); err == nil {
		err = c.readClaims()
	}
	if err != nil {
		return fmt.Errorf("sdjwt: prepare: %w", err)
	}
	return nil
}

// ours are the members Prepare writes itself.
var ours = []string{sdName, itemName, hashName, "iat", "jti"}

// writer makes disclosures. texts are those made so far, inner ones first.
type writer struct {
	random io.Reader
	texts  []string
}

// members splits an object by its frame into what is in plain view and digests.
func (w *writer) members(v jose.Value, f Frame, top bool) (out jose.Value, digests []string, err error) {
	out.Kind = jose.Object
	for _, m := range v.Members {
		rule, ok := f[m.Name]
		if !ok || rule.Disclosure != schemas.DiscloseAllowed && rule.Disclosure != schemas.DiscloseAlways {
			return out, nil, fmt.Errorf("sdjwt: claim %q is not in the wallet form of this type", m.Name)
		}
		if top && (mustStand[m.Name] || slices.Contains(ours, m.Name)) {
			return out, nil, fmt.Errorf("sdjwt: claim %q is written from the draft's own fields", m.Name)
		}
		value, err := w.within(m.Value, rule)
		if err != nil {
			return out, nil, err
		}
		if rule.Disclosure == schemas.DiscloseAlways {
			out.Members = append(out.Members, jose.Member{Name: m.Name, Value: value})
			continue
		}
		h, err := w.disclose(jose.StringOf(m.Name), value)
		if err != nil {
			return out, nil, err
		}
		digests = append(digests, h)
	}
	return out, digests, nil
}

// within works on the parts of a value that have rules of their own.
func (w *writer) within(v jose.Value, rule Rule) (jose.Value, error) {
	switch {
	case v.Kind == jose.Object && rule.Members != nil:
		out, digests, err := w.members(v, rule.Members, false)
		addDigests(&out, digests)
		return out, err
	case v.Kind == jose.Array && rule.Each != nil:
		out := jose.Value{Kind: jose.Array}
		for _, item := range v.Items {
			item, err := w.within(item, *rule.Each)
			if err != nil {
				return out, err
			}
			switch rule.Each.Disclosure {
			case schemas.DiscloseAlways:
			case schemas.DiscloseAllowed:
				h, err := w.disclose(item)
				if err != nil {
					return out, err
				}
				item = jose.ObjectOf(jose.Member{Name: itemName, Value: jose.StringOf(h)})
			default:
				return out, errors.New("sdjwt: elements that are not in the wallet form of this type")
			}
			out.Items = append(out.Items, item)
		}
		return out, nil
	}
	return v, nil
}

// disclose makes a disclosure of a fresh salt and parts, and returns its digest.
func (w *writer) disclose(parts ...jose.Value) (string, error) {
	var salt [saltBytes]byte
	if _, err := io.ReadFull(w.random, salt[:]); err != nil {
		return "", fmt.Errorf("sdjwt: a salt: %w", err)
	}
	items := append([]jose.Value{jose.StringOf(jose.EncodeBase64(salt[:]))}, parts...)
	text := jose.EncodeBase64(jose.ArrayOf(items...).Append(nil))
	w.texts = append(w.texts, text)
	return digest(text), nil
}

// addDigests adds _sd in bytewise order: their order must not tell that of the
// claims (RFC 9901 4.2.4.1).
func addDigests(v *jose.Value, digests []string) {
	if len(digests) == 0 {
		return
	}
	slices.Sort(digests)
	sd := jose.Value{Kind: jose.Array}
	for _, h := range digests {
		sd.Items = append(sd.Items, jose.StringOf(h))
	}
	v.Members = append(v.Members, jose.Member{Name: sdName, Value: sd})
}
