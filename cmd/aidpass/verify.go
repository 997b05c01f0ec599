package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"aidpass/credential/qr"
	"aidpass/internal/durable"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/token"
	"aidpass/verifier/visit"
	"aidpass/words"
)

// verifyFlags are what verify is asked for.
type verifyFlags struct {
	pack, state, challenge, unlock, pinFile, at, device, lang string
	nonce, audience                                           string
	given, rest                                               string
	visits, numbers                                           []string
	give                                                      bool
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify --pack FILE [flags] TEXT|FILE|- | --number N",
		Short: "Judge cards offline: one word and one next action for each",
		Long: `Judge cards offline: one word and one next action for each.

An argument is the text of a QR code or of a wallet credential (SD-JWT VC, VC-JWT), a PNG, JPEG or PDF file with codes in it, a
file of texts (one a line; of .jsonl files the member "text"), or - for texts on
the standard input, one a line. PDF files need pdftoppm (poppler-utils).

With --json each code gives one object on a line: answer, reason, reasons, word,
word_key, todo, credential, type, issuer, valid_from, valid_until, claims, number,
status_as_of, trust_as_of, age and more. A value that is not known, or that may
not be shown with this answer, is null. Times are RFC 3339 in UTC, age is in
whole seconds.

Exit codes:
  0  every answer is valid
  1  a fault inside
  2  wrong usage, or a file that cannot be used
  3  some answer is invalid, or none (not a credential)
  4  else: some answer is unsure, or used (collected before)
  130  stopped by Ctrl-C

With --device and --unlock the pack's sealed tables are open: a GIVE says what is to be
given ("give"), and --number finds a printed card number on the expected list. A number
is signed by nobody, so the answer is unsure, or used; the row ("expected") tells who
is meant, and the supervisor decides by photo or witness.

A wallet credential is good only with its holder's signature to this very request:
--nonce and --audience say what she was asked to sign. Without them only the types are
taken that the pack lets go without (pack build --bearer).

A pack that is refused believes nothing: every card answers unsure with the
pack's code. A file that is none at all is wrong usage; with --json it is a pack
that is refused, so that a program hears of it card by card.`,
		Example: `  aidpass verify --pack well-a.pack 'NCFOXN...'
  aidpass verify --pack well-a.pack --state tab.state card.png scans/*.jpg slips.pdf
  scanner | aidpass verify --pack well-a.pack --state tab.state --json -

  # a table that gives out: each GIVE is written to the journal first
  aidpass verify --pack well-a.pack --state tab.state --device tab-1.key --visits tab-1.journal --give -

  # there is not enough for all: a part is given, and the rest stays due
  aidpass verify --pack well-a.pack --device tab-1.key --visits tab-1.journal --give --given "1200.00 KES" --rest "1200.00 KES" card.png

  # look also at what other tables gave; open sealed facts and check a PIN
  aidpass verify --pack well-a.pack --visits tab-1.journal --visits tab-2.journal card.png
  aidpass verify --pack well-a.pack --device tab-2.key --unlock code.txt --visits tab-2.journal --visits tab-1.exchange card.png
  aidpass verify --pack well-a.pack --state tab.state --device tab-1.key --unlock code.txt --pin-file pin.txt card.png

  # a wallet showed itself to a request of ours
  aidpass verify --pack well-a.pack --nonce n-0S6WzA2Mj --audience https://relief-a.example/desk presentation.txt

  # the code is torn, the number can be read
  aidpass verify --pack well-a.pack --device tab-1.key --unlock code.txt --visits tab-1.journal --number GBFF-ZGF4-B2Y`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args)+len(f.numbers) == 0 {
				return usagef("nothing to judge").hint("aidpass verify --help: the text of a code, a file of them, - for the standard input, or --number N")
			}
			return a.verify(cmd.Context(), f, args)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.pack, "pack", "", "pack of this service point")
	fl.StringVar(&f.state, "state", "", "file in which this device remembers lists and clock; made when missing, written back")
	fl.StringArrayVar(&f.visits, "visits", nil, "journal of what was given, or another table's exchange file; may be repeated; the first is this table's own")
	fl.StringVar(&f.challenge, "challenge", "", "challenge that was shown to the wallet; live codes must answer it within four minutes")
	fl.StringVar(&f.nonce, "nonce", "", "what the holder of a wallet credential was asked to sign, together with --audience")
	fl.StringVar(&f.audience, "audience", "", "whom she was asked to sign it for: this verifier's own identifier")
	fl.StringVar(&f.device, "device", "", "key file of this device: opens sealed keys, signs the journal")
	fl.StringVar(&f.unlock, "unlock", "", "file with the operator's code, which opens sealed facts together with --device")
	fl.StringArrayVar(&f.numbers, "number", nil, "printed card number that was typed, looked up on the expected list; repeat")
	fl.StringVar(&f.pinFile, "pin-file", "", "file with the six digits the holder typed")
	fl.StringVar(&f.at, "at", "", "judge at this time instead of the clock's (RFC 3339)")
	fl.BoolVar(&f.give, "give", false, "after GIVE, record the collection in the first --visits journal before saying so")
	fl.StringVar(&f.given, "given", "", "with --give: what was handed out, an amount with its unit or a code, where it was not just what is due")
	fl.StringVar(&f.rest, "rest", "", "with --give: only a part was handed out, and this is still due")
	fl.StringVar(&f.lang, "lang", "en", "language of words and next actions: en fr es ar sw")
	return cmd
}

// desk is a service point for the time of one run.
type desk struct {
	a       *app
	checker verifier.Checker
	tables  *verifier.Tables // nil: not unlocked
	raw     qr.Scratch
	in      verifier.Inputs
	book    *book // nil: nothing is recorded
	state   string
	lock    *durable.Log // of the state file; nil without one
	saved   []byte       // what the state file holds
	out     printer
	answers []words.Answer
}

func (a *app) verify(ctx context.Context, f verifyFlags, args []string) (err error) {
	d, err := a.openDesk(f)
	if err != nil {
		return err
	}
	defer func() {
		// Also after a fault: PIN attempts and lists seen must not be forgotten.
		err = errors.Join(err, d.close())
		if err == nil {
			if code := words.ExitCode(d.answers); code != 0 {
				err = &answeredError{code}
			}
		}
	}()
	for _, n := range f.numbers {
		if err := d.number(n); err != nil {
			return err
		}
	}
	for _, arg := range args {
		judge := func(c code) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return d.judge(c)
		}
		if err := a.readCodes(ctx, arg, judge); err != nil {
			return err
		}
	}
	return nil
}

// openDesk reads everything a judgement depends on. A file that is not there is
// wrong usage; a pack that is there and refused is a judgement.
func (a *app) openDesk(f verifyFlags) (_ *desk, err error) {
	d := &desk{a: a, state: f.state}
	defer func() {
		if err != nil && d.lock != nil {
			d.lock.Close()
		}
	}()
	lang, ok := words.Language(f.lang)
	if !ok {
		return nil, usagef("no words in language %q", f.lang).hint("there are %v", words.Tags())
	}
	d.out = printer{a: a, lang: lang}
	if f.pack == "" {
		return nil, usagef("verify needs a pack").hint("--pack FILE; aidpass pack build makes one")
	}
	if f.pinFile != "" && f.state == "" {
		return nil, usagef("--pin-file needs --state").hint("wrong PINs are counted in the state of the device: --state tab.state")
	}
	if (f.nonce == "") != (f.audience == "") {
		return nil, usagef("--nonce and --audience go together").hint("they are what the request to the wallet said")
	}
	if f.nonce != "" {
		d.in.Binding = &verifier.Binding{Audience: f.audience, Nonce: f.nonce}
	}
	d.in.Tokens = token.Reader{}
	if d.in.At, err = a.at(f.at); err != nil {
		return nil, err
	}
	raw, err := readFile(f.pack, verifier.MaxPackBytes)
	if err != nil {
		return nil, err
	}
	if !a.JSON && !bytes.Contains(raw[:min(len(raw), 32)], []byte("aidpass-pack-")) {
		return nil, usagef("%s is no pack", f.pack).hint("aidpass pack build makes one; name the file that it wrote with --pack")
	}
	if f.state != "" {
		// Until this run ends: two at once would each forget what the other counted.
		if d.lock, err = waitForLock(f.state + ".lock"); err != nil {
			return nil, err
		}
	}
	if d.in.Floors, d.saved, err = readState(f.state); err != nil {
		return nil, err
	}
	pack, floors, err := verifier.OpenPack(raw, d.in.Floors, d.in.At)
	var refused *verifier.PackError
	switch {
	case errors.As(err, &refused):
		d.in.PackRefused = refused.Reason
		a.say("warning: the pack is refused: %v", refused)
		a.say("hint: %s", lang.Sentence(refused.Reason))
	case err != nil:
		return nil, err
	}
	d.in.Pack, d.in.Floors = pack, floors
	if err := d.save(); err != nil {
		return nil, err
	}
	if f.challenge != "" {
		raw, err := readFile(f.challenge, verifier.MaxChallenge)
		if err != nil {
			return nil, err
		}
		c, err := verifier.ReadChallenge(raw)
		if err != nil {
			return nil, usagef("%s: %w", f.challenge, err).hint("aidpass device challenge makes one")
		}
		d.in.Challenge, d.in.Asked = raw, c.At
	}
	if f.pinFile != "" {
		pin, err := firstLine(f.pinFile)
		if err != nil {
			return nil, err
		}
		d.in.PIN = string(pin)
	}
	return d, d.enrol(f)
}

// enrol adds what needs the device's key or other tables' journals.
func (d *desk) enrol(f verifyFlags) error {
	if f.unlock != "" && f.device == "" {
		return usagef("--unlock needs --device").hint("sealed facts open with the device's key and the operator's code together")
	}
	if f.pinFile != "" && f.unlock == "" {
		return usagef("--pin-file needs --unlock and --device").hint("what a PIN is compared with is sealed")
	}
	if f.give && (f.device == "" || len(f.visits) == 0) {
		return usagef("--give needs --device and --visits").hint("records are signed by the device and go to the first --visits journal")
	}
	if (f.given != "" || f.rest != "") && !f.give {
		return usagef("--given and --rest need --give").hint("they say what is recorded")
	}
	for _, amount := range []string{f.given, f.rest} {
		if _, _, err := visit.ParseAmount(amount); err != nil {
			return usagef("--given or --rest: %w", err).hint(`an amount with its unit, as "1200.00 KES", or a code`)
		}
	}
	var key *deviceKey
	if f.device != "" {
		var err error
		if key, err = d.a.openDevice(f.device); err != nil {
			return err
		}
	}
	if f.unlock != "" && d.in.Pack != nil {
		var err error
		if d.in.Unlock, err = unlock(d.in.Pack, key, f.unlock); err != nil {
			return err
		}
		// Cards are judged without them.
		if d.tables, err = d.in.Pack.Tables(d.in.Unlock); err != nil {
			d.a.say("warning: what is due and who is expected is not shown: %v", err)
		}
		d.out.tables = d.tables
	}
	if id := key.id(); f.give && d.in.Pack != nil && d.in.Pack.Device(id, trust.SignJournal) == nil {
		return usagef("the pack does not name this device (%x): nothing it records would be believed", id).
			hint("aidpass pack build --device CERT for each device of the site; a lost device is left out")
	}
	if len(f.visits) > 0 && d.in.Pack != nil {
		var err error
		if d.book, err = d.a.openBook(d.in.Pack, d.in.Unlock, f.visits, key, f.give); err != nil {
			return err
		}
		d.book.given, d.book.rest = f.given, f.rest
		// It counts under its ceiling, collection by collection: see judge.
		d.in.OldLists, d.in.Pack.Policy.OldLists = d.in.Pack.Policy.OldLists, nil
		d.in.Uses = d.book
	}
	return nil
}

// judge answers one code and prints the answer.
func (d *desk) judge(c code) error {
	if o := d.in.OldLists; o != nil && d.book.within(o) == nil {
		d.in.OldLists = nil
		d.a.say("warning: as many collections were made on old lists as the decision's ceiling %s allows this table: it lets no more pass", o.Ceiling)
	}
	r := d.verify(c)
	recorded := uint64(0)
	// A PIN that was not given right is a holder check still to be made: nothing was
	// handed out yet.
	pinDue := r.Holder&verifier.CheckPIN != 0 && r.Holder&verifier.PINRight == 0
	if d.book.records() && r.Answer == words.Valid && !pinDue && (r.Word == words.Give || r.Word == words.GiveRest) {
		// On the disk before the word is said: a power cut may lose a word, which is
		// asked for again, but never a collection.
		n, err := d.book.collect(&r, d.in.At)
		if err != nil {
			return fmt.Errorf("nothing is to be given: the visit could not be recorded: %w", err)
		}
		recorded = n
		r.Floors = r.Floors.RecordedAt(d.in.At)
	}
	d.in.Floors = r.Floors
	if d.in.PIN != "" || r.Holder&verifier.LiveProof != 0 {
		// Wrong PINs and live codes count even when this run is killed.
		if err := d.save(); err != nil {
			return err
		}
	}
	d.answers = append(d.answers, r.Answer)
	return d.out.answer(&r, c, recorded)
}

// number judges a typed card number and prints an answer for each row it stands for.
// Nothing is recorded: that takes a supervisor.
func (d *desk) number(text string) error {
	results := verifier.Number(text, d.tables, d.in)
	for i := range results {
		r := &results[i]
		if r.Err != nil {
			return usagef("--number %q: %w", text, r.Err).hint("eleven letters and digits, as printed on the card")
		}
		d.answers = append(d.answers, r.Answer)
		if err := d.out.answer(r, code{}, 0); err != nil {
			return err
		}
	}
	return nil
}

// save writes what the device remembers, if it changed.
func (d *desk) save() error {
	if d.state == "" {
		return nil
	}
	b := d.in.Floors.Encode()
	if string(b) == string(d.saved) {
		return nil
	}
	if err := durable.WriteFile(d.state, b, 0o600); err != nil {
		return err
	}
	d.saved = b
	return nil
}

func (d *desk) close() error {
	err := errors.Join(d.save(), d.book.close())
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// maxStateFile is what verifier.DecodeFloors takes.
const maxStateFile = 64 << 20

// readState returns what a device remembers. A file that is not there is a
// device that has seen nothing; a damaged one is an error, never that.
func readState(path string) (verifier.Floors, []byte, error) {
	if path == "" {
		return verifier.Floors{}, nil, nil
	}
	b, err := readFile(path, maxStateFile)
	if notThere(err) {
		return verifier.Floors{}, nil, nil
	}
	if err != nil {
		return verifier.Floors{}, nil, err
	}
	floors, err := verifier.DecodeFloors(b)
	if err != nil {
		return verifier.Floors{}, nil, usagef("%s: %w", path, err).
			hint("a device that forgets takes old packs again: bring the file back from a copy, or enrol the device anew with another --state file")
	}
	return floors, b, nil
}
