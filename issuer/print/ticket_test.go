package print_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/words"
)

// A ticket fits every paper in every language, has the number and the desk on it and no
// code, and is a file that our own reader draws.
func TestTickets(t *testing.T) {
	needFonts(t)
	for _, lang := range words.Tags() {
		for _, paper := range []print.Paper{print.A4, print.Letter, print.A6, print.Thermal58, print.Thermal80} {
			f, err := print.Tickets(print.Ticket{Number: "R-4T7K-9QZX", Desk: "Kakuma 3, مكتب ٢", Day: "2026-11-22", Complaint: "+254 700 111 222"}, print.Options{Lang: lang, Paper: paper})
			if err != nil || f.Pages != 1 {
				t.Errorf("%s on %s: %d pages, %v", lang, paper, f.Pages, err)
				continue
			}
			if _, err := proof.Check(t.Context(), f.PDF, nil); err != nil {
				t.Errorf("%s on %s: %v", lang, paper, err)
			}
			if dir := os.Getenv("AIDPASS_TICKETS"); dir != "" { // to be looked at
				if err := os.WriteFile(filepath.Join(dir, lang+"-"+paper.String()+".pdf"), f.PDF, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if _, err := print.Tickets(print.Ticket{Number: strings.Repeat("9", 400)}, print.Options{Lang: "en", Paper: print.A6}); err == nil {
		t.Error("a number that nobody can read was printed")
	}
}

// Marks that turn a line around are not printed, and turn nothing: a number is read as it
// was typed.
func TestNothingTurnsALine(t *testing.T) {
	needFonts(t)
	file := func(desk, complaint string) []byte {
		f, err := print.Tickets(print.Ticket{Number: "R-4T7K-9QZX", Desk: desk, Day: "2026-11-22", Complaint: complaint}, print.Options{Lang: "en", Paper: print.A6})
		if err != nil {
			t.Fatal(err)
		}
		return f.PDF
	}
	plain := file("Kakuma 3 north", "call +254 700 111")
	for _, mark := range []string{"\u202e", "\u2069\u202e", "\u2067", "\u202b"} {
		if !bytes.Equal(plain, file("Kakuma"+mark+" 3 north", "call"+mark+" +254 700 111")) {
			t.Errorf("%+q changes what is printed", mark)
		}
	}
}
