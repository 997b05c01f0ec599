package verifier

import (
	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/words"
)

// Number judges a typed card number. Nobody signed it, so it is never valid
// (DESIGN 14): unsure with number_only, or used where an earlier collection is
// known. It gives one Result for each row of the expected list that has the number,
// rounds open here first, with Row and Ledger filled; or a single one without a
// row. Result.Err is set where the number cannot be one.
//
// What the policy says against a row (wrong_programme, wrong_round), the pack's end
// and a clock that is behind stand after the leading code: whether to serve at all is
// the supervisor's to decide.
func Number(number string, t *Tables, in Inputs) []Result {
	rows := t.ByNumber(number)
	if len(rows) == 0 || in.Pack == nil {
		r := make([]Result, 1)
		_, r[0].Err = cwt.CheckCardNumber(number)
		r[0].Age, r[0].Floors = -1, in.Floors
		r[0].found.add(words.NumberOnly)
		r[0].settled()
		return r
	}
	out := make([]Result, len(rows))
	n := 0
	for _, first := range [...]bool{true, false} {
		for _, row := range rows {
			if against := in.Pack.against(row, in.At); (against == "") == first {
				out[n].number(row, against, &in)
				n++
			}
		}
	}
	return out
}

// against is what the policy has against a row at a time; "" for nothing.
func (p *Pack) against(row *Row, at credential.Time) words.Reason {
	rounds, served := p.Policy.Programmes[row.Programme]
	if p.Policy.Programmes != nil && !served {
		return words.WrongProgramme
	}
	for _, o := range rounds {
		if o.N == row.Round && at >= o.Opens && at < o.Closes {
			return ""
		}
	}
	if len(rounds) > 0 {
		return words.WrongRound
	}
	return ""
}

// number fills in what is known of a row: an earlier collection leads, then that only
// a number was shown; the rest stands behind, worst first.
func (r *Result) number(row *Row, against words.Reason, in *Inputs) {
	p := in.Pack
	r.Row, r.Ledger, r.Floors, r.TrustAsOf = row, row.Ledger(), in.Floors, p.Trust.Issued
	r.Issuer = p.Trust.Organisation([]byte(row.Issuer))
	there := false
	if in.Uses != nil {
		r.Earlier, there = in.Uses.Earlier(r.Ledger)
	}
	if there && !r.Earlier.Part {
		r.found.add(words.AlreadyRedeemed)
	}
	r.found.add(words.NumberOnly)
	r.found.add(against)
	at := in.Floors.floor(p.Trust)
	if r.ClockBehind = in.At < at; r.ClockBehind {
		r.found.add(words.ClockImplausible)
	}
	at = max(at, in.At)
	if at >= p.Expires {
		r.found.add(words.PackExpired)
	}
	if r.Earlier.Part {
		r.found.add(words.PartlyCollected)
	}
	r.Age = max(0, int64(at-p.Trust.Issued))
	r.settled()
}
