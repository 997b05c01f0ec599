package records

import (
	"context"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/photo"
)

// photoField is the field of a person's record that holds her picture.
const photoField = "photo"

// PhotoVersion is which version of a person's picture a record has; 0: there never was one.
func PhotoVersion(rec registry.Record) int64 { return rec.Fields[photoField].Version }

// SetPhoto puts a picture that package photo has made into a person's record, or takes the
// one there out of it where p is nil. seen is the PhotoVersion that the author saw: with
// another by now it is registry.ErrConflict, so that nobody's face comes into the place of
// another's that was put there meanwhile. What was there is destroyed: nobody reads it any
// more, and the history says that there was one (docs/decisions/0038).
func (d *Desk) SetPhoto(ctx context.Context, by access.Actor, id registry.ID, seen int64, p *photo.Photo, reason string) error {
	_, err := d.registry(by).Revise(ctx, id, reason, func(v registry.View, rec registry.Record) (map[string][]byte, map[string]int64, error) {
		if rec.Kind != registry.KindPerson {
			return nil, nil, registry.ErrNotFound
		}
		who, err := rec.Person()
		if err != nil {
			return nil, nil, err
		}
		if !who.Status.Living() {
			return nil, nil, registry.ErrClosed
		}
		who.Photo = nil
		if p != nil {
			who.Photo = p.JPEG
		}
		fields, err := who.Fields()
		return map[string][]byte{photoField: fields[photoField]}, map[string]int64{photoField: seen}, err
	})
	return err
}
