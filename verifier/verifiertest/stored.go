//go:build !js

package verifiertest

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"aidpass/credential"
	"aidpass/verifier"
	"aidpass/words"
)

// The cases are kept as files, so that a build of next year, or of another
// language, is asked what this one answered. One JSON file lists them; what they
// are judged by (packs, states, journals, challenges) stands beside it in a
// folder of its name, each file once and called by the first 16 hex digits of
// its SHA-256.

// vectorFile is the JSON file.
type vectorFile struct {
	About string `json:"about"`
	// DeviceKey and Code open sealed parts where a case says unlock: the P-256
	// private scalar of the enrolled device and the operator's code.
	DeviceKey []byte   `json:"device_key"`
	Code      string   `json:"code"`
	Cases     []vector `json:"cases"`
}

type vector struct {
	Name      string   `json:"name"`
	Text      string   `json:"text"`
	At        string   `json:"at"` // RFC 3339
	Pack      string   `json:"pack,omitempty"`
	State     string   `json:"state,omitempty"`
	Journals  []string `json:"journals,omitempty"`
	Challenge string   `json:"challenge,omitempty"`
	Unlock    bool     `json:"unlock,omitempty"`
	PIN       string   `json:"pin,omitempty"`
	Audience  string   `json:"audience,omitempty"` // what a holder was asked to sign
	Nonce     string   `json:"nonce,omitempty"`

	// What every build answers: reasons are all findings, the leading one first.
	Answer  words.Answer   `json:"answer"`
	Reason  words.Reason   `json:"reason"`
	Reasons []words.Reason `json:"reasons"`
	Word    words.Word     `json:"word"`
	Exit    int            `json:"exit"`
	Known   bool           `json:"known,omitempty"` // tells only who somebody is
}

const about = "Texts of QR codes, what they are judged by, and the answer every build of aidpass gives. " +
	"Files named here lie in the folder of this file's name; times are RFC 3339, bytes base64."

// Save adds the cases whose names the JSON file at path does not have yet to it and to
// its folder. What is there stays, byte for byte: what earlier builds wrote is what
// later ones are asked. It refuses a case that this build does not answer as the case
// wants.
func (w *World) Save(path string, cases []Case) error {
	folder := folderOf(path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	keep := func(b []byte) (string, error) {
		if b == nil {
			return "", nil
		}
		sum := sha256.Sum256(b)
		name := hex.EncodeToString(sum[:8])
		return name, os.WriteFile(filepath.Join(folder, name), b, 0o644)
	}
	scalar, err := w.Device.Signer.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		return err
	}
	out := vectorFile{About: about, DeviceKey: scalar, Code: string(w.Code)}
	if before, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(before, &out); err != nil {
			return fmt.Errorf("verifiertest: %s: %w", path, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	stored := map[string]bool{}
	for i := range out.Cases {
		stored[out.Cases[i].Name] = true
	}
	for i := range cases {
		c := &cases[i]
		if stored[c.Name] {
			continue
		}
		r := w.Judge(c)
		if err := c.Check(&r); err != nil {
			return err
		}
		if !utf8.ValidString(c.Text) {
			return fmt.Errorf("verifiertest: case %q: JSON cannot hold its text", c.Name)
		}
		row := c.Row()
		s := vector{Name: c.Name, Text: c.Text, At: c.At.String(), Unlock: c.Unlock, PIN: c.PIN, Audience: c.Audience, Nonce: c.Nonce, Known: c.Known,
			Answer: r.Answer, Reason: r.Reason, Reasons: r.Reasons(), Word: r.Word, Exit: row.Exit}
		for _, file := range []struct {
			name *string
			b    []byte
		}{{&s.Pack, c.Pack}, {&s.State, c.State}, {&s.Challenge, c.Challenge}} {
			if *file.name, err = keep(file.b); err != nil {
				return err
			}
		}
		for _, j := range c.Journals {
			name, err := keep(j)
			if err != nil {
				return err
			}
			s.Journals = append(s.Journals, name)
		}
		out.Cases = append(out.Cases, s)
	}
	b, err := json.MarshalIndent(&out, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

func folderOf(path string) string { return path[:len(path)-len(filepath.Ext(path))] }

// Load reads the cases that Save wrote. Their unlock and PIN are for the device
// and code of any World: those do not change.
func Load(path string) ([]Case, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var in vectorFile
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("verifiertest: %s: %w", path, err)
	}
	files := map[string][]byte{"": nil}
	read := func(name string) []byte {
		if _, ok := files[name]; !ok {
			content, e := os.ReadFile(filepath.Join(folderOf(path), filepath.Base(name)))
			err = errors.Join(err, e)
			files[name] = content
		}
		return files[name]
	}
	cases := make([]Case, 0, len(in.Cases))
	for _, s := range in.Cases {
		at, e := credential.ParseTime(s.At)
		err = errors.Join(err, e)
		c := Case{Name: s.Name, Text: s.Text, At: at, Pack: read(s.Pack), State: read(s.State), Challenge: read(s.Challenge),
			Unlock: s.Unlock, PIN: s.PIN, Audience: s.Audience, Nonce: s.Nonce, Want: s.Reason, Known: s.Known}
		for _, j := range s.Journals {
			c.Journals = append(c.Journals, read(j))
		}
		if len(s.Reasons) == 0 || s.Reasons[0] != s.Reason {
			err = errors.Join(err, fmt.Errorf("verifiertest: case %q: reasons do not start with the reason", s.Name))
			continue
		}
		c.Also = s.Reasons[1:]
		if row := c.Row(); row.Answer != s.Answer || row.Word != s.Word || row.Exit != s.Exit {
			err = errors.Join(err, fmt.Errorf("verifiertest: case %q: the table of words now says %s, %s, exit %d for %s",
				s.Name, row.Answer, row.Word, row.Exit, s.Reason))
		}
		cases = append(cases, c)
	}
	return cases, err
}

// Check returns what is wrong with a result of c, nil if it is what c wants.
func (c *Case) Check(r *verifier.Result) error {
	row, reasons := c.Row(), r.Reasons()
	if r.Answer != row.Answer || r.Reason != c.Want || r.Word != row.Word {
		return fmt.Errorf("verifiertest: case %q: got %s %s %s %v (%w), want %s %s %s",
			c.Name, r.Answer, r.Reason, r.Word, reasons, r.Err, row.Answer, c.Want, row.Word)
	}
	if len(reasons) != 1+len(c.Also) {
		return fmt.Errorf("verifiertest: case %q: reasons %v, want %s and %v", c.Name, reasons, c.Want, c.Also)
	}
	for _, also := range c.Also {
		if !slices.Contains(reasons, also) {
			return fmt.Errorf("verifiertest: case %q: reasons %v lack %s", c.Name, reasons, also)
		}
	}
	if row.Facts == words.NoFacts && r.Claims() != nil {
		return fmt.Errorf("verifiertest: case %q: claims are shown with %s, with which nothing may be", c.Name, r.Reason)
	}
	return nil
}
