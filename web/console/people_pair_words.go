package console

import (
	"html/template"

	"aidpass/issuer/registry"
)

// LevelWord is the key of how a field agrees, for the codes of package match.
func LevelWord(field, level string) string {
	switch field {
	case "birth":
		return "doubles.birth_" + level
	case "document", "phone":
		return "doubles.number_" + level
	}
	return "doubles.level_" + level
}

// strength is how strongly bits speak: from 3, for one person, to -3, for two.
func strength(bits float32) int {
	switch much := max(bits, -bits); {
	case much < 1:
		return 0
	case bits < 0:
		return -strength(-bits)
	case much < 4:
		return 1
	case much < 8:
		return 2
	}
	return 3
}

var speakWords = [...]string{"doubles.speaks_against3", "doubles.speaks_against2", "doubles.speaks_against1", "doubles.speaks_0", "doubles.speaks_for1", "doubles.speaks_for2", "doubles.speaks_for3"}

// reason says how a field of a pair agrees; speaks, how strongly that speaks.
func (p *Page) reason(e registry.Evidence) template.HTML {
	return p.T("doubles.reason", "field", p.T("doubles.field_"+e.Field), "level", p.T(LevelWord(e.Field, e.Level)))
}

func (p *Page) speaks(e registry.Evidence) template.HTML { return p.T(speakWords[strength(e.Bits)+3]) }

// EnglishReason says both as text, for the command line.
func EnglishReason(e registry.Evidence) (reason, speaks string, err error) {
	all, err := readWords()
	if err != nil {
		return "", "", err
	}
	en := all["en"]
	return en["doubles.field_"+e.Field] + ": " + en[LevelWord(e.Field, e.Level)], en[speakWords[strength(e.Bits)+3]], nil
}
