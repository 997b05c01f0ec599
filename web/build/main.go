// Command build makes web/scanner/dist, the scanner app as files that any server can
// hand out: the bundled scripts, the two WebAssembly binaries, one catalogue a
// language, a demo pack for practice, and a service worker that knows the hash of
// each of them. scripts/web.sh runs it; nothing of node is needed.
//
//	go run ./web/build WASM_EXEC.JS SCANNER.WASM
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
	source  = "web/scanner"
	dist    = "web/scanner/dist"
	modules = "web/npm/node_modules"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "web: usage: go run ./web/build WASM_EXEC.JS SCANNER.WASM")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

// files is the app: content by path below dist.
type files map[string][]byte

func build(wasmExec, wasm string) error {
	out := files{}
	for to, from := range map[string]string{
		"index.html": source + "/index.html", "app.css": source + "/app.css", "icon.svg": source + "/icon.svg",
		"app.webmanifest": source + "/app.webmanifest", "scanner.wasm": wasm,
		"zxing_reader.wasm": modules + "/zxing-wasm/dist/reader/zxing_reader.wasm",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		out[to] = content
	}
	languages, err := catalogues(out)
	if err != nil {
		return err
	}
	if out["demo.json"], err = demo(); err != nil {
		return err
	}
	if err := out.bundle(wasmExec, languages); err != nil {
		return err
	}
	if out["LICENCES.txt"], err = licences(); err != nil {
		return err
	}
	if err := out.worker(); err != nil {
		return err
	}
	return out.write()
}

// catalogues joins the screens' words with the verdict words, one file a language,
// and returns the list of languages as the app takes it.
func catalogues(out files) (string, error) {
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
			if _, twice := texts[key]; twice {
				return "", fmt.Errorf("web/i18n/%s.json: %q belongs to words/lang", tag, key)
			}
			texts[key] = text
		}
		labels(texts, tag)
		audio, err := clips(out, "web/i18n/audio", tag)
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

// clipWords are the words that a verdict can be, and so those that are spoken.
var clipWords = []words.Word{words.Give, words.GiveRest, words.KnownPerson, words.AlreadyCollected, words.NotToday, words.HelpDesk}

// clips takes folder/TAG/WORD.webm (or m4a, ogg, mp3), as a phone recorded them, where
// there are any. A file that no screen would play is an error that says so.
func clips(out files, folder, tag string) (map[string]string, error) {
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
		case !slices.Contains(clipWords, words.Word(word)):
			return nil, fmt.Errorf("%s: %q is no word of a verdict: one of %q", path, word, clipWords)
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

func (out files) bundle(wasmExec, languages string) error {
	for _, b := range []struct {
		from, to string
		format   api.Format
	}{
		{"main.ts", "app.js", api.FormatESModule}, {"core.worker.ts", "core.js", api.FormatIIFE}, {"reader.worker.ts", "reader.js", api.FormatIIFE},
	} {
		content, err := bundle(b.from, b.format, map[string]string{"LANGUAGES": languages}, wasmExec)
		if err != nil {
			return err
		}
		out[b.to] = content
	}
	return nil
}

func bundle(from string, format api.Format, define map[string]string, wasmExec string) ([]byte, error) {
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
		EntryPoints: []string{filepath.Join(source, "src", from)}, Bundle: true, Outfile: "out.js", Format: format, Target: api.ES2020,
		MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true, LegalComments: api.LegalCommentsNone,
		Define: define, Alias: map[string]string{"wasm_exec": exec}, NodePaths: []string{node}, LogLevel: api.LogLevelWarning,
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
func (out files) worker() error {
	var list [][2]string
	whole := sha256.New()
	// A worker that fails to install drops the cache of its build: it must not be that of
	// the one in use, from which only the worker itself differs.
	own, err := os.ReadFile(filepath.Join(source, "src", "sw.ts"))
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
	content, err := bundle("sw.ts", api.FormatIIFE, map[string]string{"FILES": string(manifest), "BUILD": `"` + id + `"`}, "wasm_exec.js")
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

// write replaces dist, all but its README, and says how large the first load is.
func (out files) write() error {
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
	fmt.Printf("web: first load of the scanner: %d bytes gzip in %d files, limit %d\n", total, len(out), maxFirstLoad)
	if total > maxFirstLoad {
		return fmt.Errorf("the scanner is too large: a phone on a weak network fetches it before the round")
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
