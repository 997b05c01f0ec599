package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential"
	"aidpass/internal/qrcode"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier/enrol"
	"aidpass/web/console"
)

// Enrolment goes two ways. With the server: device code, the phone shows it,
// device pending, device confirm. With none: the phone's key as a file or picture,
// device add --key, the answer as a file or a row of QR codes.

// certify signs a certificate and enters the device, ending the one that replaces names
// (empty: none) in the same step: a phone that lost its storage comes back with another
// key. It is in the log and on record before it is in anybody's hands.
func (o *org) certify(ctx context.Context, by access.Actor, c *trust.DeviceCertificate, name, replaces string) ([]byte, error) {
	ca, caKey, err := o.currentSigner(keystore.DeviceCA)
	if err != nil {
		return nil, err
	}
	if c.NotBefore, err = o.notBefore(keystore.DeviceCA, c.NotBefore); err != nil {
		return nil, err
	}
	c.Org, c.DeviceID = o.entry.ID, make([]byte, 8)
	rand.Read(c.DeviceID) // never fails (crypto/rand)
	p, err := trust.PrepareDevice(caKey, *c)
	if err != nil {
		return nil, usagef("%w", err).coded(console.CannotTerms).hint("at most 30 days; sites are short codes")
	}
	made := storage.Certified{Device: access.Device{KID: c.Key.ID(), Key: c.Key, Name: name, Site: c.Site, State: access.DeviceConfirmed, From: c.NotBefore, Until: c.NotAfter}}
	old, err := o.replaced(ctx, replaces, &made.Device)
	if err != nil {
		return nil, err
	}
	if old != nil {
		made.Replaces = &old.KID
	}
	if made.Device.Certificate, err = attach(p, ca); err != nil {
		return nil, err
	}
	if err := o.store.CertifyDevice(ctx, by, made); err != nil {
		return nil, err
	}
	if old != nil {
		o.a.say("%s (%s) is withdrawn: what it records from now on is marked", old.Name, old.ID())
	}
	return made.Device.Certificate, nil
}

// replaced finds the device that a newly certified one takes the place of, nil for none.
// Without a name, others of its name at the site are named, so that somebody decides.
func (o *org) replaced(ctx context.Context, name string, made *access.Device) (*access.Device, error) {
	if name != "" {
		d, err := o.device(ctx, name)
		if err != nil {
			return nil, err
		}
		if d.KID == made.KID || d.State == access.DeviceWithdrawn || d.Site != made.Site {
			return nil, usagef("--replaces %s: it is not another device of %s that is in use", name, made.Site).coded(console.CannotReplace).hint("aidpass device list --site %s", made.Site)
		}
		return &d, nil
	}
	devices, err := o.store.Devices(ctx)
	for _, d := range devices {
		if d.Name == made.Name && d.Site == made.Site && d.KID != made.KID && d.State == access.DeviceConfirmed {
			o.a.say("warning: another key is called %s at %s and still records: %s", d.Name, d.Site, d.ID())
			o.a.say("hint: if this phone was wiped or lost its data: aidpass device withdraw %s --reason replaced", d.ID())
		}
	}
	return nil, err
}

// readRequest reads a device's request from a file: its bytes, its text, or a
// picture of its QR code.
func readRequest(path string) (enrol.Request, error) {
	content, err := readFile(path, maxPictureFile)
	if err != nil {
		return enrol.Request{}, err
	}
	r, err := enrol.ParseRequest(content)
	if err == nil {
		return r, nil
	}
	texts, pictureErr := qrcode.ReadImage(bytes.NewReader(content))
	if pictureErr == nil {
		for _, text := range texts {
			if enrol.IsRequestText(text) {
				return enrol.ParseRequest([]byte(text))
			}
		}
	}
	return r, usagef("%s: %w", path, err).hint("a device's .devkey file, or a picture of the QR code that the phone shows")
}

// maxPictureFile bounds a photo of a phone's screen, in bytes.
const maxPictureFile = 32 << 20

// addRequested certifies a device by the request it made itself, and answers with
// certificate and pack, sealed to it.
func (a *app) addRequested(ctx context.Context, c *trust.DeviceCertificate, f addFlags) error {
	r, err := readRequest(f.key)
	if err != nil {
		return err
	}
	if f.name != "" {
		r.Name = f.name
	}
	if ok, err := a.sameWords(r, f.words); err != nil || !ok {
		return err
	}
	files := []string{f.out + ".cert", f.out + ".enrol"}
	for _, path := range append(files, f.qr) {
		if path != "" {
			if err := mustNotExist(path); err != nil {
				return err
			}
		}
	}
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.plausibleClock(ctx); err != nil {
		return err
	}
	c.Key = r.Key
	if err := o.siteSpelling(ctx, c.Site); err != nil {
		return err
	}
	if err := o.reserveBlock(ctx, c, f.block); err != nil {
		return err
	}
	cert, err := o.certify(ctx, a.actor(access.OrgAdmin), c, r.Name, f.replaces)
	if err != nil {
		return err
	}
	if err := writeNew(files[0], cert, 0o644); err != nil {
		return err
	}
	pack := f.pack
	pack.site = c.Site
	if pack.trust == "" {
		pack.trust = a.keptPath()
	}
	if pack.enrolled, err = o.enrolled(ctx, c.Site); err != nil {
		return err
	}
	raw, _, err := o.newPack(ctx, pack)
	if err != nil {
		return fmt.Errorf("the certificate is in %s; its pack: %w", files[0], err)
	}
	answer, err := enrol.Seal(enrol.Answer{Certificate: cert, Pack: raw}, r.Key)
	if err != nil {
		return err
	}
	if err := writeNew(files[1], answer, 0o644); err != nil {
		return err
	}
	if f.qr != "" {
		moving, err := movingCode(answer, framesASecond)
		if err != nil {
			return err
		}
		if err := writeNew(f.qr, moving, 0o644); err != nil {
			return err
		}
		files = append(files, f.qr)
	}
	id := r.Key.ID()
	result := map[string]any{"device": fmt.Sprintf("%x", id), "name": r.Name, "site": c.Site, "until": c.NotAfter.String(), "words": enrol.Words(r.Key),
		"block": blockJSON(c.Block), "certificate": files[0], "answer": files[1], "bytes": len(answer)}
	return a.print(result, func(w io.Writer) {
		fmt.Fprintf(w, "%s, device %x of %s, until %s\n", r.Name, id, c.Site, c.NotAfter)
		fmt.Fprintf(w, "%s is for the phone alone: copy it there, and open it in the scanner\n", files[1])
		if f.qr != "" {
			fmt.Fprintf(w, "%s shows the same as %d QR codes, over and over: open it and hold the phone before it\n", f.qr, len(enrol.Frames(answer)))
		}
	})
}

// sameWords makes sure that a person has compared the words of a key: by
// --words, else by asking at the terminal.
func (a *app) sameWords(r enrol.Request, given string) (bool, error) {
	words := enrol.Words(r.Key)
	if given != "" {
		if strings.Join(strings.Fields(strings.ToLower(given)), " ") != words {
			return false, usagef("the words are not those of %q: its key has other ones", r.Name).
				hint("another phone may have used the code: refuse it (aidpass device refuse NAME) and begin again")
		}
		return true, nil
	}
	if !a.isTerminal() {
		return false, usagef("somebody must compare the words of %q with those on the phone", r.Name).hint("--words %q, as the phone shows them", "six words")
	}
	a.say("the phone must show these words: %s", words)
	return a.confirm("Does it?")
}

// enrolled returns the devices of a site that have a certificate and may have packs:
// neither withdrawn nor frozen.
func (o *org) enrolled(ctx context.Context, site string) ([]access.Device, error) {
	all, err := o.store.Devices(ctx)
	if err != nil {
		return nil, err
	}
	var list []access.Device
	for _, d := range all {
		if d.Site == site && d.State == access.DeviceConfirmed && !d.Frozen() {
			list = append(list, d)
		}
	}
	return list, nil
}

func (a *app) deviceCodeCommand() *cobra.Command {
	var site, address string
	cmd := &cobra.Command{
		Use:   "code --site SITE",
		Short: "Make a code by which one phone enrols itself at the server",
		Long: `Make a code by which one phone enrols itself at the server (aidpass serve).

It is good for ten minutes and for the first phone that shows it. The QR code
holds the server's address and the code: the phone's own camera opens it.`,
		Example: `  aidpass device code --site WELL-A
  aidpass device pending
  aidpass device confirm tab-1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if site == "" {
				return usagef("--site is needed").hint("aidpass device code --site WELL-A")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if address == "" {
				address = a.serverAddress()
			}
			return a.showCode(cmd.Context(), o, site, address)
		},
	}
	cmd.Flags().StringVar(&site, "site", "", "service point the phone is for")
	cmd.Flags().StringVar(&address, "server", "", "address of the server, as https://192.168.1.5:8443 (default: the one that runs here)")
	return cmd
}

// showCode makes a code and prints it, with its QR code where the address of the
// server is known.
func (a *app) showCode(ctx context.Context, o *org, site, address string) error {
	if err := o.siteSpelling(ctx, site); err != nil {
		return err
	}
	code, until, err := o.store.NewEnrolmentCode(ctx, a.actor(access.OrgAdmin), site)
	if err != nil {
		return usagef("%w", err).hint("sites are short codes, as WELL-A")
	}
	link := ""
	if address != "" {
		link = strings.TrimSuffix(address, "/") + "/scanner/#enrol=" + code
	}
	result := map[string]any{"code": code, "site": site, "until": credential.FromStd(until).String(), "link": textPtr(link)}
	return a.print(result, func(w io.Writer) {
		if link != "" {
			if m, err := qrcode.Matrix(link, qrcode.M); err == nil {
				writeBlocks(w, m, a.stdoutIsTerminal())
			}
			fmt.Fprintln(w, link)
		}
		fmt.Fprintf(w, "code %s-%s for one phone of %s, until %s\n", code[:4], code[4:], site, until.UTC().Format("15:04 UTC"))
		if link == "" {
			fmt.Fprintln(w, "no server of this folder runs here: aidpass serve, or --server tells where it is; then the QR code is shown too")
		}
	})
}

func (a *app) devicePendingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "pending",
		Short: "List the phones that wait to be confirmed, with their words",
		Example: `  aidpass device pending
  aidpass device pending --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			list, err := o.pending(cmd.Context())
			if err != nil {
				return err
			}
			var lines []map[string]any
			for _, d := range list {
				lines = append(lines, map[string]any{"device": d.ID(), "name": d.Name, "site": d.Site, "words": enrol.Words(d.Key),
					"since": credential.FromStd(d.AddedAt).String()})
			}
			return a.print(map[string]any{"pending": lines}, func(w io.Writer) {
				for _, d := range list {
					fmt.Fprintf(w, "%s  %s of %s: %s\n", d.ID(), d.Name, d.Site, enrol.Words(d.Key))
				}
				if len(list) == 0 {
					fmt.Fprintln(w, "no phone waits; aidpass device code --site SITE makes a code for one")
					return
				}
				fmt.Fprintln(w, "next: aidpass device confirm NAME, where the phone shows the same words; else aidpass device refuse NAME")
			})
		},
	}
}

// pending returns the devices that nobody confirmed yet.
func (o *org) pending(ctx context.Context) (list []access.Device, err error) {
	all, err := o.store.Devices(ctx)
	for _, d := range all {
		if d.State == access.DevicePending {
			list = append(list, d)
		}
	}
	return list, err
}

// waiting returns the device of a name or key id that waits to be confirmed. With renew
// a confirmed one will do.
func (o *org) waiting(ctx context.Context, name string, renew bool) (access.Device, error) {
	states := []access.DeviceState{access.DevicePending}
	if renew {
		states = append(states, access.DeviceConfirmed)
	}
	d, err := o.device(ctx, name, states...)
	if errors.Is(err, errNoDevice) {
		return d, usagef("no phone called %q waits to be confirmed", name).hint("aidpass device pending lists those that do; --renew for one that was confirmed before")
	}
	return d, err
}

func (a *app) deviceConfirmCommand() *cobra.Command {
	var days int
	var may []string
	var words, ceiling, replaces string
	var renew bool
	cmd := &cobra.Command{
		Use:   "confirm NAME",
		Short: "Confirm a phone whose words were compared: it gets its certificate",
		Long: `Confirm a phone whose words were compared: it gets its certificate and pack from
the server by itself. --renew gives a confirmed one another certificate.

NAME is what the phone calls itself, or the 16 digits of its key.`,
		Example: `  aidpass device confirm tab-1
  aidpass device confirm tab-1 --words "fossil globe holly tuxedo mermaid anthem" --days 14
  aidpass device confirm tab-1 --replaces 48738345e7b91cce   # its data was lost
  aidpass device confirm tab-1 --renew`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.certificate(days, may, ceiling)
			if err != nil {
				return err
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			if err := o.plausibleClock(cmd.Context()); err != nil {
				return err
			}
			d, err := o.waiting(cmd.Context(), args[0], renew)
			if err != nil {
				return err
			}
			if d.State == access.DevicePending {
				if ok, err := a.sameWords(enrol.Request{Key: d.Key, Name: d.Name}, words); err != nil || !ok {
					return err
				}
			}
			c.Key, c.Site = d.Key, d.Site
			if _, err := o.certify(cmd.Context(), a.actor(access.OrgAdmin), c, d.Name, replaces); err != nil {
				return err
			}
			result := map[string]any{"device": d.ID(), "name": d.Name, "site": d.Site, "until": c.NotAfter.String()}
			return a.print(result, func(w io.Writer) {
				fmt.Fprintf(w, "%s, device %s of %s, until %s: the phone fetches its pack by itself\n", d.Name, d.ID(), d.Site, c.NotAfter)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&words, "words", "", "the six words that the phone shows (asked at the terminal)")
	f.StringVar(&replaces, "replaces", "", "key id of the device it takes the place of, which is withdrawn")
	f.BoolVar(&renew, "renew", false, "another certificate for a phone that was confirmed before")
	certificateFlags(f, &days, &may, &ceiling)
	return cmd
}

func (a *app) deviceRefuseCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "refuse NAME",
		Short:   "Refuse a phone that nobody knows",
		Example: `  aidpass device refuse tab-1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			d, err := o.waiting(cmd.Context(), args[0], false)
			if err != nil {
				return err
			}
			d.State, d.Reason = access.DeviceRefused, "not_confirmed"
			if err := o.store.SaveDevice(cmd.Context(), a.actor(access.OrgAdmin), d); err != nil {
				return err
			}
			return a.print(map[string]any{"device": d.ID(), "state": d.State}, func(w io.Writer) {
				fmt.Fprintf(w, "%s, device %s, is refused\n", d.Name, d.ID())
			})
		},
	}
}
