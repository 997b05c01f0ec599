package verifier

import (
	"slices"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/words"
)

// HolderCheck says how the person in front was or can be tied to the card.
type HolderCheck uint8

// Holder checks; several may stand together.
const (
	CheckPhoto    HolderCheck = 1 << iota // the card binds a photo: compare
	CheckPIN                              // the card has a PIN: ask
	PINRight                              // the PIN given was right
	LiveProof                             // a phone key signed just now
	LiveChallenge                         // and answered this device's challenge
)

// Result is a judgement. Answer decides; Reason says why in one stable code;
// Err explains to us. Byte slices of Credential stay good until the next check
// of the same Checker: Keep copies them.
type Result struct {
	Answer words.Answer
	Reason words.Reason
	Word   words.Word
	Facts  words.Facts // how much of the credential may be shown

	// Credential is the zero value unless the signature held.
	Credential credential.Credential
	Type       *schemas.Type       // nil: unknown, or a foreign identity card
	Issuer     *trust.Organisation // nil unless the signature held
	Known      bool                // tells who somebody is, never what is due

	// What the judgement relied on. Zero: none.
	StatusAsOf credential.Time
	TrustAsOf  credential.Time
	Age        int64 // seconds since the older of the two; -1: not known

	ClockBehind bool // the device's clock is behind what signed lists prove

	Ledger  LedgerKey         // zero where the type counts no collections, its round is not known, or Uses and Unlock are nil
	Former  credential.Former // whose card it replaces, where the trust list allows that; with Ledger, zero: nobody's
	Earlier Use               // what was collected, with already_redeemed and partly_collected
	Holder  HolderCheck
	Live    Accepted  // the live code that was taken, see Inputs.Again
	OldList *Decision // the decision that let old lists pass
	Opened  []byte    // sealed claims as a CBOR map, where Unlock opened them or a wallet shows them
	Row     *Row      // of the expected list; from Number alone

	Floors Floors // to be kept by the caller

	Err error

	found findings
	shown map[string]any // the claims of a wallet credential, by name
}

// Reasons returns every finding, worst first; the first equals Reason.
func (r *Result) Reasons() []words.Reason {
	return slices.Clone(r.found.list[:r.found.n])
}

// Has reports whether reason is among the findings.
func (r *Result) Has(reason words.Reason) bool {
	return slices.Contains(r.found.list[:r.found.n], reason)
}

// Keep copies what aliases the Checker's buffers, so that r outlives the next check.
func (r *Result) Keep() {
	r.Credential = r.Credential.Clone()
	r.Opened = slices.Clone(r.Opened)
}

// Claims names the claims that the answer allows to be shown: the plain ones,
// and the sealed ones where they were opened. Nil where nothing may be shown.
func (r *Result) Claims() map[string]any {
	if r.Facts != words.AllFacts || !r.Credential.Proven() {
		return nil
	}
	out := map[string]any{}
	if r.Type == nil {
		return out
	}
	for k, v := range r.shown {
		out[k] = v
	}
	if r.shown == nil && r.Credential.Plain != nil {
		if m, err := r.Type.NamePlain(r.Credential.Plain); err == nil {
			for k, v := range m {
				out[k] = v
			}
		}
	}
	if r.Has(words.WrongSite) {
		delete(out, r.Type.SiteClaim) // where else she collects is not for this table
	}
	if r.shown == nil && r.Opened != nil {
		if m, err := r.Type.NameSealed(r.Opened); err == nil {
			for k, v := range m {
				// The PIN's check is for the verifier: whoever has it and the epoch key
				// can try all PINs.
				if r.Type.Claim(k).Key != schemas.PINCheckKey {
					out[k] = v
				}
			}
		}
	}
	return out
}

// GraceEnds is the first second in which an expired card is no longer taken; its end
// where its type has no days of grace, 0 where it never ends.
func (r *Result) GraceEnds() credential.Time {
	c := &r.Credential
	if c.ExpiresAt == 0 || r.Type == nil {
		return c.ExpiresAt
	}
	return c.ExpiresAt + credential.Time(r.Type.GraceDays)*day
}

// CardNumber is the printed number of the card, or "" where it may not be shown
// or the card has none.
func (r *Result) CardNumber() string {
	if r.Facts == words.NoFacts || r.Credential.Foreign {
		return ""
	}
	n, err := cwt.CardNumber(string(r.Credential.Pseudonym))
	if err != nil {
		return ""
	}
	return n
}

// settle sorts the findings and fills what follows from the worst.
func (r *Result) settle() {
	r.found.sort()
	r.settled()
}

func (r *Result) settled() {
	r.Reason = r.found.list[0]
	row := words.For(r.Reason, r.Known)
	r.Answer, r.Word = row.Answer, row.Word
	r.Facts = words.FactsFor(r.found.list[:r.found.n])
}
