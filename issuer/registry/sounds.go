package registry

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// romanise spells a folded word in Latin letters; a letter it has no sound for stays.
func romanise(w string) string {
	plain := true
	for i := 0; i < len(w); i++ {
		plain = plain && w[i] < 0x80
	}
	if plain {
		return w
	}
	if rest, ok := strings.CutPrefix(w, "ال"); ok && utf8.RuneCountInString(rest) >= 3 {
		switch r, _ := utf8.DecodeRuneInString(rest); {
		case r == 'ي' || r == 'ا' && utf8.RuneCountInString(rest) < 4: // Elias, Alice, Alan
		default:
			w = rest
		}
	}
	if rest, ok := strings.CutPrefix(w, "عبدال"); ok && rest != "" {
		w = "عبد" + rest
	}
	var b strings.Builder
	for _, r := range w {
		to, ok := sounds[r]
		if !ok {
			if to, ok = family(r); !ok && unicode.IsLetter(r) {
				to = string(r)
			}
		}
		if strings.HasPrefix(to, "h") && b.Len() > 0 {
			b.WriteByte('.') // s and h are two letters here, and sh is one
		}
		b.WriteString(to)
	}
	return b.String()
}

// sounds are letters of alphabets in Latin ones.
var sounds = func() map[rune]string {
	m := map[rune]string{}
	for _, line := range []string{
		"ا a أ a إ i آ a ب b پ p ت t ث th ج j چ ch ح h خ kh د d ذ dh ر r ز z ژ zh س s ش sh ص s ض d ط t ظ z ع a غ gh ف f ڤ v ق q ك k گ g ل l م m ن n ه h و w ي y ں n ڈ d ٹ t ڑ r ڭ g ۈ u ۉ o",
		"а a б b в v г g д d е e ж zh з z и i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ sh ъ - ы y ь - э e ю yu я ya ј j љ l њ n ћ ch џ j",
		"α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s τ t υ y φ f χ kh ψ ps ω o",
		"א a ב b ג g ד d ה h ו w ז z ח h ט t י y כ k ך k ל l מ m ם m נ n ן n ס s ע a פ p ף f צ ts ץ ts ק q ר r ש sh ת t",
		"ა a ბ b გ g დ d ე e ვ v ზ z თ t ი i კ k ლ l მ m ნ n ო o პ p ჟ zh რ r ს s ტ t უ u ფ p ქ k ღ gh ყ q შ sh ჩ ch ც ts ძ dz წ ts ჭ ch ხ kh ჯ j ჰ h",
		"ա a բ b գ g դ d ե e զ z է e ը e թ t ժ zh ի i լ l խ kh ծ ts կ k հ h ձ dz ղ gh ճ ch մ m յ y ն n շ sh ո o չ ch պ p ջ j ռ r ս s վ v տ t ր r ց ts ւ w փ p ք k օ o ֆ f և ev",
	} {
		f := strings.Fields(line)
		for i := 0; i+1 < len(f); i += 2 {
			m[[]rune(f[i])[0]] = strings.Trim(f[i+1], "-")
		}
	}
	return m
}()

// Rows of the families of scripts that are laid out alike.
var (
	// ethiopic: eight syllables a row from U+1200.
	ethiopic = strings.Fields("h l h m s r s sh q qw q qw b v t ch h hw n ny - k kw kh khw w - z zh y d d j g gw g t ch p s s f p")
	// indian: consonants from 0x15 in each block of 128 from U+0900 (ISCII's order).
	indian = strings.Fields("k kh g gh n ch ch j jh n t th d dh n t th d dh n n p f b bh m y r r l l l w sh sh s h")
	// burmese: consonants from U+1000.
	burmese = strings.Fields("k kh g gh n s s z z n n t t d d n t t d d n p p b b m y y l w th h l")
)

// family spells letters of the Ethiopic, Indian and Burmese families; signs of
// vowels have no sound here.
func family(r rune) (string, bool) {
	switch {
	case r >= 0x1200 && r < 0x1358 && unicode.IsLetter(r):
		s := ethiopic[(r-0x1200)/8]
		if s == "-" {
			s = "a"
		}
		return s, true
	case r >= 0x900 && r < 0xd80:
		if i := int(r&0x7f) - 0x15; i >= 0 && i < len(indian) {
			return indian[i], true
		}
		if i := r & 0x7f; i >= 5 && i < 0x15 {
			return "a", true
		}
		return "", true
	case r >= 0x1000 && r < 0x10a0:
		if i := int(r - 0x1000); i < len(burmese) {
			return burmese[i], true
		}
		if r < 0x102b {
			return "a", true
		}
		return "", true
	}
	return "", false
}
