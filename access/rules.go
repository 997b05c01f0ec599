package access

import "slices"

// An Act is something an account may do, as "noun.verb": "person.read".
type Act string

// The acts of the table, in its order.
const (
	AccountDisable   Act = "account.disable"
	AccountGrant     Act = "account.grant"
	AccountInvite    Act = "account.invite"
	AccountRead      Act = "account.read"
	AccountRecover   Act = "account.recover"
	AccountRoles     Act = "account.roles"
	AgreementApprove Act = "agreement.approve"
	AgreementEnd     Act = "agreement.end"
	AgreementMake    Act = "agreement.make"
	AgreementRead    Act = "agreement.read"
	AuditExport      Act = "audit.export"
	AuditRead        Act = "audit.read"
	AuditVerify      Act = "audit.verify"
	BatchApprove     Act = "batch.approve"
	BatchHandOut     Act = "batch.handout"
	BatchIssue       Act = "batch.issue"
	BatchOverride    Act = "batch.override"
	BatchPrepare     Act = "batch.prepare"
	BatchPrint       Act = "batch.print"
	PrintAgain       Act = "print.again"
	BatchRead        Act = "batch.read"
	BatchSubmit      Act = "batch.submit"
	CardConfirm      Act = "card.confirm"
	CardFind         Act = "card.find"
	CardMany         Act = "card.many"
	CardRead         Act = "card.read"
	CardReissue      Act = "card.reissue"
	CardReplace      Act = "card.replace"
	CardResume       Act = "card.resume"
	CardRevoke       Act = "card.revoke"
	CardSuspend      Act = "card.suspend"
	ComplaintRead    Act = "complaint.read"
	ConsentGive      Act = "consent.give"
	ConsentRead      Act = "consent.read"
	ConsentWithdraw  Act = "consent.withdraw"
	DeviceConfirm    Act = "device.confirm"
	DeviceEnrol      Act = "device.enrol"
	DeviceRead       Act = "device.read"
	DeviceRevoke     Act = "device.revoke"
	DuplicatesRun    Act = "duplicates.run"
	ExerciseMake     Act = "exercise.make"
	ExerciseMark     Act = "exercise.mark"
	ExerciseNotice   Act = "exercise.notice"
	ExerciseRead     Act = "exercise.read"
	ExerciseSettle   Act = "exercise.settle"
	ExportMake       Act = "export.make"
	FinanceRead      Act = "finance.read"
	HouseholdEdit    Act = "household.edit"
	HouseholdEnter   Act = "household.enter"
	HouseholdRead    Act = "household.read"
	ImportApprove    Act = "import.approve"
	ImportCheck      Act = "import.check"
	ImportLoad       Act = "import.load"
	ImportRead       Act = "import.read"
	ImportSubmit     Act = "import.submit"
	ImportUndo       Act = "import.undo"
	ImportWithdraw   Act = "import.withdraw"
	NoticeMake       Act = "notice.make"
	OfferMake        Act = "offer.make"
	OfferMore        Act = "offer.more"
	OfferRead        Act = "offer.read"
	OfferWithdraw    Act = "offer.withdraw"
	PackBuild        Act = "pack.build"
	PersonApprove    Act = "person.approve"
	PersonChange     Act = "person.change"
	PersonEdit       Act = "person.edit"
	PersonEnter      Act = "person.enter"
	PersonErase      Act = "person.erase"
	PersonFind       Act = "person.find"
	PersonHistory    Act = "person.history"
	PersonMerge      Act = "person.merge"
	PersonPrint      Act = "person.print"
	PersonRead       Act = "person.read"
	ProgrammePlan    Act = "programme.plan"
	ProgrammeRead    Act = "programme.read"
	ProtectionRead   Act = "protection.read"
	QualityExport    Act = "quality.export"
	QualityList      Act = "quality.list"
	QualityRead      Act = "quality.read"
	QualityTake      Act = "quality.take"
	RecallRead       Act = "recall.read"
	RecallSend       Act = "recall.send"
	RecallTake       Act = "recall.take"
	RecheckAnswer    Act = "recheck.answer"
	RecheckRead      Act = "recheck.read"
	ReportRead       Act = "report.read"
	RetentionApprove Act = "retention.approve"
	RetentionRead    Act = "retention.read"
	RetentionTerms   Act = "retention.terms"
	RightsAnswer     Act = "rights.answer"
	RightsAsk        Act = "rights.ask"
	RightsPrint      Act = "rights.print"
	SettingsChange   Act = "settings.change"
	SettingsLoosen   Act = "settings.loosen"
	SettingsRead     Act = "settings.read"
	TokenMake        Act = "token.make"
	TokenRevoke      Act = "token.revoke"
	TrustImport      Act = "trust.import"
	TrustRead        Act = "trust.read"
	TrustWithdrawKey Act = "trust.withdraw-key"
)

// A Rule is a row of the table of permissions.
type Rule struct {
	Act      Act
	Roles    []Role // who may; never empty
	Reads    bool   // changes nothing: the log still says who read
	Personal bool   // shows or touches personal data: never the platform operator
	StepUp   bool   // needs a proof of identity of at most StepUpLife ago
	FourEyes bool   // is asked for; takes effect when a second account approved it
	Second   Act    // with FourEyes: what that account must be allowed to do
	Program  string // with StepUp: why a program's token may do it all the same; empty: none does
	Says     string // one English sentence, for docs/permissions.md
}

// kinds of rows, so that the table below is one line an act.
const (
	reads = 1 << iota
	personal
	stepUp
)

func rule(a Act, kind int, second Act, says string, roles ...Role) Rule {
	return Rule{Act: a, Roles: roles, Reads: kind&reads != 0, Personal: kind&personal != 0, StepUp: kind&stepUp != 0,
		FourEyes: second != "", Second: second, Says: says}
}

// byToken lets tokens do an act that people prove their identity for, and says why.
func (r Rule) byToken(why string) Rule {
	r.Program = why
	return r
}

// rules is the one table. Whoever asks for an act under four eyes and whoever approves
// it hold different roles wherever both exist in a small office (docs/decisions/0030).
var rules = []Rule{
	rule(AccountDisable, stepUp, "", "Close an account or open it again; its sessions and tokens end.", OrgAdmin),
	rule(AccountGrant, stepUp, AccountGrant, "Give any role above verifier, in a new account, in one that is there, or by inviting anew: two administrators.", OrgAdmin),
	rule(AccountInvite, stepUp, "", "Make an account and its one-time invitation.", OrgAdmin),
	rule(AccountRead, reads, "", "See who has an account, with which roles.", OrgAdmin, Auditor, DataProtection),
	rule(AccountRecover, stepUp, AccountRecover, "Let in again who lost password or device: a new invitation, by two administrators.", OrgAdmin),
	rule(AccountRoles, stepUp, "", "Give and take roles of others, never one's own.", OrgAdmin),
	rule(AgreementApprove, stepUp, "", "Approve a data-sharing agreement that somebody else drew up.", DataProtection),
	rule(AgreementEnd, stepUp, "", "End an agreement: nothing is shared under it from then on.", OrgAdmin, DataProtection),
	rule(AgreementMake, stepUp, AgreementApprove, "Draw up a data-sharing agreement: parties, purpose, fields, areas, end.", OrgAdmin),
	rule(AgreementRead, reads, "", "Read the agreements.", OrgAdmin, DataProtection, Auditor, Approver),
	rule(AuditExport, reads|stepUp, "", "Take the log out as a file, with a reason.", Auditor, DataProtection),
	rule(AuditRead, reads, "", "Read the log of what was done.", Auditor, OrgAdmin, DataProtection),
	rule(AuditVerify, reads, "", "Prove that the log is whole.", Auditor, OrgAdmin, DataProtection, PlatformOperator),
	rule(BatchApprove, personal|stepUp, "", "Approve a batch of cards that somebody else prepared.", Approver),
	rule(BatchHandOut, personal|stepUp, "", "Take the list of whose each printed card is, with a reason, so that the paper gets into the right hands.", Issuer, DistributionLead),
	rule(BatchIssue, personal|stepUp, "", "Sign the cards of an approved batch.", Issuer).
		byToken("It signs what a second account approved, byte for byte, and nothing else; large batches are signed at night."),
	rule(BatchOverride, personal|stepUp, "", "Let somebody pass the quality gate for a named reason, which whoever approves the batch sees.", Issuer),
	rule(BatchPrepare, personal, "", "Choose who gets cards and see what is missing.", Registrar, Issuer),
	rule(BatchPrint, personal, "", "Print the cards of an issued batch.", Issuer),
	rule(BatchRead, reads|personal, "", "See a batch: who gets what, and how it differs from the round before.", Registrar, Issuer, Approver, DataProtection),
	rule(BatchSubmit, personal, BatchApprove, "Ask for the approval of a batch.", Registrar, Issuer),
	rule(CardConfirm, personal|stepUp, "", "Confirm what somebody else wants done to cards.", Approver, DistributionLead),
	rule(CardFind, reads|personal, "", "Look for a card by its number or its holder.", Registrar, Issuer, Verifier, DistributionLead, Complaints, DataProtection),
	rule(CardMany, personal|stepUp, CardConfirm, "Suspend, resume or revoke more than twenty cards at once.", Issuer),
	rule(CardRead, reads|personal, "", "See a card, its state and history.", Registrar, Issuer, Verifier, DistributionLead, Complaints, DataProtection),
	rule(CardReissue, personal|stepUp, CardConfirm, "Replace a card that is not at the desk: somebody vouches for its holder.", Issuer),
	rule(CardReplace, personal|stepUp, "", "Revoke a card that the desk has in its hands, and make its successor.", Issuer),
	rule(CardResume, personal|stepUp, "", "End the suspension of a card.", Issuer, DistributionLead),
	rule(CardRevoke, personal|stepUp, "", "Revoke a card, which is final.", Issuer, DataProtection),
	rule(CardSuspend, personal, "", "Suspend a card until somebody has looked.", Registrar, Issuer, DistributionLead),
	rule(ComplaintRead, reads|personal, "", "Read complaints.", Complaints),
	rule(ConsentGive, personal, "", "Record a consent.", Registrar, DataProtection),
	rule(ConsentRead, reads|personal, "", "See what somebody consented to.", Registrar, DataProtection),
	rule(ConsentWithdraw, personal, "", "Record that a consent was withdrawn; recipients are told.", Registrar, DataProtection),
	rule(DeviceConfirm, stepUp, "", "Confirm a device by the words it shows.", OrgAdmin, DistributionLead),
	rule(DeviceEnrol, 0, "", "Make the code by which a device joins.", OrgAdmin, DistributionLead),
	rule(DeviceRead, reads, "", "See devices, when each was here last and how old its lists are.", OrgAdmin, DistributionLead, Auditor),
	rule(DeviceRevoke, stepUp, "", "Withdraw a lost or stolen device.", OrgAdmin, DistributionLead).
		byToken("It only takes away: the program that looks after devices knows first that one is lost."),
	rule(DuplicatesRun, 0, "", "Look through the register for people who are on record twice.", Registrar),
	rule(ExerciseMake, 0, "", "Make a verification exercise, open and close it.", OrgAdmin, DistributionLead),
	rule(ExerciseMark, personal, "", "Say who was met, how and on which day, in an exercise or without one; take an appeal; make active again who was not seen.", Registrar, DistributionLead),
	rule(ExerciseNotice, personal, "", "Keep that people were told that they were not seen.", Registrar, DistributionLead),
	rule(ExerciseRead, reads|personal, "", "See an exercise: who is invited, who was met, who is absent.", Registrar, DistributionLead, Approver, DataProtection),
	rule(ExerciseSettle, personal, PersonApprove, "Ask that who was not seen becomes inactive, after notice and the time for an appeal.", Registrar, DistributionLead),
	rule(ExportMake, personal|stepUp, "", "Take records out as a file under a named agreement, with a reason.", DataProtection),
	rule(FinanceRead, reads|personal, "", "Read what was paid and collected.", Finance),
	rule(HouseholdEdit, personal, "", "Move people between households and correct them.", Registrar),
	rule(HouseholdEnter, personal, "", "Enter a household.", Registrar),
	rule(HouseholdRead, reads|personal, "", "See a household and its members.", Registrar, Approver, DataProtection, Protection),
	rule(ImportApprove, personal|stepUp, "", "Approve an import that somebody else loaded and checked.", Approver),
	rule(ImportCheck, personal, "", "Map the columns of a loaded file, check its rows, mend them.", Registrar),
	rule(ImportLoad, personal, "", "Load a file; nothing of it is in the register yet.", Registrar),
	rule(ImportRead, reads|personal, "", "See an import, what was found in it and what was mended.", Registrar, Approver),
	rule(ImportSubmit, personal, ImportApprove, "Ask for the approval of a checked import.", Registrar),
	rule(ImportUndo, personal|stepUp, ImportApprove, "Ask for an import to be taken out of the register again: what nothing was built on since.", Registrar),
	rule(ImportWithdraw, personal, "", "Take back an import that is not in the register yet.", Registrar),
	rule(NoticeMake, 0, "", "Keep a wording that is read to people, in their languages.", DataProtection),
	rule(OfferMake, personal|stepUp, "", "Make the code by which a wallet takes up credentials.", Issuer),
	rule(OfferMore, personal|stepUp, CardConfirm, "Make an offer above what one account makes alone on a day: a second account sees for whom.", Issuer),
	rule(OfferRead, reads|personal, "", "See offers to wallets and what became of them.", Registrar, Issuer, Complaints),
	rule(OfferWithdraw, personal, "", "Withdraw an offer.", Registrar, Issuer),
	rule(PackBuild, personal|stepUp, "", "Build the pack a service point works from.", DistributionLead, OrgAdmin),
	rule(PersonApprove, personal|stepUp, "", "Approve a change of people that somebody else asked for.", Approver),
	rule(PersonChange, personal, PersonApprove, "Ask for a change of people that needs a second account: a death taken back, two records made one, a collector who is a child.", Registrar),
	rule(PersonEdit, personal, "", "Correct a person's record.", Registrar),
	rule(PersonEnter, personal, "", "Enter a person.", Registrar),
	rule(PersonErase, personal|stepUp, RetentionApprove, "Erase a person's record for good.", DataProtection),
	rule(PersonFind, reads|personal, "", "Look for a person.", Registrar, Approver, DataProtection, Protection),
	rule(PersonHistory, reads|personal, "", "Compare a record with what it was.", Registrar, Approver, DataProtection),
	rule(PersonMerge, personal|stepUp, "", "Make one record of two of the same person, or part them again.", Registrar),
	rule(PersonPrint, personal, "", "Print a person's slip or page.", Registrar),
	rule(PersonRead, reads|personal, "", "Read a person's record.", Registrar, Approver, DataProtection, Protection, Partner),
	rule(PrintAgain, personal|stepUp, "", "Get the file of a print again, which makes another paper of its cards, with a reason.", Issuer),
	rule(ProgrammePlan, 0, "", "Plan programmes, rounds and what is due.", OrgAdmin, DistributionLead),
	rule(ProgrammeRead, reads, "", "See programmes and rounds.", Registrar, Issuer, Verifier, DistributionLead, Approver, Auditor, OrgAdmin, DataProtection, Complaints, Finance),
	rule(ProtectionRead, reads|personal, "", "Read protection cases.", Protection),
	rule(QualityExport, personal|stepUp, "", "Take the list of what an indicator counts out as a file, with a reason: numbers of records, and no names.", Registrar, DataProtection),
	rule(QualityList, reads|personal, "", "See which records an indicator counts, and why.", Registrar, Approver, DataProtection),
	rule(QualityRead, reads|personal, "", "See how good the register is, by place, account and list.", Registrar, Approver, Auditor, OrgAdmin, DataProtection),
	rule(QualityTake, 0, "", "Measure the register, and keep the day's figures.", Registrar, OrgAdmin, DataProtection),
	rule(RecallRead, reads|personal, "", "See who was told that a yes was taken back, and who answered.", DataProtection),
	rule(RecallSend, personal|stepUp, "", "Sign the letter by which a recipient is told, and take in its answer.", DataProtection),
	rule(RecallTake, personal|stepUp, "", "Take in such a letter of another organisation, and sign the answer.", DataProtection),
	rule(RecheckAnswer, personal, "", "Say what was found of somebody drawn by lot, in whose record and cards one had no part.", Verifier, DistributionLead, Approver),
	rule(RecheckRead, reads|personal, "", "See who was drawn by lot to be seen again, without those in whose record and cards one had a part.", Verifier, DistributionLead, Approver),
	rule(ReportRead, reads, "", "Read sums, in which no small group can be seen.", DistributionLead, Approver, Auditor, OrgAdmin, DataProtection, Finance),
	rule(RetentionApprove, personal|stepUp, "", "Approve the erasure of records whose time is over or whose owner asked, and other terms.", OrgAdmin),
	rule(RetentionRead, reads|personal, "", "See whose records are due for erasure.", DataProtection, OrgAdmin),
	rule(RetentionTerms, stepUp, RetentionApprove, "Change how long each class of data is kept.", DataProtection),
	rule(RightsAnswer, personal, "", "Answer what a person asked about her data.", DataProtection),
	rule(RightsAsk, personal, "", "Write down what a person asks about her data.", Registrar, DataProtection),
	rule(RightsPrint, personal, "", "Print all that is held about one person, and who looked at it.", DataProtection, Registrar),
	rule(SettingsChange, stepUp, "", "Change the organisation's settings.", OrgAdmin),
	rule(SettingsLoosen, stepUp, SettingsLoosen, "Loosen a setting that holds people apart (ceilings, lots, what a record must have): two administrators.", OrgAdmin),
	rule(SettingsRead, reads, "", "See the organisation's settings.", OrgAdmin, Auditor, DataProtection, PlatformOperator),
	rule(TokenMake, stepUp, "", "Make a token for a program, with no more than its maker may do.", OrgAdmin, Registrar, Issuer, DistributionLead, DataProtection, Finance),
	rule(TokenRevoke, 0, "", "Revoke a program's token: one's own, or as an administrator anyone's.", OrgAdmin, Registrar, Issuer, DistributionLead, DataProtection, Finance),
	rule(TrustImport, stepUp, "", "Take a newer trust list.", OrgAdmin),
	rule(TrustRead, reads, "", "See which issuers are accepted.", OrgAdmin, DistributionLead, Approver, Auditor, DataProtection, Issuer),
	rule(TrustWithdrawKey, stepUp, TrustWithdrawKey, "Withdraw a signing key of one's own organisation: nothing that it signed counts any more.", OrgAdmin),
}

// Rules is the table of permissions, in order of Act. The caller may change it: it is a copy.
func Rules() []Rule {
	all := slices.Clone(rules)
	for i := range all {
		all[i].Roles = slices.Clone(all[i].Roles)
	}
	return all
}

// RuleOf returns the row of an act, false for one that is not in the table.
func RuleOf(a Act) (Rule, bool) {
	i, ok := slices.BinarySearchFunc(rules, a, func(r Rule, a Act) int {
		switch {
		case r.Act < a:
			return -1
		case r.Act > a:
			return 1
		}
		return 0
	})
	if !ok {
		return Rule{}, false
	}
	r := rules[i]
	r.Roles = slices.Clone(r.Roles)
	return r, true
}

// May reports whether one of roles may do a. What is not in the table is not allowed.
//
// It says nothing about which objects: organisation, and the [Scope] of a partner, are
// checked where the object is read.
func May(roles []Role, a Act) bool { return RoleFor(roles, a) != "" }

// RoleFor is the role in which an account with roles does a, as it stands in the log:
// the first of the table's row. "" when none may.
func RoleFor(roles []Role, a Act) Role {
	rule, _ := RuleOf(a)
	for _, r := range rule.Roles {
		if slices.Contains(roles, r) {
			return r
		}
	}
	return ""
}
