// Command aidpass-aries-gateway hands an issued credential to a wallet of the Aries
// family over DIDComm.
package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"aidpass/credential"
	"aidpass/credential/vcjwt"
	"aidpass/internal/jose"
	"aidpass/interop/aries/gateway"
	"aidpass/storage/keystore"
	"aidpass/verifier"
)

const usage = `aidpass-aries-gateway hands one credential to one wallet of the Aries family.

  aidpass-aries-gateway --credential card.jwt --pack well-a.pack \
      --keys DATA/keys/relief-a.example-i1 --passphrase-file pass.txt \
      --listen :8020 --public https://gate.relief-a.example --label "Relief A" \
      --comment "Cash, round 3"

The credential is an issued vc+jwt. The verifier judges it with the pack; then the same
is said as version 1.1, which those wallets read, under the same identity and the same
place in the status list, signed by the same key. The invitation that is printed is
for one person: the wallet that opens it first gets the credential. Exit status: 0
handed over, 1 not, 2 wrong usage.
`

// Longest files read, in bytes.
const (
	maxCredential = 64 << 10
	maxPassphrase = 4 << 10
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "aidpass-aries-gateway: error:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("see aidpass-aries-gateway --help")

// run is the command with its arguments; it prints the invitation to out.
func run(ctx context.Context, args []string, out, messages io.Writer) error {
	flags := flag.NewFlagSet("aidpass-aries-gateway", flag.ContinueOnError)
	flags.SetOutput(messages)
	flags.Usage = func() { fmt.Fprint(messages, usage); flags.PrintDefaults() }
	file := flags.String("credential", "", "the issued vc+jwt, a file")
	pack := flags.String("pack", "", "a pack that knows the organisation's keys and status lists")
	keys := flags.String("keys", "", "folder of the organisation's keys")
	passphrase := flags.String("passphrase-file", os.Getenv("AIDPASS_PASSPHRASE_FILE"), "file with their passphrase")
	issuer := flags.String("issuer", "", "did:web by which wallets look the key up; default: the key's own did:key")
	listen := flags.String("listen", ":8020", "address to listen on")
	public := flags.String("public", "", "address by which wallets reach it")
	label := flags.String("label", "", "the organisation's name")
	comment := flags.String("comment", "", "what is offered, in one line")
	wait := flags.Duration("wait", 15*time.Minute, "how long to wait for the wallet")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	for name, v := range map[string]string{"credential": *file, "pack": *pack, "keys": *keys, "passphrase-file": *passphrase, "label": *label} {
		if v == "" {
			return fmt.Errorf("--%s is needed: %w", name, errUsage)
		}
	}
	u, err := url.Parse(*public)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("--public %q is no address such as https://gate.relief-a.example: %w", *public, errUsage)
	}
	twin, err := prepare(*file, *pack, *keys, *passphrase, *issuer)
	if err != nil {
		return err
	}
	g, err := gateway.Open(*listen, *public)
	if err != nil {
		return err
	}
	defer g.Close()
	invitation, err := g.Invitation(*label)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, invitation)
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	if err := g.Give(ctx, twin, *comment); err != nil {
		return err
	}
	fmt.Fprintln(messages, "the wallet has it")
	return nil
}

// prepare reads the files and makes the twin.
func prepare(file, packFile, keys, passphrase, issuer string) (string, error) {
	text, err := read(file, maxCredential)
	if err != nil {
		return "", err
	}
	raw, err := read(packFile, verifier.MaxPackBytes)
	if err != nil {
		return "", err
	}
	at := credential.FromStd(time.Now())
	pack, _, err := verifier.OpenPack(raw, verifier.Floors{}, at)
	if err != nil {
		return "", fmt.Errorf("%s: %w", packFile, err)
	}
	signer, err := signerOf(strings.TrimSpace(string(text)), keys, passphrase)
	if err != nil {
		return "", err
	}
	return gateway.Twin(strings.TrimSpace(string(text)), pack, at, signer, issuer)
}

// signerOf unseals the key that the credential says it was signed by.
func signerOf(text, keys, passphrase string) (crypto.Signer, error) {
	e, err := vcjwt.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: a credential of form vc+jwt is needed", err)
	}
	store, err := keystore.Open(keys)
	if err != nil {
		return nil, err
	}
	infos, err := store.List()
	if err != nil {
		return nil, err
	}
	pass := func() ([]byte, error) {
		b, err := read(passphrase, maxPassphrase)
		return bytes.TrimRight(b, "\r\n"), err
	}
	for _, i := range infos {
		if i.Use == keystore.VC && i.Key != nil && jose.KeyID(i.Key) == string(e.KeyID) {
			s, _, err := store.Signer(i.ID, keystore.VC, pass)
			return s, err
		}
	}
	return nil, fmt.Errorf("%s has no key %q for wallet credentials", keys, e.KeyID)
}

// read reads a file of at most limit bytes.
func read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return b, err
}
