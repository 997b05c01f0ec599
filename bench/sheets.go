package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"time"

	skip2 "github.com/skip2/go-qrcode"

	"aidpass/credential/cwt"
	"aidpass/internal/qrcode"
	paper "aidpass/issuer/print"
	"aidpass/issuer/print/fonts"
	"aidpass/issuer/print/proof"
	vt "aidpass/verifier/verifiertest"
)

// bearers' names in ten scripts, and in Latin letters.
var bearers = [][2]string{
	{"فاطمة حسن علي", "Fatima Hassan"}, {"አበበ በቀለ", "Abeba Bekele"}, {"लक्ष्मी देवी", "Lakshmi Devi"}, {"রহিমা খাতুন", "Rahima Khatun"}, {"အောင်ကျော်", "Aung Kyaw"},
	{"Христина Коваль", "Khrystyna Koval"}, {"សុខ សុភាព", "Sokh Sopheap"}, {"สมชาย ใจดี", "Somchai Jaidee"}, {"Nguyễn Thị Mai", "Nguyen Thi Mai"}, {"عبد الرحمن عمر", "Abdirahman Omar"},
}

// sheets measures cards from their claims to paper: signed, drawn, read again.
func sheets(budget time.Duration) []row {
	s, people := newScene(), units(100)
	c := &s.cards[0] // ES256
	file := func(n int, oneField bool) []paper.Card {
		cards := make([]paper.Card, n)
		for i := range cards {
			u, names := &people[i%len(people)], bearers[i%len(bearers)]
			// Printing keeps what many cards share, such as the organisation, so the
			// second name gets a number to be shaped anew.
			second := names[1] + " " + strconv.Itoa(i)
			if oneField {
				names[0], second = names[0]+" "+second, ""
			}
			cards[i] = paper.Card{ID: "c", Unit: "u", Text: s.issue(c, u, uint64(i)), Number: must(cwt.CardNumber(u.pseudonym)),
				ValidFrom: vt.Made, ValidUntil: vt.Made + 180*86400, Name: names[0], Organisation: second, Complaint: "+254 800 720 720"}
		}
		return cards
	}
	ctx, opt := context.Background(), paper.Options{Paper: paper.A4, Lang: "en"}
	if _, err := paper.Cards(ctx, file(1, false), opt); errors.Is(err, fonts.ErrNone) {
		return []row{told("cards on paper: no typefaces, see make fonts", 0, "%.0f", "", "nothing")}
	}
	const run = 500 // cards in a file
	page := must(paper.Cards(ctx, file(10, false), opt))
	text, n := s.issue(c, &people[0], 1), 0
	procs := runtime.GOMAXPROCS(1) // the floor has one core; so has this
	floor, x := beside(budget, c.sign,
		func() { must(paper.Cards(ctx, file(run, false), opt)) },
		func() { must(qrcode.Fast(text)) },
		func() { must(paper.Cards(ctx, file(10, false), opt)) },
		func() { must(paper.Cards(ctx, file(run, true), opt)) },
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
		told("  with both names in one field, over two lines", x[3]/run, "%.2f", " x", against),
		told("  a file of one page of ten cards, each", x[2]/10, "%.2f", " x", "the same; typefaces' outlines are once a file"),
		told("  reading the page again, each card", x[4]/10, "%.0f", " x", fmt.Sprintf("the same; %.0f ms a page of ten at %d dpi on one core", x[4]*float64(floor)/1e6, proof.DPI)),
		told("plain chain of libraries, signed and coded as PNG", chain[0], "%.0f", " x", fmt.Sprintf("the same; %.0f x our whole card, which is drawn as well (go-cose %s, compress/zlib, skip2/go-qrcode %s)",
			chain[0]/card, version("github.com/veraison/go-cose"), version("github.com/skip2/go-qrcode"))),
	}
}
