package gateway_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/aries-framework-go/component/storageutil/mem"
	"github.com/hyperledger/aries-framework-go/pkg/client/didexchange"
	"github.com/hyperledger/aries-framework-go/pkg/client/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/common/service"
	protocol "github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/issuecredential"
	save "github.com/hyperledger/aries-framework-go/pkg/didcomm/protocol/middleware/issuecredential"
	"github.com/hyperledger/aries-framework-go/pkg/didcomm/transport"
	arieshttp "github.com/hyperledger/aries-framework-go/pkg/didcomm/transport/http"
	"github.com/hyperledger/aries-framework-go/pkg/framework/aries"
	ariescontext "github.com/hyperledger/aries-framework-go/pkg/framework/context"
	"github.com/hyperledger/aries-framework-go/pkg/kms"

	"aidpass/credential"
	"aidpass/credential/vcjwt"
	"aidpass/internal/cose"
	"aidpass/internal/did"
	"aidpass/internal/jose"
	"aidpass/internal/patience"
	"aidpass/interop/aries/gateway"
	"aidpass/schemas"
	"aidpass/status"
	"aidpass/trust"
	"aidpass/verifier"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// office is an organisation with a key for wallet credentials, on a trust list.
type office struct {
	signer *ecdsa.PrivateKey
	key    *cose.Key
	pack   *verifier.Pack
	now    credential.Time
}

const (
	org     = "https://relief-a.example/i1"
	listURI = "https://relief-a.example/s/7k2p4x"
	revoked = 9 // entry
)

func newKey(t testing.TB) (*ecdsa.PrivateKey, *cose.Key) {
	t.Helper()
	s, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	k, err := cose.NewKey(s.Public())
	must(t, err)
	return s, k
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{now: credential.FromStd(time.Now())}
	o.signer, o.key = newKey(t)
	anchor, anchorKey := newKey(t)
	packer, packKey := newKey(t)
	lister, listKey := newKey(t)
	set, err := trust.NewAnchors(1, anchorKey)
	must(t, err)
	d := trust.NewDraft("https://consortium.example", set)
	d.Issued, d.NextUpdate = o.now, o.now+86400
	from, until := o.now-86400, o.now+365*86400
	must(t, errors.Join(
		d.AddOrganisation(org, "KEN", map[string]string{"en": "Relief A"}),
		d.AddKey(org, trust.Key{Key: o.key, Use: trust.UseVC, NotBefore: from, NotAfter: until}),
		d.AddStatusPrefix(org, "https://relief-a.example/s/"),
		d.AddKey(org, trust.Key{Key: listKey, Use: trust.UseStatus, NotBefore: from, NotAfter: until}),
		d.AddKey(org, trust.Key{Key: packKey, Use: trust.UsePack, NotBefore: from, NotAfter: until}),
		d.Grant(org, trust.Grant{Types: []string{schemas.ByName("eligibility").VCT}})))
	payload, err := d.Encode()
	must(t, err)
	list, err := trust.SignList(payload, anchor)
	must(t, err)
	r, err := status.NewRegister(listURI, 1<<17)
	must(t, err)
	must(t, r.Set(revoked, status.Invalid))
	snapshot, err := status.PrepareSnapshot(listKey, r, o.now, o.now+86400)
	must(t, err)
	p, err := verifier.PreparePack(packKey, verifier.PackDraft{Org: org, Site: "gateway", Sequence: 1, Issued: o.now, Expires: o.now + 86400,
		Parts: []verifier.Part{
			{Owner: d.ID, Kind: verifier.PartTrustList, Name: d.ID, Sequence: 1, Data: list},
			{Owner: org, Kind: verifier.PartSnapshot, Name: listURI, Sequence: uint64(o.now), Data: attach(t, lister, snapshot)}}})
	must(t, err)
	raw := attach(t, packer, p)
	o.pack, _, err = verifier.OpenPack(raw, verifier.Floors{}, o.now)
	must(t, err)
	return o
}

// attach signs what was prepared.
func attach(t testing.TB, signer *ecdsa.PrivateKey, p interface {
	ToBeSigned() []byte
	Attach([]byte) ([]byte, error)
}) []byte {
	t.Helper()
	sig, err := cose.SignRaw(signer, p.ToBeSigned())
	must(t, err)
	out, err := p.Attach(sig)
	must(t, err)
	return out
}

// token is an issued vc+jwt for holder, from and to which times it is said.
func (o *office) token(t testing.TB, holder *cose.Key, from, to credential.Time) string {
	t.Helper()
	return o.entry(t, holder, from, to, 7)
}

// entry is token with its place in the status list.
func (o *office) entry(t testing.TB, holder *cose.Key, from, to credential.Time, index uint64) string {
	t.Helper()
	p, err := vcjwt.Prepare(o.key, vcjwt.Draft{
		Issuer: org, Type: schemas.ByName("eligibility").VCT, ID: "b7mZ0cFx2kq1Vw", IssuedAt: from, ExpiresAt: to, HolderKey: holder,
		StatusURI: status.URIOfJWT(listURI), StatusIndex: index,
		Claims: jose.ObjectOf(jose.Member{Name: "programme", Value: jose.StringOf("K7Q2")}, jose.Member{Name: "round", Value: jose.IntOf(3)}),
	})
	must(t, err)
	return string(attach(t, o.signer, p))
}

func TestTwin(t *testing.T) {
	o := newOffice(t)
	_, holder := newKey(t)
	good := o.token(t, holder, o.now, o.now+30*86400)
	twin, err := gateway.Twin(good, o.pack, o.now, o.signer, "")
	must(t, err)
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(twin, ".")[1])
	must(t, err)
	var c struct {
		Iss, Jti, Sub string
		Exp           int64
		VC            struct {
			CredentialSubject map[string]any `json:"credentialSubject"`
		}
	}
	must(t, json.Unmarshal(payload, &c))
	if c.Iss != did.OfKey(o.key) || c.Jti != "b7mZ0cFx2kq1Vw" || c.Sub != did.OfKey(holder) || c.Exp != int64(o.now)+30*86400 || c.VC.CredentialSubject["programme"] != "K7Q2" {
		t.Errorf("the twin says %+v", c)
	}

	thief, _ := newKey(t)
	for name, bad := range map[string]func() (string, error){
		"expired": func() (string, error) {
			return gateway.Twin(o.token(t, holder, o.now-9*86400, o.now-1), o.pack, o.now, o.signer, "")
		},
		"another key": func() (string, error) { return gateway.Twin(good, o.pack, o.now, thief, "") },
		"tampered":    func() (string, error) { return gateway.Twin(good[:len(good)-4]+"AAAA", o.pack, o.now, o.signer, "") },
		"revoked": func() (string, error) {
			return gateway.Twin(o.entry(t, holder, o.now, o.now+86400, revoked), o.pack, o.now, o.signer, "")
		},
		"no pack":       func() (string, error) { return gateway.Twin(good, nil, o.now, o.signer, "") },
		"a version 1.1": func() (string, error) { return gateway.Twin(twin, o.pack, o.now, o.signer, "") },
	} {
		if text, err := bad(); err == nil || text != "" {
			t.Errorf("%s: a twin was made", name)
		}
	}
}

// TestAWalletOfTheAriesFamily: an Aries agent in this process opens the invitation,
// asks for what it is offered and keeps it; another that comes later gets nothing.
func TestAWalletOfTheAriesFamily(t *testing.T) {
	o := newOffice(t)
	_, holder := newKey(t)
	twin, err := gateway.Twin(o.token(t, holder, o.now, o.now+30*86400), o.pack, o.now, o.signer, "")
	must(t, err)

	at := freeAddress(t)
	g, err := gateway.Open(at, "http://"+at)
	must(t, err)
	defer g.Close()
	invitation, err := g.Invitation("Relief A")
	must(t, err)

	w := newWallet(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.Give(ctx, twin, "Cash, round 3") }()
	w.open(t, invitation)
	if err := <-done; err != nil {
		t.Fatal(err)
	}

	kept, err := w.agent.VerifiableStore().GetCredential(w.name(t))
	must(t, err)
	if kept.JWT != twin {
		t.Errorf("the wallet keeps another text than it was sent")
	}
	if w.comment != "Cash, round 3" {
		t.Errorf("the wallet was told %q", w.comment)
	}
}

// A wallet that says it is inside somebody's network is sent nothing, and what is too
// large is not read to its end.
func TestAWalletLeadsTheGatewayNowhere(t *testing.T) {
	at := freeAddress(t)
	g, err := gateway.Open(at, "https://gate.relief-a.example")
	must(t, err)
	defer g.Close()
	if _, err := gateway.Open(at, "https://gate.relief-a.example"); err == nil {
		t.Error("two listen at one address")
	}
	invitation, err := g.Invitation("Relief A")
	must(t, err)
	address, coded, _ := strings.Cut(invitation, "?c_i=")
	if address != "https://gate.relief-a.example" {
		t.Errorf("invited to %s", address)
	}
	text, err := base64.RawURLEncoding.DecodeString(coded)
	must(t, err)
	text = bytes.ReplaceAll(text, []byte("https://gate.relief-a.example"), []byte("http://"+at))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	w := newWallet(t)
	states := make(chan service.StateMsg, 16)
	must(t, w.exchange.RegisterMsgEvent(states))
	w.open(t, "?c_i="+base64.RawURLEncoding.EncodeToString(text))
	if err := g.Give(ctx, "x", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the gateway found its way to it: %v", err)
	}
	for len(states) > 0 {
		if s := <-states; s.StateID == "responded" || s.StateID == "completed" {
			t.Errorf("the wallet heard from the gateway: %s", s.StateID)
		}
	}
	res, err := http.Post("http://"+at, "application/didcomm-envelope-enc", io.LimitReader(endless{}, 1<<20))
	if err == nil {
		res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("a megabyte: %d", res.StatusCode)
		}
	}
}

// endless is a body that does not end by itself.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '{'
	}
	return len(b), nil
}

// wallet is an Aries agent that takes what it is offered.
type wallet struct {
	agent    *ariescontext.Provider
	exchange *didexchange.Client
	comment  string
}

func newWallet(t testing.TB) *wallet {
	t.Helper()
	at := freeAddress(t)
	in, err := arieshttp.NewInbound(at, "http://"+at, "", "")
	must(t, err)
	out, err := arieshttp.NewOutbound(arieshttp.WithOutboundHTTPClient(&http.Client{Timeout: patience.Limit}))
	must(t, err)
	fw, err := aries.New(aries.WithInboundTransport(in), aries.WithOutboundTransports(out),
		aries.WithStoreProvider(mem.NewProvider()), aries.WithProtocolStateStoreProvider(mem.NewProvider()),
		aries.WithMediaTypeProfiles([]string{transport.MediaTypeDIDCommV2Profile, transport.MediaTypeAIP2RFC0587Profile}),
		aries.WithKeyType(kms.ECDSAP256TypeIEEEP1363), aries.WithKeyAgreementType(kms.NISTP256ECDHKWType))
	must(t, err)
	t.Cleanup(func() { fw.Close() })
	w := &wallet{}
	w.agent, err = fw.Context()
	must(t, err)
	w.exchange, err = didexchange.New(w.agent)
	must(t, err)
	exchanges, offers := make(chan service.DIDCommAction), make(chan service.DIDCommAction)
	issue, err := issuecredential.New(w.agent)
	must(t, err)
	must(t, errors.Join(w.exchange.RegisterActionEvent(exchanges), issue.RegisterActionEvent(offers)))
	must(t, w.keepsCredentials())
	go service.AutoExecuteActionEvent(exchanges)
	go func() {
		for a := range offers {
			switch a.Message.Type() {
			case protocol.OfferCredentialMsgTypeV2:
				var offer protocol.OfferCredentialV2
				if a.Message.Decode(&offer) == nil {
					w.comment = offer.Comment
				}
				a.Continue(issuecredential.WithRequestCredential(&issuecredential.RequestCredential{Type: protocol.RequestCredentialMsgTypeV2}))
			default:
				a.Continue(issuecredential.WithFriendlyNames("card"))
			}
		}
	}()
	return w
}

// keepsCredentials adds the step in which Aries reads, proves and stores what came.
func (w *wallet) keepsCredentials() error {
	s, err := w.agent.Service(protocol.Name)
	if err != nil {
		return err
	}
	s.(*protocol.Service).Use(save.SaveCredentials(w.agent))
	return nil
}

func (w *wallet) open(t testing.TB, invitation string) {
	t.Helper()
	_, coded, ok := strings.Cut(invitation, "?c_i=")
	text, err := base64.RawURLEncoding.DecodeString(coded)
	var i didexchange.Invitation
	if !ok || err != nil || json.Unmarshal(text, &i) != nil {
		t.Fatalf("no invitation: %q", invitation)
	}
	_, err = w.exchange.HandleInvitation(&i)
	must(t, err)
}

// name is the identity of the one credential the wallet keeps.
func (w *wallet) name(t testing.TB) string {
	t.Helper()
	var id string
	patience.Until(t, "the wallet keeps a credential", func() bool {
		records, err := w.agent.VerifiableStore().GetCredentials()
		must(t, err)
		if len(records) == 1 {
			id = records[0].ID
		}
		return id != ""
	})
	return id
}

// freeAddress is an address of this machine on which nobody listens: one of its own where
// it has them, which nobody else asks for before it is used.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+mathrand.IntN(250), mathrand.IntN(250), 1+mathrand.IntN(250)))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}
