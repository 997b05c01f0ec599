package console

import (
	"embed"
	"io/fs"
	"path"

	"aidpass/web/api"
)

// The style is written by hand. The script, of which nothing depends but passkeys and
// progress without reloading, is bundled from src by web/build into dist.
//
//go:embed desk.css dist
var ownFiles embed.FS

// ownRoot is where they stand.
const ownRoot = Root + "/own/"

func readOwn() (map[string]*api.Document, error) {
	own := map[string]*api.Document{}
	for _, name := range []string{"desk.css", "dist/desk.js"} {
		body, err := fs.ReadFile(ownFiles, name)
		if err != nil {
			continue // a program that was built without the script: every page works
		}
		own[ownRoot+path.Base(name)] = api.NewDocument(api.MediaType(path.Ext(name)), body)
	}
	return own, nil
}

// Script reports whether this program was built with the script.
func (p *Page) Script() bool { return p.console.own[ownRoot+"desk.js"] != nil }
