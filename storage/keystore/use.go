package keystore

import "slices"

// Use is the one thing a key is for. The names of listed keys are those of the
// trust list.
type Use string

const (
	Card      Use = "card"      // signs cards
	VC        Use = "vc"        // signs wallet credentials
	Request   Use = "request"   // signs presentation requests
	Status    Use = "status"    // signs status lists, snapshots and deltas
	Pack      Use = "pack"      // signs pack manifests
	DeviceCA  Use = "device-ca" // signs device certificates
	Audit     Use = "audit"     // signs the audit log
	Seal      Use = "seal"      // opens what is sealed to the organisation, or seals at rest
	Anchor    Use = "anchor"    // signs the trust list
	Device    Use = "device"    // a scanner's own: signs journals, opens its pack
	Programme Use = "programme" // makes pseudonyms
	Epoch     Use = "epoch"     // opens the sealed parts of cards
	KEK       Use = "kek"       // wraps the keys of stored records and blind indexes
)

// Alg is the kind of a key.
type Alg string

const (
	P256    Alg = "P-256"
	Ed25519 Alg = "Ed25519"
	Secret  Alg = "secret" // 32 random bytes
)

// useRule says what keys of one use may be and do.
type useRule struct {
	use           Use
	algs          []Alg // the first is the usual one
	signs, agrees bool
}

var useRules = []useRule{
	{Card, []Alg{P256, Ed25519}, true, false},
	{VC, []Alg{P256, Ed25519}, true, false},
	{Request, []Alg{P256, Ed25519}, true, false},
	{Status, []Alg{P256, Ed25519}, true, false},
	{Pack, []Alg{P256, Ed25519}, true, false},
	{DeviceCA, []Alg{P256, Ed25519}, true, false},
	{Audit, []Alg{P256, Ed25519}, true, false},
	{Seal, []Alg{P256, Secret}, false, true},
	{Anchor, []Alg{P256, Ed25519}, true, false},
	// A device signs and is sealed to with the one key its certificate names.
	{Device, []Alg{P256}, true, true},
	{Programme, []Alg{Secret}, false, false},
	{Epoch, []Alg{Secret}, false, false},
	{KEK, []Alg{Secret}, false, false},
}

func (u Use) rule() useRule {
	for _, r := range useRules {
		if r.use == u {
			return r
		}
	}
	return useRule{}
}

// Uses returns every use there is.
func Uses() []Use {
	uses := make([]Use, len(useRules))
	for i, r := range useRules {
		uses[i] = r.use
	}
	return uses
}

// Algs returns what keys for u may be, the usual one first; nothing for an
// unknown use.
func (u Use) Algs() []Alg { return slices.Clone(u.rule().algs) }

func (u Use) signs() bool  { return u.rule().signs }
func (u Use) agrees() bool { return u.rule().agrees }
