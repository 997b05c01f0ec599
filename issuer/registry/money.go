package registry

import (
	"math/big"
	"strings"
)

// minorUnits are the digits behind the point of currencies that do not have two
// (ISO 4217).
var minorUnits = func() map[string]int {
	m := map[string]int{"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3}
	for c := range strings.FieldsSeq("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF") {
		m[c] = 0
	}
	return m
}()

// maxMoney is the most digits an amount may have before the point.
const maxMoney = 12

// Money multiplies an amount by a number of heads and writes it with the digits that
// its currency has (ISO 4217), exactly. amount is a decimal above zero, as "120.00";
// it may not be finer than the currency.
func Money(amount, currency string, heads int) (string, error) {
	unit, err := CurrencyDigits(currency)
	if err != nil {
		return "", err
	}
	whole, part, point := strings.Cut(amount, ".")
	if !digits(whole) || point && !digits(part) || len(whole) > maxMoney {
		return "", refuse(RefusedAmount, "registry: amount %q: write it as 120.00, without separators", amount)
	}
	if len(strings.TrimRight(part, "0")) > unit {
		return "", refuse(RefusedAmountDigits, "registry: amount %q: %s has %d digits after the point", amount, currency, unit)
	}
	sum, ok := new(big.Rat).SetString(amount)
	if !ok || sum.Sign() == 0 {
		return "", refuse(RefusedAmountNothing, "registry: amount %q: nothing would be given", amount)
	}
	return sum.Mul(sum, big.NewRat(int64(heads), 1)).FloatString(unit), nil
}

// CurrencyDigits returns the digits after the point of a currency's amounts.
func CurrencyDigits(currency string) (int, error) {
	if len(currency) != 3 || strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return 0, refuse(RefusedCurrency, "registry: currency %q: write its three letters, as JOD", currency)
	}
	if n, ok := minorUnits[currency]; ok {
		return n, nil
	}
	return 2, nil
}
