package console

import (
	"context"
	"errors"
	"net/http"

	"aidpass/access"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// Faces are the pages on which it is written down what somebody wants on the card that she
// carries: its number alone, as long as she did not say otherwise, her name, her photograph.
type Faces struct{ Desk *records.Desk }

// faceHows are how she may have said it.
var faceHows = []named{{"verbal", "cards.face_verbal"}, {"signature", "cards.face_signature"}, {"thumb", "cards.face_thumb"}}

// Routes implements Screen.
func (s *Faces) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/people/:person/face", Act: access.ConsentGive, Answer: faceData{}, Handler: s.show},
		{Method: http.MethodPost, Path: "/people/:person/face", Act: access.ConsentGive, Form: []Field{Text("name", 3), Text("photo", 3), Text("how", 20)}, Handler: s.choose},
	}
}

// Needs implements Screen.
func (s *Faces) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type faceData struct {
	Person string  `json:"person"`
	Called string  `json:"called"`
	Name   bool    `json:"name"`
	Photo  bool    `json:"photo"`
	On     string  `json:"on,omitempty"` // day of the newest answer
	Hows   []named `json:"-"`
}

func (s *Faces) find(p *Page) (id registry.ID, d faceData, err error) {
	if id, err = registry.ParseID(p.Param("person")); err != nil {
		return id, d, ErrNotFound
	}
	face, called, err := s.Desk.Face(p.Context(), p.Actor(), id)
	return id, faceData{id.String(), called, face.Name, face.Photo, face.On, faceHows}, deskFault(err)
}

func (s *Faces) show(p *Page) error {
	_, d, err := s.find(p)
	if err != nil {
		return err
	}
	return p.Show("cards_face", "cards.face", d)
}

func (s *Faces) choose(p *Page) error {
	id, was, err := s.find(p)
	if err != nil {
		return err
	}
	name, photo, how := p.Form.Get("name"), p.Form.Get("photo"), p.Form.Get("how")
	if how == "" {
		how = faceHows[0].Code
	}
	yesOrNo := func(text string) bool { return text == "yes" || text == "no" }
	if !yesOrNo(name) || !yesOrNo(photo) || !has(faceHows, how) {
		return BadForm("cards.face_say")
	}
	err = p.Do(func(ctx context.Context) error {
		return s.Desk.ChooseFace(ctx, p.Actor(), id, name == "yes", photo == "yes", how)
	})
	if errors.Is(err, registry.ErrClosed) {
		return errFinalGate
	}
	if err != nil {
		return deskFault(err)
	}
	said := map[bool]string{true: "yes", false: "no"}
	return p.Done("/people/"+id.String()+"/face", Note{Word: "cards.face_done",
		Undo: &Undo{Path: "/people/" + id.String() + "/face", Fields: map[string]string{"name": said[was.Name], "photo": said[was.Photo], "how": how}}})
}
