package trust

import "aidpass/internal/cbor"

// encode writes the payload of a list. It takes what it is given; Draft.Encode
// checks it.
func (d *Draft) encode() []byte {
	n := 6
	for _, present := range [...]bool{len(d.Recognitions) > 0, d.FloorReset, len(d.Removed) > 0} {
		if present {
			n++
		}
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendText(append(b, 1), d.ID)
	b = cbor.AppendUint(append(b, 2), d.Sequence)
	b = cbor.AppendUint(append(b, 3), uint64(max(d.Issued, 0)))
	b = cbor.AppendUint(append(b, 4), uint64(max(d.NextUpdate, 0)))
	b = d.Anchors.Append(append(b, 5))
	b = cbor.AppendArray(append(b, 6), len(d.Organisations))
	for _, o := range d.Organisations {
		b = o.append(b)
	}
	if len(d.Recognitions) > 0 {
		b = cbor.AppendArray(append(b, 7), len(d.Recognitions))
		for i := range d.Recognitions {
			b = d.Recognitions[i].append(b)
		}
	}
	if d.FloorReset {
		b = append(b, 8, 1)
	}
	if len(d.Removed) > 0 {
		b = cbor.AppendArray(append(b, 9), len(d.Removed))
		for _, x := range d.Removed {
			b = cbor.AppendText(append(b, 0xa2, 1), x.ID)
			b = cbor.AppendUint(append(b, 2), uint64(max(x.Since, 0)))
		}
	}
	return b
}

func (o *Organisation) append(b []byte) []byte {
	n := 6
	if !o.UsesStatus {
		n++
	}
	b = cbor.AppendMap(b, n)
	b = cbor.AppendText(append(b, 1), o.ID)
	b = appendNames(append(b, 2), o.Names)
	b = cbor.AppendText(append(b, 3), o.Country)
	b = cbor.AppendArray(append(b, 4), len(o.Keys))
	for _, k := range o.Keys {
		b = k.append(b)
	}
	b = cbor.AppendArray(append(b, 5), len(o.Grants))
	for i := range o.Grants {
		b = o.Grants[i].append(b)
	}
	b = appendTexts(append(b, 6), o.StatusPrefixes)
	if !o.UsesStatus {
		b = append(b, 7, 0xf4)
	}
	return b
}

func (k *Key) append(b []byte) []byte {
	n := 6
	for _, present := range [...]bool{k.AcceptUntil != 0, k.Since != 0, !k.plainKID()} {
		if present {
			n++
		}
	}
	b = cbor.AppendMap(b, n)
	b = k.Key.Append(append(b, 1))
	b = cbor.AppendUint(append(b, 2), uint64(k.Use))
	b = cbor.AppendUint(append(b, 3), uint64(k.Profile))
	b = cbor.AppendUint(append(b, 4), uint64(max(k.NotBefore, 0)))
	b = cbor.AppendUint(append(b, 5), uint64(max(k.NotAfter, 0)))
	b = cbor.AppendUint(append(b, 6), uint64(k.State))
	if k.AcceptUntil != 0 {
		b = cbor.AppendUint(append(b, 7), uint64(max(k.AcceptUntil, 0)))
	}
	if k.Since != 0 {
		b = cbor.AppendUint(append(b, 8), uint64(max(k.Since, 0)))
	}
	if !k.plainKID() {
		b = cbor.AppendBytes(append(b, 9), k.KID)
	}
	return b
}

func (g *Grant) append(b []byte) []byte {
	n := 1
	for _, present := range [...]bool{len(g.Programmes) > 0, len(g.Countries) > 0, g.Until != 0, len(g.Replaces) > 0} {
		if present {
			n++
		}
	}
	b = cbor.AppendMap(b, n)
	b = appendTexts(append(b, 1), g.Types)
	if len(g.Programmes) > 0 {
		b = appendTexts(append(b, 2), g.Programmes)
	}
	if len(g.Countries) > 0 {
		b = appendTexts(append(b, 3), g.Countries)
	}
	if g.Until != 0 {
		b = cbor.AppendUint(append(b, 4), uint64(max(g.Until, 0)))
	}
	if len(g.Replaces) > 0 {
		b = appendTexts(append(b, 5), g.Replaces)
	}
	return b
}

func (r *Recognition) append(b []byte) []byte {
	n := 4
	if len(r.Countries) > 0 {
		n++
	}
	b = cbor.AppendMap(b, n)
	b = cbor.AppendText(append(b, 1), r.List)
	b = r.Anchors.Append(append(b, 2))
	b = appendTexts(append(b, 3), r.Types)
	if len(r.Countries) > 0 {
		b = appendTexts(append(b, 4), r.Countries)
	}
	return cbor.AppendUint(append(b, 5), uint64(max(r.Recheck, 0)))
}

func appendTexts(b []byte, list []string) []byte {
	b = cbor.AppendArray(b, len(list))
	for _, s := range list {
		b = cbor.AppendText(b, s)
	}
	return b
}

// appendNames appends the names by language, in the order of RFC 8949 4.2.1.
func appendNames(b []byte, names map[string]string) []byte {
	var m cbor.MapBuilder
	for lang, name := range names {
		m.PutText(lang, cbor.AppendText(nil, name))
	}
	b, _ = m.Append(b) // no key is put twice: it is a map already
	return b
}
