package registry

import "fmt"

// A Refusal is an act that cannot be done as it was asked: the caller's to mend.
type Refusal struct {
	Code string // of the table below, for whoever has its own words
	text string
}

func (r *Refusal) Error() string { return r.text }

func refuse(code, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// Codes of refusals. They are stable.
const (
	RefusedNotOnHold       = "not_on_hold"
	RefusedCollectorRole   = "collector_role"
	RefusedCollectorWho    = "collector_who"
	RefusedCollectorOver   = "collector_over"
	RefusedAlternateFrom   = "alternate_from"
	RefusedAlternateLong   = "alternate_long"
	RefusedHolderAlternate = "holder_alternate"
	RefusedReason          = "reason"
	RefusedDeathDay        = "death_day"
	RefusedDeathAhead      = "death_ahead"
	RefusedDeathBirth      = "death_birth"
	RefusedNotDead         = "not_dead"
	RefusedDecision        = "decision"
	RefusedItself          = "itself"
	RefusedUntil           = "until"
	RefusedNameLetters     = "name_letters"
	RefusedAmount          = "amount"
	RefusedAmountDigits    = "amount_digits"
	RefusedAmountNothing   = "amount_nothing"
	RefusedCurrency        = "currency"
	RefusedRuleNothing     = "rule_nothing"
	RefusedRuleHeads       = "rule_heads"
	RefusedNoCurrency      = "no_currency"
	RefusedCounts          = "counts"
	RefusedOtherCurrency   = "other_currency"
	RefusedProgrammeCode   = "programme_code"
	RefusedModality        = "modality"
	RefusedCountsWhat      = "counts_what"
	RefusedRoundNumber     = "round_number"
	RefusedDay             = "day"
	RefusedEndsBefore      = "ends_before"
	RefusedNobodyLeaves    = "nobody_leaves"
	RefusedLeavesTwice     = "leaves_twice"
	RefusedNotMember       = "not_member"
	RefusedHeadStays       = "head_stays"
	RefusedNobodyStays     = "nobody_stays"
	RefusedMergeTwo        = "merge_two"
	RefusedHeadElsewhere   = "head_elsewhere"
	RefusedManyUndecided   = "many_undecided"
	RefusedRelation        = "relation"
	RefusedLivesThere      = "lives_there"
	RefusedMetHow          = "met_how"
	RefusedMetDay          = "met_day"
	RefusedMetDesk         = "met_desk"
)
