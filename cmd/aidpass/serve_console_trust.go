package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/trust"
	"aidpass/web/console"
)

// consoleTrust is console.TrustDesk on the newest list that was seen here.
type consoleTrust struct{ *serving }

// inUse is the list that packs are built with, read anew: another command may have
// brought a newer one.
func (d consoleTrust) inUse() (*trust.List, error) {
	_, list, err := readList(d.f.pack.trust, trust.Anchors{})
	if notThere(err) {
		return nil, nil
	}
	_, kept, lost := readList(d.a.keptPath(), trust.Anchors{})
	if err == nil && lost == nil && kept.ID == list.ID && kept.Sequence > list.Sequence {
		return kept, nil // see followTrust
	}
	return list, err
}

// Trust implements console.TrustDesk.
func (d consoleTrust) Trust(_ context.Context, org string) (t console.TrustState, err error) {
	if err := d.ours(org); err != nil {
		return t, err
	}
	t.Own, t.Withdrawn = d.o.entry.ID, map[string]bool{}
	if t.List, err = d.inUse(); t.List == nil || err != nil {
		return t, err
	}
	if o := t.List.Organisation([]byte(t.Own)); o != nil {
		for _, k := range o.Keys {
			id := hex.EncodeToString(k.KID)
			t.Withdrawn[id] = d.o.isWithdrawn(id)
		}
	}
	return t, nil
}

// Follows implements console.TrustDesk.
func (d consoleTrust) Follows(_ context.Context, org string, raw []byte, chain [][]byte) (*trust.List, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	have, err := d.inUse()
	if err != nil {
		return nil, err
	}
	list, err := trust.Open(raw, trust.Anchors{})
	if err != nil {
		return nil, console.ErrNoList
	}
	if have == nil {
		return list, nil
	}
	switch {
	case have.ID != list.ID:
		return nil, console.OtherList(string(have.ID), string(list.ID))
	case have.Sequence > list.Sequence, have.Sequence == list.Sequence && have.Digest() != list.Digest():
		return nil, console.OlderList(have.Sequence, list.Sequence)
	}
	if err := signedOn(have, list.ID, raw, chain); err != nil {
		return nil, console.ErrUnsignedList
	}
	return list, nil
}

// Take implements console.TrustDesk. It stands in the log before it is in use.
func (d consoleTrust) Take(ctx context.Context, org string, by access.Actor, raw []byte, chain [][]byte) error {
	d.packs.mu.Lock()
	defer d.packs.mu.Unlock()
	list, err := d.Follows(ctx, org, raw, chain) // again: another may have been quicker
	if err != nil {
		return err
	}
	digest := sha256.Sum256(raw)
	err = d.o.store.Note(ctx, by, access.Entry{Action: "trust.import", Object: list.ID, Detail: fmt.Sprintf("list=%d", list.Sequence), Digest: digest})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(d.a.publicDir(), 0o755); err != nil {
		return err
	}
	d.a.kept = list
	if err := writeFile(d.a.keptPath(), raw); err != nil {
		return err
	}
	if d.f.pack.trust == d.a.keptPath() {
		return nil
	}
	return writeFile(d.f.pack.trust, raw) // what --trust names is what packs are built with
}

// withdrawal carries out what two administrators agreed to: a key of the organisation
// counts no more.
func (d consoleTrust) withdrawal() access.Executor {
	return access.Executor{
		Payload: func(ctx context.Context, kid string) ([]byte, error) {
			t, err := d.Trust(ctx, d.o.entry.ID)
			if err != nil {
				return nil, err
			}
			k, err := t.OwnKey(kid)
			return k.Payload(), err
		},
		Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
			d.packs.mu.Lock()
			defer d.packs.mu.Unlock()
			if d.o.isWithdrawn(a.Object) {
				return nil // before a stop
			}
			kid, err := hex.DecodeString(a.Object)
			if err != nil {
				return err
			}
			list, err := d.inUse()
			if list == nil || err != nil {
				return fmt.Errorf("the trust list under which a key is withdrawn: %w", err)
			}
			raw, err := d.o.signWithdrawal(list, kid, credential.FromStd(a.At))
			if err != nil {
				return err
			}
			err = d.o.store.Note(ctx, who, access.Entry{Action: "trust.withdraw", Object: a.Object, Reason: a.Why, Detail: fmt.Sprintf("list=%d", list.Sequence), Digest: sha256.Sum256(raw)})
			if err != nil {
				return err
			}
			return d.o.keepWithdrawal(kid, raw)
		},
	}
}
