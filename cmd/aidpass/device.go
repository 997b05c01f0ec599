package main

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

func (a *app) deviceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "device",
		Short:   "Enrol the devices of service points",
		Example: `  aidpass device add --name tab-1 --site wellA --days 30 --out tab-1`,
	}
	cmd.AddCommand(a.deviceAddCommand())
	return cmd
}

// mayNames are the words of --may.
var mayNames = map[string]uint64{"journal": trust.SignJournal, "referral": trust.SignSlip, "challenge": trust.SignChallenge}

func (a *app) deviceAddCommand() *cobra.Command {
	var name, site, out, ceiling string
	var days int
	var may []string
	cmd := &cobra.Command{
		Use:   "add --name NAME --site SITE --out NAME",
		Short: "Make a device's key and its certificate",
		Long: `Make a device's key and its certificate, for at most 30 days.

NAME.key goes to the device, sealed by a passphrase of its own
(--device-passphrase-file, never the organisation's). NAME.cert goes
into the packs of its site, so that others know what it signed.`,
		Example: `  aidpass device add --name tab-1 --site wellA --days 30 --device-passphrase-file tab-1.pass --out tab-1
  aidpass pack build --site wellA --device tab-1.cert --unlock code.txt ...
  aidpass verify --pack wellA.pack --device tab-1.key --device-passphrase-file tab-1.pass --visits tab-1.journal --give card.png`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" || site == "" {
				return usagef("--site and --out are needed").hint("aidpass device add --help shows an example")
			}
			c := trust.DeviceCertificate{Site: site, Ceiling: ceiling, NotBefore: a.now(), NotAfter: a.now() + credential.Time(days)*day}
			for _, m := range may {
				bit, ok := mayNames[m]
				if !ok {
					return usagef("--may %q", m).hint("journal, referral, challenge")
				}
				if !slices.Contains(c.MaySign, bit) {
					c.MaySign = append(c.MaySign, bit)
				}
			}
			slices.Sort(c.MaySign)
			return a.addDevice(cmd.Context(), &c, name, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what to call it")
	f.StringVar(&site, "site", "", "service point it belongs to")
	f.IntVar(&days, "days", 30, "how long, at most 30")
	f.StringSliceVar(&may, "may", []string{"journal"}, "what it may sign: journal, referral, challenge")
	f.StringVar(&ceiling, "ceiling", "", "opaque code of its ceiling")
	f.StringVar(&out, "out", "", "name of the two files, without their endings")
	return cmd
}

func (a *app) addDevice(ctx context.Context, c *trust.DeviceCertificate, name, out string) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	ca, caKey, err := o.currentSigner(keystore.DeviceCA)
	if err != nil {
		return err
	}
	if err := mustNotExist(out + ".cert"); err != nil {
		return err
	}
	info, err := keystore.CreateFile(out+".key", a.workFactor(), keystore.Device, keystore.P256, name, a.newDevicePassphrase(o.pass()), a.Now())
	if err != nil {
		return err
	}
	certified := false
	defer func() {
		if !certified {
			os.Remove(out + ".key") // a key without a certificate would only stand in the way
		}
	}()
	c.Org, c.Key = o.entry.ID, info.Key
	c.DeviceID = make([]byte, 8)
	rand.Read(c.DeviceID) // never fails (crypto/rand)
	p, err := trust.PrepareDevice(caKey, *c)
	if err != nil {
		return usagef("%w", err).hint("at most 30 days; sites are short codes")
	}
	raw, err := attach(p, ca)
	if err != nil {
		return err
	}
	// In the log before it is in anybody's hands.
	if err := o.store.Note(ctx, a.actor(access.Issuer), access.Entry{Action: "device.certify", Object: info.ID,
		Detail: "site=" + c.Site + " until=" + c.NotAfter.String(), Digest: sha256.Sum256(raw)}); err != nil {
		return err
	}
	if err := writeNew(out+".cert", raw, 0o644); err != nil {
		return err
	}
	certified = true
	result := map[string]any{"key": out + ".key", "certificate": out + ".cert", "kid": info.ID, "device": hex.EncodeToString(c.DeviceID),
		"site": c.Site, "until": c.NotAfter.String()}
	return a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s.key   for the device; its key id is %s\n%s.cert  for the packs of %s; it ends %s\n", out, info.ID, out, c.Site, c.NotAfter)
	})
}

// openDevice reads a device's key file; the passphrase is asked for when the key
// is first used.
func (a *app) openDevice(path string) (*deviceKey, error) {
	store, info, err := keystore.OpenFile(path)
	if err != nil {
		return nil, err
	}
	if info.Use != keystore.Device {
		return nil, usagef("%s holds a %s key, not a device's", path, info.Use).hint("aidpass device add makes one")
	}
	pass := a.devicePassphrase(path)
	return &deviceKey{key: info.Key,
		signer: func() (crypto.Signer, error) {
			s, _, err := store.Signer(info.ID, keystore.Device, pass)
			return s, err
		},
		ecdh: func() (*ecdh.PrivateKey, error) { return store.ECDH(info.ID, keystore.Device, pass) },
	}, nil
}
