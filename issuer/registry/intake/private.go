package intake

import (
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// What no card needs and what people are hurt for is not kept: religion, ethnicity,
// tribe, health, disability, biometrics, the exact place. Such columns are left out
// by default and named in the report; a plan that names one "ext" keeps it.
//
// DOMAIN.md 8, R5.

// privateWords are folded words of headers and questions, by language; one that ends
// in "*" is the beginning of words.
var privateWords = func() (m struct {
	words map[string]bool
	heads []string
}) {
	m.words = map[string]bool{}
	for w := range strings.FieldsSeq(`
		religio* faith denomination ethnic* ethnie* ethno* etnia etnic* tribe tribes tribal tribu* clan clans subclan caste casta race raza minority
		orientation political biometri* fingerprint* thumbprint iris retina dactyl* empreinte* huella*
		gps geopoint geotrace geoshape geolocation latitude longitude altitude lat lon lng coordinates coordonnees coordenadas latitud longitud
		pregnan* enceinte* embarazad* health sante salud medical medic* illness disease* maladie* enfermedad* diagnos* chronic* hiv vih aids tuberculosis mental vaccin* vacuna* muac malnutrition nutrition* treatment breathing sexviolence* sexual*
		disabilit* disabled handicap* discapacidad* wheelchair impairment vulnerabilit* gbv sgbv torture
		dini kabila ulemavu afya ugonjwa
		الدين الديانه دين ديانه العرق الاثنيه القوميه القبيله قبيله العشيره عشيره الطائفه الاعاقه اعاقه الصحه المرض الحاله_الصحيه بصمه البصمه خط_العرض خط_الطول`) {
		if head, begins := strings.CutSuffix(w, "*"); begins {
			m.heads = append(m.heads, registry.Fold(head))
		} else {
			m.words[squeeze(w)] = true
		}
	}
	return m
}()

// private reports whether a column that fills no field asks what is not to be kept.
func private(c roster.Column) bool {
	name := hopeCode.ReplaceAllString(c.Name, "")
	name = name[strings.LastIndexByte(name, '/')+1:] // the groups of a form say less than the question
	// In HOPE's workbooks the codes are the contract, and labels are long sentences.
	asked := !hopeCode.MatchString(c.Name) && privateText(c.Label)
	return privateText(splitCamel(name)) || asked || strings.HasPrefix(c.Tag, "#geo")
}

func privateText(text string) bool {
	for word := range strings.FieldsSeq(registry.Fold(text)) {
		if privateWords.words[word] {
			return true
		}
		for _, head := range privateWords.heads {
			if strings.HasPrefix(word, head) {
				return true
			}
		}
	}
	return false
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
