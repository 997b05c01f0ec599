package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/storage"
)

// auditFilter is how entries are chosen on the command line.
type auditFilter struct {
	storage.AuditFilter
	from, until string
}

func (f *auditFilter) flags(cmd *cobra.Command) {
	fl := cmd.Flags()
	// --actor is who acts, for every command.
	fl.StringVar(&f.Actor, "by", "", "account that acted")
	fl.StringVar(&f.Action, "act", "", "what was done: record.read, or record. for all that begin so")
	fl.StringVar(&f.Object, "object", "", "identifier of what was acted on")
	fl.StringVar(&f.from, "from", "", "first day or time")
	fl.StringVar(&f.until, "until", "", "last day or time")
}

func (f *auditFilter) read() (err error) {
	if f.from != "" {
		if f.From, err = parseMoment(f.from, false); err != nil {
			return err
		}
	}
	if f.until != "" {
		if f.Until, err = parseMoment(f.until, true); err != nil {
			return err
		}
		f.Until = f.Until.Add(time.Second - time.Microsecond)
	}
	return nil
}

// entryJSON is an entry as it is exported.
type entryJSON struct {
	Seq          uint64 `json:"entry"`
	At           string `json:"at"`
	Actor        string `json:"actor"`
	Role         string `json:"role"`
	Device       string `json:"device,omitempty"`
	SecondPerson string `json:"second_person,omitempty"`
	Action       string `json:"act"`
	Object       string `json:"object,omitempty"`
	Reason       string `json:"reason,omitempty"`
	Detail       string `json:"detail,omitempty"`
	Digest       string `json:"digest,omitempty"`
	Prev         string `json:"prev"`
	Hash         string `json:"hash"`
}

func entryOf(e *access.Entry) entryJSON {
	j := entryJSON{Seq: e.Seq, At: e.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), Actor: e.Actor.ID, Role: string(e.Actor.Role), Device: e.Actor.Device,
		SecondPerson: e.Actor.SecondPerson, Action: string(e.Action), Object: e.Object, Reason: e.Reason, Detail: e.Detail,
		Prev: hex.EncodeToString(e.Prev[:]), Hash: hex.EncodeToString(e.Hash[:])}
	if e.Digest != ([32]byte{}) {
		j.Digest = hex.EncodeToString(e.Digest[:])
	}
	return j
}

func (a *app) auditShowCommand() *cobra.Command {
	var f auditFilter
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Tell what was done, by whom, to what and why",
		Long: `Tell what was done, by whom, to what and why, oldest first, a page at a time. That
the log was read stands in the log.`,
		Example: `  aidpass audit show --by amina --from 2026-11-01 --until 2026-11-07
  aidpass audit show --act record. --object 6f2c8d0e9b1a4c3d8e7f60514233a1b2
  aidpass audit show --after 200 --limit 100 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.Limit < 1 || f.Limit > 10_000 {
				return usagef("--limit %d", f.Limit).hint("1 to 10000; audit export writes all")
			}
			if err := f.read(); err != nil {
				return err
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			var page []access.Entry
			limit := f.Limit
			f.Limit++ // one more tells whether there is a next page
			err = o.store.AuditPage(cmd.Context(), f.AuditFilter, func(e *access.Entry) error {
				page = append(page, *e)
				return nil
			})
			if err != nil {
				return err
			}
			more := len(page) > limit
			page = page[:min(len(page), limit)]
			if err := o.store.Note(cmd.Context(), a.actor(access.Auditor), access.Entry{Action: "audit.read", Object: f.Object, Detail: fmt.Sprintf("rows=%d", len(page))}); err != nil {
				return err
			}
			for i := range page {
				e := &page[i]
				if err := a.print(entryOf(e), func(w io.Writer) { fmt.Fprintln(w, entryLine(e)) }); err != nil {
					return err
				}
			}
			if more {
				a.say("there is more: --after %d", page[limit-1].Seq)
			}
			return nil
		},
	}
	f.flags(cmd)
	cmd.Flags().Uint64Var(&f.After, "after", 0, "entries behind this number")
	cmd.Flags().IntVar(&f.Limit, "limit", 100, "most entries shown")
	return cmd
}

// entryLine is an entry in one line.
func entryLine(e *access.Entry) string {
	by := e.Actor.ID + " as " + string(e.Actor.Role)
	if e.Actor.SecondPerson != "" {
		by += " with " + e.Actor.SecondPerson
	}
	if e.Actor.Device != "" {
		by += " at " + e.Actor.Device
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%6d %s %s: %s %s %s %s", e.Seq, e.Time.UTC().Format(time.RFC3339), by, e.Action, e.Object, e.Detail, quoted(e.Reason))), " ")
}

// quoted is a reason, which somebody typed, as one that cannot be taken for anything else.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("%q", s)
}

func (a *app) auditExportCommand() *cobra.Command {
	var f auditFilter
	var out, reason string
	cmd := &cobra.Command{
		Use:   "export --out FILE.jsonl --reason TEXT",
		Short: "Write entries of the audit log to a file, one JSON object a line",
		Long: `Write entries of the audit log to a file, one JSON object a line, for an auditor.
Who, why and how many stand in the log before the file is there. The file names
accounts and is readable to you alone.`,
		Example: `  aidpass audit export --out 2026-11.jsonl --reason "yearly audit" --from 2026-11-01 --until 2026-11-30`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" || strings.TrimSpace(reason) == "" {
				return usagef("a file and a reason are needed").hint(`aidpass audit export --out 2026-11.jsonl --reason "yearly audit"`)
			}
			if err := f.read(); err != nil {
				return err
			}
			if err := errors.Join(mustNotExist(out), makeParent(out)); err != nil {
				return err
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			rows, err := o.exportAudit(cmd.Context(), f.AuditFilter, out, reason)
			if err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "rows": rows}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %s\n", out, plural(rows, "entry", "entries"))
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "file to write")
	cmd.Flags().StringVar(&reason, "reason", "", "what for, for the audit log; no names")
	return cmd
}

// exportAudit writes the entries beside their place, notes them in the log, and only
// then gives the file its name.
func (o *org) exportAudit(ctx context.Context, f storage.AuditFilter, out, reason string) (rows int, err error) {
	file, err := os.CreateTemp(filepath.Dir(out), ".audit-*") // readable to its owner alone
	if err != nil {
		return 0, err
	}
	defer func() {
		file.Close()
		if err != nil {
			os.Remove(file.Name())
		}
	}()
	sum := sha256.New()
	w := bufio.NewWriter(io.MultiWriter(file, sum))
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err = o.store.AuditPage(ctx, f, func(e *access.Entry) error {
		rows++
		return enc.Encode(entryOf(e))
	})
	if err := errors.Join(err, w.Flush(), file.Sync(), file.Close()); err != nil {
		return rows, err
	}
	e := access.Entry{Action: "audit.export", Reason: reason, Detail: fmt.Sprintf("rows=%d", rows), Digest: [32]byte(sum.Sum(nil))}
	if err := o.store.Note(ctx, o.a.actor(access.Auditor), e); err != nil {
		return rows, err
	}
	return rows, os.Rename(file.Name(), out)
}
