package openid

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"aidpass/internal/jose"
	"aidpass/issuer/offer"
	"aidpass/verifier/request"
)

// Limits of what is sent here, in bytes unless said otherwise.
const (
	maxForm   = 8 << 10                    // of the token endpoint
	maxAnswer = request.MaxAnswer + 64<<10 // of a wallet's presentation: as a form it grows a little
	maxJSON   = offer.MaxBody
	maxFields = 32      // of a form, by number
	maxAhead  = 8 << 10 // for which room is made before it has come
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	jwtType  = "application/jwt"
)

// readBody reads a body of one of these media types, and of max bytes at most. A
// query is refused with all of them: a code or a token in an address ends up in the
// logs of whatever stands between (RFC 6750 5.3).
func readBody(w http.ResponseWriter, r *http.Request, max int, types ...string) (body []byte, mediaType string, err error) {
	if r.ContentLength > int64(max) {
		return nil, "", errTooLarge
	}
	if r.URL.RawQuery != "" {
		return nil, "", errQuery
	}
	lines := r.Header.Values("Content-Type")
	if len(lines) != 1 {
		return nil, "", errMedia
	}
	mediaType, parameters, err := mime.ParseMediaType(lines[0])
	if err != nil {
		return nil, "", errMedia
	}
	known := false
	for _, t := range types {
		known = known || t == mediaType
	}
	if set, there := parameters["charset"]; !known || there && !strings.EqualFold(set, "utf-8") {
		return nil, "", errMedia
	}
	whole := http.MaxBytesReader(w, r.Body, int64(max))
	if n := r.ContentLength; 0 <= n && n <= maxAhead { // net/http gives this many, or an error
		body = make([]byte, n)
		_, err = io.ReadFull(whole, body)
	} else {
		body, err = io.ReadAll(whole)
	}
	if err != nil {
		return nil, "", bodyFault(err)
	}
	return body, mediaType, nil
}

// A form has each of its fields once.
type form map[string]string

// parseForm reads a form. A field that comes twice refuses it, whichever it is: two
// programs would each take another one (RFC 6749 3.2).
func parseForm(body string) (form, error) {
	f := form{}
	if body == "" {
		return f, nil
	}
	if strings.Count(body, "&") >= maxFields {
		return nil, errForm
	}
	for pair := range strings.SplitSeq(body, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil || name == "" || !utf8.ValidString(name) {
			return nil, errForm
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil || !utf8.ValidString(value) {
			return nil, errForm
		}
		if _, again := f[name]; again {
			return nil, errRepeated
		}
		f[name] = value
	}
	return f, nil
}

// readForm reads the form of a request.
func readForm(w http.ResponseWriter, r *http.Request, max int) (form, error) {
	body, _, err := readBody(w, r, max, formType)
	if err != nil {
		return nil, err
	}
	return parseForm(string(body))
}

// jsonLimits bound the JSON of wallets.
var jsonLimits = jose.Limits{Depth: 8, Entries: 512, Values: 4096}

// bearer returns the access token of a request; "" for none. The word Bearer is
// written in any case (RFC 9110 11.1), and there is one of it.
func bearer(r *http.Request) string {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(lines[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}
