package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"aidpass/access"
	"aidpass/access/witness"
	"aidpass/internal/qrcode"
	"aidpass/issuer/recheck"
	"aidpass/storage"
	"aidpass/storage/keystore"
	"aidpass/web/console"
)

// consoleAudit is console.AuditDesk on the database, with the organisation's audit key.
type consoleAudit struct{ *serving }

// refused shows conditions of the log that people mend.
func (d consoleAudit) refused(err error) error { return consoleRefusal(auditError(err)) }

func filterOf(f console.AuditFilter) storage.AuditFilter {
	return storage.AuditFilter{Actor: f.By, Action: f.Act, Object: f.Object, From: f.From, Until: f.Until, Before: f.Before}
}

// Entries implements console.AuditDesk.
func (d consoleAudit) Entries(ctx context.Context, org string, by access.Actor, f console.AuditFilter, n int) (page []access.Entry, err error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	chosen := filterOf(f)
	chosen.Newest, chosen.Limit = true, n
	err = d.o.store.AuditPage(ctx, chosen, func(e *access.Entry) error {
		page = append(page, *e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return page, d.o.store.Note(ctx, by, access.Entry{Action: "audit.read", Object: f.Object, Detail: fmt.Sprintf("rows=%d", len(page))})
}

// Log implements console.AuditDesk.
func (d consoleAudit) Log(ctx context.Context, org string, by access.Actor, from, until time.Time, yield func(*access.Entry) error) error {
	if err := d.ours(org); err != nil {
		return err
	}
	if err := d.o.store.AuditPage(ctx, storage.AuditFilter{From: from, Until: until}, yield); err != nil {
		return err
	}
	return d.o.store.Note(ctx, by, access.Entry{Action: "audit.read", Detail: "work of accounts since " + from.UTC().Format(time.DateOnly)})
}

// Rechecks implements console.AuditDesk.
func (d consoleAudit) Rechecks(ctx context.Context, org string, since time.Time) ([]recheck.Count, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	return d.rechecks().Counts(ctx, since)
}

// rechecks is the desk of who is drawn by lot to be seen again.
func (s *serving) rechecks() *recheck.Desk {
	return &recheck.Desk{Store: s.o.store, People: s.o.records(), Now: s.a.Now, Number: func() (int, error) {
		b, err := s.a.setting(console.SettingRechecks)
		if err != nil {
			return 0, err
		}
		return console.ReadRechecks(b)
	}}
}

// maxExport bounds a file of the log that a browser downloads, in bytes.
const maxExport = 64 << 20

// Export implements console.AuditDesk.
func (d consoleAudit) Export(ctx context.Context, org string, by access.Actor, f console.AuditFilter, reason string) (file []byte, rows int, err error) {
	if err := d.ours(org); err != nil {
		return nil, 0, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err = d.o.store.AuditPage(ctx, filterOf(f), func(e *access.Entry) error {
		if rows++; b.Len() > maxExport {
			return usagef("the log of these days is larger than %d MiB: take out fewer, or use aidpass audit export", maxExport>>20)
		}
		return enc.Encode(entryOf(e))
	})
	if err != nil {
		return nil, 0, consoleRefusal(err)
	}
	e := access.Entry{Action: "audit.export", Reason: reason, Detail: fmt.Sprintf("rows=%d", rows), Digest: sha256.Sum256(b.Bytes())}
	return b.Bytes(), rows, d.o.store.Note(ctx, by, e)
}

// shownCheckpoints is how many checkpoints a page shows.
const shownCheckpoints = 20

// Checkpoints implements console.AuditDesk.
func (d consoleAudit) Checkpoints(ctx context.Context, org string) (list []console.Checkpoint, err error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	kept, err := d.o.store.Checkpoints(ctx, shownCheckpoints)
	if err != nil {
		return nil, err
	}
	_, logs, err := d.o.auditKeys()
	if err != nil {
		return nil, err
	}
	witnesses, err := d.witnesses()
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		s, err := witness.Open(k.Note, logs, witnesses...)
		if err != nil { // of a key that is gone: what it says still stands in the proof
			c, perr := witness.Peek(k.Note)
			if perr != nil {
				return nil, err
			}
			s = &witness.Signed{Checkpoint: c, Raw: k.Note}
		}
		c := checkpointOf(s)
		c.At = k.At
		list = append(list, c)
	}
	return list, nil
}

func checkpointOf(s *witness.Signed) console.Checkpoint {
	c := console.Checkpoint{Size: s.Size, Paper: s.Paper().Line(), Note: string(s.Raw)}
	for _, w := range s.Cosignatures {
		c.Cosigns = append(c.Cosigns, w.Name)
	}
	return c
}

// witnesses are the audit keys of every organisation on the list in use.
func (d consoleAudit) witnesses() (keys []witness.Key, err error) {
	list, err := consoleTrust(d).inUse()
	if list == nil || err != nil {
		return nil, err
	}
	for _, o := range list.Organisations {
		keys = append(keys, auditKeysOf(o)...)
	}
	return keys, nil
}

// Sign implements console.AuditDesk.
func (d consoleAudit) Sign(ctx context.Context, org string, by access.Actor) (c console.Checkpoint, err error) {
	if err := d.ours(org); err != nil {
		return c, err
	}
	s, err := d.sign(ctx, by)
	if err != nil {
		return c, d.refused(err)
	}
	c = checkpointOf(&s)
	c.At = d.a.Now()
	return c, nil
}

func (d consoleAudit) sign(ctx context.Context, by access.Actor) (s witness.Signed, err error) {
	d.packs.mu.Lock()
	signer, key, err := d.o.currentSigner(keystore.Audit)
	d.packs.mu.Unlock()
	if err != nil {
		return s, err
	}
	name, err := witness.NewKey(d.o.entry.ID, key)
	if err != nil {
		return s, err
	}
	return d.o.store.Checkpoint(ctx, by, name.Name, "", func(c witness.Checkpoint) ([]byte, error) { return witness.Sign(c, signer) })
}

// Request implements console.AuditDesk: from the newest checkpoint that came back.
func (d consoleAudit) Request(ctx context.Context, org string, by access.Actor) ([]byte, error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	since, err := d.o.store.LastCosigned(ctx)
	if err != nil {
		return nil, err
	}
	s, err := d.sign(ctx, by)
	if err != nil {
		return nil, d.refused(err)
	}
	r := witness.Request{Old: since, Note: s.Raw}
	if 0 < since && since < s.Size {
		err = d.o.store.AuditTree(ctx, func(_ uint64, h tlog.HashReader) (err error) {
			r.Proof, err = tlog.ProveTree(int64(s.Size), int64(since), h)
			return err
		})
	}
	return r.Append(nil), err
}

// Cosigned implements console.AuditDesk.
func (d consoleAudit) Cosigned(ctx context.Context, org string, by access.Actor, raw []byte) (names []string, err error) {
	if err := d.ours(org); err != nil {
		return nil, err
	}
	_, logs, err := d.o.auditKeys()
	if err != nil {
		return nil, err
	}
	witnesses, err := d.witnesses()
	if err != nil {
		return nil, err
	}
	s, err := witness.Open(raw, logs, witnesses...)
	if err != nil {
		return nil, d.refused(err)
	}
	if len(s.Cosignatures) == 0 {
		return nil, console.ErrNoCosign
	}
	for _, c := range s.Cosignatures {
		names = append(names, c.Name)
	}
	return names, d.refused(d.o.store.Cosigned(ctx, by, s))
}

// Prove implements console.AuditDesk. That somebody asked stands in the log, after.
func (d consoleAudit) Prove(ctx context.Context, org string, by access.Actor, file []byte, paper string) (out witness.Outcome, err error) {
	if err := d.ours(org); err != nil {
		return out, err
	}
	origin, logs, err := d.o.auditKeys()
	if err != nil {
		return out, err
	}
	var promises []witness.Promise
	if file != nil {
		if texts, err := qrcode.ReadImage(bytes.NewReader(file)); err == nil {
			if file = checkpointOfCodes(texts); file == nil {
				return out, console.CannotNow(console.CannotNoCode, "no code of a checkpoint is on the picture")
			}
		}
		r, err := witness.ParseRequest(file)
		if err != nil {
			return out, d.refused(err)
		}
		s, err := witness.Open(r.Note, logs)
		if err != nil {
			return out, d.refused(err)
		}
		promises = append(promises, witness.Promise{Name: "file", Paper: s.Paper()})
	}
	if paper != "" {
		line, err := witness.ParsePaper(paper)
		if err != nil {
			return out, console.ErrNoLine
		}
		if line.Origin != origin {
			return out, console.ErrOtherLog
		}
		promises = append(promises, witness.Promise{Name: "paper", Paper: line})
	}
	if out, err = d.o.store.ProveAudit(ctx, promises); err != nil {
		return out, err
	}
	return out, d.o.store.Note(ctx, by, access.Entry{Action: "audit.verify", Detail: fmt.Sprintf("entries=%d bad=%d", out.Head.Seq, len(out.Bad))})
}
