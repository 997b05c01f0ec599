package issuer

import (
	"slices"

	"aidpass/schemas"
)

// place reads, off the plain part of a card as a service point will, which rounds
// it is for, and refuses a card that belongs to another programme or to other
// rounds than its batch: there is one credential for a place, and the place is
// what the card says.
//
// A card of a type with round claims that names none is for all rounds. A type
// without such claims takes the round of the batch.
func (b *Batch) place(plain []byte) (Rounds, *Refusal) {
	t := b.Type
	if no := b.sameProgramme(plain); no != nil {
		return Rounds{}, no
	}
	single, span := t.Claim(t.RoundClaim), t.Claim(t.RoundsClaim)
	if single == nil && span == nil {
		return Rounds{b.Round, b.Round}, nil
	}
	var numbers []uint64
	for _, c := range [...]*schemas.Claim{single, span} {
		if c != nil {
			numbers = appendRounds(numbers, c, plain)
		}
	}
	var named Rounds
	if len(numbers) > 0 {
		named = Rounds{slices.Min(numbers), slices.Max(numbers)}
	}
	if one := (Rounds{b.Round, b.Round}); b.Round > 0 && named != one {
		return Rounds{}, refuse(RefusedClaims, "the row is for rounds %d to %d, and the batch for round %d", named.First, named.Last, b.Round)
	}
	return named, nil
}

// RoundsOf returns the rounds that a credential of q would be for. Its error is the
// *Refusal that q would meet when it is issued.
func (b *Batch) RoundsOf(q *Request) (Rounds, error) {
	values, no := b.values(q, CTI{})
	if no == nil {
		no = b.known(values)
	}
	if no != nil {
		return Rounds{}, no
	}
	plain, err := b.Type.EncodePlain(values)
	if err != nil {
		return Rounds{}, refuse(RefusedClaims, "%v", err)
	}
	rounds, no := b.place(plain)
	if no != nil {
		return Rounds{}, no
	}
	return rounds, nil
}

// sameProgramme: the card names the programme of the batch; in a list of several
// it is among them.
func (b *Batch) sameProgramme(plain []byte) *Refusal {
	c := b.Type.Claim(b.Type.ProgrammeClaim)
	if c == nil {
		return nil
	}
	r, ok := c.Find(plain)
	n := 1
	if ok && c.Kind == schemas.KindCodes {
		n = r.Array()
	}
	for range n {
		if ok && string(r.Text()) == b.Programme {
			return nil
		}
	}
	return refuse(RefusedClaims, "the claim %q names another programme than the batch", c.Name)
}

// appendRounds appends the numbers of a round claim, which was encoded by its
// type: one number, first and last, or a list.
func appendRounds(dst []uint64, c *schemas.Claim, plain []byte) []uint64 {
	r, ok := c.Find(plain)
	if !ok {
		return dst
	}
	n := 1
	if c.Kind == schemas.KindRange || c.Kind == schemas.KindInts {
		n = r.Array()
	}
	for range n {
		dst = append(dst, r.Uint())
	}
	return dst
}
