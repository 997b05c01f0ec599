package cose

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// sharedVectors is the folder of public test vectors beside the repository.
func sharedVectors(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if p := filepath.Join(dir, "shared", "vectors", name); isDir(p) {
			return p
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Skip("SKIPPED: ../shared/vectors not present")
		}
		dir = parent
	}
}

func isDir(p string) bool {
	fi, err := os.Stat(p)
	return err == nil && fi.IsDir()
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newP256Signer(t testing.TB) (*ecdsa.PrivateKey, *Key) {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return priv, mustKey(t, &priv.PublicKey)
}

func newEd25519Signer(t testing.TB) (ed25519.PrivateKey, *Key) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return priv, mustKey(t, pub)
}

func mustKey(t testing.TB, pub any) *Key {
	t.Helper()
	k, err := NewKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
