package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"

	"aidpass/access"
	"aidpass/issuer/recheck"
	"aidpass/issuer/registry/quality"
)

// A limit is a setting that is a number and holds people apart.
type limit struct {
	Name        string
	Least, Most int
	usual       int  // where nobody said
	more        bool // a higher number loosens; else a lower one
}

var limits = []*limit{
	{SettingPairs, 1, access.MaxPairs, access.DefaultPairs, true},
	{SettingOffers, 0, access.MaxOffers, access.DefaultOffers, true},
	{SettingRechecks, 0, recheck.MaxNumber, recheck.DefaultNumber, false},
}

func limitOf(name string) *limit {
	i := slices.IndexFunc(limits, func(l *limit) bool { return l.Name == name })
	if i < 0 {
		return nil
	}
	return limits[i]
}

func (l *limit) read(value []byte) (int, error) {
	if value == nil {
		return l.usual, nil
	}
	n, err := strconv.Atoi(string(value))
	if err == nil && (n < l.Least || n > l.Most) {
		err = fmt.Errorf("console: the setting %s is a number from %d to %d", l.Name, l.Least, l.Most)
	}
	return n, err
}

// ReadPairs reads SettingPairs; nil is access.DefaultPairs.
func ReadPairs(value []byte) (int, error) { return limitOf(SettingPairs).read(value) }

// ReadOffers reads SettingOffers; nil is access.DefaultOffers.
func ReadOffers(value []byte) (int, error) { return limitOf(SettingOffers).read(value) }

// ReadRechecks reads SettingRechecks; nil is recheck.DefaultNumber.
func ReadRechecks(value []byte) (int, error) { return limitOf(SettingRechecks).read(value) }

func readRequired(value []byte) (quality.Policy, error) {
	if len(value) == 0 {
		return quality.Default(), nil
	}
	return quality.ReadPolicy(value)
}

// Loosens reports whether a setting that takes the place of another, nil where there was
// none, holds people less apart than that did: two accounts agree to it (docs/decisions/0039).
func Loosens(name string, before, after []byte) (bool, error) {
	if l := limitOf(name); l != nil {
		was, err := l.read(before)
		if err != nil {
			return false, err
		}
		now, err := l.read(after)
		return l.more && now > was || !l.more && now < was, err
	}
	if name != SettingRequired {
		return false, nil
	}
	was, err := readRequired(before)
	if err != nil {
		return false, err
	}
	now, err := readRequired(after)
	return slices.ContainsFunc(quality.Differences(was, now), func(d quality.Difference) bool { return d.Loosens }), err
}

// number is the handler of a setting that is one.
func (s *Organisation) number(name string) func(*Page) error {
	l := limitOf(name)
	return func(p *Page) error {
		n, err := strconv.Atoi(p.Form.Get(name))
		if err != nil || n < l.Least || n > l.Most {
			return BadForm("organisation.number_bad", "least", l.Least, "most", l.Most)
		}
		return s.set(p, name, strconv.AppendInt(nil, int64(n), 10))
	}
}

// A looserSetting is what two accounts mean: both values by their SHA-256, and by that of the
// list beside the request, which has them whole.
type looserSetting struct {
	Setting string `json:"setting"`
	Before  string `json:"before_sha256"`
	After   string `json:"after_sha256"`
	List    string `json:"list_sha256"`
}

type bothValues struct{ Before, After []byte }

func (s *Organisation) ask(p *Page, name string, before [32]byte, value []byte) error {
	was, err := s.Desk.Setting(p.Context(), p.Org(), name)
	if err != nil {
		return err
	}
	if sha256.Sum256(was) != before {
		return ErrConflict
	}
	list, err := json.Marshal(bothValues{was, value})
	if err != nil {
		return err
	}
	payload, err := json.Marshal(looserSetting{name, hashOf(was), hashOf(value), hashOf(list)})
	if err != nil {
		return err
	}
	err = p.Do(func(ctx context.Context) error {
		_, err := s.Door.Ask(ctx, p.In, access.Request{Act: access.SettingsLoosen, Object: name, Payload: payload, List: list})
		return err
	})
	if err != nil {
		return err
	}
	return p.Done("/organisation", Note{Word: "organisation.asked"})
}

// Tell implements Teller: what is now, and what would be.
func (s *Organisation) Tell(p *Page, a access.Approval) ([]template.HTML, error) {
	if a.Act != access.SettingsLoosen {
		return nil, nil
	}
	var v bothValues
	list, err := s.Door.List(p.Context(), a)
	if err == nil {
		err = json.Unmarshal(list, &v)
	}
	if err != nil {
		return nil, err
	}
	if l := limitOf(a.Object); l != nil {
		was, err := l.read(v.Before)
		if err != nil {
			return nil, err
		}
		now, err := l.read(v.After)
		return []template.HTML{p.T("organisation.tell_"+l.Name, "before", was, "after", now)}, err
	}
	was, err := readRequired(v.Before)
	if err != nil {
		return nil, err
	}
	now, err := readRequired(v.After)
	if err != nil {
		return nil, err
	}
	var says []template.HTML
	for _, d := range quality.Differences(was, now) {
		says = append(says, p.tellDifference(d))
	}
	return says, nil
}

// tellDifference says one, the programme first where it is of one alone.
func (p *Page) tellDifference(d quality.Difference) template.HTML {
	var says template.HTML
	switch d.What {
	case "person", "household":
		word := "organisation.tell_" + d.What + "_less"
		if d.After != "" {
			word = "organisation.tell_" + d.What + "_more"
		}
		says = p.T(word, "field", p.FieldName(d.Field))
	case "told", "look", "unverified":
		says = p.T("organisation.tell_"+d.What, "before", p.Word("organisation.double_", d.Before), "after", p.Word("organisation.double_", d.After))
	default:
		says = p.T("organisation.tell_"+d.What, "before", d.Before, "after", d.After)
	}
	if d.Programme != "" {
		says = p.T("organisation.tell_in", "programme", d.Programme) + " " + says
	}
	return says
}

// SettingsExecutor carries out what two accounts agreed to, as long as the setting is still
// the one that it was.
func SettingsExecutor(org string, d OrganisationDesk, door *access.Door) access.Executor {
	read := func(ctx context.Context, a access.Approval) (m looserSetting, have []byte, err error) {
		if err := json.Unmarshal(a.Payload, &m); err != nil {
			return m, nil, err
		}
		have, err = d.Setting(ctx, org, m.Setting)
		return m, have, err
	}
	return access.Executor{
		Again: func(ctx context.Context, a access.Approval) ([]byte, error) {
			m, have, err := read(ctx, a)
			if err != nil {
				return nil, err
			}
			if now := hashOf(have); a.State != access.Approved || now != m.After { // else it was done before a stop
				m.Before = now
			}
			return json.Marshal(m)
		},
		Run: func(ctx context.Context, who access.Actor, a access.Approval) error {
			m, have, err := read(ctx, a)
			if err != nil || hashOf(have) == m.After {
				return err
			}
			list, err := door.List(ctx, a)
			if err != nil {
				return err
			}
			var v bothValues
			if err := json.Unmarshal(list, &v); err != nil {
				return err
			}
			if !bytes.Equal(have, v.Before) || hashOf(v.After) != m.After {
				return access.ErrChanged
			}
			before, err := hex.DecodeString(m.Before)
			if err != nil || len(before) != sha256.Size {
				return access.ErrChanged
			}
			return d.Set(ctx, org, who, m.Setting, [32]byte(before), v.After)
		},
	}
}
