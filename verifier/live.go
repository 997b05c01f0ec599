package verifier

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// TypLive is the typ of a live code (docs/formats/card.md, "Live code").
const TypLive = "application/aidpass-live+cose"

// LiveWindow is how far a live code's time may be from the device's clock, in seconds.
const LiveWindow = 120

// live is a wallet's fresh signature over a card.
type live struct {
	msg       cose.Sign1
	card      []byte
	at        credential.Time
	challenge []byte   // SHA-256 of the challenge answered; nil: by time
	id        [16]byte // names this live code in the replay memory
}

// isLive looks at the protected typ: only live codes have one, cards never do.
func isLive(raw []byte) bool {
	// Cheap first: the type's text must stand in the bytes.
	if !bytes.Contains(raw[:min(len(raw), 80)], []byte(TypLive)) {
		return false
	}
	m, err := cose.ParseSign1(raw)
	return err == nil && string(m.Protected.Type) == TypLive
}

// parseLive reads a live code without believing it: the card inside is judged
// first, then check proves the holder.
func parseLive(raw []byte) (*live, error) {
	l := &live{}
	var err error
	if l.msg, err = cose.ParseSign1(raw); err != nil {
		return l, err
	}
	if err := l.msg.StrictType(TypLive); err != nil {
		return l, err
	}
	if err := cbor.CheckDeterministic(raw, cbor.DefaultLimits); err != nil {
		return l, err
	}
	if err := cbor.CheckDeterministic(l.msg.Payload, cbor.DefaultLimits); err != nil {
		return l, err
	}
	r := cbor.NewReader(l.msg.Payload)
	if r.Kind() != cbor.Map {
		return l, &cwt.Fault{Reason: words.BadClaims, Err: errors.New("a live code holds a map")}
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			l.card = r.Bytes()
		case 2:
			l.at = credential.Time(r.Int())
		case 3:
			l.challenge = r.Bytes()
		default:
			return l, &cwt.Fault{Reason: words.BadClaims, Err: errors.New("a live code holds an unknown member")}
		}
	}
	if r.Err() != nil || len(l.card) == 0 || l.at <= 0 || l.challenge != nil && len(l.challenge) != sha256.Size {
		return l, &cwt.Fault{Reason: words.BadClaims, Err: errors.New("a live code is not {card, time, challenge}")}
	}
	sum := sha256.Sum256(l.msg.Payload)
	l.id = [16]byte(sum[:16])
	return l, nil
}

// Accepted is a live code that a judgement took, and when. The zero value: none.
type Accepted struct {
	ID       [16]byte
	At       credential.Time
	Answered bool // this device's challenge
}

// holds is true while the judgement that took the code may be repeated: as long as
// the code is remembered as seen, so that in between it proves nothing anew.
func (a *Accepted) holds(id [16]byte, at credential.Time) bool {
	return a.At != 0 && a.ID == id && at >= a.At && at-a.At <= 2*LiveWindow
}

// check proves that the key the card is bound to signed just now. answered is
// true when it answered this device's challenge.
func (l *live) check(c *credential.Credential, in *Inputs) (answered bool, reason words.Reason, err error) {
	if c.HolderKey == nil {
		return false, words.KBNoHolderKey, errors.New("the card is not bound to a phone key")
	}
	k, err := cose.ParseKey(c.HolderKey)
	if err != nil || k.Alg() != cose.ES256 {
		return false, words.KBNoHolderKey, errors.New("the card's holder key cannot be read")
	}
	if !k.Accepts(l.msg.Protected.Alg) {
		return false, words.KBBadSignature, cose.ErrAlgKeyMismatch
	}
	if err := l.msg.Verify(k, nil, nil, true); err != nil {
		return false, words.KBBadSignature, err
	}
	if in.Again.holds(l.id, in.At) {
		return in.Again.Answered, words.OK, nil
	}
	if in.Challenge != nil {
		want := sha256.Sum256(in.Challenge)
		if l.challenge == nil || !bytes.Equal(want[:], l.challenge) {
			return false, words.KBWrongNonce, errors.New("it does not answer the challenge shown")
		}
		// Its own time does not matter, since the challenge is fresh; a second showing does.
		if d := in.At - in.Asked; in.Asked != 0 && (d < 0 || d > AnswerWithin) {
			return false, words.KBStale, errors.New("the challenge is over")
		}
		if in.Floors.livesHas(l.id, in.At) {
			return false, words.KBStale, errors.New("it was shown here before")
		}
		return true, words.OK, nil
	}
	// Bound to time only, or to a challenge somebody else showed.
	if l.challenge != nil {
		return false, words.KBWrongNonce, errors.New("it answers a challenge this device did not show")
	}
	if d := in.At - l.at; d > LiveWindow || d < -LiveWindow {
		return false, words.KBStale, errors.New("its time is more than two minutes away")
	}
	if in.Floors.livesHas(l.id, in.At) {
		return false, words.KBStale, errors.New("it was shown here before")
	}
	return false, words.OK, nil
}

// PrepareLive is the wallet's side: the bytes its holder key signs. challenge is
// the COSE_Sign1 bytes of the challenge scanned; nil: none.
func PrepareLive(holder *cose.Key, card []byte, at credential.Time, challenge []byte) *cose.Prepared {
	n := 2
	if challenge != nil {
		n = 3
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendBytes(cbor.AppendInt(b, 1), card)
	b = cbor.AppendInt(cbor.AppendInt(b, 2), int64(at))
	if challenge != nil {
		sum := sha256.Sum256(challenge)
		b = cbor.AppendBytes(cbor.AppendInt(b, 3), sum[:])
	}
	return cose.Prepare(holder, TypLive, b, nil)
}
