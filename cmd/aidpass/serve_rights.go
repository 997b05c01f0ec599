package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/access/work"
	"aidpass/internal/cose"
	"aidpass/issuer"
	"aidpass/issuer/print"
	"aidpass/issuer/print/proof"
	"aidpass/issuer/registry"
	"aidpass/issuer/registry/export"
	"aidpass/issuer/registry/rights"
	"aidpass/web/console"
	"aidpass/words"
)

// rightsScreens joins the screens of consent, recalls, requests and retention to what the
// organisation keeps.
func (s *serving) rightsScreens() []console.Screen {
	desk := s.o.keeper()
	s.retention = &console.Retention{Desk: desk, Remover: s.remover(), Door: s.door, Now: s.a.Now}
	return []console.Screen{
		&console.Rights{Desk: desk, Now: s.a.Now, Held: s.held, HeldPDF: s.heldPDF},
		&console.Consent{Desk: desk, Now: s.a.Now},
		&console.Recalls{Desk: desk, Letters: consoleLetters{s}, Now: s.a.Now},
		s.retention,
	}
}

// countEvery is how often a server counts what is over, beside what it answers; countAgain
// how long after that failed. Days are what is counted.
const (
	countEvery = 24 * time.Hour
	countAgain = time.Hour
)

// count counts what is over, once a day of the server's clock, and as it begins. counting
// waits for it.
func (s *serving) count(ctx context.Context) {
	now := s.a.Now()
	if now.Unix() < s.countFrom.Load() {
		return
	}
	s.countFrom.Store(now.Add(countEvery).Unix())
	s.counting.Go(func() {
		if err := s.retention.Count(ctx); err != nil && ctx.Err() == nil {
			s.countFrom.Store(now.Add(countAgain).Unix())
			s.log.Error("what is over is not counted", "code", console.ErrorCode(err))
		}
	})
}

// held is the page that rights print prints. That it was made stands in the log first.
func (s *serving) held(ctx context.Context, by access.Actor, id registry.ID, lang string) (page print.Page, err error) {
	catalogue, ok := words.Language(lang)
	if !ok {
		return page, console.ErrNotFound
	}
	complain, err := s.a.setting(console.SettingComplaint)
	if err != nil {
		return page, err
	}
	if err := s.o.store.Note(ctx, by, access.Entry{Action: "rights.print", Object: id.String(), Detail: "lang=" + catalogue.Tag()}); err != nil {
		return page, err
	}
	return s.o.herPage(ctx, s.o.keeper(), catalogue, id, string(complain))
}

func (s *serving) heldPDF(ctx context.Context, by access.Actor, id registry.ID, lang string) ([]byte, error) {
	page, err := s.held(ctx, by, id, lang)
	if err != nil {
		return nil, err
	}
	return released(ctx, page, lang)
}

// released is a page as a file that was read again: else it is not handed out.
func released(ctx context.Context, page print.Page, lang string) ([]byte, error) {
	f, err := print.Pages(ctx, page, print.Options{Lang: lang})
	if err != nil {
		return nil, err
	}
	if _, err := proof.Check(ctx, f.PDF, f.Placed); err != nil {
		return nil, fmt.Errorf("print: the file is not released: %w", err)
	}
	return f.PDF, nil
}

// consoleLetters is console.LetterDesk with the organisation's keys.
type consoleLetters struct{ *serving }

// Letter implements console.LetterDesk.
func (d consoleLetters) Letter(ctx context.Context, by access.Actor, recall string) ([]byte, error) {
	desk := d.o.keeper()
	l, err := desk.Letter(ctx, recall, export.Name)
	if err != nil {
		return nil, err
	}
	raw, err := d.sign(l.Prepare)
	if err != nil {
		return nil, err
	}
	return raw, desk.Sent(ctx, by, recall, sha256.Sum256(raw))
}

// Answered implements console.LetterDesk.
func (d consoleLetters) Answered(ctx context.Context, by access.Actor, raw []byte) (r rights.Recall, err error) {
	keys, err := d.keys()
	if err != nil {
		return r, err
	}
	reply, err := rights.OpenReply(raw, keys)
	if err != nil {
		return r, err
	}
	return d.o.keeper().TakeReply(ctx, by, reply, sha256.Sum256(raw))
}

// Take implements console.LetterDesk.
func (d consoleLetters) Take(ctx context.Context, by access.Actor, raw []byte, list string, outcome rights.Outcome) (in rights.TakenIn, err error) {
	keys, err := d.keys()
	if err != nil {
		return in, err
	}
	l, err := rights.OpenLetter(raw, keys)
	if err != nil {
		return in, err
	}
	desk := d.o.keeper()
	in, reply, err := desk.TakeLetter(ctx, by, l, sha256.Sum256(raw), list, outcome)
	if err != nil {
		return in, err
	}
	answer, err := d.sign(reply.Prepare)
	if err != nil {
		return in, err
	}
	return in, desk.KeepReply(ctx, by, in, answer)
}

// keys are those that sign letters, on the list in use.
func (d consoleLetters) keys() (rights.KeyOf, error) {
	d.packs.mu.Lock() // the list is read anew by one at a time
	defer d.packs.mu.Unlock()
	keys, err := d.a.letterKeys("")
	return keys, consoleRefusal(err)
}

// sign signs a letter with the key that the list in use says.
func (d consoleLetters) sign(prepare func(*cose.Key) (*cose.Prepared, error)) ([]byte, error) {
	d.packs.mu.Lock()
	defer d.packs.mu.Unlock()
	return d.o.signLetter(prepare)
}

// remover destroys what two accounts agreed to, as long work.
func (s *serving) remover() *rights.Remover {
	desk := s.o.keeper()
	desk.Store = deskStore{s.o.store, s.log, s.waiting()}
	return &rights.Remover{Desk: desk, Cards: s.activeCards,
		Start: func(ctx context.Context, by access.Actor, key string, p rights.Plan) error {
			args, err := p.Payload()
			if err != nil {
				return err
			}
			_, err = s.work.Start(ctx, by, work.New{Kind: erasureWork, Key: key, Args: args, Total: len(p.Items)})
			return err
		}}
}

// cardsOf are the active cards and credentials of records.
func (s *serving) cardsOf(ctx context.Context, units []registry.ID) ([]issuer.Card, error) {
	if len(units) == 0 {
		return nil, nil
	}
	return s.o.store.Cards(ctx, issuer.Selection{Units: units, Active: true})
}

func (s *serving) activeCards(ctx context.Context, units []registry.ID) (numbers []string, err error) {
	cards, err := s.cardsOf(ctx, units)
	for _, c := range cards {
		numbers = append(numbers, c.ID.String())
	}
	return numbers, err
}

const erasureWork = "erasure"

// erase is the work of a removal that was approved.
func (s *serving) erase(ctx context.Context, t *work.Turn) (string, error) {
	p, err := rights.ParsePlan(t.Args())
	if err != nil {
		return "", err
	}
	from := 0
	if raw := t.Progress(); raw != nil {
		if err := json.Unmarshal(raw, &from); err != nil {
			return "", err
		}
	}
	err = s.remover().CarryOut(ctx, t.Actor(), p, from, func(done int) error {
		raw, err := json.Marshal(done)
		if err != nil {
			return err
		}
		return t.Save(ctx, raw, done, len(p.Items))
	})
	return "/removals/" + p.Removal, err
}
