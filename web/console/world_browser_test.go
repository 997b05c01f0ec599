package console_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"aidpass/access"
)

// A browser keeps cookies, and says that what it asks comes from the console's pages.
type browser struct {
	w       *world
	member  *member // who has signed in; nil: nobody
	cookies map[string]string
	header  http.Header // more than usual
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]string{}, header: http.Header{}}
}

// as is a browser in which an account of these roles has just signed in.
func (w *world) as(org string, roles ...access.Role) *browser {
	return w.of(w.add(org, "", roles...))
}

// of is a browser in which a member has signed in.
func (w *world) of(m *member) *browser {
	b := w.browser()
	b.member = m
	b.cookies["__Host-aidpass"] = m.token
	return b
}

// enter signs a member in on the page.
func (b *browser) enter(m *member, more url.Values) *httptest.ResponseRecorder {
	form := url.Values{"account": {m.id}, "password": {password}, "code": {b.w.code(m)}}
	for k, v := range more {
		form[k] = v
	}
	return b.post("/sign-in", form)
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "https://desk.relief-a.example"+path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	return r
}

func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	a := httptest.NewRecorder()
	b.w.server.ServeHTTP(a, r)
	for _, c := range a.Result().Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.send(b.request("GET", "/desk"+path, nil))
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	if form == nil {
		form = url.Values{}
	}
	return b.send(b.request("POST", "/desk"+path, form))
}

// submit posts the form that a page has for an action, hidden fields and all.
func (b *browser) submit(page, action string) *httptest.ResponseRecorder {
	b.w.Helper()
	form := url.Values{}
	i := strings.Index(page, `action="`+action+`"`)
	if i < 0 {
		b.w.Fatalf("the page has no form for %s:\n%s", action, page)
	}
	part, _, _ := strings.Cut(page[i:], "</form>")
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(part, -1) {
		form.Add(m[1], strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`, "&lt;", "<", "&gt;", ">").Replace(m[2]))
	}
	return b.post(strings.TrimPrefix(action, "/desk"), form)
}
