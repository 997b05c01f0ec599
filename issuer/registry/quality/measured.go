package quality

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Measured is what an organisation says of its 31 indicators. The zero Measured is the
// default of each.
type Measured struct {
	// Thresholds are an indicator's own, by its id (DQ-01) or, for a second figure of it, by
	// id and figure (DQ-16 age).
	Thresholds map[string]Threshold `json:"thresholds,omitempty"`
	// Weights of the dimensions (C V U K T A P) in the composite score; left out: 1 each.
	Weights map[string]float64 `json:"weights,omitempty"`
	// Photo says that people are photographed here: DQ-04 is measured.
	Photo bool `json:"photo,omitempty"`
	// Purposes are those for which an answer must be on record; left out: registration.
	Purposes []string `json:"purposes,omitempty"`
	// PlaceLevel is how deep a p-code must be, 1 to 4; 0: any level will do.
	PlaceLevel int `json:"place_level,omitempty"`
	// HalfLives are the months after which a field is old, by field: location, contacts,
	// ext.COLUMN. Left out: six for place and contacts, twelve for education and occupation.
	HalfLives map[string]int `json:"half_lives,omitempty"`
	// AccountColumns are those that a list's payout accounts came in and that were kept as
	// ext.COLUMN: bank accounts, cards, mobile money. Left out: DefaultAccountColumns.
	AccountColumns []string `json:"account_columns,omitempty"`
}

// DefaultAccountColumns are columns of payout accounts, without a form's ending as _i_c (HOPE)
// and without what stands between their words.
func DefaultAccountColumns() []string {
	return []string{"account_number", "account_no", "bank_account", "bank_account_number", "bank_account_no", "bank_account_num", "iban", "payout_account",
		"debit_card_number", "card_number__atm_card", "account_number__transfer_to_account", "bank_account_number__transfer_to_account",
		"mobile_money_account", "mobile_money_number", "mobile_money_phone", "mobile_money_phone_number", "phone_number__mobile_money", "delivery_phone_number", "delivery_phone_number__mobile_money",
		"mpesa_number", "momo_number", "wallet_number", "wallet_address", "wallet_address__transfer_to_digital_wallet"}
}

// A Threshold is where green and amber begin, in the indicator's own unit.
type Threshold struct {
	Green float64 `json:"green"`
	Amber float64 `json:"amber"`
}

// Dimensions are those of the indicators: completeness, validity, uniqueness,
// consistency, timeliness, accuracy, process.
const Dimensions = "CVUKTAP"

// mostNamed bounds each list of a Measured.
const mostNamed = 200

func (m Measured) check() error {
	if max(len(m.Thresholds), len(m.Weights), len(m.Purposes), len(m.HalfLives), len(m.AccountColumns)) > mostNamed {
		return fmt.Errorf(`quality: policy: "indicators": over %d entries of one kind`, mostNamed)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Thresholds)) {
		var n int
		if _, err := fmt.Sscanf(id, "DQ-%02d", &n); err != nil || n < 1 || n > 31 || len(id) < 5 || id[:5] != fmt.Sprintf("DQ-%02d", n) || len(id) > 5 && id[5] != ' ' {
			return fmt.Errorf(`quality: policy: "indicators": no indicator %q; there are DQ-01 to DQ-31`, id)
		}
		if t := m.Thresholds[id]; !finite(t.Green) || !finite(t.Amber) {
			return fmt.Errorf(`quality: policy: "indicators": the thresholds of %s are not numbers of 0 or more`, id)
		}
	}
	sum := 0.0
	for _, d := range slices.Sorted(maps.Keys(m.Weights)) {
		if len(d) != 1 || !slices.Contains([]byte(Dimensions), d[0]) {
			return fmt.Errorf(`quality: policy: "indicators": no dimension %q; there are C, V, U, K, T, A and P`, d)
		}
		if !finite(m.Weights[d]) || m.Weights[d] > 1000 {
			return fmt.Errorf(`quality: policy: "indicators": the weight of %s is not a number from 0 to 1000`, d)
		}
		sum += m.Weights[d]
	}
	if len(m.Weights) == len(Dimensions) && sum == 0 {
		return errors.New(`quality: policy: "indicators": some dimension has a weight over 0`)
	}
	if m.PlaceLevel < 0 || m.PlaceLevel > 4 {
		return fmt.Errorf(`quality: policy: "indicators": "place_level" is %d; write 1 to 4, or leave it out`, m.PlaceLevel)
	}
	for i, p := range m.Purposes {
		if p == "" || len(p) > 40 || slices.Contains(m.Purposes[:i], p) {
			return fmt.Errorf(`quality: policy: "indicators": purpose %q is empty, too long or twice there`, p)
		}
	}
	for i, c := range m.AccountColumns {
		if c == "" || len(c) > 100 || slices.Contains(m.AccountColumns[:i], c) {
			return fmt.Errorf(`quality: policy: "indicators": the column of accounts %q is empty, too long or twice there`, c)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(m.HalfLives)) {
		if f == "" || len(f) > 100 || m.HalfLives[f] < 1 || m.HalfLives[f] > 600 {
			return fmt.Errorf(`quality: policy: "indicators": the half-life of %q is not 1 to 600 months`, f)
		}
	}
	return nil
}

func finite(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }
