package trust

import (
	"aidpass/credential"
)

// Organisation is one entry of the list: who it is, its keys, and what it may
// issue. ID is the identity; names are for people and prove nothing.
type Organisation struct {
	ID             string            // the issuer URI: iss of its cards
	Names          map[string]string // by language tag
	Country        string            // seat, ISO 3166-1 alpha-3
	Keys           []*Key            // without refused ones
	Grants         []Grant
	StatusPrefixes []string // https URIs under which its status lists live
	UsesStatus     bool     // false only for foreign identity issuers
	Recognised     *Recognition
	// MixedScript: a name mixes scripts, or is in another script than its
	// language; it may imitate another organisation. Screens flag it.
	MixedScript bool
}

// Grant is what an organisation may issue.
type Grant struct {
	Types      []string        // vct, at least one
	Programmes []string        // empty: every programme, and none
	Countries  []string        // where it counts, ISO 3166-1 alpha-3; empty: everywhere
	Until      credential.Time // last moment; 0: no end
	Replaces   []string        // organisations in whose cards' place it may issue, by id; empty: none
}

// Recognition admits the organisations of another consortium's list, as far as
// it says and no further.
type Recognition struct {
	List      string          // id of the other list
	Anchors   Anchors         // pinned
	Types     []string        // vct taken from it, at least one
	Countries []string        // where they count; empty: everywhere
	Recheck   credential.Time // not used after

	// Of the list that was joined; zero before List.Recognise.
	Sequence           uint64
	Issued, NextUpdate credential.Time
}

// Removed is an organisation that once was on the list.
type Removed struct {
	ID    string
	Since credential.Time
}

// MayIssue reports whether a grant covers a credential of type vct for
// programme (empty: none named) that is used in country (empty: not known) at
// time at. What a grant limits and the credential does not name is not covered.
func (o *Organisation) MayIssue(vct, programme []byte, country string, at credential.Time) bool {
	if r := o.Recognised; r != nil {
		if at > r.Recheck || !names(r.Types, vct) || !covers(r.Countries, country) {
			return false
		}
	}
	for i := range o.Grants {
		if o.Grants[i].covers(vct, programme, country, at) {
			return true
		}
	}
	return false
}

func (g *Grant) covers(vct, programme []byte, country string, at credential.Time) bool {
	return (g.Until == 0 || at <= g.Until) && names(g.Types, vct) &&
		(len(g.Programmes) == 0 || names(g.Programmes, programme)) && covers(g.Countries, country)
}

// MayReplace finds the organisation that a card names in "replaces" among those in
// whose cards' place o may issue such a credential: vct, programme, country and at
// are MayIssue's, replaces is Credential.Replaces. False: none, or two of one tag.
//
// What another consortium's list says of replacing is not followed: its keeper
// would decide who takes what is due to our people.
func (o *Organisation) MayReplace(replaces, vct, programme []byte, country string, at credential.Time) (f credential.Former, ok bool) {
	if o.Recognised != nil || len(replaces) != credential.FormerBytes {
		return f, false
	}
	for i := range o.Grants {
		g := &o.Grants[i]
		if len(g.Replaces) == 0 || !g.covers(vct, programme, country, at) {
			continue
		}
		for _, id := range g.Replaces {
			tag := credential.IssuerTag(id)
			if id == o.ID || string(tag[:]) != string(replaces[:len(tag)]) || ok && id == f.Issuer {
				continue
			}
			if ok {
				return credential.Former{}, false
			}
			f, ok = credential.FormerOf(id, replaces), true
		}
	}
	return f, ok
}

// OwnsStatusURI reports whether uri lies under one of the organisation's status
// prefixes.
func (o *Organisation) OwnsStatusURI(uri []byte) bool {
	if len(uri) > maxURI || checkStatusURI(uri) != "" {
		return false
	}
	for _, p := range o.StatusPrefixes {
		if under(p, uri) {
			return true
		}
	}
	return false
}

// names reports whether list holds s. Comparing a conversion does not allocate.
func names(list []string, s []byte) bool {
	for _, have := range list {
		if have == string(s) {
			return true
		}
	}
	return false
}

// covers is names for countries, where an empty list means everywhere.
func covers(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return len(list) == 0
}
