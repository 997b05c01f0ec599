package main

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/web/console"
	"aidpass/words"
)

// orgKeys is the key folder of one organisation, DATA/keys/<slug>:
//
//	organisation.org      the entry it asks to be listed with, signed by its keys
//	<use>-<id>.key        sealed keys; the label says its role and when it signs:
//	                      "main 2026-11-21T09:00:00Z/2028-11-20T09:00:00Z", "standby ...",
//	                      for epoch keys "GROUP NUMBER FROM/UNTIL"
//	<kid>.withdrawal      what was withdrawn by the organisation itself
type orgKeys struct {
	a        *app
	dir      string
	store    *keystore.Store
	entry    *trust.Organisation
	entryRaw []byte
}

const (
	roleMain    = "main"
	roleStandby = "standby"
	entryFile   = "organisation.org"

	epochGroup = "all"           // one audience group until there are several
	epochLife  = 180 * day       // DESIGN 4: six months at most
	epochLeft  = 90 * day        // a new epoch begins when the newest has less than this left
	forever    = 100 * 366 * day // of secrets that sign nothing
	keyYear    = 365 * day
)

// openOrgKeys opens the key folder of --org, or of the only organisation there.
func (a *app) openOrgKeys() (*orgKeys, error) {
	dirs, err := a.orgDirs()
	if err != nil {
		return nil, err
	}
	name := slug(a.Org)
	switch {
	case len(dirs) == 0:
		return nil, usagef("no organisation in %s", a.Data).hint("aidpass org init makes one; --data names another folder")
	case a.Org == "" && len(dirs) > 1:
		return nil, usagef("%s holds several organisations", a.Data).hint("--org ID: one of %s", strings.Join(a.orgIDs(dirs), " "))
	case a.Org == "":
		name = dirs[0]
	case !slices.Contains(dirs, name):
		return nil, usagef("organisation %s is not in %s", a.Org, a.Data).hint("there is %s", strings.Join(a.orgIDs(dirs), " "))
	}
	o := &orgKeys{a: a, dir: filepath.Join(a.Data, "keys", name)}
	if o.store, err = keystore.Open(o.dir); err != nil {
		return nil, err
	}
	o.store.WorkFactor = a.workFactor()
	if err := o.readEntry(); err != nil {
		return nil, err
	}
	if a.Org != "" && o.entry.ID != a.Org {
		return nil, usagef("%s belongs to %s, not to %s", o.dir, o.entry.ID, a.Org).hint("two ids that differ in punctuation only need two --data folders")
	}
	return o, nil
}

func (a *app) orgIDs(dirs []string) []string {
	var ids []string
	for _, d := range dirs {
		o := &orgKeys{dir: filepath.Join(a.Data, "keys", d)}
		if o.readEntry() == nil {
			ids = append(ids, o.entry.ID)
		}
	}
	return ids
}

func (o *orgKeys) readEntry() (err error) {
	if o.entryRaw, err = readFile(filepath.Join(o.dir, entryFile), trust.MaxListBytes); err != nil {
		return err
	}
	if o.entry, err = trust.OpenEntry(o.entryRaw); err != nil {
		return usagef("%s: %w", filepath.Join(o.dir, entryFile), err).hint("bring the keys folder back from its copy")
	}
	return nil
}

// secretName is what the passphrase prompt calls the keys.
func (o *orgKeys) pass() keystore.Passphrase {
	return o.a.passphrase("the keys of this organisation", false)
}

func label(role string, from, until credential.Time) string {
	return fmt.Sprintf("%s %s/%s", role, from, until)
}

// role reads a label.
func role(i keystore.Info) (name string, from, until credential.Time) {
	at := strings.LastIndexByte(i.Label, ' ')
	if at < 0 {
		return "", 0, 0
	}
	a, b, _ := strings.Cut(i.Label[at+1:], "/")
	from, err := credential.ParseTime(a)
	if err != nil {
		return "", 0, 0
	}
	if until, err = credential.ParseTime(b); err != nil {
		return "", 0, 0
	}
	return i.Label[:at], from, until
}

// makeKeys makes all keys of a new organisation.
func (o *orgKeys) makeKeys(cards keystore.Alg, years int) error {
	now := o.a.now()
	until := now + credential.Time(years)*keyYear
	type newKey struct {
		use   keystore.Use
		alg   keystore.Alg
		label string
	}
	keys := []newKey{
		{keystore.Card, cards, label(roleMain, now, until)},
		{keystore.Card, cards, label(roleStandby, now, until)},
		{keystore.VC, keystore.P256, label(roleMain, now, until)},
		{keystore.Request, keystore.P256, label(roleMain, now, until)},
		{keystore.Status, keystore.P256, label(roleMain, now, until)},
		{keystore.Pack, keystore.P256, label(roleMain, now, until)},
		{keystore.DeviceCA, keystore.P256, label(roleMain, now, until)},
		{keystore.Audit, keystore.Ed25519, label(roleMain, now, until)},
		{keystore.Seal, keystore.P256, label(roleMain, now, until)},
		{keystore.Programme, keystore.Secret, label(roleMain, now, now+forever)},
		{keystore.Epoch, keystore.Secret, label(epochGroup+" 1", now, now+epochLife)},
		{keystore.KEK, keystore.Secret, label(roleMain, now, now+forever)},
	}
	p := o.a.progress("making keys")
	pass := o.a.passphrase("the keys of this organisation", true)
	if _, err := pass(); err != nil { // asked for once, before several want it
		return err
	}
	todo, done := make(chan newKey, len(keys)), make(chan error, len(keys))
	for _, k := range keys {
		todo <- k
	}
	close(todo)
	for range min(runtime.NumCPU(), 4) { // each takes 64 MiB while it is sealed
		go func() {
			for k := range todo {
				_, err := o.store.Create(k.use, k.alg, k.label, pass, o.a.Now())
				done <- err
			}
		}()
	}
	var failed error
	for i := range keys {
		failed = errors.Join(failed, <-done)
		p.step(i+1, len(keys))
	}
	p.end()
	return failed
}

// listedUses are the uses whose keys stand on the trust list.
var listedUses = []keystore.Use{keystore.Card, keystore.Status, keystore.Pack, keystore.DeviceCA, keystore.Audit, keystore.Seal, keystore.VC, keystore.Request}

// writeEntry makes organisation.org from the keys: of each use the newest main
// key that is not withdrawn, and the newest standby card key.
func (o *orgKeys) writeEntry(slips bool) error {
	infos, err := o.store.List()
	if err != nil {
		return err
	}
	o.entry.Keys = nil
	for _, use := range listedUses {
		for _, want := range []string{roleMain, roleStandby} {
			newest := o.newest(infos, use, want, credential.MaxTime)
			if newest == nil {
				continue
			}
			_, from, until := role(*newest)
			u, err := trust.ParseUse(string(use))
			if err != nil {
				return err
			}
			id := newest.Key.ID()
			k := &trust.Key{Key: newest.Key, KID: id[:], Use: u, NotBefore: from, NotAfter: until, State: trust.Active}
			switch {
			case use == keystore.Card:
				k.Profile = trust.ProfileCard1
			case use == keystore.DeviceCA && slips:
				k.Profile = trust.ProfileSlip1
			}
			o.entry.Keys = append(o.entry.Keys, k)
		}
	}
	p, err := trust.PrepareEntry(o.entry)
	if err != nil {
		return err
	}
	for _, k := range o.entry.Keys {
		if k.Use == trust.UseSeal {
			continue
		}
		signer, err := o.signer(keystore.Use(k.Use.String()), k.KID)
		if err != nil {
			return err
		}
		sig, err := cose.SignRaw(signer, p.ToBeSigned(k.Key))
		if err != nil {
			return err
		}
		if err := p.Add(k.Key, sig); err != nil {
			return err
		}
	}
	o.entryRaw = p.Append(nil)
	return writeFile(filepath.Join(o.dir, entryFile), o.entryRaw)
}

// newest returns the key of a use and role that begins last among those that have
// begun by at; nil when there is none.
func (o *orgKeys) newest(infos []keystore.Info, use keystore.Use, want string, at credential.Time) *keystore.Info {
	var best *keystore.Info
	var begins credential.Time
	for i := range infos {
		name, from, _ := role(infos[i])
		if infos[i].Use == use && name == want && from <= at && (best == nil || from > begins) && !o.isWithdrawn(infos[i].ID) {
			best, begins = &infos[i], from
		}
	}
	return best
}

// current returns the key that signs for a use now: the main one that began last,
// and for cards the standby where no main one will do. Where a trust list has
// been seen here only a key will do that service points accept by it: a successor
// that is not listed yet, or a key that the list withdraws, signs nothing.
func (o *orgKeys) current(use keystore.Use) (*keystore.Info, error) {
	infos, err := o.store.List()
	if err != nil {
		return nil, err
	}
	accepted, err := o.accepted(use)
	if err != nil {
		return nil, err
	}
	now := o.a.now()
	var lapsed, refused *keystore.Info
	var why words.Reason
	for _, want := range []string{roleMain, roleStandby} {
		begun := slices.DeleteFunc(slices.Clone(infos), func(i keystore.Info) bool {
			name, from, _ := role(i)
			return i.Use != use || name != want || from > now || o.isWithdrawn(i.ID)
		})
		slices.SortFunc(begun, func(x, y keystore.Info) int {
			_, a, _ := role(x)
			_, b, _ := role(y)
			return cmp.Compare(b, a)
		})
		for i := range begun {
			k := &begun[i]
			if _, _, until := role(*k); now > until {
				lapsed = k
				break // older ones signed for less long, or were followed by this one
			}
			if why = accepted(k); why == words.OK {
				return k, nil
			}
			refused = k
		}
		if lapsed != nil && refused == nil {
			break
		}
	}
	switch {
	case refused != nil:
		return nil, usagef("service points accept no %s key that is here: of what %s of %s signs, the newest trust list seen says: %s", use, refused.ID, o.entry.ID, plain(keyWords, why)).coded(console.CannotKeyRefused, "use", use).
			hint("the keeper of the list adds the present keys: aidpass trust update LIST %s; name the newest list with --trust", o.a.publicEntry(o.entry.ID))
	case lapsed != nil:
		_, _, until := role(*lapsed)
		return nil, usagef("the %s key %s signed until %s", use, lapsed.ID, until).coded(console.CannotKeyOver, "use", use).hint("aidpass org rotate --use %s makes its successor", use)
	}
	return nil, usagef("no %s key of %s begins before %s", use, o.entry.ID, now).coded(console.CannotKeyEarly, "use", use).
		hint("is the clock right? aidpass org show tells the keys")
}

// accepted says what the trust list seen here makes of a key that signs now.
// Secrets stand on no list; without a list every key will do.
func (o *orgKeys) accepted(use keystore.Use) (func(*keystore.Info) words.Reason, error) {
	anything := func(*keystore.Info) words.Reason { return words.OK }
	if !slices.Contains(listedUses, use) {
		return anything, nil
	}
	list, err := o.a.keptList()
	if list == nil || err != nil {
		return anything, err
	}
	u, err := trust.ParseUse(string(use))
	if err != nil {
		return nil, err
	}
	now := o.a.now()
	return func(i *keystore.Info) words.Reason {
		id := i.Key.ID()
		k, reason := list.Find([]byte(o.entry.ID), id[:], u)
		if reason != words.OK {
			return reason
		}
		return k.Judge(now, now)
	}, nil
}

// notBefore is at, or later where the key that signs for a use now begins later: what
// is signed for an earlier time counts nowhere.
func (o *orgKeys) notBefore(use keystore.Use, at credential.Time) (credential.Time, error) {
	info, err := o.current(use)
	if err != nil {
		return 0, err
	}
	_, from, _ := role(*info)
	return max(at, from), nil
}

// signsUntil is the last second at which what the key for a use now signs counts.
func (o *orgKeys) signsUntil(use keystore.Use) (credential.Time, error) {
	info, err := o.current(use)
	if err != nil {
		return 0, err
	}
	_, _, until := role(*info)
	return until, nil
}

// currentSigner is current, unsealed.
func (o *orgKeys) currentSigner(use keystore.Use) (crypto.Signer, *cose.Key, error) {
	info, err := o.current(use)
	if err != nil {
		return nil, nil, err
	}
	return o.store.Signer(info.ID, use, o.pass())
}

func (o *orgKeys) signer(use keystore.Use, kid []byte) (crypto.Signer, error) {
	s, _, err := o.store.Signer(hex.EncodeToString(kid), use, o.pass())
	return s, err
}

// rotate makes the successor of a key.
func (o *orgKeys) rotate(use trust.Use, from credential.Time, years int, standby bool, out string) error {
	kind := keystore.Use(use.String())
	if !slices.Contains(listedUses, kind) {
		return usagef("this organisation has no %s key", use).hint("card, vc, request, status, pack, device-ca, audit or seal")
	}
	want := roleMain
	if standby {
		want = roleStandby
		if kind != keystore.Card {
			return usagef("only card keys have a standby").hint("--use card --standby")
		}
	}
	alg := keystore.P256
	if now, err := o.current(kind); err == nil {
		alg = now.Alg
		early := o.a.now() + trust.RotationNotice
		switch {
		case standby || from >= early:
		case o.a.SecondPerson != "":
			o.a.say("warning: the successor signs from %s, before service points can know it; %s has confirmed it", from, o.a.SecondPerson)
		default:
			return usagef("the successor would sign from %s, before service points can know it: 45 days are needed", from).
				hint("--from %s or later; where the present key is lost or stolen, a second person confirms: --second-person ACCOUNT", early)
		}
	}
	if kind == keystore.Audit { // also after a P-256 one: docs/decisions/0029
		alg = keystore.Ed25519
	}
	// All keys that sign the entry are unsealed before anything is made: a wrong
	// passphrase changes nothing, and seals no new key.
	for _, k := range o.entry.Keys {
		if k.Use == trust.UseSeal {
			continue
		}
		if _, err := o.signer(keystore.Use(k.Use.String()), k.KID); err != nil {
			return err
		}
	}
	slips := slices.ContainsFunc(o.entry.Keys, func(k *trust.Key) bool { return k.Profile == trust.ProfileSlip1 })
	info, err := o.store.Create(kind, alg, label(want, from, from+credential.Time(years)*keyYear), o.pass(), o.a.Now())
	if err != nil {
		return err
	}
	if err := o.writeEntry(slips); err != nil {
		return errors.Join(err, os.Remove(filepath.Join(o.dir, string(kind)+"-"+info.ID+".key")))
	}
	files := []string{o.a.publicEntry(o.entry.ID)}
	if out != "" {
		files = append(files, out)
	}
	for _, path := range files {
		if err := makeParent(path); err != nil {
			return err
		}
		if err := writeFile(path, o.entryRaw); err != nil {
			return err
		}
	}
	result := map[string]any{"key": info.ID, "use": use.String(), "from": from.String(), "entry": files[len(files)-1]}
	return o.a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s key %s signs from %s\n", use, info.ID, from)
		fmt.Fprintf(w, "next: aidpass trust rotate LIST --org %s --use %s --new %s --out DRAFT\n", o.entry.ID, use, files[len(files)-1])
	})
}

// probeKey is a public key for checks that need any: the base point of P-256.
func probeKey() *cose.Key {
	one := make([]byte, 32)
	one[31] = 1
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), one)
	if err != nil {
		panic(err)
	}
	k, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		panic(err)
	}
	return k
}
