package rights

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aidpass/issuer/registry"
	"aidpass/words"
)

// Codes of a record as somebody who is told of it reads them. A code without a word, as a
// list may bring one, stands as it is.

// Day is a day, in UTC, as a language writes it.
func Day(lang *words.Catalogue, t time.Time) string { return dayIn(texts(lang), t) }

func dayIn(c *words.Catalogue, t time.Time) string {
	t = t.UTC()
	return c.Fill("date.day", "day", strconv.Itoa(t.Day()), "month", monthIn(c, t), "year", strconv.Itoa(t.Year()))
}

func monthIn(c *words.Catalogue, t time.Time) string {
	return c.Text(fmt.Sprintf("date.month%d", t.Month()))
}

// dayText is a day of a record, as 2026-11-22, in words; what is none stays as it is.
func dayText(c *words.Catalogue, text string) string {
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return dayIn(c, t)
	}
	return text
}

// bornIn says a birth as precisely as it is known.
func bornIn(c *words.Catalogue, b *registry.Birth) string {
	text := strings.TrimRight(b.EDTF, "~?%")
	said := dayText(c, text)
	if t, err := time.Parse("2006-01", text); err == nil {
		said = c.Fill("born.month", "month", monthIn(c, t), "year", strconv.Itoa(t.Year()))
	}
	if decade, ok := strings.CutSuffix(text, "X"); ok {
		said = c.Fill("born.decade", "year", decade+"0")
	}
	if text != "" && (b.Estimated || strings.HasSuffix(b.EDTF, "~")) {
		said = c.Fill("born.about", "when", said)
	}
	if b.AgeDeclared > 0 {
		said = strings.TrimSpace(said + " " + c.Fill("age", "n", strconv.Itoa(b.AgeDeclared)))
	}
	return said
}

// codeIn is a code of a closed list in words.
func codeIn(c *words.Catalogue, family, code string) string {
	key := family + "." + strings.ToLower(code)
	if text := c.Text(key); text != key {
		return text
	}
	return code
}

// bandIn is an age group in words, its ages as people write them: 0–4, 60+.
func bandIn(c *words.Catalogue, band string) string {
	sex, ages, _ := strings.Cut(band, "_")
	if sex != "f" && sex != "m" || ages == "" || strings.Trim(ages, "0123456789_p") != "" {
		return band
	}
	if from, open := strings.CutSuffix(ages, "p"); open {
		ages = from + "+"
	}
	return c.Fill("band."+sex, "years", strings.ReplaceAll(ages, "_", "–"))
}

// partiesIn are those to whom an answer was, by their names: agreements have them by their
// ids, and lists by their kinds.
func (h *Held) partiesIn(c *words.Catalogue, ids []string) string {
	said := make([]string, len(ids))
	for i, id := range ids {
		said[i] = h.Parties[id]
		if said[i] != "" {
			continue
		}
		said[i] = id
		for kind, listed := range categories {
			if strings.EqualFold(id, listed[0]) {
				said[i] = c.Text("party." + string(kind))
			}
		}
	}
	return strings.Join(said, ", ")
}
