package keystore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"

	"aidpass/internal/patience"
)

// Whoever can write the file but lacks the passphrase changes nothing unseen.
func TestTamperedFilesAreRefused(t *testing.T) {
	s := newStore(t)
	info, other := create(t, s, Card, P256), create(t, s, Card, P256)
	path := filepath.Join(s.dir, info.fileName())
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	otherFile, err := os.ReadFile(filepath.Join(s.dir, other.fileName()))
	if err != nil {
		t.Fatal(err)
	}
	head, sealed, _ := bytes.Cut(file, []byte("\n\n"))
	_, otherSealed, _ := bytes.Cut(otherFile, []byte("\n\n"))
	join := func(head, sealed []byte) []byte { return bytes.Join([][]byte{head, sealed}, []byte("\n\n")) }
	replace := func(old, new string) []byte { return join(bytes.Replace(head, []byte(old), []byte(new), 1), sealed) }
	for name, c := range map[string][]byte{
		"another label":       replace("label: for card", "label: for test"),
		"another date":        replace("2026", "2027"),
		"another use":         replace("use: card", "use: anchor"),
		"another alg":         replace("alg: P-256", "alg: Ed25519"),
		"another id":          replace("id: "+info.ID, "id: "+other.ID),
		"another sealed part": join(head, otherSealed),
		"another key's file":  otherFile,
		"date in a zone":      replace("Z\n", "+00:00\n"),
		"upper-case hex":      replace("public: a401", "public: A401"),
		"extra line":          replace("\nlabel", "\nnote: x\nlabel"),
		"no public key":       replace("public: a4", "public: none a4"),
		"windows line ends":   bytes.ReplaceAll(file, []byte("\n"), []byte("\r\n")),
		"cut in the middle":   file[:len(file)/2],
		"cut at the end":      file[:len(file)-40],
		"sealed part changed": append(append([]byte{}, file[:len(file)-60]...), bytes.Replace(file[len(file)-60:], file[len(file)-50:len(file)-46], []byte("AAAA"), 1)...),
		"empty":               nil,
		"header alone":        head,
		"too long":            append(bytes.Clone(file), make([]byte, maxFile)...),
		"not passphrase":      join(head, []byte("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n-----END AGE ENCRYPTED FILE-----\n")),
	} {
		if err := os.WriteFile(path, c, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := again(t, s).Signer(info.ID, Card, pass); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrUse) {
			t.Errorf("%s: got %v", name, err)
		} else if !strings.Contains(err.Error(), "card-") {
			t.Errorf("%s: %v does not name the file", name, err)
		}
		// A key unsealed before does not stand in for a file changed since.
		if _, _, err := s.Signer(info.ID, Card, pass); err == nil {
			t.Errorf("%s: taken from memory", name)
		}
	}
	// The same for a file that is renamed to another use.
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(s.dir, "anchor-"+info.ID+extension)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Signer(info.ID, Anchor, pass); !errors.Is(err, ErrDamaged) {
		t.Errorf("renamed: got %v", err)
	}
}

// An insider with the passphrase of one key cannot pass it off as another: the
// private part must belong to the public one.
func TestForgedSealedPart(t *testing.T) {
	s := newStore(t)
	info := create(t, s, Card, P256)
	path := filepath.Join(s.dir, info.fileName())
	for name, private := range map[string][]byte{"another key": bytes.Repeat([]byte{1}, 32), "31 bytes": bytes.Repeat([]byte{1}, 31), "zero": make([]byte, 32), "none": nil} {
		file, err := seal(*info, private, []byte(secretWords), 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := again(t, s).Signer(info.ID, Card, pass); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFilesAreForTheOwnerAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such permissions on Windows")
	}
	s := newStore(t)
	info := create(t, s, Card, P256)
	path := filepath.Join(s.dir, info.fileName())
	for p, want := range map[string]os.FileMode{path: 0o600, s.dir: 0o700} {
		if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", p, fi.Mode(), err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o666, 0o620} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Signer(info.ID, Card, asked(t)); !errors.Is(err, ErrPermissions) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%v: got %v", mode, err)
		}
	}
}

// The age program alone rescues a key.
func TestSealedPartIsAnAgeFile(t *testing.T) {
	s := newStore(t)
	info := create(t, s, Epoch, Secret)
	file, err := os.ReadFile(filepath.Join(s.dir, info.fileName()))
	if err != nil {
		t.Fatal(err)
	}
	_, sealed, _ := bytes.Cut(file, []byte("\n\n"))
	identity, err := age.NewScryptIdentity(secretWords)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), identity)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := s.Secret(info.ID, Epoch, pass)
	if want := info.header() + fmt.Sprintf("private: %x\n", secret); string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
	if !strings.Contains(string(file), "use: epoch\nalg: secret\n") || strings.Contains(string(file), fmt.Sprintf("%x", secret)) {
		t.Errorf("readable part: %s", file)
	}
}

func TestUnfinishedFilesAreNotSeen(t *testing.T) {
	s := newStore(t)
	if err := os.WriteFile(filepath.Join(s.dir, ".card-0000000000000000.key.1.new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, ".hidden.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(); len(list) != 0 || err != nil {
		t.Errorf("got %v, %v", list, err)
	}
}

// A file from elsewhere cannot make this machine derive for minutes.
func TestCostlyFilesAreRefused(t *testing.T) {
	s := newStore(t)
	info := create(t, s, Card, P256)
	path := filepath.Join(s.dir, info.fileName())
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, sealed, _ := bytes.Cut(file, []byte("\n\n"))
	plain, err := io.ReadAll(armor.NewReader(bytes.NewReader(sealed)))
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBuffer(append(head, "\n\n"...))
	w := armor.NewWriter(out)
	w.Write(bytes.Replace(plain, []byte(" 10\n"), []byte(" 30\n"), 1))
	w.Close()
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if _, _, err := again(t, s).Signer(info.ID, Card, pass); !errors.Is(err, ErrDamaged) || time.Since(start) > patience.Limit {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

// What is taken for a key file is written back byte for byte.
func FuzzParseFile(f *testing.F) {
	for _, alg := range []Alg{P256, Ed25519, Secret} {
		private := bytes.Repeat([]byte{7}, 32)
		info := Info{Use: Card, Alg: alg, Label: "label", Created: day.UTC().Truncate(time.Second)}
		if alg == Secret {
			info.Use = Epoch
		}
		if err := info.identify(private); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(info.header() + "\nsealed"))
	}
	f.Add([]byte("\n\n"))
	f.Add([]byte(magic + "\n\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		info, armored, err := parseFile(file)
		if err != nil {
			return
		}
		if got := info.header() + "\n" + string(armored); got != string(file) {
			t.Fatalf("%q is written back as %q", file, got)
		}
		if (info.Key == nil) != (info.Alg == Secret) || info.Key != nil && keyID(info.Key) != info.ID {
			t.Fatalf("%q: key and id do not fit", file)
		}
	})
}

// Without another word a key costs a guesser what age thinks right.
func TestDefaultCost(t *testing.T) {
	if testing.Short() {
		t.Skip("derives at full cost")
	}
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	info := create(t, s, Card, P256)
	file, err := os.ReadFile(filepath.Join(s.dir, info.fileName()))
	if err != nil {
		t.Fatal(err)
	}
	_, sealed, _ := bytes.Cut(file, []byte("\n\n"))
	plain, err := io.ReadAll(armor.NewReader(bytes.NewReader(sealed)))
	if err != nil || !bytes.Contains(plain, fmt.Appendf(nil, " %d\n", DefaultWorkFactor)) {
		t.Errorf("%.80q, %v", plain, err)
	}
}
