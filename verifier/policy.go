package verifier

import (
	"bytes"
	"fmt"
	"slices"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/schemas"
)

// Policy is what the enrolling organisation decides for one site
// (docs/formats/pack.md). The zero value serves everything its trust list allows.
type Policy struct {
	Country    string             // ISO 3166-1 alpha-3; empty: not known
	Programmes map[string][]Round // served here and their open rounds; nil: any. No rounds: any round
	Freshness  map[string]int64   // seconds by vct, in place of the type's
	OldLists   *Decision          // the site's decision to serve on old lists
	Sites      []string           // sites this one serves for besides its own
	MaxLife    int64              // longest life of a card in seconds; 0: by type
	Bearer     []string           // vcts of wallet credentials that count without their holder's signature
	ShowFor    int64              // seconds a verdict stays on the screen, 5 to 180; 0: DefaultShowFor
	Told       []string           // sites of the organisation that a supervisor may be told of (Whereabouts); a protected one is not among them
}

// DefaultShowFor is how many seconds a verdict stays on the screen where the policy
// does not say.
const DefaultShowFor = 60

// Shows is how many seconds a verdict, and with it a face, stays on the screen.
func (p *Policy) Shows() int64 {
	if p.ShowFor == 0 {
		return DefaultShowFor
	}
	return p.ShowFor
}

// Round is one round of a programme and when it is open.
type Round struct {
	N      uint64
	Opens  credential.Time
	Closes credential.Time // first second it is closed
}

// Open reports whether anything can be collected here at a time: a programme is served,
// in a round that is open or in any. Else next is when a round opens; 0: none is known.
func (p *Policy) Open(at credential.Time) (open bool, next credential.Time) {
	if p.Programmes == nil {
		return true, 0
	}
	for _, rounds := range p.Programmes {
		if len(rounds) == 0 {
			return true, 0
		}
		for _, r := range rounds {
			switch {
			case at >= r.Closes:
			case at >= r.Opens:
				return true, 0
			case next == 0 || r.Opens < next:
				next = r.Opens
			}
		}
	}
	return false, next
}

// lifeLimit is the longest life of a card of type t, in seconds; 0: none.
func (p *Policy) lifeLimit(t *schemas.Type) int64 {
	if p.MaxLife > 0 {
		return p.MaxLife
	}
	return t.MaxValidity
}

func (p *Policy) serves(own string, site []byte) bool {
	return string(site) == own || slices.ContainsFunc(p.Sites, func(s string) bool { return s == string(site) })
}

// Encode writes the policy part of a pack.
func (p *Policy) Encode() ([]byte, error) {
	var m cbor.MapBuilder
	m.PutInt(1, cbor.AppendText(nil, p.Country))
	if p.Programmes != nil {
		var progs cbor.MapBuilder
		for code, rounds := range p.Programmes {
			b := cbor.AppendArray(nil, len(rounds))
			for _, r := range rounds {
				if r.Closes <= r.Opens {
					return nil, fmt.Errorf("verifier: policy: round %d of %q closes before it opens", r.N, code)
				}
				b = cbor.AppendUint(cbor.AppendArray(b, 3), r.N)
				b = cbor.AppendInt(cbor.AppendInt(b, int64(r.Opens)), int64(r.Closes))
			}
			progs.PutText(code, b)
		}
		m.PutInt(2, mustAppend(&progs, nil))
	}
	if p.Freshness != nil {
		var fresh cbor.MapBuilder
		for vct, s := range p.Freshness {
			if s < 0 {
				return nil, fmt.Errorf("verifier: policy: lists of %q would have to be fresh for %d seconds", vct, s)
			}
			fresh.PutText(vct, cbor.AppendInt(nil, s))
		}
		m.PutInt(3, mustAppend(&fresh, nil))
	}
	if d := p.OldLists; d != nil {
		if d.Lead == "" || d.Second == "" || d.Lead == d.Second || d.Reason == "" || d.Until <= d.From {
			return nil, fmt.Errorf("verifier: policy: serving on old lists takes a reason, two people and an end")
		}
		b := cbor.AppendMap(nil, 6)
		for i, s := range []string{d.Reason, d.Lead, d.Second, d.Ceiling} {
			b = cbor.AppendText(cbor.AppendInt(b, int64(i+1)), s)
		}
		b = cbor.AppendInt(cbor.AppendInt(b, 5), int64(d.From))
		b = cbor.AppendInt(cbor.AppendInt(b, 6), int64(d.Until))
		m.PutInt(4, b)
	}
	if p.Sites != nil {
		m.PutInt(5, codes(p.Sites))
	}
	if p.MaxLife > 0 {
		m.PutInt(6, cbor.AppendInt(nil, p.MaxLife))
	}
	if p.ShowFor != 0 {
		if p.ShowFor < 5 || p.ShowFor > 180 {
			return nil, fmt.Errorf("verifier: policy: a verdict on the screen for %d seconds: 5 to 180", p.ShowFor)
		}
		m.PutInt(7, cbor.AppendInt(nil, p.ShowFor))
	}
	if p.Told != nil {
		m.PutInt(8, codes(p.Told))
	}
	if p.Bearer != nil {
		m.PutInt(9, codes(p.Bearer))
	}
	return m.Append(nil)
}

func codes(list []string) []byte {
	b := cbor.AppendArray(nil, len(list))
	for _, s := range list {
		b = cbor.AppendText(b, s)
	}
	return b
}

// readCodes undoes codes.
func readCodes(r *cbor.Reader) []string {
	list := []string{}
	for m := r.Array(); m > 0 && r.Err() == nil; m-- {
		list = append(list, string(r.Text()))
	}
	return list
}

// DecodePolicy reads a policy part.
func DecodePolicy(b []byte) (Policy, error) {
	var p Policy
	if err := cbor.CheckDeterministic(b, partLimits); err != nil {
		return p, fmt.Errorf("verifier: policy: %w", err)
	}
	r := cbor.NewReader(b)
	bad := func(what string) (Policy, error) { return Policy{}, fmt.Errorf("verifier: policy: %s", what) }
	if r.Kind() != cbor.Map {
		return bad("not a map")
	}
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		switch r.Int() {
		case 1:
			p.Country = string(r.Text())
		case 2:
			p.Programmes = map[string][]Round{}
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				code := string(r.Text())
				rounds := []Round{}
				for k := r.Array(); k > 0 && r.Err() == nil; k-- {
					if r.Array() != 3 {
						return bad("a round is [number, opens, closes]")
					}
					rounds = append(rounds, Round{N: r.Uint(), Opens: credential.Time(r.Int()), Closes: credential.Time(r.Int())})
				}
				p.Programmes[code] = rounds
			}
		case 3:
			p.Freshness = map[string]int64{}
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				vct := string(r.Text())
				if p.Freshness[vct] = r.Int(); p.Freshness[vct] < 0 {
					return bad("a freshness is a number of seconds, 0 for not checked")
				}
			}
		case 4:
			var d Decision
			for m := r.Map(); m > 0 && r.Err() == nil; m-- {
				switch r.Int() {
				case 1:
					d.Reason = string(r.Text())
				case 2:
					d.Lead = string(r.Text())
				case 3:
					d.Second = string(r.Text())
				case 4:
					d.Ceiling = string(r.Text())
				case 5:
					d.From = credential.Time(r.Int())
				case 6:
					d.Until = credential.Time(r.Int())
				default:
					return bad("unknown member of the decision")
				}
			}
			p.OldLists = &d
		case 5:
			p.Sites = readCodes(&r)
		case 6:
			p.MaxLife = r.Int()
		case 7:
			p.ShowFor = r.Int()
		case 8:
			p.Told = readCodes(&r)
		case 9:
			p.Bearer = readCodes(&r)
		default:
			return bad("unknown member: written by a newer version?")
		}
	}
	if err := r.Err(); err != nil {
		return bad(err.Error())
	}
	// What Encode refuses to write is refused here too.
	if again, err := p.Encode(); err != nil || !bytes.Equal(again, b) {
		return bad("not as a policy is written")
	}
	return p, nil
}
