package intake

// A Word is a name that a plan or an answer may have, with what it is.
type Word struct{ Name, What string }

// FieldWords lists the fields in the order in which people look for them.
func FieldWords() []Word {
	return []Word{
		{string(PersonID), "number of the person in the list"},
		{string(HouseholdID), "number of the household in the list"},
		{string(ListName), "name of the list that numbers the row, in our own exports; - is the organisation's own"},
		{string(HouseList), "the same of the row's household"},
		{string(FullName), "whole name, as it is said"},
		{string(GivenName), "given or first name"},
		{string(MiddleName), "middle name"},
		{string(FatherName), "father's name, as a part of hers"},
		{string(GrandfatherName), "grandfather's name, as a part of hers"},
		{string(FamilyName), "family name"},
		{string(SecondFamily), "second family name"},
		{string(MaidenName), "name before marriage"},
		{string(OtherName), "the whole name once more, in another script"},
		{string(UsedName), "nickname, alias"},
		{string(Sex), "f, m, x (other), u (not said), or words; ,hm: M is a woman (mujer); ,mf: M is a man"},
		{string(BirthDate), "birth date, or the year; unknown is an answer; ,dmy or ,mdy: the order of its dates"},
		{string(Estimated), "yes: the birth date is an estimate"},
		{string(Age), "completed years on the day of registration"},
		{string(Relation), "to the head of the household: head, wife, son, or a code of the form, as wife_husband"},
		{string(Head), "yes: she is the head"},
		{string(Marital), "single, married, divorced, widowed, separated"},
		{string(Pregnant), "yes or no"},
		{string(Language), "language she speaks: its name, or its code of two or three letters"},
		{string(Phone), "telephone"},
		{string(Phone2), "another telephone"},
		{string(Answers), "who answers the telephone"},
		{string(Answers2), "who answers the other one"},
		{string(Email), "address of electronic mail"},
		{string(Origin), "country of origin or nationality: its name, or its code of two or three letters"},
		{string(Photo), "file name of the photograph"},
		{string(Residence), "IDP, REFUGEE, OTHERS_OF_CONCERN, RETURNEE, HOST or NON_HOST"},
		{string(Size), "how many live in the household"},
		{string(Admin1), "place of the first level: a p-code, or its name"},
		{string(Admin2), "of the second level"},
		{string(Admin3), "of the third level"},
		{string(Admin4), "of the fourth level"},
		{string(PCode), "p-code of the most detailed place"},
		{string(Site), "camp, settlement, village"},
		{string(Address), "address"},
		{string(Country), "country where they stay: its name, or its code of two or three letters"},
		{string(Consent), "yes or no to being registered"},
		{string(Sharing), "yes, no, or codes of those whom it may be shared with"},
		{string(Registered), "day of registration; ,dmy or ,mdy"},
		{string(Primary), "numbers of households that she collects for"},
		{string(Alternate), "numbers of households that she collects for in another's place"},
		{string(CollectRole), "PRIMARY or ALTERNATE, for her own household"},
		{string(CollectorName), "name of a collector who is not on record"},
		{string(PrintName), "yes: her name may stand on her card"},
		{string(PrintPhoto), "yes: her photograph may"},
		{string(DocType), "kind of the document beside it"},
		{string(DocNumber), "number of that document"},
		{string(DocCountry), "country that issued it: its name or code"},
		{documentOf + "TYPE", "number of a document of one kind, as document.passport"},
		{issuerOf + "TYPE", "country that issued it: its name or code, as issuer.passport"},
		{bandOf + "NAME", "people of an age and sex, as band.f_0_4"},
		{string(Ext), "kept under the column's own name, and on no card"},
		{string(Skip), "left out: what programs add"},
		{string(Private), "left out: what no card needs and people are hurt for"},
	}
}

// RoleWords lists what a table may be.
func RoleWords() []Word {
	return []Word{
		{string(Households), "a household a row"},
		{string(People), "a person a row; her household stands in another table, or she has none"},
		{string(HeadRows), "a household a row, with the name of its head"},
		{string(PeopleInHouses), "a person a row, who repeats what is said of her household"},
		{string(Documents), "a document of a person a row"},
		{string(Collectors), "somebody who collects for a household a row"},
		{string(Ignored), "nothing of people"},
	}
}
