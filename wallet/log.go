package wallet

import (
	"slices"

	"aidpass/credential"
	"aidpass/verifier"
)

// EventKind is what happened.
type EventKind uint8

// What happens to a wallet.
const (
	Added      EventKind = 1 + iota // a card came
	Shown                           // claims were sent to who asked
	Declined                        // the holder said no
	LiveShown                       // a live code was shown
	PaperShown                      // the QR code of a paper card was shown
	HandedOver                      // a card was handed to another phone
	TakenOver                       // a card of somebody else came
	BackedUp
	Restored
	Removed
	WishMade  // the desk was asked to let somebody collect
	WishEnded // and no longer
	lastKind  = WishEnded
)

// Event is one line of the log that stays on the phone.
type Event struct {
	At   credential.Time
	Kind EventKind
	// Who is on the other side: a client_id, an issuer, an organisation and site, or
	// the name the holder gave a phone.
	Who string
	// Name is what the other side calls itself; How says why to believe it: see
	// openid.Identified, or "challenge" for a device whose key nobody checked.
	Name, How string
	For       string   // the purpose it gave, in the words it gave
	Cards     []string // ids
	Claims    []string // what was shown, or was asked for and refused: paths of names
	// Again: the same code as the line before told of, made anew on the screen where it
	// still stood. Never kept.
	Again bool
}

// note writes a line. The log is for the holder, so the oldest lines leave when it is
// full: a phone must not stop working for it.
func (w *Wallet) note(e Event) {
	if len(w.Log) >= MaxEvents {
		w.Log = slices.Delete(w.Log, 0, len(w.Log)-MaxEvents+1)
	}
	w.Log = append(w.Log, e.clipped())
}

// Note writes what happened outside this package: an answer, a refusal, a code shown.
// Texts longer than the log keeps are cut. A live code is made anew while it is on the
// screen: one that says so (Event.Again), within two minutes of the one before, to the same,
// is the same line, at the newer time. One that was asked for anew may be for somebody else,
// and is a line of its own.
func (w *Wallet) Note(e Event) {
	if n := len(w.Log); n > 0 && e.Kind == LiveShown && e.Again {
		last := &w.Log[n-1]
		if d := e.At - last.At; last.Kind == LiveShown && d >= 0 && d <= verifier.LiveWindow && last.Who == clip(e.Who) && last.Name == clip(e.Name) && slices.Equal(last.Cards, e.Cards) {
			last.At = e.At
			return
		}
	}
	w.note(e)
}

const (
	maxLogText   = 500
	maxLogClaims = 8 << 10 // bytes of all claims of one line
)

func (e Event) clipped() Event {
	for _, s := range []*string{&e.Who, &e.Name, &e.How, &e.For} {
		*s = clip(*s)
	}
	e.Cards = slices.Clone(e.Cards[:min(len(e.Cards), MaxCards)])
	e.Claims = slices.Clone(e.Claims[:min(len(e.Claims), 200)])
	e.Again = false
	size := 0
	for i := range e.Claims {
		e.Claims[i] = clip(e.Claims[i])
		if size += len(e.Claims[i]); size > maxLogClaims {
			e.Claims = e.Claims[:i]
			break
		}
	}
	return e
}

// clip cuts at a character.
func clip(s string) string {
	if len(s) <= maxLogText {
		return s
	}
	n := maxLogText
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}

var kindNames = [...]string{"", "added", "shown", "declined", "live", "paper", "handed_over", "taken_over", "backed_up", "restored", "removed", "wished", "wish_ended"}

// String is the kind's name, as screens and scripts have it.
func (k EventKind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}
