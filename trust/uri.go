package trust

import "strings"

const (
	maxID  = 256 // bytes of an organisation's id and of a list's
	maxURI = 512 // bytes of a status list URI or prefix
)

const scheme = "https://"

// checkStatusURI says what is wrong with a status list URI or prefix, "" if
// nothing is. Only the plainest form passes, so that no two readers take one
// text for two places: https, lower-case host, no user, no escapes, no dot
// segments, no fragment. RFC 3986 3 and 6.
func checkStatusURI[T string | []byte](u T) string {
	if len(u) < len(scheme) || string(u[:len(scheme)]) != scheme {
		return "not an https URI"
	}
	host := true
	start := len(scheme)
	for i := start; i <= len(u); i++ {
		end := i == len(u)
		if !end {
			switch c := u[i]; {
			case c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' || c == '}':
				return "a character that no URI has"
			case c == '%':
				return "percent-escapes"
			case c == '#':
				return "a fragment"
			case host && c == '@':
				return "a user name"
			case host && c >= 'A' && c <= 'Z':
				return "a host in capitals"
			case c != '/' && c != '?':
				continue
			}
		}
		switch n := i - start; {
		case host && (n == 0 || u[start] == ':'):
			return "no host"
		case !host && (n == 1 && u[start] == '.' || n == 2 && u[start] == '.' && u[start+1] == '.'):
			return "dot segments"
		}
		if !end && u[i] == '?' {
			return checkQuery(u[i+1:])
		}
		host, start = false, i+1
	}
	return ""
}

// checkQuery: a query is read by nobody here, but must not hide what the path
// may not have.
func checkQuery[T string | []byte](q T) string {
	for i := 0; i < len(q); i++ {
		if c := q[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' || c == '#' || c == '%' {
			return "a character that no plain query has"
		}
	}
	return ""
}

// checkPrefix is checkStatusURI for what an organisation claims.
func checkPrefix(p string) string {
	switch {
	case len(p) > maxURI:
		return "too long"
	case strings.ContainsRune(p, '?'):
		return "a query"
	}
	return checkStatusURI(p)
}

// under reports whether uri is prefix or lies beneath it: https://a.example/s
// owns https://a.example/s/1, and neither https://a.example/sx nor
// https://a.example.other.
func under[T string | []byte](prefix string, uri T) bool {
	if len(uri) < len(prefix) || string(uri[:len(prefix)]) != prefix {
		return false
	}
	if len(uri) == len(prefix) || prefix[len(prefix)-1] == '/' {
		return true
	}
	return uri[len(prefix)] == '/' || uri[len(prefix)] == '?'
}

// overlap reports whether one prefix lies under the other.
func overlap(a, b string) bool { return under(a, b) || under(b, a) }

// host returns the authority of a prefix that passed checkPrefix.
func host(prefix string) string {
	h, _, _ := strings.Cut(prefix[len(scheme):], "/")
	return h
}

// checkID says what is wrong with an organisation's or a list's id: it is
// compared byte by byte with iss, so it is plain ASCII and no lookalike passes.
func checkID(id string) string {
	switch {
	case id == "":
		return "empty"
	case len(id) > maxID:
		return "too long"
	case !strings.Contains(id, ":"):
		return "not a URI"
	}
	for i := 0; i < len(id); i++ {
		if c := id[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' || c == '}' {
			return "a character that no URI has"
		}
	}
	return ""
}

// checkCountry: three capital letters, ISO 3166-1 alpha-3 (user-assigned codes
// included, for regions that the standard does not name).
func checkCountry(c string) string {
	ok := len(c) == 3
	for i := 0; i < len(c) && ok; i++ {
		ok = c[i] >= 'A' && c[i] <= 'Z'
	}
	if !ok {
		return "not an ISO 3166-1 alpha-3 code"
	}
	return ""
}
