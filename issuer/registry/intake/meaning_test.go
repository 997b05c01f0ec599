package intake_test

import (
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
