package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"

	"aidpass/credential/qr"
	"aidpass/internal/base45"
	"aidpass/internal/qrcode"
	"aidpass/verifier"
)

// maxLine is the longest line read as one code. The largest QR code holds 4,296
// characters of a card; what is longer came from no scanner.
const maxLine = 64 << 10

// code is one text to be judged and where it came from.
type code struct {
	text    string
	source  string // file and line, or the picture; "" for an argument
	tooLong bool   // longer than maxLine: text is empty
}

// readCodes finds the codes an argument stands for and gives them to judge, one
// by one as they are read.
func (a *app) readCodes(ctx context.Context, arg string, judge func(code) error) error {
	if arg == "-" {
		return readLines(a.Stdin, "-", false, judge)
	}
	// A card's text may look like a path, so only a file that is there is one.
	fi, err := os.Stat(arg)
	switch {
	case err != nil && looksLikeFile(arg):
		return err
	case err != nil:
		return judge(code{text: arg, tooLong: len(arg) > maxLine})
	case fi.IsDir():
		return usagef("%s is a folder", arg).hint("name its files: %s%c*.png", filepath.Clean(arg), filepath.Separator)
	}
	f, err := os.Open(arg)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, maxLine)
	texts, pictured, err := codesIn(ctx, arg, r)
	if !pictured {
		return readLines(r, arg, strings.EqualFold(filepath.Ext(arg), ".jsonl"), judge)
	}
	if errors.Is(err, qrcode.ErrNone) {
		// Nothing was read: an answer like any other, and never an exit code of 0.
		return judge(code{source: arg})
	}
	if err != nil {
		if errors.Is(err, qrcode.ErrNoPDFTool) || ctx.Err() != nil {
			return err
		}
		return usagef("%s: %w", arg, err).hint("take the picture again, or save it as PNG")
	}
	for _, text := range texts {
		if err := judge(code{text: text, source: arg}); err != nil {
			return err
		}
	}
	return nil
}

// codesIn returns the texts of the QR codes in a picture or a PDF, of which r is the
// content and path the file; pictured is false for what is neither.
func codesIn(ctx context.Context, path string, r *bufio.Reader) (texts []string, pictured bool, err error) {
	head, _ := r.Peek(8)
	switch {
	case bytes.HasPrefix(head, []byte("\x89PNG")), bytes.HasPrefix(head, []byte{0xff, 0xd8, 0xff}):
		texts, err = qrcode.ReadImage(r)
	case bytes.HasPrefix(head, []byte("%PDF-")):
		texts, err = qrcode.ReadPDF(ctx, path)
	default:
		return nil, false, nil
	}
	return texts, true, err
}

// looksLikeFile: no QR text of a card ends in a lower-case extension.
func looksLikeFile(arg string) bool {
	return slices.Contains([]string{".png", ".jpg", ".jpeg", ".pdf", ".txt", ".jsonl", ".csv"}, filepath.Ext(arg))
}

// readLines gives one code a line and never holds more than a line. An input
// with no line at all is one empty text: nothing read must not look like all
// is well.
func readLines(in io.Reader, source string, jsonl bool, judge func(code) error) error {
	r, ok := in.(*bufio.Reader)
	if !ok || r.Size() < maxLine {
		r = bufio.NewReaderSize(in, maxLine)
	}
	for n := 0; ; n++ {
		line, err := r.ReadSlice('\n')
		c := code{source: source}
		if errors.Is(err, bufio.ErrBufferFull) {
			c.tooLong = true
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = r.ReadSlice('\n')
			}
		}
		if err != nil && err != io.EOF {
			return err
		}
		if err == io.EOF && len(line) == 0 && !c.tooLong && n > 0 {
			return nil
		}
		if !c.tooLong {
			c.text = strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
			if jsonl {
				c.text = textMember(c.text)
			}
		}
		if err := judge(c); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
	}
}

// textMember returns the text of a line of cards.jsonl, or the line itself.
func textMember(line string) string {
	var card struct {
		Text string `json:"text"`
	}
	if json.Unmarshal([]byte(line), &card) == nil && card.Text != "" {
		return card.Text
	}
	return line
}

// overlong stands for a line that was too long to be kept: the core answers it
// as any text that no QR code can hold.
var overlong = "NCF" + strings.Repeat("0", qr.MaxText)

// verify judges one code. Raw and Brotli cards of other systems are taken apart
// here; the core judges them like any other message.
func (d *desk) verify(c code) verifier.Result {
	if c.tooLong {
		c.text = overlong
	}
	switch qr.Recognise(c.text) {
	case qr.RawCard:
		if message, err := d.raw.Unpack(c.text); err == nil {
			return d.checker.VerifyMessage(message, d.in)
		}
	case qr.Unknown:
		if message := unpackBrotli(c.text); message != nil {
			return d.checker.VerifyMessage(message, d.in)
		}
	}
	return d.checker.Verify(c.text, d.in)
}

// unpackBrotli returns the COSE message of a Brotli card, nil if text is none.
func unpackBrotli(text string) []byte {
	if len(text) > qr.MaxText {
		return nil
	}
	packed, err := base45.AppendDecode(nil, text)
	if err != nil {
		return nil
	}
	// One byte over the cap tells too long from just fitting.
	b, err := io.ReadAll(io.LimitReader(brotli.NewReader(bytes.NewReader(packed)), qr.MaxInflated+1))
	if err != nil || len(b) > qr.MaxInflated || len(b) == 0 {
		return nil
	}
	// Tag 18, tag 61 or an array of four: almost any bytes unpack as something.
	if b[0] != 0xd2 && b[0] != 0xd8 && b[0] != 0x84 {
		return nil
	}
	return b
}

func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }
