package intake

import (
	"encoding/base32"
	"regexp"
	"strings"

	"aidpass/issuer/registry"
)

// Numbers are unique in their list. A row may name its list, as our own exports do;
// all others are of the list that is imported. Inside a run such a number is one text,
// with the list before it: no number of a file has control characters.

// OwnList is how a file names the organisation's own list, which has no name.
const OwnList = "-"

const ofList = "\x1e"

// qualified puts a list's name before a number.
func qualified(list, number string) string {
	if number == "" {
		return ""
	}
	return ofList + list + ofList + number
}

// number takes a number apart.
func (o *Options) number(q string) (list, number string) {
	if rest, ok := strings.CutPrefix(q, ofList); ok {
		list, number, _ = strings.Cut(rest, ofList)
		return list, number
	}
	return o.Source, q
}

// shown is a number as the file has it.
func shown(q string) string {
	if i := strings.LastIndex(q, ofList); i >= 0 {
		return q[i+len(ofList):]
	}
	return q
}

// Aliases stand in a file for records that no list numbers.
//
//	x- | base32 of: salt of the file 4 | mark of the salt 4 | alias of the record 10
//
// The mark tells our own aliases from those of others, so that one of a record that was
// erased since is known as such.
const (
	aliasSalt = 4
	aliasMark = 4
)

var (
	aliasLike   = regexp.MustCompile(`^x-[a-z2-7]{29}$`)
	aliasInText = regexp.MustCompile(`\bx-[a-z2-7]{29}\b`)
	aliasText   = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

// Alias is what a record without a number goes by in the file of a salt, of which at
// least 4 bytes are random. Reading that
// file back finds the record; nobody else can tell who it is, or find her in another file.
func Alias(v registry.View, salt []byte, id registry.ID) string {
	salt = salt[:aliasSalt]
	b := append([]byte{}, salt...)
	b = append(b, v.Alias(salt, registry.ID{})[:aliasMark]...)
	return "x-" + aliasText.EncodeToString(append(b, v.Alias(salt, id)...))
}

// AliasesIn returns the salts of the files of this organisation whose aliases stand in a
// text, by alias. Others' aliases are not among them.
func AliasesIn(v registry.View, text string) map[string][]byte {
	found := map[string][]byte{}
	for _, alias := range aliasInText.FindAllString(strings.ToLower(text), -1) {
		b, err := aliasText.DecodeString(alias[2:])
		if err != nil {
			continue
		}
		salt := b[:aliasSalt]
		if string(v.Alias(salt, registry.ID{})[:aliasMark]) == string(b[aliasSalt:aliasSalt+aliasMark]) {
			found[alias] = salt
		}
	}
	return found
}

// byAlias finds the record of an alias; ours reports whether it is one of this
// organisation's.
func (r *run) byAlias(kind registry.Kind, text string) (id registry.ID, found, ours bool, err error) {
	if !aliasLike.MatchString(text) {
		return id, false, false, nil
	}
	b, err := aliasText.DecodeString(text[2:])
	if err != nil {
		return id, false, false, nil
	}
	salt := b[:aliasSalt]
	if string(r.view.Alias(salt, registry.ID{})[:aliasMark]) != string(b[aliasSalt:aliasSalt+aliasMark]) {
		return id, false, false, nil
	}
	known := aliasesOf{kind, string(salt)}
	if r.aliases[known] == nil {
		if r.aliases == nil {
			r.aliases = map[aliasesOf]map[string]registry.ID{}
		}
		if r.aliases[known], err = aliasesIn(r.view, kind, salt); err != nil {
			return id, false, true, err
		}
	}
	id, found = r.aliases[known][string(b[aliasSalt+aliasMark:])]
	return id, found, true, nil
}

type aliasesOf struct {
	kind registry.Kind
	salt string
}

func aliasesIn(v registry.View, kind registry.Kind, salt []byte) (map[string]registry.ID, error) {
	const page = 1000
	m := map[string]registry.ID{}
	for after := (registry.ID{}); ; {
		ids, err := v.Units(kind, after, page)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			m[string(v.Alias(salt, id))] = id
		}
		if len(ids) < page {
			return m, nil
		}
		after = ids[len(ids)-1]
	}
}

// lookup finds the record of a number; erased reports that it is one of somebody who
// was erased, and whom nobody took in again.
func (r *run) lookup(kind registry.Kind, q string) (id registry.ID, found, erased bool, err error) {
	list, number := r.opt.number(q)
	id, found, err = r.view.Find(kind, list, number)
	if err != nil || found {
		return id, found, false, err
	}
	id, found, ours, err := r.byAlias(kind, number)
	if err != nil || found || ours {
		return id, found, !found, err
	}
	erased, err = r.view.Erased(kind, list, number)
	return id, false, erased, err
}
