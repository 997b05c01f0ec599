package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// The server takes the day's figures by itself at the quiet hour of its place, once a night
// however often it begins, and makes up for two nights in which it was off.
func TestTheServerWorksAtNight(t *testing.T) {
	l := newLaptop(t)
	zone, err := time.LoadLocation("Africa/Nairobi") // UTC+3
	if err != nil {
		t.Skipf("NOT TESTED: this machine knows no time zones: %v", err)
	}
	now := scriptClock()
	m := &app{Main: &Main{Now: func() time.Time { return now }, Stderr: &l.stderr, WorkFactor: 4}, Config: Config{Data: l.path("data"), PassphraseFile: l.path("pass"), Actor: "operator"}}
	o, err := m.openOrg(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	runs, fails := 0, error(nil)
	var n *nights
	begin := func() {
		t.Helper()
		s := m.newServing(o, serveFlags{nightly: "02:00 Africa/Nairobi"})
		if n, err = s.nights(); err != nil {
			t.Fatal(err)
		}
		n.jobs = append(n.jobs, nightJob{"other", func(context.Context) error { runs++; return fails }})
	}
	// at moves the clock, looks, and tells how often the other work was done and how many days have figures.
	at := func(clock string) (int, int) {
		t.Helper()
		if now, err = time.ParseInLocation("2006-01-02 15:04", "2026-11-"+clock, zone); err != nil {
			t.Fatal(err)
		}
		if n == nil {
			begin()
		}
		n.look(t.Context())
		n.working.Wait()
		days, err := o.store.Snapshots(t.Context(), time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		return runs, len(days)
	}
	for _, step := range []struct {
		clock string
		fresh bool // the server begins then
		fails error
		runs  int
		days  int // of UTC
		why   string
	}{
		{"21 10:00", true, nil, 0, 0, "its first day"},
		{"21 10:05", true, nil, 0, 0, "its first day, begun again"},
		{"22 01:59", false, nil, 0, 0, "before the hour"},
		{"22 02:00", false, nil, 1, 1, "the hour"},
		{"22 02:01", false, nil, 1, 1, "the same night"},
		{"22 03:00", true, nil, 1, 1, "the same night, begun again"},
		{"22 23:59", false, nil, 1, 1, "the same night, late"},
		{"23 09:00", true, nil, 1, 1, "it was off for one night"},
		{"24 02:30", false, nil, 2, 2, "the next"},
		{"26 15:00", true, nil, 3, 3, "it was off for two nights"},
		{"27 02:00", false, errors.New("of Amina"), 4, 3, "it fails; the UTC day has its figures"},
		{"27 02:10", false, nil, 4, 3, "not at once again"},
		{"27 03:00", false, errors.New("of Amina"), 5, 3, "an hour later"},
		{"27 04:00", true, errors.New("of Amina"), 6, 3, "the third time"},
		{"27 06:00", true, errors.New("of Amina"), 6, 3, "no fourth"},
		{"28 02:00", false, nil, 7, 4, "the next night"},
		{"30 02:00", false, errors.New("of Amina"), 8, 5, "a clock that is days ahead, and it fails"},
		{"28 02:30", false, nil, 9, 5, "the clock is right again: once"},
		{"28 03:30", false, nil, 9, 5, "the same night"},
	} {
		fails = step.fails
		if step.fresh {
			n = nil
		}
		if runs, days := at(step.clock); runs != step.runs || days != step.days {
			t.Errorf("%s, %s: %d runs and %d days, want %d and %d", step.clock, step.why, runs, days, step.runs, step.days)
		}
	}
	if said := l.stderr.String(); !strings.Contains(said, "work=other try=3 code=") || strings.Contains(said, "Amina") {
		t.Errorf("the log: %s", said)
	}

	// What was killed is done at the next start, and not for ever.
	killed, end := context.WithCancel(t.Context())
	n.jobs = []nightJob{{"killed", func(ctx context.Context) error { end(); return ctx.Err() }}}
	kept, err := n.read()
	if err != nil {
		t.Fatal(err)
	}
	kept[n.org]["killed"] = nightDone{Night: "2026-11-27", Done: true}
	if err := n.write(kept); err != nil {
		t.Fatal(err)
	}
	n.look(killed)
	n.working.Wait()
	tries := 0
	n.jobs[0].do = func(context.Context) error { tries++; return nil }
	for range 2 {
		n.look(t.Context())
		n.working.Wait()
	}
	if tries != 1 {
		t.Errorf("killed, and then done %d times", tries)
	}
	if b, err := os.ReadFile(l.path("data/nightly.json")); err != nil || !strings.Contains(string(b), `"killed":{"night":"2026-11-28","tries":2,"done":true}`) {
		t.Errorf("%s %v", b, err)
	}
	for text, good := range map[string]bool{"off": true, "00:00": true, "23:59": true, "24:00": false, "2": false, "": false, "02:00 Nowhere/Land": false, "02:00 ": false} {
		if q, err := readQuietHour(text); (err == nil) != good || q.off != (text == "off") {
			t.Errorf("--nightly %q: %v", text, err)
		}
	}
}
