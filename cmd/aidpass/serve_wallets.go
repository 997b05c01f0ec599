package main

import (
	"context"
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer/offer"
	"aidpass/schemas"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/verifier"
	"aidpass/verifier/request"
	"aidpass/verifier/token"
	"aidpass/web/api"
	"aidpass/web/openid"
)

// A walletDesk signs for wallets while a server runs. Keys are unsealed when it is
// renewed and not for each wallet, which would cost a second.
type walletDesk struct {
	o     *org
	types []*schemas.Type

	mu      *sync.Mutex // of the packs: one at a time reads keys and trust list
	renewed time.Time
	issuing atomic.Pointer[offer.Issuing]
	asking  atomic.Pointer[crypto.Signer]
	granted atomic.Pointer[[]*schemas.Type] // by the trust list of the moment
}

// Public and Sign make it the signer of what wallets are asked, by the request key of
// the moment.
func (w *walletDesk) Public() crypto.PublicKey { return (*w.asking.Load()).Public() }

func (w *walletDesk) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return (*w.asking.Load()).Sign(random, digest, opts)
}

// deskLife is how long a desk works before it looks whether its keys are still those
// of the moment.
const deskLife = time.Hour

// openWalletDesk unseals the keys. An organisation from before there were wallets
// has none: the error says how to make them.
func (a *app) openWalletDesk(o *org, types []*schemas.Type, mu *sync.Mutex) (*walletDesk, error) {
	w := &walletDesk{o: o, types: types, mu: mu}
	return w, w.renew(false)
}

// gives reports whether the trust list of the moment lets the organisation issue t.
func (w *walletDesk) gives(t *schemas.Type) bool { return slices.Contains(*w.granted.Load(), t) }

// renew takes the keys of the moment and what may be issued with them, where it is time,
// and at once where there is another trust list.
func (w *walletDesk) renew(listed bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.o.a.Now()
	if age := now.Sub(w.renewed); !listed && age >= 0 && age < deskLife {
		return nil
	}
	issuing, err := w.o.a.offerIssuing(w.o, w.types...)
	if err != nil {
		return err
	}
	programmes, err := w.o.secret(keystore.Programme)
	if err != nil {
		return err
	}
	issuing.ProgrammeKey = func(code string) ([]byte, error) { return programmeKeyOf(programmes, code) }
	issuing.EpochKey = sync.OnceValues(func() ([]byte, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.o.epochKey()
	})
	asking, _, err := w.o.currentSigner(keystore.Request)
	if err != nil {
		return err
	}
	granted, err := w.o.walletTypes()
	if err != nil {
		return err
	}
	w.issuing.Store(issuing)
	w.granted.Store(&granted)
	w.asking.Store(&asking)
	w.renewed = now
	return nil
}

// Issue is offer.Service.Issue.
func (w *walletDesk) Issue(ctx context.Context, o offer.Order) ([]string, error) {
	return w.issuing.Load().Issue(ctx, o)
}

// programmeKeyOf is the key of one programme's pseudonyms: see orgKeys.programmeKey.
func programmeKeyOf(secret []byte, code string) ([]byte, error) {
	return hkdf.Key(sha256.New, secret, nil, "aidpass-programme-1 "+code, 32)
}

// wallets makes what the server answers wallets, under --base-url; nil where that
// was not given.
func (s *serving) wallets() (*openid.Server, error) {
	base := s.f.base
	if base == "" {
		if s.f.signIn.given() {
			return nil, usagef("--oidc-issuer without --base-url").hint("holders sign in for offers, which are taken up under --base-url")
		}
		return nil, nil
	}
	if err := offer.CheckIssuer(base); err != nil {
		return nil, usagef("--base-url: %w", err).hint("the https address by which wallets reach this server, as --base-url https://wallets.relief-a.example")
	}
	s.hosts = append(s.hosts, s.baseHost())
	if s.issuer != nil && !s.issuer.maySign(s.baseHost()) {
		s.a.say("warning: the site's authority does not speak for %s: wallets come through a proxy with a certificate of its own, or not at all", s.baseHost())
		s.a.say("hint: aidpass site-ca init --host %s makes one that does", s.baseHost())
	}
	var err error
	if s.desk, err = s.a.openWalletDesk(s.o, schemas.Embedded(), &s.packs.mu); err != nil {
		return nil, err
	}
	key, err := openid.NewKey()
	if err != nil {
		return nil, err
	}
	offers := s.a.offersAt(s.o, base, s.desk.Issue, schemas.Embedded()...)
	offers.Gives = s.desk.gives
	offers.RequestEncryption, offers.ResponseEncryption = key.RequestEncryption(), openid.ResponseEncryption()
	signIn, err := s.f.signIn.open(offers, base, s.a.oidc)
	if err != nil {
		return nil, err
	}
	asked := &request.Service{Store: s.o.store, Now: s.a.Now, Decrypt: openid.Decrypt, Inputs: (&answerDesk{packs: s.packs, store: s.o.store, log: s.log, now: s.a.now}).inputs}
	s.openid, err = openid.New(openid.Config{Base: base, Issuer: offers, Key: key, Verifier: asked, Signer: s.desk, SignIn: signIn, Types: schemas.Embedded(),
		Fault: storeError, Log: s.log, Now: s.a.Now})
	return s.openid, err
}

// baseHost is the name that wallets call this server by; "" without --base-url.
func (s *serving) baseHost() string {
	u, err := url.Parse(s.f.base)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// An answerDesk judges what wallets show by the pack that a phone at answersSite would
// have at that moment.
type answerDesk struct {
	packs *packRoom
	store *storage.Org
	log   *slog.Logger
	now   func() credential.Time

	mu     sync.Mutex
	opened *api.Document // the pack is of
	pack   *verifier.Pack
	floors verifier.Floors
}

// answersSite is the place of answers in packs: a place where nothing is handed out.
const answersSite = "wallets"

// inputs is request.Service.Inputs.
func (d *answerDesk) inputs(ctx context.Context) (verifier.Inputs, error) {
	have, err := d.packs.pack(ctx, access.Device{Site: answersSite})
	if err != nil {
		return verifier.Inputs{}, err
	}
	doc := have.doc
	d.mu.Lock()
	defer d.mu.Unlock()
	if doc != d.opened {
		pack, floors, err := verifier.OpenPack(d.packs.bytes(answersSite), d.floors, d.now())
		if err != nil {
			return verifier.Inputs{}, err
		}
		d.opened, d.pack, d.floors = doc, pack, floors
	}
	return verifier.Inputs{Pack: d.pack, Floors: d.floors, Tokens: token.Reader{}, Uses: &collected{ctx: ctx, desk: d}}, nil
}

// collected looks up for one answer what was given before, in every journal that came
// in. It is request.Records.
type collected struct {
	ctx  context.Context
	desk *answerDesk
	err  error
}

// Earlier implements verifier.Uses. Where the database cannot be asked Err says so, and
// whoever does not listen gives nothing.
func (c *collected) Earlier(k verifier.LedgerKey) (verifier.Use, bool) {
	use, ok, err := c.desk.store.Collected(c.ctx, k)
	if err != nil {
		c.desk.log.Error("earlier collections are not known", "code", access.ErrorCode(err))
		c.err = err
		return verifier.Use{}, true
	}
	return use, ok
}

func (c *collected) Err() error { return c.err }

// bytes is the newest pack of a site.
func (p *packRoom) bytes(site string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.sites[site]; have != nil {
		return have.raw
	}
	return nil
}

// rooms are the further parts of the server.
func (s *serving) rooms() ([]api.Room, error) {
	w, err := s.wallets()
	if err != nil {
		return nil, err
	}
	staff, err := s.staffDesk()
	if err != nil {
		return nil, err
	}
	if w == nil {
		return []api.Room{staff}, nil
	}
	return []api.Room{w, staff}, nil
}

// walletAddress is where a phone finds the wallet app; "" where it is not built in.
func (s *serving) walletAddress() string {
	if !s.walletApp {
		return ""
	}
	return s.best() + api.PathWallet
}

// walletLines tell where wallets find what they need.
func (s *serving) walletLines() (list []string) {
	if at := s.walletAddress(); at != "" {
		list = append(list, "wallet app:   "+at+"   for holders: it keeps cards, and works without network after the first visit")
	}
	if s.f.base != "" {
		return append(list, "wallets:      "+s.f.base+"   the --base-url of aidpass offer create and aidpass request create")
	}
	return append(list, "wallets:      no offers and no requests here; aidpass serve --base-url ADDRESS answers them")
}
