package proof

// object draws an XObject: a form or a picture.
func (d *drawing) object(operands []any, resources dict, depth int) error {
	if len(operands) != 1 || len(d.path.corners) > 0 {
		return fault("an object that is not named")
	}
	called, _ := operands[0].(name)
	objects, err := d.f.dictionary(resources["XObject"])
	if err != nil {
		return err
	}
	r, ok := objects[called].(ref)
	if !ok {
		return fault("object /%s is not among the resources", string(called))
	}
	if img := d.images[r]; img != nil {
		return d.c.paint(img, d.gs.m, d.gs.clip)
	}
	f, err := d.f.form(r)
	if err != nil {
		return err
	}
	if f == nil {
		v, stream, err := d.f.resolve(r)
		if err != nil {
			return err
		}
		img, err := jpegPicture(v.(dict), stream)
		if err != nil {
			return err
		}
		if len(d.images) < 2 { // a sheet may show one sign ten times; photographs come once
			d.images[r] = img
		}
		d.c.work -= len(img.Pix)
		return d.c.paint(img, d.gs.m, d.gs.clip)
	}
	if depth == maxNested {
		return fault("more than %d forms in one another", maxNested)
	}
	before, base := d.gs, len(d.saved)
	d.gs.m = f.matrix.times(d.gs.m)
	b := f.box
	corners := []point{d.gs.m.apply(b[0], b[1]), d.gs.m.apply(b[2], b[1]), d.gs.m.apply(b[2], b[3]), d.gs.m.apply(b[0], b[3])}
	d.gs.clip = d.gs.clip.cut(bounds(corners)) // 8.10.1: a form shows within its box
	if err := d.run(f.content, f.resource, depth+1); err != nil {
		return err
	}
	d.gs, d.saved = before, d.saved[:base]
	return nil
}

// form returns a form XObject (section 8.10), and nil for a picture.
func (f *file) form(r ref) (*form, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.forms[r]; ok {
		return known, nil
	}
	v, stream, err := f.resolve(r)
	if err != nil {
		return nil, err
	}
	d, ok := v.(dict)
	if !ok {
		return nil, fault("object %d is neither a form nor a picture", r)
	}
	if d["Subtype"] == name("Image") {
		f.forms[r] = nil
		return nil, nil
	}
	if d["Subtype"] != name("Form") {
		return nil, fault("object %d is neither a form nor a picture", r)
	}
	if err := only(d, "form", "Type", "Subtype", "FormType", "BBox", "Matrix", "Resources", "Length", "Filter"); err != nil {
		return nil, err
	}
	made := &form{matrix: identity}
	if d["Matrix"] != nil {
		list, ok := d["Matrix"].([]any)
		if !ok || len(list) != len(made.matrix) {
			return nil, fault("a form whose matrix is not six numbers")
		}
		for i, v := range list {
			if made.matrix[i], ok = v.(float64); !ok {
				return nil, fault("a form whose matrix is not six numbers")
			}
		}
	}
	if made.box, err = f.box(d["BBox"]); err != nil {
		return nil, err
	}
	if d["Resources"] != nil {
		if made.resource, err = f.dictionary(d["Resources"]); err != nil {
			return nil, err
		}
	}
	if made.content, err = inflate(d, stream); err != nil {
		return nil, err
	}
	if f.formBytes += len(made.content); f.formBytes > maxForms {
		return nil, fault("forms of more than %d bytes", maxForms)
	}
	f.forms[r] = made
	return made, nil
}
