package registry

import (
	"strings"
	"sync"
)

// Codes of UNHCR's proGres, as its exchange of resettlement registration forms
// writes them (RRF v4). Its country codes look like those of ISO 3166-1 and are not:
// AUS is Austria, ARE is Egypt. Relations there also tell the sex.

// ProGresUnknown is proGres' own code for "not known" in every list of codes.
const ProGresUnknown = "U"

// progresCountries pairs codes of proGres with ISO's where they differ.
const progresCountries = `
ALG DZA|ANG AGO|ANT ATG|ARE EGY|AUL AUS|AUS AUT|BAH BHR|BAR BRB|BER BMU|BHU BTN|BKF BFA|BOT BWA|BRU BRN|BSN BIH|BUL BGR|BZE BLZ|
CAM KHM|CAR CAF|CAY CYM|CHD TCD|CHI CHN|COB COG|COI COM|COS CRI|CVI CPV|DEN DNK|DJB DJI|EGU GNQ|ERT ERI|FGU GUF|FIJ FJI|FPO PYF|
GAM GMB|GFR DEU|GRE GRC|GRN GRD|GUA GTM|GUI GIN|HAI HTI|HON HND|ICE ISL|ICO CIV|INS IDN|IRE IRL|KRN PRK|KUW KWT|LEB LBN|LES LSO|
MAD MDG|MAR MTQ|MAU MRT|MCD MKD|MLS MYS|MLW MWI|MOR MAR|MTA MLT|MTS MUS|MYA MMR|NEP NPL|NET NLD|NGR NER|NIG NGA|PAL PSE|PAR PRY|
PHI PHL|POR PRT|PUE PRI|ROM ROU|RSA ZAF|SAL SLV|SER SRB|SEY SYC|SIN SGP|SMA SMR|SOL SLB|SPA ESP|SRV VNM|SUD SDN|SWA SWZ|SWI CHE|
TAN TZA|TMP TLS|TOG TGO|TRT TTO|UAE ARE|URU URY|WES WSM|WSH ESH|ZAM ZMB|ZIM ZWE`

// progresNone are codes of ISO that proGres has not, and codes of proGres that are
// no country of ISO now, with the one it means where there is one.
const (
	progresLacks = "ALA BLM GGY GLP IMN JEY MAF XKX"
	progresMore  = "FNC NCL|STK KNA|DUB ARE|NAN |KUR |SCG |SIK |SOV |TIB |YUG |ZZZ |U |- "
)

var progres = sync.OnceValue(func() (t struct{ toISO, fromISO map[string]string }) {
	t.toISO, t.fromISO = map[string]string{}, map[string]string{}
	pairs := func(list string, both bool) {
		for pair := range strings.SplitSeq(strings.ReplaceAll(list, "\n", ""), "|") {
			code, iso, _ := strings.Cut(pair, " ")
			if t.toISO[code] = iso; both {
				t.fromISO[iso] = code
			}
		}
	}
	pairs(progresCountries, true)
	pairs(progresMore, false)
	for code := range strings.FieldsSeq(progresLacks) {
		t.fromISO[code] = ProGresUnknown
		if _, other := t.toISO[code]; !other {
			t.toISO[code] = ""
		}
	}
	return t
})

// ProGresCountry returns proGres' code of a country, given by ISO 3166-1 alpha-3;
// ProGresUnknown where it has none.
func ProGresCountry(iso string) string {
	if CountryName(iso) == "" {
		return ProGresUnknown
	}
	if code, ok := progres().fromISO[iso]; ok {
		return code
	}
	return iso
}

// CountryOfProGres returns the ISO 3166-1 alpha-3 code of proGres' code; ok is false
// for what it says of nobody's country (unknown, stateless) or is no code of it.
func CountryOfProGres(code string) (iso string, ok bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if iso, ok := progres().toISO[code]; ok {
		return iso, iso != ""
	}
	return code, CountryName(code) != ""
}

// progresRelations are the codes by relation: of a man, of a woman, and where the
// sex is not told. "-" is a code that there is not.
var progresRelations = map[string][3]string{
	"head": {"PA", "PA", "PA"}, "spouse": {"HUS", "WIF", "-"}, "child": {"SON", "DAU", "-"}, "step_child": {"SCM", "SCF", "-"},
	"foster_child": {"FCM", "FCF", "-"}, "parent": {"PRM", "PRF", "-"}, "sibling": {"SBM", "SBF", "-"}, "grandparent": {"GPM", "GPF", "-"},
	"grandchild": {"GCM", "GCF", "-"}, "parent_in_law": {"PLM", "PLF", "-"}, "child_in_law": {"CLM", "CLF", "-"},
	"sibling_in_law": {"BIL", "SIL", "-"}, "aunt_uncle": {"UNC", "ANT", "-"}, "nephew_niece": {"NEP", "NCE", "-"},
	"cousin": {"COM", "COF", "-"}, "other_relative": {"ORM", "ORF", "-"}, "unrelated": {"NRM", "NRF", "-"}, "other": {"UKM", "UKF", "-"},
}

// progresOther are codes of proGres for which ours are coarser.
var progresOther = map[string]string{
	"CLH": "spouse", "CLW": "spouse", "PTF": "spouse", "PTM": "spouse", "EXF": "other_relative", "EXM": "other_relative",
	"FPF": "other_relative", "FPM": "other_relative", "FP": "other_relative", "SPF": "other_relative", "SPM": "other_relative",
	"HAB": "sibling", "HAS": "sibling", "SPB": "sibling", "SPS": "sibling", "ILF": "other_relative", "ILM": "other_relative",
	"HR1": "head", "HR2": "other_relative",
}

// ProGresRelation returns proGres' code of a relation to the head for somebody of
// that sex; ProGresUnknown where it has none, as where the sex is not known.
func ProGresRelation(relation, sex string) string {
	codes, ok := progresRelations[relation]
	if !ok {
		return ProGresUnknown
	}
	code := codes[2]
	switch sex {
	case Male:
		code = codes[0]
	case Female:
		code = codes[1]
	}
	if code == "-" {
		return ProGresUnknown
	}
	return code
}

// RelationOfProGres returns our code of proGres' relation; ok is false where it is
// unknown there too, or no code of it.
func RelationOfProGres(code string) (relation string, ok bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if relation, ok := progresOther[code]; ok {
		return relation, true
	}
	for relation, codes := range progresRelations {
		if code == codes[0] || code == codes[1] {
			return relation, code != "-"
		}
	}
	return "", false
}
