package scanner_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"aidpass/internal/cbor"
	"aidpass/verifier"
	vt "aidpass/verifier/verifiertest"
	"aidpass/verifier/visit"
)

// keptFile is what a phone had on its disk under schema 1, with records that nobody
// had acknowledged. Every later app opens it. AIDPASS_GOLDEN=write writes one where
// none is; what is there never changes: a new schema gets a new file.
const keptFile = "testdata/kept-1.json"

type keptPhone struct {
	Schema  int
	Pack    []byte
	State   []byte
	Name    string
	Key     map[string]string // JWK
	Salt    []byte
	PINHash []byte
	Staff   string
	Journal [][]byte
}

func writeKept(t *testing.T) {
	t.Helper()
	pack := world.Pack(vt.PackOptions{Policy: &verifier.Policy{Country: "KEN",
		Programmes: map[string][]verifier.Round{vt.Programme: {{N: 3, Opens: vt.Made - 86400, Closes: vt.Made + 60*86400}}}}})
	_, floors, err := verifier.OpenPack(pack, verifier.Floors{}, vt.Now)
	if err != nil {
		t.Fatal(err)
	}
	private := world.Device.Signer.(*ecdsa.PrivateKey)
	d, err := private.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	k := keptPhone{Schema: 1, Pack: pack, State: floors.Encode(), Name: "tab-7", Staff: "V-12", Salt: make([]byte, 16),
		Key: map[string]string{"kty": "EC", "crv": "P-256", "d": b64(d), "x": b64(point[1:33]), "y": b64(point[33:])}}
	if k.PINHash, err = pbkdf2.Key(sha256.New, pin, k.Salt, 210_000, 32); err != nil {
		t.Fatal(err)
	}
	file := world.Journal(visit.Visit{Kind: visit.Note, Code: "shift_open", Given: "V-12"}, visit.Visit{Kind: visit.Collection, Ledger: world.Ledger(), Card: []byte("a card")})
	for len(file) > 0 {
		n, _, err := cbor.Scan(file, cbor.DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		k.Journal, file = append(k.Journal, file[:n]), file[n:]
	}
	raw, err := json.MarshalIndent(k, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(keptFile, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A newer app opens what an older one kept, with its queue.
func TestWhatAnOlderAppKeptIsOpened(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(keptFile); err != nil && os.Getenv("AIDPASS_GOLDEN") == "write" {
		writeKept(t)
	}
	raw, err := os.ReadFile(keptFile)
	if err != nil {
		t.Fatal(err)
	}
	var k keptPhone
	if err := json.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, serve(t).URL)
	p.Go(p.url + "/icon.svg") // of the app's origin, and not the app
	eval[bool](p, fmt.Sprintf(`(async () => {
		const k = %s, bytes = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0)), curve = { namedCurve: "P-256" };
		const url = (s) => bytes(s.replaceAll("-", "+").replaceAll("_", "/"));
		const sign = await crypto.subtle.importKey("jwk", k.Key, { name: "ECDSA", ...curve }, false, ["sign"]);
		const agree = await crypto.subtle.importKey("jwk", k.Key, { name: "ECDH", ...curve }, false, ["deriveBits"]);
		const db = await new Promise((done, fail) => {
			const r = indexedDB.open("aidpass-scanner", k.Schema);
			r.onupgradeneeded = () => { r.result.createObjectStore("kept"); r.result.createObjectStore("journal"); r.result.createObjectStore("others", { autoIncrement: true }); };
			r.onsuccess = () => done(r.result);
			r.onerror = () => fail(r.error);
		});
		const tx = db.transaction(["kept", "journal"], "readwrite"), kept = tx.objectStore("kept");
		kept.put(bytes(k.Pack), "pack");
		kept.put(bytes(k.State), "state");
		kept.put({ sign, agree, point: new Uint8Array([4, ...url(k.Key.x), ...url(k.Key.y)]) }, "keys");
		kept.put({ lang: "en", sound: true, lowPower: false }, "settings");
		kept.put({ staff: k.Staff, opened: 1, first: 1 }, "shift");
		kept.put({ salt: bytes(k.Salt), hash: bytes(k.PINHash), failures: 0, until: 0 }, "pin");
		kept.put(k.Name, "name");
		kept.put(0, "exported");
		k.Journal.forEach((r, i) => tx.objectStore("journal").put(bytes(r), i + 1));
		await new Promise((done) => (tx.oncomplete = done));
		db.close();
		localStorage.setItem("aidpass-enrolled", "1");
		return true;
	})()`, raw))
	p.reload()
	p.screen("ready")
	p.wait(`document.getElementById("unsent-chip").innerText.includes("1")`) // the other one opened the shift
	p.typed(world.Text(vt.CardOptions{}))
	p.screen("verdict")
	if got := p.text("#title"); got != "ALREADY COLLECTED" {
		t.Errorf("what the older app recorded: %q", got)
	}
	p.click("next")
	p.screen("scan")
	p.back()
	p.screen("ready")
	p.typed(world.Text(vt.CardOptions{Unit: "another"}))
	p.screen("verdict")
	p.hold("give")
	p.screen("scan")
	j := p.readJournal(world.Device.Key)
	if len(j.Visits) != 3 || !bytes.HasPrefix(p.journal(), bytes.Join(k.Journal, nil)) {
		t.Errorf("%d records, want the two that were there and one", len(j.Visits))
	}
	p.back()
	p.screen("ready")
	p.click("supervisor")
	p.fill("pin", pin)
	p.click("pin-go")
	p.screen("supervisor")
}
