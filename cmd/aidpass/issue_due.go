package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"aidpass/internal/durable"
	"aidpass/issuer"
	"aidpass/issuer/registry/intake"
	"aidpass/schemas"
)

// writeDue writes for the second person who would get what: ids, numbers in the list
// and what stands readable on the card; no names, and nothing that is sealed.
func (r *issueRun) writeDue(path string, b *issuer.Batch) error {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	line := func(cells ...string) error {
		for i := range cells {
			cells[i] = intake.SafeCell(cells[i])
		}
		return w.Write(cells)
	}
	if err := line("row", "number_in_list", "unit", "card", "until", "says", "why"); err != nil {
		return err
	}
	numbers := map[int]string{}
	for _, p := range r.list.people {
		numbers[p.number] = listNumber(p.row.External)
	}
	for row, number := range r.external {
		numbers[row] = number
	}
	for i := range b.Requests {
		q := &b.Requests[i]
		card, until := "whole", ""
		if q.Override != "" {
			card = "whole, past the gate"
		}
		if q.ExpiresAt != 0 {
			card, until = "provisional", q.ExpiresAt.String()
		}
		var says []string
		for _, name := range slices.Sorted(maps.Keys(q.Claims)) {
			if c := b.Type.Claim(name); c != nil && c.Placement == schemas.Plain {
				says = append(says, fmt.Sprintf("%s=%v", name, q.Claims[name]))
			}
		}
		if err := line(strconv.Itoa(q.Row), numbers[q.Row], q.Unit.String(), card, until, strings.Join(says, "; "), q.Override); err != nil {
			return err
		}
	}
	for _, x := range r.list.refused {
		if err := line(strconv.Itoa(x.Row), numbers[x.Row], r.units[x.Row], "none", "", "", x.Why); err != nil {
			return err
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	if err := makeParent(path); err != nil {
		return err
	}
	return durable.WriteFile(path, out.Bytes(), 0o600)
}
