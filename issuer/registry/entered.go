package registry

import "time"

// EnteredBy is who entered a record: the account that set the first of its fields that still
// stand as they were entered. Who met her is not who entered her: MetField is left out. Empty:
// all were changed since.
func (r Record) EnteredBy() (by string) {
	var first time.Time
	for name, v := range r.Fields {
		if name != MetField && v.Version == 1 && v.Data != nil && (by == "" || v.At.Before(first) || v.At.Equal(first) && v.By < by) {
			by, first = v.By, v.At
		}
	}
	return by
}
