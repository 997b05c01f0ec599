package verifier

import (
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
		_, err := cwt.CheckCardNumber(number)
		r := Result{Age: -1, Floors: in.Floors, Err: err}
		r.number(findings{})
		return []Result{r}
	}
	var open, shut []Result
	for _, row := range rows {
		r := Result{Row: row, Ledger: row.Ledger(), Floors: in.Floors, TrustAsOf: in.Pack.Trust.Issued,
			Issuer: in.Pack.Trust.Organisation([]byte(row.Issuer))}
		if r.policy(&in) {
			open = append(open, r)
		} else {
			shut = append(shut, r)
		}
	}
	return append(open, shut...)
}

// policy judges a row against the pack and reports whether its round is open here.
func (r *Result) policy(in *Inputs) bool {
	p, at := in.Pack, in.At
	var more findings
	if floor := in.Floors.floor(p.Trust); at < floor {
		r.ClockBehind = true
		more.add(words.ClockImplausible)
		at = floor
	}
	r.Age = max(0, int64(at-p.Trust.Issued))
	if at >= p.Expires {
		more.add(words.PackExpired)
	}
	open := true
	if rounds, served := p.Policy.Programmes[r.Row.Programme]; p.Policy.Programmes != nil && !served {
		open = false
		more.add(words.WrongProgramme)
	} else if len(rounds) > 0 {
		open = false
		for _, o := range rounds {
			open = open || o.N == r.Row.Round && at >= o.Opens && at < o.Closes
		}
		if !open {
			more.add(words.WrongRound)
		}
	}
	if in.Uses != nil {
		if use, ok := in.Uses.Earlier(r.Ledger); ok {
			r.Earlier = use
			if use.Part {
				more.add(words.PartlyCollected)
			} else {
				r.found.add(words.AlreadyRedeemed)
			}
		}
	}
	r.number(more)
	return open
}

// number settles r: an earlier collection leads, then that only a number was shown.
func (r *Result) number(more findings) {
	r.found.add(words.NumberOnly)
	if more.n > 0 {
		more.sort()
		for _, reason := range more.list[:more.n] {
			r.found.add(reason)
		}
	}
	r.settled()
}
