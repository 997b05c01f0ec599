// Package wallet holds the wallet app: an offline web page in which a person keeps her
// cards, shows them, and shares of them only what she agrees to.
//
// The app is TypeScript in src, bundled by web/build into dist, which is embedded
// when the program is built. It asks for no other host, and its pages run under a
// content security policy; package api sends its files and says the policy.
package wallet

import (
	"embed"
	"errors"
	"io/fs"
)

// ErrNotBuilt: the program was built without the app.
var ErrNotBuilt = errors.New("wallet: this program was built without the wallet app: run make web, then make build")

//go:embed dist
var dist embed.FS

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
