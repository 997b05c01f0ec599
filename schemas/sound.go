package schemas

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Longest times a type may name. Five years is a card's longest life; the lists
// a card leans on are never good for more than a quarter (DESIGN: status lists
// expire not before the longest freshness allowed).
const (
	MaxValidity  = 5 * 366 * 86400
	MaxFreshness = 92 * 86400
	MaxGraceDays = 30
)

// MaxVCT is the longest vct in bytes: it stands on every card.
const MaxVCT = 40

// An UnsoundError is a type that no card could be made of.
type UnsoundError struct {
	Type, Claim string // Claim is empty when the type as a whole is at fault
	Problem     string
}

func (e *UnsoundError) Error() string {
	if e.Claim != "" {
		return fmt.Sprintf("schemas: type %q: claim %q: %s", e.Type, e.Claim, e.Problem)
	}
	return fmt.Sprintf("schemas: type %q: %s", e.Type, e.Problem)
}

// sound checks what the rest of the package leans on, whoever made the type:
// keys in their ranges and unique, limits that a card can hold, roles that name
// claims. Whether a type may exist at all is judged where it is compiled
// (schemas/compile); of those rules only the placement by sensitivity is
// repeated here, because a pack may bring types.
func (t *Type) sound() error {
	switch {
	case !goodName(t.Name):
		return t.fault("", "its name is not lower case letters, digits and underscores")
	case !goodVCT(t.VCT):
		return t.fault("", fmt.Sprintf("its vct is not an https URI of at most %d characters", MaxVCT))
	case t.Version < 1 || t.Version > 1e6:
		return t.fault("", "version is not 1 or more")
	case t.Validity < 1 || t.MaxValidity < t.Validity || t.MaxValidity > MaxValidity:
		return t.fault("", fmt.Sprintf("validity is not 1 second to its longest, at most %d days", MaxValidity/86400))
	case t.Freshness < 0 || t.Freshness > MaxFreshness:
		return t.fault("", fmt.Sprintf("freshness is over %d days", MaxFreshness/86400))
	case t.GraceDays < 0 || t.GraceDays > MaxGraceDays:
		return t.fault("", fmt.Sprintf("grace is over %d days", MaxGraceDays))
	case t.Live != "" && t.Live != "any" && t.Live != "challenge":
		return t.fault("", "live is not any or challenge")
	case len(t.Claims) > MaxClaims:
		return t.fault("", fmt.Sprintf("more than %d claims", MaxClaims))
	case len(t.Labels) > 0 && t.Labels["en"] == "":
		return t.fault("", "no English label")
	}
	if err := goodTexts(t.Labels, t.Descriptions); err != "" {
		return t.fault("", err)
	}
	if !slices.IsSortedFunc(t.Claims, claimOrder) {
		return t.fault("", "claims are not in order")
	}
	for i := range t.Claims {
		c := &t.Claims[i]
		if problem := c.sound(); problem != "" {
			return t.fault(c.Name, problem)
		}
		for j := range i {
			if t.Claims[j].Name == c.Name || c.Key != 0 && t.Claims[j].Key == c.Key {
				return t.fault(c.Name, "its name or key stands twice")
			}
		}
	}
	for _, role := range []struct {
		what, name string
		kinds      []Kind
	}{
		{"programme", t.ProgrammeClaim, []Kind{KindCode, KindCodes}}, {"round", t.RoundClaim, []Kind{KindInt, KindInts}},
		{"rounds", t.RoundsClaim, []Kind{KindRange}}, {"site", t.SiteClaim, []Kind{KindCode, KindCodes}},
		{"size band", t.SizeBandClaim, []Kind{KindEnum}}, {"from", t.FromClaim, []Kind{KindDate}}, {"to", t.ToClaim, []Kind{KindDate}},
	} {
		if c := t.Claim(role.name); role.name != "" && (c == nil || c.Placement != Plain || !slices.Contains(role.kinds, c.Kind)) {
			return t.fault(role.name, "is named as the "+role.what+" claim and is not a plain claim of a fitting kind")
		}
	}
	// What a wallet keeps to itself stands for every round, site and day, and for nobody else.
	for _, name := range []string{t.ProgrammeClaim, t.RoundClaim, t.RoundsClaim, t.SiteClaim, t.FromClaim, t.ToClaim, PrincipalClaim} {
		if c := t.Claim(name); c != nil && c.Placement == Plain && c.Disclosure != DiscloseAlways {
			return t.fault(name, "says where and when something is collected, or for whom: its disclosure must be always")
		}
	}
	if c := t.Claim(t.ProgrammeClaim); c != nil && (c.Kind == KindCode && c.Max > 8 || c.Item > 8) {
		return t.fault(c.Name, "a programme code has at most 8 characters")
	}
	for _, name := range t.OneOf {
		if c := t.Claim(name); c == nil || c.Placement != Plain || c.Required || len(t.OneOf) < 2 {
			return t.fault(name, "stands under one of, and is not one of several plain claims that may be missing")
		}
	}
	for _, name := range t.Gate {
		if t.Claim(name) == nil {
			return t.fault(name, "stands in the gate and is no claim")
		}
	}
	for _, who := range t.HeldBy {
		if who != "subject" && who != "caregiver" && who != "alternate" {
			return t.fault("", "held by: not subject, caregiver or alternate")
		}
	}
	return nil
}

// fault is out of line: it is called from everywhere in sound.
//
//go:noinline
func (t *Type) fault(claim, problem string) error {
	return &UnsoundError{clip(t.Name), clip(claim), problem}
}

// claimOrder puts plain claims first, then sealed ones, both by key, then those
// never on a card by name.
func claimOrder(a, b Claim) int {
	return cmp.Or(cmp.Compare((a.Placement+2)%3, (b.Placement+2)%3), cmp.Compare(a.Key, b.Key), strings.Compare(a.Name, b.Name))
}

// Sort puts the claims in the order a Type keeps them in.
func (t *Type) Sort() { slices.SortFunc(t.Claims, claimOrder) }

func (c *Claim) sound() string {
	low, high := int64(0), int64(0)
	switch c.Placement {
	case Never:
	case Plain:
		low, high = MinPlainKey, MaxPlainKey
	case Sealed:
		low, high = MinSealedKey, MaxSealedKey
	default:
		return "not placed plain, sealed or never"
	}
	switch {
	case !goodName(c.Name):
		return "its name is not lower case letters, digits and underscores"
	case c.Kind < KindInt || c.Kind > KindBenefit:
		return "not of a known kind"
	case c.Key < low || c.Key > high:
		return fmt.Sprintf("its key is not %d to %d", low, high)
	case c.Sensitivity < 0 || c.Sensitivity > 3:
		return "its sensitivity is not 0 to 3"
	case c.Sensitivity == 3 && c.Placement != Never, c.Sensitivity == 2 && c.Placement == Plain:
		return "too sensitive for its place"
	case c.Sensitivity == 3 && c.Disclosure != DiscloseNever:
		return "too sensitive for a wallet"
	case c.Disclosure > DiscloseAlways:
		return "its disclosure is not never, allowed or always"
	case c.Purpose == "" || c.Retention == "" || len(c.Labels) > 0 && c.Labels["en"] == "":
		return "purpose, retention or English label is missing"
	case c.Kind == KindBenefit && c.Placement == Plain:
		return "what is due or was given never stands on the plain part"
	case c.Kind != KindEnum && len(c.Values)+len(c.Barred) > 0:
		return "only an enum has values"
	case len(c.Values) > maxListed || len(c.Barred) > maxListed:
		return "too many values"
	}
	if problem := c.limitsSound(); problem != "" {
		return problem
	}
	all := slices.Concat(c.Values, c.Barred)
	for i, v := range all {
		if codeFits(strings.TrimSuffix(v, "+"), 1, 31) != "" { // "6+" is a size band
			return "its values are not codes"
		}
		if slices.Contains(all[:i], v) {
			return "a value stands twice"
		}
	}
	for tag, labels := range c.ValueLabels {
		if len(labels) != len(c.Values) || !goodTag(tag) {
			return "value labels do not match the values"
		}
		for _, l := range labels {
			if !goodText(l) {
				return "a value label is empty or too long"
			}
		}
	}
	return goodTexts(c.Labels, c.Descriptions)
}

// The largest Max and Item of a kind; 0: the kind has none.
var (
	maxOf  = [...]int{KindInt: 1 << 53, KindCode: 32, KindText: 256, KindBytes: 64, KindRange: 1 << 31, KindCodes: 16, KindInts: 16, KindBenefit: 0}
	itemOf = [...]int{KindCodes: 16, KindInts: 1 << 31, KindBenefit: 0}
)

// limitsSound checks Min, Max and Item for the kind.
func (c *Claim) limitsSound() string {
	top, item := maxOf[c.Kind], itemOf[c.Kind]
	if c.Placement == Plain && c.Kind == KindText {
		top = 32 // free text that everybody reads stays short
	}
	if c.Placement == Never && (c.Kind == KindText || c.Kind == KindCode) {
		top = 1 << 16
	}
	switch {
	case c.Kind == KindEnum && len(c.Values) == 0:
		return "an enum without values"
	case top > 0 && c.Max == 0 && c.Kind != KindInt:
		return "no upper limit"
	case c.Min < 0 || c.Max > top || c.Min > c.Max:
		return fmt.Sprintf("limits are not within 0 to %d", top)
	case item > 0 && (c.Item < 1 || c.Item > item), item == 0 && c.Item != 0:
		return fmt.Sprintf("the limit of one entry is not within 1 to %d", item)
	}
	return ""
}

func goodName(s string) bool {
	if s == "" || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

func goodVCT(s string) bool {
	host, ok := strings.CutPrefix(s, "https://")
	if !ok || len(s) > MaxVCT || host == "" || host[0] == '/' {
		return false
	}
	for i := range len(host) {
		if c := host[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}#", c) >= 0 {
			return false
		}
	}
	return true
}

func goodTag(s string) bool {
	if len(s) < 2 || len(s) > 23 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func goodText(s string) bool { return s != "" && len(s) <= maxText && utf8.ValidString(s) }

func goodTexts(maps ...map[string]string) string {
	for _, m := range maps {
		if len(m) > maxLanguages {
			return "too many languages"
		}
		for tag, s := range m {
			if !goodTag(tag) || !goodText(s) {
				return "a label or description is empty, too long, or its language tag is no tag"
			}
		}
	}
	return ""
}
