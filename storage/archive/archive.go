// Package archive reads and writes what is inside a backup: a tar whose first file
// says what the others are. It seals nothing, and proves only that all of it is
// as it was written; see storage.DB.Backup and storage.Restore.
package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// An archive is the manifest, then the files it names, in its order and with
// nothing between or behind. A backup is that, sealed by age: who has lost this
// program gets at all of it with age and tar.
//
//	manifest.json
//	aidpass.db        a compact copy of the database, of one moment
//	keys/...          key files, each sealed by its own passphrase
//	public/...        entries and trust lists
//
// Not in it: outside-backup/, which must not go back in time, duplicates/, which is made anew, and public/status/,
// since lists that are published anew are newer than those of the backup, which
// would look like the newest that were ever published.
const (
	// Format is what a manifest of this form says of itself.
	Format = "aidpass-backup-1"
	// Database is the path of the database.
	Database = "aidpass.db"

	manifestName = "manifest.json"
	maxManifest  = 16 << 20 // bytes
	maxFiles     = 100_000
)

// Folders are the folders beside the database that a backup has.
var Folders = [...]string{"keys", "public"}

// LeftOut is the one folder of those that it has not.
const LeftOut = "public/status"

// ErrDamaged: the file is no backup, or not as it was written.
var ErrDamaged = errors.New("not a whole backup of aidpass")

// A Manifest says what is in a backup.
type Manifest struct {
	Format string    `json:"format"`
	MadeAt time.Time `json:"made_at"`
	Schema int       `json:"schema"` // newest migration
	Orgs   []Org     `json:"organisations"`
	Files  []File    `json:"files"`
}

// An Org is an organisation of the database, and how far its audit log had come.
type Org struct {
	ID        string `json:"id"`
	AuditSeq  uint64 `json:"audit_seq"`
	AuditHash string `json:"audit_hash"` // hex
}

// A File is one file of a backup.
type File struct {
	Path   string `json:"path"` // with slashes
	Size   int64  `json:"size"` // bytes
	SHA256 string `json:"sha256"`
}

// Size is the sum of the files, in bytes.
func (m Manifest) Size() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

func parseManifest(b []byte) (m Manifest, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: its manifest: %w", ErrDamaged, err)
	}
	if m.Format != Format {
		return m, fmt.Errorf("%w: its form is %q, and this program reads %q", ErrDamaged, m.Format, Format)
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles || m.Files[0].Path != Database {
		return m, fmt.Errorf("%w: its manifest names %d files and does not begin with the database", ErrDamaged, len(m.Files))
	}
	seen := map[string]bool{}
	for _, f := range m.Files {
		sum, err := hex.DecodeString(f.SHA256)
		if !Has(f.Path) || seen[strings.ToLower(f.Path)] || f.Size < 0 || err != nil || len(sum) != sha256.Size {
			return m, fmt.Errorf("%w: its manifest names %q, which is no file of a backup", ErrDamaged, f.Path)
		}
		seen[strings.ToLower(f.Path)] = true
	}
	return m, nil
}

// Has reports whether a path may be in a backup: the database, or a plain
// file in one of its folders.
func Has(p string) bool {
	if p == Database {
		return true
	}
	if path.Clean(p) != p || !filepath.IsLocal(filepath.FromSlash(p)) || strings.ContainsAny(p, "\\:\x00") || len(p) > 1000 {
		return false
	}
	if p == LeftOut || strings.HasPrefix(p, LeftOut+"/") {
		return false
	}
	for _, part := range strings.Split(p, "/") {
		if part[0] == '.' {
			return false
		}
	}
	for _, folder := range Folders {
		if strings.HasPrefix(p, folder+"/") {
			return true
		}
	}
	return false
}

// Write writes the tar of a manifest. open gives the files it names; one
// that has changed since is an error.
func Write(w io.Writer, m Manifest, open func(path string) (io.ReadCloser, error), progress func(done, total int64)) error {
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	if err := writeHeader(t, manifestName, int64(len(text)), m.MadeAt); err != nil {
		return err
	}
	if _, err := t.Write(text); err != nil {
		return err
	}
	c := counter{total: m.Size(), tell: progress}
	for _, f := range m.Files {
		if err := writeHeader(t, f.Path, f.Size, m.MadeAt); err != nil {
			return err
		}
		if err := writeFile(io.MultiWriter(t, &c), f, open); err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	return t.Close()
}

func writeHeader(t *tar.Writer, name string, size int64, at time.Time) error {
	return t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: at.UTC().Truncate(time.Second)})
}

func writeFile(w io.Writer, f File, open func(path string) (io.ReadCloser, error)) error {
	r, err := open(f.Path)
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w, sum), r, f.Size); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errors.New("the file was changed while it was copied: make the backup again")
	}
	return nil
}

// Read reads the tar of a backup to its end. begin is given the manifest
// and says where each file goes; what it gets was not proved yet: only when
// Read returns without an error is all of it what the manifest says.
// Files of other names, sizes or content, and bytes behind them, are ErrDamaged.
func Read(r io.Reader, begin func(Manifest) (create func(File) (io.WriteCloser, error), err error), progress func(done, total int64)) (m Manifest, err error) {
	t := tar.NewReader(r)
	head, err := nextFile(t, manifestName)
	if err != nil {
		return m, err
	}
	if head.Size > maxManifest {
		return m, fmt.Errorf("%w: a manifest of %d bytes", ErrDamaged, head.Size)
	}
	text, err := io.ReadAll(t)
	if err != nil {
		return m, damaged(err)
	}
	if m, err = parseManifest(text); err != nil {
		return m, err
	}
	create, err := begin(m)
	if err != nil {
		return m, err
	}
	c := counter{total: m.Size(), tell: progress}
	for _, f := range m.Files {
		if head, err = nextFile(t, f.Path); err != nil {
			return m, err
		}
		if head.Size != f.Size {
			return m, fmt.Errorf("%w: %s has %d bytes, and its manifest says %d", ErrDamaged, f.Path, head.Size, f.Size)
		}
		if err := readFile(t, f, create, &c); err != nil {
			return m, err
		}
	}
	if _, err = t.Next(); err == nil {
		return m, fmt.Errorf("%w: a file its manifest does not name", ErrDamaged)
	} else if err != io.EOF {
		return m, damaged(err)
	}
	// The archive ends in zeros; the seal of the whole is proved by its last byte.
	if rest, err := io.ReadAll(io.LimitReader(r, maxTail+1)); err != nil {
		return m, damaged(err)
	} else if len(rest) > maxTail || len(bytes.Trim(rest, "\x00")) > 0 {
		return m, fmt.Errorf("%w: bytes behind its end", ErrDamaged)
	}
	return m, nil
}

// maxTail is more than a tar's last blocks have.
const maxTail = 64 << 10

func nextFile(t *tar.Reader, name string) (*tar.Header, error) {
	head, err := t.Next()
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("%w: it ends before %s", ErrDamaged, name)
	case err != nil:
		return nil, damaged(err)
	case head.Typeflag != tar.TypeReg || head.Name != name || head.Size < 0:
		return nil, fmt.Errorf("%w: another file stands where %s should", ErrDamaged, name)
	}
	return head, nil
}

func readFile(t *tar.Reader, f File, create func(File) (io.WriteCloser, error), c *counter) error {
	w, err := create(f)
	if err != nil {
		return err
	}
	sum := sha256.New()
	in := &source{r: t}
	n, err := io.Copy(io.MultiWriter(w, sum, c), in)
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	switch {
	case in.err != nil:
		return damaged(in.err)
	case err != nil:
		return err // of the disk here
	case n != f.Size || hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return fmt.Errorf("%w: %s is not what its manifest says", ErrDamaged, f.Path)
	}
	return nil
}

// damaged is an error of reading a backup, as opposed to one of writing it here.
func damaged(err error) error { return fmt.Errorf("%w: it is cut off or altered: %w", ErrDamaged, err) }

// source remembers which side of a copy failed.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// counter tells how many bytes have gone through.
type counter struct {
	done, total int64
	tell        func(done, total int64)
}

func (c *counter) Write(p []byte) (int, error) {
	c.done += int64(len(p))
	if c.tell != nil {
		c.tell(c.done, c.total)
	}
	return len(p), nil
}

// Sum hashes a file for its manifest.
func Sum(r io.Reader) (size int64, sum string, err error) {
	var h hash.Hash = sha256.New()
	size, err = io.Copy(h, r)
	return size, hex.EncodeToString(h.Sum(nil)), err
}
