package registry

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// A codeList is codes of ours and the words that lists write for them, folded.
type codeList map[string]string

// codes reads lines of "code: word, word".
func codes(text string) func() codeList {
	return sync.OnceValue(func() codeList {
		l := codeList{}
		for line := range strings.Lines(text) {
			code, words, ok := strings.Cut(strings.TrimSpace(line), ":")
			if !ok {
				continue
			}
			l[Fold(code)] = code
			for w := range strings.SplitSeq(words, ",") {
				l[Fold(w)] = code
			}
		}
		return l
	})
}

func (l codeList) find(text string) (string, bool) {
	code, ok := l[Fold(text)]
	return code, ok && code != ""
}

func (l codeList) all() []string { return slices.Compact(slices.Sorted(maps.Values(l))) }

// The codes of sex.
const (
	Female  = "f"
	Male    = "m"
	Another = "x"
	NotSaid = "u"
)

var sexes = codes(`
	f: female, feminine, woman, girl, féminin, femme, fille, femenino, mujer, niña, hembra, أنثى, انثى, أنثي, امرأة, إمرأة, بنت, ke, mke, mwanamke, msichana, kike, w, weiblich, женский, ж, жен, ሴት, 女, নারী, মহিলা, महिला
	m: male, masculine, man, boy, masculin, homme, garçon, masculino, hombre, niño, varón, ذكر, رجل, ولد, me, mume, mwanaume, mvulana, kiume, männlich, мужской, м, муж, ወንድ, 男, পুরুষ, पुरुष
	x: other, another, non binary, nonbinary, intersex, third gender, autre, otro, otra, آخر, اخر, nyingine
	u: unknown, not collected, not answered, not said, undisclosed, refused, prefer not to say, inconnu, desconocido, غير معروف, haijulikani`)

// ParseSex returns the code of a sex as lists write it: f, m, x, u. A doubted one is none.
func ParseSex(text string) (code string, ok bool) {
	if Doubted(text) {
		return "", false
	}
	return sexes().find(text)
}

// Doubted reports whether somebody wrote a value with a mark of doubt, such as "X?": it is
// an answer that nobody gave. A mark alone says nothing.
func Doubted(text string) bool { return strings.ContainsAny(text, "?؟？¿~") && Fold(text) != "" }

// The relations to the head of a household that rules speak of. Head is the person
// the others are described by, and gives no right.
const (
	Head        = "head"
	Spouse      = "spouse"
	Child       = "child"
	Parent      = "parent"
	Grandparent = "grandparent"
	Grandchild  = "grandchild"
	NoRelation  = "not_member" // fetches for the household and is none of it
)

// Words of UNICEF HOPE, of proGres v3, and of five languages.
var relations = codes(`
	head: head of household, hoh, hhh, household head, self, principal applicant, principal representative, pa, pra, pr, focal point, chef, chef de ménage, chef de famille, jefe, jefa, jefe de hogar, jefa de hogar, cabeza de familia, رب الأسرة, ربة الأسرة, رب الاسرة, رب العائلة, mkuu wa kaya, mkuu wa familia
	spouse: wife_husband, husband, wife, hus, wif, free_union, partner, common law husband, common law wife, clh, clw, polygamous wife, conjoint, conjointe, époux, épouse, mari, femme, concubin, concubine, esposo, esposa, cónyuge, pareja, marido, زوج, زوجة, mume, mke, mwenzi
	child: son_daughter, son, daughter, dau, fils, fille, enfant, hijo, hija, ابن, ابنة, بنت, ولد, mtoto, mwana
	step_child: stepchild, step child, step son, step daughter, stepson, stepdaughter, scf, scm, beau-fils (enfant), hijastro, hijastra, mtoto wa kambo
	foster_child: foster child, fcf, fcm, adopted child, adopted son, adopted daughter, enfant adopté, enfant placé, hijo adoptivo, hija adoptiva, متبنى
	parent: mother_father, mother, father, mot, fat, mère, père, madre, padre, أب, أم, اب, ام, والد, والدة, mama, baba, mzazi
	sibling: brother_sister, brother, sister, bro, sis, frère, sœur, soeur, hermano, hermana, أخ, أخت, اخ, اخت, kaka, dada, ndugu
	grandparent: grandmother_grandfather, grandmother, grandfather, grm, grf, gmo, gfa, grand-mère, grand-père, abuelo, abuela, جد, جدة, babu, bibi
	grandchild: granddaugher_grandson, granddaughter_grandson, grandson, granddaughter, gso, gda, gds, gdd, petit-fils, petite-fille, nieto, nieta, حفيد, حفيدة, mjukuu
	parent_in_law: motherinlaw_fatherinlaw, mother in law, father in law, mil, fil, beau-père, belle-mère, suegro, suegra, حمو, حماة, mkwe
	child_in_law: daughterinlaw_soninlaw, daughter in law, son in law, beau-fils, belle-fille, gendre, bru, yerno, nuera, صهر, كنة
	sibling_in_law: sisterinlaw_brotherinlaw, sister in law, brother in law, sil, bil, beau-frère, belle-sœur, cuñado, cuñada, shemeji
	aunt_uncle: aunt, uncle, aun, unc, tante, oncle, tío, tía, عم, عمة, خال, خالة, shangazi, mjomba
	nephew_niece: nephew, niece, nep, nie, neveu, nièce, sobrino, sobrina, mpwa
	cousin: cou, cousine, primo, prima, binamu
	other_relative: exm, exf, extended family, relative, other relative, autre parent, otro pariente, قريب, قريبة, jamaa
	unrelated: not related, non relative, no relation, friend, neighbour, neighbor, sans lien, sin parentesco, لا توجد قرابة, rafiki
	not_member: non_beneficiary, non beneficiary, not a family member
	other: autre, otro, otra, أخرى, اخرى, nyingine`)

// ParseRelation returns the code of a relation to the head of the household, as
// HOPE, proGres and lists in five languages write it.
func ParseRelation(text string) (code string, ok bool) { return relations().find(text) }

// Relations lists the codes of relations.
func Relations() []string { return relations().all() }

var documentTypes = codes(`
	national_id: national id, national identity card, identity card, id card, id, nid, national_id_no, carte d'identité, carte nationale d'identité, cni, cédula, cédula de identidad, documento de identidad, dni, tazkira, بطاقة الهوية, هوية, رقم وطني, الرقم الوطني, البطاقة الشخصية, kitambulisho, kitambulisho cha taifa
	passport: national_passport, national passport, passeport, pasaporte, جواز سفر, جواز, pasipoti
	birth_certificate: birth certificate, acte de naissance, extrait de naissance, partida de nacimiento, acta de nacimiento, شهادة ميلاد, cheti cha kuzaliwa
	driving_licence: drivers_license, driver's license, driving license, driving licence, permis de conduire, licencia de conducir, رخصة قيادة, leseni
	voter: electoral_card, electoral card, voter card, voter id, carte d'électeur, tarjeta electoral, بطاقة ناخب
	tax: tax_id, tax id, tin, nif, rfc
	residence_permit: residence_permit_no, residence permit, titre de séjour, permiso de residencia, إقامة, اقامة
	unhcr_id: unhcr id, unhcr, unhcr registration, proof of registration, case number, individual number, مفوضية
	scope_id: scope, wfp scope
	health_card: health card, carte de santé, vaccination card
	other: other_id, autre, otro, أخرى, nyingine`)

// ParseDocumentType returns the code of a kind of document.
func ParseDocumentType(text string) (code string, ok bool) { return documentTypes().find(text) }

// DocumentTypes lists the codes of kinds of documents.
func DocumentTypes() []string { return documentTypes().all() }
