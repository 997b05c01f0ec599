package quality_test

import (
	"errors"
	"testing"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/quality"
)

// records is a View of a few records. What a Reader does not need is not there.
type records struct {
	registry.View
	all     map[registry.ID]registry.Record
	members map[registry.ID][]registry.ID
	doubles []registry.Double
	erased  registry.ID
}

func (v records) Record(id registry.ID) (registry.Record, error) {
	if r, ok := v.all[id]; ok {
		return r, nil
	}
	if id == v.erased && !id.IsZero() {
		return registry.Record{}, registry.ErrErased
	}
	return registry.Record{}, registry.ErrNotFound
}

func (v records) Members(id registry.ID) ([]registry.ID, error)      { return v.members[id], nil }
func (v records) Doubles(bool) ([]registry.Double, error)            { return v.doubles, nil }
func (v records) DoublesWith(registry.ID) ([]registry.Double, error) { return v.doubles, nil }
func (v records) put(kind registry.Kind, household registry.ID, fields map[string][]byte, err error) registry.ID {
	if err != nil {
		panic(err)
	}
	rec := registry.Record{ID: registry.NewID(), Kind: kind, Household: household, Fields: map[string]registry.Value{}}
	for name, data := range fields {
		rec.Fields[name] = registry.Value{Version: 1, Data: data}
	}
	v.all[rec.ID] = rec
	return rec.ID
}

func TestUnitsAreReadWithWhatStandsAroundThem(t *testing.T) {
	v := records{all: map[registry.ID]registry.Record{}, members: map[registry.ID][]registry.ID{}}
	fields, err := registry.Household{Size: 2, Origin: "SOM", Consents: given()}.Fields()
	house := v.put(registry.KindHousehold, registry.ID{}, fields, err)
	fields, err = whole().Fields()
	anna := v.put(registry.KindPerson, house, fields, err)
	blank := v.put(registry.KindBlank, registry.ID{}, nil, nil)
	v.members[house] = []registry.ID{anna}
	v.doubles = []registry.Double{{A: anna, B: registry.NewID()}}
	r, err := quality.NewReader(v)
	if err != nil {
		t.Fatal(err)
	}
	u, err := r.Unit(anna)
	if err != nil || u.Person == nil || u.Household == nil || u.Household.Size != 2 || len(u.Doubles) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	u, err = r.Unit(house)
	if err != nil || u.Person != nil || len(u.Members) != 1 || u.Members[0].ID != anna || len(u.Doubles) != 1 {
		t.Errorf("%+v, %v", u, err)
	}
	if d := quality.Default().Gate("").Judge(u, at); d.Outcome != quality.Issue || d.Unit != house {
		t.Errorf("%+v", d)
	}
	if _, err := r.Unit(blank); err == nil {
		t.Error("a blank card as a unit")
	}
	if _, err := r.Unit(registry.NewID()); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// A pair of which one was erased is nobody's to decide: also where a unit is read alone it
// holds no card up.
func TestAPairWithWhoWasErasedHoldsNoCardUp(t *testing.T) {
	v := records{all: map[registry.ID]registry.Record{}, erased: registry.NewID()}
	fields, err := whole().Fields()
	anna := v.put(registry.KindPerson, registry.ID{}, fields, err)
	other := v.put(registry.KindPerson, registry.ID{}, fields, nil)
	v.doubles = []registry.Double{{A: anna, B: v.erased}, {A: other, B: anna}}
	u, err := quality.One(v).Unit(anna)
	if err != nil || len(u.Doubles) != 1 || u.Doubles[0].With != other {
		t.Errorf("%+v, %v", u.Doubles, err)
	}
}
