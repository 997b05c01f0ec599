package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"time"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/offer"
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// An OfferOrder is what is to be offered to whom.
type OfferOrder struct {
	Unit      string // id of the record, or its number in the organisation's own list
	List      string // name of another list, where the number is one of that
	Type      string
	Programme string
	Round     uint64
	NoCode    bool          // without a transaction code: the wallet is in the room
	Life      time.Duration // 0: the usual one
}

// An OfferMade is an offer with its secrets, which are kept nowhere.
type OfferMade struct {
	offer.Offer
	Link string
	Tx   string // transaction code; empty: there is none
}

// An OffersDesk offers credentials to wallets. What is not there, or another
// organisation's, is offer.ErrNotFound.
type OffersDesk interface {
	Programmes(ctx context.Context, org string) ([]registry.Programme, error)
	Types() []string
	Reached(org string) error // ErrNoOffers: wallets do not reach this server
	Offers(ctx context.Context, org string) ([]offer.Offer, error)
	Offer(ctx context.Context, org, id string) (offer.Offer, error)
	// Looked tells the log, and with it those whom they are for, that offers were read.
	Looked(ctx context.Context, org string, by access.Actor, offers []offer.Offer) error
	// Make is issuer.ErrSecondPerson where the account made as many today as one makes alone,
	// with whom and what in the Offer.
	Make(ctx context.Context, org string, by access.Actor, o OfferOrder) (OfferMade, error)
	// Whom tells who a record is; the log tells who read it.
	Whom(ctx context.Context, org string, by access.Actor, unit string) (records.Line, error)
	Withdraw(ctx context.Context, org string, by access.Actor, id, reason string) error
}

// Offers are the pages of offers to wallets.
type Offers struct {
	Desk OffersDesk
	Door *access.Door
	Now  func() time.Time
}

// An OfferMore is what a second account agrees to: one offer more, for whom, of what, whether
// a code is told with it, and how long it is good.
type OfferMore struct {
	Unit      string `json:"unit"`
	Type      string `json:"type"`
	Programme string `json:"programme"`
	Round     uint64 `json:"round"`
	NoCode    bool   `json:"no_code"` // whoever finds the link has the card
	Life      int64  `json:"life"`    // seconds
}

// More is an order for a record as a second account agrees to it.
func (o *OfferOrder) More(unit registry.ID) OfferMore {
	return OfferMore{unit.String(), o.Type, o.Programme, o.Round, o.NoCode, int64(cmp.Or(o.Life, offer.DefaultLife) / time.Second)}
}

// Payload is what both accounts mean.
func (o OfferMore) Payload() ([]byte, error) { return json.Marshal(o) }

// more asks for the second account of an offer.
func (s *Offers) more(p *Page, o *OfferOrder, unit registry.ID) error {
	payload, err := o.More(unit).Payload()
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Door.Ask(ctx, p.In, access.Request{Act: access.OfferMore, Payload: payload})
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/offers", Note{Word: "offers.asked"})
}

// Tell implements Teller: for whom it is.
func (s *Offers) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	if a.Act != access.OfferMore {
		return nil, nil
	}
	var o OfferMore
	if err := json.Unmarshal(a.Payload, &o); err != nil {
		return nil, err
	}
	tells := []template.HTML{p.T("offers.tell_many")}
	if !p.May(string(access.OfferRead)) && !p.May(string(access.CardConfirm)) { // who reads the log reads no offer
		return tells, nil
	}
	tells = append(tells, p.T("offers.tell", "type", o.Type, "programme", o.Programme, "round", o.Round))
	if o.NoCode {
		tells = append(tells, p.T("offers.no_code"))
	} else {
		long := template.HTML("<bdi>" + template.HTMLEscapeString((time.Duration(o.Life) * time.Second).String()) + "</bdi>")
		for name, life := range lives {
			if o.Life == int64(life/time.Second) {
				long = p.T("offers.life_" + name)
			}
		}
		tells = append(tells, p.T("offers.life")+": "+long)
	}
	who, err := s.Desk.Whom(p.Context(), p.Org(), p.Actor(), o.Unit)
	if err != nil {
		return nil, deskFault(err)
	}
	switch name := p.holder(&who); {
	case name == "":
		tells = append(tells, p.T("offers.tell_unit", "unit", o.Unit))
	case who.Kind == registry.KindHousehold:
		tells = append(tells, p.T("offers.tell_house", "name", name))
	default:
		tells = append(tells, p.T("offers.tell_for", "name", name))
	}
	return tells, nil
}

// Routes implements Screen.
func (s *Offers) Routes() []Route {
	return []Route{
		{Method: http.MethodGet, Path: "/offers", Act: access.OfferRead, Menu: "offers.menu", Paged: true, Answer: Members(offersData{}, "rows", "paging"), Handler: s.list},
		{Method: http.MethodGet, Path: "/offers/new", Act: access.OfferMake, Handler: s.blank},
		{Method: http.MethodPost, Path: "/offers/new", Act: access.OfferMake,
			Form: []Field{Text("unit", 80), Text("list", 80), Text("type", 40), Text("place", 40), Text("no_code", 3), Text("life", 8)}, Handler: s.make},
		{Method: http.MethodGet, Path: "/offers/of/:offer", Act: access.OfferRead, Answer: Members(offersData{}, "offer"), Handler: s.show},
		{Method: http.MethodPost, Path: "/offers/of/:offer/withdraw", Act: access.OfferWithdraw, Form: []Field{Text("reason", 80)}, Handler: s.withdraw},
	}
}

// Needs implements Screen.
func (s *Offers) Needs(context.Context, *access.Session) ([]Need, error) { return nil, nil }

type offersData struct {
	Rows   []offerRow `json:"rows,omitempty"`
	Paging *Paging    `json:"paging,omitempty"`
	Offer  offerRow   `json:"offer"`
	Link   string     `json:"link,omitempty"`
	Tx     string     `json:"tx_code,omitempty"`

	Picture template.URL  `json:"-"`
	Places  []placeChoice `json:"-"`
	Types   []string      `json:"-"`
	Lives   []string      `json:"-"`
	Alone   bool          `json:"-"` // wallets do not reach this server
}

type offerRow struct {
	ID        string    `json:"id"`
	Unit      string    `json:"unit"`
	Type      string    `json:"type"`
	Programme string    `json:"programme"`
	Round     uint64    `json:"round"`
	State     string    `json:"state"`
	Tries     int       `json:"tries"`
	By        string    `json:"by"`
	Created   time.Time `json:"created"`
	Until     time.Time `json:"until"`
	Issued    int       `json:"issued"`

	Says string `json:"-"` // key of the state
	Open bool   `json:"-"` // it can be withdrawn
}

// lives are how long an offer can be good, as a form has it.
var lives = map[string]time.Duration{"15m": offer.DefaultLife, "24h": 24 * time.Hour, "168h": offer.MaxLife}

func (s *Offers) row(o *offer.Offer) offerRow {
	r := offerRow{ID: o.ID, Unit: o.Unit.String(), Type: o.Type, Programme: o.Programme, Round: o.Round, State: string(o.State), Tries: o.Tries, By: o.By,
		Created: o.CreatedAt, Until: o.ExpiresAt}
	for _, i := range o.Issued {
		if !i.Done.IsZero() {
			r.Issued += len(i.Keys)
		}
	}
	switch {
	case o.State == offer.Open && !s.Now().Before(o.ExpiresAt):
		r.Says, r.State = "offers.is_over", "expired"
	case o.State == offer.Open:
		r.Says, r.Open = "offers.is_open", true
	case o.State == offer.Redeemed:
		r.Says, r.Open = "offers.is_redeemed", true
	case o.State == offer.Burnt:
		r.Says = "offers.is_burnt"
	default:
		r.Says = "offers.is_withdrawn"
	}
	return r
}

func (s *Offers) list(p *Page) error {
	all, err := s.Desk.Offers(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	d := offersData{Paging: p.Paging(len(all))}
	if err := s.Desk.Reached(p.Org()); errors.Is(err, ErrNoOffers) {
		d.Alone = true
	} else if err != nil {
		return deskFault(err)
	}
	all = all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)]
	for _, o := range all {
		d.Rows = append(d.Rows, s.row(&o))
	}
	if len(all) > 0 {
		if err := s.Desk.Looked(p.Context(), p.Org(), p.Actor(), all); err != nil {
			return deskFault(err)
		}
	}
	return p.Show("offers", "offers.title", d)
}

func (s *Offers) blank(p *Page) error {
	if err := s.Desk.Reached(p.Org()); err != nil { // before anybody fills a form in vain
		return deskFault(err)
	}
	d := offersData{Types: s.Desk.Types()}
	all, err := s.Desk.Programmes(p.Context(), p.Org())
	if err != nil {
		return deskFault(err)
	}
	for _, one := range all {
		d.Places = append(d.Places, placesOf(one)...)
	}
	return p.Show("offers_new", "offers.new", d)
}

// make shows link and code, once: they are kept nowhere.
func (s *Offers) make(p *Page) error {
	o := OfferOrder{Unit: p.Form.Get("unit"), List: p.Form.Get("list"), Type: p.Form.Get("type"), NoCode: p.Form.Get("no_code") != "", Life: lives[p.Form.Get("life")]}
	if o.Unit == "" {
		return BadForm("offers.whom")
	}
	if o.NoCode {
		o.Life = 0
	}
	var err error
	if o.Programme, o.Round, err = placeOf(p.Form.Get("place")); err != nil {
		return err
	}
	var made OfferMade
	err = p.Do(func(ctx context.Context) (err error) {
		made, err = s.Desk.Make(ctx, p.Org(), p.Actor(), o)
		return err
	})
	if errors.Is(err, issuer.ErrSecondPerson) {
		return s.more(p, &o, made.Offer.Unit)
	}
	if err != nil {
		return deskFault(err)
	}
	image, err := picture(made.Link)
	if err != nil {
		return err
	}
	return p.Show("offers_made", "offers.made", offersData{Offer: s.row(&made.Offer), Link: made.Link, Tx: made.Tx, Picture: image})
}

func (s *Offers) find(p *Page) (offer.Offer, error) {
	o, err := s.Desk.Offer(p.Context(), p.Org(), p.Param("offer"))
	return o, deskFault(err)
}

func (s *Offers) show(p *Page) error {
	o, err := s.find(p)
	if err != nil {
		return err
	}
	if err := s.Desk.Looked(p.Context(), p.Org(), p.Actor(), []offer.Offer{o}); err != nil {
		return deskFault(err)
	}
	return p.Show("offers_show", "offers.one", offersData{Offer: s.row(&o)}, "offer", o.ID)
}

func (s *Offers) withdraw(p *Page) error {
	o, err := s.find(p)
	if err != nil {
		return err
	}
	if p.Form.Get("reason") == "" {
		return BadForm("cards.why")
	}
	err = p.Do(func(ctx context.Context) error {
		return s.Desk.Withdraw(ctx, p.Org(), p.Actor(), o.ID, p.Form.Get("reason"))
	})
	if err != nil {
		return deskFault(err)
	}
	return p.Done("/offers/of/"+o.ID, Note{Word: "offers.was_withdrawn"})
}
