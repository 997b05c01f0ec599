package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/verifier/enrol"
)

// ErrEnrolmentCode: no such code, too old, or another device's. Which of them it
// was is nobody's business who guesses.
var ErrEnrolmentCode = errors.New("storage: no such enrolment code")

// EnrolmentLife is how long a code is good for.
const EnrolmentLife = 10 * time.Minute

// A code has eight symbols of Crockford's base32: forty bits, for ten minutes,
// behind a limit of tries.
const (
	codeSymbols  = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	codeLength   = 8
	maxCodeBytes = 32 // with blanks and hyphens as people type them
)

// newCode returns a random code.
func newCode() string {
	var b [codeLength]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	for i := range b {
		b[i] = codeSymbols[b[i]&31]
	}
	return string(b[:])
}

// readCode returns the one way in which a typed code is written, "" for none.
// Crockford: I and L are read as 1, O as 0; blanks and hyphens do not count.
func readCode(typed string) string {
	if len(typed) > maxCodeBytes {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return -1
		case r == 'I' || r == 'i' || r == 'L' || r == 'l':
			return '1'
		case r == 'O' || r == 'o':
			return '0'
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return r
	}, typed)
	if len(code) != codeLength || strings.Trim(code, codeSymbols) != "" {
		return ""
	}
	return code
}

func (o *Org) codeMark(code string) []byte { return o.index.of("enrolment-code", code) }

// NewEnrolmentCode makes a code for one device of a site, good for EnrolmentLife.
// It returns the code, which is kept nowhere, and when it ends.
func (o *Org) NewEnrolmentCode(ctx context.Context, by access.Actor, site string) (code string, until time.Time, err error) {
	err = o.update(ctx, by, "make enrolment code", func(t *tx) error {
		if site == "" || len(site) > maxDeviceSite {
			return errors.New("a code is for one site, a short code itself")
		}
		const old = `DELETE FROM enrolment_code WHERE org_id = $1 AND expires_at < $2`
		if _, err := t.exec(old, o.id, t.now.Add(-24*time.Hour).UnixMicro()); err != nil {
			return err
		}
		code, until = newCode(), t.now.Add(EnrolmentLife)
		const add = `INSERT INTO enrolment_code (org_id, mark, site, actor, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`
		if _, err := t.exec(add, o.id, o.codeMark(code), site, t.by.ID, t.micros, until.UnixMicro()); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "device.code", Detail: "site=" + site})
	})
	return code, until, err
}

// EnrolDevice enters a device that shows a code, as pending. The first device wins
// the code; the same device again gets the same answer. A device that is known
// under another code keeps what it has: a key shown again changes nothing.
// ErrEnrolmentCode otherwise.
func (o *Org) EnrolDevice(ctx context.Context, typed string, r enrol.Request) (d access.Device, err error) {
	code := readCode(typed)
	if code == "" || r.Key == nil {
		return d, ErrEnrolmentCode // without a transaction: guessing is cheap to refuse
	}
	d = access.Device{KID: r.Key.ID(), Key: r.Key, Name: r.Name, State: access.DevicePending}
	by := access.Actor{ID: "device-" + d.ID(), Role: access.Verifier, Device: d.ID()}
	err = o.update(ctx, by, "enrol device", func(t *tx) error {
		const find = `SELECT site, expires_at, kid FROM enrolment_code WHERE org_id = $1 AND mark = $2`
		var expires int64
		var kid sql.NullString
		ok, err := t.find(find, []any{o.id, o.codeMark(code)}, &d.Site, &expires, &kid)
		if err != nil {
			return err
		}
		if !ok || kid.Valid && kid.String != d.ID() || !kid.Valid && t.micros >= expires {
			return ErrEnrolmentCode
		}
		known, err := t.device(d.KID)
		switch {
		case err == nil && known.State != access.DeviceRefused:
			d = known
			return nil
		case err != nil && !errors.Is(err, ErrNoDevice):
			return err
		case kid.Valid:
			return ErrEnrolmentCode // refused after it had used the code
		}
		if err := t.saveDevice(d); err != nil {
			return err
		}
		if d, err = t.device(d.KID); err != nil {
			return err
		}
		const use = `UPDATE enrolment_code SET kid = $3, used_at = $4 WHERE org_id = $1 AND mark = $2`
		n, err := t.exec(use, o.id, o.codeMark(code), d.ID(), t.micros)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d codes were used at once", n)
		}
		return err
	})
	if errors.Is(err, ErrEnrolmentCode) {
		return access.Device{}, ErrEnrolmentCode
	}
	return d, err
}
