package intake

import "strings"

// TagIfAny is added to the tag of the household's number where people without a
// household are in a list on purpose.
const TagIfAny = "+if_any"

// tagField is the field an HXL hashtag means (HXL 1.1: #tag+attribute...; older
// lists write #adm1_id). Lists of people have no tags of their own in the standard;
// these are the ones in use, and those that package export writes.
func tagField(tag string) (Field, bool) {
	tag, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(tag, " ", "")), "#")
	if !ok {
		return "", false
	}
	base, rest, _ := strings.Cut(tag, "+")
	has := map[string]bool{}
	for a := range strings.SplitSeq(rest, "+") {
		has[a] = true
	}
	code := has["code"] || has["id"]
	person := base == "beneficiary" || base == "affected" || base == "meta" || base == "reached" || base == "targeted" || base == "inneed" || base == "person"
	house := has["hh"] || has["household"]
	switch {
	case base == "adm1_id" || base == "adm1" && code:
		return Admin1, true
	case base == "adm2_id" || base == "adm2" && code:
		return Admin2, true
	case base == "adm3_id" || base == "adm3" && code:
		return Admin3, true
	case base == "adm4_id" || base == "adm4" && code:
		return Admin4, true
	case base == "loc" && code:
		return PCode, true
	case base == "loc" && !has["type"]:
		return Site, true
	case base == "country" && has["origin"]:
		return Origin, true
	case base == "country":
		return Country, true
	case base == "contact" && has["phone"]:
		return Phone, true
	case base == "contact" && has["email"]:
		return Email, true
	case base == "date" && has["birth"]:
		return BirthDate, true
	case base == "date" && (has["registered"] || has["registration"]):
		return Registered, true
	case person && has["consent"]:
		return Consent, true
	case person && house && code:
		return HouseholdID, true
	case person && has["size"]:
		return Size, true
	case person && code && !has["doc"]:
		return PersonID, true
	case person && has["name"] && (has["given"] || has["first"]):
		return GivenName, true
	case person && has["name"] && (has["family"] || has["last"]):
		return FamilyName, true
	case person && has["name"] && has["father"]:
		return FatherName, true
	case person && has["name"] && has["alt"]:
		return OtherName, true
	case person && has["name"]:
		return FullName, true
	case (person || base == "indicator") && (has["sex"] || has["gender"]):
		return Sex, true
	case (person || base == "indicator") && has["age"]:
		return Age, true
	case person && has["relation"]:
		return Relation, true
	}
	return "", false
}
