package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/internal/cose"
	"aidpass/internal/durable"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/trust"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

func (a *app) visitsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "visits",
		Short: "What was handed out: take journals in, merge them, report",
		Example: `  aidpass visits import tab-1.journal tab-2.journal --receipts out/
  aidpass visits report --programme K7Q2 --round 1 --out day.xlsx
  aidpass visits merge --pack well-a.pack tab-1.journal tab-2.journal
  aidpass visits share --pack well-a.pack --device tab-1.key --unlock code.txt --out tab-1.exchange tab-1.journal`,
	}
	cmd.AddCommand(a.visitsImportCommand(), a.visitsMergeCommand(), a.visitsReportCommand(), a.visitsShowCommand(), a.visitsReceiptCommand(), a.visitsShareCommand())
	return cmd
}

func (a *app) visitsImportCommand() *cobra.Command {
	var receipts string
	cmd := &cobra.Command{
		Use:   "import FILE...",
		Short: "Take the journals of devices into the database",
		Long: `Take the journals of devices into the database, in any order and as often as you
like: a record that is there already is known again. Files are journals, parts of
journals, or exchange files of this organisation's sites; or pictures of the moving
codes that a phone shows: a GIF, photos, or a folder with the pictures of a video.

Each record has an answer: accepted, known, review (it is kept, and people look at
it: a conflict, too much, an unknown card, a copied device) or refused with the
reason (it is not kept: the device keeps it). What units were due becomes collected,
or partly collected. With --receipts each device gets a signed receipt, by which it
may close its shift.

Exit codes: 0 every record is kept; 3 some were refused; 1 and 2 as everywhere.`,
		Example: `  aidpass visits import tab-1.journal
  aidpass visits import usb/*.journal --receipts usb/ --json
  aidpass visits import pictures/   # of a phone's screen`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.importVisits(cmd.Context(), args, receipts) },
	}
	cmd.Flags().StringVar(&receipts, "receipts", "", "folder for a receipt for each device, named by its key id")
	return cmd
}

// importedFile is what became of one file.
type importedFile struct {
	File     string `json:"file"`
	Records  int    `json:"records"` // the sum of the next four
	Accepted int    `json:"accepted"`
	Known    int    `json:"known"`
	Review   int    `json:"review"`
	Refused  int    `json:"refused"`
	Torn     bool   `json:"torn"` // the last record was cut off

	Answers []recordAnswer `json:"answers"`
}

type recordAnswer struct {
	Device   string        `json:"device"`
	Sequence uint64        `json:"sequence"`
	SHA256   string        `json:"sha256"`
	State    string        `json:"state"`
	Reason   *string       `json:"reason"`
	Flags    []visit.Doubt `json:"flags"`
}

func (a *app) importVisits(ctx context.Context, paths []string, receipts string) error {
	o, err := a.openOrg(ctx)
	if err != nil {
		return err
	}
	defer o.close()
	devices, err := o.store.Devices(ctx)
	if err != nil {
		return err
	}
	find, err := o.store.JournalKeys(ctx)
	if err != nil {
		return err
	}
	refused, copied := false, map[string]bool{}
	carried, err := readCarried(paths, visit.MaxExchangeBytes)
	if err != nil {
		return err
	}
	for _, c := range carried {
		file, err := o.importFile(ctx, c.path, c.content, devices, find)
		if err != nil {
			return err
		}
		refused = refused || file.Refused > 0
		for _, r := range file.Answers {
			copied[r.Device] = copied[r.Device] || slices.Contains(r.Flags, visit.Cloned)
		}
		if err := a.print(file, file.write); err != nil {
			return err
		}
	}
	for _, device := range slices.Sorted(maps.Keys(copied)) {
		if copied[device] {
			a.say("WARNING: device %s was copied: it signed two records of one number. All of them are kept for review, and the device is frozen: the next packs leave it out", device)
			a.say("hint: aidpass device withdraw %s --reason copied, and enrol the phone anew; or, when its key is in one phone alone, aidpass device thaw", device)
		}
	}
	if receipts != "" {
		if err := o.writeReceipts(ctx, devices, receipts); err != nil {
			return err
		}
	}
	if refused {
		a.say("refused records are not kept here: keep the files, and the devices their journals")
		return &answeredError{exitFindings}
	}
	return nil
}

func (f *importedFile) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %s: %d accepted, %d known, %d for review, %d refused\n", f.File, plural(f.Records, "record", "records"), f.Accepted, f.Known, f.Review, f.Refused)
	for _, r := range f.Answers {
		if r.State == storage.VisitReview || r.State == storage.VisitRefused {
			fmt.Fprintf(w, "  device %s, record %d: %s\n", r.Device, r.Sequence, ackWords(&r))
		}
	}
	if f.Torn {
		fmt.Fprintln(w, "  its last record was cut off")
	}
}

// importFile takes one file in, whole or not at all.
func (o *org) importFile(ctx context.Context, path string, content []byte, devices []access.Device, find func([]byte) *cose.Key) (_ *importedFile, err error) {
	if visit.IsExchange(content) {
		if content, err = o.openExchange(content, devices); err != nil {
			return nil, usagef("%s: %w", path, err).hint("it is sealed to another site, or by keys of an epoch that is over")
		}
	}
	p, err := openPiece(path, content, find)
	if err != nil {
		return nil, err
	}
	acks, err := o.store.AddVisits(ctx, o.a.actor(access.DistributionLead), p)
	if err != nil {
		return nil, err
	}
	f := &importedFile{File: path, Records: len(acks), Torn: p.Torn, Answers: []recordAnswer{}}
	for _, r := range acks {
		switch r.State {
		case storage.VisitAccepted:
			f.Accepted++
		case storage.VisitKnown:
			f.Known++
		case storage.VisitReview:
			f.Review++
		default:
			f.Refused++
		}
		f.Answers = append(f.Answers, recordAnswer{hex.EncodeToString(r.Key[:]), r.Sequence, hex.EncodeToString(r.Hash[:]), r.State, textPtr(r.Reason),
			slices.Concat([]visit.Doubt{}, r.Flags)})
	}
	return f, nil
}

// openPiece opens a file of records. One that holds none at all is the wrong file.
func openPiece(path string, content []byte, find func([]byte) *cose.Key) (*visit.Piece, error) {
	p, err := visit.Open(content, find)
	if err != nil {
		return nil, usagef("%s: %w", path, err).hint("is it the right file?")
	}
	isRecord := func(r visit.Refusal) bool { return r.Why != visit.Unreadable }
	if len(p.Records) == 0 && len(p.Refused) > 0 && !slices.ContainsFunc(p.Refused, isRecord) {
		return nil, usagef("%s: no journal", path).hint("a device's .journal file, or an exchange file of its site")
	}
	return p, nil
}

// openExchange tries the keys of every site that has devices.
func (o *org) openExchange(content []byte, devices []access.Device) (records []byte, err error) {
	err = visit.ErrExchangeKeys
	tried := map[string]bool{}
	for _, d := range devices {
		if tried[d.Site] {
			continue
		}
		tried[d.Site] = true
		keys, kerr := o.siteKeys(d.Site)
		if kerr != nil {
			return nil, kerr
		}
		if records, err = visit.OpenExchange(keys, o.entry.ID, d.Site, content); err == nil {
			return records, nil
		}
	}
	return nil, err
}

func (a *app) visitsReceiptCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "receipt --out DIR [DEVICE...]",
		Short: "Sign receipts: what the database has of each device's journal",
		Long: `Sign receipts: what the database has of each device's journal. A device may close
its shift, and forget what the receipt covers. Devices go by name or key id; without
any, every device gets one.`,
		Example: `  aidpass visits receipt --out usb/ tab-1`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usagef("no folder is named").hint("--out DIR")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			devices, err := o.devices(cmd.Context(), args...)
			if err != nil {
				return err
			}
			return o.writeReceipts(cmd.Context(), devices, out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "folder for the files, each named by the key id of its device")
	return cmd
}

// writeReceipts writes KID.receipt for each device.
func (o *org) writeReceipts(ctx context.Context, devices []access.Device, folder string) error {
	signer, key, err := o.currentSigner(keystore.Pack)
	if err != nil {
		return err
	}
	m, err := o.store.MergeVisits(ctx)
	if err != nil {
		return err
	}
	for _, d := range devices {
		r := m.ReceiptFor(o.entry.ID, d.KID, o.a.now())
		p, err := visit.PrepareReceipt(key, r)
		if err != nil {
			return err
		}
		raw, err := attach(p, signer)
		if err != nil {
			return err
		}
		path := filepath.Join(folder, d.ID()+".receipt")
		if err := makeParent(path); err != nil {
			return err
		}
		if err := writeFile(path, raw); err != nil {
			return err
		}
		held := uint64(0)
		if len(r.Held) > 0 && r.Held[0].First == 1 {
			held = r.Held[0].Last
		}
		o.a.say("%s: %s has its records up to %d", path, cmp.Or(d.Name, d.ID()), held)
		if r.Frozen > 0 {
			o.a.say("warning: %s was copied, from record %d on, and the receipt says so: aidpass device thaw or device withdraw", cmp.Or(d.Name, d.ID()), r.Frozen)
		}
	}
	return nil
}

// shareFlags are what visits share is asked for.
type shareFlags struct{ pack, device, unlock, out string }

func (a *app) visitsShareCommand() *cobra.Command {
	var f shareFlags
	cmd := &cobra.Command{
		Use:   "share --pack FILE --device KEY --unlock CODE --out FILE JOURNAL",
		Short: "Seal a journal for the other tables of the site",
		Long: `Seal a journal for the other tables of the site, who then know what this table gave:
verify --visits FILE answers ALREADY COLLECTED, and shows no place and no hour.

The file opens on devices of the same site alone, with their packs built with
--unlock, and tells a finder nothing but its rough size.`,
		Example: `  aidpass visits share --pack well-a.pack --device tab-1.key --unlock code.txt --out usb/tab-1.exchange tab-1.journal
  aidpass verify --pack well-a.pack --device tab-2.key --unlock code.txt --visits tab-2.journal --visits usb/tab-1.exchange --give -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.pack == "" || f.device == "" || f.unlock == "" || f.out == "" {
				return usagef("--pack, --device, --unlock and --out are needed").hint("aidpass visits share --help shows an example")
			}
			return a.share(f, args[0])
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.pack, "pack", "", "pack of this service point")
	fl.StringVar(&f.device, "device", "", "key file of this device")
	fl.StringVar(&f.unlock, "unlock", "", "file with the operator's code")
	fl.StringVar(&f.out, "out", "", "file to write")
	return cmd
}

func (a *app) share(f shareFlags, journal string) error {
	if err := distinct(named{journal, journal}, named{"--out", f.out}); err != nil {
		return err
	}
	p, err := a.readPack(f.pack)
	if err != nil {
		return err
	}
	device, err := a.openDevice(f.device)
	if err != nil {
		return err
	}
	u, err := unlock(p, device, f.unlock)
	if err != nil {
		return err
	}
	if len(u.SiteKeys) == 0 {
		return usagef("the pack has no keys of the site").hint("aidpass pack build --unlock builds one that has")
	}
	content, err := readFile(journal, visit.MaxJournalBytes)
	if err != nil {
		return err
	}
	piece, err := visit.Open(content, func(kid []byte) *cose.Key {
		if id := device.key.ID(); string(id[:]) == string(kid) {
			return device.key
		}
		return p.JournalKey(kid)
	})
	if err != nil {
		return err
	}
	var records []byte
	for _, r := range piece.Records {
		records = append(records, r.Raw...)
	}
	if n := len(piece.Refused); n > 0 {
		a.say("warning: %s: %s left out: %v", journal, plural(n, "record is", "records are"), &piece.Refused[0])
	}
	sealed, err := visit.SealExchange(u.SiteKeys[len(u.SiteKeys)-1], p.Org, p.Site, records, rand.Reader)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(f.out, sealed, 0o600); err != nil {
		return err
	}
	return a.print(map[string]any{"file": f.out, "records": len(piece.Records), "bytes": len(sealed)}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s for the tables of %s\n", f.out, plural(len(piece.Records), "record", "records"), p.Site)
	})
}

// readPack opens a pack for what is in it, with no memory of earlier ones.
func (a *app) readPack(path string) (*verifier.Pack, error) {
	raw, err := readFile(path, verifier.MaxPackBytes)
	if err != nil {
		return nil, err
	}
	p, _, err := verifier.OpenPack(raw, verifier.Floors{}, a.now())
	if err != nil {
		return nil, usagef("%s: %w", path, err).hint("aidpass pack show tells more")
	}
	return p, nil
}

// unlock opens the sealed keys of a pack with the device and the operator's code.
func unlock(p *verifier.Pack, device *deviceKey, codeFile string) (*verifier.Unlocked, error) {
	code, err := firstLine(codeFile)
	if err != nil {
		return nil, err
	}
	private, err := device.ecdh()
	if err != nil {
		return nil, err
	}
	recipient, err := cose.NewRecipient(private)
	if err != nil {
		return nil, err
	}
	u, err := p.Unlock(recipient, code)
	if err != nil {
		return nil, usagef("%w", err).hint("use the code and the device the pack was built for: aidpass pack build --device tab-1.cert --unlock code.txt")
	}
	return u, nil
}

// packDevices is what packs tell of their devices, for merging without a database.
func packDevices(packs []*verifier.Pack) (find func([]byte) *cose.Key, facts func([8]byte) (visit.Device, bool)) {
	find = func(kid []byte) *cose.Key {
		for _, p := range packs {
			if k := p.JournalKey(kid); k != nil {
				return k
			}
		}
		return nil
	}
	facts = func(kid [8]byte) (d visit.Device, ok bool) {
		// Of several certificates the dates of all count, whichever pack comes first.
		for _, p := range packs {
			for _, c := range p.Devices {
				if c.Key.ID() != kid || !c.May(trust.SignJournal) {
					continue
				}
				if !ok {
					d, ok = visit.Device{Site: c.Site, From: c.NotBefore, Until: c.NotAfter}, true
				}
				d.Site, d.From, d.Until = max(d.Site, c.Site), min(d.From, c.NotBefore), max(d.Until, c.NotAfter)
			}
		}
		return d, ok
	}
	return find, facts
}
