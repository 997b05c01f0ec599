package console

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry/photo"
)

// portraits are the routes by which a picture comes to a person, and goes.
func (s *People) portraits() []Route {
	seen, reason := Text("seen", 20), Text("reason", maxReason)
	return []Route{
		// A picture may come from a file or from the camera of the device: two fields of one form.
		{Method: http.MethodPost, Path: "/people/:person/photo", Act: access.PersonEdit, Files: true, MaxBody: photo.MaxBytes + 64<<10,
			Form: []Field{File("photo"), File("camera"), seen, reason}, Handler: s.setPhoto},
		{Method: http.MethodPost, Path: "/people/:person/photo-remove", Act: access.PersonEdit, Form: []Field{seen, reason}, Handler: s.removePhoto},
	}
}

// drawing bounds how many pictures are read at once: one may take photo's whole bound of
// memory. Who waits longer than drawingWait is told to come again.
type drawing struct {
	once  sync.Once
	slots chan struct{}
}

const (
	mostDrawn   = 2
	drawingWait = 20 * time.Second
)

func (d *drawing) do(ctx context.Context, work func() error) error {
	d.once.Do(func() { d.slots = make(chan struct{}, mostDrawn) })
	ctx, end := context.WithTimeout(ctx, drawingWait)
	defer end()
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
		return work()
	case <-ctx.Done():
		return ErrBusy
	}
}

// photoForm reads what both forms of a picture have.
func photoForm(p *Page) (seen int64, reason string, err error) {
	seen, err = strconv.ParseInt(p.Form.Get("seen"), 10, 64)
	if err != nil || seen < 0 {
		return 0, "", BadForm("photo.seen")
	}
	if reason = p.Form.Get("reason"); reason == "" {
		return 0, "", BadForm("people.why_needed")
	}
	return seen, reason, nil
}

// setPhoto takes a picture, draws it again, and puts it into the record. Nothing of what
// was sent is kept: not its bytes, its name, nor where and when it was taken.
func (s *People) setPhoto(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	seen, reason, err := photoForm(p)
	if err != nil {
		return err
	}
	f, _, err := p.File("photo")
	if err == nil && f == nil {
		f, _, err = p.File("camera")
	}
	if err != nil {
		return err
	}
	if f == nil {
		return BadForm("photo.none")
	}
	defer f.Close()
	var picture photo.Photo
	err = s.drawing.do(p.Context(), func() (err error) {
		picture, err = photo.Prepare(f)
		return err
	})
	var refusal *photo.Refusal
	if errors.As(err, &refusal) {
		return BadForm("photo.refused", "why", Said("photo.refused_"+refusal.Code))
	}
	if err != nil {
		return err
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.SetPhoto(ctx, p.Actor(), id, seen, &picture, reason) }); err != nil {
		return s.fault(err)
	}
	return p.Done("/people/"+id.String(), Note{Word: "photo.saved"})
}

func (s *People) removePhoto(p *Page) error {
	id, err := s.id(p, &aPerson)
	if err != nil {
		return err
	}
	seen, reason, err := photoForm(p)
	if err != nil {
		return err
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.SetPhoto(ctx, p.Actor(), id, seen, nil, reason) }); err != nil {
		return s.fault(err)
	}
	return p.Done("/people/"+id.String(), Note{Word: "photo.removed"})
}

// PhotoSeen is which picture of the record the page shows.
func (d *peopleData) PhotoSeen() int64 { return records.PhotoVersion(d.Sheet.Record) }
