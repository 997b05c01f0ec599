package qrcode

import (
	"cmp"
	"image"
	"math"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

// Bounds of one search. A page of thirty codes has ninety corners and needs
// about as many tries as codes; a picture painted to waste time has more.
const (
	maxSeen    = 2_000 // places that look like a corner in every direction
	maxCorners = 150   // corners kept, the most often seen first
	maxTries   = 400   // sets of three corners decoded
)

// code is a text and where it was seen: its top left corner, in pixels.
type code struct {
	text string
	x, y float64
}

// triple is three corners that may belong to one code; score is 0 for a perfect square.
type triple struct {
	topLeft, topRight, bottomLeft *detector.FinderPattern
	score                         float64
}

// search returns the codes in grey, and whether corners remain that look like
// another one.
func search(grey *image.Gray) (codes []code, unread bool) {
	// The decoder was written for a language where an index out of range is one
	// more exception to catch: a panic in it is a code that was not read.
	defer func() {
		if recover() != nil {
			unread = true
		}
	}()
	matrix, err := gozxing.NewHybridBinarizer(gozxing.NewLuminanceSourceFromImage(grey)).GetBlackMatrix()
	if err != nil {
		return nil, true
	}
	grid := detector.NewDetector(matrix)
	used := map[*detector.FinderPattern]bool{}
	var failed []triple
	tries := 0
	for _, t := range pair(corners(matrix)) {
		if t.isAny(used) {
			continue // a corner belongs to one code
		}
		if tries++; tries > maxTries {
			return codes, true
		}
		info := detector.NewFinderPatternInfo(t.bottomLeft, t.topLeft, t.topRight)
		sample, err := grid.ProcessFinderPatternInfo(info)
		if err != nil {
			failed = append(failed, t)
			continue
		}
		result, err := decoder.NewDecoder().Decode(sample.GetBits(), nil)
		if err != nil {
			failed = append(failed, t)
			continue
		}
		used[t.topLeft], used[t.topRight], used[t.bottomLeft] = true, true, true
		codes = append(codes, code{result.GetText(), t.topLeft.GetX(), t.topLeft.GetY()})
	}
	return codes, slices.ContainsFunc(failed, func(t triple) bool { return !t.isAny(used) })
}

// isAny reports whether a corner of t is in set.
func (t triple) isAny(set map[*detector.FinderPattern]bool) bool {
	return set[t.topLeft] || set[t.topRight] || set[t.bottomLeft]
}

// corners returns the finder patterns of a picture: dark and light in lengths of
// 1:1:3:1:1 across, down and along the diagonal (ISO/IEC 18004 section 6.3.3).
func corners(matrix *gozxing.BitMatrix) []*detector.FinderPattern {
	finder := detector.NewFinderPatternFinder(matrix, nil)
	// Every second row: the smallest middle worth reading is three modules of a pixel.
	for y := 1; y < matrix.GetHeight() && len(finder.GetPossibleCenters()) < maxSeen; y += 2 {
		var runs [5]int // lengths of the last runs; even ones are dark
		state := 0
		for x := 0; x <= matrix.GetWidth(); x++ {
			if dark := x < matrix.GetWidth() && matrix.Get(x, y); dark == (state%2 == 0) {
				runs[state]++
				continue
			}
			if state == 0 && runs[0] == 0 {
				continue // light before the first dark
			}
			if state < 4 {
				state++
				runs[state]++
				continue
			}
			if detector.FinderPatternFinder_foundPatternCross(runs[:]) && finder.HandlePossibleCenter(runs[:], y, x) {
				runs, state = [5]int{}, 0
				continue
			}
			// Not one: its last three runs may begin the next.
			runs, state = [5]int{runs[2], runs[3], runs[4], 1, 0}, 3
		}
	}
	seen := slices.DeleteFunc(finder.GetPossibleCenters(), func(p *detector.FinderPattern) bool { return p.GetCount() < 2 })
	slices.SortStableFunc(seen, func(a, b *detector.FinderPattern) int { return cmp.Compare(b.GetCount(), a.GetCount()) })
	return seen[:min(len(seen), maxCorners)]
}

// pair returns the sets of three corners that may be the three of a code, the
// most square first: two sides of about one length and a right angle between,
// modules of about one size, and no fewer or more of them than a code can have.
func pair(corners []*detector.FinderPattern) []triple {
	var triples []triple
	for _, tl := range corners {
		for i, a := range corners {
			for _, b := range corners[:i] {
				if a == tl || b == tl {
					continue
				}
				ax, ay := a.GetX()-tl.GetX(), a.GetY()-tl.GetY()
				bx, by := b.GetX()-tl.GetX(), b.GetY()-tl.GetY()
				la, lb := math.Hypot(ax, ay), math.Hypot(bx, by)
				uneven := math.Abs(la-lb) / max(la, lb)
				askew := math.Abs(ax*bx+ay*by) / (la * lb) // cosine of the angle
				if !(uneven < 0.3 && askew < 0.3) {
					continue
				}
				sizes := [3]float64{tl.GetEstimatedModuleSize(), a.GetEstimatedModuleSize(), b.GetEstimatedModuleSize()}
				smallest, largest := slices.Min(sizes[:]), slices.Max(sizes[:])
				modules := (la + lb) / 2 / ((sizes[0] + sizes[1] + sizes[2]) / 3)
				// Corners stand 14 (version 1) to 170 (version 40) modules apart.
				if largest > 1.6*smallest || modules < 10 || modules > 200 {
					continue
				}
				t := triple{tl, a, b, uneven + askew + (largest/smallest - 1)}
				if ax*by-ay*bx < 0 { // y grows downwards: from top right to bottom left is clockwise
					t.topRight, t.bottomLeft = b, a
				}
				triples = append(triples, t)
			}
		}
	}
	slices.SortStableFunc(triples, func(a, b triple) int { return cmp.Compare(a.score, b.score) })
	return triples
}

// CountDrawn returns how many QR codes stand in a picture that was drawn, not
// photographed: dark is dark everywhere, so one threshold does, which is many
// times as fast as ReadGray on a page without a code.
func CountDrawn(grey *image.Gray) (n int) {
	defer func() { _ = recover() }() // see search
	w, h := grey.Rect.Dx(), grey.Rect.Dy()
	if w < 21 || h < 21 {
		return 0
	}
	matrix, err := gozxing.NewBitMatrix(w, h)
	if err != nil {
		return 0
	}
	for y := range h {
		for x, v := range grey.Pix[y*grey.Stride:][:w] {
			if v < 128 {
				matrix.Set(x, y)
			}
		}
	}
	grid := detector.NewDetector(matrix)
	used := map[*detector.FinderPattern]bool{}
	triples := pair(corners(matrix))
	for _, t := range triples[:min(len(triples), maxTries)] {
		if t.isAny(used) {
			continue
		}
		sample, err := grid.ProcessFinderPatternInfo(detector.NewFinderPatternInfo(t.bottomLeft, t.topLeft, t.topRight))
		if err != nil {
			continue
		}
		if _, err := decoder.NewDecoder().Decode(sample.GetBits(), nil); err == nil {
			used[t.topLeft], used[t.topRight], used[t.bottomLeft] = true, true, true
			n++
		}
	}
	return n
}
