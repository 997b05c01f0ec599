package verifier_test

import (
	"errors"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// refusedFor is why a pack did not open; empty where it did.
func refusedFor(t *testing.T, raw []byte, f verifier.Floors, at credential.Time) words.Reason {
	t.Helper()
	_, after, err := verifier.OpenPack(raw, f, at)
	if err == nil {
		return ""
	}
	var fault *verifier.PackError
	if !errors.As(err, &fault) {
		t.Fatalf("refused with %T %v", err, err)
	}
	if string(after.Encode()) != string(f.Encode()) {
		t.Error("a refused pack is remembered")
	}
	return fault.Reason
}

// neighbour is another consortium: one organisation that A's anchors never saw.
type neighbour struct {
	*vt.World
	org     *vt.Org
	anchors trust.Anchors
}

const neighbourList = "https://neighbour.example/list"

func newNeighbour(t *testing.T) *neighbour {
	w := vt.New()
	w.Anchors = []vt.Signer{vt.Ed25519("neighbour anchor 1"), vt.Ed25519("neighbour anchor 2")}
	anchors, err := trust.NewAnchors(2, w.Anchors[0].Key, w.Anchors[1].Key)
	check(t, err)
	return &neighbour{w, &vt.Org{
		ID: "https://relief-n.example/i1", StatusURI: "https://relief-n.example/st/1",
		Card: vt.P256("n card"), Status: vt.P256("n status"), Pack: vt.P256("n pack"), EdCard: vt.Ed25519("n ed"),
	}, anchors}
}

// list is the neighbour's trust list.
func (n *neighbour) list(t *testing.T, sequence uint64, edit func(*trust.Draft)) []byte {
	d := trust.NewDraft(neighbourList, n.anchors)
	d.Sequence, d.Issued, d.NextUpdate = sequence, vt.Made, vt.Made+20*day
	check(t, d.AddOrganisation(n.org.ID, "UGA", map[string]string{"en": "Relief of the North"}))
	from, to := vt.Made-400*day, vt.Made+800*day
	check(t, d.AddKey(n.org.ID, trust.Key{Key: n.org.Card.Key, Use: trust.UseCard, Profile: trust.ProfileCard1, NotBefore: from, NotAfter: to}))
	check(t, d.AddKey(n.org.ID, trust.Key{Key: n.org.Status.Key, Use: trust.UseStatus, NotBefore: from, NotAfter: to}))
	check(t, d.AddKey(n.org.ID, trust.Key{Key: n.org.Pack.Key, Use: trust.UsePack, NotBefore: from, NotAfter: to}))
	check(t, d.AddStatusPrefix(n.org.ID, "https://relief-n.example/st/"))
	var types []string
	for _, s := range schemas.Embedded() {
		types = append(types, s.VCT)
	}
	check(t, d.Grant(n.org.ID, trust.Grant{Types: types}))
	if edit != nil {
		edit(d)
	}
	payload, err := d.Encode()
	check(t, err)
	raw, err := trust.SignList(payload, n.Anchors[0], n.Anchors[1])
	check(t, err)
	return raw
}

func TestARecognisedConsortiumCountsAsFarAsItIsRecognisedAndNoFurther(t *testing.T) {
	w, n := vt.New(), newNeighbour(t)
	elig, reg := schemas.ByName("eligibility").VCT, schemas.ByName("registration").VCT
	recognise := func(types []string, countries []string, recheck credential.Time) vt.TrustOptions {
		return vt.TrustOptions{Edit: func(d *trust.Draft) {
			check(t, d.Recognise(trust.Recognition{List: neighbourList, Anchors: n.anchors, Types: types, Countries: countries, Recheck: recheck}))
		}}
	}
	theirs := verifier.Part{Owner: neighbourList, Kind: verifier.PartRecognised, Name: neighbourList, Sequence: 1, Data: n.list(t, 1, nil)}
	snapshot := verifier.Part{Owner: n.org.ID, Kind: verifier.PartSnapshot, Name: n.org.StatusURI, Sequence: 1, Data: w.Snapshot(n.org, vt.StatusOptions{})}
	kenya := &verifier.Policy{Country: "KEN"}
	eligibility, registration := w.Text(vt.CardOptions{Org: n.org}), w.Text(vt.CardOptions{Org: n.org, Type: "registration"})
	soon := vt.Made + 25*day // after their list's next update, before ours
	for _, c := range []struct {
		name   string
		trust  vt.TrustOptions
		policy *verifier.Policy
		more   []verifier.Part
		text   string
		at     credential.Time
		want   words.Reason
		word   words.Word
	}{
		{"eligibility is recognised: give", recognise([]string{elig}, nil, vt.Made+90*day), kenya, []verifier.Part{theirs, snapshot}, eligibility, vt.Now, words.OK, words.Give},
		{"registration is recognised: known", recognise([]string{elig, reg}, nil, vt.Made+90*day), kenya, []verifier.Part{theirs, snapshot}, registration, vt.Now, words.OK, words.KnownPerson},
		{"registration is not among the types", recognise([]string{elig}, nil, vt.Made+90*day), kenya, []verifier.Part{theirs, snapshot}, registration, vt.Now, words.IssuerNotAuthorised, words.HelpDesk},
		{"in this country", recognise([]string{elig}, []string{"KEN", "UGA"}, vt.Made+90*day), kenya, []verifier.Part{theirs, snapshot}, eligibility, vt.Now, words.OK, words.Give},
		{"in other countries only", recognise([]string{elig}, []string{"UGA"}, vt.Made+90*day), kenya, []verifier.Part{theirs, snapshot}, eligibility, vt.Now, words.IssuerNotAuthorised, words.HelpDesk},
		{"the re-check is over before the pack opens", recognise([]string{elig}, nil, vt.Made+1), kenya, []verifier.Part{theirs, snapshot}, eligibility, vt.Now, words.UnknownKey, words.HelpDesk},
		{"their list is not in the pack", recognise([]string{elig}, nil, vt.Made+90*day), kenya, []verifier.Part{snapshot}, eligibility, vt.Now, words.UnknownKey, words.HelpDesk},
		{"they are not recognised at all", vt.TrustOptions{}, kenya, []verifier.Part{theirs, snapshot}, eligibility, vt.Now, words.UnknownKey, words.HelpDesk},
		{"their list is overdue, ours is not", recognise([]string{elig}, nil, vt.Made+90*day), &verifier.Policy{Country: "KEN", Freshness: map[string]int64{elig: 60 * 86400}},
			[]verifier.Part{theirs, snapshot}, eligibility, soon, words.TrustListExpired, words.HelpDesk},
	} {
		p, f := open(t, w.Pack(vt.PackOptions{Trust: c.trust, Policy: c.policy, More: c.more}), verifier.Floors{}, vt.Now)
		r := verifier.Verify(c.text, verifier.Inputs{At: c.at, Pack: p, Floors: f})
		if r.Reason != c.want || r.Word != c.word {
			t.Errorf("%s: %s %v %s, want %s %s (%v)", c.name, r.Reason, r.Reasons(), r.Word, c.want, c.word, r.Err)
		}
	}
	// A pack of theirs is nobody's pack here, and a claim on our names falls away.
	opened := recognise([]string{elig}, nil, vt.Made+90*day)
	key := n.org.Pack
	if got := refusedFor(t, w.Pack(vt.PackOptions{Trust: opened, Key: &key, More: []verifier.Part{theirs}}), verifier.Floors{}, vt.Now); got != words.PackBadSignature {
		t.Errorf("a manifest by their pack key: %s", got)
	}
	grab := theirs
	grab.Data = n.list(t, 1, func(d *trust.Draft) {
		check(t, d.AddOrganisation(w.B.ID, "UGA", map[string]string{"en": "B"}))
		check(t, d.AddKey(w.B.ID, trust.Key{Key: vt.P256("forger").Key, Use: trust.UseCard, Profile: trust.ProfileCard1, NotBefore: vt.Made - day, NotAfter: vt.Made + 100*day}))
	})
	p, f := open(t, w.Pack(vt.PackOptions{Trust: opened, More: []verifier.Part{grab, snapshot}}), verifier.Floors{}, vt.Now)
	forger := vt.P256("forger")
	if got := reason(p, f, w.Text(vt.CardOptions{Org: w.B, Key: &forger}), vt.Now); got != words.UnknownKey {
		t.Errorf("a card in our name by their key: %s", got)
	}
	if got := reason(p, f, w.Text(vt.CardOptions{Org: w.B}), vt.Now); got != words.OK {
		t.Errorf("our own card beside it: %s", got)
	}
	if len(p.Faults) == 0 {
		t.Error("nobody is told")
	}
}

func TestNewAnchorsAreFollowedThroughTheChain(t *testing.T) {
	w := vt.New()
	good := w.Text(vt.CardOptions{})
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	old := w.Anchors
	next := []vt.Signer{vt.Ed25519("next 1"), vt.Ed25519("next 2"), vt.P256("next 3")}
	anchors, err := trust.NewAnchors(2, next[0].Key, next[1].Key, next[2].Key)
	check(t, err)
	// The list that changes the anchors is signed by the old set and by the new one;
	// those after it by the new one alone.
	change := func(sequence uint64, signers ...vt.Signer) []byte {
		w.Anchors = append(signers, old[2])
		return w.TrustList(vt.TrustOptions{Sequence: sequence, Signers: len(signers), Edit: func(d *trust.Draft) { check(t, d.SetAnchors(anchors)) }})
	}
	both := change(6, old[0], old[1], next[0], next[1])
	newOnly, oldOnly := change(6, next[0], next[1], next[2]), change(6, old[0], old[1], old[2])
	w.Anchors = next
	after := w.TrustList(vt.TrustOptions{Sequence: 7})
	chain := func(data []byte) []verifier.Part {
		return []verifier.Part{{Owner: vt.ListID, Kind: verifier.PartTrustChain, Sequence: 6, Data: data}}
	}
	for _, c := range []struct {
		name string
		list []byte
		more []verifier.Part
		want words.Reason
	}{
		{"the change itself", both, nil, ""},
		{"the list after it, with the change in the chain", after, chain(both), ""},
		{"the list after it, without a chain", after, nil, words.TrustListBadSignature},
		{"a change the old anchors did not sign", newOnly, nil, words.TrustListBadSignature},
		{"a change the new anchors did not sign", oldOnly, nil, words.TrustListBadSignature},
		{"a chain the old anchors did not sign", after, chain(newOnly), words.TrustListBadSignature},
	} {
		if got := refusedFor(t, w.Pack(vt.PackOptions{Sequence: 8, TrustList: c.list, More: c.more}), f, vt.Now); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// Once followed, the old anchors sign nothing any more, and the state says so.
	p, f := open(t, w.Pack(vt.PackOptions{Sequence: 8, TrustList: after, More: chain(both)}), f, vt.Now)
	f, err = verifier.DecodeFloors(f.Encode())
	check(t, err)
	if !f.Trust.Anchors.Equal(anchors) || reason(p, f, good, vt.Now) != words.OK {
		t.Error("the new anchors are not pinned")
	}
	w.Anchors = old
	if got := refusedFor(t, w.Pack(vt.PackOptions{Sequence: 9, Trust: vt.TrustOptions{Sequence: 9}}), f, vt.Now); got != words.TrustListBadSignature {
		t.Errorf("a list of the old anchors: %q", got)
	}
}

func TestAPackKnowsItsPlaceInTime(t *testing.T) {
	w := vt.New()
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	part := func(sequence uint64) vt.PackOptions {
		return vt.PackOptions{Sequence: 8, More: []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartCodes, Name: "c", Sequence: sequence, Data: []byte("x")}}}
	}
	_, f = open(t, w.Pack(part(5)), f, vt.Now)
	if got := refusedFor(t, w.Pack(part(4)), f, vt.Now); got != words.PackRollback {
		t.Errorf("an older part in a pack of the same number: %q", got)
	}
	if got := refusedFor(t, w.Pack(part(5)), f, vt.Now); got != "" {
		t.Errorf("the same again: %q", got)
	}
	if got := refusedFor(t, w.Pack(vt.PackOptions{Sequence: 7}), f, vt.Now); got != words.PackRollback {
		t.Errorf("an older manifest: %q", got)
	}
	// A pack of another site has numbers of its own.
	other, err := verifier.PreparePack(w.A.Pack.Key, verifier.PackDraft{Org: w.A.ID, Site: "DAD-1", Sequence: 1, Issued: vt.Made, Expires: vt.Made + 60*day,
		Parts: []verifier.Part{{Owner: vt.ListID, Kind: verifier.PartTrustList, Sequence: 5, Data: trustListOf(t, w, f)}}})
	check(t, err)
	sig, err := cose.SignRaw(w.A.Pack, other.ToBeSigned())
	check(t, err)
	raw, err := other.Attach(sig)
	check(t, err)
	if got := refusedFor(t, raw, f, vt.Now); got != "" {
		t.Errorf("a pack for another site: %q", got)
	}
}

// trustListOf is the list the device knows, as the next pack carries it again.
func trustListOf(t *testing.T, w *vt.World, f verifier.Floors) []byte {
	return w.TrustList(vt.TrustOptions{Sequence: f.Trust.Sequence + 1, Issued: vt.Made + 1})
}

func TestWhatAPackMustHave(t *testing.T) {
	w := vt.New()
	list := verifier.Part{Owner: vt.ListID, Kind: verifier.PartTrustList, Sequence: 5, Data: w.TrustList(vt.TrustOptions{})}
	for _, c := range []struct {
		name string
		more []verifier.Part
		want words.Reason
	}{
		{"two trust lists", []verifier.Part{list}, words.PackIncomplete},
		{"types that are none", []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartTypes, Name: "x", Sequence: 1, Data: []byte{0xa0}}}, words.PackMismatch},
		{"a policy that is none", []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartPolicy, Sequence: 1, Data: []byte{0x80}}}, words.PackMismatch},
		{"a part of tomorrow", []verifier.Part{{Owner: w.A.ID, Kind: 99, Sequence: 1, Data: []byte{1}}}, ""},
		{"a certificate nobody signed", []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartDevice, Name: "x", Sequence: 1, Data: []byte{1}}}, ""},
		{"a withdrawal nobody signed", []verifier.Part{{Owner: w.A.ID, Kind: verifier.PartWithdrawal, Sequence: 1, Data: []byte{1}}}, ""},
	} {
		raw := w.Pack(vt.PackOptions{More: c.more})
		if got := refusedFor(t, raw, verifier.Floors{}, vt.Now); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.want == "" {
			if p, _ := open(t, raw, verifier.Floors{}, vt.Now); len(p.Faults) != 1 {
				t.Errorf("%s: faults %v, want it told once", c.name, p.Faults)
			}
		}
	}
	for name, d := range map[string]verifier.PackDraft{
		"no organisation":        {Sequence: 1, Issued: vt.Made, Expires: vt.Made + day},
		"no sequence":            {Org: w.A.ID, Issued: vt.Made, Expires: vt.Made + day},
		"over before it is made": {Org: w.A.ID, Sequence: 1, Issued: vt.Made, Expires: vt.Made},
		"too many parts":         {Org: w.A.ID, Sequence: 1, Issued: vt.Made, Expires: vt.Made + day, Parts: make([]verifier.Part, verifier.MaxPackParts+1)},
		"too large":              {Org: w.A.ID, Sequence: 1, Issued: vt.Made, Expires: vt.Made + day, Parts: []verifier.Part{{Data: make([]byte, verifier.MaxPackBytes)}}},
	} {
		if _, err := verifier.PreparePack(w.A.Pack.Key, d); err == nil {
			t.Errorf("%s: it is written", name)
		}
	}
}
