package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/rights"
)

// Consent are the pages of what people are told and asked, what each of them answered and
// took back, and the wordings that are read to them.
type Consent struct {
	Desk *rights.Desk
	Now  func() time.Time
}

// hows are the ways an answer is given, as rights.Given has them.
var hows = []choice{{"signature", "consent.how_signature"}, {"thumb", "consent.how_thumb"}, {"verbal+witness", "consent.how_verbal"}}

const (
	maxAsked    = 40 // recipients of one question, languages of one wording
	maxWording  = 8 << 10
	maxFunction = 100
)

// Routes implements Screen.
func (s *Consent) Routes() []Route {
	text := Lines("text", maxWording)
	text.Many = maxAsked
	answer := []Field{Text("wording", 48), Text("lang", 12), Many("answer", 64, maxAsked), Text("registered", 4),
		Text("how", 16), Text("by", 12), Text("witness", maxFunction), Text("interpreter", maxFunction), Text("read_aloud", 4), Text("expires", 10)}
	var routes []Route
	for _, of := range []struct {
		at   string
		form []Field
	}{{"/people/:person/consent", answer}, {"/households/:household/consent", append(slices.Clone(answer), Text("who", 32))}} {
		routes = append(routes,
			Route{Method: http.MethodGet, Path: of.at, Act: access.ConsentRead, Answer: consentData{}, Handler: s.show},
			Route{Method: http.MethodGet, Path: of.at + "/new", Act: access.ConsentGive, Query: []Field{Text("wording", 48), Text("lang", 12)}, Answer: askData{}, Handler: s.ask},
			Route{Method: http.MethodPost, Path: of.at, Act: access.ConsentGive, Form: of.form, Handler: s.give},
			Route{Method: http.MethodPost, Path: of.at + "/withdraw", Act: access.ConsentWithdraw, Form: []Field{Text("purpose", 40), Text("to", 40)}, Handler: s.withdraw})
	}
	return append(routes, []Route{
		{Method: http.MethodGet, Path: "/notices", Act: access.ConsentRead, Menu: "consent.menu", Answer: noticesData{}, Handler: s.notices},
		{Method: http.MethodGet, Path: "/notices/new", Act: access.NoticeMake, Query: []Field{Text("after", 48)}, Answer: noticeForm{}, Handler: s.blank},
		{Method: http.MethodPost, Path: "/notices", Act: access.NoticeMake, MaxBody: 512 << 10, Form: []Field{Text("name", 36), Text("sort", 12), Text("purpose", 40), Text("from", 10), Many("lang", 12, maxAsked), text}, Handler: s.keep},
		{Method: http.MethodGet, Path: "/notices/of/:notice", Act: access.ConsentRead, Answer: noticeData{}, Handler: s.notice},
	}...)
}

// Needs implements Screen.
func (s *Consent) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

// rightsFault gives errors of package rights the names that the console answers to.
func rightsFault(err error) error {
	var refusal *rights.Refusal
	switch {
	case errors.Is(err, registry.ErrNotFound), errors.Is(err, registry.ErrErased):
		return ErrNotFound
	case errors.Is(err, registry.ErrConflict):
		return ErrConflict
	case errors.Is(err, rights.ErrLetter):
		return BadForm("recalls.no_letter")
	case errors.As(err, &refusal):
		return denied("rights.refused", refusal)
	}
	return err
}

// absent is rightsFault for what a path names: what is not there is not found.
func absent(err error) error {
	var refusal *rights.Refusal
	if errors.As(err, &refusal) {
		return ErrNotFound
	}
	return rightsFault(err)
}

// Purpose says a purpose of the closed list; another one, which a list brought, as it is.
func (p *Page) Purpose(code any) template.HTML {
	text := fmt.Sprint(code)
	if w := codeWords["purpose"][text]; w != "" {
		return p.T(w)
	}
	if rights.Purpose(text).Shared() {
		return p.T("agreements.for_" + text)
	}
	return p.T("people.code", "code", strings.ReplaceAll(text, "_", " "))
}

// Tongue is a language by its own name, or its tag where the console has none.
func (p *Page) Tongue(tag string) string {
	if name := p.console.words[tag]["language"]; name != "" {
		return name
	}
	return tag
}

// An answerRow is one answer as a page tells it.
type answerRow struct {
	registry.Consent
	Yes     []string `json:"yes"` // what recipients are called
	No      []string `json:"no"`
	Speaker string   `json:"speaker,omitempty"` // who answered for a household, by name
}

// Plain reports whether the answer is to nobody in particular.
func (a answerRow) Plain() bool { return len(a.Yes)+len(a.No) == 0 }

// HowWord is the word for how it was given; empty where a list did not say.
func (a answerRow) HowWord() string {
	if a.How == "withdrawal" {
		return "consent.how_withdrawal"
	}
	for _, h := range hows {
		if h.Code == a.How {
			return h.Word
		}
	}
	return ""
}

type consentData struct {
	subject
	Answers []answerRow `json:"answers"`
	Recalls []recallRow `json:"recalls"`

	Asks    []rights.Notice `json:"-"` // that can be read to her
	Tongues []string        `json:"-"`
	Tongue  string          `json:"-"`
	To      []choice        `json:"-"` // from whom a yes can be taken back
	Said    bool            `json:"-"` // there is a yes to be taken back, or somebody got something
}

func (s *Consent) show(p *Page) error {
	who, err := p.subject(s.Desk, "consent")
	if err != nil {
		return err
	}
	d := consentData{subject: who, Answers: []answerRow{}, Recalls: []recallRow{}}
	parties, err := s.parties(p.Context())
	if err != nil {
		return err
	}
	names := func(ids []string) (out []string) {
		for _, id := range ids {
			if name, ok := parties[id]; ok {
				id = name
			}
			out = append(out, id)
		}
		return out
	}
	to := map[string]bool{}
	for _, c := range slices.Backward(who.consents) {
		d.Answers = append(d.Answers, answerRow{c, names(c.Recipients), names(c.Declined), who.speaker(c.Who)})
		for _, r := range c.Recipients {
			to[r] = true
		}
		d.Said = d.Said || (c.Given || len(c.Recipients) > 0) && c.Withdrawn == "" && (c.Purpose == rights.AnySharing || rights.Purpose(c.Purpose).Shared())
	}
	shares, err := s.Desk.SharesOf(p.Context(), who.id)
	if err != nil {
		return rightsFault(err)
	}
	for _, f := range shares {
		if f.Agreement != "" {
			to[f.To], d.Said = true, true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(to)) {
		if name, ok := parties[id]; ok {
			d.To = append(d.To, choice{id, name})
		}
	}
	recalls, err := s.Desk.Recalls(p.Context(), who.id)
	if err != nil {
		return rightsFault(err)
	}
	for _, r := range slices.Backward(recalls) {
		d.Recalls = append(d.Recalls, rowOfRecall(r, s.Now()))
	}
	if d.Asks, err = s.current(p.Context()); err != nil {
		return err
	}
	for _, n := range d.Asks {
		d.Tongues = append(d.Tongues, slices.Collect(maps.Keys(n.Text))...)
	}
	slices.Sort(d.Tongues)
	d.Tongues = slices.Compact(d.Tongues)
	d.Tongue = tongue(d.Tongues, who.languages, p.Lang)
	return p.Show("consent", who.titled("consent.title", "consent.title_household"), d, "name", d.Name)
}

// tongue is the language of a person's that there is, or else the reader's.
func tongue(have, hers []string, reader string) string {
	for _, lang := range append(slices.Clone(hers), reader) {
		if slices.Contains(have, lang) {
			return lang
		}
	}
	if len(have) > 0 {
		return have[0]
	}
	return ""
}

// parties are what recipients are called, by the id that answers name them by.
func (s *Consent) parties(ctx context.Context) (map[string]string, error) {
	all, err := s.Desk.Agreements(ctx)
	names := map[string]string{}
	for _, a := range all {
		names[a.With.ID] = a.With.Name
	}
	return names, rightsFault(err)
}

// current are the wordings in use: of each name the newest version whose day has come.
func (s *Consent) current(ctx context.Context) ([]rights.Notice, error) {
	all, err := s.Desk.Notices(ctx)
	if err != nil {
		return nil, rightsFault(err)
	}
	newest := map[string]rights.Notice{}
	for _, n := range all {
		name, version := versionOf(n.ID)
		_, was := versionOf(newest[name].ID)
		if n.From <= s.Now().UTC().Format(time.DateOnly) && version > was {
			newest[name] = n
		}
	}
	var list []rights.Notice
	for _, name := range slices.Sorted(maps.Keys(newest)) {
		list = append(list, newest[name])
	}
	return list, nil
}

// versionOf takes "sharing-2" apart.
func versionOf(id string) (name string, version int) {
	i := strings.LastIndexByte(id, '-')
	if i < 0 {
		return id, 0
	}
	version, _ = strconv.Atoi(id[i+1:])
	return id[:i], version
}

// askData is a question as it is read to somebody, with the form for what she answers.
type askData struct {
	subject
	Wording string         `json:"wording"`
	Purpose rights.Purpose `json:"purpose"`
	Lang    string         `json:"lang"`
	Text    string         `json:"text"`
	Asked   []rights.Party `json:"recipients"`        // an answer each
	Tells   bool           `json:"tells"`             // nobody is asked: it is information
	Missing string         `json:"missing,omitempty"` // the language it was to be read in, and is not there in

	Dir  string   `json:"-"`
	Hows []choice `json:"-"`
}

func (s *Consent) ask(p *Page) error {
	who, err := p.subject(s.Desk, "consent")
	if err != nil {
		return err
	}
	n, err := s.Desk.Notice(p.Context(), p.Query.Get("wording"))
	if err != nil {
		return rightsFault(err)
	}
	lang, missing := p.Query.Get("lang"), ""
	if lang == "" && len(who.languages) > 0 {
		lang = who.languages[0]
	}
	if n.Text[lang] == "" {
		missing = lang
		lang = tongue(slices.Sorted(maps.Keys(n.Text)), who.languages, p.Lang)
	}
	d := askData{subject: who, Wording: n.ID, Purpose: n.Purpose, Lang: lang, Text: n.Text[lang], Missing: missing, Asked: []rights.Party{},
		Tells: n.Sort == rights.Tells, Dir: dirOf(lang), Hows: hows}
	if n.Purpose.Shared() {
		if d.Asked, err = s.asked(p.Context(), n.Purpose); err != nil {
			return err
		}
	}
	return p.Show("consent_new", who.titled("consent.new_title", "consent.new_title_household"), d, "name", d.Name)
}

// dirOf is the direction of a language's script.
func dirOf(lang string) string {
	if slices.Contains([]string{"ar", "fa", "ps", "ur", "he", "dv", "ckb", "ug", "yi", "sd"}, lang) {
		return "rtl"
	}
	return "ltr"
}

// asked are the parties that a question of a purpose is about: of agreements in force.
func (s *Consent) asked(ctx context.Context, purpose rights.Purpose) (list []rights.Party, err error) {
	all, err := s.Desk.Agreements(ctx)
	if err != nil {
		return nil, rightsFault(err)
	}
	for _, a := range all {
		if a.Purpose == purpose && a.Live(s.Now()) == nil && !slices.ContainsFunc(list, func(x rights.Party) bool { return x.ID == a.With.ID }) {
			list = append(list, a.With)
		}
	}
	return list, nil
}

// give keeps what somebody answered. A no is an answer like any other: nothing else hangs
// on it.
func (s *Consent) give(p *Page) error {
	who, err := p.subject(s.Desk, "consent")
	if err != nil {
		return err
	}
	f := p.Form
	n, err := s.Desk.Notice(p.Context(), f.Get("wording"))
	if err != nil {
		return rightsFault(err)
	}
	g := rights.Given{Purpose: n.Purpose, To: map[string]bool{}, Wording: n.ID, Lang: f.Get("lang"), How: f.Get("how"), By: f.Get("by"), Witness: f.Get("witness"),
		Interpreter: f.Get("interpreter"), ReadAloud: f.Get("read_aloud") != "", Expires: f.Get("expires")}
	if who.Home {
		if g.Who, err = registry.ParseID(f.Get("who")); err != nil {
			return BadForm("rights.refused", "why", Said("agreements.denied_"+rights.DeniedWho))
		}
	}
	if n.Purpose == rights.Registration {
		if g.Yes = f.Get("registered") == "yes"; !g.Yes && f.Get("registered") != "no" {
			return BadForm("consent.which")
		}
	} else {
		asked, err := s.asked(p.Context(), n.Purpose)
		if err != nil {
			return err
		}
		for _, text := range f.All("answer") {
			if text == "" { // she was not asked about this one
				continue
			}
			to, said, _ := strings.Cut(text, " ")
			_, twice := g.To[to]
			if twice || said != "yes" && said != "no" || !slices.ContainsFunc(asked, func(x rights.Party) bool { return x.ID == to }) {
				return BadForm("consent.which")
			}
			g.To[to] = said == "yes"
		}
		if len(g.To) == 0 {
			return BadForm("consent.which")
		}
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Desk.Give(ctx, p.Actor(), who.id, g)
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	return p.Done(who.Path+"/consent", Note{Word: "consent.recorded"})
}

// withdraw takes yeses back, in one act: who is to be told is shown by the page after it.
func (s *Consent) withdraw(p *Page) error {
	who, err := p.subject(s.Desk, "consent")
	if err != nil {
		return err
	}
	var recalls []rights.Recall
	unsent := 0
	err = p.Do(func(ctx context.Context) (err error) {
		recalls, unsent, err = s.Desk.Withdraw(ctx, p.Actor(), who.id, rights.Purpose(p.Form.Get("purpose")), p.Form.Get("to"))
		return err
	})
	if err != nil {
		return rightsFault(err)
	}
	at := who.Path + "/consent"
	switch {
	case len(recalls) > 0:
		return p.Done(at, Note{Word: "consent.withdrawn", Fill: []any{"count", len(recalls)}})
	case unsent > 0: // what waited at the desk is not handed out any more
		return p.Done(at, Note{Word: "consent.withdrawn_unsent", Fill: []any{"count", unsent}})
	}
	return p.Done(at, Note{Word: "consent.withdrawn_none"})
}

// A noticeRow is a wording in the list.
type noticeRow struct {
	ID      string         `json:"id"`
	Sort    rights.Sort    `json:"sort"`
	Purpose rights.Purpose `json:"purpose"`
	From    string         `json:"from"`
	Langs   []string       `json:"languages"`
	By      string         `json:"by"`
	Current bool           `json:"current"` // it is the one that is read now
}

type noticesData struct {
	Rows []noticeRow `json:"rows"`
}

func (s *Consent) notices(p *Page) error {
	all, err := s.Desk.Notices(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	used, err := s.current(p.Context())
	if err != nil {
		return err
	}
	d := noticesData{Rows: []noticeRow{}}
	for _, n := range slices.Backward(all) {
		d.Rows = append(d.Rows, noticeRow{n.ID, n.Sort, n.Purpose, n.From, slices.Sorted(maps.Keys(n.Text)), n.By, slices.ContainsFunc(used, func(x rights.Notice) bool { return x.ID == n.ID })})
	}
	return p.Show("consent_notices", "consent.notices", d)
}

type noticeData struct {
	noticeRow
	Texts []wordingText `json:"texts"`
}

// A wordingText is a wording in one language.
type wordingText struct {
	Lang  string `json:"lang"`
	Text  string `json:"text"`
	Dir   string `json:"-"`
	Typed bool   `json:"-"` // whoever writes it names the language
}

func (s *Consent) notice(p *Page) error {
	n, err := s.Desk.Notice(p.Context(), p.Param("notice"))
	if err != nil {
		return absent(err)
	}
	d := noticeData{noticeRow: noticeRow{ID: n.ID, Sort: n.Sort, Purpose: n.Purpose, From: n.From, Langs: slices.Sorted(maps.Keys(n.Text)), By: n.By}}
	for _, lang := range d.Langs {
		d.Texts = append(d.Texts, wordingText{lang, n.Text[lang], dirOf(lang), false})
	}
	return p.Show("consent_notice", "consent.notice", d, "notice", n.ID)
}

// noticeForm is a new wording: of a new name, or the next version of one that is there.
type noticeForm struct {
	Name    string           `json:"name"`
	Sort    rights.Sort      `json:"sort"`
	Purpose rights.Purpose   `json:"purpose"`
	Choices []rights.Purpose `json:"purposes"`
	From    string           `json:"from"`
	Texts   []wordingText    `json:"texts"`

	Wrong template.HTML `json:"-"` // what is to be mended
}

// blankTexts is how many more languages than the console's own a form has room for.
const blankTexts = 3

func purposesOfWordings() []rights.Purpose {
	return append([]rights.Purpose{rights.Registration}, rights.SharedPurposes()...)
}

func (s *Consent) blank(p *Page) error {
	d := noticeForm{Sort: rights.Asks, Purpose: rights.Referral, Choices: purposesOfWordings(), From: s.Now().UTC().Format(time.DateOnly)}
	was := map[string]string{}
	if after := p.Query.Get("after"); after != "" {
		n, err := s.Desk.Notice(p.Context(), after)
		if err != nil {
			return absent(err)
		}
		d.Name, _ = versionOf(n.ID)
		d.Sort, d.Purpose, was = n.Sort, n.Purpose, maps.Clone(n.Text)
	}
	for _, l := range p.Languages() {
		d.Texts = append(d.Texts, wordingText{l.Code, was[l.Code], dirOf(l.Code), false})
		delete(was, l.Code)
	}
	for _, lang := range slices.Sorted(maps.Keys(was)) {
		d.Texts = append(d.Texts, wordingText{lang, was[lang], dirOf(lang), false})
	}
	for range blankTexts {
		d.Texts = append(d.Texts, wordingText{Dir: "auto", Typed: true})
	}
	return p.Show("consent_notice_new", "consent.notice_new", d)
}

// keep keeps a wording as the next version of its name.
func (s *Consent) keep(p *Page) error {
	f := p.Form
	langs, texts := f.All("lang"), f.All("text")
	if len(langs) != len(texts) {
		return errFields
	}
	n := rights.Notice{Sort: rights.Sort(f.Get("sort")), Purpose: rights.Purpose(f.Get("purpose")), From: f.Get("from"), Text: map[string]string{}}
	for i, lang := range langs {
		text := strings.TrimSpace(strings.ReplaceAll(texts[i], "\r\n", "\n"))
		if text == "" {
			continue
		}
		lang = strings.TrimSpace(lang)
		if n.Text[lang] != "" { // one of them would be lost
			return s.again(p, BadForm("rights.refused", "why", Said("consent.lang_twice")))
		}
		n.Text[lang] = text
	}
	all, err := s.Desk.Notices(p.Context())
	if err != nil {
		return rightsFault(err)
	}
	last := 0
	for _, old := range all {
		if name, version := versionOf(old.ID); name == f.Get("name") {
			last = max(last, version)
		}
	}
	n.ID = fmt.Sprintf("%s-%d", f.Get("name"), last+1)
	err = p.Do(func(ctx context.Context) error { return s.Desk.SaveNotice(ctx, p.Actor(), n) })
	if err != nil {
		return s.again(p, rightsFault(err))
	}
	return p.Done("/notices/of/"+n.ID, Note{Word: "consent.notice_kept", Fill: []any{"notice", n.ID}})
}

// again is the form of a wording as it was filled, with what is wrong with it. The language
// of a text that is none of the console's can be mended too.
func (s *Consent) again(p *Page, err error) error {
	return p.Mend(err, func(wrong template.HTML) error {
		f := p.Form
		d := noticeForm{Name: f.Get("name"), Sort: rights.Sort(f.Get("sort")), Purpose: rights.Purpose(f.Get("purpose")), Choices: purposesOfWordings(), From: f.Get("from"), Wrong: wrong}
		texts := f.All("text")
		for i, lang := range f.All("lang") {
			own := i < len(p.Languages()) && lang == p.Languages()[i].Code
			t := wordingText{lang, texts[i], dirOf(lang), !own}
			if !own {
				t.Dir = "auto"
			}
			d.Texts = append(d.Texts, t)
		}
		return p.show(http.StatusUnprocessableEntity, "consent_notice_new", p.T("consent.notice_new"), d)
	})
}
