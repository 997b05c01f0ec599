package verifier_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"aidpass/credential/qr"
	"aidpass/internal/base45"
	"aidpass/internal/cbor"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
)

// allocated is how many bytes f asks of the heap, in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func deflated(b []byte) string {
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, zlib.BestCompression)
	_, _ = w.Write(b)
	_ = w.Close()
	return base45.Encode(z.Bytes())
}

// bombs are texts that promise much: memory must follow what is there.
func bombs() map[string]string {
	out := map[string]string{
		"longer than any code":  strings.Repeat("6BF", 1<<20),
		"4,296 characters of 6": strings.Repeat("6BF3$", qr.MaxText/5),
		"a token of a mebibyte": "eyJhbGciOiJFUzI1NiJ9." + strings.Repeat("QUFB", 1<<18) + ".c2ln",
	}
	for _, n := range []int{8 << 10, 1 << 20, 2 << 20} {
		out[fmt.Sprintf("zlib of %d zeros", n)] = deflated(make([]byte, n))
	}
	// Inside a full-size card: heads that claim, nests, and crowds of small items.
	claims := [][]byte{
		{0x9b, 0, 0, 0, 0, 255, 255, 255, 255}, {0xbb, 0, 0, 0, 0, 255, 255, 255, 255}, {0x5b, 0, 0, 0, 0, 255, 255, 255, 255},
		{0x9b, 0, 0, 0, 0, 0, 0, 31, 0xff}, {0xbb, 0, 0, 0, 0, 0, 0, 15, 0xff}, {0x9f}, {0xbf}, {0x5f}, {0x81}, {0xa1}, {0xd2}, {0x84},
	}
	for _, head := range claims {
		crowd := bytes.Repeat(head, qr.MaxInflated/len(head))
		out[fmt.Sprintf("%x again and again", head)] = deflated(crowd)
		zeros := append(bytes.Clone(head), make([]byte, qr.MaxInflated-len(head))...)
		out[fmt.Sprintf("%x and zeros", head)] = deflated(zeros)
		for _, where := range []int{1, 2} { // protected header, payload
			parts := [][]byte{{0xa1, 1, 0x26}, {0xa0}, {0xa0}, make([]byte, 64)}
			parts[map[int]int{1: 0, 2: 2}[where]] = zeros[:8000]
			b := cbor.AppendArray(cbor.AppendTag(nil, 18), 4)
			b = append(cbor.AppendBytes(b, parts[0]), parts[1]...)
			out[fmt.Sprintf("%x inside, place %d", head, where)] = deflated(cbor.AppendBytes(cbor.AppendBytes(b, parts[2]), parts[3]))
		}
	}
	// A map of 8,000 bytes with keys out of order, all different and all the same.
	for name, key := range map[string]func(i int) int64{"all different": func(i int) int64 { return int64(5000 - i) }, "all the same": func(int) int64 { return 7 }} {
		for _, n := range []int{256, 257, 2000} {
			m := cbor.AppendMap(nil, n)
			for i := range n {
				m = cbor.AppendUint(cbor.AppendInt(m, key(i)), 0)
			}
			b := cbor.AppendBytes(cbor.AppendArray(cbor.AppendTag(nil, 18), 4), []byte{0xa1, 1, 0x26})
			out[fmt.Sprintf("%d keys, %s", n, name)] = deflated(cbor.AppendBytes(cbor.AppendBytes(append(b, 0xa0), m), make([]byte, 64)))
		}
	}
	return out
}

// One Verify stays far below the promise of 4 MB, whatever the text: a first
// check with fresh buffers included.
func TestNoTextMakesOneCheckTakeMuchMemory(t *testing.T) {
	const limit = 100 << 10
	w := vt.New()
	packs := map[string]verifier.Inputs{}
	most := uint64(0)
	check := func(name, text string, in verifier.Inputs) {
		got := allocated(func() {
			var c verifier.Checker
			c.Verify(text, in)
		})
		if most = max(most, got); got > limit {
			t.Errorf("%s: %d bytes, at most %d", name, got, limit)
		}
	}
	pack, floors := open(t, w.Pack(vt.PackOptions{}), verifier.Floors{}, vt.Now)
	usual := verifier.Inputs{At: vt.Now, Pack: pack, Floors: floors}
	for _, c := range vt.Cases(w) {
		in, ok := packs[string(c.Pack)]
		if !ok {
			in = verifier.Inputs{At: c.At}
			if p, f, err := verifier.OpenPack(c.Pack, verifier.Floors{}, c.At); err == nil {
				in.Pack, in.Floors = p, f
			}
			packs[string(c.Pack)] = in
		}
		in.At, in.Challenge = c.At, c.Challenge
		check(c.Name, c.Text, in)
	}
	for name, text := range bombs() {
		check(name, text, usual)
		check(name+", no pack", text, verifier.Inputs{At: vt.Now})
	}
	t.Logf("most: %d bytes", most)
}
