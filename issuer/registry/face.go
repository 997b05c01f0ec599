package registry

import "slices"

// Purposes of consents that decide what is printed on a holder's own card.
const (
	NameOnCard  = "name_on_card"
	PhotoOnCard = "photo_on_card"
)

// ChooseFace records what the holder answered about her card: purpose is NameOnCard
// or PhotoOnCard, how and on say how and on which day she was asked. A yes that is
// taken back stays on record as withdrawn.
//
// DOMAIN.md 8, R24: the neutral face is the default, name and photo are by choice.
func (p *Person) ChooseFace(purpose string, yes bool, how, on string) {
	p.Consents = slices.Clone(p.Consents)
	made := Consent{Purpose: purpose, Given: yes, How: how, On: on}
	i := slices.IndexFunc(p.Consents, func(c Consent) bool { return c.Purpose == purpose })
	switch {
	case i < 0:
		p.Consents = append(p.Consents, made)
	case yes == (p.Consents[i].Given && p.Consents[i].Withdrawn == ""):
	case !yes && on != "":
		p.Consents[i].Withdrawn = on
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
