package console

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/web/api"
)

// A Page is one request and what is answered to it. Templates have it as their dot,
// with what the handler gave to Show in Data.
type Page struct {
	Route Route
	In    *access.Session // who asks; nil: nobody signed in
	Lang  string
	Query Form
	Form  Form
	Draft *Draft // that came with the form
	Title template.HTML
	Note  *Note // of the act before
	Data  any
	Every int    // seconds after which a browser asks again; 0: never
	Live  bool   // not where its script is told of news
	Name  string // of the file in pages

	console *Console
	c       *echo.Context
	token   string // of the session
	program bool   // a program asks, and is answered in JSON
	acted   bool   // the answer says what was done, and shows no record
}

// Context ends with the request.
func (p *Page) Context() context.Context { return p.c.Request().Context() }

// Org is the organisation of the session: whose data may be touched.
func (p *Page) Org() string { return p.In.Account.Org }

// Actor is who does what this page does, for the audit.
func (p *Page) Actor() access.Actor { return p.In.Actor(p.Route.Act) }

// Param is a :name of the route's path: what somebody typed.
func (p *Page) Param(name string) string { return p.c.Param(name) }

// From is the address that the request counts under, where tries are counted.
func (p *Page) From() netip.Addr { return api.Sender(p.c.Request().RemoteAddr) }

// Path is the request's, without its query.
func (p *Page) Path() string { return p.c.Request().URL.EscapedPath() }

// Do runs a store of the act: what the request began ends also when the browser goes away.
func (p *Page) Do(work func(context.Context) error) error {
	return p.console.house.Write(p.Context(), work)
}

// May reports whether who asks may do an act; templates leave out what she may not.
func (p *Page) May(act string) bool { return p.In != nil && p.In.May(access.Act(act)) }

// Link is the address of a path of the console, for a link that leaves this server.
// What the request called the server has no part in it.
func (p *Page) Link(path string) string { return p.console.Base + Root + path }

// Scope is what a partner, or its program, may see of the agreement that it names; nil for
// staff of the organisation, who are not bounded by one.
func (p *Page) Scope() *access.Scope {
	switch {
	case p.In == nil || p.In.Actor(p.Route.Act).Role != access.Partner:
		return nil
	case p.In.Account.Scope == nil:
		return &access.Scope{} // a partner of no agreement sees nothing
	}
	return p.In.Account.Scope
}

// Head is the title as a browser's tab has it: text, which knows no <bdi>.
func (p *Page) Head() string {
	isolated := strings.NewReplacer("<bdi>", "\u2068", "</bdi>", "\u2069").Replace(string(p.Title))
	return html.UnescapeString(textOf(template.HTML(isolated)))
}

// OrgName is what staff call the organisation of the session.
func (p *Page) OrgName() string { return p.console.OrgName(p.Org()) }

// Plain is T for attributes of elements, which have no markup in them.
func (p *Page) Plain(key string) string { return p.console.words[p.Lang][key] }

// Dir is the direction of the page's language.
func (p *Page) Dir() string {
	if p.Lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

// A MenuItem is a place that who asks may go to.
type MenuItem struct {
	Path string
	Word string
	Here bool
}

// A MenuGroup are places that belong together, under a word.
type MenuGroup struct {
	Word  string
	Items []MenuItem
}

// menuGroups are the words over the menu's places, each with its places in the order in
// which work goes through them.
var menuGroups = []struct {
	word  string
	paths []string
}{
	{"frame.menu_mine", []string{"/", "/approvals", "/jobs", "/settings"}},
	{"frame.menu_people", []string{"/people", "/imports", "/quality", "/exercises", "/rechecks", "/requests", "/notices", "/recalls", "/retention"}},
	{"frame.menu_cards", []string{"/programmes", "/batches", "/prints", "/handouts", "/cards", "/offers"}},
	{"frame.menu_field", []string{"/devices", "/trust"}},
	{"frame.menu_others", []string{"/agreements", "/exports"}},
	{"frame.menu_watch", []string{"/reports", "/audit", "/audit/work", "/audit/proof", "/accounts", "/organisation"}},
}

// Menu is made of the table by the roles of who asks. What stands in no group comes last.
func (p *Page) Menu() (list []MenuGroup) {
	if p.In == nil {
		return nil
	}
	var here string
	words := map[string]string{}
	var rest []string
	for i := range p.console.routes {
		r := &p.console.routes[i]
		if r.Menu == "" || !r.may(p.In) {
			continue
		}
		if len(r.Path) > len(here) && (r.Path == p.Route.Path || r.Path != "/" && strings.HasPrefix(p.Route.Path, r.Path+"/")) {
			here = r.Path
		}
		words[r.Path] = r.Menu
		rest = append(rest, r.Path)
	}
	add := func(word string, paths []string) {
		var g MenuGroup
		for _, path := range paths {
			if w, ok := words[path]; ok {
				g.Items = append(g.Items, MenuItem{Path: Root + path, Word: w, Here: path == here})
				delete(words, path)
			}
		}
		if g.Word = word; len(g.Items) > 0 {
			list = append(list, g)
		}
	}
	for _, g := range menuGroups {
		add(g.word, g.paths)
	}
	add("frame.menu_more", rest)
	return list
}

// A Language is one that the page can be read in.
type Language struct{ Code, Name string }

// Languages are those of the console, each by its own name.
func (p *Page) Languages() (list []Language) {
	for _, l := range api.Languages {
		list = append(list, Language{l, p.LanguageName(l)})
	}
	return list
}

// LanguageName is a language by its own name; one that the console does not speak has its
// code.
func (p *Page) LanguageName(code string) string {
	return cmp.Or(p.console.words[code]["language"], code)
}

// Here is where this page can be asked for again: where the language switch comes
// back to, and a sign-in. Of a form it is the page that the form is on.
func (p *Page) Here() string {
	if p.Route.Method == http.MethodPost {
		for dir := p.Route.Path; dir != "/"; dir = path.Dir(dir) {
			if slices.ContainsFunc(p.console.routes, func(r Route) bool { return r.Method == http.MethodGet && r.Path == dir }) {
				depth := strings.Count(dir, "/")
				return strings.Join(strings.Split(p.Path(), "/")[:depth+2], "/")
			}
		}
		return Root + "/"
	}
	if q := p.c.Request().URL.RawQuery; q != "" {
		return p.Path() + "?" + q
	}
	return p.Path()
}

//go:embed pages/*.html parts/*.html
var templates embed.FS

// readPages parses each page with the parts that all have, once: nothing in it is of one console.
var readPages = sync.OnceValues(func() (map[string]*template.Template, error) {
	parts, err := template.ParseFS(templates, "parts/*.html")
	if err != nil {
		return nil, err
	}
	files, err := templates.ReadDir("pages")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, f := range files {
		clone, err := parts.Clone()
		if err != nil {
			return nil, err
		}
		if pages[strings.TrimSuffix(f.Name(), ".html")], err = clone.ParseFS(templates, "pages/"+f.Name()); err != nil {
			return nil, err
		}
	}
	return pages, nil
})

// Show answers with pages/NAME.html, whose heading is the words of a key, filled as
// in T.
func (p *Page) Show(name, title string, data any, fill ...any) error {
	return p.show(http.StatusOK, name, p.T(title, fill...), data)
}

func (p *Page) show(status int, name string, title template.HTML, data any) error {
	if status == http.StatusOK {
		p.gives(dataForPrograms(data))
	}
	if p.program {
		return p.tell(status, data)
	}
	return p.showPage(status, name, title, data)
}

// showPage answers a person.
func (p *Page) showPage(status int, name string, title template.HTML, data any) error {
	page := p.console.pages[name]
	if page == nil {
		return fmt.Errorf("console: there is no page %q", name)
	}
	p.Name, p.Title, p.Data = name, title, data
	if p.In != nil && p.Route.Method == http.MethodGet {
		p.Note = p.console.notes.take(p.token)
	}
	var b bytes.Buffer
	if err := page.ExecuteTemplate(&b, "layout", p); err != nil {
		return err
	}
	return p.c.HTMLBlob(status, b.Bytes())
}

// Go sends the browser to a path below Root.
func (p *Page) Go(path string) error {
	p.acted = true
	p.gives(doneAnswer{})
	if p.program {
		return p.tell(http.StatusOK, doneAnswer{See: Root + path})
	}
	return p.c.Redirect(http.StatusSeeOther, Root+path)
}

// Done ends an act: the browser goes to a path below Root, which says there what was
// done.
func (p *Page) Done(path string, n Note) error {
	n.Says = p.T(n.Word, n.Fill...)
	p.acted = true
	if p.program {
		p.gives(doneAnswer{})
		return p.tell(http.StatusOK, doneAnswer{Done: n.Says, See: Root + path, Undo: n.Undo})
	}
	p.console.notes.leave(p.token, &n)
	return p.Go(path)
}

// Download answers with a file that no page shows. The name is ours.
func (p *Page) Download(name, mime string, body []byte) error {
	p.gives(sends{mime})
	h := p.c.Response().Header()
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	return p.c.Blob(http.StatusOK, mime, body)
}

// key is under what a session's things are kept: never the token itself.
func key(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// send sends the browser to a page that asks for something first, and comes back here.
func (s *Console) send(p *Page, path string) error {
	return p.c.Redirect(http.StatusSeeOther, Root+path+"?"+url.Values{"next": {p.Here()}}.Encode())
}
