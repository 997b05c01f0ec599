package access

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// network is what tries are counted by: an IPv4 address, or the /64 that one house has of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "?"
	}
	ip = ip.Unmap()
	if ip.Is6() {
		p, _ := ip.WithZone("").Prefix(64)
		return p.String()
	}
	return ip.String()
}

// A DelayError says that too many tries failed: try again After.
type DelayError struct{ After time.Duration }

func (e *DelayError) Error() string {
	return fmt.Sprintf("access: too many failed tries: again in %d s", int((e.After+time.Second-1)/time.Second))
}

// Tries are the failed tries about an account, a network, or one from the other.
type Tries struct {
	Failed int       // since the last success, or since nobody tried for TriesLife
	Next   time.Time // no try before
	Good   time.Time // newest success, of an account from a network
	Last   time.Time // newest try; the row is forgotten TriesLife after it, or GoodLife after Good
}

// How tries are counted.
const (
	TriesLife = time.Hour           // after so long without a try all is forgotten
	GoodLife  = 30 * 24 * time.Hour // so long a network is one that an account is known from

	freeOfPair    = 5 // an account from one network: then 1 s, doubled each time
	freeOfAccount = 10
	freeOfNetwork = 50 // an office has one address
	maxOfPair     = 5 * time.Minute
	maxOfAccount  = 30 * time.Second // who guesses elsewhere must not keep its owner out
	maxOfNetwork  = 5 * time.Minute
)

// count counts a try as failed (forgive takes it back) and refuses it where it came too
// early: then it counts for nothing, so that nobody is kept out for longer by trying.
// Where an account was let in from this network before, only tries from there delay it.
func count(tx Tx, now time.Time, id, address, known string) error {
	net := network(address)
	pair, err := tx.Tries(pairOf(id, net))
	if err != nil {
		return err
	}
	rows := []struct {
		about string
		free  int
		most  time.Duration
	}{{pairOf(id, net), freeOfPair, maxOfPair}, {"network " + net, freeOfNetwork, maxOfNetwork}, {"account " + id, freeOfAccount, maxOfAccount}}
	// The last row is read and written all the same: else the work of an answer would tell who
	// works in this network (THREATS 4.7 row 40).
	counted := len(rows)
	if now.Sub(pair.Good) < GoodLife {
		counted--
	}
	tries := make([]Tries, len(rows))
	for i, r := range rows {
		t, err := tx.Tries(r.about)
		if err != nil {
			return err
		}
		if i < counted && now.Sub(t.Last) >= TriesLife {
			t.Failed, t.Next = 0, time.Time{}
		}
		if i < counted && now.Before(t.Next) {
			return &DelayError{t.Next.Sub(now)}
		}
		tries[i] = t
	}
	for i, r := range rows {
		t := tries[i]
		if i >= counted {
			if err := tx.SaveTries(r.about, t); err != nil {
				return err
			}
			continue
		}
		t.Failed, t.Last = t.Failed+1, now
		if over := t.Failed - r.free; over >= 0 {
			t.Next = now.Add(min(r.most, time.Second<<min(over, 20)))
		}
		if err := tx.SaveTries(r.about, t); err != nil {
			return err
		}
		// One entry where a delay begins and whenever the number doubles: an attack is seen, and
		// cannot fill the log.
		if n := t.Failed; n >= r.free && n%r.free == 0 && (n/r.free)&(n/r.free-1) == 0 {
			what, _, _ := strings.Cut(r.about, " ")
			if err := tx.Audit(Entry{Action: "account.sign-in-failed", Object: known, Detail: fmt.Sprintf("failed=%d of=%s", n, what)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func pairOf(id, net string) string { return "pair " + id + " " + net }

// forgive takes back the try that was right, and what failed from here before it. It
// returns how many had failed about the account since its last success.
func forgive(tx Tx, now time.Time, id, address string, way Way) (failed int, err error) {
	net := network(address)
	for _, about := range [...]string{pairOf(id, net), "account " + id} {
		t, err := tx.Tries(about)
		if err != nil {
			return 0, err
		}
		failed = max(failed, t.Failed)
		t = Tries{Last: now}
		if about == pairOf(id, net) {
			t.Good = now
		}
		if err := tx.SaveTries(about, t); err != nil {
			return 0, err
		}
	}
	if way == ByPassword {
		failed-- // the one that was right
	}
	t, err := tx.Tries("network " + net)
	if err != nil || t.Failed == 0 || way != ByPassword { // the other ways were not counted as tries
		return max(failed, 0), err
	}
	if t.Failed--; t.Failed < freeOfNetwork {
		t.Next = time.Time{}
	}
	return max(failed, 0), tx.SaveTries("network "+net, t)
}
