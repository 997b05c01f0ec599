package intake_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
	"aidpass/issuer/registry/roster"
)

func TestABirthThatNobodyKnowsIsAnAnswer(t *testing.T) {
	var store registrytest.Store
	for i, said := range []string{"unknown", "inconnu", "غير معروف", "desconocido", "haijulikani"} {
		id := string(rune('1' + i))
		must(t, &store, write(t, "a.csv", "individual_id,full_name,birth_date\n"+id+",Amina Hassan "+id+","+said+"\n"), intake.Options{})
		persons, _ := people(t, &store)
		if b := persons[id].Birth; b == nil || b.Precision != registry.PrecisionUnknown || b.EDTF != "" {
			t.Errorf("%q: %+v", said, b)
		}
	}
	in := must(t, &store, write(t, "b.csv", "individual_id,full_name,birth_date\n1,Amina Hassan 1,1987-05-12\n"), intake.Options{})
	if got := in.counts(); got != " 1=0+1+0+0" {
		t.Errorf("a birth that became known: %s", got)
	}
	in = must(t, &store, write(t, "c.csv", "individual_id,full_name,birth_date\n1,Amina Hassan 1,inconnue\n2,Amina Hassan 2,n/a\n"), intake.Options{})
	persons, _ := people(t, &store)
	if got := in.counts(); got != " 2=0+0+2+0" || persons["1"].Birth.EDTF != "1987-05-12" {
		t.Errorf("a known birth is not forgotten: %s, %+v", got, persons["1"].Birth)
	}
}

// asks returns what a list leaves open.
func asks(t *testing.T, path string, answers ...string) []intake.Ask {
	t.Helper()
	var store registrytest.Store
	_, err := try(t, &store, path, intake.Options{}, answers...)
	var q *intake.Question
	if err != nil && !errors.As(err, &q) {
		t.Fatal(err)
	}
	if q == nil {
		return nil
	}
	return q.Asks
}

func TestWhomAListCallsM(t *testing.T) {
	list := func(header string, sexes ...string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "individual_id,full_name,%s\n", header)
		for i, s := range sexes {
			fmt.Fprintf(&b, "%d,Sam Number %c,%s\n", i, 'a'+i, s)
		}
		return write(t, "list.csv", b.String())
	}
	for name, c := range map[string]struct {
		path   string
		answer string
		want   string // "?": a question
	}{
		"hombre and mujer":           {list("Sexo", "H", "M", "m"), "", "mff"},
		"homme and femme":            {list("Sexe", "H", "F", "F"), "", "mff"},
		"masculino and femenino":     {list("Sexo", "M", "F", "M"), "", "mfm"},
		"M alone under sexo":         {list("Sexo", "M"), "", "?"},
		"M alone under sexo, mujer":  {list("Sexo", "M", "M"), "sex=Sexo,hm", "ff"},
		"M alone under sexo, man":    {list("Sexo", "M", "M"), "sex=Sexo,mf", "mm"},
		"nothing but M":              {list("Sex", "M", "M", "M", "M"), "", "?"},
		"nothing but M, answered":    {list("Sex", "M", "M", "M", "M"), "sex=Sex,MF", "mmmm"},
		"M and words for women":      {list("Sexo", "M", "femenino"), "", "mf"},
		"all three":                  {list("Sexo", "H", "M", "F"), "", "?"},
		"codes of words":             {list("Sexo", "hombre", "mujer"), "", "mf"},
		"two men of an English list": {list("Sex", "M", "M"), "", "mm"},
	} {
		var answers []string
		if c.answer != "" {
			answers = append(answers, c.answer)
		}
		open := asks(t, c.path, answers...)
		if c.want == "?" {
			if len(open) != 1 || open[0].Field != intake.Sex {
				t.Errorf("%s: asked %+v", name, open)
			}
			continue
		}
		var store registrytest.Store
		in := must(t, &store, c.path, intake.Options{}, answers...)
		persons, _ := people(t, &store)
		got := ""
		for i := range len(persons) {
			got += persons[fmt.Sprint(i)].Sex
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q (%v)", name, got, c.want, in.found(intake.Reject))
		}
	}
}

func TestAnAnswerCanBePasted(t *testing.T) {
	for answer, want := range map[string]string{
		"registered=Date,dmy":                  "--column 'registered=Date,dmy'",
		"registered=Date d'enregistrement,dmy": `--column "registered=Date d'enregistrement,dmy"`,
		"ext=what's \"$x\" `in` C:\\":          "--column \"ext=what's \\\"\\$x\\\" \\`in\\` C:\\\\\"",
	} {
		if got := intake.ColumnFlag(answer); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestARowOfAFormThatHangsOnNothing(t *testing.T) {
	var data bytes.Buffer
	b := intake.NewWorkbook(&data)
	for _, s := range []struct {
		name string
		rows [][]string
	}{
		{"Registration", [][]string{{"hh_size", "camp", "_id", "_uuid", "_index"}, {"2", "Kakuma", "11", "aa-1", "1"}, {"4", "Kakuma", "12", "", "2"}}},
		{"members", [][]string{{"full_name", "sex", "_index", "_parent_table_name", "_parent_index"}, {"Amina Ali", "f", "1", "Registration", "1"}, {"Musa Ali", "m", "2", "Registration", "7"}, {"Hawa Ali", "f", "3", "Registration", "2"}}},
	} {
		if err := b.Sheet(s.name); err != nil {
			t.Fatal(err)
		}
		for _, row := range s.rows {
			if err := b.Row(row...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	var store registrytest.Store
	in := must(t, &store, write(t, "form.xlsx", data.String()), intake.Options{})
	want := []string{"Registration:3:no_identity", "members:3:parent_unknown", "members:4:household_rejected"}
	if got := in.found(intake.Reject); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, f := range in.Findings {
		if f.Code == intake.ParentUnknown && (f.Column != "_parent_index" || f.Value != "7") {
			t.Errorf("%+v", f)
		}
	}
}

// mapped writes what a list of these columns is guessed to be, as COLUMN=FIELD, and its role.
func mapped(t *testing.T, list string) (map[string]intake.Field, intake.Role) {
	t.Helper()
	file, err := roster.OpenFile(write(t, "list.csv", list), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plan, err := intake.Guess(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]intake.Field{}
	for _, c := range plan.Tables[0].Columns {
		out[c.Column] = c.Field
	}
	return out, plan.Tables[0].Role
}

func TestHeadingsAreTakenApart(t *testing.T) {
	rows := "H1,1,head,Amina Ali,F\nH1,2,child,Musa Ali,M\nH2,3,head,Hawa Noor,F\nH2,4,spouse,Said Omar,M\n"
	for _, header := range []string{
		"Ménage n°,N° individu,Lien avec le chef,Nom complet,Sexe",
		"N° du ménage,Numéro de l'individu,Lien avec le chef de ménage,Noms et prénoms,Sexe",
		"Code ménage,Code,Lien de parenté avec le CM,Nom et prénom,Genre",
		"HH No.,No.,Relation to the head of family,Name,Sex",
		"Household code,Member no.,Link to HoH,Full name,Sex",
		"Hogar Nº,Nº de persona,Relación con el jefe del hogar,Nombre y apellidos,Sexo",
		"Código del hogar,Núm. miembro,Parentesco con la jefa de hogar,Nombre completo,Sexo",
		"Nº do agregado familiar,Código do membro,Grau de parentesco com o chefe,Nome completo,Sexo",
		"رقم الأسرة,رقم الفرد,العلاقة برب الأسرة,الاسم الكامل,الجنس",
		"Namba ya kaya,Nambari ya mtu,Uhusiano na mkuu wa kaya,Jina kamili,Jinsi",
	} {
		got, role := mapped(t, header+"\n"+rows)
		names := strings.Split(header, ",")
		for i, want := range []intake.Field{intake.HouseholdID, intake.PersonID, intake.Relation, intake.FullName, intake.Sex} {
			if got[names[i]] != want {
				t.Errorf("%q is %s, want %s", names[i], got[names[i]], want)
			}
		}
		if role != intake.PeopleInHouses {
			t.Errorf("%q: %s", header, role)
		}
	}
	// What a heading leaves open its values tell: relations with a head among them, codes of places.
	got, role := mapped(t, "Record No,Family,Rel,Name,Village code,District code,Date registered,Faith\n"+
		"VH-1,1,Head,Amina Ali,KE007001,KE007,2026-01-02,a\nVH-2,1,Child,Musa Ali,KE007001,KE007,2026-01-02,b\nVH-3,2,Head,Hawa Noor,KE007002,KE007,2026-01-03,a\nVH-4,2,Spouse,Said Omar,KE007002,KE007,2026-01-04,b\n")
	for header, want := range map[string]intake.Field{"Record No": intake.PersonID, "Family": intake.HouseholdID, "Rel": intake.Relation, "Village code": intake.PCode, "District code": intake.Ext, "Date registered": intake.Registered, "Faith": intake.Private} {
		if got[header] != want {
			t.Errorf("%q is %s, want %s", header, got[header], want)
		}
	}
	if role != intake.PeopleInHouses {
		t.Errorf("by its values it is %s", role)
	}
	got, _ = mapped(t, "id,name,sex,Rel,Token\n1,Amina Ali,F,Catholic,KE07\n2,Musa Ali,M,Muslim,KE08\n3,Hawa Noor,F,Muslim,KE09\n")
	if got["Rel"] != intake.Ext || got["Token"] != intake.Ext {
		t.Errorf("neither a relation nor a place: %v", got)
	}
	got, _ = mapped(t, "id,full_name,sex,Number of persons,Code postal,Numéro du chef\n1,Amina Ali,F,3,75,12\n2,Musa Ali,M,4,76,13\n")
	if got["Code postal"] != intake.Ext || got["Numéro du chef"] != intake.Ext || got["Number of persons"] == intake.PersonID {
		t.Errorf("%v", got)
	}
	got, _ = mapped(t, "Ménage n°,Chef de ménage,Taille du ménage\nM1,Amina Ali,4\nM2,Musa Noor,2\n")
	if got["Chef de ménage"] != intake.FullName {
		t.Errorf("the head is named: %v", got)
	}
}

func TestAListWhoseNumbersNobodyKnowsIsAsked(t *testing.T) {
	list := write(t, "list.csv", "Foyers,Réf bénéf,Nom complet,Sexe\nM-1,B1,Amina Ali,F\nM-1,B2,Musa Ali,M\nM-2,B3,Hawa Noor,F\nM-2,B4,Said Omar,M\n")
	open := asks(t, list)
	if len(open) != 2 || open[0].Field != intake.PersonID || open[1].Field != intake.HouseholdID || open[0].Answer != "person_id=Réf bénéf" || open[1].Answer != "household_id=Foyers" {
		t.Fatalf("%+v", open)
	}
	var store registrytest.Store
	in := must(t, &store, list, intake.Options{}, open[0].Answer, open[1].Answer)
	if got := in.counts(); got != " 4=4+0+0+0" || store.Len(registry.KindHousehold) != 2 || in.Tables[0].Role != intake.PeopleInHouses {
		t.Errorf("%s, %d households, %s", got, store.Len(registry.KindHousehold), in.Tables[0].Role)
	}
	var alone registrytest.Store
	if in := must(t, &alone, list, intake.Options{}, "person_id=", "household_id="); in.Total().Created != 4 || alone.Len(registry.KindHousehold) != 0 {
		t.Errorf("%s", in.counts())
	}
	related := asks(t, write(t, "r.csv", "individual_id,full_name,relationship\n1,Amina Ali,head\n2,Musa Ali,child\n"))
	if len(related) != 1 || related[0].Field != intake.HouseholdID {
		t.Errorf("%+v", related)
	}
	if open := asks(t, write(t, "n.csv", "full_name,sex\nAmina Ali,F\nMusa Ali,M\n")); open != nil {
		t.Errorf("a list of names has no numbers: %+v", open)
	}
}

func TestARoleThatIsWrongNamesItsCure(t *testing.T) {
	list := write(t, "list.csv", "H,P,Nom complet,Sexe\nM-1,B1,Amina Ali,F\nM-1,B2,Musa Ali,M\nM-2,B3,Hawa Noor,F\nM-2,B4,Said Omar,M\n")
	var store registrytest.Store
	in := must(t, &store, list, intake.Options{}, "household_id=H", "person_id=P", "role=people")
	if in.Total().Rejected != 4 || !strings.Contains(in.Findings[0].Fix, "--column 'role=people_with_households'") {
		t.Errorf("%s %+v", in.counts(), in.Findings)
	}
}

func TestWhoWasErasedDoesNotComeBackUnasked(t *testing.T) {
	var store registrytest.Store
	list := write(t, "list.csv", "individual_id,household_id,full_name,sex\n1,H1,Amina Ali,F\n2,H1,Musa Ali,M\n")
	must(t, &store, list, intake.Options{Source: "camp"})
	var her registry.ID
	if err := store.View(t.Context(), func(v registry.View) (err error) {
		her, _, err = v.Find(registry.KindPerson, "camp", "1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := store.Erase(t.Context(), registrar, her, "asked"); err != nil {
		t.Fatal(err)
	}
	newer := write(t, "newer.csv", "individual_id,household_id,full_name,sex\n1,H1,Amina Ali,F\n2,H1,Musa Ali,M\n3,H1,Hawa Ali,F\n")
	in := must(t, &store, newer, intake.Options{Source: "camp"})
	if got := in.found(intake.Reject); !slices.Equal(got, []string{"2:record_erased"}) || in.Total().Created != 1 || !strings.Contains(in.Findings[0].Fix, "--take-erased") {
		t.Errorf("%q %s", got, in.counts())
	}
	if in := must(t, &store, list, intake.Options{Source: "another"}); in.Total().Created != 2 {
		t.Errorf("the same number of another list: %s", in.counts())
	}
	if in := must(t, &store, newer, intake.Options{Source: "camp", TakeErased: true}); in.Total().Created != 1 || in.Total().Rejected != 0 {
		t.Errorf("she asked: %s", in.counts())
	}
	if in := must(t, &store, newer, intake.Options{Source: "camp"}); in.Total().Duplicate != 3 {
		t.Errorf("she is on record again: %s", in.counts())
	}
}

func TestWhatCanHurtIsLeftOut(t *testing.T) {
	for header, value := range map[string]string{
		"Compte bancaire": "12", "Mobile money": "yes", "M-Pesa number": "07", "Bank account": "1", "Observations": "jambe cassée", "Notes": "GB82 WEST 1234 5698 7654 32",
		"Remarks": "-1.29210, 36.82190", "Comentarios": "está embarazada", "حساب بنكي": "x", "Handicap": "non", "Maoni": "mgonjwa",
	} {
		if got, _ := mapped(t, "individual_id,full_name,sex,"+header+"\n1,Amina Ali,F,\"\"\n2,Musa Ali,M,\""+value+"\"\n"); got[header] != intake.Private {
			t.Errorf("%q with %q is %s", header, value, got[header])
		}
	}
	for header, value := range map[string]string{"Shelter": "S 12", "Notes": "came with her aunt", "Reference": "GB82 WEST 1234 5698 7654 33", "Near": "Centre de santé"} {
		if got, _ := mapped(t, "individual_id,full_name,sex,"+header+"\n1,Amina Ali,F,\"\"\n2,Musa Ali,M,\""+value+"\"\n"); got[header] != intake.Ext {
			t.Errorf("%q with %q is %s", header, value, got[header])
		}
	}
}
