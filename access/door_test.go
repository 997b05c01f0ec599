package access_test

import (
	"testing"
	"time"

	"aidpass/access"
	"aidpass/access/accesstest"
)

func TestDoorInMemory(t *testing.T) {
	accesstest.Run(t, func(t testing.TB, org string, now func() time.Time) access.Store { return accesstest.New(org, now) })
}
