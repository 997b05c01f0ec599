package issuer

import (
	"aidpass/credential"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/words"
)

// ProveFormer says in whose place a card may be issued to whoever shows the card of
// another organisation: r is what verifying that card said, with the newest lists of
// both. listed is the organisation that issues, as the trust list has it; vct,
// programme and country are of the new card, at is now.
//
// The card must be good, but for round, place, an end that has passed and what was
// collected: those are not why it is replaced. It counts in the same programme.
// Where it stands itself for another one, that is who is named, so a chain has one
// link (docs/decisions/0023). A refusal has the code RefusedFormer.
func ProveFormer(r *verifier.Result, listed *trust.Organisation, vct, programme, country string, at credential.Time) (credential.Former, *Refusal) {
	none := credential.Former{}
	c := &r.Credential
	if !c.Proven() || c.Foreign || r.Type == nil || r.Issuer == nil {
		return none, refuse(RefusedFormer, "the card to be replaced is not proved: %s", r.Reason)
	}
	for _, reason := range r.Reasons() {
		if !besides[reason] && words.For(reason, r.Known).Answer != words.Valid {
			return none, refuse(RefusedFormer, "the card to be replaced is not good: %s", reason)
		}
	}
	claims, err := r.Type.NamePlain(c.Plain)
	switch {
	case err != nil || r.Type.ProgrammeClaim == "" || r.Type.Claim(schemas.PrincipalClaim) != nil:
		return none, refuse(RefusedFormer, "a %s is of no programme's unit: only a card that collects is replaced", r.Type.Name)
	case claims[r.Type.ProgrammeClaim] != programme:
		return none, refuse(RefusedFormer, "the card to be replaced is of another programme: both would never be counted together")
	}
	f := credential.Former{Issuer: r.Issuer.ID, Pseudonym: string(c.Pseudonym)}
	if c.Replaces != nil {
		first, ok := r.Issuer.MayReplace(c.Replaces, c.Type, []byte(programme), country, at)
		if !ok {
			return none, refuse(RefusedFormer, "the card to be replaced is not good: %s", words.IssuerNotAuthorised)
		}
		f = first
	}
	if f.Issuer == listed.ID {
		return none, refuse(RefusedFormer, "the card stands for a unit of your own: issue to that, or replace its card")
	}
	tag, ok := f.Bytes()
	if ok {
		_, ok = listed.MayReplace(tag, []byte(vct), []byte(programme), country, at)
	}
	if !ok {
		return none, refuse(RefusedFormer, "the trust list does not let %s replace cards of %s in programme %s", listed.ID, f.Issuer, programme)
	}
	return f, nil
}

// besides are findings that say nothing against whose card it is.
var besides = map[words.Reason]bool{
	words.WrongRound: true, words.WrongSite: true, words.WrongProgramme: true, words.NotYetValid: true, words.Expired: true,
	words.AlreadyRedeemed: true, words.PartlyCollected: true,
}
