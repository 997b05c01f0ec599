package main

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"aidpass/internal/base45"
	ours "aidpass/internal/cose"
	"aidpass/status"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
)

// chain is a verifier and issuer as one writes them in an afternoon from
// well-known libraries with their usual settings. It makes fewer checks than
// ours: no types, grants, rounds, key states, or limits.
type chain struct {
	keys map[string]cose.Verifier // by kid
	iss  string
	list *status.List
	at   int64
}

// naiveClaims of the same card.
type naiveClaims struct {
	Iss      string                    `cbor:"1,keyasint"`
	Exp      int64                     `cbor:"4,keyasint"`
	Nbf      int64                     `cbor:"5,keyasint,omitempty"`
	Iat      int64                     `cbor:"6,keyasint"`
	Cti      []byte                    `cbor:"7,keyasint"`
	Vct      string                    `cbor:"11,keyasint"`
	Identity map[int64]any             `cbor:"169,keyasint"`
	Status   map[string]naiveStatus    `cbor:"65535,keyasint"`
	Aidpass  map[int64]cbor.RawMessage `cbor:"-70001,keyasint"`
}

type naiveStatus struct {
	Idx uint64 `cbor:"idx"`
	URI string `cbor:"uri"`
}

func algorithm(k *ours.Key) cose.Algorithm {
	if k.Alg() == ours.ES256 {
		return cose.AlgorithmES256
	}
	return cose.AlgorithmEdDSA
}

func newChain(s *scene) *chain {
	c := &chain{keys: map[string]cose.Verifier{}, iss: s.world.A.ID, at: int64(s.in.At)}
	for i := range s.cards {
		k := s.cards[i].signer
		c.keys[string(k.KID())] = must(cose.NewVerifier(algorithm(k.Key), k.Public()))
	}
	for _, l := range s.in.Pack.Lists() {
		if l.URI == s.world.A.StatusURI {
			c.list = l
		}
	}
	return c
}

func (c *chain) verify(text string) (map[int64]any, error) {
	packed, err := base45.AppendDecode(nil, text)
	if err != nil {
		return nil, err
	}
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	var m cose.Sign1Message
	if err := m.UnmarshalCBOR(raw); err != nil {
		return nil, err
	}
	kid, _ := m.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	key := c.keys[string(kid)]
	if key == nil {
		return nil, errors.New("unknown key")
	}
	if err := m.Verify(nil, key); err != nil {
		return nil, err
	}
	var claims naiveClaims
	if err := cbor.Unmarshal(m.Payload, &claims); err != nil {
		return nil, err
	}
	s := claims.Status["status_list"]
	v, ok := c.list.Look(s.Idx)
	switch {
	case claims.Iss != c.iss:
		return nil, errors.New("another issuer")
	case claims.Exp <= c.at || claims.Nbf > c.at || claims.Iat > c.at:
		return nil, errors.New("not now")
	case s.URI != c.list.URI || !ok || v != status.Valid:
		return nil, errors.New("revoked")
	}
	var plain map[int64]any
	err = cbor.Unmarshal(claims.Aidpass[1], &plain)
	return plain, err
}

// issue makes the same card as scene.issue, its plain claims already numbered.
func (c *chain) issue(k vt.Signer, u *unit, plain map[int64]any, index uint64) string {
	payload := must(cbor.Marshal(naiveClaims{
		Iss: c.iss, Exp: int64(vt.Made) + 180*86400, Iat: int64(vt.Made), Cti: u.id[:],
		Vct: eligibility.VCT, Identity: map[int64]any{1: u.pseudonym},
		Status:  map[string]naiveStatus{"status_list": {Idx: index, URI: c.list.URI}},
		Aidpass: map[int64]cbor.RawMessage{1: must(cbor.Marshal(plain))},
	}))
	m := cose.NewSign1Message()
	m.Headers.Protected.SetAlgorithm(algorithm(k.Key))
	m.Headers.Protected[cose.HeaderLabelKeyID] = k.KID()
	m.Payload = payload
	check(m.Sign(rand.Reader, nil, must(cose.NewSigner(algorithm(k.Key), k.Signer))))
	raw := must(m.MarshalCBOR())
	var out bytes.Buffer
	z := must(zlib.NewWriterLevel(&out, zlib.BestCompression))
	must(z.Write(raw))
	check(z.Close())
	return base45.Encode(out.Bytes())
}

func plainChain(budget time.Duration) []row {
	s := newScene()
	naive := newChain(s)
	libraries := fmt.Sprintf("go-cose %s, fxamacker/cbor %s, compress/zlib", version("github.com/veraison/go-cose"), version("github.com/fxamacker/cbor/v2"))
	var rows []row
	for i := range s.cards {
		c := &s.cards[i]
		var one verifier.Checker
		_, x := beside(budget/2, c.verify, func() { must(naive.verify(c.text)) }, s.judge(&one, c.text, nil))
		rows = append(rows, told("plain chain of libraries, check "+c.name, x[0], "%.3f", " x",
			fmt.Sprintf("the same floor; %.2f x our whole check (%s)", x[0]/x[1], libraries)))
		u := &units(1)[0]
		plain := must(naive.verify(c.text)) // of the same claims
		_, x = beside(budget/2, c.sign, func() { naive.issue(c.signer, u, plain, 1) }, func() { s.issue(c, u, 1) })
		rows = append(rows, told("plain chain of libraries, sign "+c.name, x[0], "%.3f", " x",
			fmt.Sprintf("the same floor; %.2f x ours; %d characters, ours %d", x[0]/x[1], len(naive.issue(c.signer, u, plain, 1)), len(s.issue(c, u, 1)))))
	}
	return rows
}
