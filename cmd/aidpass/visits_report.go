package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/credential/cwt"
	"aidpass/storage"
	"aidpass/verifier"
	"aidpass/verifier/visit"
)

func (a *app) visitsMergeCommand() *cobra.Command {
	var packs []string
	var out string
	cmd := &cobra.Command{
		Use:   "merge --pack FILE JOURNAL...",
		Short: "Merge journals without a database: files in, report out",
		Long: `Merge journals without a database: files in, report out, nothing is kept. The packs
vouch for the devices. Any order and partition of the files gives the same report.

Cards and what is due are not known here: visits report, after visits import, holds
the records against them too.

Exit codes: 0; 3 when a record is refused; 1 and 2 as everywhere.`,
		Example: `  aidpass visits merge --pack well-a.pack tab-1.journal tab-2.journal
  aidpass visits merge --pack well-a.pack --pack well-b.pack --json *.journal`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(packs) == 0 {
				return usagef("merge needs a pack").hint("--pack FILE: the certificates of the devices are in it")
			}
			var opened []*verifier.Pack
			for _, path := range packs {
				p, err := a.readPack(path)
				if err != nil {
					return err
				}
				opened = append(opened, p)
			}
			find, devices := packDevices(opened)
			var pieces []*visit.Piece
			for _, path := range args {
				content, err := readFile(path, visit.MaxExchangeBytes)
				if err != nil {
					return err
				}
				if visit.IsExchange(content) {
					return usagef("%s is sealed to the tables of its site", path).hint("aidpass visits import opens it with the organisation's keys; visits merge takes journals")
				}
				p, err := openPiece(path, content, find)
				if err != nil {
					return err
				}
				if p.Torn {
					a.say("warning: %s: the last record was cut off and is dropped", path)
				}
				pieces = append(pieces, p)
			}
			m := visit.Merge(visit.Facts{At: a.now(), Device: devices}, pieces...)
			if err := a.reportVisits(newVisitReport(m, verifier.LedgerKey{}), out); err != nil {
				return err
			}
			if len(m.Refused) > 0 {
				return &answeredError{exitFindings}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVar(&packs, "pack", nil, "pack with the certificates of the devices; repeat")
	cmd.Flags().StringVar(&out, "out", "", "write the report to this file: .xlsx, .csv or .json")
	return cmd
}

func (a *app) visitsReportCommand() *cobra.Command {
	var only verifier.LedgerKey
	var out string
	cmd := &cobra.Command{
		Use:   "report [--programme CODE [--round N]]",
		Short: "Tell what was handed out, and what people should look at",
		Long: `Tell what was handed out, and what people should look at: collections, conflicts
with both devices and times, copied devices, gaps, doubts, totals of every device,
site and day, and for each round of ours whether planned is collected and not
collected and cancelled together. Entitlements that say less than the journals are
brought up to them.

The file has a sheet of each (.xlsx), all records (.csv), or everything (.json). It
tells where people have been: it is readable to you alone; destroy it when it has
served.

Exit codes: 0; 3 when a round does not add up; 1 and 2 as everywhere.`,
		Example: `  aidpass visits report
  aidpass visits report --programme K7Q2 --round 1 --json
  aidpass visits report --programme K7Q2 --out K7Q2.xlsx`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if only.Round != 0 && only.Programme == "" {
				return usagef("--round needs --programme").hint("rounds are numbered in each programme")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			m, err := o.store.SettleVisits(cmd.Context(), a.actor(access.DistributionLead))
			if err != nil {
				return err
			}
			r := newVisitReport(m, only)
			if err := o.reconcile(cmd.Context(), r, m, only); err != nil {
				return err
			}
			if err := a.reportVisits(r, out); err != nil {
				return err
			}
			for _, round := range r.Rounds {
				if !round.Balanced {
					return &answeredError{exitFindings}
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&only.Programme, "programme", "", "only this programme")
	f.Uint64Var(&only.Round, "round", 0, "only this round")
	f.StringVar(&out, "out", "", "write the report to this file: .xlsx, .csv or .json")
	return cmd
}

// visitReport is a merge as people and programs read it.
type visitReport struct {
	At          string `json:"at"` // when it was merged; of merge, this laptop's clock
	Records     int    `json:"records"`
	Collected   int    `json:"collected"` // units and rounds that got all
	Partial     int    `json:"partial"`
	Conflicts   int    `json:"conflicts"` // records
	Cancelled   int    `json:"cancelled"`
	Quarantined int    `json:"quarantined"`
	Doubtful    int    `json:"doubtful"`
	Refused     int    `json:"refused"`

	Devices  []deviceRow   `json:"devices"`
	Rounds   []roundRow    `json:"rounds"` // of ours; empty without a database
	Others   []othersRow   `json:"others"` // cards of other organisations, which no plan of ours knows; empty without a database
	Accounts []accountRow  `json:"accounts"`
	Entries  []entryRow    `json:"entries"`
	Totals   []totalRow    `json:"totals"`
	Refusals []refusedLine `json:"refusals"`
}

// othersRow sums what our tables gave on the cards of another organisation.
type othersRow struct {
	Issuer    string `json:"issuer"`
	Programme string `json:"programme"`
	Round     uint64 `json:"round"`
	Collected int    `json:"collected"`
	Partial   int    `json:"partial"`
}

type deviceRow struct {
	Device    string   `json:"device"`
	Name      string   `json:"name"`
	Site      string   `json:"site"`
	Records   int      `json:"records"`
	Held      uint64   `json:"held"` // without a gap from 1
	Gaps      []string `json:"gaps"`
	Copied    uint64   `json:"copied_from"` // the first number of two records; 0: not copied
	Frozen    uint64   `json:"frozen_from"` // the same, unless somebody let it go on; 0: not frozen
	Withdrawn bool     `json:"withdrawn"`
}

type roundRow struct {
	storage.Reconciliation
	Balanced bool `json:"balanced"`
}

// accountRow is a unit and round with something to look at.
type accountRow struct {
	Issuer    string     `json:"issuer"`
	Programme string     `json:"programme"`
	Round     uint64     `json:"round"`
	Number    string     `json:"number"`
	Also      []alsoRow  `json:"also"`  // cards that replaced it, or that it replaced
	State     string     `json:"state"` // collected, partial, none
	Rest      *string    `json:"still_due"`
	Counted   []entryRow `json:"counted"`
	Conflicts []entryRow `json:"conflicts"`
}

type alsoRow struct {
	Issuer string `json:"issuer"`
	Number string `json:"number"`
}

type entryRow struct {
	Device     string        `json:"device"`
	Name       string        `json:"name"`
	Site       string        `json:"site"`
	Sequence   uint64        `json:"sequence"`
	DeviceTime string        `json:"device_time"`
	Estimated  string        `json:"estimated_time"`
	Worker     *string       `json:"worker"` // code of who opened the shift
	Kind       string        `json:"kind"`
	State      visit.State   `json:"state"`
	Issuer     *string       `json:"issuer"`
	Programme  *string       `json:"programme"`
	Round      uint64        `json:"round"`
	Number     *string       `json:"number"`
	Given      *string       `json:"given"`
	Rest       *string       `json:"still_due"`
	Collector  string        `json:"collector"` // holder, alternate, proxy; empty: not said
	Cancels    uint64        `json:"cancels"`
	Code       *string       `json:"code"`
	Doubts     []visit.Doubt `json:"doubts"`
}

type totalRow struct {
	Device      string `json:"device"`
	Name        string `json:"name"`
	Site        string `json:"site"`
	Day         string `json:"day"`
	Worker      string `json:"worker"` // code of who opened the shift; empty: not known
	Issuer      string `json:"issuer"`
	Programme   string `json:"programme"`
	Round       uint64 `json:"round"`
	Collections int    `json:"collections"`
	Parts       int    `json:"parts"`
	Conflicts   int    `json:"conflicts"`
	Cancelled   int    `json:"cancelled"`
	Quarantined int    `json:"quarantined"`
	Sum         string `json:"sum"`
}

type refusedLine struct {
	Device   string    `json:"device"`
	Sequence uint64    `json:"sequence"`
	SHA256   string    `json:"sha256"`
	Why      visit.Why `json:"why"`
}

var kindNames = map[visit.Kind]string{visit.Collection: "collection", visit.Partial: "part", visit.Counter: "counter-entry", visit.Note: "note"}

var collectorNames = map[visit.Collector]string{visit.Holder: "holder", visit.Alternate: "alternate", visit.Proxy: "proxy"}

// newVisitReport tells m, all of it or one programme or round.
func newVisitReport(m *visit.Merged, only verifier.LedgerKey) *visitReport {
	r := &visitReport{Devices: []deviceRow{}, Rounds: []roundRow{}, Others: []othersRow{}, Accounts: []accountRow{}, Entries: []entryRow{}, Totals: []totalRow{}, Refusals: []refusedLine{}}
	chosen := func(programme string, round uint64) bool {
		return (only.Programme == "" || only.Programme == programme) && (only.Round == 0 || only.Round == round)
	}
	devices := map[[8]byte]visit.Device{}
	for _, t := range m.Tables {
		devices[t.Key] = t.Device
		row := deviceRow{Device: hex.EncodeToString(t.Key[:]), Name: t.Device.Name, Site: t.Device.Site, Records: t.Records, Copied: t.Copied, Frozen: t.Frozen,
			Withdrawn: t.Device.Withdrawn > 0, Gaps: []string{}}
		for _, g := range t.Gaps {
			row.Gaps = append(row.Gaps, fmt.Sprintf("%d-%d", g.First, g.Last))
		}
		if len(t.Held) > 0 && t.Held[0].First == 1 {
			row.Held = t.Held[0].Last
		}
		r.Devices = append(r.Devices, row)
	}
	rows := make([]entryRow, len(m.Entries))
	for i := range m.Entries {
		e := &m.Entries[i]
		rows[i] = newEntryRow(e, devices[e.Key])
		if e.Kind <= visit.Partial && !chosen(e.Ledger.Programme, e.Ledger.Round) || e.Kind > visit.Partial && only.Programme != "" {
			continue
		}
		r.Entries = append(r.Entries, rows[i])
		r.Records++
		if len(e.Doubts) > 0 {
			r.Doubtful++
		}
		switch e.State {
		case visit.Conflict, visit.Over:
			r.Conflicts++
		case visit.Cancelled:
			r.Cancelled++
		case visit.Quarantined:
			r.Quarantined++
		}
	}
	for _, a := range m.Accounts {
		if !chosen(a.Ledger.Programme, a.Ledger.Round) {
			continue
		}
		row := accountRow{Issuer: a.Ledger.Issuer, Programme: a.Ledger.Programme, Round: a.Ledger.Round, Number: numberOf(a.Ledger.Pseudonym),
			Also: []alsoRow{}, State: "none", Rest: textPtr(a.Rest), Counted: []entryRow{}, Conflicts: []entryRow{}}
		for _, k := range a.Also {
			row.Also = append(row.Also, alsoRow{k.Issuer, numberOf(k.Pseudonym)})
		}
		switch {
		case a.Collected:
			row.State = "collected"
			r.Collected++
		case a.Part:
			row.State = "partial"
			r.Partial++
		}
		for _, i := range a.Counted {
			row.Counted = append(row.Counted, rows[i])
		}
		for _, i := range slices.Concat(a.Conflicts, a.Quarantined) {
			row.Conflicts = append(row.Conflicts, rows[i])
		}
		r.Accounts = append(r.Accounts, row)
	}
	for _, t := range m.Totals {
		if !chosen(t.Programme, t.Round) {
			continue
		}
		var sum []string
		for _, a := range t.Sum {
			sum = append(sum, a.String())
		}
		r.Totals = append(r.Totals, totalRow{hex.EncodeToString(t.Key[:]), devices[t.Key].Name, t.Site, t.Day, t.Worker, t.Issuer, t.Programme, t.Round,
			t.Collections, t.Parts, t.Conflicts, t.Cancelled, t.Quarantined, strings.Join(sum, ", ")})
	}
	for _, f := range m.Refused {
		r.Refusals = append(r.Refusals, refusedLine{hex.EncodeToString(f.Key[:]), f.Sequence, hex.EncodeToString(f.Hash[:]), f.Why})
	}
	r.Refused = len(r.Refusals)
	return r
}

func newEntryRow(e *visit.Entry, d visit.Device) entryRow {
	row := entryRow{Device: hex.EncodeToString(e.Key[:]), Name: d.Name, Site: d.Site, Sequence: e.Sequence, DeviceTime: e.At.String(), Estimated: e.Est.String(),
		Worker: textPtr(e.Worker), Kind: kindNames[e.Kind], State: e.State, Given: textPtr(e.Given), Rest: textPtr(e.Rest), Collector: collectorNames[e.By], Cancels: e.Cancels, Code: textPtr(e.Code),
		Doubts: slices.Concat([]visit.Doubt{}, e.Doubts)}
	if e.Ledger != (verifier.LedgerKey{}) {
		row.Issuer, row.Programme, row.Round = textPtr(e.Ledger.Issuer), textPtr(e.Ledger.Programme), e.Ledger.Round
		row.Number = textPtr(numberOf(e.Ledger.Pseudonym))
	}
	return row
}

// numberOf is the card number of a pseudonym; of another organisation's odd one, the
// pseudonym itself.
func numberOf(pseudonym string) string {
	if n, err := cwt.CardNumber(pseudonym); err == nil {
		return n
	}
	return pseudonym
}

// reconcile adds the rounds of ours.
func (o *org) reconcile(ctx context.Context, r *visitReport, m *visit.Merged, only verifier.LedgerKey) error {
	rounds := storage.VisitRounds(m, o.entry.ID)
	if only.Programme != "" && only.Round != 0 {
		rounds = []verifier.LedgerKey{only} // also one of which nothing was handed out yet
	}
	for _, k := range rounds {
		if only.Programme != "" && k.Programme != only.Programme {
			continue
		}
		c, err := o.store.Reconcile(ctx, m, k.Programme, k.Round)
		if err != nil {
			return err
		}
		r.Rounds = append(r.Rounds, roundRow{c, c.Balanced()})
	}
	r.serveOthers(o.entry.ID)
	return nil
}

// serveOthers sums what was given on cards of other organisations than own.
func (r *visitReport) serveOthers(own string) {
	for _, a := range r.Accounts {
		if a.Issuer == own || a.State == "none" {
			continue
		}
		i := slices.IndexFunc(r.Others, func(x othersRow) bool {
			return x.Issuer == a.Issuer && x.Programme == a.Programme && x.Round == a.Round
		})
		if i < 0 {
			i = len(r.Others)
			r.Others = append(r.Others, othersRow{Issuer: a.Issuer, Programme: a.Programme, Round: a.Round})
		}
		if a.State == "collected" {
			r.Others[i].Collected++
		} else {
			r.Others[i].Partial++
		}
	}
}
