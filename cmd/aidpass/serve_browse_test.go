package main

import (
	"bytes"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"aidpass/access"
)

// A deskBrowser is a browser without script at a server's desk, signed in by its cookie.
type deskBrowser struct {
	t    *testing.T
	http *http.Client
	desk string
}

// visitor lets an account join and opens its browser. client finds the server by name.
func (s *serving) visitor(t *testing.T, client *http.Client, id string, roles ...access.Role) *deskBrowser {
	t.Helper()
	return s.comesBack(t, client, s.joined(t, id, roles...).Token)
}

// comesBack opens the browser of a session that was begun before.
func (s *serving) comesBack(t *testing.T, client *http.Client, token string) *deskBrowser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(s.origin() + "/desk")
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(at, []*http.Cookie{{Name: "__Host-aidpass", Value: token, Path: "/", Secure: true}})
	return &deskBrowser{t, &http.Client{Transport: client.Transport, Jar: jar}, at.String()}
}

// try sends a request and returns what it came to, and where.
func (v *deskBrowser) try(method, path, mime string, body []byte) (status int, landed, page string) {
	v.t.Helper()
	q, err := http.NewRequestWithContext(v.t.Context(), method, v.desk+path, bytes.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if mime != "" {
		q.Header.Set("Content-Type", mime)
	}
	a, err := v.http.Do(q)
	if err != nil {
		v.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	page = string(b)
	if _, main, ok := strings.Cut(page, "<main"); ok {
		page = main
	}
	return a.StatusCode, strings.TrimPrefix(a.Request.URL.Path, "/desk"), page
}

func (v *deskBrowser) must(method, path, mime string, body []byte) (landed, page string) {
	v.t.Helper()
	status, landed, page := v.try(method, path, mime, body)
	if status != http.StatusOK {
		v.t.Fatalf("%s %s: %d at %s\n%.3000s", method, path, status, landed, page)
	}
	return landed, page
}

func (v *deskBrowser) get(path string) string {
	v.t.Helper()
	_, page := v.must(http.MethodGet, path, "", nil)
	return page
}

// submit sends the form of a page whose action it names as the page filled it, with values
// over that, and returns where it led to.
func (v *deskBrowser) submit(on, action string, with url.Values) (landed, page string) {
	v.t.Helper()
	return v.must(http.MethodPost, action, "application/x-www-form-urlencoded", []byte(v.filled(on, action, with).Encode()))
}

var (
	formFields  = regexp.MustCompile(`(?s)<input[^>]*>|<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>`)
	formName    = regexp.MustCompile(` name="([^"]*)"`)
	formValue   = regexp.MustCompile(` value="([^"]*)"`)
	formChosen  = regexp.MustCompile(`<option value="([^"]*)" selected`)
	formOptions = regexp.MustCompile(`<option value="([^"]*)"`)
)

// filled are the values that the form of a page has for an action, with others over them.
func (v *deskBrowser) filled(on, action string, with url.Values) url.Values {
	v.t.Helper()
	page := v.get(on)
	_, form, ok := strings.Cut(page, `action="/desk`+action+`"`)
	if !ok {
		v.t.Fatalf("%s has no form for %s:\n%s", on, action, page)
	}
	form, _, _ = strings.Cut(form, "</form>")
	values := url.Values{}
	first := func(r *regexp.Regexp, in string) (string, bool) {
		if m := r.FindStringSubmatch(in); m != nil {
			return html.UnescapeString(m[1]), true
		}
		return "", false
	}
	for _, m := range formFields.FindAllStringSubmatch(form, -1) {
		if m[1] != "" {
			chosen, ok := first(formChosen, m[2])
			if !ok {
				chosen, _ = first(formOptions, m[2])
			}
			values.Add(m[1], chosen)
			continue
		}
		name, named := first(formName, m[0])
		box := strings.Contains(m[0], `type="checkbox"`) || strings.Contains(m[0], `type="radio"`)
		if named && (!box || strings.Contains(m[0], " checked")) {
			value, _ := first(formValue, m[0])
			values.Add(name, value)
		}
	}
	for name, all := range with {
		values[name] = all
	}
	return values
}

// multipart is a form with a file.
func (v *deskBrowser) multipart(field, name string, content []byte, with url.Values) (mime string, body []byte) {
	v.t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, all := range with {
		for _, value := range all {
			if err := w.WriteField(name, value); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		v.t.Fatal(err)
	}
	return w.FormDataContentType(), out.Bytes()
}

// upload sends a file to a path.
func (v *deskBrowser) upload(path, field, name string, content []byte, with url.Values) (landed, page string) {
	v.t.Helper()
	mime, body := v.multipart(field, name, content, with)
	return v.must(http.MethodPost, path, mime, body)
}

// approves looks at the request that waits, by its path, as the approver's page shows it,
// and approves that; it returns what was told.
func (v *deskBrowser) approves(id string) (told string) {
	v.t.Helper()
	at := "/approvals/" + id
	told = v.get(at)
	v.submit(at, at+"/approve", nil)
	return told
}
