package trust

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"aidpass/credential"
	"aidpass/internal/cose"
)

// AddOrganisation adds an organisation without keys or rights. id is the issuer
// URI of its cards, country its seat (ISO 3166-1 alpha-3), names its names by
// language, at least one. One that was removed before comes back.
func (d *Draft) AddOrganisation(id, country string, names map[string]string) error {
	i, found := d.search(id)
	switch {
	case found:
		return fmt.Errorf("trust: organisation %q is on the list already", id)
	case checkID(id) != "":
		return fmt.Errorf("trust: organisation id %q: %s", id, checkID(id))
	case checkCountry(country) != "":
		return fmt.Errorf("trust: country %q of organisation %q: %s", country, id, checkCountry(country))
	case len(names) == 0:
		return fmt.Errorf("trust: organisation %q has no name", id)
	}
	o := &Organisation{ID: id, Country: country, Names: maps.Clone(names), UsesStatus: true}
	for lang, name := range names {
		if why := checkText(lang, maxLang); why != "" {
			return fmt.Errorf("trust: language %q of a name of organisation %q: %s", lang, id, why)
		}
		if why := checkText(name, maxName); why != "" {
			return fmt.Errorf("trust: name in %q of organisation %q: %s", lang, id, why)
		}
		o.MixedScript = o.MixedScript || mixedScript(lang, name)
	}
	d.Organisations = slices.Insert(d.Organisations, i, o)
	d.Removed = slices.DeleteFunc(d.Removed, func(x Removed) bool { return x.ID == id })
	return nil
}

// RemoveOrganisation takes an organisation off the list. Its cards are refused
// from then on, with a word about since when. It is also how a bad entry made
// by mistake goes; compromised keys are withdrawn, not removed.
func (d *Draft) RemoveOrganisation(id string) error {
	i, found := d.search(id)
	switch {
	case !found:
		return fmt.Errorf("trust: organisation %q is not on the list", id)
	case d.Issued == 0:
		return errNoDate
	}
	d.Organisations = slices.Delete(d.Organisations, i, i+1)
	d.Removed = slices.DeleteFunc(d.Removed, func(x Removed) bool { return x.ID == id })
	d.Removed = append(d.Removed, Removed{ID: id, Since: d.Issued})
	slices.SortFunc(d.Removed, func(a, b Removed) int { return cmp.Compare(a.ID, b.ID) })
	return nil
}

var errNoDate = fmt.Errorf("trust: set the issue date of the draft first")

// AddKey publishes a key of an organisation. Org, State and Since of k are set
// here; KID may be left out, and is needed only where another system named the
// key.
//
// Refused are a key that stands anywhere on the list or among the anchors, a
// key id that the organisation has already, a use and a profile that do not go
// together, and a successor (a key of a use of which the list before has one
// that is not compromised) whose NotBefore is less than RotationNotice away.
func (d *Draft) AddKey(org string, k Key) error {
	o, err := d.get(org)
	switch {
	case err != nil:
		return err
	case d.Issued == 0:
		return errNoDate
	case k.Key == nil:
		return fmt.Errorf("trust: no key to add to organisation %q", org)
	}
	if len(k.KID) == 0 {
		id := k.Key.ID()
		k.KID = id[:]
	}
	k = Key{Key: k.Key, KID: bytes.Clone(k.KID), Use: k.Use, Profile: k.Profile, NotBefore: k.NotBefore, NotAfter: k.NotAfter,
		State: Active, listed: Active, Org: o}
	if err := k.check(); err != nil {
		return fmt.Errorf("key %x of organisation %q: %w", k.KID, org, err)
	}
	if where := d.holds(k.Key); where != "" {
		return fmt.Errorf("trust: key %x of organisation %q stands on the list already: %s", k.KID, org, where)
	}
	if o.key(k.KID) != nil {
		return fmt.Errorf("trust: organisation %q has a key with id %x already", org, k.KID)
	}
	if err := d.notice(o, &k); err != nil {
		return err
	}
	o.Keys = append(o.Keys, &k)
	return nil
}

// holds says where a key stands in the draft, "" if nowhere.
func (d *Draft) holds(key *cose.Key) string {
	thumb := key.Thumbprint()
	if d.Anchors.Has(key) {
		return "it is an anchor"
	}
	for _, o := range d.Organisations {
		for _, k := range o.Keys {
			if k.Key.Thumbprint() == thumb {
				return fmt.Sprintf("%s key of %q", k.Use, o.ID)
			}
		}
	}
	return ""
}

// notice checks that a successor is published long enough before its first use.
// The first key of a use works once it is listed, since no card of it can be
// out; so does one that replaces keys that are all compromised.
func (d *Draft) notice(o *Organisation, k *Key) error {
	if d.base == nil {
		return nil
	}
	before := d.base.byID[o.ID]
	if before == nil || before.Recognised != nil {
		return nil
	}
	succeeds := false
	for _, b := range before.Keys {
		if b.Key.Thumbprint() == k.Key.Thumbprint() {
			return nil // not new
		}
		succeeds = succeeds || b.Use == k.Use && b.State != Compromised
	}
	if first := d.Issued + RotationNotice; succeeds && k.NotBefore < first {
		return fmt.Errorf("trust: %s key %x of organisation %q is to sign from %v: service points need 45 days to learn of it, so %v at the earliest",
			k.Use, k.KID, o.ID, k.NotBefore, first)
	}
	return nil
}

// Grant gives an organisation a right. Rights add up.
func (d *Draft) Grant(org string, g Grant) error {
	o, err := d.get(org)
	if err != nil {
		return err
	}
	if err := checkCodes("type", maxID, g.Types, true); err != nil {
		return err
	}
	if err := checkCodes("programme", maxCode, g.Programmes, false); err != nil {
		return err
	}
	if err := checkCountries(g.Countries); err != nil {
		return err
	}
	if g.Until < 0 || g.Until > credential.MaxTime {
		return fmt.Errorf("trust: %d is no time in seconds", g.Until)
	}
	if len(g.Replaces) > maxReplaced {
		return fmt.Errorf("trust: a right to replace cards of %d organisations, at most %d", len(g.Replaces), maxReplaced)
	}
	for _, id := range g.Replaces {
		_, listed := d.search(id)
		gone := slices.ContainsFunc(d.Removed, func(x Removed) bool { return x.ID == id })
		if id == org || !listed && !gone {
			return fmt.Errorf("trust: organisation %q cannot re-issue cards of %q: that is itself, or was never on the list", org, id)
		}
	}
	o.Grants = append(o.Grants, Grant{Types: slices.Clone(g.Types), Programmes: slices.Clone(g.Programmes),
		Countries: slices.Clone(g.Countries), Until: g.Until, Replaces: slices.Clone(g.Replaces)})
	return nil
}

func checkCodes(what string, most int, list []string, needed bool) error {
	if needed && len(list) == 0 {
		return fmt.Errorf("trust: no %s named", what)
	}
	for _, s := range list {
		if why := checkText(s, most); why != "" {
			return fmt.Errorf("trust: %s %q: %s", what, s, why)
		}
	}
	return nil
}

func checkCountries(list []string) error {
	for _, c := range list {
		if why := checkCountry(c); why != "" {
			return fmt.Errorf("trust: country %q: %s", c, why)
		}
	}
	return nil
}

// Ungrant takes every right to issue type vct from an organisation.
func (d *Draft) Ungrant(org, vct string) error {
	o, err := d.get(org)
	if err != nil {
		return err
	}
	had := false
	var kept []Grant
	for _, g := range o.Grants {
		if i := slices.Index(g.Types, vct); i >= 0 {
			had = true
			g.Types = slices.Delete(slices.Clone(g.Types), i, i+1)
		}
		if len(g.Types) > 0 {
			kept = append(kept, g)
		}
	}
	if !had {
		return fmt.Errorf("trust: organisation %q has no right to issue %q", org, vct)
	}
	o.Grants = kept
	return nil
}

// AddStatusPrefix says under which https URI an organisation's status lists
// live. A prefix that overlaps another organisation's is refused.
func (d *Draft) AddStatusPrefix(org, prefix string) error {
	o, err := d.get(org)
	if err != nil {
		return err
	}
	if why := checkPrefix(prefix); why != "" {
		return fmt.Errorf("trust: status prefix %q: %s", prefix, why)
	}
	for _, other := range d.Organisations {
		for _, p := range other.StatusPrefixes {
			if other == o && p == prefix || other != o && overlap(p, prefix) {
				return fmt.Errorf("trust: status prefix %q overlaps %q of organisation %q", prefix, p, other.ID)
			}
		}
	}
	o.StatusPrefixes = append(o.StatusPrefixes, prefix)
	return nil
}

// SetUsesStatus says whether an organisation publishes status lists. Only a
// foreign identity issuer does without.
func (d *Draft) SetUsesStatus(org string, uses bool) error {
	o, err := d.get(org)
	if err != nil {
		return err
	}
	if !uses && issuesOurs(o) {
		return fmt.Errorf("trust: organisation %q issues our own cards, which need status lists", org)
	}
	o.UsesStatus = uses
	return nil
}

// Withdraw marks a key as compromised since the given time: nothing under it
// counts any more, whatever date it bears.
func (d *Draft) Withdraw(org string, kid []byte, since credential.Time) error {
	k, err := d.getKey(org, kid)
	switch {
	case err != nil:
		return err
	case since < 1 || since > credential.MaxTime:
		return fmt.Errorf("trust: %d is no time in seconds", since)
	}
	k.State, k.Since, k.AcceptUntil = Compromised, since, 0
	return nil
}

// Reinstate undoes a withdrawal that was made in error: the key is active
// again. Devices follow the list from the day they have it.
func (d *Draft) Reinstate(org string, kid []byte) error {
	k, err := d.getKey(org, kid)
	switch {
	case err != nil:
		return err
	case k.State != Compromised:
		return fmt.Errorf("trust: key %x of organisation %q is %s, not compromised", kid, org, k.State)
	}
	k.State, k.Since, k.AcceptUntil = Active, 0, 0
	return nil
}

// Retire ends the signing life of a key at since. What it signed before counts
// until acceptUntil, which the caller sets to since plus the longest life of
// what it signed.
func (d *Draft) Retire(org string, kid []byte, since, acceptUntil credential.Time) error {
	k, err := d.getKey(org, kid)
	switch {
	case err != nil:
		return err
	case k.State == Compromised:
		return fmt.Errorf("trust: key %x of organisation %q is compromised: retiring it would bring its cards back", kid, org)
	case since < k.NotBefore || acceptUntil < since || acceptUntil > credential.MaxTime:
		return fmt.Errorf("trust: key %x of organisation %q: retired at %v, accepted until %v, but it signs from %v on",
			kid, org, since, acceptUntil, k.NotBefore)
	}
	k.State, k.Since, k.AcceptUntil, k.NotAfter = Retired, since, acceptUntil, min(k.NotAfter, since)
	return nil
}

// Rotate publishes next as the successor of the key kid, of the same use, and
// retires that one on the day next begins to sign. acceptUntil is for the old
// key, as in Retire; AddKey's rules hold for the new one.
func (d *Draft) Rotate(org string, kid []byte, next Key, acceptUntil credential.Time) error {
	old, err := d.getKey(org, kid)
	switch {
	case err != nil:
		return err
	case old.State != Active:
		return fmt.Errorf("trust: key %x of organisation %q is %s, there is nothing to rotate", kid, org, old.State)
	case next.Use != old.Use:
		return fmt.Errorf("trust: a %s key cannot follow a %s key", next.Use, old.Use)
	}
	saved := *old
	if err := d.Retire(org, kid, next.NotBefore, acceptUntil); err != nil {
		return err
	}
	if err := d.AddKey(org, next); err != nil {
		*old = saved
		return err
	}
	return nil
}

// Recognise admits the organisations of another consortium's list, in place of
// what was said of that list before.
func (d *Draft) Recognise(r Recognition) error {
	switch {
	case checkID(r.List) != "":
		return fmt.Errorf("trust: list id %q: %s", r.List, checkID(r.List))
	case r.List == d.ID:
		return fmt.Errorf("trust: a list cannot recognise itself")
	case r.Anchors.fault() != "":
		return fmt.Errorf("trust: anchors of list %q: %s", r.List, r.Anchors.fault())
	case r.Recheck <= d.Issued || r.Recheck > credential.MaxTime:
		return fmt.Errorf("trust: recognition of list %q needs a re-check date to come", r.List)
	}
	if err := checkCodes("type", maxID, r.Types, true); err != nil {
		return err
	}
	if err := checkCountries(r.Countries); err != nil {
		return err
	}
	r.Sequence, r.Issued, r.NextUpdate = 0, 0, 0
	d.Recognitions = slices.DeleteFunc(d.Recognitions, func(x Recognition) bool { return x.List == r.List })
	d.Recognitions = append(d.Recognitions, r)
	slices.SortFunc(d.Recognitions, func(a, b Recognition) int { return cmp.Compare(a.List, b.List) })
	return nil
}

// Unrecognise ends a recognition.
func (d *Draft) Unrecognise(list string) error {
	n := len(d.Recognitions)
	d.Recognitions = slices.DeleteFunc(d.Recognitions, func(x Recognition) bool { return x.List == list })
	if len(d.Recognitions) == n {
		return fmt.Errorf("trust: list %q is not recognised", list)
	}
	return nil
}

// SetAnchors changes who signs the list. The list then needs signatures of the
// anchors before and of these, and travels in packs as a link of the chain.
func (d *Draft) SetAnchors(a Anchors) error {
	if why := a.fault(); why != "" {
		return fmt.Errorf("trust: anchors: %s", why)
	}
	for _, o := range d.Organisations {
		for _, k := range o.Keys {
			if a.Has(k.Key) {
				return fmt.Errorf("trust: an anchor is a %s key of organisation %q", k.Use, o.ID)
			}
		}
	}
	d.Anchors = a
	return nil
}
