package storage_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/storage"
	"aidpass/verifier/enrol"
)

var lead = access.Actor{ID: "lead-1", Role: access.OrgAdmin}

// phone is the request of a phone of that name.
func phone(t testing.TB, name string) enrol.Request {
	t.Helper()
	scalar := sha256.Sum256([]byte(name))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	key, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return enrol.Request{Key: key, Name: name}
}

func enrolmentOrg(t testing.TB, now func() time.Time) *storage.Org {
	t.Helper()
	db, err := storage.Open(t.Context(), t.TempDir(), storage.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	org, err := db.CreateOrg(t.Context(), "https://a.example/i1", make([]byte, 32), lead)
	if err != nil {
		t.Fatal(err)
	}
	return org
}

func TestFirstDeviceWinsTheCode(t *testing.T) {
	org := enrolmentOrg(t, time.Now)
	code, _, err := org.NewEnrolmentCode(t.Context(), lead, "wellA")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var won []string
	var all sync.WaitGroup
	for i := range 8 {
		r := phone(t, fmt.Sprint("tab-", i))
		all.Go(func() {
			d, err := org.EnrolDevice(t.Context(), code, r)
			if err == nil {
				mu.Lock()
				won = append(won, d.Name)
				mu.Unlock()
			} else if !errors.Is(err, storage.ErrEnrolmentCode) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	devices, err := org.Devices(t.Context())
	if err != nil || len(won) != 1 || len(devices) != 1 || devices[0].Name != won[0] || devices[0].State != access.DevicePending || devices[0].Site != "wellA" {
		t.Fatalf("won by %v; there are %v, %v", won, devices, err)
	}
	// The winner lost the answer on the way and asks again, with what people type.
	typed := strings.ToLower(code[:4]) + " - " + code[4:]
	if d, err := org.EnrolDevice(t.Context(), typed, phone(t, won[0])); err != nil || d.KID != devices[0].KID {
		t.Errorf("again: %v", err)
	}
}

func TestCodesEnd(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	org := enrolmentOrg(t, func() time.Time { return now })
	code, until, err := org.NewEnrolmentCode(t.Context(), lead, "wellA")
	if err != nil || !until.Equal(now.Add(storage.EnrolmentLife)) {
		t.Fatal(until, err)
	}
	for _, wrong := range []string{"", "00000000", code + "0", code[:7], code[:7] + "U", strings.Repeat("0", 1000), "\x00" + code[1:]} {
		if _, err := org.EnrolDevice(t.Context(), wrong, phone(t, "tab-1")); err != storage.ErrEnrolmentCode {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	now = until
	if _, err := org.EnrolDevice(t.Context(), code, phone(t, "tab-1")); err != storage.ErrEnrolmentCode {
		t.Errorf("ten minutes later: %v", err)
	}
}

// A code in the wrong hands must not unseat a device that works.
func TestShowingAKnownKeyChangesNothing(t *testing.T) {
	org := enrolmentOrg(t, time.Now)
	r := phone(t, "tab-1")
	d := access.Device{KID: r.Key.ID(), Key: r.Key, Name: "tab-1", Site: "wellA", State: access.DeviceConfirmed, Certificate: []byte("certificate"), From: 1, Until: 2}
	if err := org.SaveDevice(t.Context(), lead, d); err != nil {
		t.Fatal(err)
	}
	code, _, err := org.NewEnrolmentCode(t.Context(), lead, "wellB")
	if err != nil {
		t.Fatal(err)
	}
	r.Name = "mine"
	got, err := org.EnrolDevice(t.Context(), code, r)
	if err != nil || got.State != access.DeviceConfirmed || got.Name != "tab-1" || got.Site != "wellA" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := org.WithdrawDevice(t.Context(), lead, d.KID, "lost", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if got, err := org.EnrolDevice(t.Context(), code, r); err != nil || got.State != access.DeviceWithdrawn {
		t.Errorf("withdrawn: %+v, %v", got, err)
	}
	// The code is still good for a phone of its own.
	if got, err := org.EnrolDevice(t.Context(), code, phone(t, "tab-2")); err != nil || got.Site != "wellB" {
		t.Errorf("the right phone: %+v, %v", got, err)
	}
}
