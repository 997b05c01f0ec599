package proof_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"aidpass/credential/cwt"
	"aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	vt "aidpass/verifier/verifiertest"
)

// peopleNames in the scripts that cards are printed in; every second one is chosen.
var peopleNames = []string{
	"Abdirahman Yusuf", "فاطمة الزهراء عبد الرحمن", "ፋጡማ ሓሰን ገብረመድህን", "မြတ်နိုးသူ အောင်ကျော်", "শ্রীমতী ফাতেমা খাতুন", "श्रीमती लक्ष्मी देवी", "សុខ សុភាព", "สมชาย ใจดี", "Христина Коваленко", "Suharto",
}

// What package print makes is understood, drawn as poppler draws it, passes
// every check, and the linter finds what was put there and nothing else.
func TestSheetsAsTheyArePrinted(t *testing.T) {
	for _, paper := range []print.Paper{print.A4, print.Letter, print.A6, print.Thermal58, print.Thermal80} {
		for _, lang := range []string{"en", "fr", "es", "ar", "sw"} {
			t.Run(fmt.Sprint(paper, " ", lang), func(t *testing.T) {
				t.Parallel()
				cards, rules := people(t)
				opt := print.Options{Paper: paper, Lang: lang, Duplex: paper == print.A4, Plain: lang == "fr"}
				if opt.Plain {
					rules.Plain = []string{"Relief A", "Winter support"}
				}
				file, err := print.Cards(ctx, cards, opt)
				if errors.Is(err, fonts.ErrNone) {
					t.Skip(err)
				}
				if err != nil || len(file.Stopped) > 0 {
					t.Fatal(err, file.Stopped)
				}
				seen, err := proof.Check(ctx, file.PDF, file.Placed)
				if err != nil {
					t.Fatal(err)
				}
				if got := proof.Lint(seen, rules); len(got) > 0 {
					t.Errorf("false alarms: %v", got)
				}
				// One more person's name is on a card than chose it.
				delete(rules.Chosen, cards[0].ID)
				rules.Plain = nil
				if got := proof.Lint(seen, rules); len(got) != 1 || got[0].Code != "name" {
					t.Errorf("got %v, want one name", got)
				}
				if lang != "ar" && !(lang == "en" && paper == print.A4) {
					return // the same drawing in other words
				}
				if _, err := exec.LookPath("pdftoppm"); err != nil {
					t.Skip("pdftoppm is not installed: nothing to compare with")
				}
				path := filepath.Join(t.TempDir(), "sheet.pdf")
				if err := os.WriteFile(path, file.PDF, 0o600); err != nil {
					t.Fatal(err)
				}
				for page := range min(2, seen.Pages) { // front and back, or two slips
					ours, err := proof.Draw(file.PDF, page, proof.DPI)
					if err != nil {
						t.Fatal(err)
					}
					compareWithPoppler(t, path, page+1, proof.DPI, ours)
				}
			})
		}
	}
}

// people returns ten cards, the rules for them, and a registry that knows more people.
func people(t testing.TB) ([]print.Card, proof.Rules) {
	rules := proof.Rules{Names: names(peopleNames...), Chosen: map[string][]string{}, Complaint: []string{"+254 800 720 720", "help@line.example"}}
	var cards []print.Card
	for i, name := range peopleNames {
		text := world.Text(vt.CardOptions{Key: &world.A.EdCard, Unit: fmt.Sprint("unit ", i)})
		number, err := cwt.CardNumber(pseudonymIn(text))
		if err != nil {
			t.Fatal(err)
		}
		c := print.Card{ID: fmt.Sprintf("%020x", i), Unit: fmt.Sprint("unit ", i), Text: text, Number: number, ValidFrom: vt.Made, ValidUntil: vt.Made + 180*86400,
			Organisation: "Relief A", Programme: "Winter support", Complaint: "+254 800 720 720 / help@line.example", Boxes: 12}
		if i%2 == 0 {
			c.Name = name
			rules.Chosen[c.ID] = []string{name}
		}
		cards = append(cards, c)
	}
	return cards, rules
}
