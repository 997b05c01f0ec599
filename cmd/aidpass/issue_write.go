package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"aidpass/credential/cwt"
	"aidpass/internal/durable"
	"aidpass/internal/qrcode"
)

// cardLine is one card of cards.jsonl.
type cardLine struct {
	Credential string    `json:"credential"`
	Type       string    `json:"type"`
	Issuer     string    `json:"issuer"`
	Text       string    `json:"text"`
	Row        int       `json:"row"`
	Unit       string    `json:"unit"`
	External   string    `json:"external,omitempty"`
	Number     string    `json:"number"`
	Programme  string    `json:"programme"`
	Round      *uint64   `json:"round"`
	ValidFrom  string    `json:"valid_from"`
	ValidUntil string    `json:"valid_until"`
	Status     statusRef `json:"status"`
	Already    bool      `json:"already"`

	Provisional bool `json:"provisional,omitempty"` // it ends before the others, until the record is mended
}

type statusRef struct {
	URI   string `json:"uri"`
	Index uint64 `json:"idx"`
}

// refusedRow is a row of the roster, or a unit on record, that got no card.
type refusedRow struct {
	Row  int    `json:"row"`
	Unit string `json:"unit,omitempty"`
	Code string `json:"code"`
	Why  string `json:"why"`

	reasons []string // of the gate: what Why is made of; nil for others
}

// shownReasons are told of each on the terminal.
const shownReasons = 2

// short is Why for the terminal.
func (x *refusedRow) short() string {
	n := len(x.reasons) - shownReasons
	if n <= 0 {
		return x.Why
	}
	return fmt.Sprintf("%s; and %d more: aidpass registry gate --fix-list FILE", strings.Join(x.reasons[:shownReasons], "; "), n)
}

// finish writes the files and tells the count.
func (r *issueRun) finish(ctx context.Context) error {
	slices.SortFunc(r.cards, func(x, y cardLine) int { return x.Row - y.Row })
	listed := len(r.cards)
	if r.f.onlyNew {
		r.cards = slices.DeleteFunc(r.cards, func(c cardLine) bool { return c.Already })
	}
	// Nobody's file of cards is made empty by a run that had nothing new.
	write := !r.f.onlyNew || len(r.cards) > 0
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for i := range r.cards {
		if err := e.Encode(&r.cards[i]); err != nil {
			return err
		}
	}
	if write {
		if err := errors.Join(makeParent(r.f.out), durable.WriteFile(r.f.out, b.Bytes(), 0o600)); err != nil {
			return err
		}
	}
	images, err := r.drawImages(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(r.list.refused, func(x, y refusedRow) int { return x.Row - y.Row })
	if r.f.rejects != "" {
		if err := r.list.writeRejects(r.f.rejects); err != nil {
			return err
		}
	}
	issued := listed - r.already
	result := map[string]any{"rows": r.list.rows, "issued": issued, "already": r.already, "refused": len(r.list.refused),
		"refusals": r.list.refused, "images": images, "out": r.f.out}
	r.tell(result)
	err = r.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %d issued, %d issued before, %d refused\n", r.counted(r.list.rows), issued, r.already, len(r.list.refused))
		r.writeRecord(w, r.provisional)
		if write {
			fmt.Fprintf(w, "cards: %s\n", r.f.out)
		} else {
			fmt.Fprintf(w, "no new cards: %s is not written\n", r.f.out)
		}
		if r.f.images != "" {
			fmt.Fprintf(w, "images: %d in %s\n", images, r.f.images)
		}
		for i, x := range r.list.refused {
			if i == 20 && len(r.list.refused) > 25 {
				fmt.Fprintf(w, "  and %d more; --rejects FILE writes all\n", len(r.list.refused)-i)
				break
			}
			fmt.Fprintf(w, "  %s: %s\n", r.nameOf(x), x.short())
		}
	})
	if err == nil && listed == 0 {
		return r.nobody()
	}
	return err
}

// modulePixels makes a card's picture about 500 pixels wide.
const modulePixels = 6

// writeImage writes a picture under the card's number. The number is the person's
// in the programme: where the picture of another round lies there, that stays and
// this one's name says which card it is.
func (r *issueRun) writeImage(c *cardLine, png []byte) error {
	path := filepath.Join(r.f.images, c.Number+".png")
	old, err := os.ReadFile(path)
	switch {
	case notThere(err):
	case err != nil:
		return err
	case !bytes.Equal(old, png):
		path = filepath.Join(r.f.images, c.Number+"-"+c.Credential+".png")
	}
	return os.WriteFile(path, png, 0o600)
}

// drawImages writes a picture of each card, two at a time. A text that no ID-1
// card can show well is told.
func (r *issueRun) drawImages(ctx context.Context) (int, error) {
	if r.f.images == "" {
		return 0, nil
	}
	if err := os.MkdirAll(r.f.images, 0o700); err != nil {
		return 0, err
	}
	for i := range r.cards {
		if err := qrcode.CheckID1(r.cards[i].Text); err != nil {
			r.say("warning: card %s: %v", cwt.GroupCardNumber(r.cards[i].Number), err)
			break // all cards of a roster are about as long
		}
	}
	bar := r.progress("drawing")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var fault error
	done := 0
	work := make(chan *cardLine)
	for range 2 {
		wg.Go(func() {
			for c := range work {
				png, err := qrcode.PNG(c.Text, qrcode.M, modulePixels)
				if err == nil {
					err = r.writeImage(c, png)
				}
				mu.Lock()
				fault = errors.Join(fault, err)
				done++
				bar.step(done, len(r.cards))
				mu.Unlock()
			}
		})
	}
	for i := range r.cards {
		if ctx.Err() != nil {
			break
		}
		work <- &r.cards[i]
	}
	close(work)
	wg.Wait()
	bar.end()
	return done, errors.Join(fault, ctx.Err())
}
