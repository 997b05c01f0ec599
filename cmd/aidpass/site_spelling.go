package main

import (
	"context"
	"strings"

	"aidpass/issuer/registry"
)

// alike is what is left of a site's code where people do not look closely.
var alike = strings.NewReplacer("-", "", "_", "", ".", "", " ", "")

// siteSpelling warns where rounds or devices know site by another spelling: to cards,
// packs and devices WELL-A and Well-a are two places, and nothing else would say so.
func (o *org) siteSpelling(ctx context.Context, site string) error {
	k, err := o.spelt(ctx, site)
	if k != "" {
		o.a.say("warning: site %s is spelt %s elsewhere here: to cards and phones these are two places", site, k)
		o.a.say("hint: where one place is meant, write --site %s", k)
	}
	return err
}

// spelt is how a place that is nearly called site is spelt here; "" where there is none.
func (o *org) spelt(ctx context.Context, site string) (string, error) {
	var known []string
	err := o.store.View(ctx, func(v registry.View) error {
		programmes, err := v.Programmes()
		for _, p := range programmes {
			for _, r := range p.Rounds {
				known = append(known, r.Sites...)
			}
		}
		return err
	})
	if err != nil {
		return "", err
	}
	devices, err := o.store.Devices(ctx)
	if err != nil {
		return "", err
	}
	for _, d := range devices {
		known = append(known, d.Site)
	}
	for _, k := range known {
		if k != site && strings.EqualFold(alike.Replace(k), alike.Replace(site)) {
			return k, nil
		}
	}
	return "", nil
}
