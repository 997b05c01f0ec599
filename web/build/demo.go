package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
	"aidpass/verifier/verifiertest"
	"aidpass/words"
)

// demoCards are the stored cases that practice shows, one for each word.
var demoCards = []string{
	"a good card", "collected in part", "a registration card tells who, never what is due", "collected this round",
	"another site", "revoked", "a signature with one bit flipped", "lists too old for the type",
}

// sealedCase is the stored case whose pack carries keys for the demo device.
const sealedCase = "a card with a sealed part, opened"

// demo is the pack and the cards of practice mode, from testdata/vectors, and with
// them the key and code that open the pack's sealed tables: the same bytes in every
// build. The key is published with the vectors and guards nothing.
func demo() ([]byte, error) {
	type card struct {
		Word    words.Word `json:"word"`
		Shape   string     `json:"shape"`
		Text    string     `json:"text"`
		At      int64      `json:"at,omitempty"`
		Journal []byte     `json:"journal,omitempty"`
	}
	cases, err := verifiertest.Load("testdata/vectors/verdicts.json")
	if err != nil {
		return nil, err
	}
	named := func(name string) int {
		return slices.IndexFunc(cases, func(c verifiertest.Case) bool { return c.Name == name })
	}
	first, sealed := named(demoCards[0]), named(sealedCase)
	if first < 0 || sealed < 0 {
		return nil, fmt.Errorf("testdata/vectors has no case %q or %q", demoCards[0], sealedCase)
	}
	good := cases[first]
	cards := []card{}
	seen := map[words.Word]bool{}
	add := func(c *verifiertest.Case) {
		row := c.Row()
		if seen[row.Word] || !bytes.Equal(c.Pack, good.Pack) || c.State != nil || c.Unlock || c.PIN != "" || c.Challenge != nil || len(c.Journals) > 1 || row.Word == words.NotAnAidCard {
			return
		}
		seen[row.Word] = true
		x := card{Word: row.Word, Shape: row.Shape, Text: c.Text}
		if c.At != good.At {
			x.At = int64(c.At)
		}
		if len(c.Journals) == 1 {
			x.Journal = c.Journals[0]
		}
		cards = append(cards, x)
	}
	// The plainest case of each word leads; whatever else shows a word comes after.
	for _, name := range demoCards {
		if i := named(name); i >= 0 {
			add(&cases[i])
		}
	}
	for i := range cases {
		add(&cases[i])
	}
	w := verifiertest.New()
	pack, err := demoPack(w, &good, cases[sealed].Pack)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"at": good.At, "pack": pack, "cards": cards, "key": w.DeviceECDH().Bytes(), "code": string(w.Code)})
}

// demoPack is the pack of the case good with the device's keys of another stored
// pack, and with tables, an expected list of two and a drawn face.
func demoPack(w *verifiertest.World, good *verifiertest.Case, sealed []byte) ([]byte, error) {
	p, _, err := verifier.OpenPack(good.Pack, verifier.Floors{}, good.At)
	if err != nil {
		return nil, err
	}
	keys, _, err := verifier.OpenPack(sealed, verifier.Floors{}, good.At)
	if err != nil {
		return nil, err
	}
	parts := p.Parts
	for _, part := range keys.Parts {
		if part.Kind == verifier.PartAudience {
			parts = append(parts, part)
		}
	}
	face, err := drawnFace()
	if err != nil {
		return nil, err
	}
	codes := verifier.Codes{
		Programmes: map[string]verifier.ProgrammeCodes{verifiertest.Programme: {
			Names: map[string]string{"en": "Family parcel", "fr": "Colis familial", "es": "Paquete familiar", "ar": "طرد عائلي", "sw": "Kifurushi cha familia"},
			Tables: []verifier.DueTable{{Round: 3, Lines: []verifier.Line{
				{Code: "RICE", Amount: "10", Unit: "kg"}, {Code: "OIL", Amount: "2", Unit: "l"}, {Code: "SOAP", Amount: "4"}}}},
		}},
		Labels: map[string]map[string]string{
			"RICE": {"en": "Rice", "fr": "Riz", "es": "Arroz", "ar": "أرز", "sw": "Mchele"},
			"OIL":  {"en": "Cooking oil", "fr": "Huile de cuisine", "es": "Aceite", "ar": "زيت طعام", "sw": "Mafuta ya kupikia"},
			"SOAP": {"en": "Soap", "fr": "Savon", "es": "Jabón", "ar": "صابون", "sw": "Sabuni"},
		},
	}
	var list verifier.ListWriter
	row := verifier.Row{Issuer: w.A.ID, Programme: verifiertest.Programme, Round: 3, Pseudonym: cwt.Pseudonym([]byte("programme"), []byte("unit-1")),
		Names: []string{"Amina Yusuf Demo"}, Size: 5, Collectors: []string{"Omar Yusuf Demo"}, Check: verifier.RowPhoto, PhotoKey: verifier.PhotoKey(face)}
	if err := list.Add(&row); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		kind verifier.PartKind
		make func() ([]byte, error)
	}{
		{verifier.PartCodes, codes.Encode}, {verifier.PartExpected, list.Encode},
		{verifier.PartPhotos, func() ([]byte, error) { return verifier.EncodePhotos([][]byte{face}) }},
	} {
		part := verifier.Part{Owner: p.Org, Kind: s.kind, Name: "demo", Sequence: 1}
		if part.Data, err = s.make(); err != nil {
			return nil, err
		}
		if part.Data, err = verifier.SealPackPart(w.Content, p.Org, p.Site, part, counted{byte(s.kind)}); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	prepared, err := verifier.PreparePack(w.A.Pack.Key, verifier.PackDraft{Org: p.Org, Site: p.Site, Sequence: p.Sequence, Issued: p.Issued, Expires: p.Expires, Parts: parts})
	if err != nil {
		return nil, err
	}
	signature, err := cose.SignRaw(w.A.Pack, prepared.ToBeSigned())
	if err != nil {
		return nil, err
	}
	return prepared.Attach(signature)
}

// counted stands for randomness where each part has its own nonce and every build the same.
type counted struct{ n byte }

func (c counted) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = c.n
	}
	return len(b), nil
}

// drawnFace is nobody: a head and shoulders, 240 by 320.
func drawnFace() ([]byte, error) {
	const w, h = 240, 320
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	within := func(x, y, cx, cy, rx, ry int) bool {
		dx, dy := float64(x-cx)/float64(rx), float64(y-cy)/float64(ry)
		return dx*dx+dy*dy < 1
	}
	for y := range h {
		for x := range w {
			c := color.RGBA{0xd9, 0xe2, 0xdc, 255}
			switch {
			case within(x, y, 92, 142, 7, 8), within(x, y, 148, 142, 7, 8), within(x, y, 120, 196, 22, 5):
				c = color.RGBA{0x3a, 0x26, 0x1b, 255}
			case within(x, y, 120, 150, 62, 82):
				c = color.RGBA{0xb9, 0x85, 0x62, 255}
			case within(x, y, 120, 140, 88, 112), within(x, y, 120, 330, 120, 100):
				c = color.RGBA{0x2f, 0x5d, 0x73, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 80})
	return b.Bytes(), err
}
