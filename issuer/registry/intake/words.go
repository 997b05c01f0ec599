package intake

import (
	"regexp"
	"strings"

	"aidpass/issuer/registry"
)

// words are the headers that mean a field, likeliest first: the codes of UNICEF
// HOPE and of UNHCR's exchange, then English, French, Spanish, Arabic, Swahili and Portuguese.
// They are compared as fold leaves them, so blanks, case and accents do not matter.
var words = []struct {
	field Field
	words string // separated by |
}{
	{PersonID, "individual id|person id|index id|id|external id|beneficiary id|registration id|registration number|registration no|reg no|member id|" +
		"progres id|progres individual id|individual number|individual no|person number|person no|no|nr|serial no|" +
		"id individu|identifiant individuel|identifiant|id beneficiaire|numero d enregistrement|numero enregistrement|matricule|" +
		"id persona|identificador|id beneficiario|numero de registro|" +
		"رقم الفرد|رقم المستفيد|رقم التسجيل|المعرف|الرقم التعريفي|معرف الفرد|" +
		"namba ya usajili|namba ya mtu|kitambulisho cha mtu"},
	{HouseholdID, "household id|hh id|hhid|household number|household no|hh no|hh number|family id|family number|family no|case id|case number|case no|caseno|" +
		"processing group number|unhcr hh id|household code|hh code|" +
		"id menage|identifiant du menage|identifiant menage|numero du menage|numero de menage|code menage|id famille|numero de famille|" +
		"id hogar|id del hogar|identificador del hogar|numero de hogar|codigo de hogar|id familia|numero de familia|" +
		"رقم الاسره|معرف الاسره|رقم العائله|رقم الحاله|رقم دفتر العائله|" +
		"namba ya kaya|namba ya familia|kitambulisho cha kaya"},
	{ListName, "aidpass list"},
	{HouseList, "aidpass household list"},
	{FullName, "full name|name|complete name|name of person|beneficiary name|person name|member name|names|head of household name|name of head|name of head of household|hoh name|" +
		"nom complet|nom et prenom|nom et prenoms|noms et prenoms|nom prenom|nom|nom du chef de menage|" +
		"nombre completo|nombre y apellido|nombre y apellidos|nombres y apellidos|nombre|nombre del jefe de hogar|" +
		"الاسم الكامل|الاسم بالكامل|الاسم الثلاثي|الاسم الرباعي|الاسم|اسم رب الاسره|" +
		"jina kamili|majina kamili|jina|majina|jina la mkuu wa kaya|nome completo|nome e apelido|nome"},
	{GivenName, "given name|given names|first name|forename|prenom|prenoms|nombres|primer nombre|nombre de pila|الاسم الاول|jina la kwanza|primeiro nome|nome proprio|nomes"},
	{MiddleName, "middle name|middle names|second name|deuxieme prenom|segundo nombre|الاسم الاوسط|jina la kati"},
	{FatherName, "father name|fathers name|father s name|name of father|nom du pere|nombre del padre|nome do pai|اسم الاب|jina la baba"},
	{GrandfatherName, "grandfather name|grandfathers name|grandfather s name|nom du grand pere|nombre del abuelo|اسم الجد|jina la babu"},
	{FamilyName, "family name|last name|surname|nom de famille|nom famille|apellido|apellidos|primer apellido|اسم العائله|اللقب|الكنيه|jina la ukoo|jina la familia|apelido|apelidos|sobrenome"},
	{SecondFamily, "second family name|second surname|segundo apellido|second last name"},
	{MaidenName, "maiden name|birth name|nom de jeune fille|nom de naissance|apellido de soltera|اسم ما قبل الزواج|jina la kuzaliwa"},
	{OtherName, "name in arabic|arabic name|name arabic|full name arabic|full name ar|name ar|name local|local name|name in local script|name other script|name in other script|" +
		"name latin|name in latin|full name latin|full name en|name en|name english|full name english|nom en arabe|nombre en arabe|الاسم بالانجليزي|الاسم بالانجليزيه|الاسم باللغه الانجليزيه|الاسم بالعربي|الاسم باللغه العربيه"},
	{UsedName, "nickname|alias|known as|other name|other names|surnom|sobrenombre|apodo|alias name|اسم الشهره|jina la utani"},
	{Sex, "gender|sex|sex code|sexe|genre|sexo|genero|الجنس|النوع|jinsia|jinsi"},
	{BirthDate, "birth date|date of birth|dob|birthdate|birthday|year of birth|birth year|yob|date de naissance|date naissance|annee de naissance|ne le|" +
		"fecha de nacimiento|fecha nacimiento|ano de nacimiento|تاريخ الميلاد|تاريخ الولاده|سنه الميلاد|سنه الولاده|tarehe ya kuzaliwa|mwaka wa kuzaliwa|data de nascimento|data nascimento|ano de nascimento|nascimento"},
	{Estimated, "estimated birth date|birth date estimated|date of birth estimate|estimated dob|dob estimated|date de naissance estimee|fecha de nacimiento estimada"},
	{Age, "age|age years|age in years|age en annees|edad|العمر|السن|umri|idade"},
	{Relation, "relationship|relation|relationship to head|relationship to head of household|relation to head|relationship to hoh|relationship to principal representative|" +
		"lien de parente|lien avec le chef de menage|relation avec le chef de menage|parente|parentesco|relacion con el jefe de hogar|relacion|" +
		"صله القرابه|القرابه|العلاقه برب الاسره|العلاقه|uhusiano|uhusiano na mkuu wa kaya"},
	{Head, "head of household|is head|hoh|is hoh|head|chef de menage|jefe de hogar|رب الاسره|mkuu wa kaya|chefe do agregado|chefe do agregado familiar|chefe de familia|chef de famille|jefe de familia"},
	{Marital, "marital status|marriage status|marriage status code|civil status|etat civil|situation matrimoniale|situation familiale|estado civil|الحاله الاجتماعيه|الحاله الزوجيه|hali ya ndoa|estado matrimonial"},
	{Pregnant, "pregnant|is pregnant|enceinte|embarazada|حامل|mjamzito"},
	{Language, "preferred language|language|langue|idioma|اللغه|lugha"},
	{Phone, "phone|phone no|phone number|phone number 1|phone 1|telephone|telephone number|mobile|mobile number|mobile no|mobile phone|tel|cell|cell phone|contact number|" +
		"numero de telephone|portable|telefono|numero de telefono|celular|movil|رقم الهاتف|الهاتف|رقم الجوال|الجوال|رقم الموبايل|simu|namba ya simu|nambari ya simu|telefone|numero de telefone|contacto telefonico|telemovel"},
	{Phone2, "phone no alternative|phone number 2|phone 2|alternative phone|alternative phone number|second phone|other phone|autre telephone|telephone 2|telefono 2|otro telefono|رقم هاتف اخر|simu ya pili"},
	{Answers, "who answers phone|whose phone"},
	{Answers2, "who answers alt phone"},
	{Email, "email|e mail|email address|courriel|correo electronico|correo|البريد الالكتروني|barua pepe"},
	{Origin, "country origin|country of origin|origin country|origin country code|consent origin|nationality|nationality code|citizenship|family nationality|" +
		"pays d origine|nationalite|pais de origen|nacionalidad|الجنسيه|بلد المنشا|بلد الاصل|uraia|nchi ya asili|nacionalidade|pais de origem"},
	{Photo, "photo|photo id|photo file|photo name|picture|image|foto|archivo de foto|الصوره|صوره|picha"},
	{Residence, "residence status|displacement status|status of residence|legal status|statut de residence|statut|estatus de residencia|condicion|وضع الاقامه|حاله الاقامه|صفه الاقامه|hali ya ukazi"},
	{Size, "household size|hh size|family size|size|processing group size|number of members|members|number of people|taille du menage|taille menage|taille de la famille|nombre de personnes|" +
		"tamano del hogar|tamano hogar|tamano de la familia|numero de miembros|numero de personas|حجم الاسره|عدد افراد الاسره|عدد الافراد|حجم العائله|ukubwa wa kaya|idadi ya watu|nombre de membres|taille|tamanho do agregado|tamanho do agregado familiar|numero de pessoas|numero de membros"},
	{Admin1, "admin 1|admin1|adm1|admin level 1|admin1 pcode|adm1 pcode|adm1 id|region|province|state|governorate|departamento|provincia|المحافظه|mkoa"},
	{Admin2, "admin 2|admin2|adm2|admin level 2|admin2 pcode|adm2 pcode|adm2 id|district|distrito|county|departement|municipio|القضاء|wilaya"},
	{Admin3, "admin 3|admin3|adm3|admin level 3|admin3 pcode|adm3 pcode|adm3 id|sub district|subdistrict|commune|sous prefecture|الناحيه|tarafa|kata"},
	{Admin4, "admin 4|admin4|adm4|admin level 4|admin4 pcode|adm4 pcode|adm4 id|ward|payam"},
	{PCode, "pcode|p code|location pcode|location code|place code|code lieu|codigo de lugar|رمز الموقع"},
	{Site, "site|camp|settlement|village|site name|camp name|location|place|lieu|localite|campamento|asentamiento|localidad|الموقع|المخيم|القريه|kambi|kijiji|eneo|aldeia|localidade|acampamento"},
	{Address, "address|adresse|direccion|العنوان|anwani"},
	{Country, "country|country of stay|country of asylum|asylum country|asylum country code|pays|pays d asile|pais|pais de asilo|البلد|الدوله|nchi"},
	{Consent, "consent|do you consent|consent given|consent yes no|registration consent|consentement|consentimiento|الموافقه|موافقه|ridhaa|idhini|consentimento"},
	{Sharing, "consent sharing|share|sharing|data sharing|consent to share|consent to sharing|consent to data sharing|may we share|which organizations may we share your information with|data sharing consent|share with|partage|partage des donnees|consentement de partage|compartir con|compartir|compartir datos|مشاركه البيانات|المشاركه|الموافقه على المشاركه|kushiriki taarifa|idhini ya kushiriki"},
	{Registered, "first registration date|registration date|date of registration|date registered|registered on|registered|date d enregistrement|fecha de registro|تاريخ التسجيل|tarehe ya usajili|data de registo|data de registro"},
	{Primary, "primary collector id|primary collector of"},
	{Alternate, "alternate collector id|alternate collector of"},
	{CollectRole, "role|collector role"},
	{CollectorName, "collector name|name of collector|external collector"},
	{PrintName, "print name|name on card|name on the card|show name|print my name|nom sur la carte|imprimer le nom|nombre en la tarjeta|imprimir nombre|الاسم على البطاقه|طباعه الاسم|jina kwenye kadi|chapisha jina"},
	{PrintPhoto, "print photo|photo on card|photo on the card|show photo|photo sur la carte|imprimer la photo|foto en la tarjeta|imprimir foto|الصوره على البطاقه|طباعه الصوره|picha kwenye kadi|chapisha picha"},
	{DocType, "document type|id type|type of document|type de document|tipo de documento|نوع الوثيقه|aina ya kitambulisho"},
	{DocNumber, "document number|document no|id number|id no|numero de document|numero de documento|رقم الوثيقه|namba ya kitambulisho"},
	{DocCountry, "document country|document issuer|issuing country|pays de delivrance|pais de emision"},

	{"document.national_id", "national id no|national id|national id number|nid|cnic|national identity number|carte nationale|numero de carte nationale|cedula|dni|الرقم الوطني|رقم الهويه|الهويه|kitambulisho cha taifa|nida"},
	{"document.passport", "national passport no|national passport|passport|passport no|passport number|passeport|numero de passeport|pasaporte|جواز السفر|رقم جواز السفر|pasipoti"},
	{"document.birth_certificate", "birth certificate no|birth certificate|birth certificate number|acte de naissance|acta de nacimiento|شهاده الميلاد|cheti cha kuzaliwa"},
	{"document.driving_licence", "drivers license no|drivers license|driving licence|driver license|permis de conduire|licencia de conducir|رخصه القياده"},
	{"document.voter", "electoral card no|electoral card|voter card|voter id|carte d electeur|credencial de elector|بطاقه انتخابيه"},
	{"document.tax", "tax id no|tax id|tax number|numero fiscal|nif|nit|الرقم الضريبي"},
	{"document.residence_permit", "residence permit no|residence permit|permis de sejour|permiso de residencia|رقم الاقامه"},
	{"document.unhcr_id", "unhcr id no|unhcr id|unhcr number|progres number|numero hcr|رقم المفوضيه"},
	{"document.scope_id", "scope id no|scope id|scope number|wfp scope id"},
	{"document.health_card", "health card no|health card|carte de sante|tarjeta de salud"},
	{"document.other", "other id no"},
	{"issuer.national_id", "national id issuer"},
	{"issuer.passport", "national passport issuer|passport country|passport issuer"},
	{"issuer.birth_certificate", "birth certificate issuer"},
	{"issuer.driving_licence", "drivers license issuer"},
	{"issuer.voter", "electoral card issuer"},
	{"issuer.tax", "tax id issuer"},
	{"issuer.unhcr_id", "unhcr id issuer"},
	{"issuer.scope_id", "scope id issuer"},
	{"issuer.other", "other id issuer"},

	// HOPE's bands end at 5, 11 and 17; those of DOMAIN 3.2 at 4, 11 and 17: kept apart.
	{"band.f_0_5", "f 0 5 age group"}, {"band.f_6_11", "f 6 11 age group"}, {"band.f_12_17", "f 12 17 age group"},
	{"band.f_18_59", "f 18 59 age group"}, {"band.f_60p", "f 60 age group|f 60p|f 60 plus"}, {"band.f_18p", "f adults|f 18 plus"},
	{"band.m_0_5", "m 0 5 age group"}, {"band.m_6_11", "m 6 11 age group"}, {"band.m_12_17", "m 12 17 age group"},
	{"band.m_18_59", "m 18 59 age group"}, {"band.m_60p", "m 60 age group|m 60p|m 60 plus"}, {"band.m_18p", "m adults|m 18 plus"},
	{"band.f_0_4", "f 0 4"}, {"band.f_5_11", "f 5 11"}, {"band.m_0_4", "m 0 4"}, {"band.m_5_11", "m 5 11"},

	{Skip, rowColumn + "|" + mendColumn + "|start|end|today|audit|meta audit|formhub uuid|index|parent index|parent table name|submission id|submission uuid|submission time|" +
		"submission status|submission notes|submission tags|submission version|submission submitted by|validation status|attachments|geolocation|tags|notes|status|submitted by|version|xform id string|bamboo dataset id"},
}

// Columns that WriteRejects adds, and that are not read back.
const (
	rowColumn  = "row_in_file"
	mendColumn = "what_to_mend"
)

// known are the words by their folded form.
var known = func() map[string]Field {
	m := map[string]Field{}
	for _, w := range words {
		for word := range strings.SplitSeq(w.words, "|") {
			if f := squeeze(word); m[f] == "" {
				m[f] = w.field
			}
		}
	}
	return m
}()

// hopeCode are the ends of HOPE's field codes: _i for individuals, _h for
// households; _c for core fields, _f for a programme's own.
var hopeCode = regexp.MustCompile(`(?i)_([ih])_([cf])$`)

// fold brings a header into the form of known: the last part of a path, without
// the affixes of HOPE's codes, folded, without blanks.
func fold(header string) string {
	if i := strings.LastIndexByte(header, '/'); i >= 0 && i+1 < len(header) && !strings.Contains(header, " ") {
		header = header[i+1:]
	}
	header = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(header)), "pp_")
	return squeeze(hopeCode.ReplaceAllString(header, ""))
}

func squeeze(s string) string { return strings.ReplaceAll(registry.Fold(s), " ", "") }

// labelled is what a form's label names, without HOPE's kind of the field after a
// dash, a question mark, or an explanation in brackets.
func labelled(label string) string {
	label, _, _ = strings.Cut(label, " - ")
	label, _, _ = strings.Cut(label, "(")
	label, _, _ = strings.Cut(label, "?")
	return squeeze(label)
}
