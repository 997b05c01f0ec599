package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/schemas"
	"aidpass/trust"
)

// Trust are the pages of who is accepted: the list in use, a newer one that comes by
// file, and the withdrawal of a key of one's own.
type Trust struct {
	Desk TrustDesk
	Door *access.Door
	Now  func() time.Time // nil: time.Now

	mu     sync.Mutex
	offers map[[32]byte]offered // compared, not taken yet, by their bytes' SHA-256
}

// A TrustDesk keeps the trust list of an organisation.
type TrustDesk interface {
	Trust(ctx context.Context, org string) (TrustState, error)
	// Follows returns the list in raw where it may take the place of the one in use: signed
	// by those who are known here, or by whom chain put in their place, and newer. Else a
	// *Fault says why not.
	Follows(ctx context.Context, org string, raw []byte, chain [][]byte) (*trust.List, error)
	Take(ctx context.Context, org string, by access.Actor, raw []byte, chain [][]byte) error
}

// A TrustState is which list is in use.
type TrustState struct {
	List      *trust.List     // nil: none was seen here yet
	Own       string          // the organisation's id on it
	Withdrawn map[string]bool // own keys that the organisation withdrew itself, by id in hex
}

// A KeyWithdrawal is what two administrators agree to. It is the payload of its approval,
// in JSON with these fields in this order.
type KeyWithdrawal struct {
	Organisation string `json:"organisation"`
	KID          string `json:"kid"` // hex
	Use          string `json:"use"`
	List         string `json:"list"`
	Sequence     uint64 `json:"sequence"`
}

// Payload is the canonical form.
func (k KeyWithdrawal) Payload() []byte {
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // strings and a number
	}
	return b
}

// OwnKey finds a listed key of the organisation by its id, and what its withdrawal is.
// ErrNotFound for another's, one that is not there, and one that is withdrawn already.
func (t *TrustState) OwnKey(kid string) (KeyWithdrawal, error) {
	if t.List == nil || t.Withdrawn[kid] {
		return KeyWithdrawal{}, ErrNotFound
	}
	o := t.List.Organisation([]byte(t.Own))
	if o == nil {
		return KeyWithdrawal{}, ErrNotFound
	}
	for _, k := range o.Keys {
		if hex.EncodeToString(k.KID) == kid && k.State != trust.Compromised {
			return KeyWithdrawal{Organisation: o.ID, KID: kid, Use: k.Use.String(), List: t.List.ID, Sequence: t.List.Sequence}, nil
		}
	}
	return KeyWithdrawal{}, ErrNotFound
}

const (
	maxChain  = 8                // lists of changed custodians that come with a new one
	offerLife = 30 * time.Minute // between comparing and taking
	maxOffers = 16
)

// An offered is a list that somebody compares.
type offered struct {
	org   string
	raw   []byte
	chain [][]byte
	until time.Time
}

// Routes implements Screen.
func (s *Trust) Routes() []Route {
	chain := File("chain")
	chain.Many = maxChain
	return []Route{
		{Method: http.MethodGet, Path: "/trust", Act: access.TrustRead, Menu: "trust.menu", Answer: Members(trustData{}, "list", "issuers"), Handler: s.show},
		{Method: http.MethodPost, Path: "/trust/compare", Act: access.TrustImport, Files: true, MaxBody: (maxChain+1)*trust.MaxListBytes + 1<<16, Form: []Field{File("list"), chain}, Answer: Members(trustData{}, "list", "changes", "before", "sha256"), Handler: s.compare},
		{Method: http.MethodPost, Path: "/trust/take", Act: access.TrustImport, Form: []Field{Text("list", 64)}, Handler: s.take},
		{Method: http.MethodGet, Path: "/trust/keys/:key", Act: access.TrustWithdrawKey, Answer: Members(trustData{}, "key"), Handler: s.key},
		{Method: http.MethodPost, Path: "/trust/keys/:key/withdraw", Act: access.TrustWithdrawKey, Form: []Field{Text("reason", 100)}, Handler: s.withdraw},
	}
}

// Needs is a list that is overdue.
func (s *Trust) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.TrustImport) {
		return nil, nil
	}
	t, err := s.Desk.Trust(ctx, in.Account.Org)
	if err != nil || t.List == nil || !t.List.Expired(credential.FromStd(s.now())) {
		return nil, err
	}
	return []Need{{Word: "trust.need", Count: 1, Since: t.List.NextUpdate.Std(), Path: "/trust"}}, nil
}

func (s *Trust) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Tell implements Teller.
func (s *Trust) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	if a.Act != access.TrustWithdrawKey {
		return nil, nil
	}
	var k KeyWithdrawal
	if err := json.Unmarshal(a.Payload, &k); err != nil {
		return nil, err
	}
	return []template.HTML{p.T("trust.tell_key", "key", k.KID, "use", p.Word("trust.use_", k.Use)), p.T("trust.tell_means"), p.T("trust.tell_then")}, nil
}

type trustData struct {
	List    *listView      `json:"list"` // null: none was seen here
	Issuers []issuerView   `json:"issuers,omitempty"`
	Changes []changeView   `json:"changes,omitempty"`
	Before  uint64         `json:"before,omitempty"` // number of the list that is in use
	Hash    string         `json:"sha256,omitempty"` // of a list's bytes that was compared
	Key     *KeyWithdrawal `json:"key,omitempty"`
}

// A listView is a trust list as a whole.
type listView struct {
	ID         string    `json:"list"`
	Sequence   uint64    `json:"sequence"`
	Issued     time.Time `json:"issued"`
	NextUpdate time.Time `json:"next_update"`
	Expired    bool      `json:"expired"`
	K          int       `json:"signatures_needed"`
	N          int       `json:"custodians"`
	Words      string    `json:"hash_words"`   // of the list
	Anchors    string    `json:"anchor_words"` // of its custodians
	Faults     int       `json:"faults"`
}

// An issuerView is what an organisation may.
type issuerView struct {
	ID      string      `json:"organisation"`
	Name    string      `json:"name"`
	Country string      `json:"country"`
	Own     bool        `json:"own"`
	Mixed   bool        `json:"mixed_script"` // its name may imitate another
	Through string      `json:"recognised"`   // id of the other list; empty: of this one
	Grants  []grantView `json:"grants"`
	Keys    []keyView   `json:"keys"`
}

type grantView struct {
	Types      []string  `json:"types"`
	Programmes []string  `json:"programmes"` // none: every one
	Countries  []string  `json:"countries"`  // none: everywhere
	Until      time.Time `json:"until,omitzero"`
	Replaces   []string  `json:"replaces"`
}

type keyView struct {
	KID       string    `json:"kid"`
	Use       string    `json:"use"`
	State     string    `json:"state"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Withdrawn bool      `json:"withdrawn_here"`
}

// A changeView is a line of what a list changes. The texts are those that custodians sign by;
// pages say it by terms.
type changeView struct {
	Sign   string       `json:"sign"`
	What   string       `json:"what"`
	Before string       `json:"before"`
	After  string       `json:"after"`
	Kind   string       `json:"-"`
	Of     []trust.Term `json:"-"`
	Was    []trust.Term `json:"-"`
	Is     []trust.Term `json:"-"`
}

// Word is the key of what happened to the entry.
func (c changeView) Word() string {
	switch c.Sign {
	case "+":
		return "trust.added"
	case "-":
		return "trust.removed"
	}
	return "trust.changed"
}

// TrustTerm says what a list says of an entry.
func (p *Page) TrustTerm(t trust.Term) template.HTML {
	key := "trust.term_" + t.Code
	switch t.Code {
	case trust.TermUse:
		return p.Word("trust.use_", t.Text)
	case trust.TermState:
		return p.Word("trust.state_", t.Text)
	case trust.TermQuorum:
		return p.T("trust.k_of_n", "k", t.K, "n", t.N)
	case trust.TermTypes:
		return p.T(key, "list", p.values(typeNames(t.List)))
	case trust.TermSignsTo:
		return p.T(key, "from", t.From.Std(), "to", t.To.Std())
	case trust.TermRetired, trust.TermSince:
		return p.T(key, "at", p.Date(t.From.Std()))
	case trust.TermAcceptedTo, trust.TermUntil:
		return p.T(key, "at", p.Date(t.To.Std()))
	case trust.TermProgrammes, trust.TermCountries, trust.TermReplaces:
		return p.T(key, "list", p.values(t.List))
	}
	return p.T(key, "text", t.Text, "lang", t.Lang)
}

// values are a list in a sentence, each isolated.
func (p *Page) values(list []string) template.HTML {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.console.value(p.Lang, v))
	}
	return template.HTML(b.String())
}

// moment is a time of a list; the zero time where there is none.
func moment(t credential.Time) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return t.Std()
}

func (s *Trust) view(l *trust.List) *listView {
	digest := l.Digest()
	return &listView{ID: l.ID, Sequence: l.Sequence, Issued: l.Issued.Std(), NextUpdate: l.NextUpdate.Std(), Expired: l.Expired(credential.FromStd(s.now())),
		K: l.Anchors.K, N: len(l.Anchors.Keys), Words: trust.HashWords(digest[:]), Anchors: l.Anchors.Words(), Faults: len(l.Faults)}
}

func issuers(t *TrustState, lang string) (list []issuerView) {
	for _, o := range t.List.Organisations {
		v := issuerView{ID: o.ID, Name: inLanguage(o.Names, lang), Country: o.Country, Own: o.ID == t.Own && o.Recognised == nil, Mixed: o.MixedScript}
		if o.Recognised != nil {
			v.Through = o.Recognised.List
		}
		for _, g := range o.Grants {
			v.Grants = append(v.Grants, grantView{typeNames(g.Types), g.Programmes, g.Countries, moment(g.Until), g.Replaces})
		}
		for _, k := range o.Keys {
			id := hex.EncodeToString(k.KID)
			v.Keys = append(v.Keys, keyView{id, k.Use.String(), k.State.String(), moment(k.NotBefore), moment(k.NotAfter), v.Own && t.Withdrawn[id]})
		}
		list = append(list, v)
	}
	slices.SortStableFunc(list, func(a, b issuerView) int { // one's own first
		switch {
		case a.Own == b.Own:
			return 0
		case a.Own:
			return -1
		}
		return 1
	})
	return list
}

// typeNames are types as staff call them: embedded ones by name, others by their URI.
func typeNames(vcts []string) (names []string) {
	for _, vct := range vcts {
		name := vct
		for _, t := range schemas.Embedded() {
			if t.VCT == vct {
				name = t.Name
			}
		}
		names = append(names, name)
	}
	return names
}

// inLanguage is a name in a language, else in English, else any, the same each time.
func inLanguage(names map[string]string, lang string) string {
	for _, l := range []string{lang, "en"} {
		if n := names[l]; n != "" {
			return n
		}
	}
	var first string
	for l := range names {
		if first == "" || l < first {
			first = l
		}
	}
	return names[first]
}

func (s *Trust) show(p *Page) error {
	t, err := s.Desk.Trust(p.Context(), p.Org())
	if err != nil {
		return err
	}
	var d trustData
	if t.List != nil {
		d.List, d.Issuers = s.view(t.List), issuers(&t, p.Lang)
	}
	return p.Show("trust", "trust.title", d)
}

// Why a list is not taken. Nothing has changed then.
var (
	ErrNoList       = BadForm("trust.no_list")
	ErrUnsignedList = BadForm("trust.unsigned_list")
)

// OtherList is a list of another id than the one that the organisation goes by.
func OtherList(have, list string) *Fault {
	return BadForm("trust.other_list", "have", have, "list", list)
}

// OlderList is a list of a number that is not after the one in use.
func OlderList(have, list uint64) *Fault {
	return BadForm("trust.older_list", "have", int64(have), "list", int64(list))
}

// readFiles reads the files of a field, each of at most so many bytes; none where nothing
// was chosen.
func readFiles(p *Page, field string, most int64) (list [][]byte, err error) {
	form := p.c.Request().MultipartForm
	if form == nil {
		return nil, nil
	}
	for _, h := range form.File[field] {
		if h.Size == 0 {
			continue
		}
		f, err := h.Open()
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, most+1))
		f.Close()
		if err != nil {
			return nil, err
		}
		if int64(len(raw)) > most {
			return nil, errLarge
		}
		list = append(list, raw)
	}
	return list, nil
}

// readOne is readFiles of a field of one file; nil where nothing was chosen.
func readOne(p *Page, field string, most int64) ([]byte, error) {
	list, err := readFiles(p, field, most)
	if len(list) == 0 {
		return nil, err
	}
	return list[0], err
}

// compare shows what a list that comes by file changes, before anything changes.
func (s *Trust) compare(p *Page) error {
	files, err := readFiles(p, "list", trust.MaxListBytes)
	if err != nil {
		return err
	}
	if len(files) != 1 {
		return BadForm("trust.no_file")
	}
	chain, err := readFiles(p, "chain", trust.MaxListBytes)
	if err != nil {
		return err
	}
	t, err := s.Desk.Trust(p.Context(), p.Org())
	if err != nil {
		return err
	}
	next, err := s.Desk.Follows(p.Context(), p.Org(), files[0], chain)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(files[0])
	s.keep(hash, offered{p.Org(), files[0], chain, s.now().Add(offerLife)})
	d := trustData{List: s.view(next), Hash: hex.EncodeToString(hash[:])}
	if t.List != nil {
		d.Before = t.List.Sequence
	}
	for _, c := range trust.Changes(t.List, next) {
		d.Changes = append(d.Changes, changeView{c.Sign, c.What, c.Before, c.After, c.Kind, c.Of, c.Was, c.Is})
	}
	return p.Show("trust_compare", "trust.compare", d, "sequence", next.Sequence)
}

// keep remembers a list that is being compared; of too many the one that ends first goes.
func (s *Trust) keep(hash [32]byte, o offered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.offers == nil {
		s.offers = map[[32]byte]offered{}
	}
	var first [32]byte
	for k, x := range s.offers {
		if s.now().After(x.until) {
			delete(s.offers, k)
		} else if f, ok := s.offers[first]; !ok || x.until.Before(f.until) {
			first = k
		}
	}
	if len(s.offers) >= maxOffers {
		delete(s.offers, first)
	}
	s.offers[hash] = o
}

func (s *Trust) take(p *Page) error {
	hash, err := hex.DecodeString(p.Form.Get("list"))
	if err != nil || len(hash) != 32 {
		return errFields
	}
	s.mu.Lock()
	o, ok := s.offers[[32]byte(hash)]
	s.mu.Unlock()
	if !ok || o.org != p.Org() || s.now().After(o.until) {
		return BadForm("trust.no_offer")
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.Take(ctx, p.Org(), p.Actor(), o.raw, o.chain) }); err != nil {
		return err
	}
	return p.Done("/trust", Note{Word: "trust.taken"})
}

// find is the withdrawal of the key that the path names.
func (s *Trust) find(p *Page) (KeyWithdrawal, error) {
	t, err := s.Desk.Trust(p.Context(), p.Org())
	if err != nil {
		return KeyWithdrawal{}, err
	}
	return t.OwnKey(p.Param("key"))
}

func (s *Trust) key(p *Page) error {
	k, err := s.find(p)
	if err != nil {
		return err
	}
	return p.Show("trust_key", "trust.withdraw", trustData{Key: &k})
}

// withdraw asks a second administrator.
func (s *Trust) withdraw(p *Page) error {
	k, err := s.find(p)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("trust.why")
	}
	a, err := s.Door.Ask(p.Context(), p.In, access.Request{Act: access.TrustWithdrawKey, Object: k.KID, Payload: k.Payload(), Reason: p.Form.Get("reason")})
	if err != nil {
		return err
	}
	return p.Done("/approvals/"+a.ID, Note{Word: "trust.asked"})
}
