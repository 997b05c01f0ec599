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
