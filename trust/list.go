package trust

import (
	"crypto/sha256"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/internal/jose"
	"aidpass/words"
)

// TypeList is the typ of a trust list (RFC 9596).
const TypeList = "application/aidpass-trustlist+cose"

// List is an opened trust list. Its methods Find, FindKeyID, RemovedSince and
// OpenDevice are safe for concurrent use; Withdraw and Recognise change it and
// come first.
type List struct {
	ID            string // URI of the consortium
	Sequence      uint64 // from 1, rising
	Issued        credential.Time
	NextUpdate    credential.Time
	Anchors       Anchors         // the set the list names as its own
	FloorReset    bool            // devices set their clock floor to Issued and forget others
	Organisations []*Organisation // own ones sorted by ID, then recognised ones as joined
	Recognitions  []Recognition
	Removed       []Removed
	Withdrawals   []Withdrawal // applied and in force
	Faults        []Fault      // refused entries; the rest counts

	digest  [32]byte
	byID    map[string]*Organisation
	byKID   map[string]*Key   // first of a chain through Key.next
	thumbs  map[[32]byte]bool // of every key on the list, refused or not, anchors included
	removed map[string]credential.Time
}

// Fault is one entry that was refused while the rest of the list was taken.
type Fault struct {
	Org    string // id; empty where the entry did not say one
	KID    []byte // nil where the fault is not a key's
	Reason words.Reason
	Text   string
}

// Digest is SHA-256 of the signed payload: two lists of one sequence with
// different digests are an equivocation.
func (l *List) Digest() [32]byte { return l.digest }

// Expired reports whether the list should have been followed by another at at.
// It still judges; what it says is unsure.
func (l *List) Expired(at credential.Time) bool { return at > l.NextUpdate }

// Organisation returns the entry with the given id, or nil.
func (l *List) Organisation(id []byte) *Organisation { return l.byID[string(id)] }

// Find returns the key that iss lists under kid for use. With it comes OK, or
// why not:
//
//	UnknownKey           nobody lists kid (or none that is not refused)
//	IssuerKeyMismatch    kid is listed, but by other organisations only
//	BadKey               iss lists kid, and the entry was refused
//	IssuerNotAuthorised  iss lists kid for another use
//
// The key is nil unless the reason is OK. Whether it counts at some moment is
// for Key.Judge. Find does not allocate.
func (l *List) Find(iss, kid []byte, use Use) (*Key, words.Reason) {
	reason := words.UnknownKey
	for k := l.byKID[string(kid)]; k != nil; k = k.next {
		switch {
		case k.Org.ID != string(iss):
			if !k.refused {
				reason = words.IssuerKeyMismatch
			}
		case k.refused:
			return nil, words.BadKey
		case k.Use != use:
			return nil, words.IssuerNotAuthorised
		default:
			return k, words.OK
		}
	}
	return nil, reason
}

// FindText is Find for the kid of a JWT. Ids are bytes on the list and text in a
// JWT, where an id that is computed from the key stands as base64url of it.
func (l *List) FindText(iss []byte, kid string, use Use) (*Key, words.Reason) {
	key, reason := l.Find(iss, []byte(kid), use)
	if key == nil {
		if id, err := jose.DecodeBase64(kid); err == nil {
			if k, why := l.Find(iss, id, use); why != words.UnknownKey {
				return k, why
			}
		}
	}
	return key, reason
}

// FindKeyID returns the key listed under kid for use by any organisation, and
// nil where none or several do. It is for messages that name no issuer. An id
// that is computed from the key comes before one that is only claimed, so that
// nobody shadows another's key by naming its id.
func (l *List) FindKeyID(kid []byte, use Use) *Key {
	return l.only(kid, func(k *Key) bool { return k.Use == use })
}

// FindStatusKey returns the status key listed under kid by the organisation
// that owns the status list uri; nil where none does, or several.
func (l *List) FindStatusKey(uri, kid []byte) *Key {
	return l.only(kid, func(k *Key) bool { return k.Use == UseStatus && k.Org.OwnsStatusURI(uri) })
}

func (l *List) only(kid []byte, fits func(*Key) bool) *Key {
	var plain, claimed *Key
	plains, claims := 0, 0
	for k := l.byKID[string(kid)]; k != nil; k = k.next {
		switch {
		case k.refused || !fits(k):
		case k.plainKID():
			plain = k
			plains++
		default:
			claimed = k
			claims++
		}
	}
	switch {
	case plains == 1:
		return plain
	case plains == 0 && claims == 1:
		return claimed
	}
	return nil
}

// RemovedSince tells since when an organisation is no longer on the list.
func (l *List) RemovedSince(iss []byte) (credential.Time, bool) {
	t, ok := l.removed[string(iss)]
	return t, ok
}

// Open reads a trust list and checks who signed it.
//
// raw is the COSE_Sign message, at most MaxListBytes. pinned is the set the
// device trusts: K of it must have signed, and K of the set the list itself
// names, so a list that changes the anchors carries both. With a zero pinned
// only the latter is asked: trust on first use, to be compared with the
// fingerprint on paper (Anchors.Words).
//
// Entries that cannot be used are refused one by one and told in Faults. A
// *Refusal of the whole: TrustListBadSignature, TooLarge, UnsupportedVersion
// (a member this program does not know), or the fault of the bytes.
func Open(raw []byte, pinned Anchors) (*List, error) {
	m, err := parseMessage(raw)
	if err != nil {
		return nil, err
	}
	// Signatures come first where we can: nothing of an unsigned list is read.
	if pinned.K > 0 {
		if err := pinned.signed(&m, "the pinned anchors"); err != nil {
			return nil, err
		}
	}
	if err := checkPayload(m.Payload); err != nil {
		return nil, err
	}
	own, err := peekAnchors(m.Payload)
	if err != nil {
		return nil, err
	}
	if !own.Equal(pinned) {
		if err := own.signed(&m, "the anchors it names"); err != nil {
			return nil, err
		}
	}
	return decode(m.Payload)
}

func parseMessage(raw []byte) (cose.Multi, error) {
	if len(raw) > MaxListBytes {
		return cose.Multi{}, refuse(words.TooLarge, "the list has %d bytes, at most %d", len(raw), MaxListBytes)
	}
	m, err := cose.ParseMulti(raw, 2*MaxAnchors)
	switch {
	case err != nil:
		return m, refuseFor(err, "reading the list")
	case string(m.Type) != TypeList:
		return m, refuse(words.WrongTyp, "a %q is no trust list", m.Type)
	}
	return m, nil
}

// Signers tells which keys of a have signed raw, for custodians who gather
// signatures: the list opens once at least a.K of each set needed did.
func Signers(raw []byte, a Anchors) ([]*cose.Key, error) {
	m, err := parseMessage(raw)
	if err != nil {
		return nil, err
	}
	return a.signers(&m), nil
}

func digest(payload []byte) [32]byte { return sha256.Sum256(payload) }
