package did

import (
	"strconv"
	"strings"
)

// WebURL returns the https address of the document of a did:web.
//
//	did:web:a.example             https://a.example/.well-known/did.json
//	did:web:a.example%3A8443:x:y  https://a.example:8443/x/y/did.json
//
// The host is a name in lower case and never an address in digits; a path holds
// letters, digits and . _ - only, and no step up. Escapes other than the port's
// are refused, since servers and proxies undo them differently. Faults are
// ErrSyntax, and ErrMethod for another kind of identifier.
//
// did:web, "Read (Resolve)".
func WebURL(id string) (string, error) {
	rest, ok := strings.CutPrefix(id, "did:web:")
	if !ok {
		return "", ErrMethod
	}
	if len(id) > MaxDID {
		return "", syntax("longer than 1024 bytes")
	}
	authority, path, deeper := strings.Cut(rest, ":")
	host, port, err := splitPort(authority)
	if err != nil {
		return "", err
	}
	if !IsHost(host) {
		return "", syntax("did:web wants the name of a host in lower case, not an address")
	}
	if !deeper {
		return "https://" + host + port + "/.well-known/did.json", nil
	}
	for step := range strings.SplitSeq(path, ":") {
		if !isStep(step) {
			return "", syntax("a path with an empty step, a step up or an odd character")
		}
	}
	return "https://" + host + port + "/" + strings.ReplaceAll(path, ":", "/") + "/did.json", nil
}

// OfWeb returns the did:web whose document stands at an https address of an
// organisation such as https://a.example:8443/x: its issuer identifier. ok is
// false where there is none.
func OfWeb(url string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(url, "https://")
	if !ok {
		return "", false
	}
	host, path, deeper := strings.Cut(rest, "/")
	id = "did:web:" + strings.Replace(host, ":", "%3A", 1)
	if deeper {
		id += ":" + strings.ReplaceAll(path, "/", ":")
	}
	_, err := WebURL(id)
	return id, err == nil
}

// splitPort reads host or host%3Aport; port comes back with its colon, or empty.
func splitPort(authority string) (host, port string, err error) {
	host, port, ok := strings.Cut(authority, "%3A")
	if !ok {
		return host, "", nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return "", "", syntax("a port that is none")
	}
	return host, ":" + port, nil
}

// IsHost reports whether s is a host's name as DNS has it, in lower case, and
// cannot be read as an address by anybody: its last label begins with a letter,
// so 127.1, 0x7f000001 and 2130706433 are none.
//
// RFC 1123 2.1; RFC 3986 7.4.
func IsHost(s string) bool {
	if len(s) > 253 {
		return false
	}
	label := ""
	for label = range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return label[0] >= 'a' && label[0] <= 'z'
}

// isStep reports whether s may stand between two slashes.
func isStep(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return s != "" && strings.Trim(s, ".") != ""
}
