package intake_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/roster"
)

func TestPlacesHaveTheirDays(t *testing.T) {
	path := write(t, "places.csv", "ADM2_EN,ADM2_PCODE,ADM1_EN,ADM1_PCODE,validOn,validTo\nBaki,so1101,Awdal,SO11,2019-01-01,\nLughaye,SO1102,Awdal,SO11,2015-06-01,2024-12-31\n"+
		"Lughaye again,SO1102,Awdal,SO11,2016-01-01 00:00:00,2020-01-01\nZeylac,SO1103,Awdal,SO11,,2018-02-28\nZeylac,SO1103,Awdal,SO11,2020-01-01,\n=1+1,\"=cmd|'/c calc'!A1\",@x,@SO99,,\n")
	list, err := intake.ReadPlaces(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []intake.Place{{"SO11", "Awdal", "", ""}, {"SO1101", "Baki", "2019-01-01", ""}, {"SO1102", "Lughaye again", "2015-06-01", "2024-12-31"}, {"SO1103", "Zeylac", "", ""}}
	if got := list.List(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	again, err := intake.ReadPlaces(write(t, "pcodes.csv", string(list.CSV())))
	if err != nil || !reflect.DeepEqual(again.List(), want) {
		t.Errorf("%+v, %v", again.List(), err)
	}
	for _, cell := range []string{"31/12/2024", "soon", "2024-13-01", "é"} {
		if _, err := intake.ReadPlaces(write(t, "places.csv", "pcode,valid_to\nSO11,"+cell+"\n")); err == nil || !strings.Contains(err.Error(), "valid_to") || strings.Contains(err.Error(), cell) {
			t.Errorf("%s: %v", cell, err)
		}
	}
}

// FuzzPlaces: whatever stands in a list, its codes can be shown and written, have days or none,
// and come back from the file in which they are kept.
func FuzzPlaces(f *testing.F) {
	f.Add("admin1Pcode,admin1Name_en,valid_to\nSO11,Awdal,2024-12-31\n")
	f.Add("code,name,valid_from,validTo\n=1+1,@x,,\n@SO11,b,2024-01-01,2023-01-01\nSO11,=b,,\nSO11,,2024-01-01,\n")
	f.Add("pcode;nom\nCD10;Kinshasa\nCD\u202e10;x\n")
	f.Add("#adm1+code,#adm1+name\n" + strings.Repeat("X", 50) + ",a\nNE001,\x00\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4<<10 {
			return
		}
		read := func(b []byte) (intake.Places, error) {
			file, err := roster.Read("places.csv", b, roster.Options{})
			if err != nil {
				var refused *roster.FileError
				if !errors.As(err, &refused) {
					t.Fatal(err)
				}
				return nil, err
			}
			defer file.Close()
			return intake.PlacesIn(file)
		}
		list, err := read([]byte(text))
		if err != nil {
			return
		}
		for _, at := range list.List() {
			if !utf8.ValidString(at.Code+at.Name) || strings.ContainsFunc(at.Code+at.Name, unicode.IsControl) || len(at.Code) > 40 || len(at.Name) > 200 || len(at.From)%10+len(at.To)%10 != 0 {
				t.Errorf("%+v", at)
			}
		}
		again, err := read(list.CSV())
		if err != nil || len(again.List()) != len(list.List()) {
			t.Errorf("%s came back as %v: %v", list.CSV(), again.List(), err)
		}
	})
}
