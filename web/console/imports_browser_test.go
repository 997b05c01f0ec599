package console_test

import (
	"testing"

	"aidpass/access"
	"aidpass/issuer/registry/imports/importstest"
)

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
				"import-doubles": "/" + list.ID + "/doubles", "import-mends": "/" + list.ID + "/mends"} {
				d.open("/imports" + path)
				d.look(lang, name)
			}
			if n := d.reports(); n != 0 {
				t.Errorf("the policy refused %d things", n)
			}
		})
	}
}
