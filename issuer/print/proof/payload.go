package proof

import (
	"time"
	"unicode"
	"unicode/utf8"

	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/schemas"
)

// Types are the credential types by what cards call them (vct).
type Types map[string]*schemas.Type

// TypesOf returns the types of list.
func TypesOf(list ...*schemas.Type) Types {
	types := Types{}
	for _, t := range list {
		types[t.VCT] = t
	}
	return types
}

// orEmbedded adds the embedded types.
func (t Types) orEmbedded() Types {
	all := TypesOf(schemas.Embedded()...)
	for vct, own := range t {
		all[vct] = own
	}
	return all
}

// facts are what a card says of itself.
type facts struct {
	raw    []byte // inflated; nil if the code is no card
	layout string // what stands outside the card's layout; "" if nothing
	number string // as printed; "" if it has none
	days   []time.Time
	texts  []string // the texts among its plain claims
	sized  bool     // they tell how large the household is
}

// TellsSize reports whether anybody can read in the code of a card how large the
// household is. own has types beside the embedded ones; may be nil.
func TellsSize(text string, own Types) bool { return factsOf(text, own.orEmbedded()).sized }

// The labels of docs/formats/card.md. The bytes are walked here and not by the
// reader that issuing proved them with: this is a second look.
const (
	labelExp, labelNbf, labelIat, labelVCT = 4, 5, 6, 11
	labelIdentity, labelAidpass            = 169, -70001
	identityPseudonym                      = 1
	aidPlain, aidSealed, aidDevice         = 1, 2, 3
)

var cardLabels = map[int64]bool{1: true, labelExp: true, labelNbf: true, labelIat: true, 7: true, 8: true, labelVCT: true,
	labelIdentity: true, 65535: true, labelAidpass: true}

// factsOf reads the card in a code, whose signature is not looked at.
func factsOf(text string, types Types) (f facts) {
	raw, err := new(qr.Scratch).Decode(text)
	if err != nil || qr.Recognise(text) != qr.ZlibCard {
		return facts{}
	}
	m, err := cose.ParseSign1(raw)
	if err != nil || cbor.CheckDeterministic(m.Payload, cbor.DefaultLimits) != nil {
		return facts{}
	}
	f.raw = raw
	outside := func(what string) {
		if f.layout == "" {
			f.layout = what
		}
	}
	if m.Strict() != nil {
		outside("headers other than algorithm and key id")
	}
	var plain []byte
	var vct string
	r := cbor.NewReader(m.Payload)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		label, ok := r.Label()
		if !ok || !cardLabels[label] {
			outside("a claim that no card has")
			r.Skip()
			continue
		}
		switch label {
		case labelExp, labelNbf, labelIat:
			if at := r.Int(); at > 0 && at < 1<<35 {
				f.days = append(f.days, time.Unix(at, 0).UTC())
			}
		case labelVCT:
			vct = string(r.Text())
		case labelIdentity:
			for k := r.Map(); k > 0 && r.Err() == nil; k-- {
				if key, ok := r.Label(); ok && key == identityPseudonym && r.Kind() == cbor.Text {
					f.number, _ = cwt.CardNumber(string(r.Text()))
					continue
				}
				outside("identity data other than the pseudonym")
				r.Skip()
			}
		case labelAidpass:
			for k := r.Map(); k > 0 && r.Err() == nil; k-- {
				switch key, ok := r.Label(); {
				case ok && key == aidPlain:
					plain = r.Raw()
				case ok && (key == aidSealed || key == aidDevice):
					r.Skip()
				default:
					outside("a part that no card has")
					r.Skip()
				}
			}
		default:
			r.Skip()
		}
	}
	if r.Err() != nil {
		outside("claims of another kind than a card's")
	}
	t := types[vct]
	switch {
	case t == nil:
		outside("a type that is not known")
	case plain != nil && t.CheckPlain(plain) != nil:
		outside("plain claims outside the layout of its type")
	}
	if t != nil && plain != nil {
		f.plain(t, plain)
	}
	return f
}

// plain notes the days and texts among the plain claims.
func (f *facts) plain(t *schemas.Type, plain []byte) {
	claims, err := t.NamePlain(plain)
	if err != nil {
		return
	}
	f.sized = t.SizeBandClaim != "" && claims[t.SizeBandClaim] != nil
	for _, v := range claims {
		switch v := v.(type) {
		case string:
			if day, err := time.Parse(time.DateOnly, v); err == nil {
				f.days = append(f.days, day)
				continue
			}
			f.texts = append(f.texts, v)
		case []string:
			f.texts = append(f.texts, v...)
		}
	}
}

// payload returns what is wrong with a card's bytes, as pairs of code and text.
func (l *linter) payload(f facts) (found [][2]string) {
	if f.raw == nil {
		return [][2]string{{"qr_format", "the QR code is not a card"}}
	}
	if f.layout != "" {
		found = append(found, [2]string{"qr_layout", "the card has " + f.layout})
	}
	for _, text := range f.texts {
		words := fold(text)
		if l.rules.Names.in(words, nil) || len(words) == 1 && l.rules.Names.single(words[0]) {
			found = append(found, [2]string{"qr_name", "a registered name among the plain claims"})
		}
		if why := forbidden(words, nil); why != "" {
			found = append(found, [2]string{"qr_content", "a plain claim about " + why})
		}
		for _, code := range patterns(text, []facts{f}, &Rules{}) {
			found = append(found, [2]string{"qr_content", "among the plain claims: " + patternText[code]})
		}
	}
	for _, text := range legible(f.raw) {
		if l.rules.Names.in(fold(text), nil) {
			found = append(found, [2]string{"qr_name", "a registered name can be read in the card's bytes"})
		}
	}
	return found
}

// legible returns the runs of letters, marks and spaces in b that are long enough
// for a name of two words.
func legible(b []byte) []string {
	var runs []string
	from := 0
	end := func(at int) {
		if at-from >= 5 {
			runs = append(runs, string(b[from:at]))
		}
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 || !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ' ' && r != '-' && r != '\'' && r != '_' {
			end(i)
			from = i + n
		}
		i += n
	}
	end(len(b))
	return runs
}
