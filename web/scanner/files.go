package scanner

import "io/fs"

// Files returns the app's files for a server that sends them, index.html at the
// root; ErrNotBuilt where there is no app.
func Files() (fs.FS, error) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return nil, ErrNotBuilt
	}
	return files, nil
}
