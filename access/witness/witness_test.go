package witness_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/internal/cose"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// private is the Ed25519 key of the seed SHA-256(text).
func private(text string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(text))
	return ed25519.NewKeyFromSeed(seed[:])
}

func keyOf(t testing.TB, org, text string) witness.Key {
	t.Helper()
	k, err := cose.NewKey(private(text).Public())
	if err != nil {
		t.Fatal(err)
	}
	key, err := witness.NewKey(org, k)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const (
	orgA = "https://relief-a.example/i1"
	orgB = "https://relief-b.example/i1"
)

// entries is a log of n as a store writes it.
func entries(n int) []access.Entry {
	var head access.Head
	list := make([]access.Entry, n)
	for i := range list {
		e := &list[i]
		*e = access.Entry{Org: orgA, Time: noon.Add(time.Duration(i) * time.Second), Actor: access.Actor{ID: "acc-7", Role: access.Issuer},
			Action: "credential.issue", Object: fmt.Sprintf("c%d", i), Detail: "rows=1"}
		e.Link(head)
		head = access.Head{Seq: e.Seq, Hash: e.Hash}
	}
	return list
}

// grown stores the tree of a log, a piece at a time.
func grown(t testing.TB, log []access.Entry, pieces ...int) (stored []tlog.Hash, root tlog.Hash) {
	t.Helper()
	var err error
	size := 0
	for _, n := range append(pieces, len(log)) {
		var leaves []tlog.Hash
		for i := size; i < n; i++ {
			leaves = append(leaves, witness.Leaf(&log[i]))
		}
		var more []tlog.Hash
		if more, root, err = witness.Grow(uint64(size), leaves, reader(stored)); err != nil {
			t.Fatal(err)
		}
		stored, size = append(stored, more...), n
	}
	return stored, root
}

func reader(stored []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
}

func checkpoint(t testing.TB, log []access.Entry) witness.Checkpoint {
	_, root := grown(t, log)
	return witness.Checkpoint{Origin: "relief-a.example/i1/audit", Size: uint64(len(log)), Root: root}
}

func TestACheckpointIsSignedByItsLogAndCosignedByAWitness(t *testing.T) {
	a, b := keyOf(t, orgA, "audit a"), keyOf(t, orgB, "audit b")
	c := checkpoint(t, entries(7))
	raw, err := witness.Sign(c, private("audit a"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := witness.Open(raw, []witness.Key{a})
	if err != nil || s.Checkpoint != c {
		t.Fatalf("%+v, %v", s, err)
	}
	both, err := witness.Cosign(s, b.Name, private("audit b"), noon)
	if err != nil {
		t.Fatal(err)
	}
	s, err = witness.Open(both, []witness.Key{a}, b)
	if err != nil || len(s.Cosignatures) != 1 || s.Cosignatures[0] != (witness.Cosignature{Name: b.Name, At: noon}) || !s.By(b.Name) {
		t.Fatalf("%+v, %v", s, err)
	}
	// A third adds its own and keeps the second's.
	third, err := witness.Cosign(s, "relief-c.example/audit", private("audit c"), noon)
	if err != nil || bytes.Count(third, []byte("\n\u2014 ")) != 3 {
		t.Fatalf("%v\n%s", err, third)
	}
	if s, err = witness.Open(third, []witness.Key{a}, b); err != nil || len(s.Cosignatures) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	// The reader of C2SP notes written by others takes the log's signature.
	v, err := note.NewVerifier(a.LogText())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(both, note.VerifierList(v)); err != nil || n.Text != c.Text() {
		t.Errorf("x/mod/sumdb/note: %v", err)
	}
}

func TestWhatIsNoSignedCheckpointIsRefused(t *testing.T) {
	a, b := keyOf(t, orgA, "audit a"), keyOf(t, orgB, "audit b")
	c := checkpoint(t, entries(7))
	raw, err := witness.Sign(c, private("audit a"))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := witness.Open(raw, []witness.Key{a})
	both, _ := witness.Cosign(s, b.Name, private("audit b"), noon)
	replace := func(old, new string) []byte { return bytes.Replace(both, []byte(old), []byte(new), 1) }
	other, _ := note.Sign(&note.Note{Text: c.Text() + "an extension\n"}, mustSigner(t, "relief-a.example/i1/audit"))
	if _, err := witness.Open(other, []witness.Key{a}); err == nil {
		t.Error("an extension line is taken")
	}
	for name, c := range map[string]struct {
		raw  []byte
		logs []witness.Key
	}{
		"another size":                    {replace("\n7\n", "\n8\n"), []witness.Key{a}},
		"a size with a zero before it":    {replace("\n7\n", "\n07\n"), []witness.Key{a}},
		"no entries":                      {replace("\n7\n", "\n0\n"), []witness.Key{a}},
		"another log":                     {replace("relief-a.example/i1/audit\n7", "relief-a.example/i2/audit\n7"), []witness.Key{a}},
		"the witness's key as the log's":  {both, []witness.Key{{Name: a.Name, Public: b.Public}}},
		"no key of the log":               {both, []witness.Key{b}},
		"no key at all":                   {both, nil},
		"nothing":                         {nil, []witness.Key{a}},
		"too long":                        {append(bytes.Clone(both), bytes.Repeat([]byte("x"), witness.MaxNoteBytes)...), []witness.Key{a}},
		"a forged cosignature":            {replace(b.Name+" ", b.Name+" A"), []witness.Key{a}},
		"the log's signature is the only": {both[:bytes.LastIndex(both, []byte("\u2014"))-1], []witness.Key{b}},
	} {
		if s, err := witness.Open(c.raw, c.logs, b); err == nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
	// The time of a cosignature is signed with it.
	i := bytes.LastIndexByte(both, ' ') + 1
	moved := bytes.Clone(both)
	moved[i+10] ^= 1
	if s, err := witness.Open(moved, []witness.Key{a}, b); err == nil {
		t.Errorf("a moved time: %+v", s.Cosignatures)
	}
	if _, err := witness.NewKey("https://a b.example/i1", nil); err == nil {
		t.Error("a space stands in a name")
	}
	if _, err := witness.Origin("https://a.example/x+y"); err == nil {
		t.Error("a plus stands in a name")
	}
}

func mustSigner(t *testing.T, name string) note.Signer {
	t.Helper()
	return logSigner{name, keyOf(t, orgA, "audit a")}
}

// logSigner signs any text as log A.
type logSigner struct {
	name string
	key  witness.Key
}

func (s logSigner) Name() string { return s.name }
func (s logSigner) KeyHash() uint32 {
	var id uint32
	fmt.Sscanf(strings.Split(s.key.LogText(), "+")[1], "%x", &id)
	return id
}
func (s logSigner) Sign(text []byte) ([]byte, error) {
	return ed25519.Sign(private("audit a"), text), nil
}

func TestKeysComeBackAsTheyWereWritten(t *testing.T) {
	a := keyOf(t, orgA, "audit a")
	for _, s := range []string{a.LogText(), a.WitnessText()} {
		k, err := witness.ParseKey(s)
		if err != nil || k.Name != a.Name || !k.Public.Equal(a.Public) {
			t.Errorf("%q: %+v, %v", s, k, err)
		}
		for _, bad := range []string{"", s + "=", strings.Replace(s, "relief-a", "relief-b", 1), s[:len(s)-4], strings.ToUpper(s)} {
			if _, err := witness.ParseKey(bad); err == nil {
				t.Errorf("%q is taken", bad)
			}
		}
	}
}

func TestAWitnessSignsOnlyWhatWentOn(t *testing.T) {
	log := entries(300)
	stored, _ := grown(t, log, 1, 130, 299)
	cp := func(n int) witness.Checkpoint { return checkpoint(t, log[:n]) }
	ask := func(old, size int) *witness.Request {
		r := &witness.Request{Old: uint64(old)}
		if old > 0 && old < size {
			var err error
			if r.Proof, err = tlog.ProveTree(int64(size), int64(old), reader(stored)); err != nil {
				t.Fatal(err)
			}
		}
		raw, err := witness.Sign(cp(size), private("audit a"))
		if err != nil {
			t.Fatal(err)
		}
		r.Note = raw
		again, err := witness.ParseRequest(r.Append(nil))
		if err != nil || !bytes.Equal(again.Append(nil), r.Append(nil)) {
			t.Fatalf("request %d to %d: %v", old, size, err)
		}
		return again
	}
	seen := cp(130)
	if err := ask(0, 130).Check(cp(130), nil); err != nil {
		t.Errorf("a first checkpoint: %v", err)
	}
	if err := ask(130, 300).Check(cp(300), &seen); err != nil {
		t.Errorf("a log that went on: %v", err)
	}
	if err := ask(130, 130).Check(cp(130), &seen); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	var conflict *witness.ConflictError
	for name, r := range map[string]error{
		"a proof from elsewhere":            ask(100, 300).Check(cp(300), &seen),
		"no proof":                          ask(0, 300).Check(cp(300), &seen),
		"an older checkpoint":               ask(0, 100).Check(cp(100), &seen),
		"a proof from what I have not seen": ask(100, 300).Check(cp(300), nil),
	} {
		if !errors.As(r, &conflict) {
			t.Errorf("%s: %v", name, r)
		}
	}
	forged := entries(300)
	forged[40].Reason = "other"
	for i := 40; i < 300; i++ {
		forged[i].Link(access.Head{Seq: forged[i-1].Seq, Hash: forged[i-1].Hash})
	}
	var fork *witness.ForkError
	other := checkpoint(t, forged)
	if err := ask(130, 300).Check(other, &seen); !errors.As(err, &fork) {
		t.Errorf("a rewritten log: %v", err)
	}
	same := checkpoint(t, forged[:130])
	if err := ask(130, 130).Check(same, &seen); !errors.As(err, &fork) {
		t.Errorf("a rewritten log of the same size: %v", err)
	}
}

func TestPaperLinesAreTyped(t *testing.T) {
	c := checkpoint(t, entries(9))
	line := c.Paper().Line()
	for _, typed := range []string{line, " " + strings.ToLower(line) + "\n", strings.ReplaceAll(line, "0", "O")} {
		p, err := witness.ParsePaper(typed)
		if err != nil || p != c.Paper() || !p.Holds(c.Root) {
			t.Errorf("%q: %+v, %v", typed, p, err)
		}
	}
	fields := strings.Fields(line)
	i := len(fields) - 5
	fields[i], fields[i+1] = fields[i+1], fields[i]
	for _, bad := range []string{"", line[:len(line)-1], strings.Join(fields, " "), strings.Replace(line, " 9 ", " 8 ", 1)} {
		if p, err := witness.ParsePaper(bad); err == nil {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}

func TestTilesProveTheTree(t *testing.T) {
	log := entries(600)
	stored, root := grown(t, log, 3, 256, 257)
	files := fstest.MapFS{}
	err := witness.WriteTiles(600, reader(stored), func(path string, data []byte) error {
		files[path] = &fstest.MapFile{Data: data}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// C2SP tlog-tiles: two whole tiles, the part of a third, and one level above.
	for _, path := range []string{"tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"} {
		if files[path] == nil {
			t.Errorf("%s is not there", path)
		}
	}
	if len(files) != 4 {
		t.Errorf("%d tiles", len(files))
	}
	next := witness.TileLeaves(600, func(path string) ([]byte, error) { return fs.ReadFile(files, path) })
	var leaves []tlog.Hash
	for {
		h, err := next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, h)
	}
	if _, again, err := witness.Grow(0, leaves, reader(nil)); err != nil || again != root {
		t.Errorf("%v %v, want %v", again, err, root)
	}
}

// tamper changes one row, as somebody with the database does.
var tampers = []struct {
	name string
	do   func(log []access.Entry, i int) []access.Entry // i: from 0
}{
	{"altered", func(log []access.Entry, i int) []access.Entry { log[i].Reason += "x"; return log }},
	{"deleted", func(log []access.Entry, i int) []access.Entry { return append(log[:i:i], log[i+1:]...) }},
	{"inserted", func(log []access.Entry, i int) []access.Entry {
		return append(append(log[:i:i], access.Entry{Org: orgA, Time: noon, Actor: log[i].Actor, Action: "x"}), log[i:]...)
	}},
	{"reordered", func(log []access.Entry, i int) []access.Entry {
		if i+1 < len(log) {
			log[i], log[i+1] = log[i+1], log[i]
		} else {
			log[i], log[i-1] = log[i-1], log[i]
		}
		return log
	}},
	{"truncated", func(log []access.Entry, i int) []access.Entry { return log[:i] }},
}

// Whoever has the database computes numbers, chain and tree anew: nothing in it is
// wrong then. The witnessed checkpoint alone shows it, and with the tiles of that day the row.
func TestARewrittenLogIsNamedByTheWitnessedCheckpoint(t *testing.T) {
	log := entries(40)
	promise := witness.Promise{Name: "checkpoint.txt", Paper: checkpoint(t, log).Paper()}
	tiles, _ := grown(t, log)
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom(tampers).Draw(rt, "kind")
		i := rapid.IntRange(1, 39).Draw(rt, "row")
		withTiles := rapid.Bool().Draw(rt, "tiles")
		forged := kind.do(entries(40), i)
		first := uint64(i + 1)
		if kind.name == "reordered" && i == 39 {
			first = 39
		}
		var head access.Head
		for j := range forged {
			forged[j].Link(head)
			head = access.Head{Seq: forged[j].Seq, Hash: forged[j].Hash}
		}
		if _, err := access.Verify(forged); err != nil {
			rt.Fatalf("the forger left a trace: %v", err)
		}
		// One checkpoint of half the log was witnessed too.
		half := witness.Promise{Name: "half.txt", Paper: checkpoint(t, log[:20]).Paper()}
		var trees []witness.Tree
		if withTiles {
			trees = append(trees, witness.Tree{Name: "tiles", Next: leavesOf(tiles, 40)})
		}
		p := witness.NewProver([]witness.Promise{promise, half}, trees...)
		for j := range forged {
			if err := p.Add(&forged[j]); err != nil {
				rt.Fatal(err)
			}
		}
		out, err := p.Finish()
		if err != nil || len(out.Bad) == 0 {
			rt.Fatalf("%s at %d is not seen: %+v, %v", kind.name, first, out, err)
		}
		want := first
		switch {
		case withTiles || kind.name == "truncated":
		case kind.name == "deleted" && first > 20:
			want = 40 // numbered anew, the log lacks its last
		case first > 20:
			want = 21 // in the part after the last checkpoint that holds
		default:
			want = 1
		}
		if out.Bad[0].Seq != want {
			rt.Errorf("%s at %d: named %d (%s), want %d", kind.name, first, out.Bad[0].Seq, out.Bad[0].Why, want)
		}
		if kept := len(out.Kept) == 1; kept != (first > 20) {
			rt.Errorf("%s at %d: %d checkpoints hold", kind.name, first, len(out.Kept))
		}
	})
}

// leavesOf reads the leaves of the stored hashes of the first n entries.
func leavesOf(stored []tlog.Hash, n int) witness.Leaves {
	i := int64(-1)
	return witness.StoredLeaves(func() (int64, tlog.Hash, error) {
		if i++; i == tlog.StoredHashCount(int64(n)) {
			return 0, tlog.Hash{}, io.EOF
		}
		return i, stored[i], nil
	})
}

func TestADamagedTreeIsNotBelieved(t *testing.T) {
	log := entries(30)
	stored, _ := grown(t, log)
	for _, damage := range []func(i int64, h tlog.Hash) (int64, tlog.Hash){
		func(i int64, h tlog.Hash) (int64, tlog.Hash) { h[0] ^= 1; return i, h },
		func(i int64, h tlog.Hash) (int64, tlog.Hash) { return i + 1, stored[i+1] },
	} {
		for at := range int64(20) {
			i := int64(-1)
			next := witness.StoredLeaves(func() (int64, tlog.Hash, error) {
				if i++; i >= int64(len(stored)) {
					return 0, tlog.Hash{}, io.EOF
				}
				if i == at {
					var h tlog.Hash
					i, h = damage(i, stored[i])
					return i, h, nil
				}
				return i, stored[i], nil
			})
			p := witness.NewProver(nil, witness.Tree{Name: "the tree", Next: next})
			for j := range log {
				if err := p.Add(&log[j]); err != nil {
					t.Fatal(err)
				}
			}
			if out, err := p.Finish(); err != nil || len(out.Bad) != 1 {
				t.Errorf("hash %d: %+v, %v", at, out.Bad, err)
			}
		}
	}
}

func TestAWholeLogKeepsItsPromises(t *testing.T) {
	log := entries(30)
	stored, root := grown(t, log)
	p := witness.NewProver([]witness.Promise{{Name: "a", Paper: checkpoint(t, log).Paper()}, {Name: "b", Paper: checkpoint(t, log[:11]).Paper()}},
		witness.Tree{Name: "the tree", Next: leavesOf(stored, 20)})
	for i := range log {
		if err := p.Add(&log[i]); err != nil {
			t.Fatal(err)
		}
	}
	out, err := p.Finish()
	if err != nil || len(out.Bad) != 0 || len(out.Kept) != 2 || out.Root != root || out.Head.Seq != 30 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestDocsWorkedBytes(t *testing.T) {
	page, err := os.ReadFile("../../docs/formats/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	log := entries(3)
	stored, root := grown(t, log)
	a, b := keyOf(t, orgA, "audit a"), keyOf(t, orgB, "audit b")
	c := witness.Checkpoint{Origin: a.Name, Size: 3, Root: root}
	raw, err := witness.Sign(c, private("audit a"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := witness.Open(raw, []witness.Key{a})
	if err != nil {
		t.Fatal(err)
	}
	both, err := witness.Cosign(s, b.Name, private("audit b"), noon)
	if err != nil {
		t.Fatal(err)
	}
	r := witness.Request{Old: 1, Note: raw}
	if r.Proof, err = tlog.ProveTree(3, 1, reader(stored)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{fmt.Sprintf("%x", log[0].AppendBytes(nil)), witness.Leaf(&log[0]).String(), a.LogText(), b.WitnessText(),
		string(both), strings.SplitAfter(string(r.Append(nil)), "\n\n")[0], c.Paper().Line()} {
		if !bytes.Contains(page, []byte(want)) {
			t.Errorf("audit.md does not show:\n%s", want)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	log := entries(5)
	stored, root := grown(f, log)
	raw, err := witness.Sign(witness.Checkpoint{Origin: "relief-a.example/i1/audit", Size: 5, Root: root}, private("audit a"))
	if err != nil {
		f.Fatal(err)
	}
	proof, _ := tlog.ProveTree(5, 3, reader(stored))
	f.Add(raw)
	f.Add((&witness.Request{Old: 3, Proof: proof, Note: raw}).Append(nil))
	f.Add([]byte("old 0\n\n"))
	f.Add([]byte("old 99999999999999999999\n\na\n1\nb\n\n\u2014 x y\n"))
	logs := []witness.Key{keyOf(f, orgA, "audit a")}
	// What is read is written back, and nothing opens that the log did not sign.
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := witness.ParseRequest(b)
		if err != nil {
			return
		}
		again, err := witness.ParseRequest(r.Append(nil))
		if err != nil || again.Old != r.Old || !bytes.Equal(again.Append(nil), r.Append(nil)) {
			t.Fatalf("%q comes back as %+v, %v", b, again, err)
		}
		if s, err := witness.Open(r.Note, logs); err == nil && (s.Size != 5 || s.Root != root) {
			t.Fatalf("%q opened as %+v", b, s.Checkpoint)
		}
	})
}

func FuzzParsePaper(f *testing.F) {
	f.Add(checkpoint(f, entries(5)).Paper().Line())
	f.Add("AIDPASS-AUDIT a 1 0000")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := witness.ParsePaper(s)
		if err != nil {
			return
		}
		if again, err := witness.ParsePaper(p.Line()); err != nil || again != p {
			t.Fatalf("%q: %+v, %v", s, again, err)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(keyOf(f, orgA, "audit a").LogText())
	f.Add(keyOf(f, orgA, "audit a").WitnessText())
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := witness.ParseKey(s); err == nil && k.LogText() != s && k.WitnessText() != s {
			t.Fatalf("%q comes back as %q", s, k.LogText())
		}
	})
}
