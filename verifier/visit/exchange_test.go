package visit_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"aidpass/internal/cose"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

func siteKey(n byte) []byte { return bytes.Repeat([]byte{n}, visit.SiteKeyBytes) }

// fixed stands for randomness where a file must be the same in every run.
type fixed byte

func (f fixed) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(f)
	}
	return len(b), nil
}

func sealed(t testing.TB, key []byte, records []byte) []byte {
	t.Helper()
	file, err := visit.SealExchange(key, "https://a.example", "wellA", records, fixed(9))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestASecondTableKnowsWhatTheFirstGave(t *testing.T) {
	file, _ := day(t)
	x := sealed(t, siteKey(2), file)
	if !visit.IsExchange(x) || bytes.Contains(x, []byte("wellA")) || bytes.Contains(x, []byte("a.example")) || bytes.Contains(x, file[:16]) {
		t.Error("the file speaks")
	}
	records, err := visit.OpenExchange([][]byte{siteKey(1), siteKey(2)}, "https://a.example", "wellA", x)
	if err != nil || !bytes.Equal(records, file) {
		t.Fatal(err)
	}
	p, err := visit.Open(records, ours)
	if err != nil {
		t.Fatal(err)
	}
	heard := visit.Merge(visit.Facts{}, p)
	other := world.Ledger()
	other.Pseudonym = "AAAAAAAAAAAAAAAA"
	if _, ok := heard.Earlier(world.Ledger()); ok {
		t.Error("what was taken back is told")
	}
	if use, ok := heard.Earlier(other); !ok || use.Part || use.Given != "C2" || use.Device == "" {
		t.Errorf("got %+v %v", use, ok)
	}
	// A part of a journal is enough: the second record alone.
	one := &journal{t: t, signer: tables[0]}
	one.add(visit.Visit{Kind: visit.Note, Code: "x"}).add(visit.Visit{Kind: visit.Partial, Ledger: unit(1), Given: "1 kg", Rest: "2 kg"})
	if use, ok := visit.Merge(visit.Facts{}, one.some(2, 2)).Earlier(unit(1)); !ok || !use.Part || use.Rest != "2 kg" {
		t.Errorf("got %+v %v", use, ok)
	}
}

func TestWhoCannotOpenAnExchange(t *testing.T) {
	file, _ := day(t)
	x := sealed(t, siteKey(1), file)
	for name, open := range map[string]func() ([]byte, error){
		"another epoch": func() ([]byte, error) {
			return visit.OpenExchange([][]byte{siteKey(2)}, "https://a.example", "wellA", x)
		},
		"no key": func() ([]byte, error) { return visit.OpenExchange(nil, "https://a.example", "wellA", x) },
		"another site": func() ([]byte, error) {
			return visit.OpenExchange([][]byte{siteKey(1)}, "https://a.example", "wellB", x)
		},
		"another organisation": func() ([]byte, error) {
			return visit.OpenExchange([][]byte{siteKey(1)}, "https://b.example", "wellA", x)
		},
	} {
		if _, err := open(); !errors.Is(err, visit.ErrExchangeKeys) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := range x {
		bad := bytes.Clone(x)
		bad[at] ^= 1
		if _, err := visit.OpenExchange([][]byte{siteKey(1)}, "https://a.example", "wellA", bad); err == nil {
			t.Fatalf("byte %d: it opens", at)
		}
	}
}

// The length of a file tells little of the journal in it.
func TestExchangeFilesHaveFewSizes(t *testing.T) {
	sizes := map[int]bool{}
	for n := 0; n < 40_000; n += 97 {
		size := len(sealed(t, siteKey(1), make([]byte, n)))
		if sizes[size] = true; size > max(1100, n*3/2+200) {
			t.Errorf("%d bytes become %d", n, size)
		}
	}
	if len(sizes) > 12 {
		t.Errorf("%d sizes", len(sizes))
	}
}

func FuzzOpenExchange(f *testing.F) {
	file, _ := day(f)
	x := sealed(f, siteKey(1), file[:300])
	f.Add(x, []byte{})
	f.Add(x[:40], []byte{1})
	f.Fuzz(func(t *testing.T, b, records []byte) {
		keys := [][]byte{siteKey(1)}
		if got, err := visit.OpenExchange(keys, "https://a.example", "wellA", b); err == nil && (!bytes.Equal(b, x) || !bytes.Equal(got, file[:300])) {
			t.Fatal("a file nobody sealed opens")
		}
		got, err := visit.OpenExchange(keys, "https://a.example", "wellA", sealed(t, siteKey(1), records))
		if err != nil || !bytes.Equal(got, records) {
			t.Fatalf("sealed and not opened: %v", err)
		}
	})
}

var office = vt.Ed25519("pack")

func officeKey(org string, kid []byte) *cose.Key {
	if org == "https://a.example" && bytes.Equal(kid, office.KID()) {
		return office.Key
	}
	return nil
}

func receipt(t testing.TB, r visit.Receipt) []byte {
	t.Helper()
	p, err := visit.PrepareReceipt(office.Key, r)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := cose.SignRaw(office, p.ToBeSigned())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.Attach(sig)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestAReceiptTellsWhatMayBeForgotten(t *testing.T) {
	j := &journal{t: t, signer: tables[0]}
	for i := range 9 {
		j.add(visit.Visit{Kind: visit.Collection, Ledger: unit(i % 7)})
	}
	own, err := visit.Read(bytes.Join(j.records, nil), anyTable)
	if err != nil {
		t.Fatal(err)
	}
	copied := &journal{t: t, signer: tables[0], records: slices.Clone(j.records[:4])}
	copied.add(visit.Visit{Kind: visit.Note, Code: "other"})
	key := [8]byte(tables[0].KID())
	for _, c := range []struct {
		name   string
		pieces []*visit.Piece
		want   uint64
		err    error
	}{
		{"nothing is there", nil, 0, nil},
		{"all is there", []*visit.Piece{j.piece()}, 9, nil},
		{"the end is missing", []*visit.Piece{j.some(1, 4)}, 4, nil},
		{"the beginning is missing", []*visit.Piece{j.some(3, 9)}, 0, nil},
		{"the middle is missing", []*visit.Piece{j.some(1, 3), j.some(6, 9)}, 3, nil},
		{"another device with this key", []*visit.Piece{copied.piece()}, 0, visit.ErrCopied},
		{"this device forgot", []*visit.Piece{(&journal{t, tables[0], slices.Clone(j.records)}).add(visit.Visit{Kind: visit.Note}).piece()}, 0, visit.ErrCopied},
	} {
		m := visit.Merge(visit.Facts{}, c.pieces...)
		r, err := visit.OpenReceipt(receipt(t, m.ReceiptFor("https://a.example", key, vt.Now)), officeKey)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if n, err := r.Covers(own); n != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d %v, want %d %v", c.name, n, err, c.want, c.err)
		}
	}
	m := visit.Merge(visit.Facts{}, j.piece())
	r := m.ReceiptFor("https://a.example", key, vt.Now)
	if !slices.Equal(r.Review, []uint64{8, 9}) {
		t.Errorf("review %v", r.Review)
	}
	raw := receipt(t, r)
	for at := range raw {
		bad := bytes.Clone(raw)
		bad[at] ^= 1
		if _, err := visit.OpenReceipt(bad, officeKey); err == nil {
			t.Fatalf("byte %d: it opens", at)
		}
	}
	r.Org = "https://b.example"
	if _, err := visit.OpenReceipt(receipt(t, r), officeKey); err == nil {
		t.Error("another organisation's receipt opens")
	}
	if other, _ := visit.Read(append1(t, tables[1], nil, visit.Visit{Device: []byte{1}, Sequence: 1, At: 1, Kind: visit.Note}), anyTable); other != nil {
		if _, err := r.Covers(other); err == nil {
			t.Error("another device's receipt counts")
		}
	}
}

func FuzzOpenReceipt(f *testing.F) {
	r := visit.Receipt{Org: "https://a.example", Device: [8]byte{1}, At: vt.Now, Held: []visit.Held{{First: 1, Last: 4}, {First: 7, Last: 7}}, Review: []uint64{3, 9}, Frozen: 4}
	raw := receipt(f, r)
	f.Add(raw)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := visit.OpenReceipt(b, officeKey); err == nil && !bytes.Equal(b, raw) {
			t.Fatal("a receipt nobody signed")
		}
	})
}

// The worked bytes of docs/formats/exchange.md.
func TestDocsExchangeBytes(t *testing.T) {
	x, err := visit.SealExchange(siteKey(7), "https://relief-a.example/i1", "wellA", []byte{0x01, 0x02}, fixed(0))
	if err != nil {
		t.Fatal(err)
	}
	// The padding makes most of it: the page shows the beginning and the end.
	if got := block(t, "exchange"); !bytes.HasPrefix(x, got) {
		t.Errorf("got %x\nthe page %x", x[:len(got)], got)
	}
	want := receipt(t, visit.Receipt{Org: "https://relief-a.example/i1", Device: [8]byte(tablet.KID()), At: 1795251700,
		Held: []visit.Held{{First: 1, Last: 2, Head: [32]byte(bytes.Repeat([]byte{0xaa}, 32))}}, Review: []uint64{2}})
	if got := block(t, "receipt"); !bytes.Equal(got, want) {
		t.Errorf("got %x\nthe page %x", want, got)
	}
}

// block reads the bytes of a block of exchange.md.
func block(t *testing.T, name string) []byte {
	t.Helper()
	page, err := os.ReadFile("../../docs/formats/exchange.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "```hex "+name+"\n")
	text, _, _ = strings.Cut(text, "```")
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, ";")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil || len(b) == 0 {
		t.Fatal(name, err)
	}
	return b
}

var _ verifier.Uses = (*visit.Merged)(nil)
