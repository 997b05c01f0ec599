package photo

import "encoding/binary"

// readJPEGHeader walks the segments before the first scan and returns the Exif
// orientation (1, upright, where none is said) and whether the picture is
// progressive. It follows no length beyond data and allocates nothing.
//
// A segment is FF, marker, length (two bytes, itself included), content:
// ITU-T T.81 annex B.1.1.
func readJPEGHeader(data []byte) (orientation int, progressive bool) {
	orientation = 1
	seen := false
	for rest := data[2:]; len(rest) >= 4; {
		if rest[0] != 0xff {
			return orientation, progressive
		}
		marker := rest[1]
		switch {
		case marker == 0xff: // fill
			rest = rest[1:]
			continue
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd8: // these have no length
			rest = rest[2:]
			continue
		case marker == 0xda || marker == 0xd9: // start of scan, end of image
			return orientation, progressive
		}
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if size < 2 || 2+size > len(rest) {
			return orientation, progressive
		}
		content := rest[4 : 2+size]
		switch {
		case marker == 0xc2:
			progressive = true
		case marker == 0xe1 && !seen && len(content) > 6 && string(content[:6]) == "Exif\x00\x00":
			orientation, seen = readOrientation(content[6:]), true
		}
		rest = rest[2+size:]
	}
	return orientation, progressive
}

// readOrientation finds tag 0x0112 in the first directory of a TIFF header (Exif
// 2.32, 4.6.2); 1 where it is absent or makes no sense.
func readOrientation(tiff []byte) int {
	const upright = 1
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return upright
		}
		// tag, type (3: SHORT), count, value
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == 3 && order.Uint32(entries[4:]) == 1 {
			if v := int(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			return upright
		}
		entries = entries[12:]
	}
	return upright
}
