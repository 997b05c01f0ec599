package registry

import (
	"slices"
	"strconv"
	"strings"
)

// Keys are what a person is found by without reading her record: each document,
// the skeleton of each name with the year of birth, each telephone, and the skeleton
// of each word of a name.
//
// Two people who share a document or a name and year may be one; a telephone is
// shared by whole camps and a word of a name by thousands: those find people only.
func Keys(p Person) []Key {
	keys := []Key{}
	add := func(k Key) {
		if k.Text != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, d := range p.Documents {
		add(DocumentKey(d))
	}
	if p.Birth != nil {
		if year, ok := p.Birth.Year(); ok {
			for _, n := range p.Names {
				add(NameYearKey(n.Text, year))
			}
		}
	}
	for _, c := range p.Contacts {
		add(phoneKey(c))
	}
	for _, n := range p.Names {
		for _, k := range NameKeys(n.Text) {
			add(k)
		}
	}
	return keys
}

// mostNameKeys bounds the words of one name that it is found by.
const mostNameKeys = 8

// NameKeys are what a name is found by when the year of birth is not known: one key
// for each word of it that has letters, in any spelling and script that Skeleton hears.
func NameKeys(name string) (keys []Key) {
	for word := range strings.FieldsSeq(Skeleton(name)) {
		k := Key{Kind: KeyName, Text: word}
		if !slices.Contains(keys, k) && len(keys) < mostNameKeys {
			keys = append(keys, k)
		}
	}
	return keys
}

// NameYearKey is what a name and a year of birth are found by; zero when the name
// has no letters.
func NameYearKey(name string, year int) Key {
	s := Skeleton(name)
	if s == "" {
		return Key{}
	}
	return Key{Kind: KeyNameYear, Text: s + "|" + strconv.Itoa(year)}
}
