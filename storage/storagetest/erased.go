package storagetest

import (
	"bytes"
	"testing"

	"aidpass/issuer/registry"
)

// testErasedNumber: a number whose record was erased is known as one, and says nothing
// else; other numbers, other lists and other kinds are not.
func testErasedNumber(t *testing.T, e Engine) {
	w := newWorld(t, e)
	her := w.saved(t, change(t, 1)).ID
	rec := w.record(t, her)
	erased := func(kind registry.Kind, source, external string) (yes bool) {
		w.view(t, func(v registry.View) (err error) {
			yes, err = v.Erased(kind, source, external)
			return err
		})
		return yes
	}
	if erased(rec.Kind, rec.Source, rec.External) {
		t.Error("erased before anybody asked")
	}
	must(t, w.org.Erase(ctx, clerk, her, "asked"))
	if !erased(rec.Kind, rec.Source, rec.External) {
		t.Error("the number of the erased is not known as such")
	}
	if erased(registry.KindHousehold, rec.Source, rec.External) || erased(rec.Kind, "another list", rec.External) || erased(rec.Kind, rec.Source, rec.External+"0") || erased(rec.Kind, "", "") {
		t.Error("another number is called erased")
	}
	again := w.saved(t, change(t, 1))
	if !again.New || again.ID == her {
		t.Errorf("taken in again as %+v", again)
	}
	w.view(t, func(v registry.View) error {
		one, two := v.Alias([]byte("salt"), her), v.Alias([]byte("pepper"), her)
		if len(one) != 10 || !bytes.Equal(one, v.Alias([]byte("salt"), her)) || bytes.Equal(one, two) || bytes.Equal(one, v.Alias([]byte("salt"), again.ID)) {
			t.Errorf("aliases %x and %x", one, two)
		}
		return nil
	})
	w.whole(t)
}
