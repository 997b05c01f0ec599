package enrol_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"aidpass/internal/base45"
	"aidpass/internal/cbor"
	"aidpass/verifier/enrol"
)

func randomMessage(chance *rand.Rand, size int) []byte {
	message := make([]byte, size)
	for i := range message {
		message[i] = byte(chance.Uint32())
	}
	return message
}

// shown lets a row move before a camera that begins at frame first and misses each
// with the chance loss, and returns how many frames were shown until all was there.
func shown(t testing.TB, chance *rand.Rand, texts []string, first int, loss float64, message []byte) int {
	t.Helper()
	var set enrol.Frameset
	before := 0
	for n := range 200 * len(texts) {
		if chance.Float64() < loss {
			continue
		}
		got, err := set.Add(texts[(first+n)%len(texts)])
		if err != nil {
			t.Fatal(err)
		}
		if got != nil {
			if !bytes.Equal(got, message) {
				t.Fatal("other bytes than were shown")
			}
			return n + 1
		}
		have, count := set.Progress()
		if have < before || have >= count || have > before+1 {
			t.Fatalf("%d of %d after %d", have, count, before)
		}
		before = have
	}
	t.Fatalf("never: %d frames, loss %.2f", len(texts), loss)
	return 0
}

// What was missed is made up for by parity frames, wherever the camera began and
// however many it missed.
func TestMissedFramesAreMadeUpFor(t *testing.T) {
	chance := rand.New(rand.NewPCG(22, 1))
	for _, size := range []int{1, 400, 401, 800, 1199, 5_000, 20_480, 60_001} {
		message := randomMessage(chance, size)
		texts, round := enrol.Row(message)
		if want := (size + 399) / 400; round != want || round > 1 && len(texts) != 2*round || round == 1 && len(texts) != 1 {
			t.Fatalf("%d bytes: %d frames, a round of %d", size, len(texts), round)
		}
		for _, loss := range []float64{0, 0.05, 0.25, 0.5, 0.8} {
			for range 5 {
				shown(t, chance, texts, chance.IntN(len(texts)), loss, message)
			}
		}
		// In no order at all, each frame once: a few more than the round at most.
		least := 0
		for range 20 {
			mixed := slices.Clone(texts)
			chance.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			least = max(least, shown(t, chance, mixed, 0, 0, message)-round)
		}
		if least > 12 {
			t.Errorf("%d bytes: %d frames more than the round", size, least)
		}
	}
	// Parity alone is enough, and so is the plain round of old.
	message := randomMessage(chance, 12_345)
	texts, round := enrol.Row(message)
	if n := shown(t, chance, texts[:round], 0, 0, message); n != round {
		t.Errorf("%d of %d plain frames", n, round)
	}
	if n := shown(t, chance, append(slices.Clone(texts[round:]), texts[1:3]...), 0, 0, message); n > len(texts)-round+2 {
		t.Errorf("%d parity frames for %d pieces", n, round)
	}
	for _, text := range texts {
		if len(text) > 667 { // what version 14 holds at L
			t.Errorf("a frame of %d characters needs a larger code", len(text))
		}
	}
	if texts, round := enrol.Row(make([]byte, enrol.FrameBytes*enrol.MaxFrames+1)); texts != nil || round != 0 {
		t.Error("a row of too much")
	}
}

// How long a row takes at five frames a second, as exchange.md and cli.md say it.
func TestTimesOfARow(t *testing.T) {
	chance := rand.New(rand.NewPCG(22, 2))
	const runs, aSecond = 200, 5.0
	t.Log(" bytes   missed   plain, 95 of 100    with parity, 95 of 100   to no loss")
	for _, size := range []int{2_000, 20_480, 60_000} {
		message := randomMessage(chance, size)
		texts, round := enrol.Row(message)
		for _, loss := range []float64{0, 0.05, 0.25, 0.5} {
			times := func(texts []string) (mean, slow float64) {
				var all []float64
				for range runs {
					s := float64(shown(t, chance, texts, 0, loss, message)) / aSecond
					all, mean = append(all, s), mean+s/runs
				}
				slices.Sort(all)
				return mean, all[runs*95/100]
			}
			plain, plainSlow := times(texts[:round])
			mean, slow := times(texts)
			ratio := mean / (float64(round) / aSecond)
			t.Logf("%6d   %4.0f %%   %5.1f s  %5.1f s   %5.1f s        %5.1f s   %.2f", size, 100*loss, plain, plainSlow, mean, slow, ratio)
			// What arrives is 1-loss of what is shown: nothing can be faster than that. Where
			// half is missed both rounds are over just before all is there.
			more := 5.0
			if loss == 0.5 {
				more = 12
			}
			if bound := float64(round)/(1-loss) + more; mean*aSecond > bound {
				t.Errorf("%d bytes at a loss of %.2f: %.1f frames, want about %.1f", size, loss, mean*aSecond, bound)
			}
			if size == 20_480 && loss == 0.25 && ratio > 1.45 {
				t.Errorf("%.2f times what it takes without loss", ratio)
			}
		}
	}
}

// parityFrame writes a parity frame of a hand's own making.
func parityFrame(id []byte, number, size uint64, chunk []byte) string {
	b := cbor.AppendBytes(cbor.AppendArray(nil, 4), id)
	b = cbor.AppendBytes(cbor.AppendUint(cbor.AppendUint(b, number), size), chunk)
	return "APF2:" + base45.Encode(b)
}

// idOf reads the id of a parity frame.
func idOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base45.AppendDecode(nil, strings.TrimPrefix(text, "APF2:"))
	if err != nil {
		t.Fatal(err)
	}
	r := cbor.NewReader(b)
	r.Array()
	return bytes.Clone(r.Bytes())
}

func TestParityOfTwoMessagesDoesNotMix(t *testing.T) {
	chance := rand.New(rand.NewPCG(22, 3))
	one, two := randomMessage(chance, 2000), randomMessage(chance, 2000)
	a, round := enrol.Row(one)
	b, _ := enrol.Row(two)
	var set enrol.Frameset
	for _, text := range []string{a[0], a[1], a[round], b[round], b[round+1]} {
		if whole, err := set.Add(text); whole != nil || err != nil {
			t.Fatalf("%d bytes, %v", len(whole), err)
		}
	}
	if have, count := set.Progress(); have != 2 || count != round {
		t.Errorf("%d of %d, want the two of the second message", have, count)
	}
	// The same id before a message of another length is another message.
	id := idOf(t, a[round])
	longer := parityFrame(id, 1, 1999, make([]byte, enrol.FrameBytes))
	set = enrol.Frameset{}
	for _, text := range []string{a[round], longer} {
		if _, err := set.Add(text); err != nil {
			t.Fatal(err)
		}
	}
	if have, _ := set.Progress(); have != 1 {
		t.Errorf("%d frames of two lengths together", have)
	}
}

// A frame that somebody made for the row of another never gives other bytes: it is
// found out, and the true row then comes through.
func TestAForgedFrameGivesNothing(t *testing.T) {
	chance := rand.New(rand.NewPCG(22, 4))
	message := randomMessage(chance, 3000)
	texts, round := enrol.Row(message)
	id := idOf(t, texts[round])
	for number := range uint64(6) {
		var set enrol.Frameset
		forged := parityFrame(id, number, 3000, randomMessage(chance, enrol.FrameBytes))
		refused := 0
		row := append([]string{forged}, append(slices.Clone(texts), texts...)...)
		for n, text := range row {
			got, err := set.Add(text)
			switch {
			case errors.Is(err, enrol.ErrFrame):
				refused++
			case err != nil:
				t.Fatal(err)
			case got != nil && !bytes.Equal(got, message):
				t.Fatal("a message that nobody sent")
			case got != nil && refused == 0:
				t.Errorf("number %d: it was not found out", number)
			}
			if got != nil {
				break
			}
			if n == len(row)-1 {
				t.Errorf("number %d: the true row did not come through", number)
			}
		}
	}
}

func TestFramesOutOfBounds(t *testing.T) {
	id, chunk := bytes.Repeat([]byte{7}, 16), make([]byte, enrol.FrameBytes)
	for name, text := range map[string]string{
		"a short id":         parityFrame(id[:4], 0, 900, chunk),
		"a long id":          parityFrame(append(id, 7), 0, 900, chunk),
		"a short sum":        parityFrame(id, 0, 900, chunk[1:]),
		"a long sum":         parityFrame(id, 0, 900, append(chunk, 0)),
		"one piece":          parityFrame(id, 0, 400, chunk),
		"nothing":            parityFrame(id, 0, 0, chunk),
		"too large":          parityFrame(id, 0, enrol.MaxFrames*enrol.FrameBytes+1, chunk),
		"far too large":      parityFrame(id, 0, 1<<63, chunk),
		"a number too large": parityFrame(id, 1<<16, 900, chunk),
		"another prefix":     "APF3:" + parityFrame(id, 0, 900, chunk)[5:],
		"a plain prefix":     "APF1:" + parityFrame(id, 0, 900, chunk)[5:],
	} {
		var set enrol.Frameset
		if _, err := set.Add(text); !errors.Is(err, enrol.ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
		if _, count := set.Progress(); count != 0 {
			t.Errorf("%s: it is counted on", name)
		}
	}
	var set enrol.Frameset
	if _, err := set.Add(parityFrame(id, 1<<16-1, enrol.MaxFrames*enrol.FrameBytes, chunk)); err != nil {
		t.Error(err)
	}
}

// A stranger's screen full of frames that each claim the most costs no memory but
// that of one row.
func TestHostileFramesTakeLittleMemory(t *testing.T) {
	chunk := make([]byte, enrol.FrameBytes)
	const most = enrol.MaxFrames * enrol.FrameBytes
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var set enrol.Frameset
	const frames = 500
	for n := range frames {
		id := bytes.Repeat([]byte{byte(n), byte(n >> 8), 1, 2}, 4)
		if _, err := set.Add(parityFrame(id, 1, most, chunk)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / frames; each > 64<<10 {
		t.Errorf("a frame allocates %d bytes", each)
	}
	// And a whole row of them.
	set = enrol.Frameset{}
	runtime.GC()
	runtime.ReadMemStats(&before)
	id := bytes.Repeat([]byte{9}, 16)
	for n := range uint64(600) {
		chunk[0], chunk[1] = byte(n), byte(n>>8)
		if _, err := set.Add(parityFrame(id, n, most, chunk)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 600*1200+(64<<10) {
		t.Errorf("600 frames hold %d bytes", held)
	}
	runtime.KeepAlive(&set)
}

// The worked choice of exchange.md: which pieces are in the first parity frames.
func TestDocsWorkedParity(t *testing.T) {
	message := bytes.Repeat([]byte{0}, 10*enrol.FrameBytes)
	for i := range 10 {
		message[i*enrol.FrameBytes+i] = 1 // the sum shows at byte i that piece i is in it
	}
	texts, round := enrol.Row(message)
	page, err := os.ReadFile("../../docs/formats/exchange.md")
	if err != nil {
		t.Fatal(err)
	}
	if hello := enrol.Frames([]byte("hello"))[0]; !bytes.Contains(page, []byte(hello)) {
		t.Errorf("exchange.md does not show %q", hello)
	}
	for number := range 4 {
		b, err := base45.AppendDecode(nil, strings.TrimPrefix(texts[round+number], "APF2:"))
		if err != nil {
			t.Fatal(err)
		}
		sum := b[len(b)-enrol.FrameBytes:]
		var in []string
		for i := range 10 {
			if sum[i] == 1 {
				in = append(in, fmt.Sprint(i))
			}
		}
		line := fmt.Sprintf("%x  %d  %s\n", b[:len(b)-enrol.FrameBytes], number, strings.Join(in, " "))
		if !bytes.Contains(page, []byte(line)) {
			t.Errorf("exchange.md does not show %q", line)
		}
	}
}

// Whatever is done to the frames of two messages, what comes out is one of them.
func FuzzRows(f *testing.F) {
	chance := rand.New(rand.NewPCG(22, 5))
	messages := [][]byte{randomMessage(chance, 2100), randomMessage(chance, 1700), randomMessage(chance, 399)}
	var all []string
	for _, m := range messages {
		texts, _ := enrol.Row(m)
		all = append(all, texts...)
	}
	f.Add([]byte{0, 0, 1, 0, 2, 0, 3, 0, 6, 0, 7, 0, 8, 0})
	f.Add([]byte{12, 0, 13, 0, 5, 9, 17, 0, 18, 0})
	f.Fuzz(func(t *testing.T, acts []byte) {
		var set enrol.Frameset
		for ; len(acts) >= 2; acts = acts[2:] {
			text := all[int(acts[0])%len(all)]
			if acts[1] != 0 { // another byte in it, under a code that is whole
				b, err := base45.AppendDecode(nil, text[5:])
				if err != nil {
					t.Fatal(err)
				}
				b[len(b)*int(acts[1])/256] ^= acts[1]
				text = text[:5] + base45.Encode(b)
			}
			got, err := set.Add(text)
			have, count := set.Progress()
			if err == nil && got == nil && (have < 1 || have >= count) || count > enrol.MaxFrames {
				t.Errorf("%d of %d", have, count)
			}
			if got != nil && !slices.ContainsFunc(messages, func(m []byte) bool { return bytes.Equal(m, got) }) {
				// One plain frame of one piece may say any message whose hash it carries.
				if texts := enrol.Frames(got); len(texts) != 1 || texts[0] != text {
					t.Error("a message that nobody sent")
				}
			}
		}
	})
}

func BenchmarkRow(b *testing.B) {
	for _, size := range []int{20 << 10, 200 << 10, enrol.MaxFrames * enrol.FrameBytes} {
		message := randomMessage(rand.New(rand.NewPCG(1, 1)), size)
		b.Run(fmt.Sprint("show ", size), func(b *testing.B) {
			for b.Loop() {
				enrol.Row(message)
			}
		})
		texts, round := enrol.Row(message)
		b.Run(fmt.Sprint("read half plain ", size), func(b *testing.B) {
			for b.Loop() {
				var set enrol.Frameset
				for i, text := range texts {
					if i < round && i%4 == 0 {
						continue
					}
					if got, err := set.Add(text); err != nil {
						b.Fatal(err)
					} else if got != nil {
						break
					}
				}
			}
		})
	}
}
