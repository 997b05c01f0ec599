package storagetest

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/status"
)

// publish publishes and returns the lists by URI, opened from their tokens.
func (w *world) publish(t *testing.T) (map[string]issuer.PublishedList, map[string]*status.List) {
	t.Helper()
	files, err := w.desk.PublishStatus(ctx, w.status, issuer.Publishing{})
	must(t, err)
	byURI, lists := map[string]issuer.PublishedList{}, map[string]*status.List{}
	for _, f := range files {
		l, err := status.OpenCWT(f.CWT, w.findStatus(t))
		must(t, err)
		s, err := status.OpenSnapshot(f.Snapshot, w.findStatus(t))
		must(t, err)
		if l.URI != f.URI || s.URI != f.URI || l.IssuedAt != f.IssuedAt || s.IssuedAt != f.IssuedAt || !bytes.Equal(l.Bits, s.Bits) {
			t.Fatalf("token and snapshot of %s say different things", f.URI)
		}
		byURI[f.URI], lists[f.URI] = f, s
	}
	return byURI, lists
}

func (w *world) findStatus(t *testing.T) func([]byte) *cose.Key {
	k, err := cose.NewKey(w.status.Public())
	must(t, err)
	return func([]byte) *cose.Key { return k }
}

func testPublish(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, 8)))
	_, before := w.publish(t)
	for _, c := range cards {
		if v, ok := before[c.StatusURI].Look(c.StatusIndex); !ok || v != status.Valid {
			t.Fatalf("a fresh card is %v in its list", v)
		}
	}
	must(t, w.desk.Revoke(ctx, []issuer.CTI{cards[0].ID}, "lost"))
	must(t, w.desk.Suspend(ctx, []issuer.CTI{cards[1].ID, cards[2].ID}, "review"))
	must(t, w.desk.Reinstate(ctx, []issuer.CTI{cards[2].ID}, "cleared"))
	files, after := w.publish(t) // in the same second
	want := []status.Value{status.Invalid, status.Suspended, status.Valid, status.Valid}
	for i, v := range want {
		if got, _ := after[cards[i].StatusURI].Look(cards[i].StatusIndex); got != v {
			t.Errorf("card %d is %s in its list, want %s", i+1, got, v)
		}
	}
	for uri, l := range after {
		if l.IssuedAt <= before[uri].IssuedAt {
			t.Errorf("list %s of %s follows one of %s", uri, l.IssuedAt, before[uri].IssuedAt)
		}
		next, err := status.ApplyDelta(before[uri], files[uri].Delta, w.findStatus(t))
		must(t, err)
		if !bytes.Equal(next.Bits, l.Bits) || files[uri].Base != before[uri].IssuedAt {
			t.Errorf("the delta of %s does not lead to its snapshot", uri)
		}
	}
	// Past the store: an administrator takes a revocation back.
	w.exec(t, `DROP TRIGGER status_index_final`)
	w.exec(t, `UPDATE status_index SET value = 0 WHERE kind = 'credential'`)
	_, err := w.desk.PublishStatus(ctx, w.status, issuer.Publishing{})
	if !errors.Is(err, issuer.ErrUnrevokes) && !errors.Is(err, status.ErrFinal) {
		t.Errorf("publishing without a published revocation: %v, want a refusal", err)
	}
}

// testPublishRace: two publishers on two databases, and a revoker. Every list
// that reaches the public is newer than the one before, and no revocation is lost.
func testPublishRace(t *testing.T, e Engine) {
	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, w.many(40))))
	other := e.Open(t, w.dir, w.options())
	defer other.Close()
	second, err := other.Org(ctx, "org-a", w.kek)
	must(t, err)
	rounds := w.many(15)
	var mu sync.Mutex
	public := map[string]map[credential.Time][]byte{} // by list: what was handed out
	var wg sync.WaitGroup
	for _, desk := range []*issuer.Desk{w.desk, w.newDesk(second, second)} {
		wg.Go(func() {
			for range rounds {
				files, err := desk.PublishStatus(ctx, w.status, issuer.Publishing{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, f := range files {
					if public[f.URI] == nil {
						public[f.URI] = map[credential.Time][]byte{}
					}
					if public[f.URI][f.IssuedAt] != nil {
						t.Errorf("list %s was published twice at %s", f.URI, f.IssuedAt)
					}
					public[f.URI][f.IssuedAt] = f.Snapshot
				}
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		for _, c := range cards {
			if err := w.desk.Revoke(ctx, []issuer.CTI{c.ID}, "race"); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	_, last := w.publish(t)
	for uri, versions := range public {
		set := status.Set{}
		must(t, set.Add(last[uri]))
		for _, snapshot := range versions { // in any order: none contradicts another
			l, err := status.OpenSnapshot(snapshot, w.findStatus(t))
			must(t, err)
			if err := set.Add(l); err != nil {
				t.Errorf("list %s: %v", uri, err)
			}
		}
		newest := set.Find([]byte(uri))
		for i := range newest.Size {
			if newest.Unrevoked(i) {
				t.Errorf("list %s: the revocation of entry %d was taken back", uri, i)
			}
		}
	}
	for _, c := range cards {
		if v, _ := last[c.StatusURI].Look(c.StatusIndex); v != status.Invalid {
			t.Errorf("credential %s is %s at the end", c.ID, v)
		}
	}
	w.whole(t)

	// The compare-and-swap itself: a publication made from an old register is refused.
	uri := cards[0].StatusURI
	l, err := w.org.StatusList(ctx, uri)
	must(t, err)
	stale := issuer.Publication{URI: uri, Previous: l.PublishedAt - 1, IssuedAt: l.PublishedAt + 1, Bitmap: l.Published}
	if err := w.org.RecordPublication(ctx, clerk, stale); !errors.Is(err, issuer.ErrPublished) {
		t.Errorf("a publication on an old one: %v, want ErrPublished", err)
	}
	back := issuer.Publication{URI: uri, Previous: l.PublishedAt, IssuedAt: l.PublishedAt, Bitmap: l.Published}
	if err := w.org.RecordPublication(ctx, clerk, back); err == nil {
		t.Error("a publication of the same moment is taken")
	}
	back.IssuedAt, back.Bitmap = l.PublishedAt+1, make([]byte, len(l.Published))
	if err := w.org.RecordPublication(ctx, clerk, back); !errors.Is(err, issuer.ErrUnrevokes) {
		t.Errorf("an empty list after a full one: %v, want ErrUnrevokes", err)
	}
}

// testListsTellNothing is threat T8: whoever reads the public lists learns
// neither how many were issued nor how many were revoked.
func testListsTellNothing(t *testing.T, e Engine) {
	shape := func(n int) (lists int, size uint64, token int) {
		w := newWorld(t, e)
		if n > 1 {
			n = w.many(n)
		}
		issued(t, issue(t, w.desk, w.batch(t, n)))
		files, open := w.publish(t)
		for uri, l := range open {
			size = l.Size
			token = len(files[uri].CWT)
		}
		return len(open), size, token
	}
	few, size, token := shape(1)
	many, same, other := shape(700)
	if few != many || size != same {
		t.Errorf("1 card: %d lists of %d; 700 cards: %d of %d", few, size, many, same)
	}
	if d := token - other; d < -32 || d > 32 { // decoys and ECDSA vary it a little
		t.Errorf("the token of 1 card has %d bytes, that of 700 has %d", token, other)
	}

	w := newWorld(t, e)
	cards := issued(t, issue(t, w.desk, w.batch(t, w.many(700))))
	// Chi-square over 16 bins: 7.96 to 32.8 holds for all but one honest run in 1,000 above.
	var bins [16]float64
	for _, c := range cards {
		bins[c.StatusIndex*16/listSize]++
	}
	chi, want := 0.0, float64(len(cards))/16
	for _, n := range bins {
		chi += (n - want) * (n - want) / want
	}
	if chi > 50 { // one in 100,000
		t.Errorf("status indexes are not uniform: chi-square %.1f for 15 degrees of freedom", chi)
	}
	// Decoys move although nobody was revoked.
	changed := 0
	_, before := w.publish(t)
	for range 12 {
		w.now = w.now.Add(time.Minute)
		_, after := w.publish(t)
		for uri := range after {
			if !bytes.Equal(before[uri].Bits, after[uri].Bits) {
				changed++
			}
			for _, c := range cards {
				if c.StatusURI == uri {
					if v, _ := after[uri].Look(c.StatusIndex); v != status.Valid {
						t.Fatalf("a decoy took the place of credential %s", c.ID)
					}
				}
			}
		}
		before = after
	}
	if changed == 0 {
		t.Error("12 publications of 2 lists moved no decoy")
	}
}
