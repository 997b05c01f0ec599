//go:build !js

package verifiertest

import (
	"aidpass/credential"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"

	"aidpass/internal/cose"
)

// Case is one text, what it is judged by, and the answer every build gives.
type Case struct {
	Name string
	Text string
	At   credential.Time // default Now

	Pack      []byte // nil: no pack at all
	State     []byte // encoded floors; nil: first use
	Journals  [][]byte
	Challenge []byte
	Unlock    bool // the operator's code is given on the world's device
	PIN       string

	// Audience and Nonce are what the holder of a wallet credential was asked to
	// sign; empty: nothing was asked.
	Audience, Nonce string

	// Want is the leading reason; Also are secondary ones, in any order.
	Want words.Reason
	Also []words.Reason
	// Known: the credential tells only who somebody is.
	Known bool
}

// Row is what the case's answer must look like.
func (c *Case) Row() words.Row { return words.For(c.Want, c.Known) }

// Cases builds every case.
func Cases(w *World) []Case {
	pack := w.Pack(PackOptions{})
	var all []Case
	for _, group := range [][]Case{
		goodCases(w), textCases(w), messageCases(w), signatureCases(w), claimCases(w), keyCases(w), timeCases(w),
		statusCases(w), placeCases(w), packCases(w), holderCases(w),
		tokenCases(w), disclosureCases(w), bindingCases(w), tokenStatusCases(w), w3cCases(w), formerCases(w),
	} {
		for _, c := range group {
			if c.At == 0 {
				c.At = Now
			}
			if c.Pack == nil {
				c.Pack = pack
			}
			all = append(all, c)
		}
	}
	return append(all, Case{Name: "no pack at all", Text: w.Text(CardOptions{}), At: Now, Want: words.PackIncomplete})
}

func goodCases(w *World) []Case {
	return []Case{
		{Name: "a good card", Text: w.Text(CardOptions{}), Want: words.OK},
		{Name: "a good card signed with Ed25519", Text: w.Text(CardOptions{Key: &w.A.EdCard}), Want: words.OK},
		{Name: "a good card of another organisation", Text: w.Text(CardOptions{Org: w.B}), Want: words.OK},
		{Name: "a card of the standby key", Text: w.Text(CardOptions{Key: &w.A.Standby}), Want: words.OK},
		{Name: "a registration card tells who, never what is due", Text: w.Text(CardOptions{Type: "registration"}), Want: words.OK, Known: true},
		{Name: "a card of a retired key, signed while it was in force", Text: w.Text(CardOptions{Key: &w.A.Retired, Issued: Made - 120*day}), Want: words.OK},
		{Name: "a card with a sealed part, closed", Text: w.Text(CardOptions{Sealed: map[string]any{"name": "Amina Yusuf"}}), Want: words.OK},
		{Name: "a card with a sealed part, opened", Text: w.Text(CardOptions{Sealed: map[string]any{"name": "Amina Yusuf"}}),
			Pack: w.Pack(PackOptions{Sealed: true}), Unlock: true, Want: words.OK},
	}
}

// Journal signs records of the world's device: visits of a ledger key.
func (w *World) Journal(records ...visit.Visit) []byte {
	var file, prev []byte
	for i, v := range records {
		v.Device, v.Sequence = []byte("tablet-1"), uint64(i+1)
		if v.At == 0 {
			v.At = Made + credential.Time(i)
		}
		p := must(visit.Prepare(w.Device.Key, prev, v))
		prev = must(p.Attach(must(cose.SignRaw(w.Device, p.ToBeSigned()))))
		file = append(file, prev...)
	}
	return file
}

// Ledger is the ledger key of the usual card.
func (w *World) Ledger() verifier.LedgerKey {
	return verifier.LedgerKey{Issuer: w.A.ID, Pseudonym: pseudonym("unit-1"), Programme: Programme, Round: 3}
}
