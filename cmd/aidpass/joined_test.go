package main

import (
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"aidpass/access"
)

// joinWords are the password of everybody who joins here.
const joinWords = "seven mild ostriches hum"

// invited invites an account: its secret, and the code that its authenticator shows.
func invited(t *testing.T, door *access.Door, now time.Time, id string, roles ...access.Role) (secret, code string) {
	t.Helper()
	secret, err := door.Invite(t.Context(), access.Laptop{ID: "boss", Role: access.OrgAdmin, SecondPerson: "boss-2"}, access.NewAccount{ID: id, Roles: roles, Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	in, err := door.Invitation(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	code, err = hotp.GenerateCodeCustom(access.TOTPText(in.TOTP), uint64(now.Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return secret, code
}

// joined lets an account join and returns its session.
func (s *serving) joined(t *testing.T, id string, roles ...access.Role) access.Ticket {
	t.Helper()
	secret, code := invited(t, s.door, s.a.Now(), id, roles...)
	ticket, err := s.door.Accept(t.Context(), secret, joinWords, code, "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	return ticket
}
