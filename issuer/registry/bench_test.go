package registry_test

import (
	"testing"

	"aidpass/issuer/registry"
)

func BenchmarkParseName(b *testing.B) {
	names := []string{"Amina Yusuf Hassan", "فاطمة محمد الحسن", "ኪሮስ ኃይሉ", "Наталія Коваленко"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		registry.ParseName(names[i%len(names)], "")
	}
}

func BenchmarkKeys(b *testing.B) {
	p := person("عبد الرحمن محمد الحسن", "1987-05-12")
	p.Documents = []registry.Document{{Type: "national_id", Country: "KEN", Number: "12345678"}}
	b.ReportAllocs()
	for b.Loop() {
		registry.Keys(p)
	}
}

func BenchmarkParseBirth(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		registry.ParseBirth("12/05/1987", registry.BirthOptions{Order: registry.DayFirst, Today: today})
	}
}
