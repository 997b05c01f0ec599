package storage

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
)

// Conditions of devices that callers act on.
var (
	ErrNoDevice        = errors.New("storage: no such device")
	ErrDeviceWithdrawn = errors.New("storage: the device was withdrawn, which is final")
	ErrDeviceFrozen    = errors.New("storage: the device was found copied and is frozen: thaw it or withdraw it")
	ErrNotFrozen       = errors.New("storage: the device is not frozen")
)

// Longest texts of a device, in bytes.
const (
	maxDeviceName = 64
	maxDeviceSite = 128
	maxReason     = 64
)

// SaveDevice enters a device, or gives a known one another state, name, site or
// certificate. Its certificates' dates only ever widen: what an older one vouched
// for stays vouched for. A withdrawn device is ErrDeviceWithdrawn, a frozen one
// ErrDeviceFrozen.
func (o *Org) SaveDevice(ctx context.Context, by access.Actor, d access.Device) error {
	return o.update(ctx, by, "save device", func(t *tx) error { return t.saveDevice(d) })
}

func (t *tx) saveDevice(d access.Device) error {
	switch {
	case d.Key == nil || d.Key.ID() != d.KID:
		return errors.New("a device goes by the id of its key")
	case d.Name == "" || len(d.Name) > maxDeviceName || d.Site == "" || len(d.Site) > maxDeviceSite:
		return errors.New("a device has a name and a site, both short")
	case d.State != access.DevicePending && d.State != access.DeviceConfirmed && d.State != access.DeviceRefused:
		return fmt.Errorf("device state %q is not entered this way", d.State)
	case d.State == access.DeviceConfirmed && len(d.Certificate) == 0:
		return errors.New("a confirmed device has a certificate")
	}
	old, err := t.device(d.KID)
	switch {
	case errors.Is(err, ErrNoDevice):
	case err != nil:
		return err
	case old.State == access.DeviceWithdrawn:
		return fmt.Errorf("%w: %s", ErrDeviceWithdrawn, d.ID())
	case old.Frozen():
		return fmt.Errorf("%w: %s", ErrDeviceFrozen, d.ID())
	case old.Until > 0:
		d.From, d.Until = min(old.From, d.From), max(old.Until, d.Until)
	}
	const save = `INSERT INTO device (org_id, kid, name, site, state, cose_key, certificate, valid_from, valid_until, added_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (org_id, kid) DO UPDATE SET name = excluded.name, site = excluded.site, state = excluded.state, certificate = excluded.certificate,
			valid_from = excluded.valid_from, valid_until = excluded.valid_until, reason = excluded.reason`
	_, err = t.exec(save, t.o.id, d.ID(), d.Name, d.Site, string(d.State), d.Key.Append(nil), d.Certificate, int64(d.From), int64(d.Until), t.micros, d.Reason)
	if err != nil {
		return err
	}
	return t.audit(access.Entry{Action: "device.save", Object: d.ID(), Detail: "site=" + d.Site + " state=" + string(d.State), Digest: digestOf(d.Certificate)})
}

// A Certified device is one that gets a certificate, with what is done in the same step.
type Certified struct {
	Device   access.Device // confirmed, with its certificate
	Replaces *[8]byte      // the device it takes the place of, which is withdrawn; nil: none
}

// CertifyDevice enters a device with its certificate, and ends the one that it takes the
// place of: both or neither. The errors are those of SaveDevice; ErrNoDevice and
// ErrDeviceWithdrawn also where Replaces is nobody, or has ended already.
func (o *Org) CertifyDevice(ctx context.Context, by access.Actor, c Certified) error {
	return o.update(ctx, by, "certify device", func(t *tx) error {
		if c.Device.State != access.DeviceConfirmed {
			return fmt.Errorf("a device in state %q has no certificate", c.Device.State)
		}
		if c.Replaces != nil {
			old, err := t.device(*c.Replaces)
			switch {
			case err != nil:
				return err
			case old.State == access.DeviceWithdrawn:
				return fmt.Errorf("%w: %s", ErrDeviceWithdrawn, old.ID())
			case old.KID == c.Device.KID:
				return errors.New("a device does not take its own place")
			}
			if err := t.withdrawDevice(&old, "replaced", t.now); err != nil {
				return err
			}
		}
		if err := t.saveDevice(c.Device); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "device.certify", Object: c.Device.ID(),
			Detail: "site=" + c.Device.Site + " until=" + c.Device.Until.String(), Digest: digestOf(c.Device.Certificate)})
	})
}

// ErrWithdrawnAhead is returned for a withdrawal that would begin in the future.
var ErrWithdrawnAhead = errors.New("storage: a device is withdrawn from now or an earlier time on")

// WithdrawDevice ends a device for good: lost, stolen, copied. What it recorded at since
// and later is marked visit.AfterWithdrawal; the zero time is now, one ahead is
// ErrWithdrawnAhead. Doing it twice changes nothing. reason is a code.
func (o *Org) WithdrawDevice(ctx context.Context, by access.Actor, kid [8]byte, reason string, since time.Time) error {
	return o.update(ctx, by, "withdraw device", func(t *tx) error {
		if since.IsZero() {
			since = t.now
		}
		switch {
		case reason == "" || len(reason) > maxReason:
			return errors.New("a withdrawal needs a reason, a short code")
		case since.After(t.now):
			return ErrWithdrawnAhead
		}
		d, err := t.device(kid)
		if err != nil || d.State == access.DeviceWithdrawn {
			return err
		}
		return t.withdrawDevice(&d, reason, since)
	})
}

func (t *tx) withdrawDevice(d *access.Device, reason string, since time.Time) error {
	const end = `UPDATE device SET state = 'withdrawn', withdrawn_at = $3, reason = $4 WHERE org_id = $1 AND kid = $2`
	if _, err := t.exec(end, t.o.id, d.ID(), since.UnixMicro(), reason); err != nil {
		return err
	}
	detail := "site=" + d.Site
	if since.UnixMicro() != t.micros {
		detail += " since=" + credential.FromStd(since).String()
	}
	return t.audit(access.Entry{Action: "device.withdraw", Object: d.ID(), Reason: reason, Detail: detail})
}

// freeze leaves a device out of packs because it was found copied: from is the first
// number of which it signed two records. A lower number than it is frozen from is kept.
func (t *tx) freeze(kid [8]byte, from uint64) error {
	d, err := t.device(kid)
	if err != nil || d.State == access.DeviceWithdrawn || d.FrozenFrom > 0 && d.FrozenFrom <= from {
		return err
	}
	const freeze = `UPDATE device SET frozen_at = COALESCE(frozen_at, $3), frozen_from = $4 WHERE org_id = $1 AND kid = $2`
	if _, err := t.exec(freeze, t.o.id, d.ID(), t.micros, int64(from)); err != nil {
		return err
	}
	return t.audit(access.Entry{Action: "device.freeze", Object: d.ID(), Reason: "copied", Detail: fmt.Sprintf("site=%s from=%d", d.Site, from)})
}

// ThawDevice lets a frozen device go on: somebody looked at its records and at who has
// its key. What it has recorded until now freezes it no more; another copy does.
// reason is a code. ErrNotFrozen where there is nothing to thaw.
func (o *Org) ThawDevice(ctx context.Context, by access.Actor, kid [8]byte, reason string) error {
	return o.update(ctx, by, "thaw device", func(t *tx) error {
		if reason == "" || len(reason) > maxReason {
			return errors.New("a thaw needs a reason, a short code")
		}
		d, err := t.device(kid)
		if err != nil {
			return err
		}
		if !d.Frozen() {
			return fmt.Errorf("%w: %s", ErrNotFrozen, d.ID())
		}
		const thaw = `UPDATE device SET frozen_at = NULL, frozen_from = 0,
			thawed_to = (SELECT COALESCE(MAX(seq), 0) FROM visit WHERE org_id = $1 AND kid = $2) WHERE org_id = $1 AND kid = $2`
		if _, err := t.exec(thaw, t.o.id, d.ID()); err != nil {
			return err
		}
		return t.audit(access.Entry{Action: "device.thaw", Object: d.ID(), Reason: reason, Detail: fmt.Sprintf("site=%s from=%d", d.Site, d.FrozenFrom)})
	})
}

// seenEvery is how often it is written down that a device was here.
const seenEvery = time.Minute

// SawDevice writes down that a device asked something of the server now, and took a pack
// made at lists, in seconds; 0: none. d is what Device returned of it: where that says the
// same, to the minute, nothing is written. It is no act, and stands in no log.
func (o *Org) SawDevice(ctx context.Context, d access.Device, lists credential.Time) error {
	now := o.db.now()
	if lists <= d.ListsAt && now.Sub(d.SeenAt) < seenEvery && !now.Before(d.SeenAt) {
		return nil
	}
	by := access.Actor{ID: "device-" + d.ID(), Role: access.Verifier, Device: d.ID()}
	return o.update(ctx, by, "device was here", func(t *tx) error {
		const saw = `UPDATE device SET seen_at = $3, lists_at = CASE WHEN lists_at < $4 THEN $4 ELSE lists_at END WHERE org_id = $1 AND kid = $2`
		_, err := t.exec(saw, o.id, d.ID(), t.now.Truncate(seenEvery).UnixMicro(), int64(lists))
		return err
	})
}

// Device returns the device with this key id, or ErrNoDevice.
func (o *Org) Device(ctx context.Context, kid [8]byte) (d access.Device, err error) {
	err = o.view(ctx, "read device", func(t *tx) error {
		d, err = t.device(kid)
		return err
	})
	return d, err
}

// Devices returns all of them, by site, name and key id.
func (o *Org) Devices(ctx context.Context) (list []access.Device, err error) {
	err = o.view(ctx, "read devices", func(t *tx) error {
		list, err = t.devices(`ORDER BY site, name, kid`)
		return err
	})
	return list, err
}

func (t *tx) device(kid [8]byte) (access.Device, error) {
	id := hex.EncodeToString(kid[:])
	list, err := t.devices(`AND kid = $2`, id)
	if err != nil {
		return access.Device{}, err
	}
	if len(list) == 0 {
		return access.Device{}, fmt.Errorf("%w: %s", ErrNoDevice, id)
	}
	return list[0], nil
}

// devices reads rows; where goes on behind the organisation.
func (t *tx) devices(where string, args ...any) (list []access.Device, err error) {
	rows, err := t.query(`SELECT name, site, state, cose_key, certificate, valid_from, valid_until, added_at, withdrawn_at, reason, frozen_at, frozen_from, thawed_to, seen_at, lists_at
		FROM device WHERE org_id = $1 `+where, append([]any{t.o.id}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var d access.Device
		var key []byte
		var from, until, added int64
		var withdrawn, frozen, seen sql.NullInt64
		var lists int64
		if err := rows.Scan(&d.Name, &d.Site, &d.State, &key, &d.Certificate, &from, &until, &added, &withdrawn, &d.Reason,
			&frozen, &d.FrozenFrom, &d.ThawedTo, &seen, &lists); err != nil {
			return nil, err
		}
		if d.Key, err = cose.ParseKey(key); err != nil {
			return nil, fmt.Errorf("stored device key: %w", err)
		}
		d.KID, d.From, d.Until, d.AddedAt = d.Key.ID(), credential.Time(from), credential.Time(until), microTime(added)
		if withdrawn.Valid {
			d.WithdrawnAt = microTime(withdrawn.Int64)
		}
		d.ListsAt = credential.Time(lists)
		if seen.Valid {
			d.SeenAt = microTime(seen.Int64)
		}
		if frozen.Valid {
			d.FrozenAt = microTime(frozen.Int64)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}
