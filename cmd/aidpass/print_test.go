package main

import (
	"context"
	"maps"
	"slices"
	"testing"

	"aidpass/issuer/press"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/registry"
)

// view is a registry of a few records; what else is asked of it panics.
type view struct {
	registry.View
	records map[registry.ID]registry.Record
}

func (v view) Record(id registry.ID) (registry.Record, error) {
	if r, ok := v.records[id]; ok {
		return r, nil
	}
	return registry.Record{}, registry.ErrNotFound
}

func (v view) Units(kind registry.Kind, _ registry.ID, _ int) ([]registry.ID, error) {
	return slices.DeleteFunc(slices.Collect(maps.Keys(v.records)), func(id registry.ID) bool { return v.records[id].Kind != kind }), nil
}

func (v view) add(t *testing.T, kind registry.Kind, fields map[string][]byte, err error) registry.ID {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	r := registry.Record{ID: registry.NewID(), Kind: kind, Fields: map[string]registry.Value{}}
	for name, data := range fields {
		r.Fields[name] = registry.Value{Version: 1, Data: data}
	}
	v.records[r.ID] = r
	return r.ID
}

// A name or photograph is on a card when its holder chose it and the command asks
// for it: one of the two is not enough. A household's card is its collector's.
func TestNamesArePrintedByChoice(t *testing.T) {
	v := view{records: map[registry.ID]registry.Record{}}
	person := func(name string, face *registry.CardFace) registry.ID {
		f, err := registry.Person{Names: []registry.Name{{Text: name + " alias", Type: "alias"}, {Text: name}}, Photo: []byte("jpeg"), CardFace: face}.Fields()
		return v.add(t, registry.KindPerson, f, err)
	}
	household := func(h registry.Household) registry.ID {
		f, err := h.Fields()
		return v.add(t, registry.KindHousehold, f, err)
	}
	chose := person("Amina Yusuf", &registry.CardFace{Name: true, Photo: true})
	nothing := person("Deng Garang", nil)
	photo := person("Sara Haile", &registry.CardFace{Photo: true})
	for name, c := range map[string]struct {
		unit         registry.ID
		names, faces bool
		want         string
		photo        bool
	}{
		"chosen and asked for":           {chose, true, true, "Amina Yusuf", true},
		"chosen, not asked for":          {chose, false, false, "", false},
		"asked for, not chosen":          {nothing, true, true, "", false},
		"a photograph alone":             {photo, true, true, "", true},
		"the collector of a household":   {household(registry.Household{Head: nothing.String(), Collectors: []registry.Collector{{Person: chose.String(), Role: "primary"}}}), true, false, "Amina Yusuf", false},
		"a head who does not collect":    {household(registry.Household{Head: chose.String()}), true, true, "", false},
		"an alternate, and one no more":  {household(registry.Household{Collectors: []registry.Collector{{Person: chose.String(), Role: "alternate"}, {Person: chose.String(), Role: "primary", Revoked: "2026-11-01"}}}), true, true, "", false},
		"somebody who is not on record":  {registry.NewID(), true, true, "", false},
		"a collector who was taken away": {household(registry.Household{Collectors: []registry.Collector{{Person: registry.NewID().String(), Role: "primary"}}}), true, true, "", false},
	} {
		job := press.Job{Names: c.names, Photos: c.faces}
		rules := job.Rules()
		card := print.Card{ID: "card", Unit: c.unit.String()}
		if err := job.Fill(v, &card, c.unit, &rules); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if card.Name != c.want || (card.Photo != nil) != c.photo || (len(rules.Chosen["card"]) > 0) != (c.want != "") {
			t.Errorf("%s: name %q, photograph %v, allowed %q", name, card.Name, card.Photo != nil, rules.Chosen)
		}
	}
	if err := press.Dictionary(context.Background(), v, &proof.Names{}); err != nil {
		t.Error(err)
	}
}
