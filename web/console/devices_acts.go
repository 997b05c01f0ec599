package console

import (
	"bytes"
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/internal/qrcode"
	"aidpass/verifier/enrol"
)

// code makes the code by which one phone enrols itself at the server, and shows it once.
func (s *Devices) code(p *Page) error {
	if p.Form.Get("site") == "" {
		return BadForm("devices.no_site")
	}
	var c EnrolCode
	err := p.Do(func(ctx context.Context) (err error) {
		c, err = s.Desk.Code(ctx, p.Org(), p.Actor(), p.Form.Get("site"))
		return err
	})
	if err != nil {
		return err
	}
	d := devicesData{Code: &c, Half: [2]string{c.Code[:len(c.Code)/2], c.Code[len(c.Code)/2:]}}
	if c.Link != "" {
		if d.Picture, err = picture(c.Link); err != nil {
			return err
		}
	}
	return p.Show("device_code", "devices.code", d, "site", c.Site)
}

// request reads what a phone says of itself: its file, or a picture of its screen.
func request(content []byte) (enrol.Request, error) {
	r, err := enrol.ParseRequest(content)
	if err == nil {
		return r, nil
	}
	texts, _ := qrcode.ReadImage(bytes.NewReader(content))
	for _, text := range texts {
		if enrol.IsRequestText(text) {
			return enrol.ParseRequest([]byte(text))
		}
	}
	return r, err
}

// key shows the words of a key that a phone made with no server near.
func (s *Devices) key(p *Page) error {
	if p.Form.Get("site") == "" {
		return BadForm("devices.no_site")
	}
	content, err := readOne(p, "key", maxKeyFile)
	if err != nil {
		return err
	}
	if content == nil {
		return BadForm("devices.no_key")
	}
	r, err := request(content)
	if err != nil {
		return BadForm("devices.no_key")
	}
	raw, err := r.Encode()
	if err != nil {
		return BadForm("devices.no_key")
	}
	id := r.Key.ID()
	row := deviceRow{ID: hex.EncodeToString(id[:]), Name: r.Name, Site: p.Form.Get("site")}
	return p.Show("device_words", "devices.compare", devicesData{Device: &row, Words: enrol.Words(r.Key), Request: hex.EncodeToString(raw), Mays: deviceMays})
}

// terms reads for how long a device is certified, and for what. Without a person's word
// that phone and screen show the same there is no certificate.
func terms(p *Page, c Certify) (Certify, error) {
	days, err := strconv.Atoi(digits(p.Form.Get("days")))
	if c.May = p.Form.All("may"); err != nil || days < 1 || days > 30 || len(c.May) == 0 {
		return c, BadForm("devices.bad_terms")
	}
	for _, m := range c.May {
		if !has(deviceMays, m) {
			return c, errFields
		}
	}
	c.Days = days
	if p.Form.Get("same") != "yes" {
		return c, BadForm("devices.not_compared")
	}
	return c, nil
}

func (s *Devices) add(p *Page) error {
	raw, err := hex.DecodeString(p.Form.Get("request"))
	if err != nil {
		return errFields
	}
	r, err := enrol.ParseRequest(raw)
	if err != nil {
		return BadForm("devices.no_key")
	}
	c, err := terms(p, Certify{Key: r.Key, Name: r.Name, Site: p.Form.Get("site")})
	if err != nil {
		return err
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.Certify(ctx, p.Org(), p.Actor(), c) }); err != nil {
		return err
	}
	id := r.Key.ID()
	return p.Done("/devices/of/"+hex.EncodeToString(id[:]), Note{Word: "devices.added", Fill: []any{"name", r.Name}})
}

// confirm gives the device a certificate, its first or another one.
func (s *Devices) confirm(p *Page) error {
	d, err := s.find(p)
	if err != nil {
		return err
	}
	if d.State != access.DevicePending && d.State != access.DeviceConfirmed {
		return BadForm("devices.not_now")
	}
	c, err := terms(p, Certify{Key: d.Key, Name: d.Name, Site: d.Site, Replaces: p.Form.Get("replaces")})
	if err != nil {
		return err
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.Certify(ctx, p.Org(), p.Actor(), c) }); err != nil {
		return err
	}
	return s.done(p, &d, "devices.confirmed_now")
}

func (s *Devices) done(p *Page, d *access.Device, word string) error {
	return p.Done("/devices/of/"+d.ID(), Note{Word: word, Fill: []any{"name", d.Name}})
}

func (s *Devices) refuse(p *Page) error {
	d, err := s.find(p)
	if err != nil {
		return err
	}
	if d.State != access.DevicePending {
		return BadForm("devices.not_now")
	}
	if err := p.Do(func(ctx context.Context) error { return s.Desk.Refuse(ctx, p.Org(), p.Actor(), d.KID) }); err != nil {
		return err
	}
	return s.done(p, &d, "devices.refused_now")
}

func (s *Devices) withdraw(p *Page) error {
	d, err := s.find(p)
	if err != nil {
		return err
	}
	if !has(deviceEnds, p.Form.Get("reason")) {
		return BadForm("devices.why")
	}
	var since time.Time
	if text := p.Form.Get("since"); text != "" {
		// As browsers write what was typed into a field for day and time, in UTC.
		if since, err = time.Parse("2006-01-02T15:04", text); err != nil || since.After(s.now()) {
			return BadForm("devices.bad_since")
		}
	}
	if d.State == access.DeviceWithdrawn {
		return BadForm("devices.not_now")
	}
	if err := p.Do(func(ctx context.Context) error {
		return s.Desk.Withdraw(ctx, p.Org(), p.Actor(), d.KID, p.Form.Get("reason"), since)
	}); err != nil {
		return err
	}
	return s.done(p, &d, "devices.withdrawn_now")
}

func (s *Devices) thaw(p *Page) error {
	d, err := s.find(p)
	if err != nil {
		return err
	}
	if !has(deviceThaws, p.Form.Get("reason")) {
		return BadForm("devices.why")
	}
	if !d.Frozen() {
		return BadForm("devices.not_now")
	}
	if err := p.Do(func(ctx context.Context) error {
		return s.Desk.Thaw(ctx, p.Org(), p.Actor(), d.KID, p.Form.Get("reason"))
	}); err != nil {
		return err
	}
	return s.done(p, &d, "devices.thawed_now")
}

// answer is the file, or the moving code, that a confirmed phone opens.
func (s *Devices) answer(p *Page) error {
	d, err := s.find(p)
	if err != nil {
		return err
	}
	if d.State != access.DeviceConfirmed || d.Frozen() {
		return BadForm("devices.not_now")
	}
	e := Export{Reason: p.Form.Get("reason"), Name: d.ID() + ".enrol", Mime: octets}
	moving := p.Form.Get("as") == "codes"
	if moving {
		e.Name, e.Mime = d.ID()+".gif", "image/gif"
	}
	if e.Reason == "" { // before a pack is made that nobody gets
		return errReason
	}
	err = p.Do(func(ctx context.Context) (err error) {
		e.Body, e.Rows, err = s.Desk.Answer(ctx, p.Org(), p.Actor(), d.KID, moving, e.Reason)
		return err
	})
	if err != nil {
		return err
	}
	return p.Export(e)
}

func (s *Devices) order(p *Page) error {
	sites, err := s.Desk.Sites(p.Context(), p.Org())
	if err != nil {
		return err
	}
	serves, err := s.Desk.Serves(p.Context(), p.Org())
	if err != nil {
		return err
	}
	d := devicesData{Sites: sites, Serves: serves}
	if s.Programmes != nil {
		programmes, err := s.Programmes(p.Context(), p.Org())
		if err != nil {
			return deskFault(err)
		}
		today := s.now().UTC().Format(time.DateOnly)
		for _, one := range programmes {
			for _, r := range one.Rounds {
				if over := r.Closes != "" && r.Closes < today; !over && servedBy(serves, one.Code, r.N).None {
					d.Left = append(d.Left, PackRound{Programme: one.Code, Round: r.N})
				}
			}
		}
	}
	return p.Show("device_pack", "devices.pack", d)
}

func (s *Devices) pack(p *Page) error {
	days, err := strconv.Atoi(digits(p.Form.Get("days")))
	o := PackOrder{Site: p.Form.Get("site"), Days: days, Photos: p.Form.Get("photos") == "yes", NoList: p.Form.Get("list") == "no", Reason: p.Form.Get("reason")}
	switch {
	case o.Site == "":
		return BadForm("devices.no_site")
	case err != nil || days < 1 || days > 30:
		return BadForm("devices.bad_days")
	case o.Reason == "":
		return errReason
	}
	e := Export{Reason: o.Reason, Name: fileName(o.Site) + ".pack", Mime: octets}
	err = p.Do(func(ctx context.Context) (err error) {
		e.Body, e.Rows, err = s.Desk.Pack(ctx, p.Org(), p.Actor(), o)
		return err
	})
	if err != nil {
		return err
	}
	return p.Export(e)
}

// fileName is a code as part of the name of a file.
func fileName(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, code)
}

func (s *Devices) blank(p *Page) error {
	sites, err := s.Desk.Sites(p.Context(), p.Org())
	if err != nil {
		return err
	}
	return p.Show("device_new", "devices.new", devicesData{Sites: sites})
}

// maxKeyFile bounds a photo of a phone's screen, in bytes.
const maxKeyFile = 16 << 20
