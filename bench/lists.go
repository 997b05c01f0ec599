package main

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"aidpass/internal/cose"
	"aidpass/status"
	vt "aidpass/verifier/verifiertest"
)

const million = 1_000_000

// lists measures status lists of random entries, the worst case for any code.
func lists(budget time.Duration) []row {
	return slices.Concat(lookUp(budget), sizes(), building(budget))
}

// register has the given numbers of invalid and suspended entries, at random.
func register(size, invalid, suspended uint64) *status.Register {
	r := must(status.NewRegister("https://relief-a.example/st/1", size))
	rng := rand.New(rand.NewPCG(size, invalid))
	set := func(n uint64, v status.Value) {
		for n > 0 {
			i := rng.Uint64N(size)
			if have, _ := r.Get(i); have == status.Valid {
				check(r.Set(i, v))
				n--
			}
		}
	}
	set(invalid, status.Invalid)
	set(suspended, status.Suspended)
	return r
}

// entropy is the fewest bytes that tell which entries are invalid and which
// suspended: the logarithm of the number of such lists.
func entropy(size, invalid, suspended uint64) float64 {
	ln := func(n uint64) float64 { v, _ := math.Lgamma(float64(n) + 1); return v }
	return (ln(size) - ln(invalid) - ln(suspended) - ln(size-invalid-suspended)) / math.Ln2 / 8
}

func snapshot(k vt.Signer, r *status.Register) []byte {
	p := must(status.PrepareSnapshot(k.Key, r, vt.Made, vt.Made+7*86400))
	return must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned()))))
}

var sample = []struct{ size, invalid, suspended uint64 }{
	{million, million / 100, million / 1000},
	{million, million / 20, million / 1000},
	{10 * million, 10 * million / 1000, 1000},
	{10 * million, 10 * million / 100, 10000},
}

// sizes are the whole signed files beside the entropy.
func sizes() []row {
	key := vt.P256("status")
	var rows []row
	for _, c := range sample {
		least := entropy(c.size, c.invalid, c.suspended)
		whole := len(snapshot(key, register(c.size, c.invalid, c.suspended)))
		rows = append(rows, atMost(fmt.Sprintf("snapshot, %d M entries, %.2g %% invalid", c.size/million, 100*float64(c.invalid)/float64(c.size)),
			float64(whole)/least, 1.05, "%.3f", " x", fmt.Sprintf("entropy, %.0f bytes; the signed file has %d", least, whole)))
	}
	return rows
}

// building is beside zlib at level 9, which takes seconds for the longer lists.
func building(budget time.Duration) []row {
	key := vt.P256("status")
	var rows []row
	for _, c := range sample[:2] {
		r := register(c.size, c.invalid, c.suspended)
		var out bytes.Buffer
		floor, x := beside(budget, func() {
			out.Reset()
			z := must(zlib.NewWriterLevel(&out, zlib.BestCompression))
			must(z.Write(r.Bits()))
			check(z.Close())
		}, func() { must(status.PrepareSnapshot(key.Key, r, vt.Made, vt.Made+1)) })
		rows = append(rows, atMost(fmt.Sprintf("building it, %.2g %% invalid", 100*float64(c.invalid)/float64(c.size)), 100*x[0], 1, "%.2f", " %",
			fmt.Sprintf("zlib level 9 of the same list, %.0f ms and %d bytes", float64(floor)/1e6, out.Len())))
	}
	return rows
}

// lookUp is one random entry of a list of ten million: what a scan does.
func lookUp(budget time.Duration) []row {
	key := vt.P256("status")
	const size = 10 * million
	list := must(status.OpenSnapshot(snapshot(key, register(size, size/100, size/1000)), func([]byte) *cose.Key { return key.Key }))
	var at [4096]uint64
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range at {
		at[i] = rng.Uint64N(size)
	}
	invalid := 0
	each, _ := beside(budget/4, func() {
		for _, i := range at {
			if v, ok := list.Look(i); !ok || v == status.Invalid || list.Unrevoked(i) {
				invalid++
			}
		}
	})
	if invalid == 0 {
		panic("bench: nothing is invalid")
	}
	return []row{atMost("status look-up", float64(each)/float64(len(at)), 20, "%.1f", " ns", "random entries of 10 M, nothing inflated")}
}
