package console

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"aidpass/access"
	"aidpass/issuer"
)

// Organisation is the page of what all staff of an organisation go by: the line by which
// people complain, what things are called, and what a record must have.
type Organisation struct {
	Desk OrganisationDesk
	Door *access.Door
}

// An OrganisationDesk keeps settings. A setting that is not there is nil.
type OrganisationDesk interface {
	Setting(ctx context.Context, org, name string) ([]byte, error)
	// Set puts a value in the place of the one whose SHA-256 is before, else ErrConflict;
	// empty takes it away. What cannot be such a setting is a *Fault, and what loosens
	// (Loosens) issuer.ErrSecondPerson for one account alone.
	Set(ctx context.Context, org string, by access.Actor, name string, before [32]byte, value []byte) error
}

// The settings, by name.
const (
	SettingComplaint = "complaint" // a line that is printed on cards
	SettingLabels    = "labels"    // JSON: what programmes and things are called, by code and language
	SettingOffers    = "offers"    // JSON number: how many offers to wallets an account makes alone on a day
	SettingPairs     = "pairs"     // JSON number: how much two accounts approve for each other on a day
	SettingRechecks  = "rechecks"  // JSON number: how many are drawn by lot each day to be seen again
	SettingPlaces    = "places"    // CSV: the country's place codes (COD-AB), with their names
	SettingRequired  = "required"  // JSON: what must be known of a record before a card is made
)

// settingFiles are those that come as files, with the key of what each is called.
var settingFiles = []named{{SettingLabels, "organisation.labels"}, {SettingRequired, "organisation.required"}, {SettingPlaces, "organisation.places"}}

const (
	maxComplaint   = 80
	maxSettingFile = 1 << 20 // bytes
)

// Routes implements Screen.
func (s *Organisation) Routes() []Route {
	name, before := Text("name", 20), Text("before", 64)
	return []Route{
		{Method: http.MethodGet, Path: "/organisation", Act: access.SettingsRead, Menu: "organisation.menu", Answer: organisationData{}, Handler: s.show},
		{Method: http.MethodGet, Path: "/organisation/file", Act: access.SettingsRead, Query: []Field{name}, Answer: Sends("application/json", "text/csv; charset=utf-8"), Handler: s.file},
		{Method: http.MethodPost, Path: "/organisation/complaint", Act: access.SettingsChange, Form: []Field{Text("complaint", maxComplaint), before}, Handler: s.complaint},
		{Method: http.MethodPost, Path: "/organisation/pairs", Act: access.SettingsChange, Form: []Field{Text(SettingPairs, 3), before}, Handler: s.number(SettingPairs)},
		{Method: http.MethodPost, Path: "/organisation/offers", Act: access.SettingsChange, Form: []Field{Text(SettingOffers, 3), before}, Handler: s.number(SettingOffers)},
		{Method: http.MethodPost, Path: "/organisation/rechecks", Act: access.SettingsChange, Form: []Field{Text(SettingRechecks, 3), before}, Handler: s.number(SettingRechecks)},
		{Method: http.MethodPost, Path: "/organisation/file", Act: access.SettingsChange, Files: true, MaxBody: maxSettingFile + 1<<16, Form: []Field{name, before, File("file")}, Handler: s.take},
	}
}

// Needs implements Screen: no setting waits for anybody.
func (s *Organisation) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type organisationData struct {
	Complaint string            `json:"complaint"`
	Before    string            `json:"complaint_sha256"`
	Pairs     int               `json:"approvals_of_a_pair"` // a day
	PairsHash string            `json:"approvals_of_a_pair_sha256"`
	Files     []settingFileView `json:"files"`

	Rechecks     int    `json:"rechecks"` // a day
	RechecksHash string `json:"rechecks_sha256"`

	Offers     int    `json:"offers"` // of one account alone, a day
	OffersHash string `json:"offers_sha256"`

	Numbers []settingNumber `json:"-"`

	// Strict are the rules of what a record must have by which somebody gets no card at all:
	// quality.Policy.Strict.
	Strict []string `json:"strict"`
}

// A settingNumber is one of those on the page.
type settingNumber struct {
	*limit
	Now  int
	Hash string
}

type settingFileView struct {
	Name  string `json:"name"`
	Word  string `json:"-"`
	Bytes int    `json:"bytes"` // 0: there is none
	Hash  string `json:"sha256"`
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (s *Organisation) show(p *Page) error {
	line, err := s.Desk.Setting(p.Context(), p.Org(), SettingComplaint)
	if err != nil {
		return err
	}
	d := organisationData{Complaint: string(line), Before: hashOf(line)}
	for _, l := range limits {
		b, err := s.Desk.Setting(p.Context(), p.Org(), l.Name)
		if err != nil {
			return err
		}
		n, err := l.read(b)
		if err != nil {
			return err
		}
		d.Numbers = append(d.Numbers, settingNumber{l, n, hashOf(b)})
		switch l.Name {
		case SettingPairs:
			d.Pairs, d.PairsHash = n, hashOf(b)
		case SettingOffers:
			d.Offers, d.OffersHash = n, hashOf(b)
		case SettingRechecks:
			d.Rechecks, d.RechecksHash = n, hashOf(b)
		}
	}
	for _, f := range settingFiles {
		b, err := s.Desk.Setting(p.Context(), p.Org(), f.Code)
		if err != nil {
			return err
		}
		d.Files = append(d.Files, settingFileView{f.Code, f.Word, len(b), hashOf(b)})
		if f.Code != SettingRequired {
			continue
		}
		if policy, err := readRequired(b); err == nil { // else the page on which it is mended
			d.Strict = policy.Strict()
		}
	}
	return p.Show("organisation", "organisation.title", d)
}

// file is a setting as it stands, to be mended and put back.
func (s *Organisation) file(p *Page) error {
	name := p.Query.Get("name")
	if !has(settingFiles, name) {
		return errFields
	}
	b, err := s.Desk.Setting(p.Context(), p.Org(), name)
	if err != nil {
		return err
	}
	if b == nil {
		return ErrNotFound
	}
	if name == SettingPlaces {
		return p.Download("pcodes.csv", "text/csv; charset=utf-8", b)
	}
	return p.Download(name+".json", "application/json", b)
}

func (s *Organisation) set(p *Page, name string, value []byte) error {
	before, err := hex.DecodeString(p.Form.Get("before"))
	if err != nil || len(before) != sha256.Size {
		return errFields
	}
	err = p.Do(func(ctx context.Context) error {
		return s.Desk.Set(ctx, p.Org(), p.Actor(), name, [32]byte(before), value)
	})
	if errors.Is(err, issuer.ErrSecondPerson) {
		return s.ask(p, name, [32]byte(before), value)
	}
	if err != nil {
		return err
	}
	return p.Done("/organisation", Note{Word: "organisation.changed"})
}

func (s *Organisation) complaint(p *Page) error {
	return s.set(p, SettingComplaint, []byte(p.Form.Get("complaint")))
}

func (s *Organisation) take(p *Page) error {
	name := p.Form.Get("name")
	if !has(settingFiles, name) {
		return errFields
	}
	b, err := readOne(p, "file", maxSettingFile)
	if err != nil {
		return err
	}
	if b == nil {
		return BadForm("organisation.no_file")
	}
	return s.set(p, name, b)
}
