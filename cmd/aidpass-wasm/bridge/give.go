//go:build js && wasm

package bridge

import (
	"errors"
	"strings"
	"syscall/js"

	"aidpass/credential"
	"aidpass/credential/cwt"
	"aidpass/internal/cose"
	"aidpass/verifier"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// What the pack's sealed tables tell of the person in front: what to give and how
// many eat of it with the verdict, the face and the names only when they are asked for.

// longestShown is how long a verdict may be recorded on, in seconds: UI.md closes
// it after three minutes at most.
const longestShown = 240

var (
	errNumberAlone = errors.New("bridge: a typed number takes a photo or a witness")
	errNothing     = errors.New("bridge: nothing of what is due was given")
	errNotShown    = errors.New("bridge: nothing is open that tells this")
	errCeiling     = errors.New("bridge: the ceiling of this shift is reached: nothing more is given against a verdict")
)

// mayShow is true while verdict is the newest, and not for long: another card may
// have been judged behind the screen that asks.
func (d *desk) mayShow(at credential.Time, verdict int64) bool {
	return d.shown != nil && verdict == d.verdicts && at >= d.shownAt && at-d.shownAt <= longestShown
}

// lock drops the keys and all that they opened.
func (d *desk) lock() {
	d.unlocked, d.tables, d.row, d.due = nil, nil, nil, nil
}

func (d *desk) openWith(device cose.Recipient, code string) error {
	u, err := d.pack.Unlock(device, []byte(code))
	if err != nil {
		return err
	}
	d.unlocked = u
	if u.ContentKey != nil {
		d.tables, err = d.pack.Tables(u)
	}
	return err
}

// show takes r as the newest verdict and adds what the tables tell of it, where the
// page asks for that: verdict (its number), tables (none, locked or open), show_for (seconds), ceiling,
// next (round), whereabouts (whether there are any to tell), programme_name, due ([{code, amount, unit, label}]), and of a row of
// the list: row, size, names and collectors (whether there are any), check, photo
// (fits, or other: not the one of the card).
func (d *desk) show(out reply, r *verifier.Result, at credential.Time, tell bool) {
	if !tell {
		out = reply{}
	}
	d.shown, d.shownAt, d.row, d.due = r, at, r.Row, nil
	d.verdicts++
	out.number("verdict", d.verdicts)
	out.text("tables", d.sealed())
	if d.pack == nil {
		return
	}
	out.number("show_for", d.pack.Policy.Shows())
	if r.Has(words.WrongRound) {
		out.moment("next", d.nextRound(r, at))
	}
	if r.OldList != nil {
		out.text("ceiling", r.OldList.Ceiling)
	} else if _, spent := d.decision(at); spent != nil && (r.Has(words.StatusStale) || r.Has(words.TrustListExpired) || r.Has(words.PackExpired)) {
		most, _ := verifier.CeilingOf(spent.Ceiling)
		out.number("old_lists_spent", int64(most))
	}
	if w := d.pack.Whereabouts(r, d.certificate()); w.Any() {
		out.flag("whereabouts", true)
	}
	if d.tables == nil || r.Row == nil && r.Facts != words.AllFacts {
		return
	}
	if r.Known {
		for _, row := range d.tables.ByNumber(r.CardNumber()) {
			if row.Issuer == string(r.Credential.Issuer) && row.Pseudonym == string(r.Credential.Pseudonym) {
				d.row = row
			}
		}
	} else if d.row == nil {
		d.row = d.tables.Row(r.Ledger)
	}
	if name := d.tables.ProgrammeName(r.Ledger.Programme, d.lang); name != "" {
		out.text("programme_name", name)
	}
	band, _ := r.Claims()["size_band"].(string)
	out["due"] = d.lines(d.tables.Due(r.Ledger, band), r)
	if d.row == nil {
		return
	}
	out.flag("row", true)
	if d.row.Size > 0 {
		out.number("size", int64(d.row.Size))
	}
	out.flag("names", len(d.row.Names) > 0)
	out.flag("collectors", len(d.row.Collectors) > 0)
	out.number("check", int64(d.row.Check))
	if d.tables.Photo(d.row) != nil {
		out.text("photo", "fits")
		if d.tables.PhotoFits(&r.Credential, d.row) == verifier.FitNo {
			out.text("photo", "other")
		}
	}
}

// sealed says whether the pack's sealed tables are open: none, locked or open.
func (d *desk) sealed() string {
	if d.tables != nil {
		return "open"
	}
	if d.pack != nil {
		for i := range d.pack.Parts {
			if k := d.pack.Parts[i].Kind; k >= verifier.PartCodes && k <= verifier.PartPhotos {
				return "locked"
			}
		}
	}
	return "none"
}

// lines keeps what is still due and says it for the screen. What an earlier record
// left due counts, where it speaks of the same things; else the tables are silent.
func (d *desk) lines(table []verifier.Line, r *verifier.Result) []any {
	var due []visit.Line
	labels := map[string]string{}
	for i := range table {
		l := &table[i]
		a, ok, err := visit.ParseAmount(l.Amount + " " + l.Unit)
		if !ok || err != nil {
			continue // nothing of it
		}
		line := visit.Line{Code: l.Code, Amount: a}
		if line.Code == "" {
			line.Code = l.Unit // money is called by its currency
		}
		if len(table) == 1 {
			line.Code = "" // the journal then holds a bare amount, which can be added up
		}
		labels[line.Code] = verifier.InLanguage(l.Label, d.lang)
		due = append(due, line)
	}
	if rest := r.Earlier.Rest; rest != "" {
		left, ok := visit.ParseLines(rest)
		if ok && len(left) == 1 && left[0].Code == "" {
			name(&left[0], due)
		}
		if _, err := visit.Subtract(due, left); !ok || err != nil {
			return nil
		}
		due = left
	}
	d.due = due
	list := make([]any, len(due))
	for i, l := range due {
		list[i] = map[string]any{"code": l.Code, "amount": visit.Amount{Micros: l.Amount.Micros}.String(), "unit": l.Amount.Unit, "label": labels[l.Code]}
	}
	return list
}

// name calls a bare amount by the one thing that is due in its unit.
func name(bare *visit.Line, due []visit.Line) {
	found := 0
	for i := range due {
		if due[i].Amount.Unit == bare.Amount.Unit {
			bare.Code = due[i].Code
			found++
		}
	}
	if found > 1 {
		bare.Code = ""
	}
}

// nextRound is when the next round opens here that the card is good for; 0: not known.
func (d *desk) nextRound(r *verifier.Result, at credential.Time) (next credential.Time) {
	claims := r.Claims()
	programme, _ := claims["programme"].(string)
	one, _ := claims["round"].(int64)
	span, _ := claims["rounds"].([]int64)
	if len(span) != 2 {
		span = []int64{one, one}
	}
	for _, o := range d.pack.Policy.Programmes[programme] {
		if o.Opens > at && int64(o.N) >= span[0] && int64(o.N) <= span[1] && (next == 0 || o.Opens < next) {
			next = o.Opens
		}
	}
	return next
}

// names of the row: asked for by a tap, which the page has written down before.
func (d *desk) names(at credential.Time, verdict int64) reply {
	if d.row == nil || !d.mayShow(at, verdict) {
		return fail(errNotShown)
	}
	out := done()
	out["names"], out["collectors"] = plain(d.row.Names), plain(d.row.Collectors)
	return out
}

// whereabouts of an earlier collection, or of the sites a card is good at: the page asks
// for a supervisor, and has written it down before.
func (d *desk) whereabouts(at credential.Time, verdict int64) reply {
	if d.pack == nil || !d.mayShow(at, verdict) {
		return fail(errNotShown)
	}
	w := d.pack.Whereabouts(d.shown, d.certificate())
	out := done()
	out.text("site", w.Site)
	out.moment("when", w.At)
	out["sites"] = plain(w.Sites)
	return out
}

// face is the photo, unless the card was issued with another one.
func (d *desk) face(at credential.Time, verdict int64) reply {
	if d.row == nil || !d.mayShow(at, verdict) || d.tables.PhotoFits(&d.shown.Credential, d.row) == verifier.FitNo {
		return fail(errNotShown)
	}
	photo := d.tables.Photo(d.row)
	if photo == nil {
		return fail(errNotShown)
	}
	out := done()
	out["photo"] = array(photo)
	return out
}

// number judges a typed card number. It is signed by nobody: it finds the row of the
// sealed list, and its check symbol tells a slip of the finger (DESIGN 14).
func (d *desk) number(text string, at credential.Time, pick int) reply {
	n, err := cwt.CheckCardNumber(text)
	if err != nil {
		return fail(err)
	}
	results := verifier.Number(n, d.tables, d.inputs(at))
	open := results
	for i := range results {
		if results[i].Has(words.WrongProgramme) || results[i].Has(words.WrongRound) {
			open = results[:i] // those that are open here stand first
			break
		}
	}
	if len(open) == 0 {
		open = results
	}
	if len(open) > 1 && (pick < 1 || pick > len(open)) {
		rows := make([]any, len(open))
		for i := range open {
			l := open[i].Ledger
			rows[i] = map[string]any{"programme": l.Programme, "name": d.tables.ProgrammeName(l.Programme, d.lang), "round": float64(l.Round)}
		}
		out := done()
		out["rows"] = rows
		return out
	}
	r := open[max(0, min(pick, len(open))-1)]
	out := reply(Flat(&r))
	out.text("number", n)
	if r.Earlier.Rest != "" {
		out.text("earlier_rest", r.Earlier.Rest)
	}
	d.show(out, &r, at, true)
	return out
}

// reckon fills in what was given and what stays due of it. lines is what the page
// says of each thing; not an object: all that is due. Where the tables do not say
// what is due, and for an emergency ration, the entry stands as it is.
func (d *desk) reckon(v *visit.Visit, lines js.Value) error {
	if d.due == nil || v.Given != "" || v.Code == emergency {
		return nil
	}
	given := d.due
	if lines.Type() == js.TypeObject {
		given = nil
		for i := range min(lines.Length(), len(d.due)) {
			e := lines.Index(i)
			amount := strings.TrimSpace(textOf(e.Get("amount")))
			if strings.Trim(amount, "0.") == "" {
				continue // none of it
			}
			l := visit.Line{Code: textOf(e.Get("code")), Instead: textOf(e.Get("instead"))}
			for _, due := range d.due {
				if due.Code == l.Code {
					amount += " " + due.Amount.Unit
				}
			}
			a, ok, err := visit.ParseAmount(amount)
			if err != nil {
				return err
			}
			if !ok {
				return errNothing
			}
			l.Amount = a
			given = append(given, l)
		}
	}
	if len(given) == 0 {
		return errNothing
	}
	rest, err := visit.Subtract(d.due, given)
	if err != nil {
		return err
	}
	if v.Given, err = visit.FormatLines(given); err != nil {
		return err
	}
	if v.Rest, err = visit.FormatLines(rest); err != nil {
		return err
	}
	if v.Kind = visit.Collection; len(rest) > 0 {
		v.Kind = visit.Partial
	}
	return nil
}

// How the code of a record begins that was made against the verdict, and the one of
// whoever says that nothing was received.
const (
	overriding = "override:"
	emergency  = overriding + "emergency"
)

// decision is the site's decision that lets old lists pass now; nil: none. spent is one
// that would, had not as many collections been made under it as its ceiling says.
func (d *desk) decision(at credential.Time) (open, spent *verifier.Decision) {
	for _, o := range [...]*verifier.Decision{d.oldLists, d.policy} {
		if !o.Holds(at) {
			continue
		}
		if o.Within(d.givenUnder(o)) == nil {
			spent = o
		} else if open == nil {
			open = o
		}
	}
	return open, spent
}

// givenUnder is how many collections this device made under o.
func (d *desk) givenUnder(o *verifier.Decision) int {
	if d.device == nil || d.device.journal == nil {
		return 0
	}
	return d.device.journal.OnOldLists(o.From)
}

// usualOverrides a shift, where the device's certificate has no ceiling that says.
const usualOverrides = 5

// overridesUnder is how often a device may give against the verdict in one shift: the
// number at the end of its ceiling's code ("c2": twice).
func overridesUnder(ceiling string) int {
	if n, counted := verifier.CeilingOf(ceiling); counted {
		return n
	}
	return usualOverrides
}

// refusal tells the page which of its own sentences says why an entry was not taken.
func refusal(err error) reply {
	out := fail(err)
	reason := "amount"
	switch {
	case errors.Is(err, visit.ErrTooMuch):
		reason = "too_much"
	case errors.Is(err, errCeiling):
		reason = "ceiling"
	case errors.Is(err, errNumberAlone):
		reason = "check"
	case errors.Is(err, errNoCard):
		reason = "again"
	}
	out.text("reason", reason)
	return out
}

func withinCeiling(j *visit.Journal, ceiling string) error {
	n := 0
	for i := range j.Visits {
		v := &j.Visits[i]
		switch {
		case v.Kind == visit.Note && v.Code == visit.CodeShiftOpen:
			n = 0
		case v.Kind <= visit.Partial && strings.HasPrefix(v.Code, overriding) && !j.Cancelled(v.Sequence):
			n++
		}
	}
	if n >= overridesUnder(ceiling) {
		return errCeiling
	}
	return nil
}
