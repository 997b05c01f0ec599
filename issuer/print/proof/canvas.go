package proof

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// point is in pixels from the picture's top left.
type point struct{ x, y float64 }

// matrix is [a b c d e f] of ISO 32000-1 section 8.3.3.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

func (m matrix) apply(x, y float64) point {
	return point{m[0]*x + m[2]*y + m[4], m[1]*x + m[3]*y + m[5]}
}

// times returns what does m first and n after it.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// path holds subpaths as corners; curves are flattened when they are added.
type path struct {
	corners []point
	starts  []int  // of the subpaths, in corners
	closed  []bool // as many
}

func (p *path) reset() { p.corners, p.starts, p.closed = p.corners[:0], p.starts[:0], p.closed[:0] }

func (p *path) move(to point) {
	p.starts, p.closed = append(p.starts, len(p.corners)), append(p.closed, false)
	p.corners = append(p.corners, to)
}

// curve adds a cubic Bézier curve from the last corner: so many chords that none
// is off by more than a tenth of a pixel.
func (p *path) curve(b, c, d point) {
	a := p.corners[len(p.corners)-1]
	bend := math.Hypot(a.x-2*b.x+c.x, a.y-2*b.y+c.y) + math.Hypot(b.x-2*c.x+d.x, b.y-2*c.y+d.y)
	n := min(64, max(1, math.Ceil(math.Sqrt(bend*3))))
	for i := 1.0; i < n; i++ {
		t := i / n
		s := 1 - t
		w0, w1, w2, w3 := s*s*s, 3*s*s*t, 3*s*t*t, t*t*t
		p.corners = append(p.corners, point{w0*a.x + w1*b.x + w2*c.x + w3*d.x, w0*a.y + w1*b.y + w2*c.y + w3*d.y})
	}
	p.corners = append(p.corners, d)
}

// sub returns the corners of subpath i.
func (p *path) sub(i int) []point {
	if i+1 < len(p.starts) {
		return p.corners[p.starts[i]:p.starts[i+1]]
	}
	return p.corners[p.starts[i]:]
}

// subLines are the lines looked at in one row of pixels. Across, coverage is
// exact to 1/256 of a pixel.
const (
	subLines  = 4
	fullCover = 256 * subLines
)

// maxWork bounds how long one page is drawn, in steps of a few nanoseconds: a
// full page of cards takes about 10 million.
const maxWork = 500_000_000

// canvas is a grey picture and what is needed to fill paths on it. The zero
// value is ready for start, again and again.
type canvas struct {
	w, h  int
	grey  []uint8
	edges []edge
	live  []crossing
	cover []int32 // changes of coverage along one row
	work  int     // left; drawing stops at 0
}

// edge goes down from sub-line first to before last.
type edge struct {
	first, last int32
	x, slope    float64 // at the middle of the first sub-line; to the right for each one down
	dir         int8    // +1 when the path goes down here
}

type crossing struct {
	x    float64
	edge int32
	dir  int8
}

// start makes the canvas a white picture of size.
func (c *canvas) start(size image.Point) {
	c.w, c.h, c.work = size.X, size.Y, maxWork
	if cap(c.grey) < c.w*c.h {
		c.grey = make([]uint8, c.w*c.h)
	}
	c.grey = c.grey[:c.w*c.h]
	c.grey[0] = 255
	for n := 1; n < len(c.grey); n *= 2 {
		copy(c.grey[n:], c.grey[:n])
	}
	c.cover = append(c.cover[:0], make([]int32, c.w+2)...)
}

// picture returns what was drawn; the next start paints over it.
func (c *canvas) picture() *image.Gray {
	return &image.Gray{Pix: c.grey, Stride: c.w, Rect: image.Rect(0, 0, c.w, c.h)}
}

// clip is where drawing shows: within box, as far as mask lets it. The mask is
// of the pixels of masked, which holds the box; nil lets everything show.
type clip struct {
	box    image.Rectangle
	mask   []uint8 // 255 shows all
	masked image.Rectangle
}

// row returns the mask from pixel x, y on.
func (k *clip) row(x, y int) []uint8 {
	if k.mask == nil {
		return nil
	}
	return k.mask[(y-k.masked.Min.Y)*k.masked.Dx()+x-k.masked.Min.X:]
}

// cut returns k without what lies outside r.
func (k *clip) cut(r image.Rectangle) *clip {
	return &clip{k.box.Intersect(r), k.mask, k.masked}
}

// fill paints the inside of p with a grey.
func (c *canvas) fill(p *path, evenOdd bool, grey uint8, within *clip) {
	c.scan(p, evenOdd, within.box, func(y, from int, cover []int32) {
		row := c.grey[y*c.w+from:][:len(cover)]
		mask := within.row(from, y)
		sum := int32(0)
		for i, d := range cover {
			sum += d
			switch {
			case sum == 0:
			case mask != nil:
				row[i] = blend(row[i], grey, sum*int32(mask[i])/255)
			case sum == fullCover:
				row[i] = grey
			default:
				row[i] = blend(row[i], grey, sum)
			}
		}
	})
}

func blend(under, over uint8, cover int32) uint8 {
	return uint8((int32(under)*(fullCover-cover) + int32(over)*cover + fullCover/2) / fullCover)
}

// intersect returns the part of old that p leaves open.
func (c *canvas) intersect(p *path, evenOdd bool, old *clip) *clip {
	now := old.cut(bounds(p.corners))
	if now.box.Empty() {
		return &clip{}
	}
	now.masked = now.box
	c.work -= now.box.Dx() * now.box.Dy()
	now.mask = make([]uint8, now.box.Dx()*now.box.Dy())
	c.scan(p, evenOdd, now.box, func(y, from int, cover []int32) {
		row, before := now.row(from, y), old.row(from, y)
		sum := int32(0)
		for i, d := range cover {
			sum += d
			row[i] = uint8(sum * 255 / fullCover)
			if before != nil {
				row[i] = uint8(int(row[i]) * int(before[i]) / 255)
			}
		}
	})
	return now
}

// bounds returns the pixels that corners lie in or between.
func bounds(corners []point) image.Rectangle {
	box := image.Rectangle{}
	for i, at := range corners {
		x, y := int(math.Floor(at.x)), int(math.Floor(at.y))
		r := image.Rect(x, y, x+1, y+1)
		if i == 0 {
			box = r
		}
		box = box.Union(r)
	}
	return box
}

// scan finds what p covers within box and hands it out row by row: running sums
// of cover are the coverage of the pixels from column from on, up to fullCover.
func (c *canvas) scan(p *path, evenOdd bool, box image.Rectangle, row func(y, from int, cover []int32)) {
	if box.Empty() {
		return
	}
	c.collect(p, box)
	left, right := float64(box.Min.X), float64(box.Max.X)
	live, next := c.live[:0], 0
	for line := int32(box.Min.Y * subLines); line < int32(box.Max.Y*subLines) && (next < len(c.edges) || len(live) > 0) && c.work > 0; {
		if len(live) == 0 { // down to the row where something begins
			line = max(line, c.edges[next].first/subLines*subLines)
		}
		y := int(line / subLines)
		from, to := box.Max.X, box.Min.X
		for range subLines {
			kept := live[:0]
			for _, x := range live {
				if e := &c.edges[x.edge]; line < e.last {
					x.x += e.slope
					kept = append(kept, x)
				}
			}
			live = kept
			for ; next < len(c.edges) && c.edges[next].first == line; next++ {
				live = append(live, crossing{c.edges[next].x, int32(next), c.edges[next].dir})
			}
			for i := 1; i < len(live); i++ { // nearly in order already
				for k := i; k > 0 && live[k].x < live[k-1].x; k-- {
					live[k], live[k-1] = live[k-1], live[k]
				}
			}
			c.work -= 1 + len(live)
			turns := 0
			for i := range live {
				inside := turns != 0
				if turns += int(live[i].dir); evenOdd {
					turns &= 1
				}
				if inside == (turns != 0) {
					continue
				}
				at := int(min(max(live[i].x, left), right) * 256)
				x, part := at>>8, int32(at&255)
				sign := int32(1) // coverage begins
				if inside {
					sign = -1
				}
				c.cover[x] += sign * (256 - part)
				c.cover[x+1] += sign * part
				from, to = min(from, x), max(to, x+1)
			}
			line++
		}
		if to = min(to+1, box.Max.X); from < to {
			row(y, from, c.cover[from:to])
			c.work -= (to - from) / 4
		}
		if to >= from {
			clear(c.cover[from:min(to+2, len(c.cover))])
		}
	}
	c.live = live
}

// collect makes the edges of p that cross sub-lines of box, from the top down.
// Subpaths are closed.
func (c *canvas) collect(p *path, box image.Rectangle) {
	c.edges = c.edges[:0]
	top, bottom := float64(box.Min.Y*subLines), float64(box.Max.Y*subLines)
	for i := range p.starts {
		sub := p.sub(i)
		a := sub[len(sub)-1]
		for _, b := range sub {
			from, to, dir := a, b, int8(1)
			a = b
			if from.y > to.y {
				from, to, dir = to, from, -1
			}
			// The middles of sub-lines that it passes.
			first := math.Ceil(max(from.y*subLines-0.5, top))
			last := math.Ceil(min(to.y*subLines-0.5, bottom))
			if !(first < last) {
				continue
			}
			slope := (to.x - from.x) / (to.y - from.y)
			c.edges = append(c.edges, edge{int32(first), int32(last), from.x + ((first+0.5)/subLines-from.y)*slope, slope / subLines, dir})
		}
	}
	c.work -= 4 * len(c.edges)
	slices.SortFunc(c.edges, func(a, b edge) int { return cmp.Compare(a.first, b.first) })
}
