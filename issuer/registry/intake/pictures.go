package intake

import (
	"errors"
	"path/filepath"
	"strings"

	"aidpass/issuer/registry/photo"
	"aidpass/issuer/registry/roster"
)

// takePhoto puts a person's picture into the draft: the file that is named by the
// photo column, else by her number. A picture that cannot be used is said, and the
// row goes on without it. say is false for the second reading.
func (r *run) takePhoto(t *tableRun, s *state, d *draft, row *roster.Row, say bool) error {
	if r.opt.Photos == nil {
		return nil
	}
	say = say || r.opt.DryRun
	var ids []string
	named, column := t.lens.text(row, Photo)
	if named != "" {
		// A path that a form wrote is a name here, and Folder looks in one folder only.
		base := filepath.Base(strings.ReplaceAll(named, `\`, "/"))
		ids = append(ids, strings.TrimSuffix(base, filepath.Ext(base)), base)
	}
	if id := t.lens.id(row, PersonID); id != "" {
		ids = append(ids, id)
	}
	p, err := r.opt.Photos.Photo(ids...)
	var refused *photo.Refusal
	switch {
	case errors.Is(err, photo.ErrNone):
	case errors.As(err, &refused):
		if say {
			f := fault(PhotoUnusable, Remark, column, named)
			f.What, f.Fix = refused.What, refused.Fix
			r.note(t, row, f)
		}
	case err != nil:
		return err
	default:
		d.person.Photo = p.JPEG
		s.flags |= pictured
	}
	return nil
}

// countPhotos says which pictures are stored with this import, which belong to nobody,
// and how many people have none.
func (r *run) countPhotos() {
	if r.opt.Photos == nil {
		return
	}
	p := &Photos{Without: r.report.Quality.People - r.report.Quality.Filled["photo"], Unmatched: r.opt.Photos.Unused()}
	for _, t := range r.tables {
		for i := range t.states {
			switch s := &t.states[i]; {
			case s.flags&pictured == 0 || !s.live():
			case s.outcome == duplicate:
				p.Unchanged++
			default:
				p.Stored++
			}
		}
	}
	r.report.Photos = p
}
