package registry

import (
	"strings"
	"unicode"
)

const fieldDocuments = "documents"

// leastDocument is how many letters and digits a number must have to tell people apart.
const leastDocument = 4

// ParseDocument reads a document from a list: its kind, the country that issued it
// (any way Country knows) and its number, which is kept as it is written but for
// blanks around it and kinds of digits.
//
// An empty or placeholder number gives the zero Document and no issue: she has none.
func ParseDocument(kind, land, number string) (d Document, issues []Issue) {
	number = strings.TrimSpace(westernDigits(cleanDate(number)))
	if number == "" || len(number) > 100 || Placeholder(number) {
		if len(number) > 100 {
			issues = append(issues, block(DocumentEmpty, fieldDocuments, "over 100 characters: is another column's text in the number's?"))
		}
		return Document{}, issues
	}
	d.Number = number
	if len(documentNumber(number)) < leastDocument {
		issues = append(issues, note(DocumentEmpty, fieldDocuments, "under four letters and digits: compare with the document"))
	}
	var ok bool
	if d.Type, ok = ParseDocumentType(kind); !ok {
		d.Type = "other"
		if strings.TrimSpace(kind) != "" {
			issues = append(issues, note(DocumentType, fieldDocuments, "a kind of document that is not in the list: kept as other"))
		}
	}
	if strings.TrimSpace(land) != "" {
		if d.Country, ok = Country(land); !ok {
			issues = append(issues, note(DocumentNoLand, fieldDocuments, "the country that issued it is none of ISO 3166-1: write its code of three letters"))
		}
	}
	return d, issues
}

// documentNumber is a number for comparing: letters and digits alone, in capitals.
// Zeros at the front go, because spreadsheets eat them.
func documentNumber(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, westernDigits(s))
	return strings.TrimLeft(s, "0")
}

// DocumentKey is what a document is found by: its kind, country and number. It is
// the zero Key when the number is too short to tell people apart.
func DocumentKey(d Document) Key {
	n := documentNumber(d.Number)
	if len(n) < leastDocument || Placeholder(n) {
		return Key{}
	}
	return Key{Kind: KeyDocument, Text: d.Type + "|" + d.Country + "|" + n}
}
