package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"

	"aidpass/access"
	"aidpass/issuer/insight"
	"aidpass/storage/keystore"
	"aidpass/verifier/visit"
	"aidpass/web/console"
)

// consoleReports is console.ReportDesk on the database.
type consoleReports struct{ *serving }

// secret keys the noise of reports: HKDF-SHA-256(KEK, info "aidpass-insight-1").
func (d consoleReports) secret() ([]byte, error) {
	kek, err := d.o.secret(keystore.KEK)
	if err != nil {
		return nil, err
	}
	return hkdf.Key(sha256.New, kek, nil, "aidpass-insight-1", 32)
}

// Report implements console.ReportDesk.
func (d consoleReports) Report(ctx context.Context, org string, by access.Actor, days []string, reason string) (r console.Report, err error) {
	if err := d.ours(org); err != nil {
		return r, err
	}
	signed, err := consoleAudit(d).Checkpoints(ctx, org)
	if err != nil {
		return r, err
	}
	if len(signed) > 0 {
		r.Checkpoint = &signed[0]
	}
	secret, err := d.secret()
	if err != nil {
		return r, err
	}
	m, err := d.o.store.MergeVisits(ctx)
	if err != nil {
		return r, err
	}
	served, refused, reasons := handedOut(m)
	r.Served = insight.Tables(secret, days, served)
	var ofDays []insight.Row // a reason is what stands along this one
	for _, x := range refused {
		if len(days) > 0 && x.Group >= days[0] && x.Group <= days[len(days)-1] {
			ofDays = append(ofDays, insight.Row{Day: x.Day, Household: x.Household})
		}
	}
	r.Refused = insight.Tables(secret, reasons, ofDays)[0].Points
	if len(days) > 0 {
		from, err := time.Parse(time.DateOnly, days[0])
		if err != nil {
			return r, err
		}
		until, err := time.Parse(time.DateOnly, days[len(days)-1])
		if err != nil {
			return r, err
		}
		cards, err := d.o.store.Issued(ctx, from, until.AddDate(0, 0, 1))
		if err != nil {
			return r, err
		}
		var issued []insight.Row
		for _, c := range cards {
			issued = append(issued, insight.Row{Day: c.At.Format(time.DateOnly), Group: c.Programme, Household: c.Unit.String()})
		}
		r.Issued = insight.Tables(secret, days, issued)
	}
	devices, err := d.o.store.Devices(ctx)
	if err != nil {
		return r, err
	}
	for _, x := range devices {
		if x.State != access.DeviceConfirmed {
			continue
		}
		age := console.ListAge{Device: x.Name, Site: x.Site, Hours: -1}
		if x.ListsAt > 0 {
			age.Hours = max(0, int(d.a.Now().Sub(x.ListsAt.Std()).Hours()))
		}
		r.Devices = append(r.Devices, age)
	}
	e := access.Entry{Action: "report.read", Detail: fmt.Sprintf("days=%d", len(days))}
	if reason != "" {
		e = access.Entry{Action: "report.export", Reason: reason, Detail: fmt.Sprintf("days=%d rows=%d", len(days), len(r.Rows())-1)}
	}
	return r, d.o.store.Note(ctx, by, e)
}

// handedOut are the collections that count, by day and site; and the records that do not,
// each under its reason, with its day as the group.
func handedOut(m *visit.Merged) (served, refused []insight.Row, reasons []string) {
	sites := map[[8]byte]string{}
	for _, t := range m.Tables {
		sites[t.Key] = t.Device.Site
	}
	for i := range m.Entries {
		e := &m.Entries[i]
		if e.Kind != visit.Collection && e.Kind != visit.Partial {
			continue
		}
		day, whom := e.Est.Std().UTC().Format(time.DateOnly), fmt.Sprint(e.Ledger.Issuer, " ", e.Ledger.Pseudonym)
		if e.State == visit.Counted {
			served = append(served, insight.Row{Day: day, Group: sites[e.Key], Household: whom})
		} else {
			refused = append(refused, insight.Row{Day: string(e.State), Group: day, Household: whom})
		}
	}
	return served, refused, []string{string(visit.Conflict), string(visit.Over), string(visit.Cancelled), string(visit.Quarantined)}
}
