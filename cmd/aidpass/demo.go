package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/cmd/aidpass/demoworld"
)

// demoMark is a file that says a folder was made by demo, and may be made anew.
const demoMark = ".aidpass-demo"

func (a *app) demoCommand() *cobra.Command {
	var dir string
	var noServe, again bool
	cmd := &cobra.Command{
		Use:   "demo --dir DIR",
		Short: "Build a demo world and show the whole way, from a workbook to a word at the counter",
		Long: `Build a demo world and show the whole way, from a workbook to a word at the counter.

Four organisations in two countries, an invented registration workbook of 60
households, and everything done by the commands you would type yourself: each is
shown. DIR keeps it all for trying on: out/registration.xlsx, out/report.csv,
out/cards.pdf (print it), out/cards.jsonl, out/site.pack, and a folder of data for
each organisation. out/demo-cards.pdf has a card for every row of the table of
answers, each with the word that a scanner will say.

Then it serves the scanner app from the demo's organisation until it is stopped
(Ctrl-C): for this machine, for a phone on a USB cable and for phones on the Wi-Fi.
It says which address to open, shows a QR code by which a phone enrols, and asks
before it confirms one.

Nobody in it is real, and the keys are worth nothing: never use the folder for people.`,
		Example: `  aidpass demo --dir demo
  aidpass demo --dir demo --again      # throw the old demo away first
  aidpass demo --dir demo --no-serve   # build and show, and end`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.demo(cmd.Context(), dir, again, noServe)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "demo", "folder to build it in; new or empty")
	f.BoolVar(&noServe, "no-serve", false, "build and show only, start no server")
	f.BoolVar(&again, "again", false, "remove an earlier demo in DIR first")
	return cmd
}

// A demo is one run of it.
type demo struct {
	*app
	ctx  context.Context
	dir  string // as the user gave it: shown in the commands
	now  time.Time
	days int // that the clock of commands is behind: what is done now was done then
	env  map[string]string
	last bytes.Buffer // standard output of the newest command

	spared []string // units with whose cards nothing is done: README.md goes on with them
}

func (a *app) demo(ctx context.Context, dir string, again, noServe bool) error {
	if err := prepareDemo(dir, again); err != nil {
		return err
	}
	d := &demo{app: a, ctx: ctx, dir: dir, now: a.Now().UTC(), env: map[string]string{
		"AIDPASS_PASSPHRASE_FILE":        filepath.Join(dir, "secrets", "passphrase"),
		"AIDPASS_DEVICE_PASSPHRASE_FILE": filepath.Join(dir, "secrets", "device-passphrase"),
		"AIDPASS_DATA":                   filepath.Join(dir, "relief-a"),
	}}
	for _, step := range []func() error{d.secrets, d.organisations, d.past, d.trust, d.stolenKey, d.register, d.plan, d.issue, d.print, d.pack, d.collect, d.wrong, d.elsewhere, d.sheet, d.check, d.next} {
		if err := step(); err != nil {
			return err
		}
	}
	if noServe {
		return nil
	}
	return d.keepServing()
}

// prepareDemo makes the folder, and never removes one that demo did not make.
func prepareDemo(dir string, again bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !notThere(err) {
		return err
	}
	if len(entries) > 0 {
		_, err := os.Stat(filepath.Join(dir, demoMark))
		switch {
		case err != nil:
			return usagef("%s is not empty, and no earlier demo", dir).hint("--dir with a new folder")
		case !again:
			return usagef("%s holds an earlier demo", dir).hint("--again throws it away and builds a new one; or --dir with a new folder")
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	for _, sub := range []string{"out", "custodians", "secrets"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, demoMark), []byte("made by aidpass demo: --again may remove this folder\n"), 0o600)
}

// in returns a path in the demo's folder.
func (d *demo) in(parts ...string) string {
	return filepath.Join(append([]string{d.dir}, parts...)...)
}

// secrets draws the passphrases. They have 192 random bits, so the keys they seal
// need no slow derivation: that is what makes the demo quick.
func (d *demo) secrets() error {
	for name, make := range map[string]func() string{
		"passphrase": randomText, "device-passphrase": randomText, "code.txt": func() string { return "well-4711" },
	} {
		if err := os.WriteFile(d.in("secrets", name), []byte(make()+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func randomText() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// title begins a chapter.
func (d *demo) title(format string, args ...any) {
	fmt.Fprintf(d.Stdout, "\n\x1b[1m"+format+"\x1b[0m\n", args...)
}

func (d *demo) tell(format string, args ...any) { fmt.Fprintf(d.Stdout, format+"\n", args...) }

// run runs a command as the user would, and shows it and what it says.
func (d *demo) run(args ...string) error {
	d.show(args)
	return d.must(args, d.Stdout, d.Stderr)
}

// quiet runs a command and shows it, but says only what goes wrong.
func (d *demo) quiet(args ...string) error {
	d.show(args)
	var errs bytes.Buffer
	if err := d.must(args, io.Discard, &errs); err != nil {
		fmt.Fprint(d.Stderr, errs.String())
		return err
	}
	return nil
}

func (d *demo) must(args []string, out, errs io.Writer) error {
	if code := d.exec(args, out, errs); code == exitUsage || code == exitFault {
		return fmt.Errorf("demo: aidpass %s: exit code %d", strings.Join(args[:min(2, len(args))], " "), code)
	}
	return d.ctx.Err()
}

// verify shows a card to the counter: any answer is a good one here.
func (d *demo) verify(args ...string) error { return d.run(append([]string{"verify"}, args...)...) }

func (d *demo) exec(args []string, out, errs io.Writer) int {
	d.last.Reset()
	m := &Main{
		Stdin: strings.NewReader(""), Stdout: io.MultiWriter(out, &d.last), Stderr: errs, Now: d.clock,
		WorkFactor: demoWorkFactor, ListSize: d.ListSize, Env: d.lookup,
	}
	return m.Run(d.ctx, args)
}

func (d *demo) lookup(name string) (string, bool) {
	v, ok := d.env[name]
	return v, ok
}

func (d *demo) clock() time.Time { return d.Now().AddDate(0, 0, -d.days) }

// ago runs a command as quiet does, so many days before today.
func (d *demo) ago(days int, args ...string) error {
	d.days = days
	defer func() { d.days = 0 }()
	return d.quiet(args...)
}

// demoWorkFactor is scrypt's cost as a power of two: see secrets.
const demoWorkFactor = 10

// show writes the command so that it can be copied; a card's text is shortened.
func (d *demo) show(args []string) {
	words := make([]string, len(args))
	for i, w := range args {
		switch {
		case len(w) > 120:
			w = "'" + w[:24] + "...'"
		case strings.ContainsAny(w, " '*"):
			w = "'" + w + "'"
		}
		words[i] = w
	}
	fmt.Fprintln(d.Stdout, "$ aidpass", strings.Join(words, " "))
}

func (d *demo) organisations() error {
	d.title("1. Four organisations in two countries, each with its own keys")
	for _, o := range []struct {
		folder, id, name, country string
		days                      int // since it began
	}{
		{"relief-a", "https://relief-a.example/i1", "Relief A", "KEN", 2},
		{"health-b", "https://health-b.example/i1", "Health B", "KEN", clinicDays},
		{"relief-c", "https://relief-c.example/i1", "Relief C", "SSD", silentDays},
		{"care-d", "https://care-d.example/i1", "Care D", "KEN", 0},
	} {
		if err := d.ago(o.days, "org", "init", "--data", d.in(o.folder), "--id", o.id, "--name", o.name, "--country", o.country,
			"--status", strings.TrimSuffix(o.id, "i1")+"s/"); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) trust() error {
	d.title("2. Who may issue what: two of three custodians sign the trust list")
	for _, n := range []string{"1", "2", "3"} {
		if err := d.quiet("trust", "key", "--out", d.in("custodians", n+".key")); err != nil {
			return err
		}
	}
	draft, list := d.in("custodians", "list.draft"), d.in("out", "trust.list")
	init := []string{"trust", "init", "--id", "https://trust.example/list", "--k", "2", "--out", draft}
	for _, n := range []string{"1", "2", "3"} {
		init = append(init, "--anchor", d.in("custodians", n+".pub"))
	}
	acts := [][]string{init}
	for _, org := range []string{"relief-a", "health-b", "relief-c", "care-d"} {
		grant := []string{"trust", "grant", draft, "--org", "https://" + org + ".example/i1", "--type", "eligibility"}
		switch org {
		case "relief-a":
			grant = append(grant, "--type", "registration", "--type", "delegation")
		case "health-b":
			grant = append(grant, "--type", demoworld.ClinicURI)
		}
		acts = append(acts, []string{"trust", "add", draft, d.in(org, "public", org+".example-i1.org")}, grant)
	}
	for _, n := range []string{"1", "3"} {
		acts = append(acts, []string{"trust", "sign", draft, "--key", d.in("custodians", n+".key"), "--out", d.in("custodians", "list.sig"+n)})
	}
	acts = append(acts, []string{"trust", "sign", draft, "--with", d.in("custodians", "list.sig1"), "--with", d.in("custodians", "list.sig3"), "--out", list})
	for _, act := range acts {
		if err := d.quiet(act...); err != nil {
			return err
		}
	}
	return os.Remove(draft) // the next list begins with the signed one
}

func (d *demo) register() error {
	d.title("3. The registration workbook: what is in it, what is wrong with it")
	world, err := demoworld.New(d.now)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := world.Write(&b); err != nil {
		return err
	}
	if err := os.WriteFile(d.in("out", "registration.xlsx"), b.Bytes(), 0o600); err != nil {
		return err
	}
	d.tell("invented: %d households and %d people, names in nine scripts, %d findings planted -> %s",
		world.Rows[demoworld.HouseholdSheet], world.Rows[demoworld.PersonSheet], len(world.Mistakes), d.in("out", "registration.xlsx"))
	return d.run("registry", "import", d.in("out", "registration.xlsx"), "--country", "KEN",
		"--report", d.in("out", "report.csv"), "--rejects", d.in("out", "rejected.xlsx"))
}

func (d *demo) plan() error {
	d.title("4. A programme, its round, and what each household is due")
	from := d.now.Format(time.DateOnly)
	to := d.now.AddDate(0, 0, 10).Format(time.DateOnly)
	for _, act := range [][]string{
		{"programme", "add", "K7Q2", "--name", "Winter cash", "--modality", "cash", "--counts", "household", "--currency", "KES"},
		{"programme", "round", "K7Q2", "1", "--opens", from, "--closes", to, "--site", "WELL-A"},
		{"entitle", "--programme", "K7Q2", "--round", "1", "--amount", "2400.00", "--per-head"},
	} {
		if err := d.run(act...); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) issue() error {
	d.title("5. The gate, and the cards")
	if err := d.run("registry", "gate", "--programme", "K7Q2"); err != nil {
		return err
	}
	if err := d.run("issue", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--trust", d.in("out", "trust.list"),
		"--out", d.in("out", "cards.jsonl")); err != nil {
		return err
	}
	for _, number := range []string{"HH-013", "HH-016"} {
		var record struct{ ID string }
		if err := d.must([]string{"registry", "show", number, "--json"}, io.Discard, d.Stderr); err != nil {
			return err
		}
		if err := json.Unmarshal(d.last.Bytes(), &record); err != nil {
			return fmt.Errorf("demo: registry show %s: %w", number, err)
		}
		d.spared = append(d.spared, record.ID)
	}
	// One that ends tomorrow, one of the health organisation, one of nobody the consortium knows.
	roster := d.in("out", "visitor.csv")
	if err := os.WriteFile(roster, []byte("household_id,id,full_name,birth_date,household_size,consent\nVH-1,V-1,Ayen,1990,1,yes\n"), 0o600); err != nil {
		return err
	}
	stranger := d.in("stranger")
	for _, act := range [][]string{
		{"issue", roster, "--roster", "visitors", "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--valid-days", "1", "--out", d.in("out", "visitor.jsonl")},
		{"issue", roster, "--data", d.in("health-b"), "--type", "eligibility", "--programme", "H3A9", "--round", "1", "--trust", d.in("out", "trust.list"), "--out", d.in("out", "health.jsonl")},
		{"status", "publish", "--data", d.in("health-b")},
		{"org", "init", "--data", stranger, "--id", "https://stranger.example/i1", "--name", "Stranger", "--country", "KEN", "--status", "https://stranger.example/s/"},
		{"issue", roster, "--data", stranger, "--type", "eligibility", "--programme", "K7Q2", "--round", "1", "--out", d.in("out", "stranger.jsonl")},
	} {
		if err := d.quiet(act...); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) print() error {
	d.title("6. The cards on paper: every code is read again from the finished page before the file is released")
	if err := d.run("print", d.in("out", "cards.jsonl"), "--out", d.in("out", "cards.pdf"), "--duplex", "--names", "--complaint", "+254 20 0000000"); err != nil {
		return err
	}
	return d.quiet("print", "ruler", "--out", d.in("out", "ruler.pdf"))
}

func (d *demo) pack() error {
	d.title("7. A device and its pack: all that a service point needs, with no network")
	if err := d.quiet("device", "add", "--name", "table-1", "--site", "WELL-A", "--days", "30", "--may", "journal,challenge", "--out", d.in("out", "table-1")); err != nil {
		return err
	}
	return d.run(d.packFor("site.pack")...)
}

// packFor builds the site's pack anew, with the newest lists.
func (d *demo) packFor(name string) []string {
	return append([]string{"pack", "build", "--site", "WELL-A", "--device", d.in("out", "table-1.cert"), "--out", d.in("out", name)}, d.contents()...)
}

// contents are the flags of what is in the site's packs, whoever builds them.
func (d *demo) contents() []string {
	from, to := d.now.Format(time.DateOnly), d.now.AddDate(0, 0, 10).Format(time.DateOnly)
	return []string{"--trust", d.in("out", "trust.list"), "--programme", "K7Q2=1@" + from + ".." + to, "--unlock", d.in("secrets", "code.txt"),
		"--status", d.in("health-b", "public", "status"), "--status", d.in("out", "relief-c.status"), "--status", d.in("care-d", "public", "status"),
		"--withdrawal", d.in("out", "care-d.withdrawal"), "--types", d.in("out", "clinic.json")}
}

// counter are the flags of every verify at table 1.
func (d *demo) counter(more ...string) []string {
	return append([]string{"--pack", d.in("out", "site.pack"), "--state", d.in("out", "table-1.state")}, more...)
}

func (d *demo) collect() error {
	d.title("8. The distribution: a good card is served and recorded; the same card again is not")
	journal := d.in("out", "table-1.journal")
	card, err := d.card("cards.jsonl", 1)
	if err != nil {
		return err
	}
	if err := d.verify(d.counter("--device", d.in("out", "table-1.key"), "--unlock", d.in("secrets", "code.txt"), "--visits", journal, "--give", card.Text)...); err != nil {
		return err
	}
	d.tell("\nthe same card, a minute later (used)")
	return d.verify(d.counter("--visits", journal, card.Text)...)
}

func (d *demo) wrong() error {
	d.title("9. What can be wrong with a card")
	lost, err := d.card("cards.jsonl", 2)
	if err != nil {
		return err
	}
	d.tell("a lost card is revoked; the next pack knows (revoked)")
	if err := d.run("revoke", lost.Credential, "--reason", "lost"); err != nil {
		return err
	}
	if err := d.quiet(d.packFor("site.pack")...); err != nil {
		return err
	}
	if err := d.verify(d.counter(lost.Text)...); err != nil {
		return err
	}
	visitor, err := d.card("visitor.jsonl", 1)
	if err != nil {
		return err
	}
	d.tell("\na card that ended yesterday (expired)")
	if err := d.verify(d.counter("--at", d.later(36*time.Hour), visitor.Text)...); err != nil {
		return err
	}
	good, err := d.card("cards.jsonl", 3)
	if err != nil {
		return err
	}
	d.tell("\na card altered by one letter (altered)")
	if err := d.verify(d.counter(altered(good.Text))...); err != nil {
		return err
	}
	for _, c := range []struct{ file, what string }{
		{"health.jsonl", "a good card of another organisation, for something else (foreign)"},
		{"stranger.jsonl", "a card of an organisation that is not on the trust list (foreign)"},
	} {
		card, err := d.card(c.file, 1)
		if err != nil {
			return err
		}
		d.tell("\n%s", c.what)
		if err := d.verify(d.counter(card.Text)...); err != nil {
			return err
		}
	}
	d.tell("\na good card, with lists of nine days ago (stale)")
	return d.verify("--pack", d.in("out", "site.pack"), "--at", d.later(9*24*time.Hour), good.Text)
}

// altered is a card's text with another letter in the middle of it.
func altered(text string) string {
	b := []byte(text)
	if b[200]++; b[200] > 'Z' || b[200] < 'A' {
		b[200] = 'A'
	}
	return string(b)
}

// later is a time from now as --at takes it.
func (d *demo) later(by time.Duration) string {
	return d.now.Add(by).Truncate(time.Second).Format(time.RFC3339)
}

func (d *demo) elsewhere() error {
	d.title("10. Another country, another organisation: the card still works")
	good, err := d.card("cards.jsonl", 4)
	if err != nil {
		return err
	}
	pack := d.in("out", "juba.pack")
	if err := d.quiet("pack", "build", "--data", d.in("relief-c"), "--trust", d.in("out", "trust.list"), "--site", "JUBA-2", "--serves", "WELL-A", "--programme", "K7Q2",
		"--status", d.in("relief-a", "public", "status"), "--out", pack); err != nil {
		return err
	}
	return d.verify("--pack", pack, good.Text)
}

func (d *demo) check() error {
	d.title("12. Is everything stored as it must be?")
	return d.run("check")
}

func (d *demo) next() error {
	d.title("Done. Try next, by hand")
	if program, err := os.Executable(); err == nil {
		d.tell("  export PATH=%s:$PATH", filepath.Dir(program))
	}
	d.tell("  export AIDPASS_DATA=%s AIDPASS_PASSPHRASE_FILE=%s", d.in("relief-a"), d.env["AIDPASS_PASSPHRASE_FILE"])
	d.tell("  open %s and print it; scan a card with any phone: it says little", d.in("out", "cards.pdf"))
	d.tell("  print %s at 100 %%, or keep it on the screen: a card for each answer of the scanner", d.in("out", "demo-cards.pdf"))
	d.tell("  aidpass verify --pack %s a-photo-of-a-card.jpg", d.in("out", "site.pack"))
	d.tell("  mend %s (column what_to_mend) and import it: only the mended rows are new", d.in("out", "rejected.xlsx"))
	d.tell("  aidpass registry duplicates run; aidpass registry duplicates review: who may be on record twice, and why")
	d.tell("  aidpass quality report; aidpass quality list DQ-05: how good the register is, and where to mend it; aidpass exercise --help")
	d.tell("  aidpass registry --help; aidpass card --help; aidpass backup --out today.backup")
	return nil
}

// card reads one line of a file of cards.
// card is the nth card of a file in out/, of those that the demo may use.
func (d *demo) card(file string, n int) (c cardLine, err error) {
	b, err := readFile(d.in("out", file), 64<<20)
	if err != nil {
		return c, err
	}
	lines := slices.DeleteFunc(bytes.Split(bytes.TrimSpace(b), []byte("\n")), func(line []byte) bool {
		return slices.ContainsFunc(d.spared, func(unit string) bool { return bytes.Contains(line, []byte(unit)) })
	})
	if n > len(lines) {
		return c, fmt.Errorf("demo: %s has %d cards, and card %d is wanted", file, len(lines), n)
	}
	if err := json.Unmarshal(lines[n-1], &c); err != nil {
		return c, errors.Join(fmt.Errorf("demo: %s line %d", file, n), err)
	}
	return c, nil
}
