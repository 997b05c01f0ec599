package console

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// A Confirm shows what an act on many would do, before it does anything.
type Confirm struct {
	Says   template.HTML // "412 of 430 can be cancelled", by T
	Can    int           // on how many it would act
	Cannot []Reason
	Path   string            // below Root: where the act is, with the fields "step" and "typed"
	Back   string            // below Root
	Fields map[string]string // what the form said, and says again
	Many   map[string][]string
	Do     template.HTML // what the button says
}

// A Reason is why some are left out.
type Reason struct {
	Says  template.HTML
	Count int
}

// largeFrom is how many rows make an act large: their number is typed before it runs.
const largeFrom = 50

// ConfirmFields are the fields that the form of an act with a dry run has besides its own.
func ConfirmFields(own ...Field) []Field { return append(own, Text("step", 8), Text("typed", 20)) }

// Confirmed reports whether the form of an act on n rows was confirmed: it came from
// the page of Confirm, and a large act has its number, in the digits of any language of
// the console. It was confirmed for n; where the number of rows has changed since, it
// was not.
func (p *Page) Confirmed(n int) bool {
	seen, err := strconv.Atoi(p.Form.Get("step"))
	if err != nil || seen != n || n == 0 {
		return false
	}
	return n < largeFrom || digits(p.Form.Get("typed")) == strconv.Itoa(n)
}

// digits are those of a number as people type it: with or without separators.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '٠' && r <= '٩':
			return r - '٠' + '0'
		case r == ',' || r == '.' || r == '٬' || r == ' ' || r == '\u00a0' || r == '\u202f':
			return -1
		}
		return 'x'
	}, s)
}

type confirmData struct {
	Confirm
	Large, Wrong bool
}

// Confirm shows c and asks. What was typed wrong is said.
func (p *Page) Confirm(title string, c Confirm) error {
	status := http.StatusOK
	wrong := p.Form.Get("step") != ""
	if wrong {
		status = http.StatusUnprocessableEntity
	}
	p.gives(dryAnswer{})
	if p.program {
		return p.dryRun(status, c)
	}
	return p.showPage(status, "confirm", p.T(title), confirmData{c, c.Can >= largeFrom, wrong})
}
