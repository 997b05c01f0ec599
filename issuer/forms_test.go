package issuer

import (
	"testing"

	"aidpass/credential"
)

// What two copies of one wallet say of their times is what everybody's say.
func TestTimesOfTokensAreCoarse(t *testing.T) {
	const hour, day = 3600, 86400
	const from = credential.Time(20000*day + 9*hour + 1234)
	d := &Desk{TokensFrom: from - 30*day}
	for _, c := range []struct{ life, unit credential.Time }{{30 * day, day}, {2*day + 1, day}, {2 * day, hour}, {day, hour}, {3 * hour, hour}} {
		iat, exp := d.coarse(from, from+c.life)
		if iat%day != 0 || exp%c.unit != 0 || exp <= from || exp > from+c.life {
			t.Errorf("what lives %d s says from %d to %d", c.life, iat, exp)
		}
	}
	d.TokensFrom = from - 60
	if iat, _ := d.coarse(from, from+day); iat != from-60 {
		t.Errorf("it says %d, and its key began at %d", iat, from-60)
	}
}
