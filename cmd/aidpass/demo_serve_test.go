package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"aidpass/internal/cose"
	"aidpass/internal/overheard"
	"aidpass/internal/patience"
	"aidpass/verifier/enrol"
)

// terminal opens a pseudo terminal: what is written to the keyboard is what a person
// types into the other end.
func terminal(t *testing.T) (keyboard, screen *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("SKIPPED: no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { keyboard.Close() })
	var unlocked, number int32
	for _, ask := range []struct {
		request uintptr
		value   *int32
	}{{syscall.TIOCSPTLCK, &unlocked}, {syscall.TIOCGPTN, &number}} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, keyboard.Fd(), ask.request, uintptr(unsafe.Pointer(ask.value))); errno != 0 {
			t.Skipf("SKIPPED: no pseudo terminal: %v", errno)
		}
	}
	if screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skipf("SKIPPED: no pseudo terminal: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	return keyboard, screen
}

// TestTheDemoAsksAboutPhones: whoever sits before the demo is asked about each phone by
// its words; yes lets it in, anything else does not, and the end is a clean one.
func TestTheDemoAsksAboutPhones(t *testing.T) {
	keyboard, screen := terminal(t)
	var said, errs overheard.Buffer
	dir := filepath.Join(t.TempDir(), "demo")
	m := &Main{Stdin: screen, Stdout: &said, Stderr: &errs, Now: time.Now, WorkFactor: 4, ListSize: 4096, Env: func(string) (string, bool) { return "", false }}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- m.Run(ctx, []string{"demo", "--dir", dir}) }()
	says := func(pattern string, times int) []string {
		t.Helper()
		var all [][]string
		if !patience.For(func() bool {
			all = regexp.MustCompile(pattern).FindAllStringSubmatch(said.String(), -1)
			return len(all) >= times
		}) {
			t.Fatalf("never said: %s\n%s%s", pattern, said.String(), errs.String())
		}
		return all[times-1]
	}
	types := func(line string) {
		t.Helper()
		if _, err := io.WriteString(keyboard, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	const link = `(?m)^  (http://localhost:\d+)/scanner/#enrol=(\w+)$`
	says("Ctrl-C ends the demo", 1)
	first := says(link, 1)

	// A wallet on the laptop, as the lines before the link tell it.
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("nine calm herons wade\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	runs := func(args ...string) string {
		t.Helper()
		var out, wrong bytes.Buffer
		env := map[string]string{"AIDPASS_DATA": filepath.Join(dir, "relief-a"), "AIDPASS_PASSPHRASE_FILE": filepath.Join(dir, "secrets", "passphrase"), "AIDPASS_WALLET_PASSPHRASE_FILE": secret}
		w := &Main{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &wrong, Now: time.Now, WorkFactor: 4, ListSize: 4096, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
		if code := w.Run(ctx, args); code != 0 {
			t.Fatalf("aidpass %s: exit code %d: %s%s", strings.Join(args, " "), code, out.String(), wrong.String())
		}
		return out.String()
	}
	purse := []string{"--wallet", filepath.Join(t.TempDir(), "purse")}
	offer := strings.Fields(says(`(?m)relief-a/?\S* AIDPASS_PASSPHRASE_FILE=\S+ \S+ (offer create .*)$`, 1)[1])
	var made struct {
		Link string `json:"link"`
		Tx   string `json:"tx_code"`
	}
	if out := runs(append(offer, "--json")...); json.Unmarshal([]byte(out), &made) != nil || made.Link == "" || made.Tx == "" {
		t.Fatalf("the offer: %s", out)
	}
	runs(append([]string{"wallet", "init"}, purse...)...)
	add := strings.NewReplacer("LINK", made.Link, "CODE", made.Tx).Replace(says(`(?m)^  aidpass (wallet add .*)$`, 1)[1])
	runs(append(strings.Fields(add), purse...)...)
	check := strings.Fields(says(`(?m)^  aidpass (wallet list --check .*)$`, 1)[1])
	if out := runs(append(check, purse...)...); !strings.Contains(out, "ready") || strings.Contains(out, "could not check") {
		t.Errorf("the wallet's list, looked after: %s", out)
	}

	yes := joins(t, first[1], first[2], "tab-yes")
	if got := says(`"tab-yes" asks to join WELL-A.*\n  (.+)\nDoes it`, 1)[1]; got != yes.words {
		t.Errorf("the demo shows %q, the phone %q", got, yes.words)
	}
	types("y")
	says("Confirmed", 1)
	if state := yes.state(t, first[1]); state != "confirmed" {
		t.Errorf("after yes: %s", state)
	}
	types("")
	second := says(link, 2)
	if second[2] == first[2] {
		t.Error("Enter makes no other code")
	}
	no := joins(t, second[1], second[2], "tab-no")
	says(`"tab-no" asks to join WELL-A`, 1)
	types("n")
	says("Refused", 1)
	if state := no.state(t, first[1]); state != "refused" {
		t.Errorf("after no: %s", state)
	}
	cancel()
	if code := <-ended; code != 0 || !strings.HasSuffix(said.String(), "Thank you for trying it.\n") {
		t.Errorf("it ends with %d: %s", code, errs.String())
	}
}

// aPhone is one that has asked to join.
type aPhone struct{ kid, words string }

func joins(t *testing.T, address, code, name string) aPhone {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := cose.NewKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	request, err := enrol.Request{Key: key, Name: name}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"code": code, "request": base64.RawURLEncoding.EncodeToString(request)})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(address+"/api/v1/enrol", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusAccepted {
		t.Fatal(answer.Status)
	}
	return aPhone{fmt.Sprintf("%x", key.ID()), enrol.Words(key)}
}

func (p aPhone) state(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get(address + "/api/v1/devices/" + p.kid)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var device struct{ State string }
	if err := json.NewDecoder(answer.Body).Decode(&device); err != nil {
		t.Fatal(err)
	}
	return device.State
}
