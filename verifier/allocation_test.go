package verifier_test

import (
	"testing"

	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// The Ed25519 path allocates nothing up to the verdict, however long names and
// addresses are; looking up earlier collections takes the two texts of its key.
func TestACheckAllocatesNothing(t *testing.T) {
	w := vt.New()
	w.A.ID = "https://cards.relief-organisation-of-the-north.example/issuer/1"
	w.A.StatusURI = "https://lists.relief-organisation-of-the-north.example/status/1"
	policy := &verifier.Policy{Country: "KEN", Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made, Closes: vt.Now + day}}},
		Freshness: map[string]int64{"https://aidpass.example/elig": 86400 * 5}, Sites: []string{"DAD-1"}}
	pack, floors := open(t, w.Pack(vt.PackOptions{Policy: policy}), verifier.Floors{}, vt.Now)
	in := verifier.Inputs{At: vt.Now, Pack: pack, Floors: floors.RecordedAt(vt.Made)}
	used := in
	journal, err := visit.Read(w.Journal(visit.Visit{Kind: visit.Note}), func([]byte) *cose.Key { return w.Device.Key })
	if err != nil {
		t.Fatal(err)
	}
	used.Uses = journal
	good := w.Text(vt.CardOptions{Key: &w.A.EdCard, Plain: map[string]any{"programme": vt.Programme, "round": int64(3), "site": "DAD-1", "size_band": "4-5"}})
	revoked := w.Text(vt.CardOptions{Key: &w.A.EdCard, Draft: func(d *cwt.Draft) { d.StatusIndex = vt.RevokedIndex }})
	for _, c := range []struct {
		name, text string
		in         verifier.Inputs
		want       words.Reason
		most       float64
	}{
		{"good", good, in, words.OK, 0}, {"revoked", revoked, in, words.Revoked, 0}, {"with a journal", good, used, words.OK, 2},
	} {
		var checker verifier.Checker
		if r := checker.Verify(c.text, c.in); r.Reason != c.want {
			t.Fatalf("%s: %s %v", c.name, r.Reason, r.Err)
		}
		if got := testing.AllocsPerRun(20, func() { checker.Verify(c.text, c.in) }); got > c.most {
			t.Errorf("%s: %v allocations, at most %v", c.name, got, c.most)
		}
	}
}

// What a Checker gave out before stays as it was, once kept.
func TestAKeptResultOutlivesTheNextCheck(t *testing.T) {
	w := vt.New()
	pack, floors := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	in := verifier.Inputs{At: vt.Now, Pack: pack, Floors: floors}
	var checker verifier.Checker
	first := checker.Verify(w.Text(vt.CardOptions{}), in)
	first.Keep()
	before := statement(&first.Credential)
	checker.Verify(w.Text(vt.CardOptions{Unit: "unit-2", Org: w.B}), in)
	if statement(&first.Credential) != before || first.Claims()["programme"] != vt.Programme {
		t.Error("the next check wrote into it")
	}
}
