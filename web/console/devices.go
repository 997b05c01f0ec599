package console

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/issuer/registry"
	"aidpass/verifier/enrol"
)

// Devices are the pages of the scanners of service points, and of their packs.
type Devices struct {
	Desk DeviceDesk
	// Programmes are those of the organisation; nil: not known here.
	Programmes func(ctx context.Context, org string) ([]registry.Programme, error)
	Now        func() time.Time // nil: time.Now
}

// A DeviceDesk keeps the devices of an organisation. What another organisation has, or
// nobody, is ErrNotFound; what cannot be done as things are is a *Fault.
type DeviceDesk interface {
	Devices(ctx context.Context, org string) ([]access.Device, error) // by site and name
	Sites(ctx context.Context, org string) ([]string, error)          // that are known, in order
	// Serves is what the pack of each known site would serve, and last, with no name, that of any other.
	Serves(ctx context.Context, org string) ([]PackServes, error)
	Code(ctx context.Context, org string, by access.Actor, site string) (EnrolCode, error)
	Certify(ctx context.Context, org string, by access.Actor, c Certify) error
	Refuse(ctx context.Context, org string, by access.Actor, kid [8]byte) error
	Withdraw(ctx context.Context, org string, by access.Actor, kid [8]byte, reason string, since time.Time) error // zero: now
	Thaw(ctx context.Context, org string, by access.Actor, kid [8]byte, reason string) error
	// Answer is what a confirmed device opens: certificate and pack, sealed to it, and how
	// many rows the lists of people in it have. moving: as a row of QR codes, a GIF.
	Answer(ctx context.Context, org string, by access.Actor, kid [8]byte, moving bool, reason string) (file []byte, rows int, err error)
	Pack(ctx context.Context, org string, by access.Actor, o PackOrder) (file []byte, rows int, err error)
}

// An EnrolCode lets one phone ask to be enrolled.
type EnrolCode struct {
	Code  string    `json:"code"`
	Site  string    `json:"site"`
	Link  string    `json:"link"` // that the phone's camera opens; empty: the server has no address for phones
	Until time.Time `json:"until"`
}

// A Certify is a certificate that a device is to get.
type Certify struct {
	Key        *cose.Key
	Name, Site string
	Days       int      // at most 30
	May        []string // journal, referral, challenge
	Replaces   string   // key id of the device it takes the place of; empty: none
}

// A PackOrder is what a pack is to hold.
type PackOrder struct {
	Site           string
	Days           int
	Photos, NoList bool
	Reason         string // why it leaves by hand, for the log
}

// servedBy says in which packs a round is: their places, and whether every other place's
// pack has it too.
func servedBy(all []PackServes, programme string, round uint64) (r servedRound) {
	r.Programme = programme
	for _, s := range all {
		in := s.Every || slices.ContainsFunc(s.Rounds, func(x PackRound) bool {
			return x.Programme == programme && (x.Round == 0 || x.Round == round)
		})
		switch {
		case !in:
			r.partly = true
		case s.Site == "":
			r.Others = true
		default:
			r.Sites = append(r.Sites, s.Site)
		}
	}
	r.All = r.Others && !r.partly
	r.None = len(r.Sites) == 0 && !r.Others
	return r
}

// A servedRound says in which packs of this server a round is.
type servedRound struct {
	Programme string   `json:"-"`
	Sites     []string `json:"sites,omitempty"`
	Others    bool     `json:"others"` // the pack of a place that is not known has it too
	None      bool     `json:"none"`
	All       bool     `json:"-"`

	partly bool
}

// List are the places, in a line.
func (r *servedRound) List() string { return strings.Join(r.Sites, ", ") }

// A PackServes is what the pack of a site would serve if it were built now.
type PackServes struct {
	Site   string      `json:"site"`  // empty: any place that is not known
	Every  bool        `json:"every"` // programme and round
	Rounds []PackRound `json:"rounds"`
}

// A PackRound is a round that a pack serves.
type PackRound struct {
	Programme string    `json:"programme"`
	Round     uint64    `json:"round"`           // 0: every one
	Opens     time.Time `json:"opens,omitzero"`  // zero: it is open
	Closes    time.Time `json:"closes,omitzero"` // in its last day; zero: it stays open
}

// What a device may sign, the reasons to withdraw one and to let one go on.
var (
	deviceMays  = []named{{"journal", "devices.may_journal"}, {"challenge", "devices.may_challenge"}, {"referral", "devices.may_referral"}}
	deviceEnds  = []named{{"lost", "devices.end_lost"}, {"stolen", "devices.end_stolen"}, {"copied", "devices.end_copied"}, {"broken", "devices.end_broken"}}
	deviceThaws = []named{{"restored_backup", "devices.thaw_backup"}, {"one_phone", "devices.thaw_one"}, {"mistake", "devices.thaw_mistake"}}
	deviceState = map[access.DeviceState]string{access.DevicePending: "devices.pending", access.DeviceConfirmed: "devices.confirmed",
		access.DeviceWithdrawn: "devices.withdrawn", access.DeviceRefused: "devices.refused"}
)

// A named is a code and the key of its words.
type named struct{ Code, Word string }

func has(list []named, code string) bool {
	return slices.ContainsFunc(list, func(n named) bool { return n.Code == code })
}

// oldLists is from when on a list of devices shows that lists are old.
const oldLists = 7 * 24 * time.Hour

// Routes implements Screen.
func (s *Devices) Routes() []Route {
	terms := []Field{Text("days", 3), Many("may", 20, len(deviceMays)), Text("same", 4)}
	reason := Text("reason", 40)
	return []Route{
		{Method: http.MethodGet, Path: "/devices", Act: access.DeviceRead, Menu: "devices.menu", Query: []Field{Text("site", 128), Text("state", 20)}, Paged: true, Answer: Members(devicesData{}, "devices", "sites", "paging"), Handler: s.list},
		{Method: http.MethodGet, Path: "/devices/new", Act: access.DeviceEnrol, Answer: Members(devicesData{}, "sites"), Handler: s.blank},
		{Method: http.MethodPost, Path: "/devices/code", Act: access.DeviceEnrol, Form: []Field{Text("site", 128)}, Answer: Members(devicesData{}, "code"), Handler: s.code},
		{Method: http.MethodPost, Path: "/devices/key", Act: access.DeviceEnrol, Files: true, MaxBody: maxKeyFile + 1<<16, Form: []Field{File("key"), Text("site", 128)}, Answer: Members(devicesData{}, "device", "words", "request"), Handler: s.key},
		{Method: http.MethodPost, Path: "/devices/new", Act: access.DeviceConfirm, Form: append([]Field{Text("request", 2*enrol.MaxRequestBytes), Text("site", 128)}, terms...), Handler: s.add},
		{Method: http.MethodGet, Path: "/devices/of/:device", Act: access.DeviceRead, Answer: Members(devicesData{}, "device", "words"), Handler: s.show},
		{Method: http.MethodPost, Path: "/devices/of/:device/confirm", Act: access.DeviceConfirm, Form: append([]Field{Text("replaces", 16)}, terms...), Handler: s.confirm},
		{Method: http.MethodPost, Path: "/devices/of/:device/refuse", Act: access.DeviceConfirm, Handler: s.refuse},
		{Method: http.MethodPost, Path: "/devices/of/:device/withdraw", Act: access.DeviceRevoke, Form: []Field{reason, Text("since", 20)}, Handler: s.withdraw},
		{Method: http.MethodPost, Path: "/devices/of/:device/thaw", Act: access.DeviceRevoke, Form: []Field{reason}, Handler: s.thaw},
		{Method: http.MethodPost, Path: "/devices/of/:device/answer", Act: access.PackBuild, Form: []Field{Text("as", 8), Text("reason", 200)}, Answer: Sends(octets, "image/gif"), Handler: s.answer},
		{Method: http.MethodGet, Path: "/devices/pack", Act: access.PackBuild, Answer: Members(devicesData{}, "sites", "serves"), Handler: s.order},
		{Method: http.MethodPost, Path: "/devices/pack", Act: access.PackBuild, Form: []Field{Text("site", 128), Text("days", 3), Text("photos", 4), Text("list", 4), Text("reason", 200)}, Answer: Sends(octets), Handler: s.pack},
	}
}

// Needs are the phones whose words nobody compared yet, and those that were found copied.
func (s *Devices) Needs(ctx context.Context, in *access.Session) ([]Need, error) {
	if !in.May(access.DeviceConfirm) {
		return nil, nil
	}
	all, err := s.Desk.Devices(ctx, in.Account.Org)
	waits, frozen := Need{Word: "devices.need", Path: "/devices?state=pending"}, Need{Word: "devices.need_frozen", Path: "/devices?state=frozen"}
	for _, d := range all {
		n := &waits
		switch {
		case d.Frozen():
			n = &frozen
		case d.State != access.DevicePending:
			continue
		}
		at := d.AddedAt
		if n == &frozen {
			at = d.FrozenAt
		}
		if n.Count++; n.Since.IsZero() || at.Before(n.Since) {
			n.Since = at
		}
	}
	return []Need{waits, frozen}, err
}

type devicesData struct {
	Rows   []deviceRow  `json:"devices,omitempty"`
	Paging *Paging      `json:"paging,omitempty"`
	Sites  []string     `json:"sites,omitempty"`
	Site   string       `json:"-"` // asked for
	Serves []PackServes `json:"serves,omitempty"`
	Left   []PackRound  `json:"left,omitempty"` // planned rounds that no pack serves
	State  string       `json:"-"`
	States []named      `json:"-"`

	Device  *deviceRow   `json:"device,omitempty"`
	Words   string       `json:"words,omitempty"`
	Request string       `json:"request,omitempty"` // hex
	Mays    []named      `json:"-"`
	Ways    []named      `json:"-"`
	Thaws   []named      `json:"-"`
	Others  []deviceRow  `json:"-"` // that it might take the place of
	Code    *EnrolCode   `json:"code,omitempty"`
	Picture template.URL `json:"-"`
	Half    [2]string    `json:"-"` // of the code, as people read it out
}

// A deviceRow is a device as pages show it. Zero times are of what never was.
type deviceRow struct {
	ID          string    `json:"device"` // key id
	Name        string    `json:"name"`
	Site        string    `json:"site"`
	State       string    `json:"state"`
	Reason      string    `json:"reason"`
	AddedAt     time.Time `json:"added_at,omitzero"`
	Ends        time.Time `json:"until,omitzero"`
	WithdrawnAt time.Time `json:"withdrawn_at,omitzero"`
	Frozen      bool      `json:"frozen"`
	FrozenFrom  uint64    `json:"frozen_from"`
	FrozenAt    time.Time `json:"frozen_at,omitzero"`
	SeenAt      time.Time `json:"seen_at,omitzero"`
	Lists       time.Time `json:"lists_at,omitzero"` // of the newest pack it took here
	Hours       int       `json:"lists_age_hours"`
	Old         bool      `json:"lists_old"`
	Word        string    `json:"-"`
}

func (s *Devices) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Devices) row(d access.Device) deviceRow {
	r := deviceRow{ID: d.ID(), Name: d.Name, Site: d.Site, State: string(d.State), Reason: d.Reason, AddedAt: d.AddedAt, WithdrawnAt: d.WithdrawnAt,
		Frozen: d.Frozen(), FrozenFrom: d.FrozenFrom, FrozenAt: d.FrozenAt, SeenAt: d.SeenAt, Word: deviceState[d.State]}
	if d.Frozen() {
		r.Word = "devices.frozen"
	}
	if d.ListsAt > 0 {
		r.Lists = d.ListsAt.Std()
		age := max(0, s.now().Sub(r.Lists))
		r.Hours, r.Old = int(age.Hours()), age > oldLists
	}
	if d.Until > 0 {
		r.Ends = d.Until.Std()
	}
	return r
}

func (s *Devices) list(p *Page) error {
	all, err := s.Desk.Devices(p.Context(), p.Org())
	if err != nil {
		return err
	}
	d := devicesData{Site: p.Query.Get("site"), State: p.Query.Get("state"), States: []named{{"pending", "devices.pending"}, {"confirmed", "devices.confirmed"},
		{"frozen", "devices.frozen"}, {"withdrawn", "devices.withdrawn"}, {"refused", "devices.refused"}}}
	for _, x := range all {
		if !slices.Contains(d.Sites, x.Site) {
			d.Sites = append(d.Sites, x.Site)
		}
	}
	all = slices.DeleteFunc(all, func(x access.Device) bool {
		return d.Site != "" && x.Site != d.Site || d.State != "" && d.State != string(x.State) && (d.State != "frozen" || !x.Frozen())
	})
	d.Paging = p.Paging(len(all))
	for _, x := range all[d.Paging.Offset():min(len(all), d.Paging.Offset()+d.Paging.Size)] {
		d.Rows = append(d.Rows, s.row(x))
	}
	return p.Show("devices", "devices.title", d)
}

// find is the device that the path names.
func (s *Devices) find(p *Page) (access.Device, error) {
	all, err := s.Desk.Devices(p.Context(), p.Org())
	if err != nil {
		return access.Device{}, err
	}
	i := slices.IndexFunc(all, func(d access.Device) bool { return d.ID() == p.Param("device") })
	if i < 0 {
		return access.Device{}, ErrNotFound
	}
	return all[i], nil
}

func (s *Devices) show(p *Page) error {
	d, err := s.find(p)
	if err != nil {
		return err
	}
	row := s.row(d)
	data := devicesData{Device: &row, Words: enrol.Words(d.Key), Mays: deviceMays, Ways: deviceEnds, Thaws: deviceThaws}
	all, err := s.Desk.Devices(p.Context(), p.Org())
	if err != nil {
		return err
	}
	for _, x := range all {
		if x.Site == d.Site && x.KID != d.KID && x.State == access.DeviceConfirmed {
			data.Others = append(data.Others, s.row(x))
		}
	}
	return p.Show("device", "devices.one", data, "name", d.Name)
}
