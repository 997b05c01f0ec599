package proof

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
)

// Limits of a content stream.
const (
	maxSaved    = 32      // q without Q
	maxNested   = 4       // form XObjects in one another
	maxPath     = 200_000 // corners of one path
	maxTexts    = 20_000  // runs of text a page
	maxFar      = 1e6     // pixels that a corner may be off the page
	maxClipped  = 4       // masks at once, each as large as the page at most
	checkEvery  = 1024    // operators between two looks at the context
	maxOperands = 6
)

// graphics is the state that q saves (ISO 32000-1 section 8.4.1).
type graphics struct {
	m            matrix
	fill, stroke uint8
	pen          pen // in units of the page until a line is drawn
	clip         *clip
	masks        int
}

// drawing is one page being drawn.
type drawing struct {
	ctx    context.Context
	f      *file
	c      *canvas
	scale  float64 // pixels a millimetre
	gs     graphics
	saved  []graphics
	path   path // in pixels
	lines  path // what a stroke covers
	clipBy int  // what W asked for the end of this path: 0 nothing, 1 non-zero
	steps  int

	marks  []int // open marked content: index in texts, -1 for other content
	texts  []Text
	inked  []bool // of texts: whether a mark has been drawn
	height float64
	images map[ref]*image.Gray
}

// draw paints page n on c, at dpi, and returns its texts.
func (f *file) draw(ctx context.Context, c *canvas, n int, dpi float64) ([]Text, error) {
	p := &f.pages[n]
	size, err := p.size(dpi)
	if err != nil {
		return nil, err
	}
	c.start(size)
	v, stream, err := f.resolve(p.contents)
	if err != nil {
		return nil, err
	}
	head, ok := v.(dict)
	if !ok {
		return nil, &SyntaxError{fmt.Sprintf("page %d has no content stream, or several", n+1), 0}
	}
	content, err := inflate(head, stream)
	if err != nil {
		return nil, err
	}
	s := dpi / 72
	d := &drawing{ctx: ctx, f: f, c: c, scale: dpi / 25.4, height: float64(size.Y), images: map[ref]*image.Gray{}}
	d.gs = graphics{m: matrix{s, 0, 0, -s, -p.box[0] * s, p.box[3] * s}, pen: pen{width: 1}, clip: &clip{box: image.Rect(0, 0, size.X, size.Y)}}
	if err := d.run(content, p.resources, 0); err != nil {
		if e, ok := err.(*SyntaxError); ok {
			e.What = fmt.Sprintf("page %d: %s", n+1, e.What)
		}
		return nil, err
	}
	for i := range d.texts {
		d.texts[i].Page = n
	}
	return d.texts, nil
}

// operators and how many numbers each takes; -1 for those that take others.
var operators = map[keyword]int{
	"q": 0, "Q": 0, "cm": 6, "w": 1, "J": 1, "j": 1, "M": 1, "d": -1, "g": 1, "G": 1, "rg": 3, "RG": 3,
	"re": 4, "m": 2, "l": 2, "c": 6, "h": 0, "f": 0, "f*": 0, "S": 0, "n": 0, "W": 0, "Do": -1, "BDC": -1, "EMC": 0,
}

// run carries out a content stream.
func (d *drawing) run(content []byte, resources dict, depth int) error {
	l := &lexer{b: content}
	var operands []any
	var numbers [maxOperands]float64
	bottom, open := len(d.saved), len(d.marks)
	for {
		v, err := l.next(0)
		if err != nil {
			return err
		}
		op, ok := v.(keyword)
		if !ok {
			if operands = append(operands, v); len(operands) > maxOperands {
				return l.errorf("more than %d operands", maxOperands)
			}
			continue
		}
		if op == "" {
			break
		}
		takes, known := operators[op]
		switch {
		case !known:
			return l.errorf("operator %q, which is not understood here", string(op))
		case takes >= 0 && takes != len(operands):
			return l.errorf("operator %q with %d operands", string(op), len(operands))
		}
		for i := range max(0, takes) {
			if numbers[i], ok = operands[i].(float64); !ok {
				return l.errorf("operator %q wants numbers", string(op))
			}
		}
		if d.steps++; d.steps%checkEvery == 0 && d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		d.c.work--
		if d.c.work <= 0 {
			return l.errorf("a page that takes too long to draw")
		}
		switch op {
		case "q", "Q":
			err = d.save(op == "q", bottom)
		case "Do":
			err = d.object(operands, resources, depth)
		case "BDC":
			err = d.mark(operands)
		case "EMC":
			if len(d.marks) == open {
				return l.errorf("EMC without BDC")
			}
			d.marks = d.marks[:len(d.marks)-1]
		case "re", "m", "l", "c", "h":
			err = d.construct(op, &numbers)
		case "f", "f*", "S", "n", "W":
			err = d.show(op)
		default:
			err = d.set(op, &numbers, operands)
		}
		if err != nil {
			if e, ok := err.(*SyntaxError); ok && e.Offset == 0 {
				e.Offset = l.i
			}
			return err
		}
		operands = operands[:0]
	}
	if len(operands) > 0 || len(d.saved) != bottom || len(d.marks) != open || len(d.path.corners) > 0 {
		return l.errorf("a content stream that ends too early")
	}
	return nil
}

func fault(format string, args ...any) error {
	return &SyntaxError{What: fmt.Sprintf(format, args...)}
}

func (d *drawing) save(push bool, bottom int) error {
	switch {
	case len(d.path.corners) > 0:
		return fault("a path that is cut through")
	case push && len(d.saved) == maxSaved:
		return fault("more than %d states saved", maxSaved)
	case push:
		d.saved = append(d.saved, d.gs)
	case len(d.saved) == bottom:
		return fault("Q without q")
	default:
		d.gs = d.saved[len(d.saved)-1]
		d.saved = d.saved[:len(d.saved)-1]
	}
	return nil
}

// set carries out what changes the graphics state.
func (d *drawing) set(op keyword, n *[maxOperands]float64, operands []any) error {
	grey := func(red, green, blue float64) (uint8, error) {
		v := 0.299*red + 0.587*green + 0.114*blue
		if !(min(red, green, blue) >= 0 && max(red, green, blue) <= 1) {
			return 0, fault("a colour outside 0 to 1")
		}
		return uint8(math.Round(255 * v)), nil
	}
	var err error
	switch op {
	case "cm":
		d.gs.m = matrix(*n).times(d.gs.m)
	case "w":
		if !(n[0] >= 0 && n[0] <= 1000) {
			return fault("a line %g wide", n[0])
		}
		d.gs.pen.width = n[0]
	case "J":
		if n[0] != 0 && n[0] != 1 && n[0] != 2 {
			return fault("line cap %g", n[0])
		}
		d.gs.pen.cap = int(n[0])
	case "j":
		if n[0] != 0 {
			return fault("line join %g, which is not understood here", n[0])
		}
	case "M":
		if n[0] != miterLimit {
			return fault("miter limit %g, which is not understood here", n[0])
		}
	case "g":
		d.gs.fill, err = grey(n[0], n[0], n[0])
	case "G":
		d.gs.stroke, err = grey(n[0], n[0], n[0])
	case "rg":
		d.gs.fill, err = grey(n[0], n[1], n[2])
	case "RG":
		d.gs.stroke, err = grey(n[0], n[1], n[2])
	case "d":
		return d.dash(operands)
	}
	return err
}

func (d *drawing) dash(operands []any) error {
	if len(operands) != 2 {
		return fault("a dash of %d operands", len(operands))
	}
	list, ok := operands[0].([]any)
	phase, ok2 := operands[1].(float64)
	if !ok || !ok2 || len(list) > 8 || !(phase >= 0 && phase <= 1000) {
		return fault("a dash that is not lengths and a start")
	}
	var dash []float64
	for _, v := range list {
		length, ok := v.(float64)
		if !ok || !(length >= 0.1 && length <= 1000) {
			return fault("a dash that is not lengths of 0.1 to 1000")
		}
		dash = append(dash, length)
	}
	d.gs.pen.dash, d.gs.pen.phase = dash, phase
	return nil
}

// construct adds to the path.
func (d *drawing) construct(op keyword, n *[maxOperands]float64) error {
	var at [4]point
	count := map[keyword]int{"m": 1, "l": 1, "c": 3}[op]
	for i := range count {
		at[i] = d.gs.m.apply(n[2*i], n[2*i+1])
	}
	if op == "re" {
		x, y, w, h := n[0], n[1], n[2], n[3]
		at, count = [4]point{d.gs.m.apply(x, y), d.gs.m.apply(x+w, y), d.gs.m.apply(x+w, y+h), d.gs.m.apply(x, y+h)}, 4
	}
	for _, p := range at[:count] {
		if !(math.Abs(p.x) <= maxFar && math.Abs(p.y) <= maxFar) {
			return fault("a corner far off the page")
		}
	}
	p := &d.path
	if len(p.corners) > maxPath {
		return fault("a path of more than %d corners", maxPath)
	}
	// After h and re, the next line would start a subpath where this one started.
	if last := len(p.closed) - 1; (op == "l" || op == "c" || op == "h") && (last < 0 || p.closed[last]) {
		return fault("operator %q without m", string(op))
	}
	switch op {
	case "m":
		p.move(at[0])
	case "l":
		p.corners = append(p.corners, at[0])
	case "c":
		p.curve(at[0], at[1], at[2])
	case "h":
		p.closed[len(p.closed)-1] = true
	case "re":
		p.move(at[0])
		p.corners = append(p.corners, at[1:4]...)
		p.closed[len(p.closed)-1] = true
	}
	return nil
}

// show paints the path and ends it; W says that it is the clip as well.
func (d *drawing) show(op keyword) error {
	if op == "W" {
		d.clipBy = 1
		return nil
	}
	switch op {
	case "f", "f*":
		d.ink()
		d.c.fill(&d.path, op == "f*", d.gs.fill, d.gs.clip)
	case "S":
		d.ink()
		d.lines.reset()
		scale := math.Sqrt(math.Abs(d.gs.m[0]*d.gs.m[3] - d.gs.m[1]*d.gs.m[2]))
		n := d.gs.pen
		n.width, n.phase, n.dash = n.width*scale, n.phase*scale, slices.Clone(n.dash)
		length := 0.0
		for i := range n.dash {
			n.dash[i] *= scale
			length += n.dash[i]
		}
		if length > 0 {
			if d.c.work -= int(reach(&d.path) / length * 200); d.c.work <= 0 {
				return fault("a page that takes too long to draw")
			}
		} else if len(n.dash) > 0 {
			return fault("dashes without a length")
		}
		n.outline(&d.path, &d.lines)
		d.c.fill(&d.lines, false, d.gs.stroke, d.gs.clip)
	}
	if d.clipBy != 0 {
		if d.gs.masks++; d.gs.masks > maxClipped {
			return fault("more than %d clips in one another", maxClipped)
		}
		d.gs.clip = d.c.intersect(&d.path, false, d.gs.clip)
		d.clipBy = 0
	}
	d.path.reset()
	return nil
}

// reach is the length of all sides of p.
func reach(p *path) float64 {
	sum := 0.0
	for i := range p.starts {
		sub := p.sub(i)
		a := sub[len(sub)-1]
		for _, b := range sub {
			sum += math.Hypot(b.x-a.x, b.y-a.y)
			a = b
		}
	}
	return sum
}

// ink notes where the innermost open text draws its first mark.
func (d *drawing) ink() {
	if len(d.marks) == 0 || len(d.path.corners) == 0 {
		return
	}
	if i := d.marks[len(d.marks)-1]; i >= 0 && !d.inked[i] {
		d.inked[i] = true
		d.texts[i].X, d.texts[i].Y = d.path.corners[0].x/d.scale, d.path.corners[0].y/d.scale
	}
}

// mark opens marked content (section 14.6); ActualText is its text (14.9.4).
func (d *drawing) mark(operands []any) error {
	if len(operands) != 2 || len(d.marks) == maxNested {
		return fault("marked content that is not understood")
	}
	tag, ok1 := operands[0].(name)
	properties, ok2 := operands[1].(dict)
	if !ok1 || !ok2 || only(properties, "", "ActualText", "Lang") != nil {
		return fault("marked content that is not understood")
	}
	actual, ok := properties["ActualText"].(text)
	if !ok {
		if properties["ActualText"] != nil || tag == "Span" {
			return fault("a span without its text")
		}
		d.marks = append(d.marks, -1)
		return nil
	}
	if len(d.texts) == maxTexts {
		return fault("more than %d runs of text", maxTexts)
	}
	d.marks = append(d.marks, len(d.texts))
	d.texts, d.inked = append(d.texts, Text{Text: textString(actual)}), append(d.inked, false)
	return nil
}
