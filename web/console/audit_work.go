package console

import (
	"strconv"
	"time"

	"aidpass/access"
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
}

// work counts what every account did, and marks what is unusual. It tells of nobody whose
// records they are.
func (s *Audit) work(p *Page) error {
	d := workData{Days: workDays}
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
	err := s.Desk.Log(p.Context(), p.Org(), p.Actor(), now.Add(-time.Duration(d.Days)*24*time.Hour), now, func(e *access.Entry) error {
		count.Add(e)
		return nil
	})
	if err != nil {
		return err
	}
	d.Rows = count.Rows()
	return p.Show("audit_work", "audit.work", d)
}
