package cbor

import (
	"encoding/binary"
	"math"
)

// AppendHead appends a head in its shortest form: the major type, 0 to 7, and
// its argument. RFC 8949 section 3 and 4.2.1.
//
// It and its like are kept out of line: copied into their hundreds of callers
// they would add a twentieth to a browser binary.
//
//go:noinline
func AppendHead(dst []byte, major byte, v uint64) []byte {
	m := major << 5
	switch {
	case v < 24:
		return append(dst, m|byte(v))
	case v <= 0xff:
		return append(dst, m|24, byte(v))
	case v <= 0xffff:
		return append(dst, m|25, byte(v>>8), byte(v))
	case v <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(dst, m|26), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(dst, m|27), v)
}

// AppendUint appends an unsigned integer.
func AppendUint(dst []byte, v uint64) []byte { return AppendHead(dst, majorUint, v) }

// AppendInt appends an integer of either sign.
func AppendInt(dst []byte, v int64) []byte {
	if v < 0 {
		return AppendHead(dst, majorNint, uint64(-1-v))
	}
	return AppendHead(dst, majorUint, uint64(v))
}

// AppendBytes appends a byte string.
//
//go:noinline
func AppendBytes(dst, b []byte) []byte {
	return append(AppendHead(dst, majorBytes, uint64(len(b))), b...)
}

// AppendText appends a text string. s must be valid UTF-8, else no reader
// will take it.
//
//go:noinline
func AppendText(dst []byte, s string) []byte {
	return append(AppendHead(dst, majorText, uint64(len(s))), s...)
}

// AppendArray appends the head of an array; its n elements follow.
func AppendArray(dst []byte, n int) []byte { return AppendHead(dst, majorArray, uint64(n)) }

// AppendMap appends the head of a map; its n pairs follow, in bytewise order
// of the encoded keys. A [MapBuilder] sorts them.
func AppendMap(dst []byte, n int) []byte { return AppendHead(dst, majorMap, uint64(n)) }

// AppendTag appends a tag; the item it names follows.
func AppendTag(dst []byte, t uint64) []byte { return AppendHead(dst, majorTag, t) }

// AppendBool appends true or false.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 0xf5)
	}
	return append(dst, 0xf4)
}

// AppendNull appends null.
func AppendNull(dst []byte) []byte { return append(dst, 0xf6) }

// AppendFloat appends f in the shortest of the three widths that keeps its
// value. Every NaN becomes f97e00. RFC 8949 4.2.1 and 4.2.2.
func AppendFloat(dst []byte, f float64) []byte {
	if f != f {
		return append(dst, 0xf9, 0x7e, 0x00)
	}
	single := float32(f)
	if float64(single) != f {
		return binary.BigEndian.AppendUint64(append(dst, 0xfb), math.Float64bits(f))
	}
	if h, ok := toHalf(single); ok {
		return append(dst, 0xf9, byte(h>>8), byte(h))
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xfa), math.Float32bits(single))
}

// shortestFloat tells whether a float with the given additional information
// and bits is encoded as AppendFloat would.
func shortestFloat(info byte, bits uint64) bool {
	f := floatOf(info, bits)
	if f != f {
		return info == 25 && bits == 0x7e00
	}
	switch info {
	case 26:
		_, half := toHalf(math.Float32frombits(uint32(bits)))
		return !half
	case 27:
		return float64(float32(f)) != f
	}
	return true
}

// floatOf is the value of a float with the given additional information.
func floatOf(info byte, bits uint64) float64 {
	switch info {
	case 25:
		return fromHalf(uint16(bits))
	case 26:
		return float64(math.Float32frombits(uint32(bits)))
	}
	return math.Float64frombits(bits)
}

// fromHalf widens a binary16: 1 bit sign, 5 bits exponent (bias 15), 10 bits
// fraction. RFC 8949 appendix D.
func fromHalf(h uint16) float64 {
	exponent, fraction := int(h>>10&31), float64(h&0x3ff)
	var f float64
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, -24)
	case 31:
		f = math.Inf(1)
		if fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(fraction+1024, exponent-25)
	}
	if h&0x8000 != 0 {
		return math.Copysign(f, -1)
	}
	return f
}

// toHalf narrows f to a binary16 if that keeps its value. f is not a NaN.
func toHalf(f float32) (uint16, bool) {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	exponent, fraction := int(bits>>23&0xff)-127, bits&0x7fffff
	switch {
	case bits<<1 == 0:
		return sign, true
	case exponent == 128:
		return sign | 0x7c00, true
	case exponent >= -14 && exponent <= 15:
		return sign | uint16(exponent+15)<<10 | uint16(fraction>>13), fraction&0x1fff == 0
	case exponent >= -24 && exponent < -14: // subnormal as binary16
		shift := uint(-1 - exponent)
		whole := fraction | 1<<23
		return sign | uint16(whole>>shift), whole&(1<<shift-1) == 0
	}
	return 0, false
}
