package trust_test

import (
	"bytes"
	"strings"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/trust"
	"aidpass/words"
)

const (
	partner = "https://partner.example"
	orgP    = "https://p.example"
)

// partnerDraft is the list of another consortium, signed by its custodians p1, p2.
func partnerDraft(t *testing.T) *trust.Draft {
	t.Helper()
	d := trust.NewDraft(partner, anchorSet(t, 2, "p1", "p2"))
	d.Issued, d.NextUpdate = issued, issued+90*day
	must(t, d.AddOrganisation(orgP, "KEN", map[string]string{"en": "P"}))
	must(t, d.AddKey(orgP, key(p256(orgP+" card"), trust.UseCard)))
	must(t, d.AddKey(orgP, key(ed(orgP+" status"), trust.UseStatus)))
	must(t, d.AddKey(orgP, key(p256(orgP+" pack"), trust.UsePack)))
	must(t, d.Grant(orgP, trust.Grant{Types: []string{vctElig, vctRef}}))
	must(t, d.AddStatusPrefix(orgP, orgP+"/s"))
	return d
}

// recognising is our list, which takes eligibility from the partner in two countries.
func recognising(t *testing.T) *trust.List {
	t.Helper()
	d := draft1(t)
	must(t, d.Recognise(trust.Recognition{List: partner, Anchors: anchorSet(t, 2, "p1", "p2"), Types: []string{vctElig},
		Countries: []string{"KEN", "SOM"}, Recheck: issued + 200*day}))
	return open(t, sign(t, d, "1", "2"))
}

func TestRecognise(t *testing.T) {
	l := recognising(t)
	card := kid(p256(orgP + " card"))
	wantFind(t, l, orgP, card, trust.UseCard, words.UnknownKey)
	must(t, l.Recognise(sign(t, partnerDraft(t), "p1", "p2"), issued))
	wantFault(t, l, 0, "", "")
	k := wantFind(t, l, orgP, card, trust.UseCard, words.OK)
	if r := k.Org.Recognised; r == nil || r.List != partner || r.NextUpdate != issued+90*day || r.Sequence != 1 {
		t.Fatalf("recognised by %+v", r)
	}
	for _, c := range []struct {
		vct, country string
		at           credential.Time
		want         bool
	}{
		{vctElig, "KEN", issued, true},
		{vctElig, "KEN", issued + 200*day, true},
		{vctElig, "KEN", issued + 200*day + 1, false},
		{vctElig, "UGA", issued, false},
		{vctElig, "", issued, false},
		{vctRef, "KEN", issued, false}, // granted there, not recognised here
	} {
		if got := k.Org.MayIssue([]byte(c.vct), nil, c.country, c.at); got != c.want {
			t.Errorf("%+v: got %v", c, got)
		}
	}
	if got := k.Judge(issued, issued+200*day); got != words.OK {
		t.Errorf("inside the recognition: %q", got)
	}
	if got := k.Judge(issued, issued+200*day+1); got != words.KeyOutsideValidity {
		t.Errorf("after the re-check date: %q", got)
	}
	// Their packs are not ours.
	wantFind(t, l, orgP, kid(p256(orgP+" pack")), trust.UsePack, words.UnknownKey)
	// Our next list does not take their entries over.
	if o := open(t, sign(t, next(l), "1", "2")).Organisation([]byte(orgP)); o != nil {
		t.Error("a recognised organisation became one of ours")
	}
	wantReason(t, l.Recognise(sign(t, partnerDraft(t), "p1", "p2"), issued), words.TrustListEquivocation)
}

func TestRecogniseRefusesTheWhole(t *testing.T) {
	raw := sign(t, partnerDraft(t), "p1", "p2")
	wantReason(t, list1(t).Recognise(raw, issued), words.IssuerNotAuthorised)
	wantReason(t, recognising(t).Recognise(raw, issued+200*day+1), words.TrustListExpired)
	wantReason(t, recognising(t).Recognise(sign(t, partnerDraft(t), "p1"), issued), words.TrustListBadSignature)
	wantReason(t, recognising(t).Recognise(raw[:200], issued), words.Truncated)

	// The partner's list under other anchors than the pinned ones.
	d := partnerDraft(t)
	must(t, d.SetAnchors(anchorSet(t, 1, "thief")))
	wantReason(t, recognising(t).Recognise(sign(t, d, "thief"), issued), words.TrustListBadSignature)
	// A third list that only the partner recognises.
	third := partnerDraft(t)
	third.ID = "https://third.example"
	wantReason(t, recognising(t).Recognise(sign(t, third, "p1", "p2"), issued), words.IssuerNotAuthorised)
}

func TestRecogniseIsNotTransitive(t *testing.T) {
	d := partnerDraft(t)
	must(t, d.Recognise(trust.Recognition{List: "https://third.example", Anchors: anchorSet(t, 1, "3rd"), Types: []string{vctElig}, Recheck: issued + year}))
	l := recognising(t)
	must(t, l.Recognise(sign(t, d, "p1", "p2"), issued))
	third := partnerDraft(t)
	third.ID = "https://third.example"
	must(t, third.SetAnchors(anchorSet(t, 1, "3rd")))
	wantReason(t, l.Recognise(sign(t, third, "3rd"), issued), words.IssuerNotAuthorised)
}

func TestRecogniseRefusesWhatIsOurs(t *testing.T) {
	evil := "https://q.example"
	for _, c := range []struct {
		name string
		add  func(d *trust.Draft) string // adds an entry, returns its id
		why  string
	}{
		{"our issuer", func(d *trust.Draft) string {
			must(t, d.AddOrganisation(orgA, "KEN", map[string]string{"en": "A"}))
			must(t, d.AddKey(orgA, key(p256("q"), trust.UseCard)))
			return orgA
		}, "id of an organisation listed"},
		{"our former issuer", func(d *trust.Draft) string {
			must(t, d.AddOrganisation("https://former.example", "KEN", map[string]string{"en": "F"}))
			return "https://former.example"
		}, "removed"},
		{"our key", func(d *trust.Draft) string {
			must(t, d.AddOrganisation(evil, "KEN", map[string]string{"en": "Q"}))
			must(t, d.AddKey(evil, key(p256(orgA+" card"), trust.UseCard)))
			return evil
		}, "key of this list"},
		{"our anchor", func(d *trust.Draft) string {
			must(t, d.AddOrganisation(evil, "KEN", map[string]string{"en": "Q"}))
			must(t, d.AddKey(evil, key(ed("anchor 3"), trust.UseStatus)))
			return evil
		}, "key of this list"},
		{"our status prefix", func(d *trust.Draft) string {
			must(t, d.AddOrganisation(evil, "KEN", map[string]string{"en": "Q"}))
			must(t, d.AddStatusPrefix(evil, orgA+"/s/deeper"))
			return evil
		}, "status prefix"},
		{"a prefix above ours", func(d *trust.Draft) string {
			must(t, d.AddOrganisation(evil, "KEN", map[string]string{"en": "Q"}))
			must(t, d.AddStatusPrefix(evil, orgA))
			return evil
		}, "status prefix"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := recognising(t)
			d := next(l)
			must(t, d.AddOrganisation("https://former.example", "CHE", map[string]string{"en": "F"}))
			must(t, d.RemoveOrganisation("https://former.example"))
			l = open(t, sign(t, d, "1", "2"))
			p := partnerDraft(t)
			id := c.add(p)
			must(t, l.Recognise(sign(t, p, "p1", "p2"), issued))
			wantFault(t, l, 1, id, words.IssuerNotAuthorised)
			if !strings.Contains(l.Faults[0].Text, c.why) || !strings.Contains(l.Faults[0].Text, partner) {
				t.Errorf("reported as %q", l.Faults[0].Text)
			}
			// Ours stands as it was, and the rest of theirs is taken.
			k := wantFind(t, l, orgA, kid(p256(orgA+" card")), trust.UseCard, words.OK)
			if k.Org.Recognised != nil {
				t.Error("our organisation was replaced")
			}
			wantFind(t, l, orgA, kid(p256("q")), trust.UseCard, words.UnknownKey)
			wantFind(t, l, orgP, kid(p256(orgP+" card")), trust.UseCard, words.OK)
		})
	}
}

func TestWithdrawalInARecognisedList(t *testing.T) {
	l := recognising(t)
	must(t, l.Recognise(sign(t, partnerDraft(t), "p1", "p2"), issued))
	card := p256(orgP + " card")
	must(t, l.Withdraw(withdrawal(t, card, orgP, kid(card), issued+1, 1)))
	if k := wantFind(t, l, orgP, kid(card), trust.UseCard, words.OK); k.Judge(issued, issued) != words.KeyRevoked {
		t.Error("the key still counts")
	}
}

// TestRecognitionEntries: recognitions and removed organisations as lists may
// wrongly have them. Single ones are refused, the order refuses the whole.
func TestRecognitionEntries(t *testing.T) {
	anchors := anchorSet(t, 1, "9").Append([]byte{2})
	recognition := func(id string, types ...string) []byte {
		b := cbor.AppendText([]byte{0xa4, 1}, id)
		b = cbor.AppendArray(append(append(b, anchors...), 3), len(types))
		for _, x := range types {
			b = cbor.AppendText(b, x)
		}
		return cbor.AppendUint(append(b, 5), uint64(issued+year))
	}
	removed := func(id string, since uint64) []byte {
		return cbor.AppendUint(append(cbor.AppendText([]byte{0xa2, 1}, id), 2), since)
	}
	list := func(label byte, entries ...[]byte) []byte {
		b := rawList(t, rawOrg(orgA, good("else")))
		b[0]++
		return append(cbor.AppendArray(append(b, label), len(entries)), bytes.Join(entries, nil)...)
	}
	fewAnchors := bytes.Replace(recognition("x:1", "v"), []byte{2, 0xa2, 1, 1, 2}, []byte{2, 0xa2, 1, 2, 2}, 1)
	for _, c := range []struct {
		name    string
		payload []byte
		whole   words.Reason // ok: one entry is refused
		entry   words.Reason
	}{
		{"no type", list(7, recognition("x:1"), recognition("x:2", "v")), words.OK, words.BadClaims},
		{"no URI", list(7, recognition("x", "v")), words.OK, words.BadClaims},
		{"of itself", list(7, recognition(consortium, "v")), words.OK, words.BadClaims},
		{"more signatures than anchors", list(7, fewAnchors), words.OK, words.BadClaims},
		{"no map", list(7, []byte{1}), words.OK, words.BadClaims},
		{"recognised twice", list(7, recognition("x:1", "v"), recognition("x:1", "w")), words.NonCanonical, ""},
		{"out of order", list(7, recognition("x:2", "v"), recognition("x:1", "w")), words.NonCanonical, ""},
		{"removed without a date", list(9, removed("x:1", 0)), words.OK, words.BadClaims},
		{"removed nobody", list(9, removed("", 1)), words.OK, words.BadClaims},
		{"removed twice", list(9, removed("x:1", 1), removed("x:1", 2)), words.NonCanonical, ""},
		{"removed is a number", append(list(9)[:len(list(9))-1], 1), words.BadClaims, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := trust.Open(signPayload(t, c.payload, "1", "2"), anchorSet(t, 2, "1", "2", "3"))
			if c.whole != words.OK {
				wantReason(t, err, c.whole)
				return
			}
			must(t, err)
			wantFault(t, l, 1, "", c.entry)
			wantFind(t, l, orgA, kid(p256("else")), trust.UseCard, words.OK)
		})
	}
}

func TestRecogniseAct(t *testing.T) {
	d := draft1(t)
	r := trust.Recognition{List: partner, Anchors: anchorSet(t, 1, "9"), Types: []string{vctElig}, Recheck: issued + year}
	for name, change := range map[string]func(r *trust.Recognition){
		"no id":          func(r *trust.Recognition) { r.List = "" },
		"itself":         func(r *trust.Recognition) { r.List = consortium },
		"no anchors":     func(r *trust.Recognition) { r.Anchors = trust.Anchors{} },
		"no types":       func(r *trust.Recognition) { r.Types = nil },
		"no re-check":    func(r *trust.Recognition) { r.Recheck = issued },
		"a country name": func(r *trust.Recognition) { r.Countries = []string{"Kenya"} },
	} {
		bad := r
		change(&bad)
		if d.Recognise(bad) == nil {
			t.Errorf("%s: taken", name)
		}
	}
	must(t, d.Recognise(r))
	r.Recheck += day
	must(t, d.Recognise(r)) // in place of the first
	if l := open(t, sign(t, d, "1", "2")); len(l.Recognitions) != 1 || l.Recognitions[0].Recheck != issued+year+day {
		t.Errorf("recognitions %+v", l.Recognitions)
	}
	must(t, d.Unrecognise(partner))
	// An issuer of another system may do without status lists; we may not.
	must(t, d.AddOrganisation("https://id.example", "KEN", map[string]string{"en": "Identity"}))
	k := key(p256("id"), trust.UseCard)
	k.Profile = trust.ProfileForeign169
	k.KID = []byte("their-key-1")
	must(t, d.AddKey("https://id.example", k))
	must(t, d.SetUsesStatus("https://id.example", false))
	l := open(t, sign(t, d, "1", "2"))
	if l.Organisation([]byte("https://id.example")).UsesStatus || !l.Organisation([]byte(orgA)).UsesStatus {
		t.Error("who uses status lists is lost")
	}
	wantFind(t, l, "https://id.example", []byte("their-key-1"), trust.UseCard, words.OK)
}
