// Package floorplan knows which package of aidpass may import which, and says in
// a sentence what stands wrong. Its tests hold the whole module to it.
//
// The plan is a building. A package imports packages on floors below its own, or
// further left on its own line. The lowest three floors are the pure core: they
// also run in a browser, so they take bytes, times and lists as arguments and
// reach no network, database, file, clock, log or flag, not even through others.
//
// A new package gets its name into floors below and into ARCHITECTURE.md.
package floorplan

import "strings"

// floors, from the ground up. A name ending in /... stands for every package
// beneath it. Names of packages that do not exist yet are the plan.
var floors = [...][]string{
	{ // 1: words, bytes and signatures
		"internal/base45", "internal/cbor", "internal/p256", "internal/cose", "internal/jose", "internal/did",
		"words", "schemas",
		"credential/internal/proven", "credential", "credential/internal/jwtclaims",
		"credential/qr", "credential/cwt", "credential/sdjwt", "credential/vcjwt", "credential/dcql",
	},
	{"trust", "status"}, // 2: who may say what, and what still holds
	{ // 3: the top of the pure core
		"verifier", "verifier/token", "verifier/visit", "verifier/enrol", "verifier/badge", "referral", "wallet", "wallet/openid",
	},
	{ // 4: the desks; each declares the store it needs
		"internal/publicvectors", "internal/qrcode", "internal/patience", "internal/browsertest", "internal/referee", "internal/overheard", "internal/durable", "internal/floorplan",
		"schemas/compile", "verifier/verifiertest",
		"access", "access/accesstest", "access/witness", "access/work", "issuer/registry", "issuer/registry/exercise", "issuer/registry/rights", "issuer/registry/registrytest", "issuer/registry/match", "issuer/registry/doubles", "issuer/registry/roster", "issuer/registry/quality", "issuer/registry/photo",
		"issuer/registry/intake", "issuer/registry/quality/indicator", "issuer/registry/apart", "issuer/registry/imports", "issuer/registry/imports/importstest", "issuer/registry/export", "issuer", "issuer/records",
		"issuer/registry/match/trial",
		"issuer/print/fonts", "issuer/print/pdf", "issuer/print/shape", "issuer/print/proof", "issuer/print", "issuer/press", "issuer/rollcall",
		"issuer/distribution", "issuer/referral", "issuer/insight", "issuer/recheck", "issuer/offer",
		"verifier/request", "verifier/request/requesttest",
	},
	{ // 5: disks and networks, which never meet (see apart)
		"storage/archive", "storage", "storage/keystore", "storage/keystore/keystoretest", "storage/storagetest",
		"web/...",
	},
	{"cmd/aidpass/...", "cmd/aidpass-wasm/...", "bench"}, // 6: what people start
}

const (
	// pureFloors is the number of floors, from the ground, that run in a browser.
	pureFloors = 3
	browser    = "cmd/aidpass-wasm/..." // links the pure floors and nothing else of ours
)

// apart: neither of a pair reaches the other, whatever the floors allow.
var apart = [][2]string{{"storage/...", "web/..."}}

// outside is what the pure core must not reach, through any number of imports.
// The last three would carry reflection or a certificate parser into the browser.
var outside = []string{
	"net", "net/http", "database/sql", "os/exec", "log", "log/slog", "flag", "testing",
	"encoding/json", "text/template", "crypto/x509",
}

// modules of others that the pure core may link. Everything else is the standard library.
var coreModules = []string{
	"golang.org/x/text/unicode/norm", "golang.org/x/text/transform",
	// P-256 in browsers and its arithmetic: docs/decisions/0009.
	"filippo.io/bigmod", "filippo.io/nistec", "filippo.io/nistec/internal/byteorder", "filippo.io/nistec/internal/fiat",
	"filippo.io/nistec/internal/subtle", "golang.org/x/sys/cpu",
}

// notInSource is what the pure core's own files must not import. fmt reaches os,
// so os cannot be forbidden through others.
var notInSource = []string{"os", "os/signal", "os/user", "io/ioutil", "path/filepath", "syscall", "math/rand", "math/rand/v2"}

// clocks are the functions of package time that read or wait for the real time.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// place is where a package stands. The zero place is nowhere: floors count from 1.
type place struct{ floor, rank int }

// find returns the place of a package, given without the module's name.
func find(name string) place {
	rank := 0
	for i, line := range floors {
		for _, entry := range line {
			rank++
			if covers(entry, name) {
				return place{i + 1, rank}
			}
		}
	}
	return place{}
}

// covers reports whether entry is name itself, or a pattern ending in /... over it.
func covers(entry, name string) bool {
	base, wild := strings.CutSuffix(entry, "/...")
	return name == base || wild && strings.HasPrefix(name, base+"/")
}
