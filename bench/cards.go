package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"testing"
	"time"

	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// scene is the usual service point: a pack with trust list, two status lists,
// types and a policy with an open round, and one good card of each algorithm.
type scene struct {
	world *vt.World
	in    verifier.Inputs
	uses  verifier.Uses // a journal of some earlier collections
	cards []card
}

type card struct {
	name   string
	signer vt.Signer
	public crypto.PublicKey // of the signer: asking for it each time would burden the floor
	text   string
	tbs    []byte // what was signed
	sig    []byte // r||s or R||S
	der    []byte // ES256: the same as the standard library wants it
}

func newScene() *scene {
	w := vt.New()
	policy := &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{
		vt.Programme: {{N: 3, Opens: vt.Made, Closes: vt.Now + 30*86400}}}}
	pack, floors, err := verifier.OpenPack(w.Pack(vt.PackOptions{Policy: policy}), verifier.Floors{}, vt.Now)
	check(err)
	s := &scene{world: w, in: verifier.Inputs{At: vt.Now, Pack: pack, Floors: floors}}
	var visits []visit.Visit
	for i := range 300 {
		k := w.Ledger()
		k.Pseudonym = cwt.Pseudonym([]byte("programme"), []byte{byte(i), byte(i >> 8), 1})
		visits = append(visits, visit.Visit{Kind: visit.Collection, Ledger: k})
	}
	s.uses = must(visit.Read(w.Journal(visits...), func([]byte) *cose.Key { return w.Device.Key }))
	for _, k := range []struct {
		name string
		key  vt.Signer
	}{{"ES256", w.A.Card}, {"Ed25519", w.A.EdCard}} {
		raw := w.Card(vt.CardOptions{Key: &k.key})
		m := must(cose.ParseSign1(raw))
		c := card{name: k.name, signer: k.key, public: k.key.Public(), text: must(cwt.Text(raw)), tbs: m.AppendToBeSigned(nil, nil), sig: m.Signature}
		c.der = must(asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(c.sig[:32]), new(big.Int).SetBytes(c.sig[32:])}))
		s.cards = append(s.cards, c)
	}
	return s
}

// verify is the floor of checking: one signature check by the standard library.
func (c *card) verify() {
	ok := false
	switch pub := c.public.(type) {
	case *ecdsa.PublicKey:
		digest := sha256.Sum256(c.tbs)
		ok = ecdsa.VerifyASN1(pub, digest[:], c.der)
	case ed25519.PublicKey:
		ok = ed25519.Verify(pub, c.tbs, c.sig)
	}
	if !ok {
		panic("bench: the floor refuses a good signature")
	}
}

// sign is the floor of issuing: one signature by the standard library.
func (c *card) sign() {
	if c.signer.Key.Alg() == cose.ES256 {
		digest := sha256.Sum256(c.tbs)
		must(c.signer.Sign(rand.Reader, digest[:], crypto.SHA256))
		return
	}
	must(c.signer.Sign(rand.Reader, c.tbs, crypto.Hash(0)))
}

// judge is the whole check, from text to verdict.
func (s *scene) judge(checker *verifier.Checker, text string, uses verifier.Uses) func() {
	in := s.in
	in.Uses = uses
	return func() {
		if r := checker.Verify(text, in); r.Reason != words.OK {
			panic("bench: a good card is refused: " + r.Reason)
		}
	}
}

func checking(budget time.Duration) []row {
	s := newScene()
	var rows []row
	for i := range s.cards {
		c := &s.cards[i]
		var one verifier.Checker
		floor, x := beside(budget, c.verify, s.judge(&one, c.text, nil), s.judge(&one, c.text, s.uses))
		against := micro("one "+c.name+" check of the standard library", floor)
		rows = append(rows,
			atMost("whole offline check, "+c.name, x[0], 1.10, "%.3f", " x", against),
			told("  and earlier collections looked up", x[1], "%.3f", " x", against))
	}
	for i := range s.cards {
		c := &s.cards[i]
		var one verifier.Checker
		least := testing.AllocsPerRun(100, c.verify)
		rows = append(rows, atMost("allocations of a check, "+c.name, testing.AllocsPerRun(100, s.judge(&one, c.text, nil)), least, "%.0f", "",
			"the standard library's check alone"))
	}
	return rows
}

// unit is who a card is for, as the registry knows it.
type unit struct {
	pseudonym string
	id        [10]byte
	claims    map[string]any
}

func units(n int) []unit {
	out := make([]unit, n)
	for i := range out {
		h := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		out[i] = unit{cwt.Pseudonym([]byte("programme"), h[:16]), [10]byte(h[16:26]), map[string]any{
			"programme": vt.Programme, "round": int64(3), "size_band": "4-5", "collector_rule": "holder_or_alternate", "assurance": "witnessed",
		}}
	}
	return out
}

var eligibility = schemas.ByName("eligibility")

// draft turns a unit's claims into what is signed.
func (s *scene) draft(u *unit, index uint64) cwt.Draft {
	return cwt.Draft{
		Issuer: s.world.A.ID, Type: eligibility.VCT, Pseudonym: u.pseudonym, ID: u.id,
		IssuedAt: vt.Made, ExpiresAt: vt.Made + 180*86400, StatusURI: s.world.A.StatusURI, StatusIndex: index,
		Plain: must(eligibility.EncodePlain(u.claims)),
	}
}

// issue makes one card: claims, payload, signature, text. Checking what was
// signed with the verifier is the next step of issuing, and measured above.
func (s *scene) issue(c *card, u *unit, index uint64) string {
	p := must(cwt.Prepare(c.signer.Key, s.draft(u, index)))
	raw := must(p.AttachUnverified(must(cose.SignRaw(c.signer, p.ToBeSigned()))))
	return must(cwt.Text(raw))
}

func signing(budget time.Duration) []row {
	s, people := newScene(), units(100)
	var rows []row
	for i := range s.cards {
		c := &s.cards[i]
		n := 0
		raw := must(new(qr.Scratch).Decode(c.text))
		floor, x := beside(budget, c.sign, func() { s.issue(c, &people[n%len(people)], uint64(n)); n++ }, func() { must(qr.Encode(raw)) })
		against := micro("one "+c.name+" signature of the standard library", floor)
		if c.name == "ES256" { // the default; an Ed25519 signature costs less, the rest the same
			rows = append(rows, atMost("claims to signed QR text, ES256", x[0], 1.25, "%.3f", " x", against))
		} else {
			rows = append(rows, told("claims to signed QR text, Ed25519", x[0], "%.3f", " x", against))
		}
		rows = append(rows, told("  of which zlib and Base45", x[1], "%.3f", " x", against))
	}
	return rows
}

func cardText(time.Duration) []row {
	s, people := newScene(), units(200)
	var rows []row
	for i := range s.cards {
		longest := 0
		for n := range people {
			longest = max(longest, len(s.issue(&s.cards[i], &people[n], uint64(400*n))))
		}
		if len(s.world.A.ID) < 24 || len(s.world.A.StatusURI) < 28 {
			panic("bench: the URIs are shorter than the promise says")
		}
		rows = append(rows, atMost("characters of a plain eligibility card, "+s.cards[i].name, float64(longest), 483, "%.0f", "",
			fmt.Sprintf("longest of %d; aim 419; issuer and status URI of %d and %d characters", len(people), len(s.world.A.ID), len(s.world.A.StatusURI))))
	}
	return rows
}
