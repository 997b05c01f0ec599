package main

import (
	"crypto/rand"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aidpass/credential/qr"
	"aidpass/internal/cose"
	"aidpass/internal/qrcode"
	"aidpass/trust"
	"aidpass/verifier"
)

func (a *app) deviceChallengeCommand() *cobra.Command {
	var key, certificate, out, png string
	cmd := &cobra.Command{
		Use:   "challenge --device FILE --certificate FILE --out FILE",
		Short: "Ask a phone for a live code: a challenge for one wallet to answer",
		Long: `Ask a phone for a live code. The challenge says organisation and site, and is
signed by the device; the wallet that scans it shows who asks and answers with a
live code that no photograph made before can stand for. Judge the answer with
verify --challenge FILE, once and within four minutes. The device's certificate must say "challenge".`,
		Example: `  aidpass device challenge --device tab-1.key --device-passphrase-file tab-1.pass --certificate tab-1.cert --out challenge.bin --png challenge.png
  aidpass verify --pack well-a.pack --state tab.state --challenge challenge.bin live.png`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if key == "" || certificate == "" || out == "" {
				return usagef("--device, --certificate and --out are needed").hint("aidpass device challenge --help shows an example")
			}
			return a.challenge(key, certificate, out, png)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&key, "device", "", "key file of this device")
	fl.StringVar(&certificate, "certificate", "", "its certificate, as device add wrote it")
	fl.StringVar(&out, "out", "", "file to write, for verify --challenge")
	fl.StringVar(&png, "png", "", "QR code to show to the phone")
	return cmd
}

// challenge writes a new challenge of a device.
func (a *app) challenge(keyFile, certificateFile, out, png string) error {
	raw, err := readFile(certificateFile, verifier.MaxChallenge)
	if err != nil {
		return err
	}
	c, err := trust.ReadDevice(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", certificateFile, err)
	}
	key, err := a.openDevice(keyFile)
	if err != nil {
		return err
	}
	if c.Key.Thumbprint() != key.key.Thumbprint() {
		return usagef("%s is not the certificate of %s", certificateFile, keyFile).hint("aidpass device add writes both under one name")
	}
	nonce := make([]byte, verifier.NonceBytes)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	p, err := verifier.PrepareChallenge(c, nonce, a.now())
	if err != nil {
		return fmt.Errorf("%s: %w (device add --may journal,challenge)", certificateFile, err)
	}
	signer, err := key.signer()
	if err != nil {
		return err
	}
	signature, err := cose.SignRaw(signer, p.ToBeSigned())
	if err != nil {
		return err
	}
	challenge, err := p.Attach(signature)
	if err != nil {
		return err
	}
	text, err := qr.Encode(challenge)
	if err != nil {
		return err
	}
	if png != "" {
		picture, err := qrcode.PNG(text, qrcode.L, 6)
		if err != nil {
			return err
		}
		if err := writeFile(png, picture); err != nil {
			return err
		}
	}
	if err := writeFile(out, challenge); err != nil {
		return err
	}
	return a.print(map[string]any{"file": out, "text": text, "organisation": c.Org, "site": c.Site, "at": a.now().String()}, func(w io.Writer) {
		fmt.Fprintf(w, "%s  asks for %s at %s; show its code to the phone, then: aidpass verify --challenge %s\n", out, c.Org, c.Site, out)
	})
}
