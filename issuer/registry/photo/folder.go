package photo

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxFiles bounds a folder of photos: a few for each row that a spreadsheet has.
const maxFiles = 2_000_000

// ErrNone says that a folder has no picture for somebody. It is no fault: no card
// needs a photo.
var ErrNone = errors.New("photo: none in the folder")

// A Folder of pictures, each named by whom it shows: "K-0012.jpg". Folders within,
// links, hidden files and files of other names than pictures have are not looked at,
// so no name in a list reaches a file elsewhere. Close it after use.
type Folder struct {
	root  *os.Root
	names map[string][]string // by key: files of that name
	used  map[string]bool     // by file
}

// pictures are the endings that a listing takes. What a file is, its bytes say:
// the kinds that Prepare refuses are here so that they are refused aloud.
var pictures = []string{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}

// OpenFolder lists a folder.
func OpenFolder(dir string) (_ *Folder, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("photo: %w", err)
	}
	f := &Folder{root: root, names: map[string][]string{}, used: map[string]bool{}}
	defer func() {
		if err != nil {
			root.Close()
		}
	}()
	list, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("photo: %w", err)
	}
	defer list.Close()
	for seen := 0; ; {
		entries, err := list.ReadDir(1000)
		for _, entry := range entries {
			name := entry.Name()
			ext := filepath.Ext(name)
			if !entry.Type().IsRegular() || strings.HasPrefix(name, ".") || !slices.Contains(pictures, strings.ToLower(ext)) {
				continue
			}
			k := key(strings.TrimSuffix(name, ext))
			f.names[k] = append(f.names[k], name)
		}
		if seen += len(entries); seen > maxFiles {
			return nil, fmt.Errorf("photo: the folder has over %d files: split it", maxFiles)
		}
		if err == io.EOF {
			return f, nil
		} else if err != nil {
			return nil, fmt.Errorf("photo: %w", err)
		}
	}
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Find returns the name of the one file that is named by an id, without regard to
// case. The ids are those that somebody goes by, the best first; the first one that
// has a file counts. It returns ErrNone where none has, and a *Refusal where one
// has several.
func (f *Folder) Find(ids ...string) (string, error) {
	for _, id := range ids {
		switch files := f.names[key(id)]; {
		case id == "" || len(files) == 0:
		case len(files) > 1:
			return "", refuse(CodeSeveral, "keep one of them", "%d files have the name of one id", len(files))
		default:
			return files[0], nil
		}
	}
	return "", ErrNone
}

// Photo finds a file as Find does and prepares it. Its errors are those of Find and Prepare.
func (f *Folder) Photo(ids ...string) (Photo, error) {
	name, err := f.Find(ids...)
	if err != nil {
		return Photo{}, err
	}
	f.used[name] = true
	// It may have been replaced since it was listed; Root keeps even a link inside.
	info, err := f.root.Lstat(name)
	if err != nil {
		return Photo{}, fmt.Errorf("photo: %w", unnamed(err))
	}
	if !info.Mode().IsRegular() {
		return Photo{}, ErrNone
	}
	file, err := f.root.Open(name)
	if err != nil {
		return Photo{}, fmt.Errorf("photo: %w", unnamed(err))
	}
	defer file.Close()
	return Prepare(file)
}

// Unused returns the names of the pictures that Photo has not been asked for, in
// order: a column of ids that does not fit the names leaves all.
func (f *Folder) Unused() (names []string) {
	for _, files := range f.names {
		for _, name := range files {
			if !f.used[name] {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// Match prepares the picture in dir that is named by one of ids: a Folder for one
// look. Its errors are those of Folder.Photo.
func Match(dir string, ids ...string) (Photo, error) {
	f, err := OpenFolder(dir)
	if err != nil {
		return Photo{}, err
	}
	defer f.Close()
	return f.Photo(ids...)
}

// key is what names and ids are compared by.
func key(name string) string {
	return cases.Fold().String(norm.NFC.String(strings.TrimSpace(name)))
}

// unnamed takes the file's name, which may be a person's, out of an error.
func unnamed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
