// Package proof reads a printed file as its reader will: it draws every page
// from the finished bytes, decodes every QR code from the drawing, and looks for
// words that must not be on paper.
//
// The parser and the drawing are its own and know exactly what package pdf
// writes, a small part of PDF 1.7 (ISO 32000-1): a classic xref table, content
// streams plain or deflated, filled and stroked paths, form XObjects, JPEG
// pictures, and ActualText. Whatever else a file holds is an error: what cannot
// be drawn here might be drawn elsewhere. So a fault of the writer shows before
// the paper does, and nothing of the writer's code is used to find it.
package proof

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"slices"
	"sync"
	"unicode/utf8"

	"aidpass/internal/qrcode"
)

// DPI is how finely pages are drawn to be read, in dots an inch: what a cheap
// scanner and a cheap printer still give.
const DPI = 150

// Placed says where one QR code stands on paper.
type Placed struct {
	Page int // from 0
	// X and Y are the top left corner from the page's top left, Size the side,
	// in millimetres, quiet zone included.
	X, Y, Size float64
	Text       string // what must be read
	CardID     string // for errors: the credential's id, never a name
	Card       Area   // the card's face around it; zero where that is not known
}

// Area is a rectangle on a page, in millimetres from the page's top left.
type Area struct{ X, Y, Width, Height float64 }

func (a Area) holds(x, y float64) bool {
	return x >= a.X && x <= a.X+a.Width && y >= a.Y && y <= a.Y+a.Height
}

// Seen is what a file shows.
type Seen struct {
	Pages int
	Texts []Text
	Codes []Code // in the order they were asked for
}

// Text is one run of text as a viewer copies it.
type Text struct {
	Page   int    // from 0; -1 for the document's title and other particulars
	CardID string // of the card it stands on; empty where that is not known
	// X and Y are where its first mark was drawn, in millimetres from the page's top left.
	X, Y float64
	Text string
}

// Code is one QR code that was read.
type Code struct {
	Page         int
	CardID, Text string
}

// A Failure says which card must not be handed out.
type Failure struct {
	Page   int    // from 0
	CardID string // empty: the page as a whole
	Why    string
}

func (e *Failure) Error() string {
	card := ""
	if e.CardID != "" {
		card = fmt.Sprintf(" card %q:", e.CardID)
	}
	return fmt.Sprintf("proof: page %d:%s %s", e.Page+1, card, e.Why)
}

// Check draws file and reads the codes in want from the drawing. Every one must
// give exactly its text, and no page may show a further code. Pages are worked
// on side by side.
//
// Seen holds the texts for Lint. Errors: a *Failure for the first page that is
// not as wanted, a *SyntaxError for a file outside what is understood, or that
// of ctx.
func Check(ctx context.Context, file []byte, want []Placed) (Seen, error) {
	f, err := open(file)
	if err != nil {
		return Seen{}, err
	}
	onPage := make([][]int, len(f.pages)) // indexes in want
	for i := range want {
		w := &want[i]
		if w.Page < 0 || w.Page >= len(f.pages) {
			return Seen{}, &Failure{w.Page, w.CardID, fmt.Sprintf("the file has %d pages", len(f.pages))}
		}
		onPage[w.Page] = append(onPage[w.Page], i)
	}
	seen := Seen{Pages: len(f.pages), Texts: f.particulars(), Codes: make([]Code, len(want))}
	texts, failed := make([][]Text, len(f.pages)), make([]error, len(f.pages))
	var next sync.Mutex
	page, stop := 0, false
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(f.pages)) {
		workers.Go(func() {
			var c canvas // one picture a worker
			for {
				next.Lock()
				n := page
				page++
				over := stop
				next.Unlock()
				if over || n >= len(f.pages) {
					return
				}
				texts[n], failed[n] = f.checkPage(ctx, &c, n, want, onPage[n], seen.Codes)
				if failed[n] != nil {
					next.Lock()
					stop = true // pages before n are under way: the first failure stays the first
					next.Unlock()
				}
			}
		})
	}
	workers.Wait()
	for n := range f.pages {
		if failed[n] != nil {
			return Seen{}, failed[n]
		}
		seen.Texts = append(seen.Texts, texts[n]...)
	}
	return seen, nil
}

// Draw returns one page of file, from 0, in grey, at dpi dots an inch.
// Errors: a *SyntaxError.
func Draw(file []byte, page int, dpi float64) (*image.Gray, error) {
	f, err := open(file)
	if err != nil {
		return nil, err
	}
	if page < 0 || page >= len(f.pages) {
		return nil, &SyntaxError{fmt.Sprintf("page %d of %d", page+1, len(f.pages)), 0}
	}
	var c canvas
	if _, err := f.draw(context.Background(), &c, page, dpi); err != nil {
		return nil, err
	}
	return c.picture(), nil
}

// checkPage draws page n, reads its codes into codes, and returns its texts.
func (f *file) checkPage(ctx context.Context, c *canvas, n int, want []Placed, here []int, codes []Code) ([]Text, error) {
	texts, err := f.draw(ctx, c, n, DPI)
	if err != nil {
		return nil, err
	}
	picture := c.picture()
	for _, i := range here {
		w := &want[i]
		crop, err := place(picture.Rect, w)
		if err != nil {
			return nil, err
		}
		got, err := qrcode.ReadGray(cutOut(picture, crop))
		switch {
		case errors.Is(err, qrcode.ErrNone):
			return nil, &Failure{n, w.CardID, fmt.Sprintf("the QR code cannot be read at %d dpi; print it larger, or give it fewer characters (%d)", DPI, len(w.Text))}
		case err != nil:
			return nil, fmt.Errorf("proof: page %d: %w", n+1, err)
		case len(got) > 1:
			return nil, &Failure{n, w.CardID, fmt.Sprintf("%d QR codes where one belongs", len(got))}
		case got[0] != w.Text:
			return nil, &Failure{n, w.CardID, "the QR code says something other than the card"}
		}
		codes[i] = Code{n, w.CardID, got[0]}
	}
	for _, i := range here { // what is left is paper without codes
		crop, _ := place(picture.Rect, &want[i])
		for y := crop.Min.Y; y < crop.Max.Y; y++ {
			row := picture.Pix[y*picture.Stride:][crop.Min.X:crop.Max.X]
			for x := range row {
				row[x] = 255
			}
		}
	}
	if more := qrcode.CountDrawn(picture); more > 0 {
		return nil, &Failure{n, "", fmt.Sprintf("%d QR codes more than were asked for", more)}
	}
	for t := range texts {
		for _, i := range here {
			if want[i].Card.holds(texts[t].X, texts[t].Y) {
				texts[t].CardID = want[i].CardID
			}
		}
	}
	return texts, nil
}

// cutOut returns a part of picture as a picture of its own.
func cutOut(picture *image.Gray, part image.Rectangle) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, part.Dx(), part.Dy()))
	for y := range part.Dy() {
		copy(out.Pix[y*out.Stride:][:part.Dx()], picture.Pix[(part.Min.Y+y)*picture.Stride+part.Min.X:])
	}
	return out
}

// place returns the pixels of a code, whole ones.
func place(page image.Rectangle, w *Placed) (image.Rectangle, error) {
	const pixels = DPI / 25.4
	if !(w.X >= 0 && w.Y >= 0 && w.Size > 0 && w.X+w.Size <= 1e4 && w.Y+w.Size <= 1e4) {
		return image.Rectangle{}, &Failure{w.Page, w.CardID, "the place of the QR code is not on paper"}
	}
	crop := image.Rect(int(w.X*pixels), int(w.Y*pixels), int(math.Ceil((w.X+w.Size)*pixels)), int(math.Ceil((w.Y+w.Size)*pixels)))
	if !crop.In(page.Inset(-1)) {
		return image.Rectangle{}, &Failure{w.Page, w.CardID, fmt.Sprintf("the QR code at %.1f, %.1f mm, %.1f mm wide, reaches over the edge", w.X, w.Y, w.Size)}
	}
	return crop.Intersect(page), nil
}

// particulars returns the texts of the document's Info dictionary.
func (f *file) particulars() []Text {
	var texts []Text
	for _, key := range slices.Sorted(f.info.keys()) {
		if s, ok := f.info[key].(text); ok {
			if t := textString(s); t != "" && utf8.ValidString(t) {
				texts = append(texts, Text{Page: -1, Text: t})
			}
		}
	}
	return texts
}
