package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html/template"
	"slices"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/status"
)

// manyPayload is what two accounts mean when many cards are changed at once: how they were
// chosen, and the cards themselves, by the hash of their list. It is made anew when it is
// carried out: where another card is chosen then, or one is not as it was, nothing is done.
type manyPayload struct {
	To     string `json:"to"`
	Reason string `json:"reason"`
	Batch  string `json:"batch,omitempty"` // one of these four says which cards
	Job    string `json:"job,omitempty"`
	Place  string `json:"place,omitempty"`
	Card   string `json:"card,omitempty"`
	Keep   bool   `json:"keep,omitempty"` // but those in somebody's hands
	Count  int    `json:"count"`
	Total  int    `json:"total"` // that were looked at
	Handed int    `json:"handed_over"`
	List   string `json:"list"` // SHA-256 of it
}

// cards are those that it is about, with those that cannot be changed.
func (m *manyPayload) cards(ctx context.Context, org string, d CardsDesk) ([]issuer.Card, error) {
	var sel issuer.Selection
	var err error
	switch {
	case m.Batch != "":
		if sel, err = d.Batch(ctx, org, m.Batch); err != nil {
			return nil, err
		}
	case m.Job != "":
		sel.PrintJob = m.Job
	case m.Card != "":
		id, err := issuer.ParseCTI(m.Card)
		if err != nil {
			return nil, issuer.ErrNotFound
		}
		sel.IDs = []issuer.CTI{id}
	default:
		if sel.Programme, sel.Round, err = placeOf(m.Place); err != nil {
			return nil, err
		}
	}
	return d.Select(ctx, org, sel)
}

// list are the cards of a plan, each with how it is now: its identity, status and paper. It
// sets what the payload says of it.
func (m *manyPayload) list(cards []issuer.Card, p issuer.BulkPlan) []byte {
	can := map[issuer.CTI]bool{}
	for _, id := range p.Can {
		can[id] = true
	}
	var lines []string
	for i := range cards {
		if c := &cards[i]; can[c.ID] {
			lines = append(lines, c.ID.String()+" "+c.Status.String()+" "+string(c.Paper)+"\n")
		}
	}
	slices.Sort(lines)
	var b bytes.Buffer
	for _, line := range lines {
		b.WriteString(line)
	}
	sum := sha256.Sum256(b.Bytes())
	m.Count, m.Total, m.Handed, m.List = len(p.Can), p.Total, p.HandedOver, hex.EncodeToString(sum[:])
	return b.Bytes()
}

func (m *manyPayload) tell(p *Page, a cardAct) []template.HTML {
	tells := []template.HTML{p.T(a.can, "count", m.Count, "total", m.Total)}
	switch {
	case m.Batch != "":
		tells = append(tells, p.T("cards.many_batch", "batch", m.Batch))
	case m.Job != "":
		tells = append(tells, p.T("cards.many_job", "job", m.Job))
	case m.Place != "":
		tells = append(tells, p.T("cards.many_place", "place", m.Place))
	}
	if m.Handed > 0 {
		tells = append(tells, p.T("cards.many_handed", "count", m.Handed))
	}
	return append(tells, p.T("cards.because", "reason", m.Reason))
}

// askMany asks for the second account of a change of cards.
func (s *Cards) askMany(p *Page, m manyPayload, cards []issuer.Card, plan issuer.BulkPlan, back string) error {
	list := m.list(cards, plan)
	payload, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.ask(p, access.Request{Act: access.CardMany, Object: m.Card, Payload: payload, List: list, Reason: m.Reason}, back)
}

// ManyExecutor carries out what was approved for many cards: those of the list, each as it
// was when it was asked for, in one step, or none.
func ManyExecutor(org string, d CardsDesk, now func() time.Time) access.Executor {
	look := func(ctx context.Context, a access.Approval) (m manyPayload, plan issuer.BulkPlan, payload []byte, err error) {
		if err := json.Unmarshal(a.Payload, &m); err != nil {
			return m, plan, nil, err
		}
		i := slices.IndexFunc(cardActs, func(c cardAct) bool { return c.to.String() == m.To })
		if i < 0 {
			return m, plan, nil, access.ErrChanged
		}
		cards, err := m.cards(ctx, org, d)
		if err != nil {
			return m, plan, nil, err
		}
		plan = issuer.PlanBulk(cards, cardActs[i].to, m.Keep, credential.FromStd(now()))
		again := m
		again.list(cards, plan)
		payload, err = json.Marshal(again)
		return m, plan, payload, err
	}
	return access.Executor{
		Again: func(ctx context.Context, a access.Approval) ([]byte, error) {
			m, plan, payload, err := look(ctx, a)
			if err == nil && a.State == access.Approved && len(plan.Can) == 0 && plan.Total == m.Total && plan.Already >= m.Count {
				return a.Payload, nil // done before a stop
			}
			return payload, err
		},
		Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
			m, plan, payload, err := look(ctx, a)
			switch {
			case err != nil:
				return err
			case len(plan.Can) == 0 && plan.Already >= m.Count:
				return nil // before a stop
			case !bytes.Equal(payload, a.Payload):
				return access.ErrChanged
			}
			return d.Set(ctx, org, who, plan, m.Reason)
		},
	}
}

// replacePayload is what two accounts mean when a card is replaced that is not at the desk:
// the card as it was when it was asked for.
type replacePayload struct {
	Card    string `json:"card"`
	Reason  string `json:"reason"`
	Number  string `json:"number"`
	Unit    string `json:"unit"`
	Status  string `json:"status"`
	Paper   string `json:"paper"`
	Expires string `json:"expires"`
}

func replacing(c *issuer.Card, reason string) replacePayload {
	return replacePayload{c.ID.String(), reason, c.CardNumber, c.Unit.String(), c.Status.String(), string(c.Paper), c.ExpiresAt.String()}
}

// ReissueExecutor carries out an approved replacement.
func ReissueExecutor(org string, d CardsDesk) access.Executor {
	return access.Executor{
		Again: func(ctx context.Context, a access.Approval) ([]byte, error) {
			var r replacePayload
			if err := json.Unmarshal(a.Payload, &r); err != nil {
				return nil, err
			}
			id, err := issuer.ParseCTI(r.Card)
			if err != nil {
				return nil, err
			}
			cards, err := d.Select(ctx, org, issuer.Selection{IDs: []issuer.CTI{id}})
			if err != nil {
				return nil, err
			}
			if len(cards) != 1 {
				return nil, access.ErrChanged
			}
			if cards[0].Status == status.Invalid && a.State == access.Approved {
				if done, err := d.Replaced(ctx, org, r.Card, r.Reason); err != nil || done {
					return a.Payload, err // before a stop
				}
			}
			return json.Marshal(replacing(&cards[0], r.Reason))
		},
		Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
			var r replacePayload
			if err := json.Unmarshal(a.Payload, &r); err != nil {
				return err
			}
			_, err := d.Replace(ctx, org, who, r.Card, r.Reason)
			return err
		},
	}
}
