// Command build makes web/console/dist, the console's script, and web/scanner/dist and
// web/wallet/dist, the apps as files that any
// server can hand out: the bundled scripts, the two WebAssembly binaries, one catalogue
// a language, for the scanner a demo pack for practice, and a service worker that knows
// the hash of each of them. scripts/web.sh runs it; nothing of node is needed.
//
//	go run ./web/build WASM_EXEC.JS FOLDER, where FOLDER holds scanner.wasm and wallet.wasm
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"aidpass/schemas"
	"aidpass/words"
)

// maxFirstLoad is what a phone may have to fetch before it works with no network,
// in bytes after gzip -9.
const maxFirstLoad = 2_200_000

const (
	common  = "web/common"
	modules = "web/npm/node_modules"
)

// app is one of the apps: what it is called, and what of the common words it says.
type app struct {
	name   string
	styles []string // sheets, joined into one
	words  []string // beginnings of the keys that it says; none: all that are no other app's
	door   string   // the function that its core puts on the page
	reader string   // the worker that finds codes
	zxing  bool     // which takes zxing's binary with it
	demo   bool     // there is something to practise with
}

var apps = []app{
	{name: "scanner", styles: []string{common + "/look.css"}, door: "aidpass", reader: "reader.worker.ts", zxing: true, demo: true},
	{name: "wallet", styles: []string{common + "/look.css", "web/wallet/app.css"}, door: "aidpassWallet", reader: "plain.worker.ts",
		words: []string{"wallet.", "common.", "camera.", "scan.", "ready.keeping", "ready.language", "verdict.details"}},
}

func (a *app) source() string { return "web/" + a.name }
func (a *app) dist() string   { return a.source() + "/dist" }

// says reports whether the app has the words of a key of the screens.
func (a *app) says(key string) bool {
	if len(a.words) == 0 {
		return !strings.HasPrefix(key, "wallet.")
	}
	return slices.ContainsFunc(a.words, func(p string) bool { return strings.HasPrefix(key, p) })
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "web: usage: go run ./web/build WASM_EXEC.JS FOLDER")
		os.Exit(2)
	}
	for i := range apps {
		if err := apps[i].build(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "web:", err)
			os.Exit(1)
		}
	}
	if err := desk(); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

// desk bundles the console's script. Its pages are the server's, so there is nothing else to it.
func desk() error {
	content, err := bundle("web/console/src/main.ts", api.FormatIIFE, map[string]string{}, "wasm_exec.js")
	if err != nil {
		return err
	}
	return os.WriteFile("web/console/dist/desk.js", content, 0o644)
}

// files is an app: content by path below dist.
type files map[string][]byte

func (a *app) build(wasmExec, folder string) error {
	out := files{}
	parts := map[string]string{
		"index.html": a.source() + "/index.html", "icon.svg": a.source() + "/icon.svg", "app.webmanifest": a.source() + "/app.webmanifest",
		a.name + ".wasm": filepath.Join(folder, a.name+".wasm"),
	}
	if a.zxing {
		parts["zxing_reader.wasm"] = modules + "/zxing-wasm/dist/reader/zxing_reader.wasm"
	}
	for to, from := range parts {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		out[to] = content
	}
	for _, sheet := range a.styles {
		content, err := os.ReadFile(sheet)
		if err != nil {
			return err
		}
		out["app.css"] = append(out["app.css"], content...)
	}
	languages, err := a.catalogues(out)
	if err != nil {
		return err
	}
	if a.demo {
		if out["demo.json"], err = demo(); err != nil {
			return err
		}
	}
	if err := a.bundle(out, wasmExec, languages); err != nil {
		return err
	}
	if out["LICENCES.txt"], err = licences(); err != nil {
		return err
	}
	if err := a.worker(out); err != nil {
		return err
	}
	return a.write(out)
}

// catalogues joins the screens' words with the verdict words, one file a language,
// and returns the list of languages as the app takes it.
func (a *app) catalogues(out files) (string, error) {
	type language struct {
		Tag  string `json:"tag"`
		Name string `json:"name"`
	}
	var list []language
	for _, tag := range words.Tags() {
		c, _ := words.Language(tag)
		texts := map[string]string{}
		for _, key := range c.Keys() {
			if family, _, _ := strings.Cut(key, "."); slices.Contains([]string{"word", "todo", "sentence", "age", "check"}, family) {
				texts[key] = c.Text(key)
			}
		}
		raw, err := os.ReadFile("web/i18n/" + tag + ".json")
		if err != nil {
			return "", err
		}
		var own map[string]string
		if err := json.Unmarshal(raw, &own); err != nil {
			return "", fmt.Errorf("web/i18n/%s.json: %w", tag, err)
		}
		for key, text := range own {
			if !a.says(key) {
				continue
			}
			if _, twice := texts[key]; twice {
				return "", fmt.Errorf("web/i18n/%s.json: %q belongs to words/lang", tag, key)
			}
			texts[key] = text
		}
		if title := own[a.name+".app_title"]; title != "" {
			texts["app.title"] = title
		}
		labels(texts, tag)
		known, folder := clipWords, "web/i18n/audio"
		if len(a.words) > 0 { // each sentence that it says, under its key
			known, folder = slices.Sorted(maps.Keys(texts)), folder+"/"+a.name
		}
		audio, err := clips(out, folder, tag, known)
		if err != nil {
			return "", err
		}
		content, err := json.Marshal(map[string]any{"tag": c.Tag(), "name": c.Name(), "rtl": c.RTL(), "texts": texts, "audio": audio})
		if err != nil {
			return "", err
		}
		out["lang/"+tag+".json"] = content
		list = append(list, language{c.Tag(), c.Name()})
	}
	content, err := json.Marshal(list)
	return string(content), err
}

// labels adds the names of the embedded types, their claims and values, which the
// browser core does not carry: "type.NAME", "type.NAME.CLAIM", "type.NAME.CLAIM=VALUE".
func labels(texts map[string]string, tag string) {
	for _, t := range schemas.Embedded() {
		texts["type."+t.Name] = t.Label(tag)
		for i := range t.Claims {
			c := &t.Claims[i]
			key := "type." + t.Name + "." + c.Name
			texts[key] = c.Label(tag)
			for _, value := range c.Values {
				texts[key+"="+value] = c.ValueLabel(tag, value)
			}
		}
	}
}

// maxClip is the longest recording of a word, in bytes: some seconds of speech.
const maxClip = 64 << 10

// clipWords are the words that a verdict can be, and so those that the scanner speaks.
var clipWords = []string{string(words.Give), string(words.GiveRest), string(words.KnownPerson), string(words.AlreadyCollected), string(words.NotToday), string(words.HelpDesk)}

// clips takes folder/TAG/WORD.webm (or m4a, ogg, mp3), as a phone recorded them, where
// there are any; WORD is one of known. A file that no screen would play is an error that says so.
func clips(out files, folder, tag string, known []string) (map[string]string, error) {
	audio := map[string]string{}
	found, err := os.ReadDir(filepath.Join(folder, tag))
	if errors.Is(err, fs.ErrNotExist) {
		return audio, nil
	}
	for _, entry := range found {
		name := entry.Name()
		path := filepath.Join(folder, tag, name)
		ext := filepath.Ext(name)
		word := strings.TrimSuffix(name, ext)
		switch {
		case !slices.Contains([]string{".webm", ".m4a", ".ogg", ".mp3"}, ext):
			return nil, fmt.Errorf("%s: a recording ends in .webm, .m4a, .ogg or .mp3", path)
		case !slices.Contains(known, word):
			return nil, fmt.Errorf("%s: %q is no word that is spoken: one of %.200q", path, word, known)
		case audio[word] != "":
			return nil, fmt.Errorf("%s: %s is recorded already, in %s", path, word, filepath.Base(audio[word]))
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if len(content) == 0 || len(content) > maxClip {
			return nil, fmt.Errorf("%s: %d bytes; a word has 1 to %d: record it shorter, or at 32 kbit/s", path, len(content), maxClip)
		}
		audio[word] = "audio/" + tag + "/" + name
		out[audio[word]] = content
	}
	return audio, err
}

func (a *app) bundle(out files, wasmExec, languages string) error {
	for _, b := range []struct {
		from, to string
		format   api.Format
	}{
		{a.source() + "/src/main.ts", "app.js", api.FormatESModule}, {common + "/core.worker.ts", "core.js", api.FormatIIFE}, {common + "/" + a.reader, "reader.js", api.FormatIIFE},
	} {
		content, err := bundle(b.from, b.format, map[string]string{"LANGUAGES": languages, "APP": `"` + a.name + `"`, "DOOR": `"` + a.door + `"`}, wasmExec)
		if err != nil {
			return err
		}
		out[b.to] = content
	}
	return nil
}

func bundle(from string, format api.Format, define map[string]string, wasmExec string) ([]byte, error) {
	shared, err := filepath.Abs(common)
	if err != nil {
		return nil, err
	}
	exec, err := filepath.Abs(wasmExec)
	if err != nil {
		return nil, err
	}
	node, err := filepath.Abs(modules)
	if err != nil {
		return nil, err
	}
	// import.meta.url tells zxing-wasm where its binary would be; the app says that itself.
	define["import.meta.url"] = `""`
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{from}, Bundle: true, Outfile: "out.js", Format: format, Target: api.ES2020,
		MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true, LegalComments: api.LegalCommentsNone,
		Define: define, Alias: map[string]string{"wasm_exec": exec, "common": shared}, NodePaths: []string{node}, LogLevel: api.LogLevelWarning,
		TsconfigRaw: `{"compilerOptions":{"target":"es2020"}}`, // paths of the real one serve the type checker
	})
	if len(r.Errors) > 0 {
		return nil, fmt.Errorf("%s does not bundle", from)
	}
	return r.OutputFiles[0].Contents, nil
}

// licences gathers what the packages inside the bundles ask to travel with them.
func licences() ([]byte, error) {
	var b bytes.Buffer
	for _, name := range []string{"zxing-wasm/LICENSE", "qr/LICENSE", "qr/LICENSE-MIT"} {
		text, err := os.ReadFile(filepath.Join(modules, name))
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "== %s\n\n%s\n", name, text)
	}
	return b.Bytes(), nil
}

// worker bundles the service worker with the hash of everything else.
func (a *app) worker(out files) error {
	var list [][2]string
	whole := sha256.New()
	// A worker that fails to install drops the cache of its build: it must not be that of
	// the one in use, from which only the worker itself differs.
	own, err := os.ReadFile(common + "/sw.ts")
	if err != nil {
		return err
	}
	whole.Write(own)
	for _, path := range out.paths() {
		digest := sha256.Sum256(out[path])
		list = append(list, [2]string{path, hex.EncodeToString(digest[:])})
		fmt.Fprintf(whole, "%s %x\n", path, digest)
	}
	manifest, err := json.Marshal(list)
	if err != nil {
		return err
	}
	id := hex.EncodeToString(whole.Sum(nil)[:8])
	content, err := bundle(common+"/sw.ts", api.FormatIIFE, map[string]string{"FILES": string(manifest), "BUILD": `"` + id + `"`, "APP": `"` + a.name + `"`}, "wasm_exec.js")
	out["sw.js"] = content
	return err
}

func (out files) paths() []string {
	var paths []string
	for path := range out {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// write replaces the app's dist, all but its README, and says how large the first load is.
func (a *app) write(out files) error {
	dist := a.dist()
	old, err := filepath.Glob(dist + "/*")
	if err != nil {
		return err
	}
	for _, path := range old {
		if filepath.Base(path) != "README.md" {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	total := 0
	for _, path := range out.paths() {
		to := filepath.Join(dist, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, out[path], 0o644); err != nil {
			return err
		}
		packed, err := compressed(out[path])
		if err != nil {
			return err
		}
		total += packed
		if packed > 20_000 {
			fmt.Printf("web: %-20s %9d bytes gzip\n", path, packed)
		}
	}
	fmt.Printf("web: first load of the %s: %d bytes gzip in %d files, limit %d\n", a.name, total, len(out), maxFirstLoad)
	if total > maxFirstLoad {
		return fmt.Errorf("the %s is too large: a phone on a weak network fetches it first", a.name)
	}
	return nil
}

func compressed(content []byte) (int, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := z.Write(content); err != nil {
		return 0, err
	}
	err = z.Close() // writes what is left
	return b.Len(), err
}
