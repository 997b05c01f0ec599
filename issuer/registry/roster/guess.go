package roster

import (
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Field is something a list says of a person or household.
type Field string

const (
	PersonID      Field = "id"
	HouseholdID   Field = "household_id"
	FullName      Field = "full_name"
	GivenName     Field = "given_name"
	MiddleName    Field = "middle_name"
	FamilyName    Field = "family_name"
	BirthDate     Field = "birth_date"
	Sex           Field = "sex"
	HouseholdSize Field = "household_size"
	PhotoID       Field = "photo"
)

// Mapping says which column, by its name in the header, holds a field. A field
// that no column holds is absent.
type Mapping map[Field]string

// names are the headers that mean a field, as fold leaves them, likeliest first:
// HOPE's codes, then English, French, Spanish and Arabic. "household" alone is
// not here: half of the lists mean its number by it and half its size.
var names = []struct {
	field Field
	words string // separated by |
}{
	{PersonID, "individual id|person id|id|external id|beneficiary id|registration id|registration number|registration no|index id|member id|progres id|" +
		"id individu|identifiant individuel|identifiant|id beneficiaire|numero d enregistrement|numero enregistrement|matricule|" +
		"id persona|identificador|id beneficiario|numero de registro|" +
		"رقم الفرد|رقم المستفيد|رقم التسجيل|المعرف|الرقم التعريفي"},
	{HouseholdID, "household id|hh id|hhid|household number|household no|family id|family number|case id|case number|case no|" +
		"id menage|identifiant du menage|identifiant menage|numero du menage|numero de menage|id famille|" +
		"id hogar|id del hogar|identificador del hogar|numero de hogar|id familia|" +
		"رقم الاسره|معرف الاسره|رقم العائله|رقم الحاله"},
	{FullName, "full name|name|complete name|name of person|beneficiary name|nom complet|nom et prenom|nom et prenoms|nom prenom|nom|" +
		"nombre completo|nombre y apellido|nombre y apellidos|nombre|الاسم الكامل|الاسم بالكامل|الاسم الثلاثي|الاسم الرباعي|الاسم"},
	{GivenName, "given name|given names|first name|forename|prenom|prenoms|nombres|primer nombre|nombre de pila|الاسم الاول"},
	{MiddleName, "middle name|middle names|deuxieme prenom|segundo nombre|اسم الاب|الاسم الاوسط"},
	{FamilyName, "family name|last name|surname|nom de famille|nom famille|apellido|apellidos|اسم العائله|اللقب|الكنيه"},
	{BirthDate, "birth date|date of birth|dob|birthdate|birthday|year of birth|date de naissance|date naissance|annee de naissance|" +
		"fecha de nacimiento|fecha nacimiento|ano de nacimiento|تاريخ الميلاد|تاريخ الولاده|سنه الميلاد"},
	{Sex, "gender|sex|sexe|genre|sexo|genero|الجنس|النوع"},
	{HouseholdSize, "household size|hh size|family size|size|number of members|taille du menage|taille menage|taille de la famille|nombre de personnes|" +
		"tamano del hogar|tamano hogar|tamano de la familia|numero de miembros|numero de personas|حجم الاسره|عدد افراد الاسره|حجم العائله"},
	{PhotoID, "photo|photo id|photo file|picture|foto|archivo de foto|الصوره|صوره"},
}

// alone are words that mean the whole name where nothing else does, and a part of
// it beside the other part: "nom" beside "prénom" is the family's.
var alone = map[string]Field{
	"nom": FamilyName, "nombre": GivenName, "name": GivenName, "الاسم": GivenName,
}

// questionPath is the path of a question in a form: codes, not words. "Sex/Gender"
// is none.
var questionPath = regexp.MustCompile(`^([a-z]|[A-Za-z0-9]+_)[A-Za-z0-9_]*([/.][A-Za-z0-9_]+)+$`)

// Guess finds the columns that hold what a registry needs, by their names in
// English, French, Spanish, Arabic or HOPE's codes. Of a question's path in a
// form, group/sub/question, the last part counts. It looks at names only; a person
// confirms what it found.
func Guess(header []string) Mapping {
	folded := make([]string, len(header))
	for i, name := range header {
		folded[i] = fold(name)
		if questionPath.MatchString(name) {
			folded[i] = fold(name[strings.LastIndexAny(name, "/.")+1:])
		}
	}
	m := Mapping{}
	for _, known := range names {
	search:
		for word := range strings.SplitSeq(known.words, "|") {
			for i, name := range folded {
				if name == word {
					m[known.field] = header[i]
					break search
				}
			}
		}
	}
	part, ambiguous := alone[fold(m[FullName])]
	if other := map[Field]Field{FamilyName: GivenName, GivenName: FamilyName}[part]; ambiguous && m[other] != "" && m[part] == "" {
		m[part] = m[FullName]
		delete(m, FullName)
	}
	return m
}

// fold brings a column's name into the form of the words above: small letters
// without accents or vowel marks, one form of each Arabic letter, one blank
// between words, and without the affixes of HOPE's codes.
func fold(name string) string {
	name = strings.TrimSpace(name)
	name = strings.TrimPrefix(strings.ToLower(hopeCode.ReplaceAllString(name, "")), "pp_")
	var words strings.Builder
	for _, c := range norm.NFKD.String(name) {
		switch {
		case unicode.Is(unicode.Mn, c) || c == 'ـ': // accents, Arabic vowels, the stretching line
		case c == 'ى':
			words.WriteRune('ي')
		case c == 'ة':
			words.WriteRune('ه')
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			words.WriteRune(c)
		default:
			words.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(words.String()), " ")
}

// Key returns what names the row's person in the list, so that the same row read
// again has the same key wherever it stands: the person's own number; else
// household, names and birth date together. It is "" where the row has none of
// them. By tells which field it stands on: PersonID or FullName.
func (m Mapping) Key(row Row) (key string, by Field) {
	if id := row.Cell(m[PersonID]); id != "" {
		return id, PersonID
	}
	name := m.Name(row)
	if name == "" {
		return "", ""
	}
	return strings.Join([]string{
		row.Cell(m[HouseholdID]), strings.ToLower(norm.NFC.String(name)), row.Cell(m[BirthDate]),
	}, "\x1f"), FullName
}

// Name returns the person's full name: the cell that holds it, else its parts in
// the order given, middle, family. A single name is a full name.
func (m Mapping) Name(row Row) string {
	if name := row.Cell(m[FullName]); name != "" {
		return name
	}
	return strings.Join(strings.Fields(row.Cell(m[GivenName])+" "+row.Cell(m[MiddleName])+" "+row.Cell(m[FamilyName])), " ")
}
