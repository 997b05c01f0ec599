package issuer

import (
	"testing"

	"aidpass/credential"
)

// What two copies of one wallet say of their times is what everybody's say.
func TestTimesOfWhatWalletsHoldAreCoarse(t *testing.T) {
	const hour, day = 3600, 86400
	const from = credential.Time(20000*day + 9*hour + 1234)
	for _, c := range []struct{ life, unit credential.Time }{{30 * day, day}, {2*day + 1, day}, {2 * day, hour}, {day, hour}, {3 * hour, hour}, {hour, 60}} {
		iat, exp := coarse(from, from+c.life, from-30*day)
		if iat%c.unit != 0 || exp%c.unit != 0 || exp <= from || exp > from+c.life {
			t.Errorf("what lives %d s says from %d to %d", c.life, iat, exp)
		}
		// A type says in whole days how long it may live: service points refuse what lives longer.
		if c.life%c.unit == 0 && exp-iat > c.life {
			t.Errorf("what may live %d s says that it lives %d", c.life, exp-iat)
		}
	}
	if iat, _ := coarse(from, from+day, from-60); iat != from-60 {
		t.Errorf("it says %d, and its key began at %d", iat, from-60)
	}
}
