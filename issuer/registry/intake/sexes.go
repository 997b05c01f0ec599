package intake

import (
	"fmt"
	"strings"

	"aidpass/issuer/registry"
)

// M is a man in most lists, and a woman where H is hombre and M mujer. No row tells
// by itself which, so the whole column is looked at.

// letters counts what the values of a column show of whom it calls M.
type letters struct {
	h, f, m int // the letters
	women   int // words for women that do not begin with m, so that M is nobody of them
	men     int // words for men that begin with m
}

func (l *letters) see(v string) {
	switch w := registry.Fold(v); {
	case w == "h":
		l.h++
	case w == "f":
		l.f++
	case w == "m":
		l.m++
	case w != "":
		switch sex, _ := registry.ParseSex(v); {
		case sex == registry.Female && !strings.HasPrefix(w, "m"):
			l.women++
		case sex == registry.Male && strings.HasPrefix(w, "m"):
			l.men++
		}
	}
}

func (l *letters) decide() Order {
	others := l.f + l.women + l.men
	switch {
	case l.h > 0 && others == 0:
		return HombreM
	case l.h > 0 && l.m == 0:
		return MaleF
	}
	return ""
}

// sure is false: a later F changes what an M was.
func (l *letters) sure() bool { return false }

// manyM is how many M and no other letter make a column one to be asked about. A
// list of two men is no sign.
const manyM = 3

func (l *letters) ask(c ColumnPlan) (string, Order) {
	others := l.f + l.women + l.men
	const both = "answer hm where M is a woman (mujer), mf where M is a man (male, masculin, masculino)"
	switch {
	case l.m == 0:
	case l.h > 0 && others > 0:
		return fmt.Sprintf("column %q has H, M and F: whom does M mean? %s", c.Column, both), HombreM
	case l.h == 0 && others == 0 && (iberian[fold(c.Column)] || l.m >= manyM):
		return fmt.Sprintf("column %q has M and neither F nor H: whom does M mean? %s", c.Column, both), HombreM
	}
	return "", ""
}

// iberian are headers of lists in which M may be mujer.
var iberian = wordSet("sexo|genero|sexo genero|sexo h m|sexo m h|sexo biologico")

// readSex reads a cell of the column of sexes by its order.
func (l *lens) readSex(v string) (code string, ok bool) {
	switch letter := registry.Fold(v); {
	case l.letters == "" || registry.Doubted(v):
	case letter == "h":
		return registry.Male, true
	case letter == "m" && l.letters == HombreM:
		return registry.Female, true
	}
	return registry.ParseSex(v)
}
