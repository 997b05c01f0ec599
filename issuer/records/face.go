package records

import (
	"context"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// Face is what somebody chose to have printed on her card; the zero value is its number
// alone. The log is told.
func (d *Desk) Face(ctx context.Context, by access.Actor, id registry.ID) (face registry.CardFace, called string, err error) {
	s, err := d.sheet(ctx, id, registry.KindPerson)
	if err != nil {
		return face, "", err
	}
	if s.Person.CardFace != nil {
		face = *s.Person.CardFace
	}
	return face, s.Title(), d.Store.NoteAbout(ctx, by, access.Entry{Action: "person.read", Object: id.String(), Detail: "card-face"}, []registry.ID{id})
}

// ChooseFace records what she answered: whether her name and her photograph may stand on her
// card. how is how she said it, as of a consent. A record that is closed is
// registry.ErrClosed.
func (d *Desk) ChooseFace(ctx context.Context, by access.Actor, id registry.ID, name, photo bool, how string) error {
	s, err := d.sheet(ctx, id, registry.KindPerson)
	if err != nil {
		return err
	}
	if !s.Person.Status.Living() {
		return registry.ErrClosed
	}
	on := d.Now().UTC().Format(time.DateOnly)
	_, err = d.registry(by).EditPerson(ctx, s.Record, func(p *registry.Person) error {
		p.ChooseFace(registry.NameOnCard, name, how, on)
		p.ChooseFace(registry.PhotoOnCard, photo, how, on)
		return nil
	})
	return err
}
