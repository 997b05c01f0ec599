package archive

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// memory is a folder in memory.
type memory map[string][]byte

func (m memory) open(path string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(m[path])), nil
}

func (m memory) create(f File) (io.WriteCloser, error) {
	return &memoryFile{m: m, path: f.Path}, nil
}

type memoryFile struct {
	bytes.Buffer
	m    memory
	path string
}

func (f *memoryFile) Close() error {
	f.m[f.path] = bytes.Clone(f.Bytes())
	return nil
}

func (m memory) read(r io.Reader) (Manifest, error) {
	return Read(r, func(Manifest) (func(File) (io.WriteCloser, error), error) { return m.create, nil }, nil)
}

func manifestOf(files memory) Manifest {
	m := Manifest{Format: Format, MadeAt: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), Schema: 2, Orgs: []Org{{"org-a", 7, "00"}}}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		sum := sha256.Sum256(files[path])
		m.Files = append(m.Files, File{path, int64(len(files[path])), hex.EncodeToString(sum[:])})
	}
	return m
}

var some = memory{"aidpass.db": bytes.Repeat([]byte("page"), 1000), "keys/a/card-1.key": []byte("sealed"), "public/a.org": nil}

func archived(t testing.TB, m Manifest, files memory) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, m, files.open, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchiveComesBackWhole(t *testing.T) {
	m := manifestOf(some)
	got := memory{}
	read, err := got.read(bytes.NewReader(archived(t, m, some)))
	if err != nil || !bytes.Equal(got["aidpass.db"], some["aidpass.db"]) || string(got["keys/a/card-1.key"]) != "sealed" || len(got) != 3 {
		t.Errorf("read %d files, %v", len(got), err)
	}
	if read.Size() != m.Size() || read.Orgs[0] != m.Orgs[0] || !read.MadeAt.Equal(m.MadeAt) {
		t.Errorf("manifest = %+v, want %+v", read, m)
	}
}

func TestArchivesThatAreNotWholeAreRefused(t *testing.T) {
	good := archived(t, manifestOf(some), some)
	for name, b := range map[string][]byte{
		"empty":                       nil,
		"of something else":           []byte("PK\x03\x04 not an archive"),
		"with bytes behind its end":   append(bytes.Clone(good), 1),
		"with much behind its end":    append(bytes.Clone(good), make([]byte, maxTail+1)...),
		"without its end":             good[:len(good)-1024-512],
		"without its last file":       good[:len(good)-1024-512-10],
		"cut in the database":         good[:3000],
		"cut in the manifest":         good[:700],
		"with another content":        bytes.Replace(good, []byte("sealed"), []byte("opened"), 1),
		"a tar without a manifest":    tarOf(t, "aidpass.db", "x"),
		"a manifest that is no JSON":  tarOf(t, manifestName, "x"),
		"a manifest of a later form":  tarOf(t, manifestName, `{"format":"aidpass-backup-2"}`),
		"a manifest with other names": tarOf(t, manifestName, `{"format":"aidpass-backup-1","more":1}`),
	} {
		if _, err := (memory{}).read(bytes.NewReader(b)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
	for name, change := range map[string]func(*Manifest){
		"no files":            func(m *Manifest) { m.Files = nil },
		"no database":         func(m *Manifest) { m.Files = m.Files[1:] },
		"a file twice":        func(m *Manifest) { m.Files = append(m.Files, m.Files[1]) },
		"in another case":     func(m *Manifest) { f := m.Files[1]; f.Path = "keys/A/card-1.key"; m.Files = append(m.Files, f) },
		"a short hash":        func(m *Manifest) { m.Files[1].SHA256 = "00" },
		"a negative size":     func(m *Manifest) { m.Files[1].Size = -1 },
		"a wrong size":        func(m *Manifest) { m.Files[1].Size++ },
		"above the folder":    func(m *Manifest) { m.Files[1].Path = "../keys/x" },
		"above, from inside":  func(m *Manifest) { m.Files[1].Path = "keys/../../x" },
		"an absolute path":    func(m *Manifest) { m.Files[1].Path = "/etc/passwd" },
		"a drive":             func(m *Manifest) { m.Files[1].Path = `keys/C:\x` },
		"a hidden file":       func(m *Manifest) { m.Files[1].Path = "keys/.profile" },
		"a published list":    func(m *Manifest) { m.Files[1].Path = "public/status/a.cwt" },
		"the outside":         func(m *Manifest) { m.Files[1].Path = "outside-backup/signing.log" },
		"a folder of its own": func(m *Manifest) { m.Files[1].Path = "bin/x" },
		"the folder itself":   func(m *Manifest) { m.Files[1].Path = "keys" },
		"nothing":             func(m *Manifest) { m.Files[1].Path = "" },
	} {
		m := manifestOf(some)
		change(&m)
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		put := func(name string, content []byte) {
			if err := writeHeader(w, name, int64(len(content)), m.MadeAt); err == nil {
				w.Write(content)
			}
		}
		put(manifestName, text)
		for _, f := range m.Files {
			put(f.Path, some[f.Path])
		}
		w.Close()
		got := memory{}
		if _, err := got.read(&b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged; read %q", name, err, slices.Sorted(maps.Keys(got)))
		}
	}
}

func tarOf(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := errors.Join(writeHeader(w, name, int64(len(content)), time.Unix(0, 0)), func() error { _, err := w.Write([]byte(content)); return err }(), w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAFileThatChangesWhileItIsCopiedIsNamed(t *testing.T) {
	m := manifestOf(some)
	other := maps.Clone(some)
	other["keys/a/card-1.key"] = []byte("SEALED")
	if err := Write(io.Discard, m, other.open, nil); err == nil || !strings.Contains(err.Error(), "keys/a/card-1.key") {
		t.Errorf("write = %v, want the file named", err)
	}
}

// FuzzArchive: whatever is read is exactly what its manifest says, in places a
// backup has; written again it reads the same.
func FuzzArchive(f *testing.F) {
	f.Add(archived(f, manifestOf(some), some))
	f.Add(tarOf(f, manifestName, `{"format":"aidpass-backup-1","files":[{"path":"aidpass.db","size":0}]}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		got := memory{}
		m, err := got.read(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("%v is not ErrDamaged", err)
			}
			return
		}
		if len(got) != len(m.Files) {
			t.Fatalf("%d files of %d", len(got), len(m.Files))
		}
		again := memory{}
		if _, err := again.read(bytes.NewReader(archived(t, m, got))); err != nil {
			t.Fatal(err)
		}
		for _, file := range m.Files {
			if !Has(file.Path) || int64(len(got[file.Path])) != file.Size || !bytes.Equal(got[file.Path], again[file.Path]) {
				t.Fatalf("file %q is not what its manifest says", file.Path)
			}
		}
	})
}
