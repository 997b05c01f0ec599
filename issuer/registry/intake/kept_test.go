package intake_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/registrytest"
)

func TestSharingAndTheFaceAreAnsweredWithYesAndNo(t *testing.T) {
	for _, pair := range [][2]string{{"yes", "no"}, {"oui", "non"}, {"sí", "no"}, {"نعم", "لا"}, {"ndiyo", "hapana"}, {"1", "0"}, {"TRUE", "false"}} {
		for _, header := range []string{"id,name,consent_sharing,print_name,photo_on_card", "id,name,share,Nom sur la carte,Photo sur la carte",
			"id,name,Share,الاسم على البطاقة,الصورة على البطاقة", "id,name,data sharing,nombre en la tarjeta,picha kwenye kadi"} {
			var store registrytest.Store
			in := must(t, &store, write(t, "a.csv", header+"\n1,Amina Hassan,"+pair[0]+","+pair[0]+","+pair[1]+"\n2,Musa Ali,"+pair[1]+","+pair[1]+","+pair[0]+"\n3,Sara Omar,,,\n"), intake.Options{})
			if len(in.Findings) > 0 {
				t.Errorf("%s %q: %v", header, pair, in.Findings)
			}
			persons, _ := people(t, &store)
			for id, want := range map[string]struct{ share, name, photo bool }{"1": {true, true, false}, "2": {false, false, true}} {
				p := persons[id]
				if p.CardFace == nil || p.CardFace.Name != want.name || p.CardFace.Photo != want.photo {
					t.Errorf("%s: %s has the face %+v", header, id, p.CardFace)
				}
				for purpose, yes := range map[string]bool{"sharing": want.share, registry.NameOnCard: want.name, registry.PhotoOnCard: want.photo} {
					i := slices.IndexFunc(p.Consents, func(c registry.Consent) bool { return c.Purpose == purpose })
					if i < 0 || p.Consents[i].Given != yes {
						t.Errorf("%s: %s: %s is %+v", header, id, purpose, p.Consents)
					}
				}
			}
			if p := persons["3"]; p.CardFace != nil || len(p.Consents) > 0 {
				t.Errorf("nobody asked 3: %+v", p)
			}
		}
	}
}

func TestWhatNoCardNeedsIsLeftOutUnlessThePlanNamesIt(t *testing.T) {
	const list = "id,name,Religion,ethnicity_i_c,GPS latitude,Is anyone chronically ill?,قبيلة,shoe size,health card\n1,Amina Hassan,Q1,Q2,Q3,Q4,Q5,37,HC9\n"
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", list), intake.Options{})
	persons, _ := people(t, &store)
	if p := persons["1"]; len(p.Ext) != 1 || p.Ext["shoe size"] != "37" || len(p.Documents) != 1 {
		t.Errorf("kept %v %v", p.Ext, p.Documents)
	}
	if len(in.LeftOut) != 5 {
		t.Errorf("left out: %v", in.LeftOut)
	}
	var again registrytest.Store
	must(t, &again, in.path, intake.Options{}, in.LeftOut[0].Answer)
	if persons, _ = people(t, &again); persons["1"].Ext["Religion"] != "Q1" {
		t.Errorf("the plan names it: %v", persons["1"].Ext)
	}
}

func TestAFormOfProGresKeepsNoUnknownsAndNoReligion(t *testing.T) {
	const form = `<UNHCR_RRF><CASE><dataIndividual><IndividualGUID>0a1b</IndividualGUID><IndividualID>I-1</IndividualID><FamilyName>Hassan</FamilyName><GivenName>Amina</GivenName>
<RegistrationDate>2026-05-01T00:00:00</RegistrationDate><DateofBirth>1990-05-12T00:00:00</DateofBirth><DateofBirthEstimate>0</DateofBirthEstimate><BirthCountryCode>U</BirthCountryCode>
<OriginCountryCode>SUD</OriginCountryCode><AsylumCountryCode>-</AsylumCountryCode><SexCode>U</SexCode><MarriageStatusCode>-</MarriageStatusCode><ReligionCode>CHR</ReligionCode>
<EthnicityCode>NUB</EthnicityCode><EducationLevelCode>U</EducationLevelCode></dataIndividual>
<dataIndividualProcessGroup><IndividualProcessingGroupGUID>0c</IndividualProcessingGroupGUID><IndividualGUID>0a1b</IndividualGUID><ProcessingGroupGUID>0d</ProcessingGroupGUID><RelationshipToPrincipalRepresentative>PA</RelationshipToPrincipalRepresentative></dataIndividualProcessGroup>
<dataProcessGroup><ProcessingGroupGUID>0d</ProcessingGroupGUID><ProcessingGroupNumber>C-1</ProcessingGroupNumber><ProcessingGroupSize>1</ProcessingGroupSize></dataProcessGroup></CASE></UNHCR_RRF>`
	var store registrytest.Store
	in := must(t, &store, write(t, "a.xml", form), intake.Options{})
	persons, houses := people(t, &store)
	p := persons["I-1"]
	if p.Origin != "SDN" || p.Sex != "" && p.Sex != registry.NotSaid || len(in.Findings) > 0 {
		t.Errorf("%+v %v", p, in.Findings)
	}
	for name, v := range p.Ext {
		if v == "U" || v == "-" || v == "CHR" || v == "NUB" || strings.Contains(name, "GUID") {
			t.Errorf("kept %s=%s", name, v)
		}
	}
	for name := range houses["C-1"].Ext {
		t.Errorf("kept %s of the household", name)
	}
}

func TestWhatProgramsWriteForNothingIsNothing(t *testing.T) {
	var store registrytest.Store
	in := must(t, &store, write(t, "a.csv", "individual_id,full_name,sex,birth_date,phone,household_size,passport,shoe\n1,Nan,F,NaN,nan,NaN,NaN,NaN\n2,Musa Ali,M,1980-03-02,NaN,-2,#N/A,41\n"), intake.Options{})
	persons, _ := people(t, &store)
	if p := persons["1"]; p.DisplayName() != "Nan" || p.Birth != nil && p.Birth.EDTF != "" || len(p.Contacts)+len(p.Documents)+len(p.Ext) > 0 {
		t.Errorf("%+v", p)
	}
	if got := in.found(intake.Reject); !slices.Equal(got, []string{"3:size_unreadable"}) {
		t.Errorf("-2 people are no household: %q", got)
	}
}

// edit changes a person as a desk does.
func edit(t *testing.T, store *registrytest.Store, number string, p registry.Person) {
	t.Helper()
	err := store.Update(context.Background(), registrar, func(tx registry.Tx) error {
		id, _, err := tx.Find(registry.KindPerson, "", number)
		if err != nil {
			return err
		}
		fields, err := p.Fields()
		if err == nil {
			_, err = tx.Save(registry.Change{ID: id, Fields: fields})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestALaterListDoesNotTakeADesksWorkBack(t *testing.T) {
	const head = "id,name,sex,birth date,phone,village\n"
	var store registrytest.Store
	must(t, &store, write(t, "a.csv", head+"1,Amina Hassan,f,1990-05-12,+254712000001,Dadaab\n2,Musa Ali,m,1980-03-02,+254712000002,Dadaab\n"), intake.Options{})
	edit(t, &store, "1", registry.Person{Names: []registry.Name{{Text: "Aamina Hassan"}}, Sex: "x", Contacts: []registry.Contact{{Kind: "phone", Value: "+254712000009"}}})
	later := head + "1,Amina Hassan,f,1990-05-12,+254712000001,Ifo\n2,Musa Ali,m,1980-03-02,+254712000003,Dadaab\n"
	in := must(t, &store, write(t, "b.csv", later), intake.Options{})
	if got := in.found(intake.Remark); !slices.Equal(got, []string{"2:desk_kept"}) {
		t.Errorf("notes %q", got)
	}
	var columns []string
	for _, f := range in.Findings {
		columns = append(columns, f.Column)
	}
	if !slices.Equal(columns, []string{"name", "phone", "sex"}) {
		t.Errorf("notes are about %q", columns)
	}
	persons, _ := people(t, &store)
	one, two := persons["1"], persons["2"]
	if in.counts() != " 2=0+2+0+0" || one.Sex != "x" || one.DisplayName() != "Aamina Hassan" || len(one.Contacts) != 1 || one.Location.Site != "Ifo" || len(two.Contacts) != 2 {
		t.Errorf("%s: %+v", in.counts(), one)
	}
	// Whatever else the list says, another person it cannot make of her.
	in = must(t, &store, write(t, "c.csv", head+"1,Khadija Noor,f,1990-05-12,,Ifo\n"), intake.Options{})
	if in.counts() != " 1=0+0+0+1" {
		t.Errorf("another name: %s", in.counts())
	}
	must(t, &store, write(t, "d.csv", later+"\n"), intake.Options{TakeChanges: true})
	if persons, _ = people(t, &store); persons["1"].Sex != "f" || persons["1"].DisplayName() != "Amina Hassan" {
		t.Errorf("told to take changes: %+v", persons["1"])
	}
}

func TestAListWithoutAColumnMendsNothing(t *testing.T) {
	var store registrytest.Store
	must(t, &store, write(t, "a.csv", "id,name,sex,consent,birth date\n1,Amina Hassan,f,,1990-01-01\n"), intake.Options{})
	persons, _ := people(t, &store)
	if len(persons["1"].Issues) != 2 {
		t.Fatalf("issues: %+v", persons["1"].Issues)
	}
	must(t, &store, write(t, "b.csv", "id,name,phone\n1,Amina Hassan,+254712000001\n"), intake.Options{})
	if persons, _ = people(t, &store); len(persons["1"].Issues) != 2 || len(persons["1"].Contacts) != 1 {
		t.Errorf("a list of phones left %+v", persons["1"].Issues)
	}
	must(t, &store, write(t, "c.csv", "id,name,consent\n1,Amina Hassan,yes\n"), intake.Options{})
	if persons, _ = people(t, &store); len(persons["1"].Issues) != 1 || persons["1"].Issues[0].Code != registry.BirthDefault {
		t.Errorf("the answer left %+v", persons["1"].Issues)
	}
}
