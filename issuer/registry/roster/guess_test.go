package roster_test

import (
	"maps"
	"testing"

	"aidpass/issuer/registry/roster"
)

func TestGuess(t *testing.T) {
	const (
		id, household, full, given, middle, family = roster.PersonID, roster.HouseholdID, roster.FullName, roster.GivenName, roster.MiddleName, roster.FamilyName
		birth, sex, size, photo                    = roster.BirthDate, roster.Sex, roster.HouseholdSize, roster.PhotoID
	)
	tests := []struct {
		name   string
		header []string
		want   roster.Mapping
	}{
		{"English", []string{"ID", "Household ID", "Full Name", "Date of Birth", "Sex", "Household size", "Photo ID"},
			roster.Mapping{id: "ID", household: "Household ID", full: "Full Name", birth: "Date of Birth", sex: "Sex", size: "Household size", photo: "Photo ID"}},
		{"a short list", []string{"name", "dob", "household"}, roster.Mapping{full: "name", birth: "dob"}},
		{"first and last", []string{"First name", "Last name"}, roster.Mapping{given: "First name", family: "Last name"}},
		{"HOPE individuals", []string{"household_id", "age", "full_name_i_c", "given_name_i_c", "middle_name_i_c", "family_name_i_c", "gender_i_c", "birth_date_i_c", "photo_i_c"},
			roster.Mapping{household: "household_id", full: "full_name_i_c", given: "given_name_i_c", middle: "middle_name_i_c", family: "family_name_i_c", sex: "gender_i_c", birth: "birth_date_i_c", photo: "photo_i_c"}},
		{"HOPE households", []string{"household_id", "size_h_c"}, roster.Mapping{household: "household_id", size: "size_h_c"}},
		{"HOPE people", []string{"pp_index_id", "pp_full_name_i_c", "pp_gender_i_c"}, roster.Mapping{id: "pp_index_id", full: "pp_full_name_i_c", sex: "pp_gender_i_c"}},
		{"French, the family's name alone", []string{"N°", "Numéro d'enregistrement", "Nom", "Prénom", "Date de naissance", "Sexe", "Taille du ménage"},
			roster.Mapping{id: "Numéro d'enregistrement", family: "Nom", given: "Prénom", birth: "Date de naissance", sex: "Sexe", size: "Taille du ménage"}},
		{"French, the whole name", []string{"nom", "id ménage"}, roster.Mapping{full: "nom", household: "id ménage"}},
		{"Spanish", []string{"Nombre", "Apellidos", "Fecha de nacimiento", "Tamaño del hogar", "Género"},
			roster.Mapping{given: "Nombre", family: "Apellidos", birth: "Fecha de nacimiento", size: "Tamaño del hogar", sex: "Género"}},
		{"Arabic, with and without marks", []string{"رقم الفرد", "رَقْم الأسرة", "الاسم الكامل", "تاريخ الميلاد", "الجنس", "عدد أفراد الأسرة"},
			roster.Mapping{id: "رقم الفرد", household: "رَقْم الأسرة", full: "الاسم الكامل", birth: "تاريخ الميلاد", sex: "الجنس", size: "عدد أفراد الأسرة"}},
		{"nothing known", []string{"x", "", "#org"}, roster.Mapping{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := roster.Guess(tt.header); !maps.Equal(got, tt.want) {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestNameAndKeyOfARow(t *testing.T) {
	const data = "id,hh id,full name,first name,last name,dob\n" +
		"P-1,H-1,Amina Warsame,,,1990\n" +
		",H-1, ,Musa,,1991\n" +
		",H-1,,Ali,  Nur ,1991\n" +
		",,,,,1991\n"
	got, err := read(file(t, "list.csv", data), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := roster.Guess(got.header)
	want := []struct {
		name, key string
		by        roster.Field
	}{
		{"Amina Warsame", "P-1", roster.PersonID},
		{"Musa", "H-1\x1fmusa\x1f1991", roster.FullName},
		{"Ali Nur", "H-1\x1fali nur\x1f1991", roster.FullName},
		{"", "", ""},
	}
	for i, row := range got.rows {
		key, by := m.Key(row)
		if name := m.Name(row); name != want[i].name || key != want[i].key || by != want[i].by {
			t.Errorf("row %d: %q, %q by %q, want %q", row.Number, name, key, by, want[i])
		}
	}
}
