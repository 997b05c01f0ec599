package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"aidpass/credential/cwt"
	"aidpass/internal/durable"
	"aidpass/issuer/registry/intake"
	"aidpass/verifier/visit"
)

// reportVisits prints the report, and writes the file.
func (a *app) reportVisits(r *visitReport, out string) error {
	r.At = a.now().String()
	if out != "" {
		b, err := r.file(strings.ToLower(filepath.Ext(out)))
		if err != nil {
			return err
		}
		if err := mustNotExist(out); err != nil {
			return err
		}
		if err := makeParent(out); err != nil {
			return err
		}
		if err := durable.WriteFile(out, b, 0o600); err != nil {
			return err
		}
		a.say("%s: %s", out, plural(r.Records, "record", "records"))
	}
	return a.print(r, r.write)
}

// write is the report for a person: sums, then what is to be looked at.
func (r *visitReport) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %d collected, %d in part, %s, %d cancelled, %d quarantined, %d doubtful, %d refused\n",
		plural(r.Records, "record", "records"), r.Collected, r.Partial, plural(r.Conflicts, "conflict", "conflicts"), r.Cancelled, r.Quarantined, r.Doubtful, r.Refused)
	for _, c := range r.Rounds {
		verdict := "it adds up"
		if !c.Balanced {
			verdict = fmt.Sprintf("IT DOES NOT ADD UP: %d entitlements say another thing", c.Unsettled)
		}
		fmt.Fprintf(w, "%s round %d: planned %d = collected %d + in part %d + not collected %d + cancelled %d: %s\n", c.Programme, c.Round,
			c.Planned, c.Collected, c.Partial, c.Uncollected, c.Cancelled, verdict)
		fmt.Fprintf(w, "  due %s; given %s; %s in conflict, %d quarantined, %d cancelled\n", orNone(c.Due), orNone(c.Given), plural(c.Conflicts, "record", "records"), c.Quarantined, c.TakenBack)
		if c.Unplanned+c.Despite > 0 {
			fmt.Fprintf(w, "  given to %d who were due nothing, and to %d although it was cancelled\n", c.Unplanned, c.Despite)
		}
	}
	for _, c := range r.Others {
		fmt.Fprintf(w, "%s round %d, cards of %s: collected %d + in part %d, which that organisation's plan counts\n", c.Programme, c.Round, c.Issuer, c.Collected, c.Partial)
	}
	for _, d := range r.Devices {
		fmt.Fprintf(w, "device %s: %s", strings.Join(strings.Fields(d.Device+" "+d.Name+" "+d.Site), " "), plural(d.Records, "record", "records"))
		if len(d.Gaps) > 0 {
			fmt.Fprintf(w, ", missing %s", strings.Join(d.Gaps, " "))
		}
		switch {
		case d.Frozen > 0:
			fmt.Fprintf(w, ", COPIED: two records of one number from %d on", cmp.Or(d.Copied, d.Frozen))
		case d.Copied > 0:
			fmt.Fprintf(w, ", was copied from %d on and thawed", d.Copied)
		}
		if d.Withdrawn {
			fmt.Fprint(w, ", withdrawn")
		}
		fmt.Fprintln(w)
	}
	for _, a := range r.Accounts {
		if len(a.Conflicts) == 0 {
			continue
		}
		fmt.Fprintf(w, "card %s, %s round %d: %s\n", cwt.GroupCardNumber(a.Number), a.Programme, a.Round, a.State)
		for _, k := range a.Also {
			fmt.Fprintf(w, "  one with card %s of %s\n", cwt.GroupCardNumber(k.Number), k.Issuer)
		}
		for _, e := range slices.Concat(a.Counted, a.Conflicts) {
			given := ""
			if e.Given != nil {
				given = ", given " + *e.Given
			}
			fmt.Fprintf(w, "  %s %s %s record %d%s: %s\n", e.Estimated, e.Device, e.Site, e.Sequence, given, plain(stateWords, e.State))
		}
	}
	for _, e := range r.Entries {
		if len(e.Doubts) > 0 {
			fmt.Fprintf(w, "doubt: %s record %d at %s: %s\n", e.Device, e.Sequence, e.DeviceTime, plainAll(doubtWords, e.Doubts))
		}
	}
	for _, f := range r.Refusals {
		fmt.Fprintf(w, "refused: %s record %d: %s\n", f.Device, f.Sequence, plain(refusalWords, f.Why))
	}
}

func joinDoubts(list []visit.Doubt) string {
	var texts []string
	for _, d := range list {
		texts = append(texts, string(d))
	}
	return strings.Join(texts, " ")
}

// file is the report in the form of an ending.
func (r *visitReport) file(ending string) ([]byte, error) {
	var b bytes.Buffer
	switch ending {
	case ".json":
		err := printJSON(&b, r)
		return b.Bytes(), err
	case ".csv":
		b.WriteString("\ufeff")
		out := csv.NewWriter(&b)
		for _, row := range r.entryCells() {
			for i := range row {
				row[i] = intake.SafeCell(row[i])
			}
			if err := out.Write(row); err != nil {
				return nil, err
			}
		}
		out.Flush()
		return b.Bytes(), out.Error()
	case ".xlsx":
		book := intake.NewWorkbook(&b)
		for _, s := range []struct {
			name string
			rows [][]string
		}{{"Totals", r.totalCells()}, {"Rounds", r.roundCells()}, {"Conflicts", r.conflictCells()}, {"Devices", r.deviceCells()}, {"Records", r.entryCells()}} {
			if err := book.Sheet(s.name); err != nil {
				return nil, err
			}
			for _, row := range s.rows {
				if err := book.Row(row...); err != nil {
					return nil, err
				}
			}
		}
		err := book.Close()
		return b.Bytes(), err
	}
	return nil, usagef("a report ends in .xlsx, .csv or .json, not %q", ending).hint("--out report.xlsx")
}

var entryHeader = []string{"device", "name", "site", "record", "device_time", "estimated_time", "worker", "kind", "state", "issuer", "programme", "round", "number", "given", "still_due", "cancels", "code", "doubts"}

func (e *entryRow) cells() []string {
	return []string{e.Device, e.Name, e.Site, strconv.FormatUint(e.Sequence, 10), e.DeviceTime, e.Estimated, deref(e.Worker), e.Kind, string(e.State), deref(e.Issuer),
		deref(e.Programme), numberOrNone(e.Round), deref(e.Number), deref(e.Given), deref(e.Rest), numberOrNone(e.Cancels), deref(e.Code), joinDoubts(e.Doubts)}
}

func numberOrNone(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// orNone is a sum of amounts for a person.
func orNone(amounts string) string {
	return cmp.Or(amounts, "no amount")
}

func (r *visitReport) entryCells() [][]string {
	rows := [][]string{slices.Clone(entryHeader)}
	for i := range r.Entries {
		rows = append(rows, r.Entries[i].cells())
	}
	return rows
}

// conflictCells are the records of units with a conflict: what counts, then the others.
func (r *visitReport) conflictCells() [][]string {
	rows := [][]string{slices.Clone(entryHeader)}
	for _, a := range r.Accounts {
		if len(a.Conflicts) == 0 {
			continue
		}
		for _, e := range slices.Concat(a.Counted, a.Conflicts) {
			rows = append(rows, e.cells())
		}
	}
	return rows
}

func (r *visitReport) totalCells() [][]string {
	rows := [][]string{{"site", "device", "name", "day", "worker", "issuer", "programme", "round", "collections", "parts", "conflicts", "cancelled", "quarantined", "sum"}}
	for _, t := range r.Totals {
		rows = append(rows, []string{t.Site, t.Device, t.Name, t.Day, t.Worker, t.Issuer, t.Programme, strconv.FormatUint(t.Round, 10), strconv.Itoa(t.Collections), strconv.Itoa(t.Parts),
			strconv.Itoa(t.Conflicts), strconv.Itoa(t.Cancelled), strconv.Itoa(t.Quarantined), t.Sum})
	}
	return rows
}

func (r *visitReport) roundCells() [][]string {
	rows := [][]string{{"programme", "round", "planned", "collected", "partial", "uncollected", "cancelled", "unplanned", "despite", "due", "given", "conflicts", "quarantined", "taken_back", "balanced"}}
	for _, c := range r.Rounds {
		rows = append(rows, []string{c.Programme, strconv.FormatUint(c.Round, 10), strconv.Itoa(c.Planned), strconv.Itoa(c.Collected), strconv.Itoa(c.Partial),
			strconv.Itoa(c.Uncollected), strconv.Itoa(c.Cancelled), strconv.Itoa(c.Unplanned), strconv.Itoa(c.Despite), c.Due, c.Given,
			strconv.Itoa(c.Conflicts), strconv.Itoa(c.Quarantined), strconv.Itoa(c.TakenBack), strconv.FormatBool(c.Balanced)})
	}
	return rows
}

func (r *visitReport) deviceCells() [][]string {
	rows := [][]string{{"device", "name", "site", "records", "held", "missing", "copied_from", "frozen_from", "withdrawn"}}
	for _, d := range r.Devices {
		rows = append(rows, []string{d.Device, d.Name, d.Site, strconv.Itoa(d.Records), strconv.FormatUint(d.Held, 10), strings.Join(d.Gaps, " "),
			numberOrNone(d.Copied), numberOrNone(d.Frozen), strconv.FormatBool(d.Withdrawn)})
	}
	return rows
}
