package verifier_test

import (
	"bytes"
	"errors"
	"testing"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// revoking is the world's list at a later moment, with the card of every test revoked.
func revoking(at credential.Time) vt.StatusOptions {
	return vt.StatusOptions{Issued: at, Edit: func(r *status.Register) {
		_ = r.Set(vt.RevokedIndex, status.Invalid)
		_ = r.Set(vt.SuspendedIndex, status.Suspended)
		_ = r.Set(vt.GoodIndex, status.Invalid)
	}}
}

func deltaTo(t *testing.T, w *vt.World, base *status.List, at credential.Time) []byte {
	t.Helper()
	r, err := status.LoadRegister(base.URI, base.Bits)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Set(vt.GoodIndex, status.Invalid)
	p, err := status.PrepareDelta(w.A.Status.Key, base, r, at, at+7*day)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(w.A.Status, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Updates are kept beside the pack and given again, all of them, each time it opens.
func TestUpdatesAreTakenAgainWhenThePackIsOpenedAnew(t *testing.T) {
	w := vt.New()
	raw := w.Pack(vt.PackOptions{})
	p, f := open(t, raw, verifier.Floors{}, vt.Now)
	one := deltaTo(t, w, p.Lists()[0], vt.Made+600)
	q, f, used, err := p.AddUpdates([][]byte{one}, f, vt.Now)
	if err != nil || len(used) != 1 {
		t.Fatal(used, err)
	}
	two := deltaTo(t, w, q.Lists()[0], vt.Made+1200)
	q, f, used, err = q.AddUpdates([][]byte{two}, f, vt.Now)
	if err != nil || len(used) != 1 {
		t.Fatal(used, err)
	}
	card := w.Text(vt.CardOptions{})
	if got := reason(q, f, card, vt.Now); got != words.Revoked {
		t.Errorf("after two deltas: %s", got)
	}
	p, f = open(t, raw, f, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.StatusRollback {
		t.Errorf("the pack alone, older than what was seen: %s", got)
	}
	if _, _, used, err := p.AddUpdates([][]byte{two}, f, vt.Now); err == nil || used != nil {
		t.Error("a delta to a list that is not there was taken")
	}
	if _, _, used, err := p.AddUpdates([][]byte{one}, f, vt.Now); err == nil || used != nil {
		t.Error("an update older than what was seen was taken")
	}
	q, f, used, err = p.AddUpdates([][]byte{one, two}, f, vt.Now)
	if err != nil || len(used) != 2 {
		t.Fatal(used, err)
	}
	if got := reason(q, f, card, vt.Now); got != words.Revoked {
		t.Errorf("opened anew with its updates: %s", got)
	}
	// The same again says nothing new, and is no error.
	if _, _, used, err := q.AddUpdates([][]byte{two[:len(two):len(two)]}, f, vt.Now); len(used) != 0 || reasonOf(err) != words.StatusRollback {
		t.Errorf("the newest delta again: %d, %v", len(used), err)
	}
	snapshot := w.Snapshot(w.A, revoking(vt.Made+1200))
	if _, _, used, err := q.AddUpdates([][]byte{snapshot}, f, vt.Now); len(used) != 0 || err != nil {
		t.Errorf("a whole list of the same moment: %d, %v", len(used), err)
	}
}

func reasonOf(err error) words.Reason {
	if e, ok := errors.AsType[*verifier.PackError](err); ok {
		return e.Reason
	}
	return ""
}

func TestAnUpdateThatDoesNotHoldChangesNothing(t *testing.T) {
	w := vt.New()
	p, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	newer := w.Snapshot(w.A, revoking(vt.Made+600))
	tampered := bytes.Clone(newer)
	tampered[len(tampered)-3] ^= 1
	foreign := revoking(vt.Made + 600)
	foreign.URI = w.B.StatusURI // in another organisation's place
	before := f.Encode()
	for name, c := range map[string]struct {
		file []byte
		want words.Reason
	}{
		"older":                  {w.Snapshot(w.A, vt.StatusOptions{Issued: vt.Made - 3600}), words.StatusRollback},
		"tampered":               {tampered, words.BadSignature},
		"torn":                   {newer[:len(newer)-9], words.PackIncomplete},
		"another's list":         {w.Snapshot(w.A, foreign), words.UnknownKey},
		"a pack":                 {w.Pack(vt.PackOptions{}), words.PackMismatch},
		"nothing":                {nil, words.PackMismatch},
		"a policy beside a list": {append(bytes.Clone(newer), 0xa0), words.PackMismatch},
	} {
		parts, err := verifier.SplitUpdates(c.file)
		if err == nil {
			var used [][]byte
			_, _, used, err = p.AddUpdates(parts, f, vt.Now)
			if used != nil {
				t.Errorf("%s: taken", name)
			}
		}
		if got := reasonOf(err); got != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
	if !bytes.Equal(f.Encode(), before) {
		t.Error("what was refused is remembered")
	}
	// Beside one that does not hold, a good one is taken.
	if _, _, used, _ := p.AddUpdates([][]byte{tampered, newer}, f, vt.Now); len(used) != 1 {
		t.Errorf("%d of the good one are taken", len(used))
	}
}

func FuzzSplitUpdates(f *testing.F) {
	w := steady()
	p, floors := open(f, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	f.Add(w.Snapshot(w.A, revoking(vt.Made+600)))
	f.Add(append(w.Snapshot(w.A, revoking(vt.Made+600)), w.StatusCWT(w.A, revoking(vt.Made+900))...))
	f.Add(w.StatusJWT(w.A, revoking(vt.Made+600)))
	f.Fuzz(func(t *testing.T, file []byte) {
		parts, err := verifier.SplitUpdates(file)
		if err != nil {
			return
		}
		if !bytes.Equal(bytes.Join(parts, nil), file) {
			t.Fatal("the parts are not the file")
		}
		if q, _, used, _ := p.AddUpdates(parts, floors, vt.Now); len(used) == 0 && q != p {
			t.Fatal("nothing was taken, and the pack is another")
		}
	})
}
