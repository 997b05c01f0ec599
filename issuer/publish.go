package issuer

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/status"
)

// Publishing says how long published lists may be relied on. The zero value has
// defaults.
type Publishing struct {
	Life time.Duration // until the token's exp: at least the longest freshness of any type; default 45 days
	Next time.Duration // until a newer one may be expected; default 24 hours
}

// PublishedList is one status list as files to be handed out.
type PublishedList struct {
	URI      string
	IssuedAt credential.Time
	CWT      []byte // the token of the standard (application/statuslist+cwt)
	JWT      []byte // the same as application/statuslist+jwt, whose URI is status.URIOfJWT(URI)
	Snapshot []byte // for packs
	Delta    []byte // from the publication before; nil at the first
	Base     credential.Time
}

// maxBehind is how far the clock may lie behind the newest publication: two
// publications in a second are normal, a clock set back is not.
const maxBehind = 10 * time.Minute

// publishTries bounds the turns lost to other publishers of the same list.
const publishTries = 10

// PublishStatus signs every status list that is still promised with key, the
// organisation's status key, and returns the files.
//
// A list never goes backwards: its iat rises, nothing that was published as
// invalid comes back, and of several publishers at once each publishes on top of
// the other. Nothing is published while a list is not witnessed (ErrUnwitnessed,
// see Witness). The publication is recorded before the files are handed back, so
// they must reach the public, and an error on the way is mended by publishing
// again. Every publication also sets a few decoys, so that what changed does not
// tell how many were revoked.
func (d *Desk) PublishStatus(ctx context.Context, key crypto.Signer, p Publishing) ([]PublishedList, error) {
	if p.Life == 0 {
		p.Life = 45 * 24 * time.Hour
	}
	if p.Next == 0 {
		p.Next = 24 * time.Hour
	}
	now, err := d.now(ctx)
	if err != nil {
		return nil, err
	}
	public, err := cose.NewKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("issuer: status key: %w", err)
	}
	lists, err := d.Store.StatusLists(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("issuer: publish: %w", err)
	}
	blocked, err := d.Store.Unwitnessed(ctx)
	if err != nil {
		return nil, fmt.Errorf("issuer: publish: %w", err)
	}
	if len(blocked) > 0 {
		return nil, fmt.Errorf("%w (%s)", ErrUnwitnessed, strings.Join(blocked, ", "))
	}
	w := publisher{desk: d, signer: key, key: public, now: now, p: p}
	files := make([]PublishedList, 0, len(lists))
	for _, uri := range lists {
		f, err := w.publish(ctx, uri)
		if err != nil {
			return nil, fmt.Errorf("issuer: publish status list %q: %w", uri, err)
		}
		files = append(files, f)
	}
	return files, nil
}

// A publisher is one PublishStatus under way.
type publisher struct {
	desk   *Desk
	signer crypto.Signer
	key    *cose.Key
	now    time.Time
	p      Publishing
}

func (w *publisher) publish(ctx context.Context, uri string) (f PublishedList, err error) {
	var b [1]byte
	rand.Read(b[:])
	if err := w.desk.Store.SetDecoys(ctx, w.desk.Actor, uri, int(b[0])%4); err != nil {
		return f, err
	}
	for range publishTries {
		l, err := w.desk.Store.StatusList(ctx, uri)
		if err != nil {
			return f, err
		}
		f, bitmap, err := w.sign(l)
		if err != nil {
			return f, err
		}
		err = w.desk.Store.RecordPublication(ctx, w.desk.Actor,
			Publication{URI: uri, Previous: l.PublishedAt, IssuedAt: f.IssuedAt, Bitmap: bitmap})
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, ErrPublished) {
			return f, err
		}
	}
	return f, ErrPublished
}

// sign makes the files of a list's next publication, and verifies them.
func (w *publisher) sign(l StatusList) (f PublishedList, bitmap []byte, err error) {
	iat := max(credential.FromStd(w.now), l.PublishedAt+1)
	if iat.Std().Sub(w.now) > maxBehind {
		return f, nil, fmt.Errorf("%w: the list was published at %s already", ErrClock, l.PublishedAt)
	}
	r, err := status.NewRegister(l.URI, l.Size)
	if err != nil {
		return f, nil, err
	}
	for _, e := range l.Entries {
		if err := r.Set(e.Index, e.Value); err != nil {
			return f, nil, err
		}
	}
	f = PublishedList{URI: l.URI, IssuedAt: iat, Base: l.PublishedAt}
	next := iat + credential.Time(w.p.Next/time.Second)
	token, err := status.PrepareCWT(w.key, r, iat, iat+credential.Time(w.p.Life/time.Second), int64(w.p.Next/time.Second))
	if f.CWT, err = attach(w, token, err); err != nil {
		return f, nil, err
	}
	inJSON, err := status.PrepareJWT(w.key, r, iat, iat+credential.Time(w.p.Life/time.Second), int64(w.p.Next/time.Second))
	if f.JWT, err = attach(w, inJSON, err); err != nil {
		return f, nil, err
	}
	snapshot, err := status.PrepareSnapshot(w.key, r, iat, next)
	if f.Snapshot, err = attach(w, snapshot, err); err != nil {
		return f, nil, err
	}
	if l.Published != nil {
		base := &status.List{URI: l.URI, IssuedAt: l.PublishedAt, Size: l.Size, Bits: l.Published}
		delta, err := status.PrepareDelta(w.key, base, r, iat, next)
		if f.Delta, err = attach(w, delta, err); err != nil {
			return f, nil, err
		}
	}
	find := func([]byte) *cose.Key { return w.key }
	if _, err := status.OpenCWT(f.CWT, find); err != nil {
		return f, nil, err
	}
	if _, err := status.OpenJWT(f.JWT, func(string) *cose.Key { return w.key }); err != nil {
		return f, nil, err
	}
	if _, err := status.OpenSnapshot(f.Snapshot, find); err != nil {
		return f, nil, err
	}
	return f, r.Bits(), nil
}

// prepared lacks its signature.
type prepared interface {
	ToBeSigned() []byte
	Attach(sig []byte) ([]byte, error)
}

// attach signs what was prepared, unless preparing failed.
func attach(w *publisher, p prepared, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	sig, err := cose.SignRaw(w.signer, p.ToBeSigned())
	if err != nil {
		return nil, err
	}
	return p.Attach(sig)
}
