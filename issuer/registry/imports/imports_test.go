package imports_test

import (
	"testing"
	"time"

	"aidpass/access/accesstest"
	"aidpass/issuer/registry/imports/importstest"
	"aidpass/issuer/registry/registrytest"
)

func TestDeskInMemory(t *testing.T) {
	importstest.Run(t, func(_ testing.TB, org string, now func() time.Time) importstest.Parts {
		return importstest.Parts{Imports: &importstest.Memory{}, Registry: &registrytest.Store{Now: now}, Access: accesstest.New(org, now)}
	})
}
