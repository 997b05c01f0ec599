package storagetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/issuer"
)

var errFault = errors.New("the power went")

// A faulty store fails at its nth call, and from then on, like a program that
// was killed: before the call, so that nothing was written, or after it, so that
// it was written although it failed.
type faulty struct {
	issuer.Store
	log     issuer.SigningLog
	failAt  int
	written bool // fail after the call
	calls   int
}

func (f *faulty) call(do func() error) error {
	f.calls++
	if f.calls > f.failAt || f.calls == f.failAt && !f.written {
		return errFault
	}
	if err := do(); err != nil {
		return err
	}
	if f.calls == f.failAt {
		return errFault
	}
	return nil
}

func (f *faulty) Reserve(ctx context.Context, by access.Actor, lot issuer.Lot, now time.Time, rows []issuer.Reservation) (s []issuer.Slot, err error) {
	return s, f.call(func() error { s, err = f.Store.Reserve(ctx, by, lot, now, rows); return err })
}

func (f *faulty) RecordIntents(ctx context.Context, by access.Actor, rows []issuer.Intent) (c []issuer.Credential, err error) {
	return c, f.call(func() error { c, err = f.Store.RecordIntents(ctx, by, rows); return err })
}

func (f *faulty) Complete(ctx context.Context, by access.Actor, rows []issuer.SignedCard) (c []issuer.Credential, err error) {
	return c, f.call(func() error { c, err = f.Store.Complete(ctx, by, rows); return err })
}

func (f *faulty) LogSigning(ctx context.Context, rows []issuer.Credential) error {
	return f.call(func() error { return f.log.LogSigning(ctx, rows) })
}

func (f *faulty) Unfinished(ctx context.Context, after issuer.CTI, limit int) (c []issuer.Credential, err error) {
	return c, f.call(func() error { c, err = f.Store.Unfinished(ctx, after, limit); return err })
}

func (f *faulty) Release(ctx context.Context, by access.Actor, before time.Time) (n int, err error) {
	return n, f.call(func() error { n, err = f.Store.Release(ctx, by, before); return err })
}

// Crash kills the desk at every call of a batch of two chunks, both ways,
// and once more while it comes back. Whatever happened, in the end every
// household has one credential and every signature ever made is known.
func Crash(t *testing.T, e Engine) {
	const calls = 8 // reserve, intend, log, complete: twice
	for at := 1; at <= calls+1; at++ {
		for _, written := range []bool{false, true} {
			for _, resume := range []bool{false, true} {
				if testing.Short() && !resume {
					continue
				}
				t.Run(fmt.Sprintf("call %d, written %v, resume %v", at, written, resume), func(t *testing.T) {
					crash(t, e, at, written, resume, at == calls+1)
				})
			}
		}
	}
}

const crashRows, crashChunk = 12, 8

func crash(t *testing.T, e Engine, at int, written, resume, survives bool) {
	w := newWorld(t, e)
	w.chunk = crashChunk
	b := w.batch(t, crashRows)
	f := &faulty{Store: w.org, log: w.org, failAt: at, written: written}
	handed := map[int]issuer.CTI{}
	keep := func(r issuer.Result) error {
		if r.Refusal == nil && r.Row > 0 {
			if before, ok := handed[r.Row]; ok && before != r.Credential.ID {
				t.Errorf("row %d was handed out twice, as two credentials", r.Row)
			}
			handed[r.Row] = r.Credential.ID
		}
		return nil
	}
	err := w.newDesk(f, f).Issue(ctx, b, keep)
	if survives != (err == nil) || err != nil && !errors.Is(err, errFault) {
		t.Fatalf("the desk ended with %v", err)
	}
	w.reopen(t)
	if r := w.org.Replayed(); r.Credentials+r.Statuses+r.Published+r.Erased != 0 {
		t.Errorf("nothing was restored, and opening took in %+v", r)
	}
	if resume {
		// A second crash, on the way back.
		f := &faulty{Store: w.org, log: w.org, failAt: 1 + at%4, written: !written}
		if err := w.newDesk(f, f).Resume(ctx, keep); err != nil && !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		w.reopen(t)
		w.now = w.now.Add(time.Hour) // what was only reserved is let go
		must(t, w.desk.Resume(ctx, keep))
		if left, err := w.org.Unfinished(ctx, issuer.CTI{}, 1); err != nil || len(left) != 0 {
			t.Errorf("%d intents are left, %v", len(left), err)
		}
	}
	must(t, w.desk.Issue(ctx, b, keep))
	if len(handed) != crashRows {
		t.Errorf("%d of %d rows were handed out", len(handed), crashRows)
	}
	active := map[issuer.UnitID]int{}
	for _, c := range w.credentials(t) {
		if !c.Ended {
			active[c.Unit]++
		}
	}
	for unit, n := range active {
		if n != 1 {
			t.Errorf("unit %s has %d active credentials", unit, n)
		}
	}
	if len(active) != crashRows {
		t.Errorf("%d of %d households have a credential", len(active), crashRows)
	}
	w.whole(t)
}

func testResumeSameBytes(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 3)
	f := &faulty{Store: w.org, log: w.org, failAt: 4} // at Complete: signed, and nobody has the cards
	if err := w.newDesk(f, f).Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	first := slices.Clone(w.signer.signed)
	w.reopen(t)
	w.now = w.now.Add(24 * time.Hour)
	done := 0
	must(t, w.desk.Resume(ctx, func(r issuer.Result) error {
		if r.Refusal == nil && r.Text != "" {
			done++
		}
		return nil
	}))
	second := w.signer.signed[len(first):]
	byBytes := func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) }
	slices.SortFunc(first, byBytes)
	slices.SortFunc(second, byBytes)
	if done != 3 || !slices.Equal(first, second) {
		t.Errorf("resumed %d cards; the bytes signed are the same: %v", done, slices.Equal(first, second))
	}
	w.whole(t)
}

func testOtherKey(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 2)
	f := &faulty{Store: w.org, log: w.org, failAt: 3} // recorded, not logged
	if err := w.newDesk(f, f).Issue(ctx, b, func(issuer.Result) error { return nil }); !errors.Is(err, errFault) {
		t.Fatal(err)
	}
	w.reopen(t)
	old := w.signer
	w.signer = newSigner(t)
	w.use(w.org)
	for row, r := range issue(t, w.desk, b) {
		if r.Refusal == nil || r.Refusal.Code != issuer.RefusedOtherKey {
			t.Errorf("row %d under another key: %+v, want %q", row, r, issuer.RefusedOtherKey)
		}
	}
	// The way out: revoke what waits, then issue under the new key.
	waiting, err := w.desk.Find(ctx, "HH-00000")
	must(t, err)
	must(t, w.desk.Revoke(ctx, []issuer.CTI{waiting[0].ID}, "key retired"))
	if r := issue(t, w.desk, b)[1]; r.Refusal != nil || r.Old {
		t.Errorf("after the revocation: %+v", r)
	}
	w.signer = old // or finish with the old key
	w.use(w.org)
	resumed := 0
	must(t, w.desk.Resume(ctx, func(r issuer.Result) error {
		if r.Refusal == nil {
			resumed++
		}
		return nil
	}))
	if resumed != 1 {
		t.Errorf("the old key resumed %d, want the 1 that still waits", resumed)
	}
	w.whole(t)
}

func testBadCard(t *testing.T, e Engine) {
	w := newWorld(t, e)
	b := w.batch(t, 3)
	n := 0
	w.desk.Check = func([]byte) error {
		if n++; n == 2 {
			return errors.New("not in the trust list")
		}
		return nil
	}
	results := issue(t, w.desk, b)
	if r := results[2]; r.Refusal == nil || r.Refusal.Code != issuer.RefusedBadCard || r.Credential.Card != nil || r.Text != "" {
		t.Errorf("the card that does not verify: %+v", r)
	}
	w.desk.Check = w.verify // mended: the same credential is finished
	again := issue(t, w.desk, b)
	if r := again[2]; r.Refusal != nil {
		t.Errorf("after mending: %+v", r)
	}
	w.desk.Check = func([]byte) error { return errors.New("no card verifies") }
	b.Round = 4
	approve(t, &b)
	if err := w.desk.Issue(ctx, b, func(issuer.Result) error { t.Error("a result"); return nil }); err == nil {
		t.Error("a batch of which no card verifies was issued")
	}
	w.whole(t) // all of them known, and revocable
	known := 0
	for _, s := range w.signer.signed {
		for _, c := range w.credentials(t) {
			if sha256.Sum256(c.Intent) == s {
				known++
				break
			}
		}
	}
	if known != len(w.signer.signed) || known != 7 {
		t.Errorf("%d of %d signatures are known, want all 7", known, len(w.signer.signed))
	}
}

func coseKey(s *signer) (*cose.Key, error) { return cose.NewKey(s.Public()) }
