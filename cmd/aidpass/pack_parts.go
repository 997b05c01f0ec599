package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/cose"
	"aidpass/issuer/registry"
	"aidpass/schemas"
	"aidpass/schemas/compile"
	"aidpass/status"
	"aidpass/storage"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/web/console"
)

// trustParts adds chain, recognised lists and withdrawals.
func (b *packBuild) trustParts(context.Context) error {
	for _, path := range b.f.chain {
		raw, l, err := readList(path, trust.Anchors{})
		if err != nil {
			return err
		}
		b.add(l.ID, verifier.PartTrustChain, strconv.FormatUint(l.Sequence, 10), l.Sequence, raw)
	}
	for _, path := range b.f.recognised {
		raw, l, err := readList(path, trust.Anchors{})
		if err != nil {
			return err
		}
		// Joined to ours as on every device: its status lists are then known below.
		if err := b.list.Recognise(raw, b.draft.Issued); err != nil {
			return usagef("%s: %w", path, err).coded(console.CannotPackFiles).hint("the keeper of our list recognises it first: aidpass trust recognise")
		}
		b.add(l.ID, verifier.PartRecognised, l.ID, l.Sequence, raw)
	}
	files, err := b.o.withdrawals()
	if err != nil {
		return err
	}
	for _, path := range b.f.withdrawals {
		raw, err := readFile(path, maxSecretFile)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(files, func(have []byte) bool { return string(have) == string(raw) }) {
			files = append(files, raw)
		}
	}
	for _, raw := range files {
		w, err := openWithdrawal(raw, b.list)
		if err != nil {
			return usagef("a withdrawal: %w", err).coded(console.CannotPackFiles).hint("is it for this trust list?")
		}
		b.add(w.Org, verifier.PartWithdrawal, hex.EncodeToString(w.KID), uint64(w.At), raw)
	}
	return nil
}

func openWithdrawal(raw []byte, l *trust.List) (trust.Withdrawal, error) {
	return trust.OpenWithdrawal(raw, func(org string, kid []byte) *cose.Key {
		o := l.Organisation([]byte(org))
		if o == nil {
			return nil
		}
		for _, k := range o.Keys {
			if id := k.Key.ID(); string(id[:]) == string(kid) {
				return k.Key
			}
		}
		return nil
	})
}

func (b *packBuild) statusParts(ctx context.Context) error {
	snapshots, err := b.snapshots(ctx, b.o)
	if err != nil {
		return err
	}
	for _, uri := range slices.Sorted(maps.Keys(snapshots)) {
		if err := b.addStatus(snapshots[uri], uri); err != nil {
			return err
		}
	}
	return nil
}

// othersStatus adds the status files of other organisations.
func (b *packBuild) othersStatus(context.Context) error {
	for _, arg := range b.f.status {
		err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if base, isJWT := strings.CutSuffix(path, ".jwt"); isJWT && path != arg {
				if _, err := os.Stat(base + ".snapshot"); err == nil {
					return nil // the snapshot beside it is the same list, and shorter
				}
			}
			raw, err := readFile(path, status.MaxJWT)
			if err != nil {
				return err
			}
			return b.addStatus(raw, path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// addStatus adds a status list in whichever form it comes, once its signature is
// found good under a status key of the trust list.
func (b *packBuild) addStatus(raw []byte, what string) error {
	find := func(kid []byte) *cose.Key {
		if k := b.list.FindKeyID(kid, trust.UseStatus); k != nil {
			return k.Key
		}
		return nil
	}
	// A JWT names our keys by their ids in base64url, others by the text itself.
	jwtKeyID := func(kid string) []byte {
		if id, err := base64.RawURLEncoding.DecodeString(kid); err == nil && find(id) != nil {
			return id
		}
		return []byte(kid)
	}
	kind := verifier.PartStatusCWT
	var l *status.List
	var err error
	if m, perr := cose.ParseSign1(raw); perr != nil {
		kind = verifier.PartStatusJWT
		l, err = status.OpenJWT(raw, func(kid string) *cose.Key { return find(jwtKeyID(kid)) })
	} else if string(m.Protected.Type) == verifierSnapshot {
		kind = verifier.PartSnapshot
		l, err = status.OpenSnapshot(raw, find)
	} else if string(m.Protected.Type) == verifierDelta {
		return nil // the snapshot beside it says more
	} else {
		l, err = status.OpenCWT(raw, find)
	}
	if err != nil {
		return usagef("%s: %w", what, err).coded(console.CannotPackFiles).hint("a status list signed by an organisation of the trust list is needed")
	}
	owner, kid := "", l.KeyID
	if kind == verifier.PartStatusJWT {
		kid = jwtKeyID(string(kid))
	}
	if k := b.list.FindKeyID(kid, trust.UseStatus); k != nil {
		owner = k.Org.ID
	}
	b.add(owner, kind, l.URI, uint64(l.IssuedAt), raw)
	return nil
}

const (
	verifierSnapshot = "application/aidpass-snapshot+cose"
	verifierDelta    = "application/aidpass-delta+cose"
)

func (b *packBuild) typesPart(context.Context) error {
	var own []*schemas.Type
	for _, path := range b.f.types {
		raw, err := readFile(path, 1<<20)
		if err != nil {
			return err
		}
		t, err := compile.Compile(raw)
		if err != nil {
			return usagef("%s: %w", path, err).coded(console.CannotPackFiles).hint("the embedded types in schemas/ are examples of a type file")
		}
		own = append(own, t)
	}
	if len(own) == 0 {
		return nil
	}
	if _, err := schemas.NewSet(append(schemas.Embedded(), own...)...); err != nil {
		return usagef("%w", err).coded(console.CannotPackFiles).hint("a changed type needs a new vct and a name of its own")
	}
	b.add(b.draft.Org, verifier.PartTypes, "types", b.draft.Sequence, schemas.Append(nil, own))
	return nil
}

func (b *packBuild) policyPart(ctx context.Context) (err error) {
	p := verifier.Policy{Country: b.f.country, Sites: b.f.sites, Told: b.f.told, ShowFor: int64(b.f.showFor)}
	if len(b.f.bearer) > 0 {
		if p.Bearer, err = typeURIs(b.f.bearer); err != nil {
			return err
		}
	}
	if p.Country == "" {
		p.Country = b.o.entry.Country
	}
	if p.Programmes, err = b.o.served(ctx, &b.f); err != nil {
		return err
	}
	if p.Programmes != nil && len(p.Programmes) == 0 {
		b.say("warning: no round is planned for %s: its pack serves no programme, and every card is for another place", b.f.site)
		b.say("hint: aidpass programme round --site %s plans one, or name what is served: --programme K7Q2", b.f.site)
	}
	for _, s := range b.f.fresh {
		name, days, ok := strings.Cut(s, "=")
		n, err := strconv.Atoi(days)
		vcts, terr := typeURIs([]string{name})
		if !ok || err != nil || terr != nil || n < 0 {
			return usagef("--fresh %q", s).coded(console.CannotPackFiles).hint("--fresh eligibility=14")
		}
		if p.Freshness == nil {
			p.Freshness = map[string]int64{}
		}
		p.Freshness[vcts[0]] = int64(n) * int64(day)
	}
	if d := b.f.old; d.reason != "" {
		until, err := parseAt(d.until)
		if err != nil || d.lead == "" || d.second == "" {
			return usagef("--old-lists takes a decision of two people, with an end").coded(console.CannotPackFiles).hint("--old-lists road_closed --lead st-7 --second st-9 --until 2026-12-05")
		}
		p.OldLists = &verifier.Decision{Reason: d.reason, Lead: d.lead, Second: d.second, Ceiling: d.ceiling, From: b.draft.Issued, Until: until}
	}
	b.programmes = p.Programmes
	raw, err := p.Encode()
	if err != nil {
		return usagef("%w", err).coded(console.CannotPackFiles).hint("aidpass pack build --help shows examples")
	}
	b.add(b.draft.Org, verifier.PartPolicy, "policy", b.draft.Sequence, raw)
	return nil
}

// served are the programmes of a site's pack and their open rounds, nil for every one.
// They are those that --programme names, else what the registry plans for the site; at a
// server (f.planned) those that are named and the registry's rounds whose places name it.
func (o *org) served(ctx context.Context, f *packFlags) (map[string][]verifier.Round, error) {
	sites := append([]string{f.site}, f.sites...)
	if len(f.programmes) == 0 {
		return o.roundsAt(ctx, sites)
	}
	named := map[string][]verifier.Round{}
	for _, s := range f.programmes {
		code, round, err := parseProgramme(s)
		if err != nil {
			return nil, err
		}
		named[code] = append(named[code], round...)
	}
	if !f.planned {
		return named, nil
	}
	return named, o.addPlanned(ctx, named, sites)
}

// addPlanned adds to what is named the registry's rounds whose places name one of these
// sites. What is named stays as it is: a programme without rounds has every one already,
// and a round's days there are those that were given.
func (o *org) addPlanned(ctx context.Context, named map[string][]verifier.Round, sites []string) error {
	list, err := o.desk(access.DistributionLead).Programmes(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if rounds, ok := named[p.Code]; ok && len(rounds) == 0 {
			continue
		}
		for _, r := range p.Rounds {
			if len(r.Sites) == 0 || !handedOutAt(&r, sites) || slices.ContainsFunc(named[p.Code], func(x verifier.Round) bool { return x.N == r.N }) {
				continue
			}
			round, err := openRound(&r)
			if err != nil {
				return err
			}
			named[p.Code] = append(named[p.Code], round)
		}
	}
	return nil
}

// roundsAt are the programmes of the service points that one stands for, where none are
// named: of the registry's rounds those at these sites and those at no site in
// particular, and programmes without any round. Where no round names a site, it is nil:
// every programme is served.
func (o *org) roundsAt(ctx context.Context, sites []string) (map[string][]verifier.Round, error) {
	list, err := o.desk(access.DistributionLead).Programmes(ctx)
	if err != nil {
		return nil, err
	}
	named, here := false, map[string][]verifier.Round{}
	for _, p := range list {
		if len(p.Rounds) == 0 {
			here[p.Code] = nil
		}
		for _, r := range p.Rounds {
			named = named || len(r.Sites) > 0
			if !handedOutAt(&r, sites) {
				continue
			}
			round, err := openRound(&r)
			if err != nil {
				return nil, err
			}
			here[p.Code] = append(here[p.Code], round)
		}
	}
	if !named {
		return nil, nil
	}
	return here, nil
}

// openRound is when a round of the registry is open, as packs say it.
func openRound(r *registry.Round) (round verifier.Round, err error) {
	round = verifier.Round{N: r.N, Closes: credential.MaxTime}
	if r.Opens != "" {
		if round.Opens, err = parseAt(r.Opens); err != nil {
			return round, err
		}
	}
	if r.Closes != "" {
		if round.Closes, err = parseLastDay(r.Closes); err != nil {
			return round, err
		}
		round.Closes++ // the first second it is closed
	}
	return round, nil
}

// handedOutAt is true of a round at one of these sites, and of one at no site in particular.
func handedOutAt(r *registry.Round, sites []string) bool {
	return len(r.Sites) == 0 || slices.ContainsFunc(r.Sites, func(at string) bool {
		return slices.ContainsFunc(sites, func(s string) bool { return strings.EqualFold(s, at) })
	})
}

// parseProgramme reads CODE or CODE=N@FROM..TO; TO is the last day.
func parseProgramme(s string) (string, []verifier.Round, error) {
	bad := usagef("--programme %q", s).coded(console.CannotPackFiles).hint("--programme K7Q2, or K7Q2=1@2026-11-01..2026-12-01")
	code, rest, ok := strings.Cut(s, "=")
	if code == "" {
		return "", nil, bad
	}
	if !ok {
		return code, nil, nil
	}
	number, days, ok := strings.Cut(rest, "@")
	from, to, ok2 := strings.Cut(days, "..")
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || !ok || !ok2 {
		return "", nil, bad
	}
	r := verifier.Round{N: n}
	if r.Opens, err = parseAt(from); err != nil {
		return "", nil, err
	}
	if r.Closes, err = parseAt(to); err != nil {
		return "", nil, err
	}
	if len(to) == len("2026-12-01") {
		r.Closes += day
	}
	return code, []verifier.Round{r}, nil
}

// deviceParts adds certificates and, behind the operator's code, audience keys.
func (b *packBuild) deviceParts(ctx context.Context) error {
	if b.f.unlock != "" && len(b.f.devices)+len(b.f.enrolled) == 0 {
		return usagef("--unlock needs --device").coded(console.CannotPackFiles).hint("keys of sealed claims are sealed to one device: --device tab-1.cert")
	}
	for i := range b.f.enrolled {
		d := &b.f.enrolled[i]
		cert, _, reason := b.list.OpenDevice(d.Certificate)
		if cert == nil {
			// One phone's matter: the others of the site get their pack.
			b.say("warning: device %s is left out: its certificate does not hold: %s", d.ID(), plain(keyWords, reason))
			continue
		}
		if err := b.addDevice(ctx, cert, d.Certificate); err != nil {
			return err
		}
	}
	for _, path := range b.f.devices {
		raw, err := readFile(path, maxSecretFile)
		if err != nil {
			return err
		}
		cert, _, reason := b.list.OpenDevice(raw)
		if cert == nil {
			return usagef("%s: the certificate does not hold: %s", path, plain(keyWords, reason)).coded(console.CannotPackFiles).
				hint("is the organisation's device-ca key on this trust list, and does it begin before the certificate?")
		}
		if cert.Site != b.f.site {
			b.say("warning: %s is the certificate of a device of %s", path, cert.Site)
		}
		if slices.ContainsFunc(b.f.enrolled, func(d access.Device) bool { return string(d.Certificate) == string(raw) }) {
			continue
		}
		if err := b.addDevice(ctx, cert, raw); err != nil {
			return err
		}
	}
	return nil
}

func (b *packBuild) addDevice(ctx context.Context, cert *trust.DeviceCertificate, raw []byte) error {
	id := cert.Key.ID()
	name := hex.EncodeToString(id[:])
	if d, err := b.o.store.Device(ctx, id); err == nil && d.State == access.DeviceWithdrawn {
		b.say("warning: device %s was withdrawn, %s: it is left out", name, plain(reasonCodes, d.Reason))
		return nil
	} else if err == nil && d.Frozen() {
		b.say("warning: device %s was found copied and is frozen: it is left out", name)
		b.say("hint: aidpass device thaw %s --reason CODE, or device withdraw", name)
		return nil
	} else if err != nil && !errors.Is(err, storage.ErrNoDevice) {
		return err
	}
	b.add(cert.Org, verifier.PartDevice, name, uint64(cert.NotBefore), raw)
	if b.f.unlock == "" || cert.NotAfter < b.draft.Issued {
		return nil // a certificate that has ended still vouches for its journal, and opens nothing
	}
	code, err := firstLine(b.f.unlock)
	if err != nil {
		return err
	}
	epochs, err := b.o.epochs(b.draft.Issued)
	if err != nil {
		return err
	}
	public, err := cert.Key.ECDH()
	if err != nil {
		return err
	}
	sites, err := b.o.siteKeys(b.draft.Site)
	if err != nil {
		return err
	}
	locked, err := verifier.LockAudiences(&verifier.Unlocked{Audiences: epochs, ContentKey: b.content, SiteKeys: sites}, b.draft.Org, b.draft.Site, public, code, rand.Reader)
	if err != nil {
		return err
	}
	b.add(b.draft.Org, verifier.PartAudience, name, b.draft.Sequence, locked)
	return nil
}
