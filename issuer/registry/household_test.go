package registry_test

import (
	"slices"
	"testing"

	"aidpass/issuer/registry"
)

func TestWhatDoesNotFitTogether(t *testing.T) {
	member := func(relation, birth string) registry.Member {
		m := registry.Member{ID: registry.NewID(), Person: registry.Person{Relation: relation}}
		if birth != "" {
			m.Birth = &registry.Birth{EDTF: birth}
		}
		return m
	}
	head, wife, child := member(registry.Head, "1980"), member(registry.Spouse, "1985-03-02"), member(registry.Child, "2010")
	family := []registry.Member{head, wife, child}
	for name, c := range map[string]struct {
		h       registry.Household
		members []registry.Member
		codes   []string
		blocked bool
	}{
		"a family":                         {registry.Household{Size: 3}, family, nil, false},
		"only counted":                     {registry.Household{Size: 4, Bands: map[string]int{"f_18_59": 2, "m_0_4": 2, "pregnant": 1}}, nil, nil, false},
		"counts that do not add up":        {registry.Household{Size: 5, Bands: map[string]int{"f_18_59": 2, "m_60p": 1}}, nil, []string{registry.HouseholdBands}, false},
		"a count below zero":               {registry.Household{Bands: map[string]int{"f_0_4": -1}}, nil, []string{registry.HouseholdBands}, true},
		"below zero":                       {registry.Household{Size: -2}, nil, []string{registry.HouseholdSize}, true},
		"a camp":                           {registry.Household{Size: 400}, nil, []string{registry.HouseholdSize}, true},
		"one is missing":                   {registry.Household{Size: 4}, family, []string{registry.HouseholdMembers}, false},
		"one missing of a partial list":    {registry.Household{Size: 4, CollectType: "partial"}, family, nil, false},
		"a fetcher does not count":         {registry.Household{Size: 3}, append(slices.Clone(family), member(registry.NoRelation, "1990")), nil, false},
		"two heads":                        {registry.Household{}, []registry.Member{head, member(registry.Head, "1970")}, []string{registry.HouseholdHeads}, false},
		"no head":                          {registry.Household{}, []registry.Member{wife}, []string{registry.HouseholdNoHead}, false},
		"a child heads":                    {registry.Household{}, []registry.Member{member(registry.Head, "2014")}, []string{registry.HouseholdHeadAge}, false},
		"a head of perhaps fifteen":        {registry.Household{}, []registry.Member{member(registry.Head, "2011")}, nil, false},
		"a spouse of ten":                  {registry.Household{}, []registry.Member{head, member(registry.Spouse, "2016")}, []string{registry.HouseholdSpouse}, false},
		"a child as old as her father":     {registry.Household{}, []registry.Member{head, member(registry.Child, "1975")}, []string{registry.HouseholdChild}, false},
		"a mother of the head, younger":    {registry.Household{}, []registry.Member{head, member("parent", "1990")}, []string{registry.HouseholdChild}, false},
		"a child of a man of seventy":      {registry.Household{}, []registry.Member{member(registry.Head, "1930"), member(registry.Child, "2005")}, []string{registry.HouseholdChild}, false},
		"births unknown":                   {registry.Household{}, []registry.Member{member(registry.Head, ""), member(registry.Child, "")}, nil, false},
		"a focal point from nowhere":       {registry.Household{FocalPoint: registry.NewID().String()}, family, []string{registry.HouseholdFocal}, false},
		"a focal point who collects":       {registry.Household{FocalPoint: "x", Collectors: []registry.Collector{{Person: "x", Role: registry.Primary}}}, family, nil, false},
		"a child collects":                 {registry.Household{Collectors: []registry.Collector{{Person: child.ID.String()}}}, family, []string{registry.HouseholdCollects}, false},
		"a child whose right was ended":    {registry.Household{Collectors: []registry.Collector{{Person: child.ID.String(), Revoked: "2026-01-01"}}}, family, nil, false},
		"the record names the head itself": {registry.Household{Head: wife.ID.String()}, []registry.Member{wife}, nil, false},
	} {
		issues := registry.Check(c.h, c.members, today)
		if !slices.Equal(codesOf(issues), c.codes) || registry.Blocked(issues) != c.blocked {
			t.Errorf("%s: %v", name, issues)
		}
	}
}

func TestSizesAsListsWriteThem(t *testing.T) {
	for text, want := range map[string]int{"5": 5, "5.0": 5, "٥": 5, " 12 ": 12, "60": 60, "": 0, "unknown": 0} {
		if got, issues := registry.ParseSize(text); got != want || len(issues) > 0 {
			t.Errorf("%q is %d, %v", text, got, issues)
		}
	}
	for _, text := range []string{"0", "-1", "61", "9999", "five", "5.5", "1e3", "99999999999"} {
		if got, issues := registry.ParseSize(text); got != 0 || !registry.Blocked(issues) {
			t.Errorf("%q is %d, %v", text, got, issues)
		}
	}
}
