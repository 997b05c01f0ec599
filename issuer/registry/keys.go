package registry

import (
	"slices"
	"strconv"
)

// Keys are what a person is found by without reading her record: each document,
// the skeleton of each name with the year of birth, each telephone.
//
// Two people who share a document or a name and year may be one; a telephone is
// shared by whole camps, and finds people only.
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
