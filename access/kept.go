package access

import (
	"context"
	"errors"
	"time"
)

// ErrNothingKept: nothing is kept under that handle; it was taken, or is over.
var ErrNothingKept = errors.New("access: nothing is kept under that handle, or it was taken already")

// Bounds of what pages keep for each other.
const (
	MaxKept  = 64 << 10 // bytes
	KeptLife = 30 * time.Minute
)

// Keep puts away what one page hands the next, for at most KeptLife: the challenge of a
// passkey, state, nonce and verifier of a sign-in elsewhere, a draft that waits for a
// step-up. It is sealed; the handle that it returns is kept nowhere. kind keeps the uses apart.
func (d *Door) Keep(ctx context.Context, kind string, data []byte, life time.Duration) (handle string, err error) {
	if len(data) > MaxKept || life > KeptLife {
		return "", errors.New("access: too much to be kept, or for too long")
	}
	handle = d.secret()
	now := d.now()
	err = d.Store.WriteAccess(ctx, door, func(tx Tx) error {
		if err := tx.Sweep(now); err != nil {
			return err
		}
		return tx.Keep(MarkOf("kept", handle), kind, now.Add(life), data)
	})
	return handle, err
}

// Take returns what was kept, once: ErrNothingKept the second time, for another kind,
// and when it is over.
func (d *Door) Take(ctx context.Context, kind, handle string) (data []byte, err error) {
	if handle == "" || len(handle) > maxSecret {
		return nil, ErrNothingKept
	}
	var ends time.Time
	err = d.Store.WriteAccess(ctx, door, func(tx Tx) error {
		data, ends, err = tx.Take(MarkOf("kept", handle), kind)
		return err
	})
	if err == nil && !d.now().Before(ends) {
		return nil, ErrNothingKept
	}
	return data, err
}
