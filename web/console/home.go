package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"aidpass/access"
)

// home is what waits for whoever has signed in.
type home struct{ *Console }

func (h *home) Routes() []Route {
	return []Route{{Method: http.MethodGet, Path: "/", Act: Staff, Menu: "home.menu", Program: true, Answer: homeData{}, Handler: h.show}}
}

func (h *home) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type homeData struct {
	Needs  []Need
	Failed bool // a screen could not be asked
}

func (h *home) show(p *Page) error {
	var d homeData
	for _, screen := range h.screens {
		needs, err := screen.Needs(p.Context(), p.In)
		if err != nil {
			// The rest of what waits is still worth showing.
			h.Log.Error("a screen cannot say what waits", "code", ErrorCode(err))
			d.Failed = true
		}
		for _, n := range needs {
			at, _, _ := strings.Cut(n.Path, "?")
			if r, ok := h.find(http.MethodGet, at); n.Count > 0 && ok && r.may(p.In) {
				d.Needs = append(d.Needs, n)
			}
		}
	}
	slices.SortStableFunc(d.Needs, func(a, b Need) int { return a.Since.Compare(b.Since) })
	return p.Show("home", "home.title", d)
}
