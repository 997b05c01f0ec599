package intake

import (
	"regexp"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// What no card needs and what people are hurt for is not kept: religion, ethnicity,
// tribe, health, disability, biometrics, accounts of money, the exact place. Such columns are left out
// by default and named in the report; a plan that names one "ext" keeps it.
//
// DOMAIN.md 8, R5.

// privateWords are folded words of headers and questions, by language; one that ends
// in "*" is the beginning of words.
var privateWords = wordList(healthWords + `
		religio* faith denomination ethnic* ethnie* ethno* etnia etnic* tribe tribes tribal tribu* clan clans subclan caste casta race raza minority
		orientation political biometri* fingerprint* thumbprint iris retina dactyl* empreinte* huella*
		gps geopoint geotrace geoshape geolocation latitude longitude altitude lat lon lng coordinates coordonnees coordenadas latitud longitud
		pregnan* enceinte* embarazad* health sante salud medical medic* illness disease* maladie* enfermedad* diagnos* chronic* hiv vih aids tuberculosis mental vaccin* vacuna* muac malnutrition nutrition* treatment breathing sexviolence* sexual*
		disabilit* disabled handicap* discapacidad* wheelchair impairment vulnerabilit* gbv sgbv torture
		pesa mpesa momo wallet monedero billetera iban bic swift bank banks banking banque bancaire bancaria* banco bancario* account accounts cuenta conta compte
		benki akaunti بنك البنك بنكي مصرف المصرف المصرفي حساب الحساب
		dini kabila ulemavu afya ugonjwa
		الدين الديانه دين ديانه العرق الاثنيه القوميه القبيله قبيله العشيره عشيره الطائفه الاعاقه اعاقه الصحه المرض الحاله_الصحيه بصمه البصمه خط_العرض خط_الطول`)

// healthWords tell of health also where they stand in a cell.
const healthWords = `
		injur* wound* wounded amput* fractur* blind blindness deaf deafness paraly* diabet* epilep* asthm* cancer* hypertens* tubercul* cholera malnourish* crutch* wheelchair handicap*
		blesse* blessure* casse cassee casses cassees jambe aveugle* sourd* malade* maladie* infirm* paralys* enceinte* bequille*
		herid* lesion* ciego* ciega* sordo* sorda* enfermo* enferma* enfermedad* embarazad* discapacitad* sida
		doente* doenca* deficien* cego* surdo* gravida*
		mgonjwa ugonjwa mlemavu ulemavu kipofu kiziwi mjamzito
		مريض مريضه مرض معاق معاقه اعاقه كسر مكسور اعمي كفيف اصم حامل مصاب جريح`

var wordsOfHealth = wordList(healthWords)

type wordsAndHeads struct {
	words map[string]bool
	heads []string
}

func wordList(text string) (m wordsAndHeads) {
	m.words = map[string]bool{}
	for w := range strings.FieldsSeq(text) {
		if head, begins := strings.CutSuffix(w, "*"); begins {
			m.heads = append(m.heads, registry.Fold(head))
		} else {
			m.words[squeeze(w)] = true
		}
	}
	return m
}

func (m wordsAndHeads) in(text string) bool {
	for word := range strings.FieldsSeq(registry.Fold(text)) {
		if m.words[word] || slices.ContainsFunc(m.heads, func(head string) bool { return strings.HasPrefix(word, head) }) {
			return true
		}
	}
	return false
}

// private reports whether a column that fills no field asks what is not to be kept.
func private(c roster.Column) bool {
	name := hopeCode.ReplaceAllString(c.Name, "")
	name = name[strings.LastIndexByte(name, '/')+1:] // the groups of a form say less than the question
	// In HOPE's workbooks the codes are the contract, and labels are long sentences.
	asked := !hopeCode.MatchString(c.Name) && privateText(c.Label)
	if strings.Contains(name, "__") && name != c.Name {
		return false // HOPE's columns of a delivery mechanism, which the report of missing fields is about
	}
	return privateText(splitCamel(name)) || asked || strings.HasPrefix(c.Tag, "#geo")
}

func privateText(text string) bool {
	return privateWords.in(text) || strings.Contains(squeeze(text), "mobilemoney")
}

// Values that are private whatever their column is called.
var (
	ibanLike  = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`) // ISO 13616
	placeLike = regexp.MustCompile(`^-?[0-9]{1,3}\.[0-9]{3,}[,; ]+-?[0-9]{1,3}\.[0-9]{3,}([,; ].*)?$`)
)

// privateValues reports whether a cell of a column tells of health, an account or the
// exact place.
func (s *sample) privateValues(c roster.Column) bool {
	if hopeCode.MatchString(c.Name) {
		return false
	}
	return slices.ContainsFunc(s.cells[c.Name], func(v string) bool {
		return wordsOfHealth.in(v) || placeLike.MatchString(v) || isIBAN(strings.ToUpper(strings.ReplaceAll(v, " ", "")))
	})
}

// isIBAN checks the two digits of ISO 13616: the rest of the number by 97 is 1.
func isIBAN(v string) bool {
	if !ibanLike.MatchString(v) {
		return false
	}
	rest := 0
	for _, c := range v[4:] + v[:4] {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// splitCamel writes the words of ReligionCode apart.
func splitCamel(s string) string {
	var b strings.Builder
	lower := false
	for _, r := range s {
		if r >= 'A' && r <= 'Z' && lower {
			b.WriteByte(' ')
		}
		lower = r >= 'a' && r <= 'z'
		b.WriteRune(r)
	}
	return b.String()
}

// A LeftOut is a column that was not kept.
type LeftOut struct {
	Table  string `json:"table,omitempty"`
	Column string `json:"column"`
	Answer string `json:"answer"` // of Plan.Set, which keeps it
}

// leftOut lists the columns of a plan that are not kept.
func (p *Plan) leftOut() (list []LeftOut) {
	for _, t := range p.Tables {
		if t.Role == Ignored {
			continue
		}
		for _, c := range t.Columns {
			if c.Field == Private {
				list = append(list, LeftOut{t.Name, c.Column, strings.Replace(answerFor(t, Ext, nil), "COLUMN", c.Column, 1)})
			}
		}
	}
	return list
}
