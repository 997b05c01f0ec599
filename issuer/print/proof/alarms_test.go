package proof_test

import (
	"testing"

	"aidpass/issuer/print/proof"
)

// What an organisation is called and how it is reached is its own to say: neither
// keeps a file from being printed, also where it goes on in the next line.
func TestTheHousesOwnWordsAreNoAlarm(t *testing.T) {
	var names proof.Names
	for _, n := range []string{"Amina Yusuf", "Relief", "Save Omar", "Rahma"} {
		names.Add(n)
	}
	for _, house := range []string{
		"Norwegian Refugee Council", "UNHCR", "United Nations High Commissioner for Refugees", "Danish Refugee Council", "Muslim Aid", "Christian Aid",
		"Islamic Relief Worldwide", "Catholic Relief Services", "Handicap International", "Jesuit Refugee Service", "Médecins Sans Frontières", "SOS Children's Villages",
		"International Organization for Migration", "Conseil norvégien pour les réfugiés", "المجلس النرويجي للاجئين", "Kenya Red Cross", "Survivors Fund", "Rahma",
	} {
		seen := proof.Seen{Pages: 1, Texts: []proof.Text{{Text: house}}}
		if found := proof.Lint(seen, proof.Rules{Names: &names, Houses: []string{house}}); len(found) > 0 {
			t.Errorf("%q: %v", house, found)
		}
		cut := proof.Seen{Pages: 1, Texts: []proof.Text{{Text: string([]rune(house)[:len([]rune(house))-1]) + "…"}}}
		if found := proof.Lint(cut, proof.Rules{Names: &names, Houses: []string{house}}); len(found) > 0 {
			t.Errorf("%q, cut: %v", house, found)
		}
		if found := proof.Lint(seen, proof.Rules{Names: &names, Plain: []string{house}}); len(found) == 0 {
			t.Errorf("%q was printed under --plain", house)
		}
	}
	for _, c := range []struct{ known, first, second string }{
		{"feedback@nrc.no, +254 700 111 222", "Questions or complaints: feedback@nrc.no, +254 700", "111 222"},
		{"feedback@nrc.no, +254 700 111 222", "Questions or complaints: feedback@nrc.no, +254\u00a0700\u00a0111\u00a0222", "K7Q2"},
		{"complaints to refugee-desk@relief.example, tent 4", "Questions or complaints: complaints to", "refugee-desk@relief.example, tent 4"},
		{"+254\u00a0700 111 222", "Questions or complaints: +254 700", "111 222"},
		{"0800 720 577 / 0800 720 588 / 0800 720 599", "0800 720 577 / 0800", "720 588 / 0800 720 599"},
		{"protection hotline 1514 for survivors of violence", "للأسئلة والشكاوى: protection hotline 1514 for", "survivors of violence"},
	} {
		seen := proof.Seen{Pages: 1, Texts: []proof.Text{{Text: c.first, Y: 1}, {Text: c.second, Y: 9}}}
		if found := proof.Lint(seen, proof.Rules{Names: &names, Complaint: []string{c.known}}); len(found) > 0 {
			t.Errorf("%q: %v", c.known, found)
		}
	}
	// What else is said is still looked at.
	for _, other := range []string{"Amina Yusuf", "refugee", "Questions or complaints: 0711 222 333", "call survivors", "hiv 1514"} {
		rules := proof.Rules{Names: &names, Complaint: []string{"protection hotline 1514 for survivors of violence"}, Houses: []string{"Norwegian Refugee Council"}}
		if found := proof.Lint(proof.Seen{Pages: 1, Texts: []proof.Text{{Text: other}}}, rules); len(found) == 0 {
			t.Errorf("%q passed", other)
		}
	}
}
