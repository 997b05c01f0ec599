package console_test

import (
	"testing"
	"time"

	"aidpass/access"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/imports/importstest"
)

// written is a list that is in the register, one of whose people was edited since.
func (d *desk) written(m *member) string {
	d.Helper()
	w := d.w
	list, door := w.list(own, "list.csv", importstest.PlantedList(3, 3)), w.doors[own]
	second := w.add(own, "bilal", access.Approver)
	asks, err := door.Session(w.Context(), m.token)
	if err == nil {
		list, err = w.imports[own].Submit(w.Context(), asks, list.ID, list.Version, "")
	}
	var approves *access.Session
	if err == nil {
		approves, err = door.Session(w.Context(), second.token)
	}
	if err == nil {
		_, err = door.Approve(w.Context(), approves, list.Review.Approval, list.Review.Hash, nil)
	}
	var edited registry.ID
	register := w.imports[own].Registry
	if err == nil {
		err = register.View(w.Context(), func(v registry.View) (err error) {
			edited, _, err = v.Find(registry.KindPerson, "", "P-00001")
			return err
		})
	}
	w.move(time.Minute)
	fields, fault := registry.Person{Origin: "SOM"}.Fields()
	if err == nil && fault == nil {
		_, err = (&registry.Registry{Store: register, Actor: loader, Now: w.now}).Edit(w.Context(), edited, fields, nil)
	}
	if err != nil || fault != nil {
		d.Fatal(err, fault)
	}
	return list.ID
}

// Every page of the wizard, in a language of each direction, at the width of a phone.
func TestImportPagesAreOpenToEverybody(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ar"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			m := d.w.add(own, "amina", access.Registrar)
			in, err := d.w.doors[own].Session(t.Context(), m.token)
			if err == nil {
				err = d.w.doors[own].SetLanguage(t.Context(), in, lang)
			}
			if err != nil {
				t.Fatal(err)
			}
			d.as(m)
			d.open("/imports")
			d.look(lang, "imports-none")
			list := d.w.list(own, "قائمة.csv", append(importstest.PlantedList(300, 300), []byte("Q-1,H-9,Kale Lemi,F,14/03/1971,head,+254710203041,N0000000X,KEN,1,yes,2025-06-30\n")...))
			for name, path := range map[string]string{"imports": "", "import": "/" + list.ID, "import-columns": "/" + list.ID + "/columns", "import-findings": "/" + list.ID + "/findings",
				"import-doubles": "/" + list.ID + "/doubles", "import-mends": "/" + list.ID + "/mends", "import-undo": "/" + d.written(m) + "/undo"} {
				d.open("/imports" + path)
				d.look(lang, name)
			}
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}
