package proof

import (
	"fmt"
	"image"
)

// tree walks the pages in order (section 7.7.3). Boxes and resources are inherited.
func (f *file) tree(v any, inherited page, depth int, met map[ref]bool) error {
	r, ok := v.(ref)
	if !ok || met[r] || depth > maxDepth {
		return &SyntaxError{"the tree of pages is not in order", 0}
	}
	met[r] = true
	node, err := f.dictionary(r)
	if err != nil {
		return err
	}
	p := inherited
	if node["MediaBox"] != nil {
		if p.box, err = f.box(node["MediaBox"]); err != nil {
			return err
		}
	}
	if node["Resources"] != nil {
		if p.resources, err = f.dictionary(node["Resources"]); err != nil {
			return err
		}
	}
	switch node["Type"] {
	case name("Pages"):
		kids, _, err := f.resolve(node["Kids"])
		list, ok := kids.([]any)
		if err != nil || !ok {
			return &SyntaxError{"the tree of pages is not in order", 0}
		}
		if err := only(node, "pages", "Type", "Parent", "Kids", "Count", "MediaBox", "Resources"); err != nil {
			return err
		}
		for _, kid := range list {
			if err := f.tree(kid, p, depth+1, met); err != nil {
				return err
			}
		}
		return nil
	case name("Page"):
		if err := only(node, "page", "Type", "Parent", "MediaBox", "TrimBox", "Contents", "Resources"); err != nil {
			return err
		}
		if len(f.pages) == MaxPages {
			return &SyntaxError{fmt.Sprintf("more than %d pages; print fewer cards a file", MaxPages), 0}
		}
		if !(p.box[2] > p.box[0] && p.box[3] > p.box[1]) {
			return &SyntaxError{fmt.Sprintf("page %d has no size", len(f.pages)+1), 0}
		}
		p.contents = node["Contents"]
		f.pages = append(f.pages, p)
		return nil
	}
	return &SyntaxError{"neither a page nor pages", 0}
}

// box reads a rectangle (section 7.9.5).
func (f *file) box(v any) (box [4]float64, err error) {
	v, _, err = f.resolve(v)
	list, ok := v.([]any)
	if err != nil || !ok || len(list) != 4 {
		return box, &SyntaxError{"a box that is not four numbers", 0}
	}
	for i := range box {
		if box[i], ok = list[i].(float64); !ok || box[i] < -1e5 || box[i] > 1e5 {
			return box, &SyntaxError{"a box that is not four numbers", 0}
		}
	}
	return box, nil
}

// size returns the pixels of page n.
func (p *page) size(dpi float64) (image.Point, error) {
	w, h := (p.box[2]-p.box[0])*dpi/72, (p.box[3]-p.box[1])*dpi/72
	// The last sliver of a millimetre does not make a pixel more.
	size := image.Pt(int(w+0.5), int(h+0.5))
	if !(w >= 1 && h >= 1 && w*h <= maxPagePixels) {
		return size, &SyntaxError{fmt.Sprintf("a page of %.0f x %.0f pixels", w, h), 0}
	}
	return size, nil
}
