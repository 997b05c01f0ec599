package rights

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// MaxAgreementBytes is the longest file of an agreement.
const MaxAgreementBytes = 64 << 10

// A Basis says on what sharing rests. It is labelled truthfully: an information notice
// is not a consent (DOMAIN 8.2, R7).
type Basis string

// The bases.
const (
	ByConsent Basis = "consent" // of each person: who was not asked is left out
	ByNotice  Basis = "notice"  // of the mandate: people were told, and who objected is left out
)

// A PartyKind is what sort of organisation a recipient is.
type PartyKind string

// The kinds of a party. Consents that lists bring name these instead of organisations.
const (
	Humanitarian PartyKind = "humanitarian"
	Government   PartyKind = "government"
	Private      PartyKind = "private"
)

// A Party is who gets something.
type Party struct {
	ID      string    `yaml:"id" json:"id"`                               // short: what consents name, "relief-b"
	Name    string    `yaml:"name" json:"name"`                           // as it calls itself
	Kind    PartyKind `yaml:"kind" json:"kind"`                           //
	Country string    `yaml:"country,omitempty" json:"country,omitempty"` // ISO 3166-1 alpha-3; of a government always
	Issuer  string    `yaml:"issuer,omitempty" json:"issuer,omitempty"`   // its id on the trust list; needed to prove its answers
	Contact string    `yaml:"contact" json:"contact"`                     // a function, "data protection officer, +254 ..."
}

// An Agreement says what may be told to one party for one purpose.
type Agreement struct {
	ID      string   `yaml:"id" json:"id"`
	With    Party    `yaml:"with" json:"with"`
	Purpose Purpose  `yaml:"purpose" json:"purpose"`
	Basis   Basis    `yaml:"basis" json:"basis"`
	Fields  []string `yaml:"fields" json:"fields"`                   // as package export names them, and PhotoField
	Areas   []string `yaml:"areas,omitempty" json:"areas,omitempty"` // p-codes, each with what Levels put beneath it; empty: everywhere
	// Levels are codes of places, one of each level as a sample, by which it is known what is
	// beneath an area (InAreas). Without them an area is that one place.
	Levels []string `yaml:"levels,omitempty" json:"levels,omitempty"`
	// Numbers: people go by the numbers of their lists. Else each file has its own, by
	// which two files cannot be joined and a leaked row is traced.
	Numbers bool `yaml:"numbers,omitempty" json:"numbers,omitempty"`
	// ExcludeOrigin are countries whose people are in no file of this agreement (ISO 3166-1
	// alpha-3). Where nobody is excluded NoExclusion says why. A government never gets
	// those who came from its country.
	ExcludeOrigin []string `yaml:"exclude_origin" json:"exclude_origin"`
	NoExclusion   string   `yaml:"no_exclusion,omitempty" json:"no_exclusion,omitempty"`
	From          string   `yaml:"from" json:"from"`                     // first day
	Until         string   `yaml:"until" json:"until"`                   // last day
	RetentionDays int      `yaml:"retention_days" json:"retention_days"` // the recipient deletes that long after it got something

	// Not in the file.
	Made   time.Time `yaml:"-" json:"made"`
	By     string    `yaml:"-" json:"by"`
	Second string    `yaml:"-" json:"second"`
	Ended  time.Time `yaml:"-" json:"ended,omitzero"` // before Until
	Why    string    `yaml:"-" json:"why,omitempty"`  // it was ended
}

// Bounds of an agreement.
const (
	maxYears  = 3
	maxItems  = 200
	maxWords  = 200 // bytes of a text
	maxName   = 100 // bytes of a party's name: it stands in audit entries
	maxRetain = 3660
)

var (
	shortID   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,39}$`)
	country   = regexp.MustCompile(`^[A-Z]{3}$`)
	placeCode = regexp.MustCompile(`^[A-Z]{2}[A-Z0-9]{0,18}$`)
	fieldName = regexp.MustCompile(`^[a-z0-9_.]{1,60}$`)
)

// ParseAgreement reads the file of an agreement, in YAML or JSON: exactly the fields of
// Agreement. What is wrong is a *Refusal that names the field.
func ParseAgreement(b []byte) (a Agreement, err error) {
	if len(b) > MaxAgreementBytes {
		return a, deny(DeniedFileLarge, "an agreement of over %d bytes", MaxAgreementBytes)
	}
	in := yaml.NewDecoder(bytes.NewReader(b))
	in.KnownFields(true)
	if err := in.Decode(&a); err != nil {
		return Agreement{}, deny(DeniedFileSyntax, "the agreement cannot be read: %v", err)
	}
	if err := in.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Agreement{}, deny(DeniedFileOne, "the file of an agreement holds one, and nothing behind it")
	}
	return a, a.Check()
}

// File is the agreement as ParseAgreement reads it.
func (a *Agreement) File() ([]byte, error) { return yaml.Marshal(a) }

// Check refuses an agreement that is not whole.
func (a *Agreement) Check() error {
	from, errFrom := time.Parse(time.DateOnly, a.From)
	until, errUntil := time.Parse(time.DateOnly, a.Until)
	if len(a.With.Name) > maxName {
		return deny(DeniedNameLong, "with.name: at most %d bytes", maxName)
	}
	for _, t := range []struct{ what, text string }{{"with.name", a.With.Name}, {"with.contact", a.With.Contact}} {
		if !plain(t.text) {
			return deny(DeniedText, "%s: a text of 1 to %d bytes", t.what, maxWords)
		}
	}
	switch {
	case !shortID.MatchString(a.ID):
		return deny(DeniedID, "id: 2 to 40 of a-z, 0-9 and -")
	case !shortID.MatchString(a.With.ID):
		return deny(DeniedID, "with.id: 2 to 40 of a-z, 0-9 and -")
	case a.With.Kind != Humanitarian && a.With.Kind != Government && a.With.Kind != Private:
		return deny(DeniedKind, "with.kind: %s, %s or %s", Humanitarian, Government, Private)
	case a.With.Country != "" && !country.MatchString(a.With.Country), a.With.Kind == Government && a.With.Country == "":
		return deny(DeniedCountry, "with.country: three capitals of ISO 3166-1, and a government has one")
	case a.With.Issuer != "" && !plain(a.With.Issuer):
		return deny(DeniedIssuer, "with.issuer: its id on the trust list")
	case !a.Purpose.Shared():
		return deny(DeniedPurpose, "purpose: one of %s", list(shared))
	case a.Basis != ByConsent && a.Basis != ByNotice:
		return deny(DeniedBasis, "basis: %s or %s", ByConsent, ByNotice)
	case a.With.Kind != Humanitarian && a.Purpose == Health:
		return deny(DeniedHealth, "purpose: health is shared with humanitarian organisations alone")
	case errFrom != nil || errUntil != nil || until.Before(from):
		return deny(DeniedDays, "from, until: days as 2026-11-01, the first not behind the last")
	case until.After(from.AddDate(maxYears, 0, 0)):
		return deny(DeniedYears, "until: an agreement ends within %d years; make another one then", maxYears)
	case a.RetentionDays < 1 || a.RetentionDays > maxRetain:
		return deny(DeniedRetention, "retention_days: 1 to %d", maxRetain)
	case len(a.Fields) == 0 || len(a.Fields) > maxItems || !all(a.Fields, fieldName):
		return deny(DeniedFields, "fields: 1 to %d names of fields, each once", maxItems)
	case len(a.Areas) > maxItems || !all(a.Areas, placeCode):
		return deny(DeniedAreas, "areas: codes of places, each once")
	case len(a.Levels) > maxItems || !all(a.Levels, placeCode) || slices.ContainsFunc(a.Levels, func(l string) bool { return countryOf(l) == l }):
		return deny(DeniedLevels, "levels: a code of each level, as KE07 and KE0701, each once")
	case len(a.ExcludeOrigin) > maxItems || !all(a.ExcludeOrigin, country):
		return deny(DeniedOrigin, "exclude_origin: three capitals each, once")
	case len(a.ExcludeOrigin) == 0 && !plain(a.NoExclusion):
		return deny(DeniedOriginWhy, "exclude_origin: name the countries of origin whose people are never shared, or say in no_exclusion why there are none")
	case len(a.ExcludeOrigin) > 0 && a.NoExclusion != "":
		return deny(DeniedOriginBoth, "no_exclusion: it stands only where exclude_origin is empty")
	case a.Basis == ByNotice && slices.ContainsFunc(a.Fields, telling) && a.With.Kind != Humanitarian:
		return deny(DeniedConsentOnly, "basis: documents, phones, origin and what a list added go to a government or company by consent alone")
	}
	if x, y := Unpadded(a.Areas, a.Levels, nil); x != "" {
		return deny(DeniedUnpadded, "levels: %s and %s differ by one sign, so no length tells a level: leave levels empty and name every place", x, y)
	}
	return nil
}

// telling reports whether a field can hurt somebody by itself.
func telling(field string) bool {
	return field == PhotoField || field == "origin" || field == "phone" || field == "phone_2" || field == "address" || field == "email" ||
		strings.HasPrefix(field, "document.") || strings.HasPrefix(field, "ext.")
}

// all reports whether each item has the form, and stands once.
func all(items []string, form *regexp.Regexp) bool {
	for i, s := range items {
		if !form.MatchString(s) || slices.Contains(items[:i], s) {
			return false
		}
	}
	return true
}

// plain reports whether s is a text that is printed in one line.
func plain(s string) bool {
	return strings.TrimSpace(s) == s && s != "" && len(s) <= maxWords && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Live says whether something may be shared under the agreement at a time: nil, or a
// *Refusal that says since when not.
func (a *Agreement) Live(at time.Time) error {
	day := at.UTC().Format(time.DateOnly)
	switch {
	case !a.Ended.IsZero():
		return deny(DeniedEnded, "agreement %s was ended on %s: nothing is shared under it", a.ID, a.Ended.UTC().Format(time.DateOnly))
	case day > a.Until:
		return deny(DeniedOver, "agreement %s ended with %s: nothing is shared under it", a.ID, a.Until)
	case day < a.From:
		return deny(DeniedEarly, "agreement %s begins on %s: nothing is shared under it before", a.ID, a.From)
	}
	return nil
}

// Allows refuses fields that the agreement does not name.
func (a *Agreement) Allows(fields []string) error {
	for _, f := range fields {
		if !slices.Contains(a.Fields, f) {
			return deny(DeniedField, "agreement %s does not name field %q; it names %s", a.ID, f, strings.Join(a.Fields, ", "))
		}
	}
	return nil
}

// Excludes reports whether people from a country are in no file of the agreement.
func (a *Agreement) Excludes(origin string) bool {
	return origin != "" && (slices.Contains(a.ExcludeOrigin, origin) || a.With.Kind == Government && origin == a.With.Country)
}

// same reports whether two agreements say the same.
func (a Agreement) same(b Agreement) bool {
	x, errX := a.File()
	y, errY := b.File()
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// MakeAgreement puts an agreement in force that two accounts stand behind: by acts, and
// by.SecondPerson approved. The same again changes nothing; another one of the id is
// refused, as an agreement does not change: end it and make another.
//
// Errors: *Refusal, registry.ErrSecondPerson, those of the store.
func (d *Desk) MakeAgreement(ctx context.Context, by access.Actor, a Agreement) error {
	if err := d.makeable(&a); err != nil {
		return err
	}
	if by.SecondPerson == "" {
		return fmt.Errorf("rights: agreement %s: %w", a.ID, registry.ErrSecondPerson)
	}
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		was, err := readPaper[Agreement](tx, kindAgreement, a.ID)
		if err == nil && was.same(a) && was.Ended.IsZero() {
			return nil
		}
		if err := untaken(a.ID, err); err != nil {
			return err
		}
		a.Made, a.By, a.Second, a.Ended, a.Why = d.now(), by.ID, by.SecondPerson, time.Time{}, ""
		if err := savePaper(tx, Paper{Kind: kindAgreement, ID: a.ID, At: a.Made}, a); err != nil {
			return err
		}
		text, err := a.File()
		if err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "agreement.make", Object: a.ID, Digest: access.HashPayload(text),
			Detail: fmt.Sprintf("with=%s purpose=%s until=%s fields=%d", a.With.ID, a.Purpose, a.Until, len(a.Fields))})
	})
}

func (d *Desk) makeable(a *Agreement) error {
	err := a.Check()
	if err == nil && a.Until < d.today() {
		err = deny(DeniedPast, "until: %s is over", a.Until)
	}
	return err
}

// untaken refuses the id of an agreement that is there, by what looking for it returned.
func untaken(id string, err error) error {
	switch {
	case err == nil:
		return deny(DeniedTaken, "id: there is an agreement %s: end it, and make the new one under another id", id)
	case errors.Is(err, ErrNoPaper):
		return nil
	}
	return err
}

// Draft refuses an agreement that MakeAgreement would refuse as things are, before a
// second account is asked for it.
func (d *Desk) Draft(ctx context.Context, a Agreement) error {
	if err := d.makeable(&a); err != nil {
		return err
	}
	return d.Store.ReadRights(ctx, func(v View) error {
		_, err := v.Paper(kindAgreement, a.ID)
		return untaken(a.ID, err)
	})
}

// EndAgreement ends one at once. Ending it twice is no error.
func (d *Desk) EndAgreement(ctx context.Context, by access.Actor, id, why string) error {
	if !plain(why) {
		return deny(DeniedWhy, "why: a text of 1 to %d bytes, without names", maxWords)
	}
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		a, err := readPaper[Agreement](tx, kindAgreement, id)
		if err != nil || !a.Ended.IsZero() {
			return agreementError(err)
		}
		a.Ended, a.Why = d.now(), why
		if err := savePaper(tx, Paper{Kind: kindAgreement, ID: a.ID, At: a.Made}, a); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "agreement.end", Object: id, Reason: why})
	})
}

func agreementError(err error) error {
	if errors.Is(err, ErrNoPaper) {
		return deny(DeniedAbsent, "there is no such agreement")
	}
	return err
}

// AgreementIn is one, live or not; a *Refusal where there is none.
func AgreementIn(v View, id string) (Agreement, error) {
	a, err := readPaper[Agreement](v, kindAgreement, id)
	return a, agreementError(err)
}

// Agreement is AgreementIn in a transaction of its own.
func (d *Desk) Agreement(ctx context.Context, id string) (a Agreement, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		a, err = AgreementIn(v, id)
		return err
	})
	return a, err
}

// Agreements are all that were ever made, oldest first.
func (d *Desk) Agreements(ctx context.Context) (all []Agreement, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		all, err = readPapers[Agreement](v, kindAgreement, registry.ID{})
		return err
	})
	return all, err
}

// Handle registers what two accounts of the console decide about agreements
// (agreement.make): the payload is what Agreement.Payload makes. Of erasures it is
// Remover.Executor.
func (d *Desk) Handle(door *access.Door) {
	door.Handle(access.AgreementMake, access.Executor{Run: func(ctx context.Context, who access.Actor, approval access.Approval) error {
		var a Agreement
		if err := json.Unmarshal(approval.Payload, &a); err != nil {
			return fmt.Errorf("rights: payload of approval %s: %w", approval.ID, err)
		}
		return d.MakeAgreement(ctx, who, a)
	}})
}

// Payload is what both accounts of an agreement mean.
func (a *Agreement) Payload() ([]byte, error) { return json.Marshal(a) }
