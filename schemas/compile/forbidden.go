package compile

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"aidpass/schemas"
)

// Purposes and retention classes a claim may have: closed lists, so that "other"
// is never an answer (DOMAIN 8.2 R4, R11).
var (
	Purposes   = []string{"identification", "collection", "holder_check", "referral", "delegation", "receipt", "complaint"}
	Retentions = []string{
		"credential",         // as long as the credential lives
		"round",              // until the round is reconciled
		"programme",          // until the programme closes
		"programme_plus_6_m", // six months longer: photos and what complaints need
		"audit_7_y",          // seven years, for audit
		"sealed_store_only",  // by the rules of the sealed store
	}
)

// What must never be on a card or in any readable QR (DOMAIN 8.1), as words that
// a claim's name or label would use. A word ending in * is the beginning of one;
// several words must follow each other. Labels are looked at in every language
// this list speaks: a claim called c1 and labelled "Religion" is found.
var forbidden = []struct {
	what  string
	words []string
}{
	{"ethnicity", []string{"ethn*", "race", "racial", "caste", "origine ethnique", "raza", "عرق*", "kabila"}},
	{"religion", []string{"religi*", "faith", "church", "mosque", "sect", "denomination", "confession", "culte", "iglesia", "دين", "ديانه", "مذهب", "طائفه", "dini", "dhehebu"}},
	{"tribe or clan", []string{"trib*", "clan*", "قبيله", "عشيره", "ukoo"}},
	{"nationality or origin", []string{"nationalit*", "nacionalidad*", "citizen*", "ciudadan*", "citoyen*", "origin", "origine", "origen", "home country", "birth place", "birth country", "place of birth", "جنسيه", "بلد الاصل", "uraia", "asili"}},
	{"legal or asylum status", []string{"legal status", "asyl*", "asil*", "refug*", "stateless*", "apatrid*", "immigration*", "migration*", "migrant*", "visa", "residence permit", "statut legal", "estatus legal", "لاجئ*", "لجوء", "mkimbizi"}},
	{"UNHCR, proGres or case number", []string{"unhcr*", "hcr", "acnur", "progres*", "case number", "case no", "case id", "numero de dossier", "numero de caso", "مفوضيه"}},
	{"document numbers", []string{"passport*", "passeport*", "pasaporte*", "document", "documents", "document no", "document number", "national id", "id number", "id no", "voter*", "tax id", "tax number", "ssn", "iris", "جواز*", "pasipoti"}},
	{"specific needs or vulnerability", []string{"need", "needs", "specific needs", "vulnerab*", "pmt", "poverty*", "besoins", "necesidades", "احتياجات", "mahitaji"}},
	{"eligibility criteria or scores", []string{"criteri*", "criterios", "score*", "scoring", "eligibility reason", "why eligible", "puntaje", "معايير"}},
	{"disability", []string{"disab*", "handicap*", "impair*", "wheelchair", "washington group", "discapaci*", "invalidez", "اعاقه", "ulemavu"}},
	{"pregnancy", []string{"pregnan*", "lactat*", "breastfe*", "maternity", "trimester", "enceinte", "grossesse", "embaraz*", "حامل", "حمل", "mimba", "ujauzito"}},
	{"health", []string{"health", "medic*", "diagnos*", "disease*", "illness*", "hiv", "aids", "tb", "tuberculosis", "allerg*", "blood", "vaccin*", "muac", "malnutrition", "malnourish*", "psych*", "mental", "sante", "maladie", "salud", "enfermedad", "صحه", "صحي*", "مرض", "تشخيص", "afya", "ugonjwa"}},
	{"gender-based violence", []string{"sgbv*", "gbv*", "rape*", "violence", "violencia", "abuse*", "survivor*", "victim*", "traffick*", "tortur*", "عنف", "ukatili"}},
	{"child protection or unaccompanied status", []string{"child protection", "unaccompan*", "separated", "orphan*", "uasc", "foster*", "orphelin*", "huerfan*", "حمايه الطفل", "يتيم", "yatima"}},
	{"exact address or position", []string{"address*", "adresse*", "direccion", "gps", "lat", "lon", "lng", "latitud*", "longitud*", "geo*", "coordinat*", "coordonnees", "coordenadas", "shelter", "shelter no", "shelter number", "tent", "tent no", "tent number", "block", "plot", "street", "عنوان", "anwani"}},
	{"phone or e-mail", []string{"phone*", "phone number", "telephone*", "telefono", "mobile*", "msisdn", "whatsapp", "sms", "tel", "email*", "e mail", "mail", "courriel", "correo", "contact", "contacts", "هاتف", "جوال", "بريد", "simu", "barua pepe"}},
	{"bank or wallet number", []string{"bank*", "iban*", "account", "account no", "account number", "wallet*", "card pan", "momo", "mpesa", "banque", "banco", "compte", "cuenta", "حساب", "benki", "akaunti"}},
	{"biometric data", []string{"biometri*", "fingerprint*", "finger", "iris*", "minutiae", "face template", "face vector", "embedding", "voice print", "empreinte digitale", "empreintes digitales", "huella dactilar", "huellas", "بصمه", "vidole"}},
	{"family members' names", []string{"family name", "family names", "family members", "member names", "members", "mother", "mother name", "mothers name", "father", "father name", "fathers name", "spouse*", "husband*", "wife", "wives", "children", "sibling*", "maiden*", "mere", "madre", "padre", "conjoint*", "conyuge", "الام", "الاب", "زوج*", "mama", "baba"}},
	{"sanction screening", []string{"sanction*", "screening", "watchlist", "blacklist", "pep", "terror*", "عقوبات"}},
	{"political or other protected affiliation", []string{"politic*", "party", "union", "sexual*", "orientation sexuelle", "gender identity", "lgbt*", "criminal*", "detention", "prison*", "militar*", "armed"}},
}

// What the plain part never says, though the sealed part may (DESIGN 4: the
// plain part is neutral).
var plainForbidden = []struct {
	what  string
	words []string
}{
	{"what kind of aid it is", []string{"kind", "sector", "modality", "service", "services", "service code", "nature"}},
	{"urgency", []string{"urgen*", "priorit*", "emergency", "due"}},
	{"what is due", []string{"amount*", "entitle*", "currency", "value", "ration", "benefit*", "montant", "monto", "مبلغ", "kiasi"}},
	{"a name", []string{"name", "names", "surname", "alias", "nickname", "nom", "prenom", "nombre", "apellido", "اسم", "jina"}},
	{"sex or age", []string{"sex", "gender", "age", "birth", "born", "dob", "sexe", "sexo", "edad", "جنس", "عمر", "jinsia", "umri"}},
	{"languages", []string{"language*", "mother tongue", "langue*", "idioma*", "lengua*", "لغه", "لغات", "lugha"}},
}

// Values of an enum that tell more than a number should. Sealed ones fall to one
// lost phone, so what is worst may not stand there either (sensitivity 3).
var (
	worstValues = []string{"sgbv*", "gbv*", "mhpss*", "child protection", "legal*", "rape*", "hiv*", "asyl*", "refug*", "disab*", "pregnan*", "unaccompan*", "separated",
		"traffick*", "tortur*", "survivor*", "victim*", "psycho*", "mental*", "orphan*", "women*", "womens*", "lgbt*", "physical safety", "protection"}
	plainValues = []string{"cash", "voucher", "in kind", "health*", "service*", "food", "nutrition", "medic*", "shelter", "clinic*", "emergency*", "urgent*", "male", "female"}
)

// A birth word on a card must be a year: anything else carries an exact date.
var birthWords = []string{"birth*", "born", "dob", "naissance", "nacimiento", "ميلاد", "ولاده", "kuzaliwa"}

// reserved are claims that the envelope already says.
var reserved = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "cti", "jti", "vct", "status", "cnf", "kid", "alg", "typ", "_sd", "_sd_alg", "sub_ref", "replaces", "aka_vcts", schemas.LedgerClaim}

// knownKeys are the integer keys of claim names that several types share, by
// placement: one name means one thing wherever it is read.
var knownKeys = map[schemas.Placement]map[string]int64{
	schemas.Plain: {"programme": 1, "round": 2, "size_band": 3, "collector_rule": 4, "photo_hash": schemas.PhotoHashKey, "assurance": 6, "rounds": 7,
		"collect_from": 8, "collect_to": 9, "site": 10, "case_code": 11, "consent_ref": 12, "for": 13, "scope_programmes": 14, "scope_rounds": 15,
		"single_use": 16, "delegate_photo_hash": 17, "receipt_no": 18, "complaint_channel": 19},
	schemas.Sealed: {"kind": 20, "entitlement": 21, "name": 22, "name_latin": 23, "birth_year": 24, "sex": 25, "age_over_18": 26, "age_over_60": 27,
		"age_under_5": 28, "household_ref": 29, "languages": 30, "service_code": 31, "valid_visits": 32, "from_org": 33, "to_org": 34, "service": 35,
		"urgency": 36, "due": 37, "delegate_name": 38, "relation": 39, "pin_check": schemas.PINCheckKey, "max_value": 41, "entitlement_ref": 42,
		"what": 43, "when": 44, "site": 45, "org": 46, "by": 47},
}

// mayExist refuses a type that breaks DOMAIN 8.1 or the neutrality of the plain
// part (DESIGN 4). What a card could not hold at all is refused by schemas.
func mayExist(t *schemas.Type) error {
	if w := spoken(tokens(t.Name), "women*", "sgbv*", "gbv*", "hiv*", "refug*", "asyl*", "disab*", "pregnan*", "orphan*"); w != "" {
		return refuse("", "the type's name says who its people are (%s): the vct stands on every card", w)
	}
	for i := range t.Claims {
		c := &t.Claims[i]
		if err := claimMayExist(t, c); err != nil {
			return err
		}
	}
	return nil
}

func claimMayExist(t *schemas.Type, c *schemas.Claim) error {
	switch {
	case slices.Contains(reserved, c.Name):
		return refuse(c.Name, "the name is taken by what every credential says")
	case c.Purpose == "":
		return refuse(c.Name, "purpose is missing")
	case !slices.Contains(Purposes, c.Purpose):
		return refuse(c.Name, "purpose is none of %s", strings.Join(Purposes, ", "))
	case c.Retention == "":
		return refuse(c.Name, "retention is missing")
	case !slices.Contains(Retentions, c.Retention):
		return refuse(c.Name, "retention is none of %s", strings.Join(Retentions, ", "))
	case c.Labels["en"] == "" || c.Descriptions["en"] == "":
		return refuse(c.Name, "label or description in English is missing")
	case c.Sensitivity >= 3 && c.Placement != schemas.Never:
		return refuse(c.Name, "sensitivity 3 is never on a card")
	case c.Sensitivity >= 3 && c.Disclosure != schemas.DiscloseNever:
		return refuse(c.Name, "sensitivity 3 never leaves the sealed store: disclosure must be never")
	case c.Sensitivity >= 2 && c.Placement == schemas.Plain:
		return refuse(c.Name, "sensitivity 2 is never plain")
	}
	if c.Placement == schemas.Never {
		return nil
	}
	said := [][]string{tokens(c.Name)}
	for _, lang := range slices.Sorted(maps.Keys(c.Labels)) {
		said = append(said, tokens(c.Labels[lang]))
	}
	for _, words := range said {
		if spoken(words, birthWords...) != "" && !(c.Kind == schemas.KindInt && c.Max <= 2200 || c.Kind == schemas.KindBool) {
			return refuse(c.Name, "could carry an exact birth date: a card says the year (int up to 2200) or yes and no at most")
		}
		for _, f := range forbidden {
			if w := spoken(words, f.words...); w != "" {
				return refuse(c.Name, "%s must never be on a card (%q)", f.what, w)
			}
		}
		if c.Placement != schemas.Plain {
			continue
		}
		for _, f := range plainForbidden {
			if w := spoken(words, f.words...); w != "" {
				return refuse(c.Name, "the plain part is neutral and never says %s (%q): seal it", f.what, w)
			}
		}
	}
	if strings.HasPrefix(c.Name, "programme") && c.Placement == schemas.Plain && (c.Kind != schemas.KindCode && c.Kind != schemas.KindCodes || c.Name != t.ProgrammeClaim) {
		return refuse(c.Name, "a programme on the plain part is an opaque code of at most 8 characters and the type's programme claim")
	}
	if want, ok := knownKeys[c.Placement][c.Name]; ok && c.Key != want {
		return refuse(c.Name, "its key is %d wherever this name is used", want)
	}
	for _, v := range c.Values {
		worst := worstValues
		if c.Placement == schemas.Plain {
			worst = slices.Concat(worstValues, plainValues)
		}
		if w := spoken(tokens(v), worst...); w != "" {
			return refuse(c.Name, "the value %q must never be on a card in this place: list it under never_on_card", v)
		}
	}
	return nil
}

// tokens splits text into words, without case, accents, and the Arabic article.
func tokens(s string) []string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == 'ـ':
		case r == 'ة':
			b.WriteRune('ه')
		case unicode.IsLetter(r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	words := strings.Fields(b.String())
	for i, w := range words {
		if bare := strings.TrimPrefix(w, "ال"); len(bare) >= 4 { // two letters at least
			words[i] = bare
		}
	}
	return words
}

// spoken returns the first of terms that words say, "" for none. A name written
// without separators ("dateofbirth", "phonenumber") is looked through as well.
func spoken(words []string, terms ...string) string {
	joined := strings.Join(words, "")
	for _, term := range terms {
		want := strings.Fields(term)
		for i := range words {
			if i+len(want) > len(words) {
				break
			}
			hit := true
			for j, w := range want {
				stem, open := strings.CutSuffix(w, "*")
				stem = strings.TrimPrefix(stem, "ال")
				if words[i+j] != stem && !(open && strings.HasPrefix(words[i+j], stem)) {
					hit = false
					break
				}
			}
			if hit {
				return term
			}
		}
		if stem := strings.ReplaceAll(strings.TrimSuffix(term, "*"), " ", ""); len(stem) >= 6 && strings.HasSuffix(term, "*") && strings.Contains(joined, stem) ||
			len(want) > 1 && strings.Contains(joined, stem) && len(stem) >= 8 {
			return term
		}
	}
	return ""
}
