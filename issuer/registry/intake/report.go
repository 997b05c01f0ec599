package intake

import (
	"fmt"
	"time"

	"aidpass/issuer/registry"
)

// A TableCount says what became of the data rows of a table. Rows is always
// Created + Updated + Duplicate + Rejected.
type TableCount struct {
	Name      string `json:"table"`
	Role      Role   `json:"role"`
	Rows      int    `json:"rows"`
	Created   int    `json:"created"`
	Updated   int    `json:"updated"`
	Duplicate int    `json:"duplicate"` // said nothing new
	Rejected  int    `json:"rejected"`
	Flagged   int    `json:"flagged"` // stored with an issue
	Blocked   int    `json:"blocked"` // stored with one that keeps a card from being issued
}

// check is the promise that no row is lost.
func (t TableCount) check() error {
	if sum := t.Created + t.Updated + t.Duplicate + t.Rejected; sum != t.Rows {
		return errorf("table %q: %d rows, but %d created + %d updated + %d duplicate + %d rejected: this is a fault of the program, nothing was imported",
			t.Name, t.Rows, t.Created, t.Updated, t.Duplicate, t.Rejected)
	}
	return nil
}

// A Skipped sheet or table, and why.
type Skipped struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// A PossibleDouble is two records that may be one person. It blocks nothing:
// people decide.
type PossibleDouble struct {
	Table    string `json:"table,omitempty"`
	Row      int    `json:"row"`
	OtherRow int    `json:"other_row,omitempty"` // in the same table; 0: on record
	Record   string `json:"record,omitempty"`    // id of the one on record
	Why      string `json:"why"`                 // registry.KeyDocument or KeyNameYear
}

// A DeliveryGap is what a delivery mechanism of a HOPE workbook needs of a
// household and the list does not say.
type DeliveryGap struct {
	Household string   `json:"household"` // its number in the list
	Table     string   `json:"table,omitempty"`
	Row       int      `json:"row"`
	Mechanism string   `json:"mechanism"`
	Missing   []string `json:"missing"` // columns
}

// Photos says what became of the folder of pictures.
type Photos struct {
	Stored    int      `json:"stored"`    // with a record that this import made or changed
	Unchanged int      `json:"unchanged"` // of people whose records it left as they are
	Without   int      `json:"without"`   // people of the list without one, here and on record
	Unmatched []string `json:"unmatched"` // names of files that belong to nobody of the list
}

// Quality sums up what the accepted rows say. A share of nothing is nil.
type Quality struct {
	People      int            `json:"people"`
	Filled      map[string]int `json:"filled"`                             // people who have the field
	Households  int            `json:"households"`                         //
	FilledHH    map[string]int `json:"filled_households"`                  // households that have the field
	Open        map[string]int `json:"required_open,omitempty"`            // people of whom the list does not say a required field
	OpenHH      map[string]int `json:"required_open_households,omitempty"` // households without people in the list, likewise
	Defaults    int            `json:"import_default_births"`              // births kept as the year alone
	DefaultsAll bool           `json:"birth_column_defaulted"`             // 1 January too often: no day of it is believed
	Codes       map[string]int `json:"findings"`                           // by code
}

// Earlier is the import of the same bytes before.
type Earlier struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Rows int       `json:"rows"`
}

// A Report is all that an import has to say. Values of people stand in Findings
// alone.
type Report struct {
	Format   string           `json:"format"`
	Digest   string           `json:"sha256"`
	Source   string           `json:"source,omitempty"`
	DryRun   bool             `json:"dry_run"`
	Earlier  *Earlier         `json:"earlier,omitempty"`
	Tables   []TableCount     `json:"tables"`
	Findings []Finding        `json:"findings"`
	Delivery []DeliveryGap    `json:"missing_delivery_fields,omitempty"`
	Doubles  []PossibleDouble `json:"possible_doubles,omitempty"`
	Skipped  []Skipped        `json:"skipped,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
	Photos   *Photos          `json:"photos,omitempty"`
	LeftOut  []LeftOut        `json:"left_out,omitempty"` // columns that were not kept
	Quality  Quality          `json:"quality"`
	Import   registry.ID      `json:"-"` // of registry.ImportFile; zero for a dry run
	Fates    Fates            `json:"-"` // of every row as it was checked
	Records  Fates            `json:"-"` // and once it was written, with the record that it became; empty for a dry run
}

// Total adds the tables up.
func (r *Report) Total() TableCount {
	var sum TableCount
	for _, t := range r.Tables {
		sum.Rows += t.Rows
		sum.Created += t.Created
		sum.Updated += t.Updated
		sum.Duplicate += t.Duplicate
		sum.Rejected += t.Rejected
		sum.Flagged += t.Flagged
		sum.Blocked += t.Blocked
	}
	return sum
}

// check holds the report to its promises: the sums, and a name for each rejection.
func (r *Report) check() error {
	type at struct {
		table string
		row   int
	}
	named := map[at]bool{}
	for _, f := range r.Findings {
		if f.Severity == Reject {
			named[at{f.Table, f.Row}] = true
		}
	}
	rejected := 0
	for _, t := range r.Tables {
		if err := t.check(); err != nil {
			return err
		}
		rejected += t.Rejected
	}
	if rejected != len(named) {
		return errorf("%d rows rejected and %d of them named: this is a fault of the program, nothing was imported", rejected, len(named))
	}
	return nil
}

// String is the table's line in a summary.
func (t TableCount) String() string {
	return fmt.Sprintf("%d rows: %d created, %d updated, %d known already, %d rejected; %d stored with a finding, %d of them blocking",
		t.Rows, t.Created, t.Updated, t.Duplicate, t.Rejected, t.Flagged, t.Blocked)
}
