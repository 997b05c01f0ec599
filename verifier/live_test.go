package verifier_test

import (
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// shownLive is what w's wallet shows of its card, as made at a time; challenge nil: by time.
func shownLive(t testing.TB, w *vt.World, unit string, at credential.Time, challenge []byte) string {
	t.Helper()
	card := w.Card(vt.CardOptions{Unit: unit, Draft: func(d *cwt.Draft) { d.HolderKey = w.Wallet.Key }})
	p := verifier.PrepareLive(w.Wallet.Key, card, at, challenge)
	signature, err := cose.SignRaw(w.Wallet, p.ToBeSigned())
	check(t, err)
	raw, err := p.Attach(signature)
	check(t, err)
	text, err := cwt.Text(raw)
	check(t, err)
	return text
}

// A live code that was taken is judged again by what the first judgement proved, for
// as long as it is remembered as seen; for anybody else it counts once.
func TestALiveCodeJudgedAgain(t *testing.T) {
	w := vt.New()
	pack, floors, err := verifier.OpenPack(w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	check(t, err)
	challenge := []byte("what this device shows")
	live := func(unit string, challenge []byte) string { return shownLive(t, w, unit, vt.Now, challenge) }
	for _, c := range []struct {
		name      string
		challenge []byte
		holder    verifier.HolderCheck
	}{
		{"by time", nil, verifier.LiveProof},
		{"by challenge", challenge, verifier.LiveProof | verifier.LiveChallenge},
	} {
		text := live("unit-1", c.challenge)
		first := verifier.Verify(text, verifier.Inputs{At: vt.Now, Floors: floors, Pack: pack, Challenge: c.challenge})
		if first.Reason != words.OK || first.Holder != c.holder {
			t.Fatalf("%s: %s, holder %d", c.name, first.Reason, first.Holder)
		}
		in := verifier.Inputs{Floors: first.Floors, Pack: pack, Challenge: c.challenge}
		judge := func(text string, at credential.Time, again verifier.Accepted) verifier.Result {
			in.At, in.Again = at, again
			return verifier.Verify(text, in)
		}
		if r := judge(text, vt.Now+100, verifier.Accepted{}); r.Reason != words.KBStale {
			t.Errorf("%s, shown a second time: %s", c.name, r.Reason)
		}
		again := judge(text, vt.Now+200, first.Live)
		if again.Reason != words.OK || again.Holder != c.holder || len(again.Floors.Live) != 1 {
			t.Errorf("%s, judged again: %s, holder %d, %d remembered", c.name, again.Reason, again.Holder, len(again.Floors.Live))
		}
		// However often it is repeated, it is of the first time.
		if r := judge(text, vt.Now+241, again.Live); c.challenge == nil && r.Reason != words.KBStale {
			t.Errorf("%s, repeated for four minutes: %s", c.name, r.Reason)
		}
		if r := judge(live("unit-2", []byte("another's")), vt.Now+1, first.Live); r.Reason != words.KBWrongNonce {
			t.Errorf("%s, another's code by this one's proof: %s", c.name, r.Reason)
		}
		// The challenge has changed meanwhile: the answer was to the one shown then.
		in.Challenge = []byte("the next challenge")
		if r := judge(text, vt.Now+5, first.Live); r.Reason != words.OK {
			t.Errorf("%s, under the next challenge: %s", c.name, r.Reason)
		}
		if r := judge(text, vt.Now+5, verifier.Accepted{}); r.Reason != words.KBWrongNonce {
			t.Errorf("%s, shown anew under the next challenge: %s", c.name, r.Reason)
		}
	}
}

// A code that was taken is no good again, at whatever second: as long as its time would
// let it through, it is remembered. The wallet's clock is behind, right or ahead; an
// answer is good as long as the challenge is, whatever that clock says.
func TestALiveCodeCountsOnceToTheLastSecond(t *testing.T) {
	w := vt.New()
	pack, floors, err := verifier.OpenPack(w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	check(t, err)
	challenge := asked(t, certificate(t, w, nil), w.Device, vt.Now)
	for _, c := range []struct {
		name        string
		clock       credential.Time // of the wallet
		challenge   []byte
		first, last credential.Time // when the device takes it; all after Now
	}{
		{"by time", 0, nil, -120, 120},
		{"by time, the wallet behind", -100, nil, -220, 20},
		{"by time, the wallet ahead", 100, nil, -20, 220},
		{"an answer", 0, challenge, 0, verifier.AnswerWithin},
		{"an answer, the wallet behind", -86400, challenge, 0, verifier.AnswerWithin},
		{"an answer, the wallet ahead", 86400, challenge, 0, verifier.AnswerWithin},
	} {
		text := shownLive(t, w, "unit-1", vt.Now+c.clock, c.challenge)
		in := verifier.Inputs{Floors: floors, Pack: pack, Challenge: c.challenge, Asked: vt.Now}
		at := func(after credential.Time) verifier.Result {
			in.At = vt.Now + after
			return verifier.Verify(text, in)
		}
		for after, want := range map[credential.Time]words.Reason{c.first - 1: words.KBStale, c.first: words.OK, c.last: words.OK, c.last + 1: words.KBStale} {
			if r := at(after); r.Reason != want {
				t.Errorf("%s, shown %d s after: %s, want %s", c.name, after, r.Reason, want)
			}
		}
		in.Floors = at(c.first).Floors
		for after := c.first; after <= c.last+1; after++ {
			if r := at(after); r.Reason != words.KBStale {
				t.Fatalf("%s, taken after %d s and shown again after %d s: %s", c.name, c.first, after, r.Reason)
			}
		}
	}
}
