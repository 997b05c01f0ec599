package trial

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A Role is what a column of a list holds.
type Role string

// The roles.
const (
	Given     Role = "given"
	Family    Role = "family"
	Between   Role = "between" // father's, grandfather's, middle names
	Name      Role = "name"    // all of it in one text
	Sex       Role = "sex"
	Birth     Role = "birth"
	Year      Role = "year" // of birth, where it stands alone; so Month, Day
	Month     Role = "month"
	Day       Role = "day"
	Document  Role = "document"
	Phone     Role = "phone"
	Email     Role = "email"
	Area      Role = "area" // a code: p-code, postcode
	Place     Role = "place"
	Address   Role = "address" // several columns are read as one
	Household Role = "household"
	ID        Role = "id"     // of the row
	Person    Role = "person" // the truth: whose row it is
)

// Roles are all of them.
var Roles = []Role{Given, Family, Between, Name, Sex, Birth, Year, Month, Day, Document, Phone, Email, Area, Place, Address, Household, ID, Person}

// headers are what lists call their columns: letters and digits alone, in small letters.
var headers = map[Role][]string{
	Given:     {"given", "givenname", "firstname", "forename", "fname", "fnamec1", "prenom", "nombre", "nombres", "primernombre", "givennameic", "givennamelatin"},
	Family:    {"family", "familyname", "surname", "lastname", "lname", "lnamec1", "nomdefamille", "apellido", "apellidos", "familynameic"},
	Between:   {"middlename", "fathername", "fathersname", "grandfathername", "middlenameic", "nomdupere"},
	Name:      {"name", "fullname", "fullnameic", "latin", "nom", "nomcomplet", "nombrecompleto", "jina", "الاسم", "الاسمالكامل"},
	Sex:       {"sex", "gender", "genderic", "sexe", "sexo", "jinsia", "الجنس"},
	Birth:     {"birth", "born", "birthdate", "dateofbirth", "dob", "birthdateic", "datedenaissance", "fechadenacimiento", "تاريخالميلاد"},
	Year:      {"by", "birthyear", "yearofbirth", "anneedenaissance"},
	Month:     {"bm", "birthmonth"},
	Day:       {"bd", "birthday"},
	Document:  {"document", "documentnumber", "nationalid", "nationalidno", "idnumber", "passport", "passportno", "ssn", "socsecid", "unhcrid"},
	Phone:     {"phone", "phonenumber", "phoneno", "telephone", "mobile", "tel", "phonenoic"},
	Email:     {"email", "mail", "emailaddress"},
	Area:      {"pcode", "postcode", "postalcode", "zip", "zipcode", "adm2code", "adm3code"},
	Place:     {"place", "site", "camp", "city", "town", "village", "suburb", "ville", "ciudad"},
	Address:   {"streetnumber", "street", "address", "address1", "address2", "adresse", "direccion"},
	Household: {"household", "householdid", "hhid", "familyid"},
	ID:        {"id", "recid", "recordid", "uniqueid", "rowid"},
	Person:    {"person", "personid", "cluster", "clusterid", "entid", "entity", "entityid", "identity", "trueid", "arabic"},
}

// Columns say by role which columns of a list hold it.
type Columns map[Role][]string

// Guess finds the columns by what lists call them, in the order of the header. The
// first that fits is taken; of an address all.
func Guess(header []string) Columns {
	c := Columns{}
	for _, name := range header {
		plain := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, name)
		for _, role := range Roles {
			if slices.Contains(headers[role], plain) && (len(c[role]) == 0 || role == Address || role == Between) {
				c[role] = append(c[role], name)
			}
		}
	}
	return c
}

// Set sets what a column holds, as "role=column"; "role=" takes a role off, and more
// than one column is written with commas. header are the columns there are.
func (c Columns) Set(text string, header []string) error {
	name, columns, ok := strings.Cut(text, "=")
	role := Role(strings.TrimSpace(name))
	if !ok || !slices.Contains(Roles, role) {
		return fmt.Errorf("trial: a column is given as ROLE=COLUMN, with one of the roles %s", joined(Roles))
	}
	delete(c, role)
	for column := range strings.SplitSeq(columns, ",") {
		if column = strings.TrimSpace(column); column == "" {
			continue
		}
		if !slices.Contains(header, column) {
			return fmt.Errorf("trial: the list has no column %q for %s: it has %s", column, role, strings.Join(header, ", "))
		}
		c[role] = append(c[role], column)
	}
	return nil
}

func joined(roles []Role) string {
	texts := make([]string, len(roles))
	for i, r := range roles {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}

// compared reports whether a role is one that people are compared by.
func (c Columns) compared() (roles []Role) {
	for _, r := range Roles {
		if len(c[r]) > 0 && r != ID && r != Person && r != Household {
			roles = append(roles, r)
		}
	}
	return roles
}
