package proof

import "math"

// pen is how lines are drawn (ISO 32000-1 section 8.4.3), in pixels.
type pen struct {
	width float64
	cap   int       // 0 butt, 1 round, 2 projecting square
	dash  []float64 // lengths on and off in turn; empty for a solid line
	phase float64
}

// miterLimit is PDF's default: a sharper corner is cut off.
const miterLimit = 10

// outline adds to out what a stroke of p covers, as pieces to fill by the
// non-zero rule; all go round the same way, so none takes from another.
func (n *pen) outline(p, out *path) {
	half := max(n.width, 1) / 2 // a thinner line is as thin as the device can (8.4.3.2)
	for i := range p.starts {
		corners, closed := p.sub(i), p.closed[i]
		if closed && len(corners) > 1 && corners[0] == corners[len(corners)-1] {
			corners = corners[:len(corners)-1]
		}
		if len(n.dash) > 0 {
			n.dashes(corners, closed, half, out)
			continue
		}
		n.line(corners, closed, half, out)
	}
}

// line strokes one run of corners without dashes.
func (n *pen) line(corners []point, closed bool, half float64, out *path) {
	count := len(corners) - 1
	if closed {
		count++
	}
	for k := range count {
		a, b := corners[k], corners[(k+1)%len(corners)]
		dx, dy, length := direction(a, b)
		if length == 0 {
			continue
		}
		startCap, endCap := n.cap, n.cap
		if closed || k > 0 {
			startCap = 0
		}
		if closed || k+1 < count {
			endCap = 0
			if next := corners[(k+2)%len(corners)]; next != b {
				join(a, b, next, half, out)
			}
		}
		if startCap == 2 {
			a = point{a.x - half*dx, a.y - half*dy}
		}
		if endCap == 2 {
			b = point{b.x + half*dx, b.y + half*dy}
		}
		nx, ny := half*-dy, half*dx
		polygon(out, point{a.x + nx, a.y + ny}, point{b.x + nx, b.y + ny}, point{b.x - nx, b.y - ny}, point{a.x - nx, a.y - ny})
		if startCap == 1 {
			disc(a, half, out)
		}
		if endCap == 1 {
			disc(b, half, out)
		}
	}
}

// join fills the gap outside the corner b, with a point where it is not too long.
func join(a, b, c point, half float64, out *path) {
	ux, uy, _ := direction(a, b)
	vx, vy, _ := direction(b, c)
	turn := ux*vy - uy*vx
	if turn == 0 {
		return
	}
	side := half
	if turn > 0 {
		side = -half
	}
	p, q := point{b.x - side*uy, b.y + side*ux}, point{b.x - side*vy, b.y + side*vx}
	// The point stands on the half angle, half / cos(half the turn) away.
	cos := math.Sqrt(max(0, (1+ux*vx+uy*vy)/2))
	if cos*miterLimit < 1 {
		polygon(out, b, p, q)
		return
	}
	mx, my := (p.x+q.x)/2-b.x, (p.y+q.y)/2-b.y
	scale := 1 / (cos * cos) // the middle of p and q is half*cos away
	polygon(out, b, p, point{b.x + mx*scale, b.y + my*scale}, q)
}

// dashes cuts a run of corners into its dashes.
func (n *pen) dashes(corners []point, closed bool, half float64, out *path) {
	total := 0.0
	for _, d := range n.dash {
		total += d
	}
	at, left := 0, math.Mod(n.phase, total*2)
	for left >= n.dash[at%len(n.dash)] {
		left -= n.dash[at%len(n.dash)]
		at++
	}
	left = n.dash[at%len(n.dash)] - left
	count := len(corners) - 1
	if closed {
		count++
	}
	var run []point
	for k := range count {
		a, b := corners[k], corners[(k+1)%len(corners)]
		dx, dy, length := direction(a, b)
		done := 0.0
		for {
			here := point{a.x + dx*done, a.y + dy*done}
			if at%2 == 0 && len(run) == 0 {
				run = append(run, here)
			}
			step := min(left, length-done)
			done, left = done+step, left-step
			if at%2 == 0 {
				run = append(run, point{a.x + dx*done, a.y + dy*done})
			}
			if left > 0 {
				break // the next side goes on with this dash
			}
			if at%2 == 0 {
				n.line(run, false, half, out)
				run = run[:0]
			}
			at++
			left = n.dash[at%len(n.dash)]
		}
	}
	if len(run) > 1 {
		n.line(run, false, half, out)
	}
}

func direction(a, b point) (dx, dy, length float64) {
	length = math.Hypot(b.x-a.x, b.y-a.y)
	if length == 0 {
		return 0, 0, 0
	}
	return (b.x - a.x) / length, (b.y - a.y) / length, length
}

func disc(at point, radius float64, out *path) {
	const corners = 24
	var round [corners]point
	for i := range round {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		round[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	polygon(out, round[:]...)
}

// polygon adds a closed subpath, turned so that all of them go the same way.
func polygon(out *path, corners ...point) {
	area := 0.0
	for i, a := range corners {
		b := corners[(i+1)%len(corners)]
		area += a.x*b.y - a.y*b.x
	}
	out.starts, out.closed = append(out.starts, len(out.corners)), append(out.closed, true)
	for i := range corners {
		if area < 0 {
			i = len(corners) - 1 - i
		}
		out.corners = append(out.corners, corners[i])
	}
}
