package schemas

import (
	"strconv"
	"strings"

	"aidpass/internal/cbor"
)

// A benefit is what an entitlement grants or a receipt confirms:
//
//	amount, currency   "120.00", "JOD": a decimal string, never a float
//	items              [{code, qty, unit}]: "RICE", "5", "kg"
//	visits             a number of visits
//
// at least one of the three. On a card:
//
//	{ ? 1: amount tstr, ? 2: currency tstr, ? 3: [+ [code, qty, unit: tstr]], ? 4: visits uint }
//
// A spreadsheet writes "120.00 JOD", "RICE 5 kg; OIL 2 l" or "3 visits".
const (
	maxItems  = 16
	maxVisits = 999
)

// benefit is what stands in one, before it is known to fit.
type benefit struct {
	has              uint // bit 1<<key for each member that is there, by its key on a card
	amount, currency string
	items            []item
	visits           int64
}

type item struct{ code, qty, unit string }

const (
	benefitAmount   = 1
	benefitCurrency = 2
	benefitItems    = 3
	benefitVisits   = 4
)

func (b *benefit) holds(key uint) bool { return b.has>>key&1 == 1 }

// problem says in words what does not fit, "" where all does.
func (b *benefit) problem() string {
	switch {
	case b.has == 0:
		return benefitShape
	case b.holds(benefitAmount) && !decimal(b.amount):
		return "amount is not decimal text such as 120.00"
	case b.holds(benefitCurrency) && !currency(b.currency):
		return "currency is not a code of three capital letters"
	case b.holds(benefitAmount) != b.holds(benefitCurrency):
		return "amount and currency stand together"
	case b.holds(benefitVisits) && (b.visits < 1 || b.visits > maxVisits):
		return "visits are not 1 to " + strconv.Itoa(maxVisits)
	case b.holds(benefitItems) && (len(b.items) < 1 || len(b.items) > maxItems):
		return "items are not a list of 1 to " + strconv.Itoa(maxItems)
	}
	for _, i := range b.items {
		if codeFits(i.code, 1, 16) != "" || !decimal(i.qty) || codeFits(i.unit, 1, 8) != "" {
			return "an item is not code, qty (decimal text) and unit"
		}
	}
	return ""
}

// values is the Go form of a benefit that fits.
func (b *benefit) values() map[string]any {
	out := map[string]any{}
	if b.holds(benefitAmount) {
		out["amount"], out["currency"] = b.amount, b.currency
	}
	if b.holds(benefitItems) {
		items := make([]any, len(b.items))
		for i, e := range b.items {
			items[i] = map[string]any{"code": e.code, "qty": e.qty, "unit": e.unit}
		}
		out["items"] = items
	}
	if b.holds(benefitVisits) {
		out["visits"] = b.visits
	}
	return out
}

const benefitShape = `not a benefit such as "120.00 JOD", "RICE 5 kg; OIL 2 l" or "3 visits"`

func parseBenefit(v any) (any, string) {
	in, ok := v.(map[string]any)
	if s, isText := v.(string); isText {
		in, ok = benefitFromText(s)
	}
	if !ok {
		return nil, benefitShape
	}
	var b benefit
	for name, v := range in {
		switch name {
		case "amount":
			b.amount, _ = v.(string) // what is not text fails as empty text does
			b.has |= 1 << benefitAmount
		case "currency":
			b.currency, _ = v.(string)
			b.has |= 1 << benefitCurrency
		case "visits":
			b.visits, _ = integer(v)
			b.has |= 1 << benefitVisits
		case "items":
			list, _ := v.([]any)
			b.has |= 1 << benefitItems
			for _, e := range list[:min(len(list), maxItems+1)] {
				var i item
				if m, isMap := e.(map[string]any); isMap && len(m) == 3 {
					i.code, _ = m["code"].(string)
					i.qty, _ = m["qty"].(string)
					i.unit, _ = m["unit"].(string)
				}
				b.items = append(b.items, i)
			}
		default:
			return nil, "a benefit has only amount, currency, items and visits"
		}
	}
	if problem := b.problem(); problem != "" {
		return nil, problem
	}
	return b.values(), ""
}

func benefitFromText(s string) (map[string]any, bool) {
	out := map[string]any{}
	var items []any
	for part := range strings.SplitSeq(s, ";") {
		f := strings.Fields(part)
		switch {
		case len(f) == 2 && f[1] == "visits" && out["visits"] == nil:
			out["visits"] = f[0]
		case len(f) == 2 && currency(f[1]) && out["amount"] == nil:
			out["amount"], out["currency"] = f[0], f[1]
		case len(f) == 3:
			items = append(items, map[string]any{"code": f[0], "qty": f[1], "unit": f[2]})
		default:
			return nil, false
		}
	}
	if items != nil {
		out["items"] = items
	}
	return out, true
}

// decimal: up to 12 digits without leading zeros, and up to 4 after a point
// (ISO 4217 knows no more).
func decimal(s string) bool {
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > 12 || len(whole) > 1 && whole[0] == '0' || point && (fraction == "" || len(fraction) > 4) {
		return false
	}
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return false
		}
	}
	return !strings.Contains(fraction, ".")
}

func currency(s string) bool {
	return len(s) == 3 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && s[2] >= 'A' && s[2] <= 'Z'
}

// appendBenefit writes what parseBenefit returned.
func appendBenefit(dst []byte, b map[string]any) []byte {
	dst = cbor.AppendMap(dst, len(b))
	if s, ok := b["amount"].(string); ok {
		dst = cbor.AppendText(cbor.AppendUint(dst, 1), s)
	}
	if s, ok := b["currency"].(string); ok {
		dst = cbor.AppendText(cbor.AppendUint(dst, 2), s)
	}
	if items, ok := b["items"].([]any); ok {
		dst = cbor.AppendArray(cbor.AppendUint(dst, 3), len(items))
		for _, e := range items {
			item, _ := e.(map[string]any)
			dst = cbor.AppendArray(dst, 3)
			for _, name := range [...]string{"code", "qty", "unit"} {
				s, _ := item[name].(string)
				dst = cbor.AppendText(dst, s)
			}
		}
	}
	if n, ok := b["visits"].(int64); ok {
		dst = cbor.AppendInt(cbor.AppendUint(dst, 4), n)
	}
	return dst
}

// readBenefit reads it back; nil when the bytes are not a benefit.
func readBenefit(r *cbor.Reader) map[string]any {
	var b benefit
	for n := r.Map(); n > 0 && r.Err() == nil; n-- {
		key := uint(min(r.Uint(), 63))
		switch key {
		case benefitAmount:
			b.amount = string(r.Text())
		case benefitCurrency:
			b.currency = string(r.Text())
		case benefitItems:
			for m := min(r.Array(), maxItems+1); m > 0 && r.Err() == nil; m-- {
				if r.Array() != 3 {
					return nil
				}
				b.items = append(b.items, item{string(r.Text()), string(r.Text()), string(r.Text())})
			}
		case benefitVisits:
			b.visits = r.Int()
		default:
			return nil
		}
		b.has |= 1 << key
	}
	if r.Err() != nil || b.problem() != "" {
		return nil
	}
	return b.values()
}
