package storage_test

import (
	"testing"

	"aidpass/storage/storagetest"
)

func TestCards(t *testing.T) { storagetest.Cards(t, sqlite) }
