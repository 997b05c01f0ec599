package keystore

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"filippo.io/age"
	"filippo.io/age/armor"

	"aidpass/internal/cose"
)

// A key file, named <use>-<id>.key, mode 0600:
//
//	aidpass key 1
//	use: card
//	alg: P-256                        P-256, Ed25519 or secret
//	id: 496bd8afadf307e5
//	public: a4010220012158...         COSE_Key in hex; "none" for a secret
//	created: 2026-11-21T20:00:00Z
//	label: main card key
//	                                  an empty line
//	-----BEGIN AGE ENCRYPTED FILE-----
//	...
//
// The age file holds these lines once more, without the empty one, and then
//
//	private: 6c1382765aec5358...      scalar, seed or secret: 32 bytes in hex
//
// so that nobody can give a key another use, label or public half without the
// passphrase, and the age program shows all there is to know.
const (
	magic     = "aidpass key 1"
	extension = ".key"
	// maxFile is more than the longest header and sealed part together.
	maxFile  = 16 << 10
	maxLabel = 100 // bytes
	idSize   = 8
)

func (i *Info) fileName() string { return string(i.Use) + "-" + i.ID + extension }

// header is the readable part, up to the empty line.
func (i *Info) header() string {
	public := "none"
	if i.Key != nil {
		public = hex.EncodeToString(i.Key.Append(nil))
	}
	return magic +
		"\nuse: " + string(i.Use) +
		"\nalg: " + string(i.Alg) +
		"\nid: " + i.ID +
		"\npublic: " + public +
		"\ncreated: " + i.Created.Format(time.RFC3339) +
		"\nlabel: " + i.Label + "\n"
}

// parseFile splits a key file into what it says of its key and the armored age
// file. It takes only what header would write, so there is one file for one key.
func parseFile(file []byte) (Info, []byte, error) {
	head, armored, ok := bytes.Cut(file, []byte("\n\n"))
	if !ok {
		return Info{}, nil, errors.New("it does not start like a key file")
	}
	lines := strings.Split(string(head), "\n")
	names := []string{"use: ", "alg: ", "id: ", "public: ", "created: ", "label: "}
	if lines[0] != magic || len(lines) != 1+len(names) {
		return Info{}, nil, errors.New("it does not start like a key file of version 1")
	}
	values := make([]string, len(names))
	for i, name := range names {
		if values[i], ok = strings.CutPrefix(lines[i+1], name); !ok {
			return Info{}, nil, fmt.Errorf("line %d is not %q", i+2, strings.TrimSpace(name))
		}
	}
	created, err := time.Parse(time.RFC3339, values[4])
	if err != nil {
		return Info{}, nil, errors.New("its date is none")
	}
	info := Info{Use: Use(values[0]), Alg: Alg(values[1]), ID: values[2], Created: created.UTC(), Label: values[5]}
	if !slices.Contains(info.Use.Algs(), info.Alg) {
		return Info{}, nil, fmt.Errorf("no key for %q is %q", info.Use, info.Alg)
	}
	if err := info.setPublic(values[3]); err != nil {
		return Info{}, nil, err
	}
	if id, err := hex.DecodeString(info.ID); err != nil || len(id) != idSize {
		return Info{}, nil, errors.New("its key id is none")
	}
	if checkLabel(info.Label) != nil || info.header() != string(head)+"\n" {
		return Info{}, nil, errors.New("its first lines are not as they were written")
	}
	return info, armored, nil
}

func (i *Info) setPublic(text string) error {
	if i.Alg == Secret {
		return nil // header() tells whether text is "none"
	}
	b, err := hex.DecodeString(text)
	if err == nil {
		i.Key, err = cose.ParseKey(b)
	}
	switch {
	case err != nil:
		return errors.New("its public key is none")
	case (i.Key.Alg() == cose.ES256) != (i.Alg == P256) || keyID(i.Key) != i.ID:
		return errors.New("its public key is another one")
	}
	return nil
}

func keyID(k *cose.Key) string {
	id := k.ID()
	return hex.EncodeToString(id[:])
}

func checkLabel(label string) error {
	if len(label) > maxLabel || !utf8.ValidString(label) || strings.TrimSpace(label) != label {
		return fmt.Errorf("keystore: a label has at most %d bytes and no space at its ends", maxLabel)
	}
	for _, r := range label {
		if !unicode.IsPrint(r) {
			return errors.New("keystore: a label is printable characters in one line")
		}
	}
	return nil
}

// read returns the key at path, the whole file and its armored part. With named
// the file must bear the name its key has in a store.
func read(path string, named bool) (info Info, file, armored []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, nil, nil, fmt.Errorf("keystore: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return Info{}, nil, nil, fmt.Errorf("keystore: %w", err)
	}
	if !fi.Mode().IsRegular() {
		return Info{}, nil, nil, fmt.Errorf("%w: %s is not a file", ErrDamaged, path)
	}
	// Windows has no such permissions; its folders inherit those of the profile.
	if perm := fi.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return Info{}, nil, nil, fmt.Errorf("%w: %s has mode %#o; run: chmod 600 %[2]s", ErrPermissions, path, perm)
	}
	file, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Info{}, nil, nil, fmt.Errorf("keystore: %w", err)
	}
	if len(file) > maxFile {
		err = fmt.Errorf("it is over %d bytes long", maxFile)
	} else {
		info, armored, err = parseFile(file)
	}
	if err == nil && named && info.fileName() != filepath.Base(path) {
		err = fmt.Errorf("it holds %s", info.fileName())
	}
	if err != nil {
		return Info{}, nil, nil, damaged(path, err.Error())
	}
	return info, file, armored, nil
}

func damaged(path, why string) error {
	return fmt.Errorf("%w: %s: %s; take it again from the copy kept elsewhere", ErrDamaged, path, why)
}

// seal builds a key file.
func seal(info Info, private, passphrase []byte, workFactor int) ([]byte, error) {
	if workFactor < 1 || workFactor > 30 {
		return nil, fmt.Errorf("keystore: work factor %d is not from 1 to 30", workFactor)
	}
	recipient, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	recipient.SetWorkFactor(workFactor)
	header := info.header()
	file := bytes.NewBufferString(header + "\n")
	lines := armor.NewWriter(file)
	sealed, err := age.Encrypt(lines, recipient)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	_, err = io.WriteString(sealed, header+privateLine(private))
	if err := errors.Join(err, sealed.Close(), lines.Close()); err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return file.Bytes(), nil
}

func privateLine(private []byte) string { return "private: " + hex.EncodeToString(private) + "\n" }

// unsealFile returns the 32 private bytes of the key file at path, of which
// parseFile made info and armored.
func unsealFile(path string, info Info, armored, passphrase []byte, maxWorkFactor int) ([]byte, error) {
	identity, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("%w: it is empty", ErrPassphrase)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	plain, err := age.Decrypt(armor.NewReader(bytes.NewReader(armored)), identity)
	var noMatch *age.NoIdentityMatchError
	switch {
	case errors.As(err, &noMatch) || errors.Is(err, age.ErrIncorrectIdentity):
		return nil, fmt.Errorf("%w for %s; the key cannot be opened without it", ErrPassphrase, path)
	case err != nil:
		return nil, damaged(path, err.Error())
	}
	text, err := io.ReadAll(io.LimitReader(plain, maxFile))
	if err != nil {
		return nil, damaged(path, err.Error())
	}
	rest, ok := strings.CutPrefix(string(text), info.header())
	if !ok {
		return nil, damaged(path, "its first lines were changed after it was sealed")
	}
	rest = strings.TrimSuffix(strings.TrimPrefix(rest, "private: "), "\n")
	private, err := hex.DecodeString(rest)
	if err != nil || info.header()+privateLine(private) != string(text) {
		return nil, damaged(path, "it holds no private key")
	}
	proven := info
	if err := proven.identify(private); err != nil || proven.header() != info.header() {
		return nil, damaged(path, "its private key belongs to another public key")
	}
	return private, nil
}
