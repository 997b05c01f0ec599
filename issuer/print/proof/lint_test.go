package proof_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/issuer/print/proof"
	vt "aidpass/verifier/verifiertest"
)

// day of issue of the usual card, and of its end.
func days(when credential.Time) string { return when.Std().Format("2006-01-02") }

// oneCard is what a page with one card shows, with these texts.
func oneCard(text string, texts ...string) proof.Seen {
	seen := proof.Seen{Pages: 1, Codes: []proof.Code{{Page: 0, CardID: "c1", Text: text}}}
	for i, t := range texts {
		seen.Texts = append(seen.Texts, proof.Text{Page: 0, CardID: "c1", X: 5, Y: float64(5 * i), Text: t})
	}
	return seen
}

func names(all ...string) *proof.Names {
	n := new(proof.Names)
	for _, name := range all {
		n.Add(name)
	}
	return n
}

func codesOf(findings []proof.Finding) (codes []string) {
	for _, f := range findings {
		codes = append(codes, f.Code)
	}
	return codes
}

var (
	world     = vt.New()
	plainCard = world.Text(vt.CardOptions{})
	registry  = names("Fatima Ahmed Hassan", "Suharto", "Nguyễn Thị Mai", "عبد الرحمن محمد", "አበበ በቀለ", "Grace Achieng Otieno", "Христина Коваленко")
)

func TestWhatMustNotStandOnACard(t *testing.T) {
	rules := proof.Rules{
		Names: registry, Complaint: []string{"+254 800 720 720", "help@line.example"}, Plain: []string{"Relief A", "Women First Cash"},
		Dates: []string{"22 November 2026"}, Chosen: map[string][]string{"c1": {"Mary Christian Akoth"}},
	}
	tests := []struct {
		text string
		want string // code; empty: nothing
	}{
		{"Fatima Ahmed Hassan", "name"},
		{"FATIMA  AHMED", "name"},
		{"Name: Fátima Hassan", "name"},
		{"for Hassan Fatima", ""},
		{"Suharto", "name"}, {"Name: Suharto", "name"}, {"the Suharto bridge", ""},
		{"Nguyen Thi Mai", "name"}, {"عبدالرحمن محمد", ""}, {"عَبْد الرَّحْمَٰن مُحَمَّد", "name"}, {"አበበ በቀለ", "name"}, {"ХРИСТИНА КОВАЛЕНКО", "name"},
		{"Mary Christian Akoth", ""}, {"Mary Christian", ""},
		{"christian household", ""}, // a chosen name has the word
		{"Questions: +254 800 720 720 or help@line.example", ""},
		{"+254 700 123 456", "phone"}, {"Tel 0700-123-456", "phone"}, {"٠٧٠٠١٢٣٤٥٦", "phone"}, {"(0700) 12 34 56", "phone"},
		{"write to a.b@ngo.example", "email"},
		{"123-45C67890", "case"}, {"no 123-45c67890", "case"}, {"123-00012345", "case"}, {"KEN-12C00123", "case"},
		{"DE89 3704 0044 0532 0130 00", "account"}, {"GB82WEST12345698765432", "account"}, {"GB82WEST12345698765433", "phone"},
		{"-0.0917, 34.7680", "place"}, {"12°34'N", "place"}, {"6GCRPR6C+24", "place"},
		{"1987-05-12", "date"}, {"12/05/1987", "date"}, {"12 May 1987", "date"}, {"May 12, 1987", "date"}, {"١٢/٠٥/١٩٨٧", "date"}, {"12 مايو 1987", "date"}, {"12 de mayo de 1987", "date"},
		{days(vt.Made), ""}, {"valid until " + (vt.Made + 180*86400).Std().Format("2 Jan 2006"), ""}, {(vt.Made + 180*86400).Std().Format("02/01/2006"), ""}, {"22 November 2026", ""},
		{"1987", ""}, {"05/1987", ""},
		{"refugee camp", "word"}, {"Refugees", "word"}, {"RÉFUGIÉE", "word"}, {"refugiados", "word"}, {"اللاجئين", "word"}, {"وللاجئين", ""}, {"mkimbizi", "word"},
		{"HIV", "word"}, {"VIH", "word"}, {"UKIMWI", "word"}, {"hive", ""}, {"الإيدز", "word"},
		{"Date of birth", "word"}, {"born here", ""}, {"لحامل البطاقة", ""}, {"حامل البطاقة", ""}, {"امرأة حامل", "word"}, {"disabled", "word"}, {"orphans", "word"},
		{"Nationality", "word"}, {"UNHCR", "word"}, {"Ethnic group", "word"}, {"Women-First  cash", "plain"}, {"RELIEF A", "plain"}, {"Relief Agency", ""},
		{"Keep this card dry. Show it when you collect.", ""}, {"1 2 3 4 5 6 7 8 9 10 11 12", ""}, {"0 10 20 30 40 50 60 70 80", ""}, {"85.6 x 53.98 mm", ""}, {"ABC-K7Q2", ""},
		{"Esta tarjeta es gratuita", ""}, {"Cette carte est gratuite", ""}, {"هذه البطاقة مجانية", ""}, {"Kadi hii ni bure", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got := proof.Lint(oneCard(plainCard, tt.text), rules)
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if !slices.Equal(codesOf(got), want) {
				t.Fatalf("got %v, want %v", got, want)
			}
			for _, f := range got {
				if f.CardID != "c1" || f.Page != 0 || strings.Contains(f.String(), tt.text) {
					t.Errorf("%v", f)
				}
			}
		})
	}
}

func TestChosenNamesAreThoseOfTheirCard(t *testing.T) {
	other := world.Text(vt.CardOptions{Unit: "unit-2"})
	seen := proof.Seen{Pages: 2, Codes: []proof.Code{{Page: 0, CardID: "c1", Text: plainCard}, {Page: 0, CardID: "c2", Text: other}},
		Texts: []proof.Text{
			{Page: 0, CardID: "c1", Text: "Fatima Ahmed"}, {Page: 0, CardID: "c1", Y: 4, Text: "Hassan"}, // wrapped
			{Page: 0, CardID: "c2", Text: "Grace Achieng Otieno"},
			{Page: 1, Text: "Grace Otieno"}, {Page: -1, Text: "Cards of Fatima Hassan"},
		}}
	got := proof.Lint(seen, proof.Rules{Names: registry, Chosen: map[string][]string{"c1": {"Fatima Ahmed Hassan"}}})
	if s := fmt.Sprint(got); len(got) != 3 || got[0].Page != -1 || got[1].CardID != "c2" || got[2].Page != 1 {
		t.Errorf("got %s", s)
	}
	// The same name on another's card is found, two runs on one line too.
	seen.Texts = []proof.Text{{Page: 0, CardID: "c2", X: 5, Text: "Fatima"}, {Page: 0, CardID: "c2", X: 25, Text: "Ahmed"}}
	if got := proof.Lint(seen, proof.Rules{Names: registry, Chosen: map[string][]string{"c1": {"Fatima Ahmed Hassan"}}}); len(got) != 1 || got[0].CardID != "c2" {
		t.Errorf("got %v", got)
	}
}

func TestWhatMustNotStandInACode(t *testing.T) {
	sign := func(edit func(*cwt.Draft), plain map[string]any) string {
		return world.Text(vt.CardOptions{Draft: edit, Plain: plain})
	}
	tests := []struct {
		name, text, want string
	}{
		{"a card", plainCard, ""},
		{"a web address", "https://relief.example/c/1", "qr_format"},
		{"a name in another claim", sign(func(d *cwt.Draft) { d.Issuer = "https://relief.example/Suharto/Fatima-Ahmed-Hassan" }, nil), "qr_name"},
		{"a type that nobody knows", sign(func(d *cwt.Draft) { d.Type = "https://other.example/t" }, nil), "qr_layout"},
		{"claims of another type", sign(func(d *cwt.Draft) { d.Type = "https://aidpass.example/rcpt" }, nil), "qr_layout"},
		{"a name as programme", sign(func(d *cwt.Draft) { d.Plain = []byte{0xa2, 0x01, 0x67, 'S', 'u', 'h', 'a', 'r', 't', 'o', 0x02, 0x03} }, nil), "qr_name"},
		{"an unknown plain claim", sign(func(d *cwt.Draft) { d.Plain = []byte{0xa2, 0x01, 0x64, 'K', '7', 'Q', '2', 0x18, 0x63, 0x03} }, nil), "qr_layout"},
		{"a word as programme", sign(func(d *cwt.Draft) { d.Plain = []byte{0xa2, 0x01, 0x63, 'H', 'I', 'V', 0x02, 0x03} }, nil), "qr_content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := codesOf(proof.Lint(oneCard(tt.text), proof.Rules{Names: registry}))
			if tt.want == "" && len(got) > 0 || tt.want != "" && !slices.Contains(got, tt.want) {
				t.Errorf("got %v, want %q", got, tt.want)
			}
		})
	}
}

// Card numbers however they are grouped, programme codes and the card's own days
// never raise an alarm, whatever they are.
func TestNoFalseAlarms(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		unit := rapid.StringN(1, 20, 40).Draw(r, "unit")
		issued := vt.Made + credential.Time(rapid.IntRange(-300*86400, 300*86400).Draw(r, "issued"))
		ends := issued + credential.Time(rapid.IntRange(86400, 300*86400).Draw(r, "ends"))
		programme := rapid.StringMatching(`[A-Z][A-Z0-9]{3,7}`).Draw(r, "programme")
		text := world.Text(vt.CardOptions{Unit: unit, Draft: func(d *cwt.Draft) { d.IssuedAt, d.ExpiresAt = issued, ends }})
		own, err := cwt.CardNumber(pseudonymIn(text))
		if err != nil {
			r.Fatal(err)
		}
		style := rapid.SampledFrom([]string{"2006-01-02", "02/01/2006", "2 Jan 2006", "2.1.2006", "January 2, 2006"}).Draw(r, "style")
		grouped := own[:4] + " " + own[4:7] + "-" + own[7:]
		seen := oneCard(text, own, grouped, strings.ToLower(own), "No. "+own, issued.Std().Format(style)+" - "+ends.Std().Format(style),
			"until "+ends.Std().In(time.FixedZone("", 3*3600)).Format(style), rapid.SampledFrom([]string{"Code ", ""}).Draw(r, "label")+programme)
		if got := proof.Lint(seen, proof.Rules{Names: registry}); len(got) > 0 {
			r.Fatalf("%v for %+v", got, seen.Texts)
		}
	})
}

// One card number in some ten thousand ends in letters that are a word of the list.
func TestANumberIsNoWord(t *testing.T) {
	for _, word := range []string{"HCR", "GBV"} {
		var text, own string
		for i := 0; !strings.HasSuffix(own, word); i++ {
			pseudonym := cwt.Pseudonym([]byte("sixteen byte key"), []byte(strconv.Itoa(i)))
			var err error
			if own, err = cwt.CardNumber(pseudonym); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(own, word) {
				text = world.Text(vt.CardOptions{Draft: func(d *cwt.Draft) { d.Pseudonym = pseudonym }})
			}
		}
		grouped := own[:4] + "-" + own[4:8] + "-" + own[8:]
		if got := proof.Lint(oneCard(text, grouped, "Card number "+grouped), proof.Rules{Names: registry}); len(got) > 0 {
			t.Errorf("card %s: %v", grouped, got)
		}
		if got := proof.Lint(oneCard(text, grouped+" "+word), proof.Rules{Names: registry}); len(got) == 0 {
			t.Errorf("%s beside the number passed", word)
		}
	}
}

// No text makes the linter stumble, and no finding repeats it.
func FuzzLint(f *testing.F) {
	for _, s := range []string{"+254 700 123 456", "Fatima Ahmed", "١٢/٠٥/١٩٨٧", "123-45C67890", "اللاجئين", "\xff\xfe", "a@b.c", strings.Repeat("9 ", 300)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		for _, found := range proof.Lint(oneCard(code, text), proof.Rules{Names: registry, Complaint: []string{text}, Plain: []string{code}}) {
			if len(text) > 12 && strings.Contains(found.Text, text) {
				t.Errorf("%v", found)
			}
		}
	})
}

func pseudonymIn(text string) string {
	raw, err := new(qr.Scratch).Decode(text)
	if err != nil {
		panic(err)
	}
	at := strings.Index(string(raw), "\x18\xa9\xa1\x01\x70") // 169: {1: a text of 16
	return string(raw[at+5:][:16])
}
