package access

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is what a password's hash costs (RFC 9106): Memory in KiB, Passes over it.
type Cost struct {
	Memory, Passes uint32
	Lanes          uint8
}

// DefaultCost is the second recommendation of RFC 9106 section 4 in one lane: 64 MiB,
// three passes, some 0.2 s of a field laptop.
var DefaultCost = Cost{Memory: 64 << 10, Passes: 3, Lanes: 1}

// hashers is how many passwords are hashed at once.
const hashers = 2

const (
	saltBytes = 16
	hashBytes = 32
)

// maxCost bounds what a stored hash may ask for, so that an altered one cannot take the memory.
var maxCost = Cost{Memory: 1 << 20, Passes: 32, Lanes: 16}

func (d *Door) cost() Cost {
	if d.Cost == (Cost{}) {
		return DefaultCost
	}
	return d.Cost
}

// argon runs the hash, a few at a time.
func (d *Door) argon(password string, salt []byte, c Cost) []byte {
	d.mu.Lock()
	if d.hashing == nil {
		d.hashing = make(chan struct{}, hashers)
	}
	turn := d.hashing
	d.mu.Unlock()
	turn <- struct{}{}
	defer func() { <-turn }()
	d.hashes.Add(1)
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, c.Passes, c.Memory, c.Lanes, hashBytes)
}

// hash makes what is kept of a password: $argon2id$v=19$m=65536,t=3,p=1$SALT$HASH.
func (d *Door) hash(password string) string {
	c, salt := d.cost(), d.random(saltBytes)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Lanes, b64(salt), b64(d.argon(password, salt, c)))
}

// verify reports whether password is the one of stored, and whether that was made with
// less than today's cost. Without stored, or with one that is no hash, the work is the same.
func (d *Door) verify(password, stored string) (ok, weak bool) {
	c, salt, want, err := readHash(stored)
	if err != nil {
		c, salt, want = d.cost(), make([]byte, saltBytes), make([]byte, hashBytes)
	}
	got := d.argon(password, salt, c)
	today := d.cost()
	return subtle.ConstantTimeCompare(got, want) == 1 && err == nil, c.Memory < today.Memory || c.Passes < today.Passes
}

// readHash takes a hash in PHC form apart.
func readHash(s string) (c Cost, salt, sum []byte, err error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, fmt.Errorf("access: a password's hash is not argon2id")
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Passes, &c.Lanes); err != nil {
		return c, nil, nil, fmt.Errorf("access: a password's cost cannot be read")
	}
	if c.Memory == 0 || c.Passes == 0 || c.Lanes == 0 || c.Memory > maxCost.Memory || c.Passes > maxCost.Passes || c.Lanes > maxCost.Lanes {
		return c, nil, nil, fmt.Errorf("access: a password's cost is out of bounds")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(part[4])
	sum, err2 := base64.RawStdEncoding.DecodeString(part[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(sum) != hashBytes {
		return c, nil, nil, fmt.Errorf("access: a password's hash cannot be read")
	}
	return c, salt, sum, nil
}

// Bounds of passwords: MinPassword in characters, MaxPassword in bytes.
const (
	MinPassword = 12
	MaxPassword = 256
	// minUnusual is how many characters must be left where common words, runs and
	// repetitions count as one.
	minUnusual = 8
)

// common are what passwords are most often made of, in several languages; longer first
// where one holds another.
var common = []string{
	"administrator", "administrador", "administrateur", "contraseña", "contrasena", "motdepasse", "passphrase", "passwort", "password", "passw0rd", "p@ssw0rd", "p@ssword", "passe",
	"welcome", "bienvenue", "bienvenido", "karibu", "marhaba", "salaam", "salam", "hello", "bonjour", "letmein", "opensesame", "changeme", "default", "secret", "login", "admin", "access", "master", "root", "user", "test", "temp", "guest",
	"qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "qwerty", "qwertz", "azerty", "asdf", "zxcv", "1q2w3e4r5t", "1qaz2wsx", "q1w2e3r4",
	"iloveyou", "jetaime", "tequiero", "nakupenda", "princess", "sunshine", "football", "baseball", "dragon", "monkey", "shadow", "superman", "batman", "michael", "jesus", "allah", "muhammad", "mohamed", "maria",
	"january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december", "summer", "winter", "spring", "autumn", "monday", "friday",
	"aidpass", "humanitarian", "refugee", "relief", "unhcr", "unicef", "nairobi", "computer", "internet", "company", "office", "love", "abc",
}

// CheckPassword refuses a password that is short, long, or one of those that are
// guessed first: ErrPassword. account is whose it is.
func CheckPassword(password, account string) error {
	p := norm.NFC.String(password)
	if utf8.RuneCountInString(p) < MinPassword || len(p) > MaxPassword || !utf8.ValidString(p) || unusual(p, account) < minUnusual {
		return ErrPassword
	}
	return nil
}

// unusual counts the characters of a password, where a common word, a part of the
// account, a run as 1234 and a repetition as aaaa are one each.
func unusual(p, account string) int {
	p = strings.ToLower(p)
	words := slices.Clone(common)
	for _, w := range strings.FieldsFunc(account, func(r rune) bool { return strings.ContainsRune("._-@+", r) }) {
		if len(w) >= 3 {
			words = append(words, w)
		}
	}
	for _, w := range words {
		p = strings.ReplaceAll(p, w, "\x00")
	}
	n := 0
	seen := map[rune]bool{}
	var before, step rune // step is how far the two before are apart; a run keeps it
	for _, r := range p {
		far := r - before
		run := n > 0 && (far == 0 || far == step && (far == 1 || far == -1))
		if before, step = r, far; !run {
			n++
		}
		seen[r] = true
	}
	return min(n, 2*len(seen)) // xyzxyzxyz
}
