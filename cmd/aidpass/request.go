package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/dcql"
	"aidpass/internal/did"
	"aidpass/internal/qrcode"
	"aidpass/schemas"
	"aidpass/verifier/request"
	"aidpass/words"
)

func (a *app) requestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Ask wallets: what for, for which claims, and what came of it",
		Example: `  aidpass request create --type eligibility --claim programme --claim round --purpose "To see whether you are due blankets"
  aidpass request show 4f0c2b9ad51e4c7f8a6d3e2b1c0f9a8d
  aidpass request list`,
	}
	cmd.AddCommand(a.requestCreateCommand(), a.requestShowCommand(), a.requestListCommand())
	return cmd
}

// requestFlags are what request create is asked for.
type requestFlags struct {
	types, claims, optional       []string
	purposes, formats             []string
	base, wallet, certificate, qr string
	sameDevice, clear, unsigned   bool
	minutes                       int
}

func (a *app) requestCreateCommand() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "create --type TYPE --claim CLAIM --purpose TEXT",
		Short: "Ask for claims of a credential: prints the QR code and the link that a wallet follows",
		Long: `Ask for claims of a credential: prints the QR code and the link that a wallet follows.

The person reads who asks, for which claims and what for, and may say no. Nothing but
the claims named here is kept of what she shows, for a day. The request is answered
once, within minutes, and only at the server under --base-url (aidpass serve).

Who asks is the did:web of the organisation, or with --certificate whoever its first
certificate names. Ask for as little as decides the matter: what the verdict needs and
is not asked for comes back as "not shown". Where something is handed out on the
answer ask for the claim ledger: only then is looked up what was collected. Where several types are asked for, ask for
the claim ledger too: one person's one-time credentials have nothing else in common.`,
		Example: `  aidpass request create --type eligibility --claim programme --claim round --purpose "To see whether you are due blankets"
  aidpass request create --type eligibility --claim round --purpose "To see your round" --purpose fr="Pour voir votre tour" --qr ask.png
  aidpass request create --type registration --claim name --purpose "To open an account" --same-device --base-url https://aid.relief-b.example/i1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			p, err := f.policy(o)
			if err != nil {
				return err
			}
			t, err := a.requests(o).New(cmd.Context(), a.actor(access.Verifier), p)
			if errors.Is(err, request.ErrPolicy) {
				return usagef("%w", err).hint("aidpass request create --help")
			} else if err != nil {
				return err
			}
			return a.printAsked(t, f)
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.types, "type", nil, "type of credential, as eligibility; repeat")
	fl.StringArrayVar(&f.claims, "claim", nil, "claim asked for, as round; with several types as eligibility.round; repeat")
	fl.StringArrayVar(&f.optional, "optional", nil, "claim that the person may leave out, as --claim; repeat: she tells all of these or none")
	fl.StringArrayVar(&f.purposes, "purpose", nil, "what for, as the person reads it; in other languages fr=TEXT; repeat")
	fl.StringArrayVar(&f.formats, "format", nil, "forms taken, the preferred first: dc+sd-jwt (the default), jwt_vc_json, which shows the whole credential")
	fl.StringVar(&f.base, "base-url", "", "https address that wallets reach the server under (default: the organisation's id)")
	fl.StringVar(&f.wallet, "wallet", request.OpenLink, "what the link begins with: the https address of one wallet in place of any")
	fl.StringVar(&f.certificate, "certificate", "", "ask as this certificate's holder: its chain, PEM, of the request key")
	fl.StringVar(&f.qr, "qr", "", "write the QR code to this PNG too")
	fl.BoolVar(&f.sameDevice, "same-device", false, "who asks sits at the device of the wallet, which sends the browser back")
	fl.BoolVar(&f.clear, "in-the-clear", false, "take an answer that is encrypted by https alone (direct_post)")
	fl.BoolVar(&f.unsigned, "unsigned", false, "ask without saying who asks: for tests")
	fl.IntVar(&f.minutes, "minutes", 5, "how long it may be answered, 1 to 15")
	return cmd
}

// requests is the desk of questions of an organisation, for asking and looking: what
// answers come in, the server takes.
func (a *app) requests(o *org) *request.Service { return &request.Service{Store: o.store, Now: a.Now} }

// policy reads the flags.
func (f *requestFlags) policy(o *org) (p request.Policy, err error) {
	p = request.Policy{Base: f.base, SameDevice: f.sameDevice, Life: time.Duration(f.minutes) * time.Minute, Purpose: map[string]string{}}
	if p.Base == "" {
		p.Base = strings.TrimSuffix(o.entry.ID, "/")
	}
	if f.clear {
		p.Mode = request.DirectPost
	}
	for _, text := range f.purposes {
		tag, rest, ok := strings.Cut(text, "=")
		if !ok || len(tag) > 3 || strings.ToLower(tag) != tag {
			tag, rest = "en", text
		}
		p.Purpose[tag] = rest
	}
	if p.Wanted, err = f.wanted(); err != nil {
		return p, err
	}
	p.Client = request.Client{Scheme: request.DID, Name: o.entry.Names}
	switch id, ok := did.OfWeb(o.entry.ID); {
	case f.unsigned:
		p.Client.Scheme = request.RedirectURI
	case f.certificate != "":
		p.Client.Scheme = request.X509Hash
		p.Client.Chain, err = readChain(f.certificate)
	case !ok:
		err = usagef("the organisation's id %s is no https address, so no did:web says who asks", o.entry.ID).hint("--certificate chain.pem")
	default:
		p.Client.DID = id
	}
	return p, err
}

// wanted reads --type, --claim and --optional: each claim must be one of its type's that
// wallets hold.
func (f *requestFlags) wanted() (list []request.Wanted, err error) {
	taken := map[string]bool{}
	for _, name := range f.types {
		t := schemas.ByName(name)
		if t == nil {
			return nil, usagef("no type is called %q", name).hint("one of %s", strings.Join(typeNames(), " "))
		}
		w := request.Wanted{ID: name, VCT: t.VCT, Formats: f.formats}
		for i, said := range slices.Concat(f.claims, f.optional) {
			claim := said
			if of, rest, ok := strings.Cut(said, "."); ok {
				if of != name {
					continue
				}
				claim = rest
			}
			switch c := t.Claim(claim); {
			case claim == "ledger":
				claim = schemas.LedgerClaim
			case c == nil && (len(f.types) == 1 || claim != said):
				return nil, usagef("a credential of type %s has no claim %q", name, claim).hint("one of %s", strings.Join(shareable(t), " "))
			case c == nil:
				continue
			case c.Disclosure == schemas.DiscloseNever:
				return nil, usagef("the claim %q of type %s is never shared", claim, name).hint("one of %s", strings.Join(shareable(t), " "))
			}
			taken[said] = true
			if i < len(f.claims) {
				w.Claims = append(w.Claims, claim)
			} else {
				w.Optional = append(w.Optional, claim)
			}
		}
		list = append(list, w)
	}
	for _, said := range slices.Concat(f.claims, f.optional) {
		if !taken[said] {
			return nil, usagef("no type asked for has the claim %q", said).hint("--type TYPE --claim CLAIM, or --claim TYPE.CLAIM")
		}
	}
	return list, nil
}

func typeNames() (names []string) {
	for _, t := range schemas.Embedded() {
		names = append(names, t.Name)
	}
	return names
}

func shareable(t *schemas.Type) (names []string) {
	for _, c := range t.Claims {
		if c.Disclosure != schemas.DiscloseNever {
			names = append(names, c.Name)
		}
	}
	return names
}

// maxChain bounds a file of certificates, in bytes.
const maxChain = 64 << 10

func readChain(path string) (chain [][]byte, err error) {
	rest, err := readFile(path, maxChain)
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			chain = append(chain, block.Bytes)
		}
	}
	if chain == nil {
		return nil, usagef("%s holds no certificate in PEM", path)
	}
	return chain, nil
}

// qrPixels is the size of a module of the picture of a request.
const qrPixels = 8

func (a *app) printAsked(t *request.Started, f requestFlags) error {
	link := t.Link(f.wallet)
	if f.qr != "" {
		picture, err := qrcode.PNG(link, qrcode.L, qrPixels)
		if err != nil {
			return usagef("the link does not fit into a QR code: %w", err).hint("a shorter --base-url; an unsigned request is long")
		}
		if err := writeFile(f.qr, picture); err != nil {
			return err
		}
	}
	result := map[string]any{"id": t.ID, "link": link, "until": t.Expires.Format(time.RFC3339), "client_id": t.ClientID(), "session": t.Session, "result": t.ResultURI(), "open": t.ResultURI() + "/for/" + t.Session}
	return a.print(result, func(w io.Writer) {
		if m, err := qrcode.Matrix(link, qrcode.L); err == nil {
			writeBlocks(w, m, a.stdoutIsTerminal())
		}
		fmt.Fprintf(w, "%s\nrequest %s, to be answered until %s\n", link, t.ID, t.Expires.Format("15:04 UTC"))
		say, _ := words.Language("en")
		for _, c := range t.Query.Credentials {
			fmt.Fprintf(w, "asks for %s of %s\n", askedFor(&c, say), typeLabel(c.ID, "en"))
		}
		fmt.Fprintf(w, "the answer appears at %s/for/%s, for the browser that opens it; give the address to nobody\n", t.ResultURI(), t.Session)
	})
}

// askedFor names the claims of a query.
func askedFor(c *dcql.Credential, say *words.Catalogue) string {
	var names []string
	needed := len(c.Claims)
	if c.ClaimSets != nil {
		needed = len(c.ClaimSets[len(c.ClaimSets)-1])
	}
	for i, claim := range c.Claims {
		name := claim.Path.String()
		if i >= needed {
			name = requestSays(say, "optional", "claim", name)
		}
		names = append(names, name)
	}
	if names == nil {
		return requestSays(say, "nothing")
	}
	return strings.Join(names, ", ")
}

// typeOf is the type that an id of a query begins with; nil where it is none of ours.
func typeOf(id string) *schemas.Type {
	name, _, _ := strings.Cut(id, "-")
	return schemas.ByName(name)
}

// typeLabel is how people call it.
func typeLabel(id, lang string) string {
	if t := typeOf(id); t != nil {
		return t.Label(lang)
	}
	return id
}
