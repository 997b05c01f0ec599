package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/internal/durable"
	"aidpass/internal/jose"
	"aidpass/internal/qrcode"
	"aidpass/verifier"
	"aidpass/wallet"
	"aidpass/wallet/openid"
)

// walletFlags are those of every wallet command.
type walletFlags struct {
	dir         string
	development bool
	lang        string
	ca, trust   string
	at          []string
	passphrase  string // file with it
}

// rules are those of the protocols.
func (f *walletFlags) rules() openid.Rules { return openid.Rules{Development: f.development} }

func (a *app) walletCommand() *cobra.Command {
	var f walletFlags
	cmd := &cobra.Command{
		Use:   "wallet",
		Short: "A holder's wallet in a folder: take offers, answer requests, show live codes",
		Example: `  aidpass wallet init
  aidpass wallet add 'openid-credential-offer://?credential_offer_uri=https%3A%2F%2Faid.example%2Fi1%2Foffer%2Fx' --code 493536
  aidpass wallet list --check
  aidpass wallet present 'openid4vp://?client_id=decentralized_identifier%3Adid%3Aweb%3Ab.example&request_uri=https%3A%2F%2Fb.example%2Fr'
  aidpass wallet live CARD --png live.png
  aidpass wallet add LINK --code 493536 --ca site-ca.crt --at relief-a.example=127.0.0.1:8443   # a server on this laptop`,
	}
	p := cmd.PersistentFlags()
	p.StringVar(&f.dir, "wallet", "wallet", "folder of the wallet")
	p.StringVar(&f.passphrase, "wallet-passphrase-file", "", "file with the wallet's own passphrase on its first line (AIDPASS_WALLET_PASSPHRASE_FILE; else --passphrase-file, else asked)")
	p.BoolVar(&f.development, "development", false, "let addresses of this very machine through, by http too")
	p.StringVar(&f.ca, "ca", "", "further authority that servers may be proved by: PEM or DER, as DATA/site-ca/site-ca.crt")
	p.StringArrayVar(&f.at, "at", nil, "HOST=ADDRESS:PORT: where the server of that name is reached, in place of its name; repeat")
	p.StringVar(&f.trust, "trust", "", "signed trust list, or a pack with it: issuers on it have the keys it says, and are not asked for them")
	p.StringVar(&f.lang, "lang", "en", "language of names")
	cmd.AddCommand(a.walletInit(&f), a.walletAdd(&f), a.walletList(&f), a.walletShow(&f), a.walletPresent(&f), a.walletLive(&f), a.walletLog(&f),
		a.walletBackup(&f), a.walletRestore(&f), a.walletWipe(&f))
	return cmd
}

// purse is an open wallet of a folder: one sealed file, so that keys and cards are
// always of one moment.
//
//	salt (16) | device secret (32) | Seal(key of passphrase, [wallet, {handle: scalar}])
type purse struct {
	path string
	head []byte // salt and device secret
	key  []byte
	w    *wallet.Wallet
	keys map[string]*ecdsa.PrivateKey
}

const (
	purseFile = "wallet.sealed"
	purseHead = 16 + wallet.KeyBytes
)

// walletPassphrase gives the passphrase of the wallet, which is its holder's: that of the
// organisation's keys, which commands for the desk find in their environment, is not taken.
func (a *app) walletPassphrase(f *walletFlags, twice bool) (string, error) {
	const variable = "AIDPASS_WALLET_PASSPHRASE_FILE"
	env := func(name string) string {
		if a.Env == nil {
			return ""
		}
		v, _ := a.Env(name)
		return v
	}
	file, ours := f.passphrase, env("AIDPASS_PASSPHRASE_FILE")
	if file == "" {
		file = env(variable)
	}
	if file == "" && a.PassphraseFile != ours {
		file = a.PassphraseFile // named for this command
	}
	if file == "" && ours != "" && !a.isTerminal() {
		return "", usagef("a wallet has a passphrase of its own, and AIDPASS_PASSPHRASE_FILE is the organisation's").
			hint("--wallet-passphrase-file FILE, or %s=FILE, names a file with it on the first line", variable)
	}
	p, err := a.askPassphrase("the wallet", file, "wallet-passphrase-file", twice)
	if err != nil {
		return "", err
	}
	if desk, err := firstLine(ours); twice && ours != "" && err == nil && bytes.Equal(desk, p) {
		return "", usagef("that is the passphrase of the organisation's keys").hint("the wallet gets one of its own: whoever holds it would open the organisation's keys too")
	}
	return string(p), nil
}

func (a *app) newPurse(f *walletFlags) (*purse, error) {
	p := &purse{path: filepath.Join(f.dir, purseFile), head: make([]byte, purseHead), w: &wallet.Wallet{}, keys: map[string]*ecdsa.PrivateKey{}}
	if err := mustNotExist(p.path); err != nil {
		return nil, err
	}
	if _, err := rand.Read(p.head); err != nil {
		return nil, err
	}
	pass, err := a.walletPassphrase(f, true)
	if err != nil {
		return nil, err
	}
	if p.key, err = wallet.KeyFromPIN(pass, p.head[16:], p.head[:16]); err != nil {
		return nil, err
	}
	return p, os.MkdirAll(f.dir, 0o700)
}

func (a *app) openPurse(f *walletFlags) (*purse, error) {
	p := &purse{path: filepath.Join(f.dir, purseFile), keys: map[string]*ecdsa.PrivateKey{}}
	file, err := readFile(p.path, 2*wallet.MaxBytes)
	if notThere(err) {
		return nil, usagef("there is no wallet in %s", f.dir).hint("aidpass wallet init makes one, aidpass wallet restore brings one back; --wallet DIR names another folder")
	}
	if err != nil {
		return nil, err
	}
	if len(file) < purseHead {
		return nil, fmt.Errorf("%s: %w", p.path, wallet.ErrSealed)
	}
	pass, err := a.walletPassphrase(f, false)
	if err != nil {
		return nil, err
	}
	p.head = file[:purseHead]
	if p.key, err = wallet.KeyFromPIN(pass, p.head[16:], p.head[:16]); err != nil {
		return nil, err
	}
	plain, err := wallet.Unseal(p.key, wallet.SealKeys, file[purseHead:])
	if err != nil {
		return nil, usagef("%s: %w", p.path, err).hint("is it the right passphrase?")
	}
	if err := cbor.CheckDeterministic(plain, cbor.Limits{Depth: 4, Entries: 16384}); err != nil {
		return nil, err
	}
	r := cbor.NewReader(plain)
	if r.Kind() != cbor.Array || r.Array() != 2 {
		return nil, wallet.ErrSealed
	}
	if p.w, err = wallet.Decode(r.Bytes()); err != nil {
		return nil, err
	}
	for n := r.Array(); n > 0; n-- {
		k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), r.Bytes())
		if err != nil {
			return nil, err
		}
		if _, err := p.add(k); err != nil {
			return nil, err
		}
	}
	return p, r.Err()
}

// add keeps a private key.
func (p *purse) add(k *ecdsa.PrivateKey) (*cose.Key, error) {
	pub, err := cose.NewKey(k.Public())
	if err == nil {
		p.keys[wallet.Handle(pub)] = k
	}
	return pub, err
}

// save writes everything, whole or not at all. Keys that no card names go.
func (p *purse) save() error {
	var keys [][]byte
	for _, c := range p.w.Cards {
		for _, k := range c.Copies {
			if k.Key == nil || p.keys[wallet.Handle(k.Key)] == nil {
				continue
			}
			raw, err := p.keys[wallet.Handle(k.Key)].Bytes()
			if err != nil {
				return err
			}
			keys = append(keys, raw)
		}
	}
	b := cbor.AppendArray(cbor.AppendBytes(cbor.AppendArray(nil, 2), p.w.Encode()), len(keys))
	for _, k := range keys {
		b = cbor.AppendBytes(b, k)
	}
	sealed, err := wallet.Seal(p.key, wallet.SealKeys, b, rand.Reader)
	if err != nil {
		return err
	}
	return durable.WriteFile(p.path, append(append([]byte(nil), p.head...), sealed...), 0o600)
}

func (p *purse) sign(list []openid.ToSign) (sigs [][]byte, err error) {
	for _, s := range list {
		k := p.keys[wallet.Handle(s.Key)]
		if k == nil {
			return nil, wallet.ErrViewOnly
		}
		sig, err := cose.SignRaw(k, s.Bytes)
		if err != nil {
			return nil, err
		}
		sigs = append(sigs, sig)
	}
	return sigs, nil
}

func newCardID() string {
	b := make([]byte, 9)
	for {
		_, _ = rand.Read(b)                           // never fails
		if id := jose.EncodeBase64(b); id[0] != '-' { // it is typed where flags are
			return id
		}
	}
}

func (a *app) walletInit(f *walletFlags) *cobra.Command {
	return &cobra.Command{Use: "init", Short: "Make an empty wallet", Args: cobra.NoArgs, Example: "  aidpass wallet init --wallet amina/",
		RunE: func(*cobra.Command, []string) error {
			p, err := a.newPurse(f)
			if err != nil {
				return err
			}
			if err := p.save(); err != nil {
				return err
			}
			fmt.Fprintf(a.Stdout, "wallet in %s\n", f.dir)
			return nil
		}}
}

func (a *app) walletList(f *walletFlags) *cobra.Command {
	var check bool
	cmd := &cobra.Command{Use: "list", Short: "The cards, and how they stand", Args: cobra.NoArgs,
		Long: `The cards, and how they stand.

ready | not_yet | ends_on DAY | ended | view_only | unproved, and what the issuer's status list
said when it was last looked into: cancelled, suspended; unchecked after a week
without. --check looks now, into the lists of all cards at once, so that who serves
one learns little; and it proves what came while the issuer's keys could not be
fetched (unproved), which nobody is shown until then. Without network it says since when nobody could look.`,
		Example: "  aidpass wallet list --lang fr\n  aidpass wallet list --check",
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			var failed map[string]bool
			if check {
				way, err := a.walletWay(f)
				if err != nil {
					return err
				}
				failed = way.lookUp(cmd.Context(), p, f.rules(), a.now())
				if err := p.save(); err != nil {
					return err
				}
			}
			if len(p.w.Cards) == 0 {
				a.say("no cards yet: aidpass wallet add takes an offer's link, or the text of a paper card's QR code")
			}
			for _, c := range p.w.Cards {
				s := c.State(a.now())
				fmt.Fprintf(a.Stdout, "%s  %s%s  %s  %d unused%s\n", c.ID, s.Word, dayOf(s.At), walletName(c, f.lang), c.Unused(), looked(c, failed[c.Issuer]))
			}
			return nil
		}}
	cmd.Flags().BoolVar(&check, "check", false, "look into the issuers' status lists now")
	return cmd
}

func walletName(c *wallet.Card, lang string) string {
	name := wallet.In(c.Names, lang)
	if name == "" {
		name = c.Type
	}
	if c.HeldFor != "" {
		name += ", held for " + c.HeldFor
	}
	return name
}

// knownBy says how this wallet knows whose card it has.
func knownBy(c *wallet.Card) string {
	switch c.Known() {
	case wallet.ByWebsite:
		return "signed by a key that it publishes"
	case wallet.ByKey:
		return "signed by a key, and nobody says whose that is"
	case wallet.ByServer:
		return "as " + c.Source + " says, where it came from; only who scans it can prove that"
	case wallet.Unfetched:
		return "not proved yet: aidpass wallet list --check"
	}
	return "as its code says; only who scans it can prove that"
}

func dayOf(t credential.Time) string {
	if t == 0 {
		return ""
	}
	return " " + time.Unix(int64(t), 0).UTC().Format(time.DateOnly)
}

func (a *app) walletShow(f *walletFlags) *cobra.Command {
	return &cobra.Command{Use: "show CARD", Short: "What one card says, as its holder may read it", Args: cobra.ExactArgs(1), Example: "  aidpass wallet show 9hJk2LmNoPqR",
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			c := p.w.Find(args[0])
			if c == nil {
				return fmt.Errorf("%s: %w", args[0], wallet.ErrNoCard)
			}
			s := c.State(a.now())
			fmt.Fprintf(a.Stdout, "%s\n  state: %s%s%s\n  issuer: %s (%s)\n", walletName(c, f.lang), s.Word, dayOf(s.At), looked(c, false), c.Issuer, knownBy(c))
			if c.Ends != 0 {
				fmt.Fprintf(a.Stdout, "  valid until:%s\n", dayOf(c.Ends))
			}
			for _, l := range c.Lines(f.lang) {
				if l.Label != l.Name {
					l.Label += " (" + l.Name + ")"
				}
				fmt.Fprintf(a.Stdout, "  %s: %s\n", l.Label, l.Value)
			}
			return nil
		}}
}

func (a *app) walletLog(f *walletFlags) *cobra.Command {
	return &cobra.Command{Use: "log", Short: "Who asked, what for, and what was shown", Args: cobra.NoArgs, Example: "  aidpass wallet log",
		RunE: func(*cobra.Command, []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			for _, e := range p.w.Log {
				line := []string{time.Unix(int64(e.At), 0).UTC().Format(time.RFC3339), e.Kind.String(), strings.Join(e.Cards, " ")}
				if e.Who != "" {
					line = append(line, e.Who)
				}
				if e.For != "" {
					line = append(line, strconv.Quote(e.For))
				}
				fmt.Fprintln(a.Stdout, strings.Join(append(line, e.Claims...), "  "))
			}
			return nil
		}}
}

func (a *app) walletLive(f *walletFlags) *cobra.Command {
	var challenge, png string
	cmd := &cobra.Command{Use: "live CARD", Short: "The live code of a card: good for two minutes, or for one challenge", Args: cobra.ExactArgs(1),
		Example: "  aidpass wallet live 9hJk2LmNoPqR --challenge challenge.bin --png live.png",
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			at := credential.FromStd(a.Now())
			e := wallet.Event{At: at, Kind: wallet.LiveShown, Cards: args}
			var c *verifier.Challenge
			if challenge != "" {
				raw, err := readFile(challenge, verifier.MaxChallenge)
				if err != nil {
					return err
				}
				if c, err = verifier.ReadChallenge(raw); err != nil {
					return fmt.Errorf("%s: %w", challenge, err)
				}
				e.Who, e.Name, e.How = c.Organisation, c.Site, "challenge"
			}
			l, err := p.w.Live(args[0], c, at)
			if errors.Is(err, wallet.ErrViewOnly) {
				return usagef("%s was restored without its keys and is for reading only", args[0]).hint("the desk issues it again: aidpass offer create --replace")
			}
			if err != nil {
				return err
			}
			sigs, err := p.sign([]openid.ToSign{{Key: l.Key, Bytes: l.ToBeSigned()}})
			if err != nil {
				return err
			}
			text, err := l.Text(sigs[0])
			if err != nil {
				return err
			}
			p.w.Note(e)
			if err := p.save(); err != nil {
				return err
			}
			if c == nil {
				a.say("it ends at %s: until then, let nobody take a photo of it", at+verifier.LiveWindow)
			}
			if png != "" {
				picture, err := qrcode.PNG(text, qrcode.L, 4)
				if err != nil {
					return err
				}
				return writeFile(png, picture)
			}
			fmt.Fprintln(a.Stdout, text)
			return nil
		}}
	cmd.Flags().StringVar(&challenge, "challenge", "", "file with the challenge of a device")
	cmd.Flags().StringVar(&png, "png", "", "picture to write, in place of the text")
	return cmd
}

func (a *app) walletBackup(f *walletFlags) *cobra.Command {
	return &cobra.Command{Use: "backup FILE", Short: "Write the cards into a file that opens with eight words", Args: cobra.ExactArgs(1),
		Long: `Write the cards into a file that opens with eight words.

The words are shown once: the file is named on stderr, and they alone stand on the
first line of the output. Keys are not in the file, as a phone cannot give its own
away: on another machine cards that are bound to them come back for reading only, and
the desk issues them again.`, Example: "  aidpass wallet backup amina.backup\n  aidpass wallet backup amina.backup > words.txt   # as wallet restore --words reads them",
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := a.openPurse(f)
			if err != nil {
				return err
			}
			words, err := wallet.NewWords(rand.Reader)
			if err != nil {
				return err
			}
			b, err := p.w.BackUp(words, rand.Reader, credential.FromStd(a.Now()))
			if err != nil {
				return err
			}
			if err := writeNew(args[0], b, 0o600); err != nil {
				return err
			}
			a.say("%s opens with these words, which are kept nowhere:", args[0])
			fmt.Fprintln(a.Stdout, words)
			return p.save()
		}}
}

func (a *app) walletRestore(f *walletFlags) *cobra.Command {
	var wordsFile string
	cmd := &cobra.Command{Use: "restore FILE --words FILE", Short: "Bring back cards from a back-up", Args: cobra.ExactArgs(1),
		Long: `Bring back cards from a back-up, into the wallet that is there, else into a new one.

Cards that are bound to keys which are not here come back for reading only: the desk
issues them again.`,
		Example: "  aidpass wallet restore amina.backup --words words.txt",
		RunE: func(_ *cobra.Command, args []string) error {
			if wordsFile == "" {
				return usagef("--words is needed").hint("a file with the eight words on its first line")
			}
			words, err := firstLine(wordsFile)
			if err != nil {
				return err
			}
			b, err := readFile(args[0], 2*wallet.MaxBytes)
			if err != nil {
				return err
			}
			open := a.openPurse
			if _, err := os.Stat(filepath.Join(f.dir, purseFile)); notThere(err) {
				open = a.newPurse
			}
			p, err := open(f)
			if err != nil {
				return err
			}
			w, lost, err := wallet.Restore(b, string(words), func(h string) bool { return p.keys[h] != nil }, credential.FromStd(a.Now()))
			if errors.Is(err, wallet.ErrKey) {
				return usagef("%s does not open with these words", args[0]).hint("the eight words that its backup showed, on the first line of --words, in their order")
			}
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := p.w.Join(w); err != nil {
				return err
			}
			fmt.Fprintf(a.Stdout, "%s; %d for reading only, to be issued again at the desk\n", plural(len(w.Cards), "card", "cards"), len(lost))
			return p.save()
		}}
	cmd.Flags().StringVar(&wordsFile, "words", "", "file with the words on its first line")
	return cmd
}

func (a *app) walletWipe(f *walletFlags) *cobra.Command {
	var sure bool
	cmd := &cobra.Command{Use: "wipe", Short: "Delete the wallet with its keys", Args: cobra.NoArgs,
		Long: `Delete the wallet with its keys. It asks at the terminal; where there is none nothing
is deleted without --yes.`,
		Example: "  aidpass wallet wipe\n  aidpass wallet wipe --yes",
		RunE: func(*cobra.Command, []string) error {
			path := filepath.Join(f.dir, purseFile)
			if _, err := os.Stat(path); err != nil {
				return err
			}
			yes, err := a.confirmOr("Cards and keys are gone for good; the desk can issue them again.", sure, "nothing was deleted")
			if err != nil || !yes {
				return err
			}
			return os.Remove(path)
		}}
	cmd.Flags().BoolVar(&sure, "yes", false, "delete without asking; needed where there is no terminal")
	return cmd
}
