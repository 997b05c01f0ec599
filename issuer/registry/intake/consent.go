package intake

import (
	"slices"
	"strings"

	"aidpass/issuer/registry"
)

// noticeWords are headers of the answer to the registration notice that an import
// does not guess, as they may hold a date there: a no under them is one all the same.
const noticeWords = "notice|notice given|registration notice|privacy notice|avis|aviso|notification"

// ConsentColumns are those of a header that hold the answer about being registered,
// as an import would know them.
func ConsentColumns(header []string) (columns []string) {
	var known []string
	for _, w := range words {
		if w.field == Consent {
			known = strings.Split(w.words+"|"+noticeWords, "|")
		}
	}
	for i := range known {
		known[i] = squeeze(known[i])
	}
	for _, h := range header {
		if slices.Contains(known, squeeze(h)) || slices.Contains(known, labelled(h)) {
			columns = append(columns, h)
		}
	}
	return columns
}

// An Answer is what a cell of such a column says.
type Answer uint8

// The answers.
const (
	NoAnswer Answer = iota // nobody asked, or wrote it down; also what is neither yes nor no
	Yes
	No
)

// AnswerOf reads yes and no in the languages that an import reads.
func AnswerOf(value string) Answer {
	if registry.Placeholder(value) {
		return NoAnswer
	}
	switch answers[squeeze(value)] {
	case "yes":
		return Yes
	case "no":
		return No
	}
	return NoAnswer
}
