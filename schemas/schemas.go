// Package schemas knows the credential types: which claims a card may carry,
// where each one stands on it, how sensitive it is and why it is there.
//
// A type is one JSON Schema file (2020-12) with annotations under "x-aidpass";
// package schemas/compile reads it and refuses what must not be on a card. What
// devices and browsers carry is the compiled form, deterministic CBOR: Append
// and Decode. From a Type come the integer-keyed maps of a card (EncodePlain,
// EncodeSealed), their check after the signature (CheckPlain) and their names
// (NamePlain, NameSealed).
//
// docs/formats/card.md has the bytes; the rules are those of the type file.
package schemas

import "slices"

// A Kind says what values a claim takes and how a card writes them.
//
//	kind     value in Go                              on the card
//	int      int64, Min to Max                        uint
//	code     string of A-Z a-z 0-9 - _ . ; Min to Max tstr
//	text     string, at most Max characters           tstr
//	bool     bool                                     bool
//	bytes    []byte, Min to Max bytes                 bstr
//	enum     string, one of Values                    uint, 1 for the first
//	date     "2026-11-01"                             uint, days since 1970-01-01
//	range    []int64{from, to}, each at most Max      [uint, uint]
//	codes    []string, at most Max of Item characters [+ tstr]
//	ints     []int64, at most Max, each at most Item  [+ uint]
//	benefit  map: amount, currency, items, visits     map, see benefit.go
type Kind uint8

const (
	KindInt Kind = 1 + iota
	KindCode
	KindText
	KindBool
	KindBytes
	KindEnum
	KindDate
	KindRange
	KindCodes
	KindInts
	KindBenefit
)

var kindNames = [...]string{"", "int", "code", "text", "bool", "bytes", "enum", "date", "range", "codes", "ints", "benefit"}

func (k Kind) String() string {
	if int(k) < len(kindNames) && k != 0 {
		return kindNames[k]
	}
	return "unknown"
}

// KindByName returns the kind a type file calls name, and 0 for none.
func KindByName(name string) Kind {
	for k, n := range kindNames {
		if n == name {
			return Kind(k)
		}
	}
	return 0
}

// A Placement says where on a card a claim stands. The zero value is nowhere.
type Placement uint8

const (
	Never  Placement = iota // not on any card
	Plain                   // whoever scans the card reads it: sensitivity 0 or 1
	Sealed                  // only enrolled devices behind an operator's code: at most 2
)

// A Disclosure says how the wallet form shares a claim.
type Disclosure uint8

const (
	DiscloseNever   Disclosure = iota // not in the wallet form
	DiscloseAllowed                   // the holder chooses
	DiscloseAlways                    // part of every presentation
)

// Integer keys on a card. A plain key fits one byte with its map of 23 entries
// at most; a key keeps its meaning in every type that uses the claim's name.
const (
	MinPlainKey, MaxPlainKey   = 1, 19
	MinSealedKey, MaxSealedKey = 20, 59

	PhotoHashKey = 5  // first 16 bytes of SHA-256(cti, photo), plain
	PINCheckKey  = 40 // 8 bytes, sealed
)

// Text on a card, in bytes. docs/formats/card.md.
const (
	MaxPlainText  = 64
	MaxSealedText = 1024
)

// A Claim is one statement a type can make.
type Claim struct {
	Name        string // lower case, digits and underscores
	Key         int64  // integer key on the card; 0 when Placement is Never
	Kind        Kind
	Values      []string // enum: what a card may say, in the order of their numbers from 1
	Barred      []string // enum: values that exist but are never written on a card
	Placement   Placement
	Sensitivity int // 0 harmless, 1 personal, 2 risky if public, 3 never leaves the sealed store
	Disclosure  Disclosure
	Purpose     string
	Retention   string
	Required    bool
	Min, Max    int // see Kind
	Item        int // codes: characters of one; ints: the largest

	Labels       map[string]string   // by language tag; en is there, or none at all
	Descriptions map[string]string   // by language tag
	ValueLabels  map[string][]string // by language tag, in the order of Values; may be empty
}

// Label returns the claim's name for people, in English where lang has none.
func (c *Claim) Label(lang string) string { return inLanguage(c.Labels, lang, c.Name) }

// ValueLabel returns how people call an enum value, or the value itself.
func (c *Claim) ValueLabel(lang, value string) string {
	labels, ok := c.ValueLabels[lang]
	if !ok {
		labels = c.ValueLabels["en"]
	}
	for i, v := range c.Values {
		if v == value && i < len(labels) {
			return labels[i]
		}
	}
	return value
}

// A Type is one kind of credential.
type Type struct {
	Name    string // what commands call it: "eligibility"
	VCT     string // https URI, at most 40 characters; a changed type has a new one
	Version int
	Claims  []Claim // plain by key, sealed by key, then those never on a card by name

	Validity    int64 // seconds a credential lives unless the issuer says otherwise
	MaxValidity int64 // seconds it may live at most
	Freshness   int64 // seconds the lists may be old; 0: not checked
	GraceDays   int   // days after expiry in which the answer is still valid (ok_grace)

	Gate   []string // claims that must be known before it may be issued, on the card or not
	HeldBy []string // subject, caregiver, alternate
	OneOf  []string // plain claims of which a card has exactly one; may be empty

	// IsRegistration: it tells who somebody is or what was given, and nothing is
	// due on it: a good answer is KNOWN and never GIVE.
	IsRegistration bool
	Live           string // what must be shown live: "" nothing, "any", "challenge"
	OneRound       bool   // it ends when its round closes, at the latest after Validity

	// Names of the claims that carry these, "" for none. In a delegation the
	// programme and round claims are lists (codes, ints).
	ProgrammeClaim, RoundClaim, RoundsClaim, SiteClaim, SizeBandClaim string
	FromClaim, ToClaim                                                string

	Labels       map[string]string // by language tag; en is there, or none at all
	Descriptions map[string]string // by language tag
}

// WithoutLabels returns t as browsers carry it: it judges the same cards and has
// no words for people.
func (t *Type) WithoutLabels() *Type {
	bare := *t
	bare.Labels, bare.Descriptions = nil, nil
	bare.Claims = slices.Clone(t.Claims)
	for i := range bare.Claims {
		c := &bare.Claims[i]
		c.Labels, c.Descriptions, c.ValueLabels = nil, nil, nil
	}
	return &bare
}

// Claim returns the claim called name, or nil.
func (t *Type) Claim(name string) *Claim {
	if name == "" {
		return nil
	}
	for i := range t.Claims {
		if t.Claims[i].Name == name {
			return &t.Claims[i]
		}
	}
	return nil
}

// onCard returns the claim with this key in this part of a card, or nil.
func (t *Type) onCard(where Placement, key int64) *Claim {
	for i := range t.Claims {
		if c := &t.Claims[i]; c.Key == key && c.Placement == where {
			return c
		}
	}
	return nil
}

// Label returns the type's name for people, in English where lang has none.
func (t *Type) Label(lang string) string { return inLanguage(t.Labels, lang, t.Name) }

func inLanguage(texts map[string]string, lang, otherwise string) string {
	if s, ok := texts[lang]; ok {
		return s
	}
	if s, ok := texts["en"]; ok {
		return s
	}
	return otherwise
}
