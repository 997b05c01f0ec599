package trust

import (
	"fmt"

	"aidpass/credential"
)

// Warning is something a custodian should know before signing. It is no fault:
// readers take the list.
type Warning struct {
	Org  string // id; empty where it is about the list
	Code string // no_standby_key, key_ends_soon, mixed_script, ...
	Text string
}

func (w Warning) String() string {
	if w.Org == "" {
		return w.Text
	}
	return fmt.Sprintf("organisation %q: %s", w.Org, w.Text)
}

// Lint tells what is allowed and unwise in the draft.
func (d *Draft) Lint() []Warning {
	var out []Warning
	warn := func(org, code, format string, args ...any) {
		out = append(out, Warning{org, code, fmt.Sprintf(format, args...)})
	}
	switch n := len(d.Anchors.Keys); {
	case d.Anchors.K == 1:
		warn("", "one_anchor", "one custodian alone can change the list")
	case d.Anchors.K == n:
		warn("", "no_spare_anchor", "all %d custodians must sign: one lost key ends the list", n)
	}
	if d.NextUpdate > d.Issued+366*day {
		warn("", "long_lived", "the next update is more than a year away: devices will not miss a list that is held back")
	}
	for _, r := range d.Recognitions {
		if r.Recheck < d.NextUpdate {
			warn("", "recheck_soon", "the recognition of list %q ends %v, before the next update", r.List, r.Recheck)
		}
	}
	for _, o := range d.Organisations {
		d.lintOrganisation(o, func(code, format string, args ...any) { warn(o.ID, code, format, args...) })
	}
	return out
}

func (d *Draft) lintOrganisation(o *Organisation, warn func(code, format string, args ...any)) {
	if o.MixedScript {
		warn("mixed_script", "a name mixes scripts or is in another script than its language: it may imitate another organisation")
	}
	active := map[Use]int{}
	ours := false // it has card keys of our own profile
	var last [UseSeal + 1]credential.Time
	for _, k := range o.Keys {
		ours = ours || k.Profile == ProfileCard1
		if k.State == Active && k.Use.valid() {
			active[k.Use]++
			last[k.Use] = max(last[k.Use], k.NotAfter)
		}
	}
	if ours && active[UseCard] == 1 {
		warn("no_standby_key", "one card key and no standby: after a compromise nothing can be issued before the next list")
	}
	if len(o.Grants) > 0 && active[UseCard]+active[UseVC] == 0 {
		warn("no_signing_key", "it may issue, but has no active card or vc key")
	}
	if o.UsesStatus && active[UseCard]+active[UseVC] > 0 {
		if active[UseStatus] == 0 {
			warn("no_status_key", "it issues, but has no active status key")
		}
		if len(o.StatusPrefixes) == 0 {
			warn("no_status_prefix", "it issues, but has no status prefix: its cards will answer status_wrong_issuer")
		}
	}
	for u := UseCard; u <= UseSeal; u++ {
		if active[u] > 0 && last[u] < d.Issued+RotationNotice+d.untilNext() {
			warn("key_ends_soon", "its last %s key ends %v: a successor listed in the next update comes too late", u, last[u])
		}
	}
	for _, g := range o.Grants {
		if g.Until != 0 && g.Until < d.Issued {
			warn("grant_over", "a right ended %v", g.Until)
		}
	}
}

func (d *Draft) untilNext() credential.Time { return max(d.NextUpdate-d.Issued, 0) }
