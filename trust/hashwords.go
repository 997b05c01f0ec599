package trust

import (
	_ "embed"
	"strings"
	"sync"
)

// The words are 1,024, of three to seven letters, each at least two slips of
// the pen from every other.
//
//go:embed words.txt
var wordFile string

var (
	splitWords sync.Once
	words1024  []string
)

func wordList() []string {
	splitWords.Do(func() { words1024 = strings.Fields(wordFile) })
	return words1024
}

// hashWordBits is how much of a hash the six words show.
const hashWordBits = 60

// HashWords shows the first 60 bits of a hash as six words of ten bits each,
// for people to compare aloud or on paper. They are for the eye only: programs
// compare the whole hash. A digest under 8 bytes gives "".
func HashWords(digest []byte) string {
	list := wordList()
	if len(digest) < 8 || len(list) != 1024 {
		return ""
	}
	var v uint64
	for _, b := range digest[:8] {
		v = v<<8 | uint64(b)
	}
	var b strings.Builder
	for shift := 54; shift >= 64-hashWordBits; shift -= 10 {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(list[v>>shift&1023])
	}
	return b.String()
}
