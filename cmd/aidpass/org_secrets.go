package main

import (
	"bytes"
	"crypto"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier"
)

// secret returns the organisation's one secret of a use.
func (o *orgKeys) secret(use keystore.Use) ([]byte, error) {
	info, err := o.current(use)
	if err != nil {
		return nil, err
	}
	return o.store.Secret(info.ID, use, o.pass())
}

// programmeKey is the key of one programme's pseudonyms, 32 bytes:
// HKDF-SHA-256(secret, info "aidpass-programme-1 CODE").
func (o *orgKeys) programmeKey(code string) ([]byte, error) {
	secret, err := o.secret(keystore.Programme)
	if err != nil {
		return nil, err
	}
	return programmeKeyOf(secret, code)
}

// epochs returns the audience keys that are live at a time, oldest first.
func (o *orgKeys) epochs(at credential.Time) ([]verifier.Audience, error) {
	infos, err := o.store.List()
	if err != nil {
		return nil, err
	}
	var live []verifier.Audience
	for _, i := range infos {
		name, from, until := role(i)
		if i.Use != keystore.Epoch || at >= until {
			continue
		}
		var group string
		var n uint64
		if _, err := fmt.Sscanf(name, "%s %d", &group, &n); err != nil {
			continue
		}
		key, err := o.store.Secret(i.ID, keystore.Epoch, o.pass())
		if err != nil {
			return nil, err
		}
		live = append(live, verifier.Audience{Issuer: o.entry.ID, Group: group, Epoch: n, From: from, Until: until, Key: key})
	}
	slices.SortFunc(live, func(x, y verifier.Audience) int { return int(x.Epoch) - int(y.Epoch) })
	return live, nil
}

// siteKeys are the keys that seal what the tables of one site tell each other, one
// for each live epoch, oldest first: docs/formats/exchange.md.
func (o *orgKeys) siteKeys(site string) ([][]byte, error) {
	secret, err := o.secret(keystore.Programme)
	if err != nil {
		return nil, err
	}
	live, err := o.epochs(o.a.now())
	if err != nil {
		return nil, err
	}
	if len(live) == 0 {
		live = []verifier.Audience{{Group: epochGroup}} // epoch 0: before the first
	}
	var keys [][]byte
	for _, e := range live {
		key, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("aidpass-site-1 %s %d %s", e.Group, e.Epoch, site), verifier.SiteKeyBytes)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// epochKey returns the key that seals claims now. A new epoch begins when the
// newest has too little left to be of use on a card.
func (o *orgKeys) epochKey() ([]byte, error) {
	now := o.a.now()
	live, err := o.epochs(now)
	if err != nil {
		return nil, err
	}
	next := uint64(1)
	if n := len(live); n > 0 {
		if live[n-1].Until-now >= epochLeft {
			return live[n-1].Key, nil
		}
		next = live[n-1].Epoch + 1
	} else if infos, err := o.store.List(); err == nil {
		for _, i := range infos {
			if i.Use == keystore.Epoch {
				next++
			}
		}
	}
	info, err := o.store.Create(keystore.Epoch, keystore.Secret, label(fmt.Sprintf("%s %d", epochGroup, next), now, now+epochLife), o.pass(), o.a.Now())
	if err != nil {
		return nil, err
	}
	o.a.say("epoch %d of the sealed claims begins: devices need new packs to open them", next)
	return o.store.Secret(info.ID, keystore.Epoch, o.pass())
}

// signerFor finds a listed key of ours to sign a withdrawal of kid: another key
// where there is one, else the key itself.
func (o *orgKeys) signerFor(listed []*trust.Key, kid []byte) (crypto.Signer, *cose.Key, error) {
	infos, err := o.store.List()
	if err != nil {
		return nil, nil, err
	}
	var own *keystore.Info
	var ownUse keystore.Use
	for _, k := range listed {
		if k.Use == trust.UseSeal || k.State == trust.Compromised {
			continue
		}
		i := slices.IndexFunc(infos, func(i keystore.Info) bool { return i.Key != nil && i.Key.Thumbprint() == k.Key.Thumbprint() })
		if i < 0 {
			continue
		}
		if bytes.Equal(k.KID, kid) {
			own, ownUse = &infos[i], infos[i].Use
			continue
		}
		return o.store.Signer(infos[i].ID, infos[i].Use, o.pass())
	}
	if own != nil {
		return o.store.Signer(own.ID, ownUse, o.pass())
	}
	return nil, nil, usagef("no listed key of %s is in %s", o.entry.ID, o.dir).hint("the keeper of the list can withdraw the key: aidpass trust withdraw LIST --out DRAFT")
}

func (o *orgKeys) withdrawalPath(id string) string { return filepath.Join(o.dir, id+".withdrawal") }

func (o *orgKeys) isWithdrawn(id string) bool {
	_, err := readFile(o.withdrawalPath(id), maxSecretFile)
	return err == nil
}

// keepWithdrawal remembers that a key is withdrawn: it signs no more, and packs
// carry the withdrawal.
func (o *orgKeys) keepWithdrawal(kid, raw []byte) error {
	return writeFile(o.withdrawalPath(hex.EncodeToString(kid)), raw)
}

// withdrawals returns those kept.
func (o *orgKeys) withdrawals() ([][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(o.dir, "*.withdrawal"))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, p := range paths {
		raw, err := readFile(p, maxSecretFile)
		if err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	return out, nil
}
