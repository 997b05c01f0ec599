package storagetest

import (
	"slices"
	"testing"

	"aidpass/credential"
	"aidpass/storage"
	"aidpass/trust"
)

// Blocks of devices lie side by side with cards and never on them, until every list
// is full of them and a new one is made; nothing of them is ever given to others.
func testBlocks(t *testing.T, e Engine) {
	w := newWorld(t, e)
	issued(t, issue(t, w.desk, w.batch(t, 40)))
	lists := w.desk.Lists.WithDefaults()
	until := credential.FromStd(w.now) + 60*86400
	var blocks []trust.StatusBlock
	uris := map[string]bool{}
	before, err := w.org.StatusLists(ctx, w.now)
	must(t, err)
	for i := range 40 {
		b, err := w.org.ReserveBlock(ctx, clerk, [8]byte{1, byte(i)}, lists, listSize/16, until, w.now)
		must(t, err)
		if b.Count != listSize/16 || b.First+b.Count > listSize {
			t.Fatalf("block %+v in a list of %d", b, listSize)
		}
		for _, o := range blocks {
			if o.URI == b.URI && o.First < b.First+b.Count && b.First < o.First+o.Count {
				t.Fatalf("blocks %+v and %+v overlap", o, b)
			}
		}
		blocks, uris[b.URI] = append(blocks, b), true
	}
	after, err := w.org.StatusLists(ctx, w.now)
	must(t, err)
	if len(after) <= len(before) || len(uris) < 2 {
		t.Errorf("40 blocks of a sixteenth lie in %d lists; there were %d lists and are %d", len(uris), len(before), len(after))
	}
	// Cards that are issued later find other places.
	for _, c := range w.credentials(t) {
		inside := slices.IndexFunc(blocks, func(b trust.StatusBlock) bool {
			return b.URI == c.StatusURI && c.StatusIndex >= b.First && c.StatusIndex < b.First+b.Count
		})
		if inside >= 0 {
			t.Errorf("card %s has an entry of block %+v", c.ID, blocks[inside])
		}
	}
	for _, count := range []uint64{0, storage.MaxBlock + 1, listSize/16 + 1} {
		if b, err := w.org.ReserveBlock(ctx, clerk, [8]byte{2}, lists, count, until, w.now); err == nil {
			t.Errorf("a block of %d entries: %+v", count, b)
		}
	}
	w.whole(t)
	w.exec(t, `INSERT INTO device_block (org_id, list_no, first, count, kid, made_at)
		SELECT org_id, list_no, MAX(idx), 5, 'ff', 0 FROM status_index WHERE kind = 'decoy' GROUP BY org_id, list_no LIMIT 1`)
	if got := w.findings(t); !slices.Contains(got, storage.CheckIndex) {
		t.Errorf("a block over a decoy is found by nobody: %q", got)
	}
}
