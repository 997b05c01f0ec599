package wallet

import (
	"errors"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/credential/qr"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
)

// Glance is what a wallet reads of a card it is handed. A phone has no trust list,
// so nobody has proved it: it says which card to show under which words, and nothing
// may be given out on it. Who scans the card proves it.
type Glance struct {
	Raw       []byte // the COSE message
	Issuer    string
	Type      string          // vct
	ValidFrom credential.Time // 0: not said
	Ends      credential.Time // 0: not said
	Holder    *cose.Key       // nil: a paper card, good without a phone
	// Status is where its entry is, in the list in CBOR; "": nowhere, or Elsewhere.
	StatusURI   string
	StatusIndex uint64
	// Elsewhere: its issuer says how it stands in a way that this phone cannot read.
	Elsewhere bool
}

// ErrCard: a text that is not a card's.
var ErrCard = errors.New("wallet: not the text of a card")

// GlanceAt reads the QR text of a card. The error wraps ErrCard.
func GlanceAt(text string) (*Glance, error) {
	var s qr.Scratch
	if qr.Recognise(text) != qr.ZlibCard {
		return nil, ErrCard
	}
	raw, err := s.Decode(text)
	if err != nil {
		return nil, errors.Join(ErrCard, err)
	}
	g := &Glance{Raw: append([]byte(nil), raw...)}
	e, err := cwt.Parse(g.Raw)
	if err != nil {
		return nil, errors.Join(ErrCard, err)
	}
	g.Issuer, g.Type = string(e.Issuer), string(e.Type)
	msg, err := cose.ParseSign1(g.Raw)
	if err != nil {
		return nil, errors.Join(ErrCard, err)
	}
	r := cbor.NewReader(msg.Payload)
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		label, ok := r.Label()
		switch {
		case !ok:
			r.Skip()
		case label == 4 && r.Kind() == cbor.Uint: // exp
			g.Ends = credential.Time(r.Int())
		case label == 5 && r.Kind() == cbor.Uint: // nbf
			g.ValidFrom = credential.Time(r.Int())
		case label == 8: // cnf
			if g.Holder, err = holderOf(r.Raw()); err != nil {
				return nil, errors.Join(ErrCard, err)
			}
		case label == 65535: // status
			g.StatusURI, g.StatusIndex, g.Elsewhere = statusOf(r.Raw())
		default:
			r.Skip()
		}
	}
	if g.Ends > credential.MaxTime || g.ValidFrom > credential.MaxTime {
		return nil, ErrCard
	}
	return g, r.Err()
}

// statusOf reads {"status_list": {"idx": uint, "uri": tstr}} (draft-ietf-oauth-status-list
// 6.3) and passes over what stands beside it. elsewhere: there is none that can be read.
func statusOf(raw []byte) (uri string, index uint64, elsewhere bool) {
	list := members(members(raw)["status_list"])
	at, name := cbor.NewReader(list["idx"]), cbor.NewReader(list["uri"])
	if at.Kind() != cbor.Uint || name.Kind() != cbor.Text {
		return "", 0, true
	}
	uri, index = string(name.Text()), at.Uint()
	return uri, index, uri == ""
}

// members are those of a map that have texts for names; of all else there are none.
func members(raw []byte) map[string][]byte {
	r, out := cbor.NewReader(raw), map[string][]byte{}
	if r.Kind() != cbor.Map {
		return nil
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		if r.Kind() != cbor.Text {
			r.Skip()
			r.Skip()
			continue
		}
		name := string(r.Text())
		out[name] = r.Raw()
	}
	return out
}

// holderOf reads cnf {1: COSE_Key}.
func holderOf(raw []byte) (*cose.Key, error) {
	r := cbor.NewReader(raw)
	if r.Kind() != cbor.Map || r.Map() != 1 || r.Kind() != cbor.Uint || r.Uint() != 1 || r.Kind() != cbor.Map {
		return nil, errors.New("a holder's key of another kind")
	}
	return cose.ParseKey(r.Raw())
}
