package offer

import (
	"slices"
	"strings"

	"aidpass/internal/jose"
)

// DetailsType is the type of authorization_details that is taken here. OpenID4VCI 5.1.1.
const DetailsType = "openid_credential"

const maxDetails = 4096 // bytes of authorization_details

// parseDetails reads authorization_details as the configurations they name, each once,
// in their order. Members that are not known are passed over, as the standard wants;
// another type, another issuer and what is not offered here are refused by name.
//
// Fault: invalid_authorization_details.
//
// OpenID4VCI 5.1.1 and 6.1.1, RFC 9396 5.
func (s *Service) parseDetails(text string) (ids []string, err error) {
	bad := func(description string) ([]string, error) {
		return nil, fault(InvalidAuthorizationDetails, description)
	}
	if len(text) > maxDetails {
		return bad("authorization_details is too long")
	}
	v, err := jose.ParseJSON([]byte(text), bodyLimits)
	if err != nil || v.Kind != jose.Array || len(v.Items) == 0 {
		return bad("authorization_details is not an array with objects in it")
	}
	for _, d := range v.Items {
		kind, id, at := d.Get("type"), d.Get("credential_configuration_id"), d.Get("locations")
		switch {
		case d.Kind != jose.Object || kind.Kind != jose.String:
			return bad("authorization_details has an item without type")
		case kind.Text != DetailsType:
			return bad("the type " + plain(kind.Text) + " is not taken here: openid_credential is")
		case at.Kind != jose.Missing && !slices.ContainsFunc(at.Items, func(l jose.Value) bool { return l.Kind == jose.String && l.Text == s.Issuer }):
			return bad("locations names another issuer than this one")
		case id.Kind != jose.String:
			return bad("credential_configuration_id is missing")
		case s.configuration(id.Text) == nil:
			return bad("the credential configuration " + plain(id.Text) + " is not offered here")
		case !slices.Contains(ids, id.Text):
			ids = append(ids, id.Text)
		}
	}
	return ids, nil
}

// plain is a wallet's text as it may stand in a fault's description.
func plain(text string) string {
	if len(text) > 64 {
		text = text[:64]
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:", r) {
			return r
		}
		return '?'
	}, text)
}

// identifier names what a token gives of a configuration: made, not drawn, so that
// nothing more is kept, and good with that token alone.
func (s *Service) identifier(token, configuration string) string {
	m := s.mark(markIdentifier, token, configuration)
	return jose.EncodeBase64(m[:secret])
}

// granted are the authorization_details of a token response.
func (s *Service) granted(token string, ids []string) jose.Value {
	list := jose.ArrayOf()
	for _, id := range ids {
		list.Items = append(list.Items, jose.ObjectOf(
			jose.Member{Name: "credential_configuration_id", Value: jose.StringOf(id)},
			jose.Member{Name: "credential_identifiers", Value: stringsOf([]string{s.identifier(token, id)})},
			jose.Member{Name: "type", Value: jose.StringOf(DetailsType)}))
	}
	return list
}

// A code of the authorisation code grant, and an access token, says behind its random part
// which configurations authorization_details asked for and which scope did, if they did: it
// is good for no others, the token response must repeat the former, and nothing of it is
// kept but the mark of the whole. One that names none is good for the whole offer.
const (
	codeMark  = "~"
	scopeMark = "." // before what scope asked for; no configuration's id begins with it
)

func codeWith(random string, details, scope []string) string {
	parts := append([]string{random}, details...)
	for _, id := range scope {
		if part := scopeMark + id; !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, codeMark)
}

func splitCode(code string) (random string, details, scope []string) {
	parts := strings.Split(code, codeMark)
	for _, part := range parts[1:] {
		if id, ok := strings.CutPrefix(part, scopeMark); ok {
			scope = append(scope, id)
		} else {
			details = append(details, part)
		}
	}
	return parts[0], details, scope
}
