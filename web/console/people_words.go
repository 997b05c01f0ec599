package console

import (
	"aidpass/issuer/records"
	"aidpass/issuer/registry"
)

// refused is why an act of package registry cannot be done, in words.
func refused(r *registry.Refusal) Said { return Said("refusals." + r.Code) }

// Words for codes of records. A code without one is shown as it is.

var fieldWords = map[string]string{
	"name": "people.field_name", "name_other_script": "people.field_name_other", "used_name": "people.field_used", "maiden_name": "people.field_maiden", "names": "people.field_names",
	"sex": "people.field_sex", "birth": "people.field_birth", "relation": "people.field_relation", "origin": "people.field_origin",
	"language": "people.field_languages", "languages": "people.field_languages", "phone": "people.field_phone", "email": "people.field_email", "contacts": "people.field_contacts",
	"pcode": "people.field_pcode", "site": "people.field_site", "address": "people.field_address", "country": "people.field_country", "location": "people.field_location",
	"registered": "people.field_registered", "document": "people.field_document", "issuer": "people.field_issuer", "documents": "people.field_documents",
	"photo": "people.field_photo", "status": "people.field_status", "consents": "people.field_consents", "issues": "people.field_issues", "ext": "people.field_ext",
	"card_face": "people.field_card_face", "assurance": "people.field_assurance", "household": "people.field_household", "unit.household": "people.field_household",
	"size": "people.field_size", "bands": "people.field_bands", "head": "people.field_head", "focal_point": "people.field_focal_point", "collectors": "people.field_collectors",
	"collect_type": "people.field_collect_type", "registration": "people.field_registered", "contact": "people.field_contacts", "collector": "people.field_collectors", "residence": "people.field_residence", registry.UndecidedField: "people.field_undecided",
}

var documentWords = map[string]string{
	"national_id": "people.doc_national_id", "passport": "people.doc_passport", "birth_certificate": "people.doc_birth", "driving_licence": "people.doc_driving",
	"voter": "people.doc_voter", "tax": "people.doc_tax", "residence_permit": "people.doc_residence", "unhcr_id": "people.doc_unhcr", "scope_id": "people.doc_scope",
	"health_card": "people.doc_health", "other": "people.doc_other",
}

var codeWords = map[string]map[string]string{
	"sex": {registry.Female: "people.sex_f", registry.Male: "people.sex_m", registry.Another: "people.sex_x", registry.NotSaid: "people.sex_u"},
	"relation": {
		registry.Head: "people.rel_head", registry.Spouse: "people.rel_spouse", registry.Child: "people.rel_child", "step_child": "people.rel_step_child", "foster_child": "people.rel_foster_child",
		registry.Parent: "people.rel_parent", "sibling": "people.rel_sibling", registry.Grandparent: "people.rel_grandparent", registry.Grandchild: "people.rel_grandchild",
		"parent_in_law": "people.rel_parent_in_law", "child_in_law": "people.rel_child_in_law", "sibling_in_law": "people.rel_sibling_in_law", "aunt_uncle": "people.rel_aunt_uncle",
		"nephew_niece": "people.rel_nephew_niece", "cousin": "people.rel_cousin", "other_relative": "people.rel_other_relative", "unrelated": "people.rel_unrelated",
		registry.NoRelation: "people.rel_not_member", "other": "people.rel_other",
	},
	"residence": {"IDP": "people.res_idp", "REFUGEE": "people.res_refugee", "OTHERS_OF_CONCERN": "people.res_concern", "RETURNEE": "people.res_returnee", "HOST": "people.res_host", "NON_HOST": "people.res_non_host"},
	"document":  documentWords,
	"name":      {registry.Used: "people.field_used", registry.Alias: "people.field_used", registry.Maiden: "people.field_maiden", registry.Romanised: "people.field_name_other"},
	"closed": {
		registry.ReasonDeceased: "people.closed_deceased", "departed": "people.closed_departed", registry.ReasonDuplicate: "people.closed_duplicate", "withdrawn": "people.closed_withdrawn",
		registry.ReasonSplit: "people.closed_split", registry.ReasonMerged: "people.closed_merged", registry.ReasonEmptied: "people.closed_emptied", records.Erased: "people.closed_erased",
	},
	"due": {
		string(registry.Planned): "people.due_planned", string(registry.Granted): "people.due_issued", string(registry.OnHold): "people.due_suspended", string(registry.Cancelled): "people.due_cancelled",
		string(registry.Collected): "people.due_collected", string(registry.Partial): "people.due_partial", string(registry.Returned): "people.due_returned", string(registry.Lapsed): "people.due_expired",
	},
	"card": {
		"revoked": "people.card_revoked", "suspended": "people.card_suspended", "ended": "people.card_ended", "wallet": "people.card_wallet", "issued": "people.card_issued", "printed": "people.card_printed",
		"handed_over": "people.card_handed_over", "spoiled": "people.card_spoiled", "unclaimed": "people.card_unclaimed", "destroyed": "people.card_destroyed",
	},
	"why":     {registry.KeyDocument: "people.why_document", registry.KeyNameYear: "people.why_name", registry.KeyMatch: "people.why_match"},
	"role":    {registry.Primary: "people.role_primary", registry.Alternate: "people.role_alternate"},
	"purpose": {"registration": "people.purpose_registration", "sharing": "people.purpose_sharing", registry.NameOnCard: "people.purpose_name", registry.PhotoOnCard: "people.purpose_photo"},
}

// changeWords are what the button of a change says; tellWords say whom it is about.
var (
	changeWords = map[string]string{
		records.Died: "people.do_died", records.Alive: "people.do_alive", records.Split: "people.do_split", records.Move: "people.do_move", records.Merge: "people.do_merge",
		records.Same: "people.do_same", records.Different: "people.do_different", records.Open: "doubles.take_back", records.Collect: "people.do_collect", records.CollectEnd: "people.do_collect_end",
	}
	tellWords = map[string]string{
		records.Died: "people.tell_died", records.Alive: "people.tell_alive", records.Split: "people.tell_split", records.Move: "people.tell_move", records.Merge: "people.tell_merge",
		records.Same: "people.tell_same", records.Different: "people.tell_different", records.Open: "doubles.tell_open", records.Collect: "people.tell_collect", records.CollectEnd: "people.tell_collect_end",
	}
	todoWords = map[string]string{
		registry.DecideNoAdult: "people.todo_no_adult", registry.DecideNewNoAdult: "people.todo_new_no_adult", registry.DecideNoCollector: "people.todo_no_collector",
		registry.DecideHead: "people.todo_head", registry.DecideRound: "people.todo_round", registry.DecidePlan: "people.todo_plan", registry.DecideHousehold: "people.todo_household",
		registry.DecideDue: "doubles.todo_due",
	}
)
