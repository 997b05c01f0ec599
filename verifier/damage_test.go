package verifier_test

import (
	"errors"
	"testing"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/words"
)

// What DESIGN 7 says of stolen keys, far-future times, swapped parts, rolled-back
// lists and wrong clocks: each does this much damage and no more, and this is how
// it is mended.

const day credential.Time = 86400

func open(t testing.TB, pack []byte, f verifier.Floors, at credential.Time) (*verifier.Pack, verifier.Floors) {
	t.Helper()
	p, f, err := verifier.OpenPack(pack, f, at)
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

func reason(p *verifier.Pack, f verifier.Floors, text string, at credential.Time) words.Reason {
	r := verifier.Verify(text, verifier.Inputs{At: at, Floors: f, Pack: p})
	return r.Reason
}

func statusParts(w *vt.World, o vt.StatusOptions) []verifier.Part {
	uri := w.A.StatusURI
	at := o.Issued
	if at == 0 {
		at = vt.Made
	}
	return []verifier.Part{
		{Owner: w.A.ID, Kind: verifier.PartSnapshot, Name: uri, Sequence: uint64(at), Data: w.Snapshot(w.A, o)},
		{Owner: w.B.ID, Kind: verifier.PartSnapshot, Name: w.B.StatusURI, Sequence: uint64(vt.Made), Data: w.Snapshot(w.B, vt.StatusOptions{})},
	}
}

func TestAStatusListOf2099HarmsItsOwnCardsOnlyAndIsForgottenWithItsKey(t *testing.T) {
	w := vt.New()
	cardA, cardB := w.Text(vt.CardOptions{}), w.Text(vt.CardOptions{Org: w.B})
	future := statusParts(w, vt.StatusOptions{Issued: 4070908800})
	p, f := open(t, w.Pack(vt.PackOptions{Status: future}), verifier.Floors{}, vt.Now)
	if got := reason(p, f, cardA, vt.Now); got != words.StatusNotYetValid {
		t.Errorf("A's card: %s", got)
	}
	if got := reason(p, f, cardB, vt.Now); got != words.OK {
		t.Errorf("B's card: %s", got)
	}
	if f.Hard() > vt.Now {
		t.Errorf("the floor went to %s", f.Hard())
	}
	// A signs an honest list again: nothing of 2099 is remembered against it.
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 8, Status: statusParts(w, vt.StatusOptions{Issued: vt.Made + 3600})}), f, vt.Now)
	if got := reason(p, f, cardA, vt.Now); got != words.OK {
		t.Errorf("after an honest list: %s", got)
	}
}

func TestATimeInsideTheTrustListsLifeShiftsTheFloorUntilTheKeyIsWithdrawn(t *testing.T) {
	w := vt.New()
	ahead := vt.Made + 25*day // before the trust list's next update: vouched for
	p, f := open(t, w.Pack(vt.PackOptions{Status: statusParts(w, vt.StatusOptions{Issued: ahead})}), verifier.Floors{}, vt.Now)
	if f.Hard() != ahead {
		t.Errorf("floor %s, want %s", f.Hard(), ahead)
	}
	// A good card stays good: judged at the clock and at the floor alike, since
	// the floor never proves freshness wrong by itself.
	long := vt.CardOptions{Org: w.B, Type: "eligibility"}
	if got := reason(p, f, w.Text(long), vt.Now); got != words.ClockImplausible && got != words.OK {
		t.Errorf("B's card: %s", got)
	}
	// The anchors withdraw A's status key: its time is dropped.
	listed := vt.TrustOptions{Sequence: 6, Issued: vt.Made + 60, Edit: func(d *trust.Draft) {
		if err := d.Withdraw(w.A.ID, w.A.Status.KID(), vt.Made); err != nil {
			t.Fatal(err)
		}
	}}
	p, f = open(t, w.Pack(vt.PackOptions{Sequence: 8, Trust: listed, Status: statusParts(w, vt.StatusOptions{Issued: ahead})}), f, vt.Now)
	if f.Hard() > vt.Now {
		t.Errorf("after the withdrawal the floor is %s", f.Hard())
	}
	if got := reason(p, f, w.Text(long), vt.Now); got != words.OK {
		t.Errorf("B's card after the withdrawal: %s", got)
	}
	if got := reason(p, f, w.Text(vt.CardOptions{}), vt.Now); got.Known() && words.Of(got).Answer == words.Valid {
		t.Errorf("A's card relies on a withdrawn key's list: %s", got)
	}
}

func TestAStolenStatusKeyCannotTouchOthersNorUndoARevocation(t *testing.T) {
	w := vt.New()
	revoked := w.Text(vt.CardOptions{Draft: indexed(vt.RevokedIndex)})
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	// The thief publishes an all-valid list of A, and one of B.
	parts := statusParts(w, vt.StatusOptions{Issued: vt.Made + 60, Edit: func(*status.Register) {}})
	parts[1].Data = w.Snapshot(w.B, vt.StatusOptions{Issued: vt.Made + 60, Key: &w.A.Status, Edit: func(r *status.Register) { _ = r.Set(vt.GoodIndex, status.Invalid) }})
	p, f2 := open(t, w.Pack(vt.PackOptions{Sequence: 8, Status: parts}), f, vt.Now)
	if got := reason(p, f2, revoked, vt.Now); got != words.StatusUnrevoked {
		t.Errorf("a revoked card under the thief's list: %s", got)
	}
	if got := reason(p, f2, w.Text(vt.CardOptions{Org: w.B}), vt.Now); words.Of(got).Answer != words.Unsure {
		t.Errorf("B's card: %s, want unsure, never invalid by A's key", got)
	}
	// What the thief can do: revoke A's good cards. Mended by a new status key, after
	// which A's honest list counts again from where it stood.
	parts = statusParts(w, vt.StatusOptions{Issued: vt.Made + 120, Edit: func(r *status.Register) { _ = r.Set(vt.GoodIndex, status.Invalid) }})
	p, f3 := open(t, w.Pack(vt.PackOptions{Sequence: 9, Status: parts}), f2, vt.Now)
	good := w.Text(vt.CardOptions{})
	if got := reason(p, f3, good, vt.Now); got != words.Revoked {
		t.Errorf("a good card under the thief's list: %s", got)
	}
	fresh := vt.P256("A's new status key")
	listed := vt.TrustOptions{Sequence: 6, Issued: vt.Made + 180, Edit: func(d *trust.Draft) {
		if err := d.Withdraw(w.A.ID, w.A.Status.KID(), vt.Made); err != nil {
			t.Fatal(err)
		}
		if err := d.AddKey(w.A.ID, trust.Key{Key: fresh.Key, Use: trust.UseStatus, NotBefore: vt.Made, NotAfter: vt.Made + 400*day}); err != nil {
			t.Fatal(err)
		}
	}}
	p, f4 := open(t, w.Pack(vt.PackOptions{Sequence: 10, Trust: listed, Status: statusParts(w, vt.StatusOptions{Issued: vt.Made + 240, Key: &fresh})}), f3, vt.Now)
	if got := reason(p, f4, good, vt.Now); got != words.OK {
		t.Errorf("after the key was replaced: %s", got)
	}
	if got := reason(p, f4, revoked, vt.Now); got != words.Revoked {
		t.Errorf("a card A revoked itself: %s", got)
	}
}

func TestASnapshotWithDeltasIsTakenAgainAndAgain(t *testing.T) {
	w := vt.New()
	snap := w.Snapshot(w.A, vt.StatusOptions{})
	base, err := status.OpenSnapshot(snap, func([]byte) *cose.Key { return w.A.Status.Key })
	if err != nil {
		t.Fatal(err)
	}
	r, err := status.LoadRegister(w.A.StatusURI, base.Bits)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Set(vt.GoodIndex, status.Invalid); err != nil {
		t.Fatal(err)
	}
	d, err := status.PrepareDelta(w.A.Status.Key, base, r, vt.Made+600, vt.Made+7*day)
	if err != nil {
		t.Fatal(err)
	}
	sig, _ := cose.SignRaw(w.A.Status, d.ToBeSigned())
	delta, err := d.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	parts := []verifier.Part{
		{Owner: w.A.ID, Kind: verifier.PartDelta, Name: w.A.StatusURI, Sequence: uint64(vt.Made + 600), Data: delta},
		{Owner: w.A.ID, Kind: verifier.PartSnapshot, Name: w.A.StatusURI, Sequence: uint64(vt.Made), Data: snap},
	}
	pack := w.Pack(vt.PackOptions{Status: parts})
	card := w.Text(vt.CardOptions{})
	f := verifier.Floors{}
	for range 3 {
		var p *verifier.Pack
		p, f = open(t, pack, f, vt.Now)
		if got := reason(p, f, card, vt.Now); got != words.Revoked {
			t.Fatalf("with the delta: %s", got)
		}
	}
	// Without the delta the snapshot is older than what the device has seen.
	p, _ := open(t, w.Pack(vt.PackOptions{Sequence: 8, Status: parts[1:]}), f, vt.Now)
	if got := reason(p, f, card, vt.Now); got != words.StatusRollback {
		t.Errorf("without it: %s", got)
	}
	// The delta may arrive alone, and brings a fresh pack up to date.
	p, f = open(t, w.Pack(vt.PackOptions{Status: parts[1:]}), verifier.Floors{}, vt.Now)
	p, f, err = p.AddStatus(verifier.PartDelta, delta, f, vt.Now)
	if err != nil {
		t.Fatal(err)
	}
	if got := reason(p, f, card, vt.Now); got != words.Revoked {
		t.Errorf("after the delta came alone: %s", got)
	}
	if _, _, err := p.AddStatus(verifier.PartSnapshot, snap, f, vt.Now); err != nil {
		t.Errorf("an older snapshot behind a newer list is no harm: %v", err)
	}
}

func TestAFloorResetFreesDevicesWhoseClockRanAhead(t *testing.T) {
	w := vt.New()
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	f = f.RecordedAt(vt.Now + 300*day) // somebody served with a clock a year ahead
	reset := vt.TrustOptions{Sequence: 6, Issued: vt.Made + 60, Edit: func(d *trust.Draft) { d.FloorReset = true }}
	p, f2 := open(t, w.Pack(vt.PackOptions{Sequence: 8, Trust: reset}), f, vt.Now)
	if f2.Soft != 0 {
		t.Errorf("soft floor still at %s", f2.Soft)
	}
	if got := reason(p, f2, w.Text(vt.CardOptions{}), vt.Now); got != words.OK {
		t.Errorf("after the reset: %s", got)
	}
	// The same list again resets nothing.
	f3 := f2.RecordedAt(vt.Now + 10)
	if _, f4 := open(t, w.Pack(vt.PackOptions{Sequence: 8, Trust: reset}), f3, vt.Now); f4.Soft != vt.Now+10 {
		t.Errorf("the same list reset the floor once more")
	}
	if f.ClearSoft().Soft != 0 {
		t.Error("a supervisor cannot clear the soft floor")
	}
}

func TestStateComesBackAsItWasWritten(t *testing.T) {
	w := vt.New()
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	f = f.RecordedAt(vt.Now)
	b := f.Encode()
	g, err := verifier.DecodeFloors(b)
	if err != nil {
		t.Fatal(err)
	}
	if string(g.Encode()) != string(b) {
		t.Error("the state changed on the way")
	}
	for i := range b {
		if _, err := verifier.DecodeFloors(b[:i]); err == nil {
			t.Fatalf("a state torn at byte %d is taken", i)
		}
	}
}

func indexed(i uint64) func(*cwt.Draft) { return func(d *cwt.Draft) { d.StatusIndex = i } }

func TestAStolenPackKeysHighSequenceGoesWithTheKey(t *testing.T) {
	w := vt.New()
	_, f := open(t, w.Pack(vt.PackOptions{Sequence: 1 << 60}), verifier.Floors{}, vt.Now)
	if _, _, err := verifier.OpenPack(w.Pack(vt.PackOptions{Sequence: 9}), f, vt.Now); err == nil {
		t.Fatal("an older pack is taken while the key stands")
	}
	fresh := vt.P256("A's new pack key")
	listed := vt.TrustOptions{Sequence: 6, Issued: vt.Made + 60, Edit: func(d *trust.Draft) {
		if err := d.Withdraw(w.A.ID, w.A.Pack.KID(), vt.Made); err != nil {
			t.Fatal(err)
		}
		if err := d.AddKey(w.A.ID, trust.Key{Key: fresh.Key, Use: trust.UsePack, NotBefore: vt.Made - day, NotAfter: vt.Made + 400*day}); err != nil {
			t.Fatal(err)
		}
	}}
	p, _ := open(t, w.Pack(vt.PackOptions{Sequence: 9, Trust: listed, Key: &fresh}), f, vt.Now)
	if p.Sequence != 9 {
		t.Errorf("sequence %d", p.Sequence)
	}
}

func TestADeviceTakesPacksOfItsOwnOrganisationOnly(t *testing.T) {
	w := vt.New()
	_, f := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	f.Enrolled = w.B.ID
	_, _, err := verifier.OpenPack(w.Pack(vt.PackOptions{}), f, vt.Now)
	var refused *verifier.PackError
	if !errors.As(err, &refused) || refused.Reason != words.PackMismatch {
		t.Errorf("got %v", err)
	}
}

func nothing(*status.Register) {}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
