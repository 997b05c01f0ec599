package intake

import (
	"regexp"
	"slices"
	"strings"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// Lists write "N° individu", "No. of household", "code du ménage" or "رقم الأسرة" in
// more ways than can be listed. A heading is taken apart into what it says: a word for
// a number, and of what; a word for a relation, and to whom. Any other word in it
// makes it a heading of something else.

// The kinds of words in headings, in English, French, Spanish, Portuguese, Arabic and
// Swahili, folded: "n°" is folded to n, "nº" to no. Words for people are in the
// singular: the number of persons is a count.
var (
	wordsOfNumber = wordSet("n|no|nr|nb|num|nro|nbr|numero|number|code|cod|codigo|id|ident|identifiant|identificador|identifier|matricule|ref|reference|referencia|" +
		"رقم|كود|رمز|معرف|namba|nambari|na|msimbo|kitambulisho")
	wordsOfHouse = wordSet("household|hh|menage|mng|foyer|famille|family|hogar|familia|agregado|familiar|unidad|kaya|الاسره|اسره|العائله|عائله|الاسريه")
	wordsOfOne   = wordSet("individual|person|member|beneficiary|participant|individu|individuel|personne|membre|beneficiaire|persona|individuo|individual|miembro|beneficiario|" +
		"integrante|pessoa|membro|mtu|mwanachama|mnufaika|mwanakaya|الفرد|فرد|الشخص|المستفيد|العضو")
	wordsOfRecord   = wordSet("record|rec|entry|fiche|enregistrement|ficha|registro|السجل|سجل|القيد|قيد|rekodi")
	wordsOfRelation = wordSet("lien|parente|parentesco|grau|relation|relationship|relacion|relacao|vinculo|link|uhusiano|صله|القرابه|قرابه|العلاقه|علاقه|صله")
	wordsOfHead     = wordSet("chef|chefe|cm|jefe|jefa|jefatura|jefe a|cabeza|cabeca|head|hoh|hhh|responsable|responsavel|mkuu|kiongozi|رب|برب|ربه|لرب|بربه")
	wordsBetween    = wordSet("of|the|to|de|du|des|d|da|do|das|dos|del|la|le|l|les|el|los|las|a|au|o|os|as|con|com|avec|ao|y|e|et|ya|wa|na|kwa|cha|مع|الى|من|في")
)

// heading guesses by the words of a header, and says how sure that is.
func (s *sample) heading(c roster.Column) (Field, int) {
	name := c.Name
	if i := strings.LastIndexByte(name, '/'); i >= 0 && i+1 < len(name) && !strings.Contains(name, " ") {
		name = name[i+1:]
	}
	name = strings.NewReplacer("'", " ", "’", " ").Replace(name) // l'individu
	if f, sure := headingOf(name); f != Ext {
		return f, sure
	}
	return headingOf(splitCamel(name))
}

func headingOf(name string) (Field, int) {
	var number, house, one, relation, head, other int
	for word := range strings.FieldsSeq(registry.Fold(name)) {
		switch {
		case wordsOfNumber[word]:
			number++
		case wordsOfHouse[word]:
			house++
		case wordsOfOne[word]:
			one++
		case wordsOfRelation[word]:
			relation++
		case wordsOfHead[word]:
			head++
		case !wordsBetween[word]:
			other++
		}
	}
	switch {
	case other > 0:
	case relation > 0 && number == 0 && one == 0:
		return Relation, 80
	case number > 0 && house > 0 && one+relation+head == 0:
		return HouseholdID, 80
	case number > 0 && one > 0 && relation+head == 0 && house == 0:
		return PersonID, 80
	}
	return Ext, 0
}

// bareNumber gives a column "Code", "N°" or "Record No" to the people whom the table is seen
// to list.
func (s *sample) bareNumber(list []ColumnPlan) {
	has := func(fields ...Field) bool {
		return slices.ContainsFunc(list, func(c ColumnPlan) bool { return slices.Contains(fields, c.Field) })
	}
	if s.coded() || has(PersonID) || !has(aName...) || !has(Sex, BirthDate, Age, Relation, HouseholdID) {
		return
	}
	for i, c := range list {
		words := strings.Fields(registry.Fold(c.Column))
		if c.Field == Ext && len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !wordsOfNumber[w] && !wordsOfRecord[w] && !wordsBetween[w] }) && s.mayNumber(c.Column) {
			list[i].Field, list[i].Sure = PersonID, 60
			return
		}
	}
}

// tellsRelations reports whether values say how people are related to a head, one of whom
// is among them.
func tellsRelations(values []string) bool {
	codes := map[string]bool{}
	related := most(values, func(v string) bool {
		code, ok := registry.ParseRelation(v)
		codes[code] = ok
		return ok
	})
	return related && codes["head"] && len(codes) > 1
}

var placeCode = regexp.MustCompile(`^([A-Z]{2,3})[0-9]{2,12}$`)

// byPlace gives the place to the column whose values are p-codes: of a country's letters,
// under a heading that speaks of places, or with several rows of one place. Of several such
// columns it is the one with the longest codes, which are the most detailed.
func (s *sample) byPlace(list []ColumnPlan) {
	at, longest := -1, 0
	for i, c := range list {
		if c.Field == PCode {
			return
		}
		values := s.cells[c.Column]
		if c.Field != Ext || s.coded() || len(values) < 3 || !ofPlaces(c.Column) && s.distinct(c.Column) {
			continue
		}
		length := 0
		coded := most(values, func(v string) bool {
			m := placeCode.FindStringSubmatch(v)
			if m == nil {
				return false
			}
			_, ok := registry.Country(m[1])
			length = max(length, len(v))
			return ok
		})
		if coded && length > longest {
			at, longest = i, length
		}
	}
	if at >= 0 {
		list[at].Field, list[at].Sure = PCode, 60
	}
}

// ofPlaces reports whether a word of a heading is what places are called.
func ofPlaces(heading string) bool {
	return slices.ContainsFunc(strings.Fields(registry.Fold(heading)), func(w string) bool {
		return slices.Contains([]Field{Admin1, Admin2, Admin3, Admin4, PCode, Site, Address}, known[squeeze(w)])
	})
}

// headNames looks at a column "head of household" that does not say yes or no: it names
// the head, or says how one is related to her.
func (s *sample) headNames(list []ColumnPlan, c *ColumnPlan, values []string) {
	free := func(f Field) bool { return !slices.ContainsFunc(list, func(o ColumnPlan) bool { return o.Field == f }) }
	isAnswer := func(v string) bool { return answers[squeeze(v)] != "" || registry.Placeholder(v) }
	isRelation := func(v string) bool { _, ok := registry.ParseRelation(v); return ok }
	switch {
	case most(values, isAnswer):
	case most(values, isRelation) && free(Relation):
		c.Field, c.Sure = Relation, 50
	case free(FullName) && free(GivenName) && free(FamilyName):
		c.Field, c.Sure = FullName, 60
	default:
		c.Field, c.Sure = Ext, 0
	}
}

// Columns that may hold what nothing else does.

// mayNumber reports whether a column of unknown meaning may number the people: each
// row has another value there, with a digit in it.
func (s *sample) mayNumber(column string) bool {
	values := s.cells[column]
	return s.rows > 1 && len(values) == s.rows && s.distinct(column) && !slices.ContainsFunc(values, notCode)
}

// mayGroup reports whether a column of unknown meaning may number the households:
// values stand in it more than once, most of them in rows that follow each other, and
// each has a digit.
func (s *sample) mayGroup(column string) bool {
	values := s.cells[column]
	if len(values) < 4 || len(values)*5 < s.rows*4 || slices.ContainsFunc(values, notCode) {
		return false
	}
	seen, runs, count := map[string]bool{}, 0, 0
	for i, v := range values {
		if i == 0 || values[i-1] != v {
			if runs++; seen[v] {
				count++ // it stood before, and others since
			}
		}
		seen[v] = true
	}
	return len(seen) >= 2 && len(seen) < len(values) && count*4 <= runs
}

// notCode reports whether a value is none that numbers something.
func notCode(v string) bool {
	return len(v) > 40 || !strings.ContainsAny(strings.Map(western, v), "0123456789") || looksLikePhone(v) || dayMonth.MatchString(v) || strings.Count(v, " ") > 3
}
