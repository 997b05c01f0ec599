package offer

import (
	"maps"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/internal/jose"
	"aidpass/schemas"
)

// The formats a wallet can ask for. dc+sd-jwt is defined by OpenID4VCI A.3. For W3C
// credentials of version 2 it defines none: jwt_vc_json is that of version 1.1, whose
// readers would take ours for one (A.1.1). So vc+jwt is used, the name that their media
// type has (VC-JOSE-COSE 6.1.2). aidpass-card is our own: the text of the QR code of a
// card that is bound to the wallet's key. Wallets pass over what they do not know.
const (
	FormatSDJWT = "dc+sd-jwt"
	FormatVCJWT = "vc+jwt"
	FormatCard  = "aidpass-card"
)

// A configuration is one type in one format.
type configuration struct {
	ID     string
	Type   *schemas.Type
	Form   credential.Form
	Format string
}

// forms are what a type is offered in, each with the end of its configuration's id.
var forms = [...]struct {
	form   credential.Form
	suffix string
	format string
}{
	{credential.FormSDJWT, "_sd_jwt", FormatSDJWT},
	{credential.FormVCJWT, "_vc_jwt", FormatVCJWT},
	{credential.FormBound, "_card", FormatCard},
}

// Forms are the forms of wallets, in the order they are offered.
func Forms() (list []credential.Form) {
	for _, f := range forms {
		list = append(list, f.form)
	}
	return list
}

// configurationID is the id of a type in a form, "" if wallets have no such form.
func configurationID(typeName string, f credential.Form) string {
	for _, x := range forms {
		if x.form == f {
			return typeName + x.suffix
		}
	}
	return ""
}

func (s *Service) configurations() (list []configuration) {
	for _, t := range s.Types {
		if s.Gives != nil && !s.Gives(t) {
			continue
		}
		for _, f := range forms {
			list = append(list, configuration{t.Name + f.suffix, t, f.form, f.format})
		}
	}
	return list
}

// configuration returns the one with this id, nil if there is none.
func (s *Service) configuration(id string) *configuration {
	for _, t := range s.Types {
		suffix, ok := strings.CutPrefix(id, t.Name)
		if !ok {
			continue
		}
		for _, f := range forms {
			if f.suffix == suffix {
				return &configuration{id, t, f.form, f.format}
			}
		}
	}
	return nil
}

func text(name, s string) jose.Member { return jose.Member{Name: name, Value: jose.StringOf(s)} }

func texts(name string, list ...string) jose.Member {
	return jose.Member{Name: name, Value: stringsOf(list)}
}

func object(name string, members ...jose.Member) jose.Member {
	return jose.Member{Name: name, Value: jose.ObjectOf(members...)}
}

// Metadata is the credential issuer metadata: the same service gives the same bytes, as
// long as Gives says the same.
//
// OpenID4VCI 12.2.4.
func (s *Service) Metadata() []byte {
	supported := jose.ObjectOf()
	for _, c := range s.configurations() {
		supported.Members = append(supported.Members, jose.Member{Name: c.ID, Value: c.metadata(s.SigningAlgs)})
	}
	m := []jose.Member{
		text("credential_issuer", s.Issuer),
		text("credential_endpoint", s.Issuer+CredentialPath),
		text("nonce_endpoint", s.Issuer+NoncePath),
		text("deferred_credential_endpoint", s.Issuer+DeferredPath),
		text("notification_endpoint", s.Issuer+NotificationPath),
		object("batch_credential_issuance", jose.Member{Name: "batch_size", Value: jose.IntOf(BatchSize)}),
		{Name: "credential_configurations_supported", Value: supported},
	}
	if d := display(s.Name, nil); len(d.Items) > 0 {
		m = append(m, jose.Member{Name: "display", Value: d})
	}
	for name, v := range map[string]jose.Value{"credential_request_encryption": s.RequestEncryption, "credential_response_encryption": s.ResponseEncryption} {
		if v.Kind != jose.Missing {
			m = append(m, jose.Member{Name: name, Value: v})
		}
	}
	return jose.ObjectOf(m...).Sorted().Append(nil)
}

func (c *configuration) metadata(algs []string) jose.Value {
	m := []jose.Member{
		text("format", c.Format),
		text("scope", c.ID),
		texts("cryptographic_binding_methods_supported", "jwk", "did:jwk", "did:key"),
		object("proof_types_supported", object("jwt", texts("proof_signing_alg_values_supported", "ES256"))),
		object("credential_metadata",
			jose.Member{Name: "display", Value: display(c.Type.Labels, c.Type.Descriptions)}, jose.Member{Name: "claims", Value: c.claims()}),
	}
	if len(algs) > 0 && c.Form != credential.FormBound {
		m = append(m, texts("credential_signing_alg_values_supported", algs...))
	}
	switch c.Form {
	case credential.FormVCJWT:
		m = append(m, object("credential_definition", texts("type", "VerifiableCredential", c.Type.VCT)))
	default:
		m = append(m, text("vct", c.Type.VCT))
	}
	return jose.ObjectOf(m...)
}

// claims describes what the credential may say, in the order of the type.
//
// OpenID4VCI B.2; paths as C.
func (c *configuration) claims() jose.Value {
	list := jose.ArrayOf()
	for i := range c.Type.Claims {
		claim := &c.Type.Claims[i]
		path := jose.ArrayOf(jose.StringOf(claim.Name))
		switch {
		case c.Form == credential.FormBound && claim.Placement == schemas.Never,
			c.Form != credential.FormBound && claim.Disclosure == schemas.DiscloseNever,
			c.Form == credential.FormVCJWT && claim.Sensitivity >= 2:
			continue // as the desk does
		case c.Form == credential.FormVCJWT:
			path = jose.ArrayOf(jose.StringOf("credentialSubject"), jose.StringOf(claim.Name))
		}
		m := []jose.Member{{Name: "path", Value: path}}
		if claim.Required {
			m = append(m, jose.Member{Name: "mandatory", Value: jose.BoolOf(true)})
		}
		if d := display(claim.Labels, nil); len(d.Items) > 0 {
			m = append(m, jose.Member{Name: "display", Value: d})
		}
		list.Items = append(list.Items, jose.ObjectOf(m...))
	}
	return list
}

// display is one object a language, in the order of their tags.
func display(names, descriptions map[string]string) jose.Value {
	list := jose.ArrayOf()
	for _, tag := range slices.Sorted(maps.Keys(names)) {
		m := []jose.Member{text("locale", tag), text("name", names[tag])}
		if d := descriptions[tag]; d != "" {
			m = append(m, text("description", d))
		}
		list.Items = append(list.Items, jose.ObjectOf(m...))
	}
	return list
}

// ServerMetadata is that of the authorisation server, which is the issuer itself:
// the same service gives the same bytes.
//
// RFC 8414 2; OpenID4VCI 12.3.
func (s *Service) ServerMetadata() []byte {
	m := []jose.Member{
		text("issuer", s.Issuer),
		text("token_endpoint", s.Issuer+TokenPath),
		texts("token_endpoint_auth_methods_supported", "none"),
		{Name: "pre-authorized_grant_anonymous_access_supported", Value: jose.BoolOf(true)},
	}
	grants := []string{GrantPreAuthorized}
	if s.SignIn {
		grants = append(grants, GrantAuthorizationCode)
		m = append(m, text("authorization_endpoint", s.Issuer+AuthorizePath),
			texts("response_types_supported", "code"), texts("code_challenge_methods_supported", "S256"),
			jose.Member{Name: "authorization_response_iss_parameter_supported", Value: jose.BoolOf(true)})
		scopes := []string{}
		for _, c := range s.configurations() {
			scopes = append(scopes, c.ID)
		}
		m = append(m, texts("scopes_supported", scopes...))
	} else {
		m = append(m, texts("response_types_supported"))
	}
	m = append(m, texts("grant_types_supported", grants...), texts("authorization_details_types_supported", DetailsType)) // RFC 9396 10
	return jose.ObjectOf(m...).Sorted().Append(nil)
}
