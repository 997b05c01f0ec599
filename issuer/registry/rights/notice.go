package rights

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aidpass/access"
	"aidpass/issuer/registry"
)

// A Sort of wording: what tells is not called what asks.
type Sort string

// The sorts (DOMAIN 8.2, R7).
const (
	Tells Sort = "notice"  // information: the legal basis is another one, and no answer is asked
	Asks  Sort = "consent" // a question, which may be answered no
)

// A Notice is a wording that is read to people, in its languages. It does not change: a
// new wording is a new version, so that a record says what exactly was read.
type Notice struct {
	ID      string            `json:"id"` // "sharing-2": name and version
	Sort    Sort              `json:"sort"`
	Purpose Purpose           `json:"purpose"`
	Text    map[string]string `json:"text"` // by language
	From    string            `json:"from"` // first day it is used
	Made    time.Time         `json:"made"`
	By      string            `json:"by"`
}

const maxNotice = 8 << 10 // bytes of a text

var (
	noticeID = regexp.MustCompile(`^[a-z][a-z0-9-]{0,35}-[1-9][0-9]{0,3}$`)
	language = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$`)
)

// Check refuses a notice that is not whole.
func (n *Notice) Check() error {
	switch {
	case !noticeID.MatchString(n.ID):
		return deny(DeniedWording, "a wording is called NAME-VERSION, such as sharing-2")
	case n.Sort != Tells && n.Sort != Asks:
		return deny(DeniedSort, "sort: %s (it tells) or %s (it asks)", Tells, Asks)
	case n.Purpose != Registration && !n.Purpose.Shared():
		return deny(DeniedPurpose, "purpose: %s, or one of %s", Registration, list(shared))
	case n.Sort == Asks && n.Purpose == Registration:
		return deny(DeniedAsked, "registration is told and not asked: its basis is the mandate, and help does not depend on a yes")
	case len(n.Text) == 0 || len(n.Text) > 40:
		return deny(DeniedTexts, "text: in 1 to 40 languages")
	case !isDay(n.From):
		return deny(DeniedDay, "from: a day as 2026-11-01")
	}
	for _, lang := range slices.Sorted(maps.Keys(n.Text)) {
		t := n.Text[lang]
		if !language.MatchString(lang) || strings.TrimSpace(t) == "" || len(t) > maxNotice || !utf8.ValidString(t) {
			return deny(DeniedTongue, "text in %q: a language tag with 1 to %d bytes of text", lang, maxNotice)
		}
	}
	return nil
}

// SaveNotice keeps a new wording. The same again changes nothing; another text under the
// id of one that is there is refused.
func (d *Desk) SaveNotice(ctx context.Context, by access.Actor, n Notice) error {
	if err := n.Check(); err != nil {
		return err
	}
	return d.Store.WriteRights(ctx, by, func(tx Tx) error {
		was, err := readPaper[Notice](tx, kindNotice, n.ID)
		if err == nil {
			if was.Sort == n.Sort && was.Purpose == n.Purpose && was.From == n.From && maps.Equal(was.Text, n.Text) {
				return nil
			}
			return deny(DeniedKept, "wording %s is there and stays what it is: give the new one the next version", n.ID)
		}
		if !errors.Is(err, ErrNoPaper) {
			return err
		}
		n.Made, n.By = d.now(), by.ID
		if err := savePaper(tx, Paper{Kind: kindNotice, ID: n.ID, At: n.Made}, n); err != nil {
			return err
		}
		return tx.Note(access.Entry{Action: "notice.save", Object: n.ID, Detail: fmt.Sprintf("sort=%s purpose=%s languages=%d", n.Sort, n.Purpose, len(n.Text))})
	})
}

// Notices are all wordings, oldest first.
func (d *Desk) Notices(ctx context.Context) (all []Notice, err error) {
	err = d.Store.ReadRights(ctx, func(v View) error {
		all, err = readPapers[Notice](v, kindNotice, registry.ID{})
		return err
	})
	return all, err
}

// noticeFor is the wording an answer was given to: it must exist, be in use and be in the
// language. To a notice there is no yes for others: sharing is asked.
func noticeFor(v View, g Given, today string) (n Notice, err error) {
	n, err = readPaper[Notice](v, kindNotice, g.Wording)
	switch {
	case errors.Is(err, ErrNoPaper):
		return n, deny(DeniedNoWording, "there is no wording %q: keep the text that is read first", g.Wording)
	case err != nil:
		return n, err
	case n.Text[g.Lang] == "":
		return n, deny(DeniedNotIn, "wording %s is not there in %s", n.ID, g.Lang)
	case n.From > today:
		return n, deny(DeniedNotYet, "wording %s is used from %s", n.ID, n.From)
	}
	return n, nil
}
