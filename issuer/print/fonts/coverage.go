package fonts

import (
	"reflect"
	"unsafe"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype/tables"
)

// listCoverage writes the coverage of every lookup glyph by glyph instead of by
// ranges.
//
// go-text v0.3.4 and v0.3.5 sum up which glyphs a lookup may be for, and stop
// summing ranges as soon as one part of the sum is full (harfbuzz/set_digest.go,
// addRange). Glyphs of later ranges then pass the lookup by: in Noto Sans Arabic
// noon, yeh and teh marbuta did not join. Lists of glyphs are summed to their end.
// Versions before have no bidi package. TestLettersJoin fails when this goes
// too early.
func listCoverage(f *font.Font) {
	for i := range f.GSUB.Lookups {
		listAll(f.GSUB.Lookups[i].Subtables)
	}
	for i := range f.GPOS.Lookups {
		listAll(f.GPOS.Lookups[i].Subtables)
	}
}

var coverageType = reflect.TypeFor[tables.Coverage]()

func listAll[T any](subtables []T) {
	for i := range subtables {
		list(reflect.ValueOf(&subtables[i]).Elem(), 3)
	}
}

// list replaces the coverages in an addressable value: a subtable, its struct, or
// the struct of its format inside it.
func list(v reflect.Value, depth int) {
	switch {
	case depth == 0:
	case v.Type() == coverageType:
		if ranges, ok := v.Interface().(tables.Coverage2); ok {
			v.Set(reflect.ValueOf(listed(ranges)))
		}
	case v.Kind() == reflect.Interface && !v.IsNil() && v.Elem().Kind() == reflect.Struct:
		own := reflect.New(v.Elem().Type()).Elem()
		own.Set(v.Elem())
		list(own, depth)
		v.Set(own)
	case v.Kind() == reflect.Slice && v.Type().Elem() == coverageType: // of contexts; the first one counts
		for i := range v.Len() {
			list(v.Index(i), 1)
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.Kind() == reflect.Interface || field.Kind() == reflect.Struct || field.Kind() == reflect.Slice {
				// Some of the fields are not exported; the value is ours, freshly parsed.
				list(reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem(), depth-1)
			}
		}
	}
}

func listed(ranges tables.Coverage2) tables.Coverage1 {
	var out tables.Coverage1
	for _, r := range ranges.Ranges {
		for g := int(r.StartGlyphID); g <= int(r.EndGlyphID); g++ {
			out.Glyphs = append(out.Glyphs, tables.GlyphID(g))
		}
	}
	return out
}
