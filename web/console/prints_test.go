package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer"
)

// The print log has the layout as one word of several; a reader is told the paper and what
// else, and a tab's title is text.
func TestAPrintIsToldInWords(t *testing.T) {
	w := newWorld(t)
	id := w.issuing.print(own)
	b := w.as(own, access.Issuer)
	for _, path := range []string{"/prints", "/prints/of/" + id} {
		page := b.get(path).Body.String()
		for _, says := range []string{"A4, ten cards a sheet", "Both sides", "Without organisation and programme"} {
			if !strings.Contains(page, says) {
				t.Errorf("%s does not say %q:\n%s", path, says, page)
			}
		}
		if strings.Contains(page, "prints.paper_") {
			t.Errorf("%s shows a key:\n%s", path, page)
		}
		if _, title, _ := strings.Cut(page, "<title>"); strings.Contains(strings.SplitN(title, "</title>", 2)[0], "bdi") {
			t.Errorf("the title of %s has an element in it:\n%s", path, page)
		}
	}
}

// Who printed takes the file; once it was handed out, or by somebody else, it takes a reason
// and a fresh proof of identity, each time as another paper, and no program gets it so.
func TestAPrintTakenAgainIsAnotherPaper(t *testing.T) {
	w := newWorld(t)
	id := w.issuing.print(own)
	b, at := w.as(own, access.Issuer), "/prints/of/"+id
	file := at + "/cards.pdf"
	if page := b.get(at).Body.String(); strings.Contains(page, `id="file"`) || !strings.Contains(page, `id="again"`) {
		t.Errorf("the page of another's print:\n%s", page)
	}
	if a := b.get(file); a.Code != 409 || !strings.Contains(a.Body.String(), "handed out already") {
		t.Errorf("another's print: %d\n%s", a.Code, a.Body)
	}
	if a := b.post(file, url.Values{"reason": {""}}); a.Code != 422 {
		t.Errorf("without a reason: %d", a.Code)
	}
	why := url.Values{"reason": {"the printer ate it"}}
	if a := b.post(file, why); a.Code != 200 || a.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("with a reason: %d\n%s", a.Code, a.Body)
	}
	if page := b.get(at).Body.String(); !strings.Contains(page, `id="file"`) || !strings.Contains(page, `<dd id="papers"><bdi>1</bdi>`) || !strings.Contains(page, "If the download broke off") {
		t.Errorf("the page within minutes:\n%s", page)
	}
	w.move(issuer.FetchedAgain + time.Second)
	if a := b.get(file); a.Code != 409 {
		t.Errorf("later: %d", a.Code)
	}
	if a := b.post(file, why); a.Code != 401 || a.Header().Get("Content-Type") == "application/pdf" {
		t.Errorf("with no fresh proof: %d", a.Code)
	}
	p := w.program(own, access.Issuer, access.BatchPrint)
	if a := p.ask("GET", file, ""); a.Code != 409 {
		t.Errorf("a program, another's print: %d", a.Code)
	}
	if a := p.ask("POST", file, `{"reason":"again"}`); a.Code != 403 || w.issuing.prints[own+"/"+id].Papers != 1 {
		t.Errorf("a program with a reason: %d, %+v", a.Code, w.issuing.prints[own+"/"+id])
	}
}
