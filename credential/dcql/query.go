package dcql

import (
	"errors"
	"fmt"
	"strings"

	"aidpass/internal/jose"
)

// Limits of a query. They are far above what a person could be asked on a screen.
const (
	MaxBytes       = 64 << 10
	MaxCredentials = 16 // and as many credential sets, and options of one
	MaxClaims      = 64 // of one credential, and as many claim sets
	MaxPath        = 8  // steps; claims lie no deeper (sdjwt.MaxDepth)
	MaxValues      = 32 // of one claim, one meta parameter or one authority
	MaxID          = 64 // bytes
	MaxText        = 512
)

// ErrQuery: not a query. A wallet answers it with invalid_request.
var ErrQuery = errors.New("dcql: not a query")

// Formats of credentials (OpenID4VP 1.0 appendix B). Others are read and match
// nothing here.
const (
	FormatSDJWT = "dc+sd-jwt"
	FormatJWTVC = "jwt_vc_json" // a W3C credential as a JWT
	FormatVCJWT = "vc+jwt"      // the same, by the name of its media type
)

// Query is what a verifier asks for.
type Query struct {
	Credentials []Credential
	// Sets says which combinations do; nil: every credential is asked for.
	Sets []Set
}

// Credential asks for one credential, or for several of one kind.
type Credential struct {
	ID     string // letters, digits, _ and -; once in a query
	Format string
	// Multiple allows more than one answer.
	Multiple bool
	// VCTs are the types taken, of FormatSDJWT; nil: any.
	VCTs []string
	// Types are the alternatives taken, of the W3C formats: each a set of types that
	// must all be there; nil: any.
	Types [][]string
	// Authorities are those of which one must vouch for the issuer; nil: any.
	Authorities []Authority
	// Unbound: no proof is asked for that whoever shows it is its holder.
	Unbound bool
	// Claims asked for; nil: none that the holder could leave out.
	Claims []Claim
	// ClaimSets are alternatives of claims by their ids, the preferred first; nil:
	// all claims are asked for.
	ClaimSets [][]string
}

// Claim asks for one claim, or for all that its path leads to.
type Claim struct {
	ID   string // empty where no set of claims names it
	Path Path
	// Values are those that are wanted: texts, whole numbers and truth values; nil: any.
	Values []jose.Value
}

// Authority names who vouches for issuers, such as a certificate by its key id.
type Authority struct {
	Type   string // aki, etsi_tl, openid_federation or another
	Values []string
}

// Set asks for one of several combinations of credentials.
type Set struct {
	Options  [][]string // ids of credentials
	Optional bool
}

// Find returns the credential called id, or nil.
func (q *Query) Find(id string) *Credential {
	for i := range q.Credentials {
		if q.Credentials[i].ID == id {
			return &q.Credentials[i]
		}
	}
	return nil
}

// jsonLimits are those of the JSON a query is written in.
var jsonLimits = jose.Limits{Depth: 10, Entries: 256, Values: 4096}

// Parse reads a query of at most MaxBytes. Members that the standard does not know are
// ignored. The error wraps ErrQuery and says where the query is wrong.
func Parse(raw []byte) (*Query, error) {
	if len(raw) > MaxBytes {
		return nil, bad("%d bytes, at most %d", len(raw), MaxBytes)
	}
	v, err := jose.ParseJSON(raw, jsonLimits)
	if err != nil {
		return nil, bad("%w", err)
	}
	return Read(v)
}

// Read is Parse for a query that stands inside other JSON.
func Read(v jose.Value) (*Query, error) {
	if v.Kind != jose.Object {
		return nil, bad("it is not an object")
	}
	q := &Query{}
	list, err := array(v, "credentials", MaxCredentials, true)
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		c, err := readCredential(item)
		if err != nil {
			return nil, fmt.Errorf("%w, in credentials[%d]", err, i)
		}
		if q.Find(c.ID) != nil {
			return nil, bad("the id %q twice", c.ID)
		}
		q.Credentials = append(q.Credentials, c)
	}
	list, err = array(v, "credential_sets", MaxCredentials, false)
	if err != nil {
		return nil, err
	}
	for i, item := range list {
		s, err := q.readSet(item)
		if err != nil {
			return nil, fmt.Errorf("%w, in credential_sets[%d]", err, i)
		}
		q.Sets = append(q.Sets, s)
	}
	return q, nil
}

func (q *Query) readSet(v jose.Value) (s Set, err error) {
	if v.Kind != jose.Object {
		return s, bad("a set is not an object")
	}
	if s.Options, err = texts2(v, "options", MaxCredentials, MaxCredentials); err != nil {
		return s, err
	}
	if s.Options == nil {
		return s, bad("no options")
	}
	for _, option := range s.Options {
		for _, id := range option {
			if q.Find(id) == nil {
				return s, bad("an option names %q, which is not asked for", clip(id))
			}
		}
	}
	required, err := boolean(v, "required", true)
	s.Optional = !required
	return s, err
}

func readCredential(v jose.Value) (c Credential, err error) {
	if v.Kind != jose.Object {
		return c, bad("a credential is not an object")
	}
	if c.ID, err = identifier(v, true); err != nil {
		return c, err
	}
	if c.Format, err = text(v.Get("format"), "format"); err != nil {
		return c, err
	}
	if c.Multiple, err = boolean(v, "multiple", false); err != nil {
		return c, err
	}
	bound, err := boolean(v, "require_cryptographic_holder_binding", true)
	if err != nil {
		return c, err
	}
	c.Unbound = !bound
	if err := c.readMeta(v.Get("meta")); err != nil {
		return c, err
	}
	list, err := array(v, "trusted_authorities", MaxValues, false)
	if err != nil {
		return c, err
	}
	for _, item := range list {
		var a Authority
		if a.Type, err = text(item.Get("type"), "type"); err != nil {
			return c, err
		}
		if a.Values, err = texts(item, "values", MaxValues); err != nil {
			return c, err
		}
		if a.Values == nil {
			return c, bad("an authority without values")
		}
		c.Authorities = append(c.Authorities, a)
	}
	return c, c.readClaims(v)
}

// readMeta reads the parameters of the formats we know; those of others say nothing
// to us, and such a credential is never found.
func (c *Credential) readMeta(meta jose.Value) (err error) {
	if meta.Kind != jose.Object {
		return bad("no meta")
	}
	switch c.Format {
	case FormatSDJWT:
		c.VCTs, err = texts(meta, "vct_values", MaxValues)
	case FormatJWTVC, FormatVCJWT:
		c.Types, err = texts2(meta, "type_values", MaxValues, MaxValues)
	}
	return err
}

func (c *Credential) readClaims(v jose.Value) error {
	list, err := array(v, "claims", MaxClaims, false)
	if err != nil {
		return err
	}
	for _, item := range list {
		var claim Claim
		if item.Kind != jose.Object {
			return bad("a claim is not an object")
		}
		if claim.ID, err = identifier(item, false); err != nil {
			return err
		}
		if claim.ID != "" && c.claim(claim.ID) != nil {
			return bad("the claim %q twice", claim.ID)
		}
		if claim.Path, err = ReadPath(item.Get("path")); err != nil {
			return err
		}
		if claim.Values, err = array(item, "values", MaxValues, false); err != nil {
			return err
		}
		for _, want := range claim.Values {
			if _, whole := want.Int(); !whole && want.Kind != jose.String && want.Kind != jose.Boolean {
				return bad("values hold what is no text, whole number or truth value")
			}
		}
		c.Claims = append(c.Claims, claim)
	}
	if c.ClaimSets, err = texts2(v, "claim_sets", MaxClaims, MaxClaims); err != nil {
		return err
	}
	for _, set := range c.ClaimSets {
		for _, id := range set {
			if c.claim(id) == nil {
				return bad("claim_sets name %q, which is no claim", clip(id))
			}
		}
	}
	return nil
}

// claim returns the claim called id, or nil.
func (c *Credential) claim(id string) *Claim {
	for i := range c.Claims {
		if id != "" && c.Claims[i].ID == id {
			return &c.Claims[i]
		}
	}
	return nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrQuery}, args...)...)
}

// clip keeps what a stranger wrote short enough for an error.
func clip(s string) string { return s[:min(len(s), MaxID)] }

func text(v jose.Value, name string) (string, error) {
	if v.Kind != jose.String || v.Text == "" || len(v.Text) > MaxText {
		return "", bad("%s is not a text of 1 to %d bytes", name, MaxText)
	}
	return v.Text, nil
}

// identifier reads the member id: letters, digits, hyphens and underscores.
func identifier(v jose.Value, must bool) (string, error) {
	id := v.Get("id")
	if id.Kind == jose.Missing && !must {
		return "", nil
	}
	if id.Kind != jose.String || !isID(id.Text) {
		return "", bad("an id is not 1 to %d letters, digits, _ and -", MaxID)
	}
	return id.Text, nil
}

func isID(s string) bool {
	const may = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	return s != "" && len(s) <= MaxID && strings.Trim(s, may) == ""
}

func boolean(v jose.Value, name string, absent bool) (bool, error) {
	m := v.Get(name)
	if m.Kind == jose.Missing {
		return absent, nil
	}
	b, ok := m.Bool()
	if !ok {
		return false, bad("%s is neither true nor false", name)
	}
	return b, nil
}

// array reads a list that is not empty; nil where it may be absent and is.
func array(v jose.Value, name string, most int, must bool) ([]jose.Value, error) {
	m := v.Get(name)
	if m.Kind == jose.Missing && !must {
		return nil, nil
	}
	if m.Kind != jose.Array || len(m.Items) == 0 || len(m.Items) > most {
		return nil, bad("%s is not a list of 1 to %d", name, most)
	}
	return m.Items, nil
}

func texts(v jose.Value, name string, most int) (out []string, err error) {
	list, err := array(v, name, most, false)
	for _, item := range list {
		t, err := text(item, name)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, err
}

// texts2 reads a list of lists of texts.
func texts2(v jose.Value, name string, most, each int) (out [][]string, err error) {
	list, err := array(v, name, most, false)
	for _, item := range list {
		inner, err := texts(jose.ObjectOf(jose.Member{Name: name, Value: item}), name, each)
		if err != nil {
			return nil, err
		}
		out = append(out, inner)
	}
	return out, err
}
