package wallet

import "strings"

// Text is words in one language.
type Text struct {
	Lang string // a language tag; "" where nobody says
	Text string
}

// Label is how people call a claim.
type Label struct {
	Path  []string
	Names []Text
}

// In returns the text in a language, else in English, else the first; "" for none.
func In(texts []Text, lang string) string { return Said(texts, lang).Text }

// Said is In with the language that the text is in.
func Said(texts []Text, lang string) Text {
	for _, want := range []string{lang, "en", ""} {
		for _, t := range texts {
			base, _, _ := strings.Cut(t.Lang, "-")
			if t.Lang == want || base == want {
				return t
			}
		}
	}
	if len(texts) > 0 {
		return texts[0]
	}
	return Text{}
}

// Picture is what a card is drawn with, for those who do not read.
type Picture string

// The pictures there are.
const (
	Cash    Picture = "cash"
	Health  Picture = "health"
	Food    Picture = "food"
	Water   Picture = "water"
	Shelter Picture = "shelter"
	School  Picture = "school"
	Person  Picture = "person" // who somebody is
	Plain   Picture = "plain"  // none of these
)

// pictureWords are what to look for in what a credential says of itself: first come,
// first served, from the special to the general.
var pictureWords = []struct {
	Picture
	words []string
}{
	{Water, []string{"water", "wash", "hygiene", "jerrycan"}},
	{Health, []string{"health", "vaccin", "clinic", "nutrition", "medic"}},
	{School, []string{"school", "education", "learn"}},
	{Shelter, []string{"shelter", "housing", "tent", "blanket", "nfi"}},
	{Food, []string{"food", "meal", "ration", "voucher"}},
	{Cash, []string{"cash", "money", "payment", "wage", "amount", "currency"}},
	{Person, []string{"registration", "identity", "person", "delegation", "guardian"}},
}

// PictureOf guesses the picture from texts about a credential: its type, the names of
// its claims, what it gives. It is an ornament and says nothing.
func PictureOf(texts ...string) Picture {
	all := strings.ToLower(strings.Join(texts, " "))
	for _, p := range pictureWords {
		for _, w := range p.words {
			if strings.Contains(all, w) {
				return p.Picture
			}
		}
	}
	return Plain
}
