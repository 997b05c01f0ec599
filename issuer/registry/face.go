package registry

import "slices"

// Purposes of consents that decide what is printed on a holder's own card.
const (
	NameOnCard  = "name_on_card"
	PhotoOnCard = "photo_on_card"
)

// Purposes of answers that decide what staff at a table are shown by the sealed
// expected list. They are asked only of who wishes it: without an answer name and
// photo are shown there. A protected person's is no.
const (
	NameAtTable  = "name_at_table"
	PhotoAtTable = "photo_at_table"
)

// Refused reports whether the newest answer for a purpose is no, or a yes that was
// taken back; of answers of one day a no counts. Without an answer it is false.
func Refused(answers []Consent, purpose string) bool {
	no, newest := false, ""
	for _, c := range answers {
		on := max(c.On, c.Withdrawn)
		if c.Purpose != purpose || on < newest {
			continue
		}
		said := !c.Given || c.Withdrawn != ""
		no, newest = said || no && on == newest, on
	}
	return no
}

// ChooseFace records what the holder answered about her card: purpose is NameOnCard
// or PhotoOnCard, how and on say how and on which day she was asked. A yes that is
// taken back stays on record as withdrawn.
//
// DOMAIN.md 8, R24: the neutral face is the default, name and photo are by choice.
func (p *Person) ChooseFace(purpose string, yes bool, how, on string) {
	p.Consents = slices.Clone(p.Consents)
	made := Consent{Purpose: purpose, Given: yes, How: how, On: on}
	i := len(p.Consents) - 1 // of the newest answer
	for i >= 0 && p.Consents[i].Purpose != purpose {
		i--
	}
	switch {
	case i < 0:
		p.Consents = append(p.Consents, made)
	case yes == (p.Consents[i].Given && p.Consents[i].Withdrawn == ""):
	case !yes && on != "":
		p.Consents[i].Withdrawn = on
	case p.Consents[i].ID != "": // a record with its wording stays what it was
		p.Consents = append(p.Consents, made)
	default:
		p.Consents[i] = made
	}
	p.ShowFace()
}

// ShowFace makes the card's face what the consents say. A choice without a consent
// on record stays as it is.
func (p *Person) ShowFace() {
	face := CardFace{}
	if p.CardFace != nil {
		face = *p.CardFace
	}
	for _, c := range p.Consents {
		yes := c.Given && c.Withdrawn == ""
		shown := &face.Name
		switch c.Purpose {
		case NameOnCard:
		case PhotoOnCard:
			shown = &face.Photo
		default:
			continue
		}
		*shown = yes
		if last := max(c.On, c.Withdrawn); last > face.On {
			face.On = last
		}
	}
	if p.CardFace = nil; face != (CardFace{}) {
		p.CardFace = &face
	}
}
