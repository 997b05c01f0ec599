package console_test

import (
	"encoding/xml"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aidpass/access"
)

// Each chart is a drawing with a title and a description, and a table that says the same;
// few are told as few; names are text.
func TestChartsHaveTables(t *testing.T) {
	w := newWorld(t)
	page := w.as(own, access.Finance).get("/reports?days=7").Body.String()
	drawings := regexp.MustCompile(`(?s)<svg .*?</svg>`).FindAllString(page, -1)
	if len(drawings) != 6 || strings.Count(page, "<table>") != len(drawings) {
		t.Fatalf("%d drawings, %d tables", len(drawings), strings.Count(page, "<table>"))
	}
	ids := map[string]bool{}
	for _, svg := range drawings {
		d := xml.NewDecoder(strings.NewReader(svg))
		var elements []string
		for {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v in %s", err, svg)
			}
			if e, ok := token.(xml.StartElement); ok {
				elements = append(elements, e.Name.Local)
				for _, a := range e.Attr {
					if a.Name.Local == "id" && ids[a.Value] {
						t.Errorf("two elements are called %q", a.Value)
					} else if a.Name.Local == "id" {
						ids[a.Value] = true
					}
				}
			}
		}
		if elements[1] != "title" || elements[2] != "desc" || slices.Contains(elements, "b") {
			t.Errorf("a drawing of %v", elements)
		}
	}
	if !strings.Contains(page, "fewer than 10") || !strings.Contains(page, "\u2068&lt;10\u2069") || strings.Contains(page, "<b>WELL") {
		t.Error("few are not told as few, or a site is markup")
	}
	sums, _, _ := strings.Cut(page, `id="checkpoint"`) // which has a time of its own
	if strings.Contains(sums, "22 November") || !strings.Contains(sums, "21 November") {
		t.Error("a day that is not over is told of, or the last is not")
	}
	if want := []string{"report of 7 days to 2026-11-21: "}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q", w.desks[own].told)
	}
	if a := w.as(own, access.Finance).get("/reports?days=1"); a.Code != 400 {
		t.Errorf("a single day: %d", a.Code)
	}
}

// A file of the sums has a reason, tells few as few, and no cell of it is a formula.
func TestAReportAsAFile(t *testing.T) {
	w := newWorld(t)
	b := w.as(own, access.DistributionLead)
	if a := b.post("/reports/csv", url.Values{}); a.Code != 422 {
		t.Errorf("without a reason: %d", a.Code)
	}
	a := b.post("/reports/csv", url.Values{"reason": {"for the donor"}})
	if got := a.Body.String(); a.Code != 200 || !strings.Contains(got, "served,,2026-11-08,<10\n") || strings.Contains(got, ",=tab-1") || !strings.Contains(got, "refused,,conflict,15\n") {
		t.Errorf("%d: %s", a.Code, got)
	}
	if want := []string{"report of 14 days to 2026-11-21: for the donor"}; !slices.Equal(w.desks[own].told, want) {
		t.Errorf("the desk was told %q", w.desks[own].told)
	}
}
