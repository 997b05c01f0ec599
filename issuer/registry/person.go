package registry

// A Person is what is known of one. Each exported field is one field of the
// record, named by its json tag; an empty one is not known. See DOMAIN.md 3.2.
type Person struct {
	Names      []Name            `json:"names,omitempty"`
	Sex        string            `json:"sex,omitempty"` // f, m, x, u (not said)
	Birth      *Birth            `json:"birth,omitempty"`
	Origin     string            `json:"origin,omitempty"`   // ISO 3166-1 alpha-3; never on a card
	Relation   string            `json:"relation,omitempty"` // to the head of the household: see Relations
	Documents  []Document        `json:"documents,omitempty"`
	Contacts   []Contact         `json:"contacts,omitempty"`
	Languages  []string          `json:"languages,omitempty"` // ISO 639-3
	Location   *Location         `json:"location,omitempty"`  // of one without a household
	Assurance  string            `json:"assurance,omitempty"` // declared, witnessed, document, biometric_ref
	Status     *Status           `json:"status,omitempty"`    // nil: active
	Consents   []Consent         `json:"consents,omitempty"`
	Registered string            `json:"registered,omitempty"` // day of the registration, EDTF
	Photo      []byte            `json:"-"`                    // JPEG, as package photo makes it; field "photo"
	CardFace   *CardFace         `json:"card_face,omitempty"`  // what she chose to have printed
	Issues     []Issue           `json:"issues,omitempty"`
	Ext        map[string]string `json:"ext,omitempty"` // what else the list said, by its column; never on a card
}

// A Household is people who share what is given. It may have no members on
// record: some lists only count them.
type Household struct {
	Size        int               `json:"size,omitempty"`  // as declared; 0: not known
	Bands       map[string]int    `json:"bands,omitempty"` // declared heads by band: f_0_4 ... m_60p, and bands of the list's own
	Head        string            `json:"head,omitempty"`  // person id; gives no right
	FocalPoint  string            `json:"focal_point,omitempty"`
	Location    *Location         `json:"location,omitempty"`
	CollectType string            `json:"collect_type,omitempty"` // full, partial, size_only
	Collectors  []Collector       `json:"collectors,omitempty"`
	Residence   string            `json:"residence,omitempty"` // as the list codes it: IDP, REFUGEE, HOST ...
	Origin      string            `json:"origin,omitempty"`
	Contacts    []Contact         `json:"contacts,omitempty"`
	Status      *Status           `json:"status,omitempty"`
	Consents    []Consent         `json:"consents,omitempty"`
	Registered  string            `json:"registered,omitempty"`
	Issues      []Issue           `json:"issues,omitempty"`
	Ext         map[string]string `json:"ext,omitempty"`
}

// A Name as it is spoken or written. Text is the truth; parts are optional, and a
// single name is a whole one: it is never padded.
type Name struct {
	Text        string `json:"text"`             // NFC
	Script      string `json:"script,omitempty"` // ISO 15924: Arab, Latn, Ethi ...
	Lang        string `json:"lang,omitempty"`
	Type        string `json:"type,omitempty"` // official (default), used, alias, maiden, romanised
	Parts       []Part `json:"parts,omitempty"`
	RomanisedBy string `json:"romanised_by,omitempty"`
}

// A Part of a name, in the order of the text.
type Part struct {
	Role string `json:"role"` // given, father, grandfather, family, second_family, nickname, matronymic, honorific, single
	Text string `json:"text"`
}

// A Birth is when somebody was born, as well as it is known (EDTF, ISO 8601-2).
type Birth struct {
	EDTF      string `json:"edtf"`      // 1987, 1987-05, 1987-05-12, 1987~, 198X; empty: unknown
	Precision string `json:"precision"` // day, month, year, decade, unknown
	Estimated bool   `json:"estimated,omitempty"`
	// ImportDefault: a day such as 1 January that forms fill in by themselves. EDTF
	// then holds the year alone.
	ImportDefault bool   `json:"import_default,omitempty"`
	AgeDeclared   int    `json:"age_declared,omitempty"` // completed years
	DeclaredOn    string `json:"declared_on,omitempty"`
}

// A Document somebody showed or told of.
type Document struct {
	Type    string `json:"type"`              // national_id, passport, birth_certificate, driving_licence, voter, tax, residence_permit, unhcr_id, scope_id, health_card, other
	Country string `json:"country,omitempty"` // issuer, ISO 3166-1 alpha-3
	Number  string `json:"number"`            // sealed with the record; found by its Key
	Seen    string `json:"seen,omitempty"`    // original, copy, declared
	Expires string `json:"expires,omitempty"`
}

// A Contact reaches somebody.
type Contact struct {
	Kind  string `json:"kind"`            // phone, email, person
	Value string `json:"value"`           // a phone as E.164 where it is one
	Whose string `json:"whose,omitempty"` // who answers
}

// A Location is where somebody stays.
type Location struct {
	PCode   string `json:"pcode,omitempty"` // most detailed OCHA COD code known
	Site    string `json:"site,omitempty"`
	Address string `json:"address,omitempty"`
	Country string `json:"country,omitempty"`
}

// A Status says whether a record is in use, and why not.
type Status struct {
	State  string `json:"state"`            // active, inactive, closed
	Reason string `json:"reason,omitempty"` // deceased, departed, duplicate, withdrawn, split, merged, emptied
	Date   string `json:"date,omitempty"`
	Into   string `json:"into,omitempty"` // id of the record it was merged or split into
}

// A Consent is an answer to one question: may this be told to these for that?
// Service never depends on it. Of two about the same, the later in a list is the newer.
type Consent struct {
	ID          string   `json:"id,omitempty"` // of a record that package rights made; empty: brought by a list, or a plain answer at a desk
	Purpose     string   `json:"purpose"`      // registration (the notice was given), sharing, photo_on_card, name_on_card, referral ...
	Given       bool     `json:"given"`
	Recipients  []string `json:"recipients,omitempty"` // to whom the answer is, by their id or kind
	Declined    []string `json:"declined,omitempty"`   // to whom, asked in the same question, it was no
	Fields      []string `json:"fields,omitempty"`
	Lang        string   `json:"lang,omitempty"`
	Wording     string   `json:"wording,omitempty"`     // version
	How         string   `json:"how,omitempty"`         // signature, thumb, verbal+witness, form
	By          string   `json:"by,omitempty"`          // self, caregiver
	Who         string   `json:"who,omitempty"`         // of a household: id of the member who answered for all
	Witness     string   `json:"witness,omitempty"`     // account or function of who stood by; no name
	Interpreter string   `json:"interpreter,omitempty"` // the same of who interpreted; empty: nobody did
	ReadAloud   bool     `json:"read_aloud,omitempty"`
	On          string   `json:"on,omitempty"`
	Expires     string   `json:"expires,omitempty"`
	Withdrawn   string   `json:"withdrawn,omitempty"`
}

// A Collector may fetch what a household is due.
type Collector struct {
	Person   string `json:"person,omitempty"`   // id; empty: external
	External string `json:"external,omitempty"` // name of somebody not on record
	Role     string `json:"role"`               // primary, alternate
	From     string `json:"from,omitempty"`
	To       string `json:"to,omitempty"`
	Revoked  string `json:"revoked,omitempty"`
}

// A CardFace is what the holder chose to have printed on her card. The zero value
// is the neutral face: number, dates, complaint line.
type CardFace struct {
	Name  bool   `json:"name,omitempty"`
	Photo bool   `json:"photo,omitempty"`
	On    string `json:"on,omitempty"`
}

// An Issue is something about a record that somebody should look at. A blocking one
// keeps a card from being issued until it is mended or a second person overrides it.
type Issue struct {
	Code     string `json:"code"` // stable
	Field    string `json:"field,omitempty"`
	Blocking bool   `json:"blocking,omitempty"`
	Text     string `json:"text"` // without the value
}
