package access

import (
	"context"
	"errors"
	"testing"
	"time"
)

// RFC 6238 appendix B, SHA-1; its codes have eight digits, of which apps show the last six.
func TestOneTimeCodesAreThoseOfTheStandard(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if step, ok := checkCode(secret, want, time.Unix(at, 0)); !ok || step != at/30 {
			t.Errorf("at %d, code %s: step %d, %v", at, want, step, ok)
		}
		for _, off := range []int64{-90, 90} {
			if _, ok := checkCode(secret, want, time.Unix(at+off, 0)); ok {
				t.Errorf("the code of %d is taken %d s away", at, off)
			}
		}
	}
	for _, bad := range []string{"", "28708", "2870820", "０８１８０４", "287082\x00", "                              287082"} {
		if _, ok := checkCode(secret, bad, time.Unix(59, 0)); ok {
			t.Errorf("%q is taken for a code", bad)
		}
	}
	if _, ok := checkCode(secret, "287 082", time.Unix(59, 0)); !ok {
		t.Error("a code with a blank is refused")
	}
	for _, empty := range [][]byte{nil, {}} {
		for _, code := range []string{"", "287082", "328482"} {
			if _, ok := checkCode(empty, code, time.Unix(59, 0)); ok {
				t.Errorf("%q is a code of no secret", code)
			}
		}
	}
	const want = "otpauth://totp/Relief%20A:amina?issuer=Relief%20A&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if got := TOTPAddress(secret, "Relief A", "amina"); got != want {
		t.Errorf("address %q, want %q", got, want)
	}
}

func TestWeakPasswords(t *testing.T) {
	for _, p := range []string{
		"", "short", "elevenchars", "password1234", "Password123456!", "passwordpassword", "P@ssw0rdP@ssw0rd", "qwertyuiop12", "qwertyuiopasdfghjkl", "azertyuiop2026",
		"123456789012", "1234567890123456789", "aaaaaaaaaaaaaaaa", "abcdefghijklmnop", "98765432109876", "abababababababab", "xyzxyzxyzxyz", "iloveyou2026!", "welcome2026!!",
		"aidpass2026!!", "motdepasse123", "Summer2026!!!", "amina.hassan12", "aminaaminaamina1", "            ", "????????????", "letmeinletmein1", "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4",
		string(make([]byte, 300)),
	} {
		if err := CheckPassword(p, "amina.hassan"); !errors.Is(err, ErrPassword) {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"vier Esel tragen Salz", "correct horse battery staple", "J7#kq-2Lmw9x", "ጥሩ ሰው በየቦታው ይገኛል", "كل يوم نشرب الشاي معا", "maji ya mto baridi", "我们在河边喝茶吃饭看书休息"} {
		if err := CheckPassword(p, "amina.hassan"); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
}

// store is an access.Store with one account, or none.
type store struct {
	Store
	rec Record
}

func (s store) ID() string { return "org-a" }
func (s store) WriteAccess(_ context.Context, _ Actor, work func(Tx) error) error {
	return work(row{rec: s.rec})
}

type row struct {
	Tx
	rec Record
}

func (r row) Account(id string) (Record, error) {
	if id != r.rec.ID {
		return Record{}, ErrNoAccount
	}
	return r.rec, nil
}
func (row) Tries(string) (Tries, error)   { return Tries{}, nil }
func (row) SaveTries(string, Tries) error { return nil }
func (row) Audit(Entry) error             { return nil }

// THREATS 4.7 row 28: what costs time is done for an account that is not there too.
func TestAMissingAccountCostsTheSameWork(t *testing.T) {
	d := &Door{Cost: Cost{Memory: 64, Passes: 1, Lanes: 1}, Now: func() time.Time { return time.Unix(1_000_000_000, 0) }}
	there := Record{Account: Account{ID: "amina", Roles: []Role{Registrar}}, Password: d.hash("vier Esel tragen Salz"), TOTP: make([]byte, 20)}
	closed := there
	closed.Disabled = true
	invited := Record{Account: there.Account}
	for name, rec := range map[string]Record{"there": there, "closed": closed, "invited": invited, "missing": {}} {
		d.Store = store{rec: rec}
		before := d.hashes.Load()
		for _, a := range []Attempt{{Account: "amina", Password: "guessed and wrong", Code: "000000"}, {Account: "amina"}} {
			if _, err := d.SignIn(context.Background(), a); !errors.Is(err, ErrSignIn) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := d.hashes.Load() - before; n != 2 {
			t.Errorf("%s: two tries made %d hashes, want 2", name, n)
		}
	}
}

func TestStoredHashesAreBounded(t *testing.T) {
	d := &Door{Cost: Cost{Memory: 64, Passes: 1, Lanes: 1}}
	good := d.hash("vier Esel tragen Salz")
	if ok, weak := d.verify("vier Esel tragen Salz", good); !ok || weak {
		t.Errorf("a good one: %v, weak %v", ok, weak)
	}
	for _, bad := range []string{
		"", "$", "vier Esel tragen Salz", "$argon2i" + good[9:], "$argon2id$v=16" + good[14:], "$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
		"$argon2id$v=19$m=64,t=99999999,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA", "$argon2id$v=19$m=64,t=1,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAA", good[:len(good)-4], good + "$x",
	} {
		if ok, _ := d.verify("vier Esel tragen Salz", bad); ok {
			t.Errorf("%q verifies", bad)
		}
	}
}

func FuzzStoredHash(f *testing.F) {
	d := &Door{Cost: Cost{Memory: 64, Passes: 1, Lanes: 1}}
	f.Add(d.hash("vier Esel tragen Salz"))
	f.Add("$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		c, salt, sum, err := readHash(s)
		if err == nil && (len(sum) != hashBytes || len(salt) < 8 || c.Memory > maxCost.Memory || c.Passes > maxCost.Passes || c.Lanes > maxCost.Lanes || c.Lanes == 0) {
			t.Errorf("%q is read as %+v", s, c)
		}
	})
}

func TestNetworks(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "?", "192.0.2.7:443": "?", "x": "?"} {
		if got := network(in); got != want {
			t.Errorf("%q is of %q, want %q", in, got, want)
		}
	}
}
