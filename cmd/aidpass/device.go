package main

import (
	"context"
	"crypto"
	"crypto/ecdh"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/issuer"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
)

func (a *app) deviceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "device",
		Short: "Enrol the devices of service points",
		Example: `  aidpass device code --site WELL-A        # with aidpass serve: the phone enrols itself
  aidpass device pending
  aidpass device confirm tab-1

  aidpass device add --key tab-1.png --site WELL-A --out tab-1 --qr tab-1.gif   # with no network`,
	}
	cmd.AddCommand(a.deviceAddCommand(), a.deviceCodeCommand(), a.devicePendingCommand(), a.deviceConfirmCommand(), a.deviceRefuseCommand(), a.deviceListCommand(), a.deviceThawCommand(), a.deviceWithdrawCommand(), a.deviceChallengeCommand())
	return cmd
}

// mayNames are the words of --may.
var mayNames = map[string]uint64{"journal": trust.SignJournal, "referral": trust.SignSlip, "challenge": trust.SignChallenge}

// addFlags are what device add is asked for.
type addFlags struct {
	name, site, out, ceiling string
	key, words, qr, replaces string // of a phone that made its key itself
	days                     int
	block                    uint64 // entries of a status list for slips
	may                      []string
	pack                     packFlags // what the answer's pack holds
}

func (a *app) deviceAddCommand() *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{
		Use:   "add --name NAME --site SITE --out NAME",
		Short: "Certify a device, with its own key or a new one",
		Long: `Certify a device, for at most 30 days.

With --key FILE the device has made its key itself: a file it saved, or a picture
of the QR code that the phone shows. Compare the six words on its screen. NAME.enrol
is the answer for that phone alone: its certificate and the pack of its site. Copy
the file to the phone, or write it as moving QR code with --qr and hold the phone
before the screen. No network is needed.

Without --key a new key is made: NAME.key goes to the device, sealed by a passphrase
of its own (--device-passphrase-file, never the organisation's). NAME.cert goes
into the packs of its site, so that others know what it signed.`,
		Example: `  aidpass device add --key tab-1.png --site WELL-A --programme K7Q2=1@2026-11-01..2026-12-01 --unlock code.txt --out tab-1 --qr tab-1.gif

  aidpass device add --key tab-2.png --site WELL-A --may journal,referral --block 50 --out tab-2

  aidpass device add --name tab-1 --site WELL-A --days 30 --device-passphrase-file tab-1.pass --out tab-1
  aidpass pack build --site WELL-A --device tab-1.cert --unlock code.txt ...
  aidpass verify --pack well-a.pack --device tab-1.key --device-passphrase-file tab-1.pass --visits tab-1.journal --give card.png`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.out == "" || f.site == "" {
				return usagef("--site and --out are needed").hint("aidpass device add --help shows an example")
			}
			c, err := a.certificate(f.days, f.may, f.ceiling)
			if err != nil {
				return err
			}
			c.Site = f.site
			if f.block > 0 && !c.May(trust.SignSlip) || f.block > storage.MaxBlock {
				return usagef("--block %d: up to %d slips, for a device that may sign them", f.block, storage.MaxBlock).hint("--may journal,referral --block 50")
			}
			if f.key != "" {
				return a.addRequested(cmd.Context(), c, f)
			}
			return a.addDevice(cmd.Context(), c, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.name, "name", "", "what to call it (default: what the phone calls itself)")
	fl.StringVar(&f.site, "site", "", "service point it belongs to")
	fl.StringVar(&f.key, "key", "", "the key that the device made: its file, or a picture of its QR code")
	fl.StringVar(&f.words, "words", "", "with --key: the six words that the phone shows (asked at the terminal)")
	fl.StringVar(&f.qr, "qr", "", "with --key: write the answer as moving QR code to this GIF too")
	fl.StringVar(&f.replaces, "replaces", "", "with --key: key id of the device it takes the place of, which is withdrawn")
	fl.StringVar(&f.out, "out", "", "name of the files, without their endings")
	certificateFlags(fl, &f.days, &f.may, &f.ceiling)
	fl.Uint64Var(&f.block, "block", 0, "with --may referral: how many slips it may sign, each with an entry of a status list that is reserved now, for good")
	f.pack.contents(fl)
	f.pack.days = packDays
	return cmd
}

// certificateFlags are the flags of what a device may do, and for how long.
func certificateFlags(f *pflag.FlagSet, days *int, may *[]string, ceiling *string) {
	f.IntVar(days, "days", 30, "how long, at most 30")
	f.StringSliceVar(may, "may", []string{"journal", "challenge"}, "what it may sign: journal, referral, challenge")
	f.StringVar(ceiling, "ceiling", "", "opaque code of its ceiling")
}

// certifiedBefore is how far a phone's clock may be behind this machine's, in
// seconds, and the phone record at once.
const certifiedBefore = 600

// certificate begins a certificate that starts now, seen from a clock that is a
// little behind.
func (a *app) certificate(days int, may []string, ceiling string) (*trust.DeviceCertificate, error) {
	from := a.now() - certifiedBefore
	c := &trust.DeviceCertificate{Ceiling: ceiling, NotBefore: from, NotAfter: from + credential.Time(days)*day}
	for _, m := range may {
		bit, ok := mayNames[m]
		if !ok {
			return nil, usagef("--may %q", m).hint("journal, referral, challenge")
		}
		if !slices.Contains(c.MaySign, bit) {
			c.MaySign = append(c.MaySign, bit)
		}
	}
	slices.Sort(c.MaySign)
	return c, nil
}

// addDevice makes a device's key and its certificate.
func (a *app) addDevice(ctx context.Context, c *trust.DeviceCertificate, f addFlags) error {
	name, out := f.name, f.out
	if name == "" {
		name = filepath.Base(out)
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	if _, err := o.current(keystore.DeviceCA); err != nil {
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
	c.Key = info.Key
	if err := o.siteSpelling(ctx, c.Site); err != nil {
		return err
	}
	if err := o.reserveBlock(ctx, c, f.block); err != nil {
		return err
	}
	raw, err := o.certify(ctx, a.actor(access.OrgAdmin), c, name, "")
	if err != nil {
		return err
	}
	if err := writeNew(out+".cert", raw, 0o644); err != nil {
		return err
	}
	certified = true
	result := map[string]any{"key": out + ".key", "certificate": out + ".cert", "kid": info.ID, "device": hex.EncodeToString(c.DeviceID),
		"site": c.Site, "until": c.NotAfter.String(), "block": blockJSON(c.Block)}
	return a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s.key   for the device; its key id is %s\n%s.cert  for the packs of %s; it ends %s\n", out, info.ID, out, c.Site, c.NotAfter)
	})
}

// reserveBlock reserves entries of a status list that a device will sign slips under,
// as long as its last slip may live. None: the certificate has no block.
func (o *org) reserveBlock(ctx context.Context, c *trust.DeviceCertificate, count uint64) error {
	if count == 0 {
		return nil
	}
	lists := issuer.ListPolicy{Prefix: o.entry.StatusPrefixes[0], Size: o.a.ListSize}.WithDefaults()
	b, err := o.store.ReserveBlock(ctx, o.a.actor(access.Issuer), c.Key.ID(), lists, count, c.NotAfter+trust.MaxSlipLife, o.a.Now())
	c.Block = &b
	return err
}

// blockJSON is a block as programs read it; null for none.
func blockJSON(b *trust.StatusBlock) any {
	if b == nil {
		return nil
	}
	return map[string]any{"list": b.URI, "first": b.First, "count": b.Count}
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
