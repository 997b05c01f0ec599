//go:build !js

// Package verifiertest builds an invented world of organisations, keys, lists
// and cards, and from it the cases every build of the verifier must answer
// alike: Go, the browser binaries and the command line.
//
// Keys come from names, so that a world is the same in every run but for the
// random part of ECDSA signatures.
package verifiertest

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"sync"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/schemas"
	"aidpass/schemas/compile"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
)

const (
	day credential.Time = 86400

	// Now is the device's clock in most cases: 2026-11-21T09:00:00Z.
	Now credential.Time = 1795251600

	// Made is when lists and cards were made: a day before.
	Made = Now - day

	listSize = 1 << 17
)

// must stops at a fault of the builder itself.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("verifiertest: %v", err))
	}
	return v
}

func check(err error) {
	if err != nil {
		panic(fmt.Sprintf("verifiertest: %v", err))
	}
}

// Signer is a private key and its public half as the lists have it.
type Signer struct {
	crypto.Signer
	Key *cose.Key
}

// KID is the key id.
func (s Signer) KID() []byte {
	id := s.Key.ID()
	return id[:]
}

// P256 makes a key from a name.
func P256(name string) Signer {
	h := sha256.Sum256([]byte(name))
	k := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), h[:]))
	return Signer{k, must(cose.NewKey(&k.PublicKey))}
}

// Ed25519 makes a key from a name.
func Ed25519(name string) Signer {
	h := sha256.Sum256([]byte(name))
	k := ed25519.NewKeyFromSeed(h[:])
	return Signer{k, must(cose.NewKey(k.Public()))}
}

// Org is one organisation and all its keys.
type Org struct {
	ID, StatusURI                         string
	Card, Standby, Status, Pack, DeviceCA Signer
	EdCard, Retired, Stolen               Signer // further card keys
	VC                                    Signer // of wallet credentials
}

func newOrg(name, country string) *Org {
	id := "https://" + name + ".example/i1"
	return &Org{
		ID: id, StatusURI: "https://" + name + ".example/st/1",
		Card: P256(name + " card"), Standby: P256(name + " standby"), Status: P256(name + " status"),
		Pack: Ed25519(name + " pack"), DeviceCA: P256(name + " device-ca"),
		EdCard: Ed25519(name + " ed card"), Retired: P256(name + " retired"), Stolen: P256(name + " stolen"),
		VC: P256(name + " vc"),
	}
}

// World is everything: two aid organisations that trust one another through a
// list, and a foreign identity issuer.
type World struct {
	Anchors []Signer
	A, B    *Org
	Foreign Signer // card key of ForeignID, profile foreign-169
	NoList  Signer // card key of NoListID, which uses no status lists
	Device  Signer // an enrolled device of A
	Wallet  Signer // a holder's phone

	Epoch, Content []byte // sealing keys
	Code           []byte // the operator's code

	GraceType *schemas.Type // an own type with grace days
	PhoneType *schemas.Type // an own type that is good in answer to a challenge alone
}

//go:embed phonecash.json
var phoneCash []byte

// phoneType is compiled as an organisation's own type file is.
var phoneType = sync.OnceValue(func() *schemas.Type { return must(compile.Compile(phoneCash)) })

// Names of the world.
const (
	ListID    = "https://consortium.example/list"
	ForeignID = "https://id.ministry.example"
	NoListID  = "https://id.town.example"
	Site      = "KAK-3"
	Programme = "K7Q2"
	GraceVCT  = "https://a.example/t/grace"
)

// New builds the world.
func New() *World {
	w := &World{
		Anchors: []Signer{Ed25519("anchor 1"), P256("anchor 2"), Ed25519("anchor 3")},
		A:       newOrg("relief-a", "KEN"), B: newOrg("relief-b", "SSD"),
		Foreign: P256("ministry"), NoList: Ed25519("town"),
		Device: P256("device"), Wallet: P256("wallet"),
		Code: []byte("4711-0815"),
	}
	epoch, content := sha256.Sum256([]byte("epoch")), sha256.Sum256([]byte("content"))
	w.Epoch, w.Content = epoch[:], content[:16]
	grace := *schemas.ByName("eligibility")
	grace.Name, grace.VCT, grace.GraceDays = "grace", GraceVCT, 10
	w.GraceType, w.PhoneType = &grace, phoneType()
	return w
}

func (w *World) anchorSet(n int) trust.Anchors {
	keys := make([]*cose.Key, n)
	for i := range keys {
		keys[i] = w.Anchors[i].Key
	}
	return must(trust.NewAnchors(2, keys...))
}

// TrustOptions changes the usual trust list.
type TrustOptions struct {
	Sequence   uint64 // default 5
	Issued     credential.Time
	NextUpdate credential.Time
	Country    string // where A may issue eligibility; default everywhere
	Edit       func(*trust.Draft)
	Patch      func(payload []byte) []byte // past the checks of the acts
	Signers    int                         // anchors that sign; default 2
}

// TrustList signs a list.
func (w *World) TrustList(o TrustOptions) []byte {
	if o.Sequence == 0 {
		o.Sequence = 5
	}
	if o.Issued == 0 {
		o.Issued = Made
	}
	if o.NextUpdate == 0 {
		o.NextUpdate = o.Issued + 30*day
	}
	if o.Signers == 0 {
		o.Signers = 2
	}
	d := trust.NewDraft(ListID, w.anchorSet(3))
	d.Sequence, d.Issued, d.NextUpdate = o.Sequence, o.Issued, o.NextUpdate
	for _, org := range []*Org{w.A, w.B} {
		w.addOrg(d, org)
	}
	check(d.AddOrganisation(ForeignID, "UGA", map[string]string{"en": "Ministry of Registration"}))
	check(d.AddKey(ForeignID, trust.Key{Key: w.Foreign.Key, KID: []byte("ministry-1"), Use: trust.UseCard,
		Profile: trust.ProfileForeign169, NotBefore: Made - 3000*day, NotAfter: Made + 3000*day}))
	check(d.AddStatusPrefix(ForeignID, "https://id.ministry.example/"))
	check(d.AddKey(ForeignID, trust.Key{Key: P256("ministry status").Key, Use: trust.UseStatus, NotBefore: Made - 3000*day, NotAfter: Made + 3000*day}))
	check(d.AddOrganisation(NoListID, "UGA", map[string]string{"en": "Town Hall"}))
	check(d.AddKey(NoListID, trust.Key{Key: w.NoList.Key, Use: trust.UseCard,
		Profile: trust.ProfileForeign169, NotBefore: Made - 3000*day, NotAfter: Made + 3000*day}))
	check(d.SetUsesStatus(NoListID, false))
	if o.Edit != nil {
		o.Edit(d)
	}
	payload := must(d.Encode())
	if o.Patch != nil {
		payload = o.Patch(payload)
	}
	p := cose.PrepareMulti(trust.TypeList, payload)
	for _, a := range w.Anchors[:o.Signers] {
		check(p.Add(a.Key, must(cose.SignRaw(a, p.ToBeSigned(a.Key)))))
	}
	return p.Append(nil)
}

func (w *World) addOrg(d *trust.Draft, o *Org) {
	country := map[bool]string{true: "KEN", false: "SSD"}[o == w.A]
	check(d.AddOrganisation(o.ID, country, map[string]string{"en": "Relief of " + country}))
	from, to := Made-400*day, Made+800*day
	add := func(s Signer, use trust.Use, p trust.Profile) {
		check(d.AddKey(o.ID, trust.Key{Key: s.Key, Use: use, Profile: p, NotBefore: from, NotAfter: to}))
	}
	add(o.Card, trust.UseCard, trust.ProfileCard1)
	add(o.Standby, trust.UseCard, trust.ProfileCard1)
	add(o.EdCard, trust.UseCard, trust.ProfileCard1)
	add(o.Retired, trust.UseCard, trust.ProfileCard1)
	add(o.Stolen, trust.UseCard, trust.ProfileCard1)
	add(o.Status, trust.UseStatus, trust.ProfileNone)
	add(o.VC, trust.UseVC, trust.ProfileNone)
	add(o.Pack, trust.UsePack, trust.ProfileNone)
	add(o.DeviceCA, trust.UseDeviceCA, trust.ProfileSlip1)
	check(d.Retire(o.ID, o.Retired.KID(), Made-100*day, Made+300*day))
	check(d.Withdraw(o.ID, o.Stolen.KID(), Made-10*day))
	check(d.AddStatusPrefix(o.ID, o.StatusURI[:len(o.StatusURI)-1]))
	var types []string
	for _, t := range schemas.Embedded() {
		if o == w.B && t.Name == "registration" {
			continue // B registers nobody
		}
		types = append(types, t.VCT)
	}
	if o == w.A {
		types = append(types, GraceVCT, w.PhoneType.VCT, "https://a.example/t/new")
	}
	check(d.Grant(o.ID, trust.Grant{Types: types}))
}

// Entries of A's status list that are not valid.
const (
	RevokedIndex   = 4711
	SuspendedIndex = 4712
	GoodIndex      = 91234
)

// StatusOptions changes the usual status list of an organisation.
type StatusOptions struct {
	URI    string
	Issued credential.Time
	Next   credential.Time
	Edit   func(*status.Register)
	Key    *Signer // default the organisation's
	Size   uint64
}

func (w *World) register(o *Org, s *StatusOptions) (*status.Register, Signer) {
	if s.URI == "" {
		s.URI = o.StatusURI
	}
	if s.Issued == 0 {
		s.Issued = Made
	}
	if s.Next == 0 {
		s.Next = s.Issued + 7*day
	}
	if s.Size == 0 {
		s.Size = listSize
	}
	r := must(status.NewRegister(s.URI, s.Size))
	if s.Edit != nil {
		s.Edit(r)
	} else {
		check(r.Set(RevokedIndex, status.Invalid))
		check(r.Set(SuspendedIndex, status.Suspended))
	}
	if s.Key != nil {
		return r, *s.Key
	}
	return r, o.Status
}

// Snapshot signs a status snapshot.
func (w *World) Snapshot(o *Org, s StatusOptions) []byte {
	r, k := w.register(o, &s)
	p := must(status.PrepareSnapshot(k.Key, r, s.Issued, s.Next))
	return must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned()))))
}

// StatusCWT signs a status list token.
func (w *World) StatusCWT(o *Org, s StatusOptions) []byte {
	r, k := w.register(o, &s)
	p := must(status.PrepareCWT(k.Key, r, s.Issued, s.Next, 3600))
	return must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned()))))
}

// StatusJWT signs a status list token.
func (w *World) StatusJWT(o *Org, s StatusOptions) []byte {
	r, k := w.register(o, &s)
	p := must(status.PrepareJWT(k.Key, r, s.Issued, s.Next, 3600))
	return []byte(must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned())))))
}

// DeviceCert certifies the world's device for a site of A.
func (w *World) DeviceCert(edit func(*trust.DeviceCertificate)) []byte {
	c := trust.DeviceCertificate{
		Org: w.A.ID, Site: Site, DeviceID: []byte("tablet-1"), Key: w.Device.Key,
		NotBefore: Made, NotAfter: Made + 30*day,
		MaySign: []uint64{trust.SignJournal, trust.SignSlip, trust.SignChallenge},
		Block:   &trust.StatusBlock{URI: w.A.StatusURI, First: 100000, Count: 500},
	}
	if edit != nil {
		edit(&c)
	}
	p := must(trust.PrepareDevice(w.A.DeviceCA.Key, c))
	return must(p.Attach(must(cose.SignRaw(w.A.DeviceCA, p.ToBeSigned()))))
}

// PackOptions changes the usual pack of A for the site.
type PackOptions struct {
	Sequence  uint64 // default 7
	Issued    credential.Time
	Expires   credential.Time
	Trust     TrustOptions
	TrustList []byte // instead of Trust
	Status    []verifier.Part
	NoStatus  bool
	Policy    *verifier.Policy
	Sealed    bool // with audience keys for the device
	NoDevice  bool // without the device's certificate
	Site      string
	More      []verifier.Part
	Key       *Signer
}

// Pack signs a pack.
func (w *World) Pack(o PackOptions) []byte {
	if o.Sequence == 0 {
		o.Sequence = 7
	}
	if o.Issued == 0 {
		o.Issued = Made
	}
	if o.Expires == 0 {
		o.Expires = o.Issued + 120*day
	}
	if o.TrustList == nil {
		o.TrustList = w.TrustList(o.Trust)
	}
	parts := []verifier.Part{{Owner: ListID, Kind: verifier.PartTrustList, Sequence: 5, Data: o.TrustList}}
	if !o.NoStatus {
		if o.Status == nil {
			o.Status = []verifier.Part{
				w.snapshotPart(w.A, StatusOptions{}),
				{Owner: w.B.ID, Kind: verifier.PartStatusCWT, Name: w.B.StatusURI, Sequence: uint64(Made), Data: w.StatusCWT(w.B, StatusOptions{Next: Made + 60*day})},
			}
		}
		parts = append(parts, o.Status...)
	}
	parts = append(parts,
		verifier.Part{Owner: w.A.ID, Kind: verifier.PartTypes, Sequence: 1, Data: schemas.Append(nil, []*schemas.Type{w.GraceType, w.PhoneType})},
	)
	if !o.NoDevice {
		parts = append(parts, verifier.Part{Owner: w.A.ID, Kind: verifier.PartDevice, Name: "tablet-1", Sequence: 1, Data: w.DeviceCert(nil)})
	}
	if o.Site == "" {
		o.Site = Site
	}
	if o.Policy != nil {
		parts = append(parts, verifier.Part{Owner: w.A.ID, Kind: verifier.PartPolicy, Sequence: 1, Data: must(o.Policy.Encode())})
	}
	if o.Sealed {
		u := &verifier.Unlocked{ContentKey: w.Content, Audiences: []verifier.Audience{
			{Issuer: w.A.ID, Group: "kakuma", Epoch: 1, From: Made - 30*day, Until: Made + 100*day, Key: w.Epoch}}}
		box := must(verifier.LockAudiences(u, w.A.ID, Site, must(w.Device.Key.ECDH()), w.Code, zeros{}))
		parts = append(parts, verifier.Part{Owner: w.A.ID, Kind: verifier.PartAudience, Sequence: 1, Data: box})
	}
	parts = append(parts, o.More...)
	k := w.A.Pack
	if o.Key != nil {
		k = *o.Key
	}
	p := must(verifier.PreparePack(k.Key, verifier.PackDraft{Org: w.A.ID, Site: o.Site, Sequence: o.Sequence, Issued: o.Issued, Expires: o.Expires, Parts: parts}))
	return must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned()))))
}

func (w *World) snapshotPart(o *Org, s StatusOptions) verifier.Part {
	data := w.Snapshot(o, s)
	if s.Issued == 0 {
		s.Issued = Made
	}
	if s.URI == "" {
		s.URI = o.StatusURI
	}
	return verifier.Part{Owner: o.ID, Kind: verifier.PartSnapshot, Name: s.URI, Sequence: uint64(s.Issued), Data: data}
}

// zeros stands for randomness where a file must be the same in every run.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// CardOptions changes the usual card: eligibility of A, valid.
type CardOptions struct {
	Type   string // name; default eligibility
	VCT    string // instead of the type's
	Org    *Org
	Key    *Signer
	Issued credential.Time
	Draft  func(*cwt.Draft)
	Plain  map[string]any
	Sealed map[string]any
	Unit   string // default "unit-1"
}

// Card signs a card and returns its COSE bytes.
func (w *World) Card(o CardOptions) []byte {
	if o.Org == nil {
		o.Org = w.A
	}
	if o.Type == "" {
		o.Type = "eligibility"
	}
	if o.Issued == 0 {
		o.Issued = Made
	}
	if o.Unit == "" {
		o.Unit = "unit-1"
	}
	t := schemas.ByName(o.Type)
	switch o.Type {
	case "grace":
		t = w.GraceType
	case w.PhoneType.Name:
		t = w.PhoneType
	}
	id := sha256.Sum256([]byte(o.Unit + o.Type))
	d := cwt.Draft{
		Issuer: o.Org.ID, Type: t.VCT, Pseudonym: cwt.Pseudonym([]byte("programme"), []byte(o.Unit)),
		ID: [10]byte(id[:10]), IssuedAt: o.Issued, ExpiresAt: o.Issued + credential.Time(t.Validity),
		StatusURI: o.Org.StatusURI, StatusIndex: GoodIndex,
	}
	if o.VCT != "" {
		d.Type = o.VCT
	}
	if o.Plain == nil && (o.Type == "eligibility" || o.Type == "grace") {
		o.Plain = map[string]any{"programme": Programme, "round": int64(3), "size_band": "4-5", "collector_rule": "holder_or_alternate", "assurance": "witnessed"}
	}
	if o.Plain == nil && t == w.PhoneType {
		o.Plain = map[string]any{"programme": Programme, "round": int64(3)}
	}
	if o.Plain == nil && o.Type == "registration" {
		o.Plain = map[string]any{"assurance": "declared"}
	}
	if len(o.Plain) > 0 {
		d.Plain = must(t.EncodePlain(o.Plain))
	}
	if o.Sealed != nil {
		d.Sealed = must(cwt.SealPart(w.Epoch, d.Issuer, d.ID, d.Type, must(t.EncodeSealed(o.Sealed))))
	}
	if o.Draft != nil {
		o.Draft(&d)
	}
	k := o.Org.Card
	if o.Key != nil {
		k = *o.Key
	}
	p := must(cwt.Prepare(k.Key, d))
	return must(p.Attach(must(cose.SignRaw(k, p.ToBeSigned()))))
}

// Text is Card as QR text.
func (w *World) Text(o CardOptions) string { return must(cwt.Text(w.Card(o))) }

// DeviceECDH is the device's private key for sealed parts.
func (w *World) DeviceECDH() *ecdh.PrivateKey {
	return must(w.Device.Signer.(*ecdsa.PrivateKey).ECDH())
}
