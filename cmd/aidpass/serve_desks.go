package main

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/verifier"
	"aidpass/verifier/enrol"
	"aidpass/verifier/visit"
	"aidpass/web/api"
)

// The server and the database do not know each other; here they are joined.

// storeError gives conditions of the store the names that the server answers to.
func storeError(err error) error {
	for _, c := range []struct{ is, as error }{{storage.ErrBusy, api.ErrBusy}, {storage.ErrFull, api.ErrFull}, {storage.ErrNoDevice, api.ErrNoDevice}, {storage.ErrEnrolmentCode, api.ErrCode}} {
		if errors.Is(err, c.is) {
			return c.as
		}
	}
	return err
}

// deviceDesk is api.Devices on the database.
type deviceDesk struct{ store *storage.Org }

func (d deviceDesk) Enrol(ctx context.Context, code string, r enrol.Request) (access.Device, error) {
	device, err := d.store.EnrolDevice(ctx, code, r)
	return device, storeError(err)
}

func (d deviceDesk) Device(ctx context.Context, kid [8]byte) (access.Device, error) {
	device, err := d.store.Device(ctx, kid)
	return device, storeError(err)
}

// visitDesk is api.Visits on the database.
type visitDesk struct {
	store *storage.Org
	packs *packRoom
	now   func() credential.Time
}

// Receipt implements api.Visits. It is signed by the key of the newest pack, which
// devices have.
func (v visitDesk) Receipt(ctx context.Context, d access.Device) ([]byte, error) {
	k := v.packs.key.Load()
	if k == nil {
		return nil, errors.New("no pack key signs yet: the first pack brings one")
	}
	r, err := v.store.DeviceReceipt(ctx, d.KID, v.now())
	if err != nil {
		return nil, storeError(err)
	}
	p, err := visit.PrepareReceipt(k.key, r)
	if err != nil {
		return nil, err
	}
	return attach(p, k.signer)
}

// Accept proves each record by the device's own key: what another device signed is
// that one's to send.
func (v visitDesk) Accept(ctx context.Context, d access.Device, records [][]byte) ([]api.Ack, error) {
	own := func(kid []byte) *cose.Key {
		if string(kid) == string(d.KID[:]) {
			return d.Key
		}
		return nil
	}
	acks := make([]api.Ack, len(records))
	var piece visit.Piece
	var place []int // of the piece's records among those that were sent
	for i, raw := range records {
		r, err := visit.ParseRecord(raw, own)
		if err == nil {
			piece.Records, place = append(piece.Records, r), append(place, i)
			continue
		}
		acks[i] = api.Ack{Hash: sha256.Sum256(raw), State: api.Refused, Reason: string(visit.Unreadable)}
		var refusal *visit.Refusal
		if errors.As(err, &refusal) {
			acks[i].Sequence, acks[i].Reason = refusal.Sequence, string(refusal.Why)
		}
	}
	if len(place) == 0 {
		return acks, nil
	}
	by := access.Actor{ID: "device-" + d.ID(), Role: access.Verifier, Device: d.ID()}
	kept, err := v.store.AddVisits(ctx, by, &piece)
	if err != nil {
		return nil, storeError(err)
	}
	if len(kept) != len(place) {
		return nil, fmt.Errorf("%d records were answered %d times", len(place), len(kept))
	}
	for n, i := range place {
		a := kept[n]
		if a.Hash != piece.Records[n].Hash {
			return nil, errors.New("the answers are not those of the records")
		}
		acks[i] = api.Ack{Sequence: a.Sequence, Hash: a.Hash, State: api.AckState(a.State), Reason: a.Reason}
		for _, flag := range a.Flags {
			acks[i].Flags = append(acks[i].Flags, string(flag))
		}
	}
	return acks, nil
}

// packRoom is api.Packs: it builds the pack of a site when somebody asks and
// something has changed, and else hands out the one it has.
type packRoom struct {
	o     *org
	flags packFlags
	log   *slog.Logger

	key   atomic.Pointer[packKey] // of the newest pack
	mu    sync.Mutex              // packs are built one at a time: each takes the next number
	sites map[string]*sitePack
}

type packKey struct {
	signer crypto.Signer
	key    *cose.Key
}

// takeKey remembers the pack key of the moment. The caller holds mu, or is alone.
func (p *packRoom) takeKey() error {
	signer, key, err := p.o.currentSigner(keystore.Pack)
	if err == nil {
		p.key.Store(&packKey{signer, key})
	}
	return err
}

type sitePack struct {
	doc     *api.Document
	raw     []byte
	lists   credential.Time // when it was made
	mark    string          // what it was built from
	built   time.Time       // how old its lists are at least
	checked time.Time
}

// lookEvery is how long a pack is handed out without looking whether a status list
// has changed: a revocation is in the hands of who asks that much later.
const lookEvery = 5 * time.Second

// Pack implements api.Packs. That the device was here, and with which lists it goes, is
// written down.
func (p *packRoom) Pack(ctx context.Context, d access.Device) (*api.Document, error) {
	have, err := p.pack(ctx, d)
	if err != nil {
		return nil, err
	}
	if err := p.o.store.SawDevice(ctx, d, have.lists); err != nil {
		p.log.Error("nobody learns that a device was here", "device", d.ID(), "code", access.ErrorCode(err)) // it has its pack all the same
	}
	return have.doc, nil
}

func (p *packRoom) pack(ctx context.Context, d access.Device) (*sitePack, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	devices, err := p.o.enrolled(ctx, d.Site)
	if err != nil {
		return nil, storeError(err)
	}
	now := time.Now() // how long ago, not when: no clock that may be set
	have := p.sites[d.Site]
	f := p.flags
	f.site, f.enrolled = d.Site, devices
	if len(devices) == 0 {
		f.unlock = "" // nobody is there for whom anything could be sealed
	}
	rounds, err := p.o.served(ctx, &f)
	if err != nil {
		return nil, storeError(err)
	}
	mark := p.mark(devices, rounds)
	fresh := have != nil && have.mark == mark && now.Sub(have.built) < publishAfter
	if fresh && now.Sub(have.checked) < lookEvery {
		return have, nil
	}
	if fresh {
		changed, err := p.listsChanged(ctx)
		if err == nil && !changed {
			have.checked = now
			return have, nil
		}
	}
	p.o.a.kept = nil // another command may have brought a newer trust list
	raw, pack, err := p.o.newPack(ctx, f)
	if err != nil {
		if have != nil && have.mark == mark {
			// Older lists in a phone's hand are better than none; the phone says how old.
			p.log.Error("no new pack", "site", d.Site, "code", access.ErrorCode(err))
			return have, nil
		}
		return nil, storeError(err)
	}
	if err := p.takeKey(); err != nil {
		return nil, err
	}
	p.log.Info("pack built", "site", d.Site, "number", pack.Sequence, "bytes", len(raw))
	// What building it has published is part of it.
	have = &sitePack{doc: api.NewDocument("application/octet-stream", raw), raw: raw, lists: pack.Issued, mark: mark, built: now, checked: now}
	p.sites[d.Site] = have
	return have, nil
}

// build is the next pack of a site, for a person who carries it over. f is what it holds.
func (p *packRoom) build(ctx context.Context, f packFlags) ([]byte, *verifier.Pack, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if f.enrolled, err = p.o.enrolled(ctx, f.site); err != nil {
		return nil, nil, err
	}
	if len(f.enrolled) == 0 {
		f.unlock = "" // nobody is there for whom anything could be sealed
	}
	p.o.a.kept = nil // another command may have brought a newer trust list
	return p.o.newPack(ctx, f)
}

// mark tells what a pack is built from besides our status lists: devices, rounds,
// the files of the flags, and the organisation's keys, epochs and withdrawals.
func (p *packRoom) mark(devices []access.Device, rounds map[string][]verifier.Round) string {
	h := sha256.New()
	for _, d := range devices {
		fmt.Fprintf(h, "%s %x\n", d.ID(), sha256.Sum256(d.Certificate))
	}
	fmt.Fprintln(h, rounds) // in the order of their codes
	for _, path := range slices.Concat([]string{p.flags.trust, p.flags.unlock, p.o.dir}, p.flags.status, p.flags.chain, p.flags.withdrawals, p.flags.recognised, p.flags.types) {
		// What cannot be looked at is for the building to tell.
		_ = filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil
			}
			if info, err := e.Info(); err == nil {
				fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// listsChanged reports whether a status list of ours differs from what was
// published last.
func (p *packRoom) listsChanged(ctx context.Context) (bool, error) {
	uris, err := p.o.store.StatusLists(ctx, p.o.a.Now())
	if err != nil {
		return false, err
	}
	for _, uri := range uris {
		l, err := p.o.store.StatusList(ctx, uri)
		if err != nil {
			return false, err
		}
		if changed, err := unpublished(&l); changed || err != nil {
			return changed, err
		}
	}
	return false, nil
}
