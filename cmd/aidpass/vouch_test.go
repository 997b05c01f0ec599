package main

import (
	"os"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"aidpass/access"
)

// Where somebody signs in to the desk, the second person at the laptop is no word.
func TestTheSecondPersonProvesIt(t *testing.T) {
	l := withEntitled(t)
	l.must("account", "add", "lead-2", "--role", "registrar")
	reset := func(more ...string) []string {
		return append([]string{"account", "reset", "lead-2", "--actor", "amina", "--reason", "phone-lost"}, more...)
	}
	l.must(reset("--second-person", "anybody")...) // there is no desk yet

	a := &app{Main: &Main{Now: scriptClock, Stderr: &l.stderr, WorkFactor: 4}, Config: Config{Data: l.path("data"), PassphraseFile: l.path("pass")}}
	o, err := a.openOrg(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	code := provable(t, o.store, "bilal", access.OrgAdmin)
	o.close()

	proof := l.path("proof")
	write := func(text string) {
		if err := os.WriteFile(proof, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.refused([]string{"has a desk", "nobody signs in there"}, reset("--second-person", "anybody")...)
	l.refused([]string{"proves it here by password", "--proof-file"}, reset("--second-person", "bilal")...)
	write("a wrong one of these\n" + code + "\n")
	l.refused([]string{"password or code is wrong"}, reset("--second-person", "bilal", "--proof-file", proof)...)
	write("seven mild ostriches hum\n" + code + "\n")
	l.must(reset("--second-person", "bilal", "--proof-file", proof)...)
	l.refused([]string{"the code was used"}, reset("--second-person", "bilal", "--proof-file", proof)...)
}

// provable lets an account join whose password is "seven mild ostriches hum", and returns
// its one-time code of now, which is not used yet.
func provable(t *testing.T, store access.Store, id string, roles ...access.Role) string {
	t.Helper()
	joined := scriptClock().Add(-time.Minute)
	door := &access.Door{Store: store, Now: func() time.Time { return joined }, Cost: access.Cost{Memory: 64, Passes: 1, Lanes: 1}}
	secret, err := door.Invite(t.Context(), access.Laptop{ID: "boss", Role: access.OrgAdmin}, access.NewAccount{ID: id, Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	in, err := door.Invitation(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	code := func(at time.Time) string {
		c, err := hotp.GenerateCodeCustom(access.TOTPText(in.TOTP), uint64(at.Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if _, err := door.Accept(t.Context(), secret, "seven mild ostriches hum", code(joined), "192.0.2.7"); err != nil {
		t.Fatal(err)
	}
	return code(scriptClock())
}
