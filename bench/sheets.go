package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	skip2 "github.com/skip2/go-qrcode"

	"aidpass/credential/cwt"
	"aidpass/internal/qrcode"
	paper "aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	vt "aidpass/verifier/verifiertest"
)

// bearers' names in two scripts each, as chosen for the card.
var bearers = []string{
	"Fatima Hassan Ali فاطمة حسن علي", "Abeba Bekele አበበ በቀለ", "Lakshmi Devi लक्ष्मी देवी", "Rahima Khatun রহিমা খাতুন", "Aung Kyaw အောင်ကျော်",
	"Khrystyna Koval Христина Коваль", "Sokh Sopheap សុខ សុភាព", "Somchai Jaidee สมชาย ใจดี", "Nguyễn Thị Mai Yusuf يوسف", "Abdirahman Omar عبد الرحمن عمر",
}

// sheets measures cards from their claims to paper: signed, drawn, read again.
func sheets(budget time.Duration) []row {
	s, people := newScene(), units(100)
	c := &s.cards[0] // ES256
	file := func(n int) []paper.Card {
		cards := make([]paper.Card, n)
		for i := range cards {
			u := &people[i%len(people)]
			cards[i] = paper.Card{ID: "c", Unit: "u", Text: s.issue(c, u, uint64(i)), Number: must(cwt.CardNumber(u.pseudonym)),
				ValidFrom: vt.Made, ValidUntil: vt.Made + 180*86400, Name: bearers[i%len(bearers)], Complaint: "+254 800 720 720"}
		}
		return cards
	}
	ctx, opt := context.Background(), paper.Options{Paper: paper.A4, Lang: "en"}
	if _, err := paper.Cards(ctx, file(1), opt); errors.Is(err, fonts.ErrNone) {
		return []row{told("cards on paper: no typefaces, see make fonts", 0, "%.0f", "", "nothing")}
	}
	const run = 500 // cards in a file
	page := must(paper.Cards(ctx, file(10), opt))
	text, n := s.issue(c, &people[0], 1), 0
	procs := runtime.GOMAXPROCS(1) // the floor has one core; so has this
	floor, x := beside(budget, c.sign,
		func() { must(paper.Cards(ctx, file(run), opt)) },
		func() { must(qrcode.Fast(text)) },
		func() { must(paper.Cards(ctx, file(10), opt)) },
		func() { must(proof.Check(ctx, page.PDF, page.Placed)) })
	runtime.GOMAXPROCS(procs)
	against := micro("one ES256 signature of the standard library", floor)
	card := x[0] / run

	naive := newChain(s)
	plain := must(naive.verify(c.text))
	_, chain := beside(budget/4, c.sign, func() {
		must(must(skip2.New(naive.issue(c.signer, &people[n%len(people)], plain, uint64(n)), skip2.Medium)).PNG(512))
		n++
	})
	return []row{
		atMost("card signed, coded and drawn, two names", card, 6, "%.2f", " x", fmt.Sprintf("%s; files of %d cards; %.0f cards a second and core", against, run, float64(time.Second)/(float64(floor)*card))),
		told("  of which the QR matrix, all masks scored", x[1], "%.2f", " x", against),
		told("  a file of one page of ten cards, each", x[2]/10, "%.2f", " x", "the same; typefaces' outlines are once a file"),
		told("  reading the page again, each card", x[3]/10, "%.0f", " x", fmt.Sprintf("the same; %.0f ms a page of ten at %d dpi on one core", x[3]*float64(floor)/1e6, proof.DPI)),
		told("plain chain of libraries, signed and coded as PNG", chain[0], "%.0f", " x", fmt.Sprintf("the same; %.0f x our whole card, which is drawn as well (go-cose %s, compress/zlib, skip2/go-qrcode %s)",
			chain[0]/card, version("github.com/veraison/go-cose"), version("github.com/skip2/go-qrcode"))),
	}
}
