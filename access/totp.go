package access

import (
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// One-time codes are those that every authenticator app makes without being told: RFC
// 6238 with SHA-1, six digits, steps of 30 s.
const (
	codeStep    = 30 // seconds
	codeDigits  = otp.DigitsSix
	secretBytes = 20 // RFC 4226 4 R6
	codeWindow  = 1  // steps that a phone's clock may be ahead or behind
)

// checkCode returns the step of time that code is of. Blanks do not count.
func checkCode(secret []byte, code string, at time.Time) (step int64, ok bool) {
	if len(code) > 16 {
		code = ""
	}
	code = strings.ReplaceAll(code, " ", "")
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	now := at.Unix() / codeStep
	for s := now - codeWindow; s <= now+codeWindow; s++ {
		want, err := hotp.GenerateCodeCustom(text, uint64(s), hotp.ValidateOpts{Digits: codeDigits, Algorithm: otp.AlgorithmSHA1})
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok && len(secret) > 0
}

// TOTPText is a secret as people type it into their app.
func TOTPText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// TOTPAddress is a secret as an app reads it from a QR code. issuer is what the app
// shows: the organisation's name.
func TOTPAddress(secret []byte, issuer, account string) string {
	q := url.Values{"secret": {TOTPText(secret)}, "issuer": {issuer}}
	// Some apps show a plus sign for a blank in the query.
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}
