package roster

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// tokens reads XML as a stream, and refuses what neither a spreadsheet nor an
// exchange file has: entities, and a tag or text of many megabytes.
type tokens struct {
	*xml.Decoder
	part   string // of a workbook; "" for a file of XML
	in     *allowance
	closer io.Closer
	depth  int
}

func newTokens(r io.ReadCloser, part string) *tokens {
	in := &allowance{in: r}
	d := xml.NewDecoder(in)
	d.CharsetReader = func(label string, _ io.Reader) (io.Reader, error) {
		return nil, refuse(BadEncoding, "save it anew", "has a part in the encoding %q, not UTF-8", label)
	}
	return &tokens{Decoder: d, part: part, in: in, closer: r}
}

// allowance is a reader that ends with an error where one token asks for more than
// its share: the decoder holds a token in memory, however long it is.
type allowance struct {
	in   io.Reader
	left int
}

var errPiece = errors.New("a tag or text is too long")

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errPiece
	}
	n, err := a.in.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// next returns the next start tag, end tag or text; io.EOF behind the last end tag.
// It does not resolve name spaces: a part's elements all are of one.
func (t *tokens) next() (xml.Token, error) {
	for {
		t.in.left = maxPieceBytes
		token, err := t.RawToken()
		if err == io.EOF {
			if t.depth != 0 {
				err = io.ErrUnexpectedEOF
			} else {
				return nil, io.EOF
			}
		}
		if err != nil {
			return nil, t.damaged("%v", err)
		}
		switch token.(type) {
		case xml.Directive: // <!DOCTYPE ...>: entities that grow or fetch
			return nil, refuse(Unsafe, "do not open it", "declares XML entities%s", t.where())
		case xml.StartElement:
			t.depth++
			return token, nil
		case xml.EndElement:
			if t.depth--; t.depth < 0 {
				return nil, t.damaged("an end tag too many")
			}
			return token, nil
		case xml.CharData:
			return token, nil
		}
	}
}

// where names the part in a sentence.
func (t *tokens) where() string {
	if t.part == "" {
		return ""
	}
	return fmt.Sprintf(" in %q", t.part)
}

// damaged refuses the file because of what its XML is.
func (t *tokens) damaged(what string, args ...any) error {
	fix, part := "export it again", ""
	if t.part != "" {
		fix, part = "open it with a spreadsheet program and save it anew", fmt.Sprintf("%q: ", t.part)
	}
	return refuse(Damaged, fix, "is damaged: %s", part+fmt.Sprintf(what, args...))
}

func (t *tokens) close() { t.closer.Close() } // read only: its errors came with the reads
