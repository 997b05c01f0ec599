package console

import (
	"strconv"
	"time"

	"aidpass/access"
	"aidpass/issuer/insight"
	"aidpass/issuer/recheck"
)

// workDays is over how many days work is counted where nobody says; mostWorkDays the most.
const (
	workDays     = 30
	mostWorkDays = 92
)

// workData is what every account did, in counts.
type workData struct {
	Days int           `json:"days"`
	Zone int           `json:"hours_from_utc"` // of the clock by which hours are late
	Rows []access.Work `json:"accounts"`

	Rechecks []recheck.Count `json:"rechecks"`
	Least    int             `json:"-"` // households of which something is told
}

// work counts what every account did, and marks what is unusual. It tells of nobody whose
// records they are.
func (s *Audit) work(p *Page) error {
	d := workData{Days: workDays, Least: insight.Threshold}
	for _, q := range []struct {
		name        string
		to          *int
		least, most int
	}{{"days", &d.Days, 1, mostWorkDays}, {"zone", &d.Zone, -12, 14}} {
		if text := p.Query.Get(q.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < q.least || n > q.most {
				return errFields
			}
			*q.to = n
		}
	}
	count := access.Unusual{Zone: time.FixedZone("", d.Zone*3600)}
	now := p.console.Now()
	since := now.Add(-time.Duration(d.Days) * 24 * time.Hour)
	err := s.Desk.Log(p.Context(), p.Org(), p.Actor(), since, now, func(e *access.Entry) error {
		count.Add(e)
		return nil
	})
	if err != nil {
		return err
	}
	d.Rows = count.Rows()
	if d.Rechecks, err = s.Desk.Rechecks(p.Context(), p.Org(), since); err != nil {
		return err
	}
	return p.Show("audit_work", "audit.work", d)
}
