package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"

	"aidpass/access"
	"aidpass/issuer"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality"
	"aidpass/issuer/registry/roster"
	"aidpass/web/console"
)

// consoleOrganisation is console.OrganisationDesk on files of the data folder, where the
// command line finds them too.
type consoleOrganisation struct{ *serving }

// settingPath names the file of a setting; required.json is what the gate reads.
func (a *app) settingPath(name string) string {
	switch name {
	case console.SettingComplaint:
		return filepath.Join(a.Data, "complaint.txt")
	case console.SettingPlaces:
		return a.placesPath()
	}
	return filepath.Join(a.Data, name+".json")
}

// setting reads one; nil where there is none.
func (a *app) setting(name string) ([]byte, error) {
	most := int64(1 << 20)
	if name == console.SettingPlaces { // a larger one than a desk sends may have been laid there
		most = 64 << 20
	}
	b, err := readFile(a.settingPath(name), most)
	if notThere(err) {
		return nil, nil
	}
	return b, err
}

// settings are changed one at a time.
var settings sync.Mutex

// Setting implements console.OrganisationDesk.
func (d consoleOrganisation) Setting(_ context.Context, org, name string) ([]byte, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.a.setting(name)
}

// Set implements console.OrganisationDesk. It stands in the log before it counts.
func (d consoleOrganisation) Set(ctx context.Context, org string, by access.Actor, name string, before [32]byte, value []byte) error {
	if err := d.ours(org); err != nil {
		return err
	}
	var err error
	code := console.CannotOther
	switch name {
	case console.SettingComplaint:
		code = console.CannotLine
		if strings.ContainsFunc(string(value), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			err = errors.New("a line that is printed has no signs that turn others around")
		}
	case console.SettingPairs:
		code = console.CannotPairs
		_, err = console.ReadPairs(value)
	case console.SettingOffers:
		_, err = console.ReadOffers(value)
	case console.SettingRechecks:
		_, err = console.ReadRechecks(value)
	case console.SettingLabels:
		code = console.CannotNames
		err = json.Unmarshal(value, &map[string]map[string]string{})
	case console.SettingPlaces:
		if len(value) > 0 {
			value, err = d.places(ctx, by, value)
		}
	case console.SettingRequired:
		code = console.CannotRequired
		_, err = quality.ReadPolicy(value)
	default:
		return console.ErrNotFound
	}
	if err != nil {
		return console.CannotNow(code, strings.ToValidUTF8(err.Error(), "?"))
	}
	settings.Lock()
	defer settings.Unlock()
	have, err := d.a.setting(name)
	if err != nil {
		return err
	}
	if sha256.Sum256(have) != before {
		return console.ErrConflict
	}
	if looser, err := console.Loosens(name, have, value); err != nil {
		return err
	} else if looser && by.SecondPerson == "" {
		return issuer.ErrSecondPerson
	}
	e := access.Entry{Action: "settings.change", Object: name, Digest: sha256.Sum256(value)}
	if err := d.o.store.Note(ctx, by, e); err != nil {
		return err
	}
	if len(value) == 0 {
		if err := os.Remove(d.a.settingPath(name)); !notThere(err) {
			return err
		}
		return nil
	}
	return writeFile(d.a.settingPath(name), value)
}

// places reads a list of place codes, in a process of its own as every stranger's file, and
// returns it as it is kept.
func (d consoleOrganisation) places(ctx context.Context, by access.Actor, value []byte) ([]byte, error) {
	read := d.imports.Read
	if read == nil {
		read = func(_ context.Context, _, name string, b []byte, opt roster.Options) (*roster.File, error) {
			return roster.Read(name, b, opt)
		}
	}
	file, err := read(ctx, by.ID, "pcodes", value, roster.Options{})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	list, err := intake.PlacesIn(file)
	return list.CSV(), err
}

// pairs is how much two accounts approve for each other on a day.
func (d consoleOrganisation) pairs(context.Context) (int, error) {
	b, err := d.a.setting(console.SettingPairs)
	if err != nil {
		return 0, err
	}
	return console.ReadPairs(b)
}

// mostOffers is how many offers to wallets an account makes alone on a day.
func (a *app) mostOffers() (int, error) {
	b, err := a.setting(console.SettingOffers)
	if err != nil {
		return 0, err
	}
	return console.ReadOffers(b)
}
