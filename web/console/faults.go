package console

import (
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/web/api"
)

// A Fault is an answer that says on a page what to do.
type Fault struct {
	Status int
	Word   string // key of a heading; the sentence under it is that of Word.do
	Fill   []any
	Detail string        // the program's own sentence in English, for whoever helps; may be empty
	Retry  time.Duration // 0: trying again does not help
}

func (f *Fault) Error() string { return "console: " + f.Word }

// Faults that handlers return. What is another organisation's is not found: nobody
// learns that it is there.
var (
	ErrNotFound  = &Fault{Status: http.StatusNotFound, Word: "fault.not_found"}
	ErrForbidden = &Fault{Status: http.StatusForbidden, Word: "fault.forbidden"}
	ErrConflict  = &Fault{Status: http.StatusConflict, Word: "fault.conflict"} // changed since it was shown
	ErrBusy      = &Fault{Status: http.StatusServiceUnavailable, Word: "fault.busy", Retry: 5 * time.Second}
	ErrFull      = &Fault{Status: http.StatusServiceUnavailable, Word: "fault.full", Retry: 30 * time.Second}
	errFault     = &Fault{Status: http.StatusInternalServerError, Word: "fault.ours"}
)

// BadForm says on a page what is wrong with what was typed: key of a sentence.
func BadForm(word string, fill ...any) *Fault {
	return &Fault{Status: http.StatusUnprocessableEntity, Word: word, Fill: fill}
}

// Mend shows a form again as it was filled, with what err says of it in words, where what was
// typed is at fault: nobody types it twice. A program, and any other error, has err itself.
func (p *Page) Mend(err error, show func(wrong template.HTML) error) error {
	var f *Fault
	if p.program || !errors.As(err, &f) || f.Status != http.StatusUnprocessableEntity {
		return err
	}
	fill := p.whys(f.Fill)
	return show(sentences([]template.HTML{p.T(f.Word, fill...) + ".", p.T(f.Word+".do", fill...)}))
}

// Slow asks to wait.
func Slow(wait time.Duration) *Fault {
	return &Fault{Status: http.StatusTooManyRequests, Word: "fault.slow", Fill: []any{"seconds", int(wait.Round(time.Second).Seconds())}, Retry: wait}
}

// ErrorCode is [access.ErrorCode].
func ErrorCode(err error) string { return access.ErrorCode(err) }

// fail answers for an error; nil is none. Nothing of an error that is ours gets onto a
// page, and into the log its code alone, by the number of the request.
func (s *Console) fail(p *Page, err error) error {
	var f *Fault
	if err == nil {
		return nil
	}
	err = s.Fault(err)
	switch {
	case errors.As(err, &f):
	case errors.Is(err, api.ErrBusy):
		f = ErrBusy
	case errors.Is(err, api.ErrFull):
		f = ErrFull
	case echo.StatusCode(err) == http.StatusNotFound:
		f = ErrNotFound
	default:
		if f = doorFault(err); f == nil {
			s.Log.Error("fault", "request", api.RequestID(p.c.Response()), "code", ErrorCode(err))
			f = errFault
		}
	}
	if f.Retry > 0 {
		p.c.Response().Header().Set("Retry-After", strconv.Itoa(max(1, int(f.Retry.Round(time.Second).Seconds()))))
	}
	if p.program {
		return p.problem(f)
	}
	fill := p.whys(f.Fill)
	return p.show(f.Status, "fault", p.T(f.Word, fill...), faultData{Do: p.T(f.Word+".do", fill...), Detail: f.Detail, Request: api.RequestID(p.c.Response())})
}

type faultData struct {
	Do      template.HTML
	Detail  string // English
	Request string // for who looks into the log
}
