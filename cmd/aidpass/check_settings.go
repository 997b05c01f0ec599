package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"aidpass/access"
	"aidpass/storage"
	"aidpass/web/console"
)

// checkSettings is the promise about the files of settings, which stand outside the database.
const checkSettings = "settings"

// proveSettings holds each file of a setting against what the log says was set last. A file
// that the desk never set is its owner's, laid there by hand; but a limit is set at the desk
// alone, so that one which loosens stands in the log.
func (a *app) proveSettings(ctx context.Context, o *org) (storage.Proof, error) {
	p := storage.Proof{What: checkSettings, Text: "each setting is what was set last at the desk"}
	find := func(name, format string, args ...any) {
		p.Findings = append(p.Findings, storage.Finding{What: checkSettings, Object: filepath.Base(a.settingPath(name)), Text: fmt.Sprintf(format, args...) +
			": it was changed outside; look at it, and set it again on the organisation's page"})
	}
	for _, name := range []string{console.SettingComplaint, console.SettingLabels, console.SettingOffers, console.SettingPairs, console.SettingRechecks, console.SettingRequired} {
		have, err := a.setting(name)
		if err != nil {
			return p, err
		}
		var last *access.Entry
		newest := storage.AuditFilter{Action: "settings.change", Object: name, Newest: true, Limit: 1}
		err = o.store.AuditPage(ctx, newest, func(e *access.Entry) error {
			last = e
			return nil
		})
		if err != nil {
			return p, err
		}
		switch {
		case last != nil && last.Digest != sha256.Sum256(have):
			find(name, "not what %s set on %s (entry %d of the log)", last.Actor.ID, last.Time.UTC().Format(time.DateOnly), last.Seq)
		case last == nil && name != console.SettingRequired:
			if looser, err := console.Loosens(name, nil, have); err != nil {
				find(name, "it cannot be read")
			} else if looser {
				find(name, "nobody set it, and it allows more than without it")
			}
		}
		if last != nil || have != nil {
			p.Count++
		}
	}
	return p, nil
}
