package roster

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// encodings a CSV may be said to have. Old spreadsheets write the one of their
// machine's language, and no file says which.
var encodings = map[string]encoding.Encoding{
	"windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "windows-1252": charmap.Windows1252,
	"windows-1254": charmap.Windows1254, "windows-1256": charmap.Windows1256, "iso-8859-1": charmap.ISO8859_1,
}

const encodingFix = "save it as CSV UTF-8, or name its encoding (windows-1256 for Arabic, windows-1252 for French or Spanish)"

// utf16Order tells UTF-16 by its byte order mark, or by every second byte being zero.
func utf16Order(head []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.BigEndian, true
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case half > 1 && zeros[1]*10 > half*4 && zeros[0] == 0:
		return unicode.LittleEndian, true
	case half > 1 && zeros[0]*10 > half*4 && zeros[1] == 0:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// encoding returns how the text is written: nil for UTF-8. It has read all of it.
func (f *File) encoding(named string, guess bool) (encoding.Encoding, error) {
	head := make([]byte, min(f.size, 64<<10))
	if _, err := f.file.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if order, wide := utf16Order(head); wide {
		return unicode.UTF16(order, unicode.UseBOM), nil
	}
	if named != "" && !strings.EqualFold(named, "utf-8") && !bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		known, ok := encodings[strings.ToLower(named)]
		if !ok {
			return nil, refuse(BadEncoding, encodingFix, "cannot be read as %q", named)
		}
		return known, nil
	}
	seen, err := survey(io.NewSectionReader(f.file, 0, f.size))
	if err != nil || seen.line == 0 {
		return nil, err
	}
	if found := seen.guess(); guess && named == "" && found != "" {
		f.warn("its encoding is guessed as %s: see that names read right, or name another encoding", found)
		return encodings[found], nil
	}
	return nil, refuse(BadEncoding, encodingFix, "is not UTF-8: see line %d", seen.line)
}

// bytesSeen is what tells the encoding of a text.
type bytesSeen struct {
	line  int      // the first, from 1, that is not UTF-8; 0 when all are
	wide  int      // characters of more than one byte that are UTF-8
	high  int      // other bytes above 0x7f
	pairs int      // of them, those behind another one
	count [256]int // of them, by byte
}

func survey(r io.Reader) (seen bytesSeen, err error) {
	in, line, before := bufio.NewReaderSize(r, 64<<10), 1, false
	for {
		c, size, err := in.ReadRune()
		bad := c == utf8.RuneError && size == 1
		switch {
		case err == io.EOF:
			return seen, nil
		case err != nil:
			return seen, err
		case bad:
			if err := in.UnreadRune(); err != nil {
				return seen, err
			}
			b, _ := in.ReadByte()
			if seen.line == 0 {
				seen.line = line
			}
			seen.high++
			seen.count[b]++
			if before {
				seen.pairs++
			}
		case size > 1:
			seen.wide++
		case c == '\n':
			line++
		}
		before = bad
	}
}

// guess names the encoding of a text that is not UTF-8; "" where it is too unsure.
// In scripts of their own letters stand side by side; in Latin script those beyond
// ASCII stand alone among others.
func (s *bytesSeen) guess() string {
	share := func(bytes ...byte) (n int) {
		for _, b := range bytes {
			n += s.count[b]
		}
		return 100 * n / s.high
	}
	letters := 0
	for b := 0xc0; b <= 0xff; b++ {
		letters += s.count[b]
	}
	switch undefined := s.count[0x81] + s.count[0x8d] + s.count[0x8f] + s.count[0x90] + s.count[0x9d]; {
	case s.wide >= s.high: // UTF-8 that was damaged
		return ""
	case s.pairs*10 > s.high*4 && share(0xc7) >= 5 && share(0xc7, 0xe1) >= 10: // alef and lam are a quarter of Arabic, and rare in Cyrillic
		return "windows-1256"
	case s.pairs*10 > s.high*4 && letters*10 > s.high*8 && // a, e, i and o are a third of Cyrillic; in KOI8-R they are elsewhere
		share(0xc0, 0xc5, 0xc8, 0xce, 0xe0, 0xe5, 0xe8, 0xee) >= 25:
		return "windows-1251"
	case s.pairs*10 > s.high*4 || undefined > 0:
		return ""
	case share(0x91, 0x92, 0x93, 0x94, 0x96, 0xa0, 0xaa, 0xab, 0xb0, 0xba, 0xbb)*s.high+100*letters < 80*s.high:
		return "" // DOS, Mac, or the Polish of windows-1250
	case share(0xd0, 0xdd, 0xde, 0xf0, 0xfd, 0xfe) >= 40: // the letters Turkish has of its own
		return "windows-1254"
	}
	return "windows-1252"
}
