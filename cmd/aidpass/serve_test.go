package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"aidpass/internal/cose"
	"aidpass/internal/patience"
	"aidpass/internal/qrcode"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier/enrol"
	"aidpass/verifier/visit"
)

// scriptPhone is the phone of a name: its key is the name's hash.
func scriptPhone(ts *testscript.TestScript, name string) (*ecdsa.PrivateKey, enrol.Request) {
	scalar := sha256.Sum256([]byte(name))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	ts.Check(err)
	key, err := cose.NewKey(&private.PublicKey)
	ts.Check(err)
	return private, enrol.Request{Key: key, Name: name}
}

// phone NAME writes what a phone shows of its key: NAME.devkey, NAME.png, and
// NAME.json, its request with the code in $CODE. It sets WORDS and KID.
func phone(ts *testscript.TestScript, neg bool, args []string) {
	_, r := scriptPhone(ts, args[0])
	raw, err := r.Encode()
	ts.Check(err)
	text, err := r.Text()
	ts.Check(err)
	picture, err := qrcode.PNG(text, qrcode.M, 4)
	ts.Check(err)
	body, err := json.Marshal(map[string]string{"code": ts.Getenv("CODE"), "request": base64.RawURLEncoding.EncodeToString(raw)})
	ts.Check(err)
	for end, b := range map[string][]byte{".devkey": raw, ".png": picture, ".json": body} {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+end), b, 0o600))
	}
	id := r.Key.ID()
	ts.Setenv("WORDS", enrol.Words(r.Key))
	ts.Setenv("KID", hex.EncodeToString(id[:]))
}

// openAnswer FILE NAME opens an answer on a phone: NAME.got.cert and NAME.got.pack.
func openAnswer(ts *testscript.TestScript, neg bool, args []string) {
	content, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	private, r := scriptPhone(ts, args[1])
	scalar, err := private.Bytes()
	ts.Check(err)
	agree, err := ecdh.P256().NewPrivateKey(scalar)
	ts.Check(err)
	device, err := cose.NewRecipient(agree)
	ts.Check(err)
	answer, err := enrol.Open(device, r.Key.ID(), content)
	if neg {
		if err == nil {
			ts.Fatalf("%s opens on %s", args[0], args[1])
		}
		return
	}
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".got.cert"), answer.Certificate, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".got.pack"), answer.Pack, 0o600))
}

// journal FILE NAME TRUST CERT FROM TO writes the records FROM to TO of a phone's journal.
func journalOf(ts *testscript.TestScript, neg bool, args []string) {
	private, r := scriptPhone(ts, args[1])
	list, err := trust.Open([]byte(ts.ReadFile(args[2])), trust.Anchors{})
	ts.Check(err)
	c, _, reason := list.OpenDevice([]byte(ts.ReadFile(args[3])))
	if c == nil {
		ts.Fatalf("certificate: %s", reason)
	}
	from, err := strconv.ParseUint(args[4], 10, 32)
	ts.Check(err)
	to, err := strconv.ParseUint(args[5], 10, 32)
	ts.Check(err)
	signer, err := keystore.NewSigner(private)
	ts.Check(err)
	var prev, out []byte
	for n := uint64(1); n <= to; n++ {
		p, err := visit.Prepare(r.Key, prev, visit.Visit{Device: c.DeviceID, Sequence: n, At: c.NotBefore + 60, Kind: visit.Note, Code: "served"})
		ts.Check(err)
		// One name, one journal: the signature must be the same each time.
		file := ts.MkAbs(args[1] + "." + strconv.FormatUint(n, 10) + ".record")
		if kept, err := os.ReadFile(file); err == nil {
			prev = kept
		} else {
			sig, err := cose.SignRaw(signer, p.ToBeSigned())
			ts.Check(err)
			prev, err = p.Attach(sig)
			ts.Check(err)
			ts.Check(os.WriteFile(file, prev, 0o600))
		}
		if n >= from {
			out = append(out, prev...)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o600))
}

// await FILE waits until a file is there.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if !patience.For(func() bool {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			ts.Check(err)
		}
		return len(b) > 0
	}) {
		ts.Fatalf("%s did not come", args[0])
	}
}

// fetch STATUS METHOD PATH OUT [BODY TYPE]: a request to the server that runs; the
// answer must have the status, and its body goes to OUT.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	addresses := strings.Fields(ts.ReadFile("data/serve.address"))
	var body io.Reader
	if len(args) > 4 {
		body = bytes.NewReader([]byte(ts.ReadFile(args[4])))
	}
	r, err := http.NewRequest(args[1], addresses[len(addresses)-1]+args[2], body)
	ts.Check(err)
	if len(args) > 5 {
		r.Header.Set("Content-Type", args[5])
	}
	if tag := ts.Getenv("ETAG"); tag != "" {
		r.Header.Set("If-None-Match", tag)
	}
	a, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), got, 0o600))
	if strconv.Itoa(a.StatusCode) != args[0] {
		ts.Fatalf("%s %s: %s\n%s", args[1], args[2], a.Status, got)
	}
	ts.Setenv("GOT_ETAG", a.Header.Get("ETag"))
}

// certificate FILE ANSWER takes the certificate out of a device's state.
func certificate(ts *testscript.TestScript, neg bool, args []string) {
	var a struct{ Certificate string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &a))
	raw, err := base64.RawURLEncoding.DecodeString(a.Certificate)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o600))
}

// awaitPack NEW OLD PATH asks for a pack until it is another one than OLD.
func awaitPack(ts *testscript.TestScript, neg bool, args []string) {
	old := ts.ReadFile(args[1])
	if !patience.For(func() bool {
		fetch(ts, false, []string{"200", "GET", args[2], args[0]})
		return ts.ReadFile(args[0]) != old
	}) {
		ts.Fatalf("the pack stays as it was")
	}
}
