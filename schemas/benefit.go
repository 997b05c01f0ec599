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

func parseBenefit(v any) (any, string) {
	const shape = `not a benefit such as "120.00 JOD", "RICE 5 kg; OIL 2 l" or "3 visits"`
	in, ok := v.(map[string]any)
	if s, isText := v.(string); isText {
		in, ok = benefitFromText(s)
	}
	if !ok {
		return nil, shape
	}
	out := map[string]any{}
	for name, v := range in {
		switch name {
		case "amount", "currency":
			s, isText := v.(string)
			if name == "amount" && (!isText || !decimal(s)) {
				return nil, "amount is not decimal text such as 120.00"
			}
			if name == "currency" && !currency(s) {
				return nil, "currency is not a code of three capital letters"
			}
			out[name] = s
		case "visits":
			n, isInt := integer(v)
			if !isInt || n < 1 || n > maxVisits {
				return nil, "visits are not 1 to " + strconv.Itoa(maxVisits)
			}
			out[name] = n
		case "items":
			list, isList := v.([]any)
			if !isList || len(list) < 1 || len(list) > maxItems {
				return nil, "items are not a list of 1 to " + strconv.Itoa(maxItems)
			}
			items := make([]any, 0, len(list))
			for _, e := range list {
				item, isMap := e.(map[string]any)
				code, _ := item["code"].(string)
				qty, _ := item["qty"].(string)
				unit, _ := item["unit"].(string)
				if !isMap || len(item) != 3 || !itemFits(code, qty, unit) {
					return nil, "an item is not code, qty (decimal text) and unit"
				}
				items = append(items, map[string]any{"code": code, "qty": qty, "unit": unit})
			}
			out[name] = items
		default:
			return nil, "a benefit has only amount, currency, items and visits"
		}
	}
	_, amount := out["amount"]
	_, money := out["currency"]
	if amount != money {
		return nil, "amount and currency stand together"
	}
	if len(out) == 0 {
		return nil, shape
	}
	return out, ""
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

func itemFits(code, qty, unit string) bool {
	return codeFits(code, 1, 16) == "" && decimal(qty) && codeFits(unit, 1, 8) == ""
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
	out := map[string]any{}
	for range r.Map() {
		switch r.Uint() {
		case 1:
			out["amount"] = string(r.Text())
		case 2:
			out["currency"] = string(r.Text())
		case 3:
			var items []any
			for range min(r.Array(), maxItems+1) {
				if r.Array() != 3 {
					return nil
				}
				items = append(items, map[string]any{"code": string(r.Text()), "qty": string(r.Text()), "unit": string(r.Text())})
			}
			out["items"] = items
		case 4:
			out["visits"] = r.Int()
		default:
			return nil
		}
		if r.Err() != nil {
			return nil
		}
	}
	if _, problem := parseBenefit(out); problem != "" || r.Err() != nil {
		return nil
	}
	return out
}
