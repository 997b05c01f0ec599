package main

import (
	"strings"

	"aidpass/verifier/request"
	"aidpass/words"
)

// requestWords are the words around a verdict in `request show`, by language; what the
// catalogues of the verdict have is said by those.
var requestWords = map[string]map[string]string{
	"en": {
		"over": "no answer", "open": "waits until {at}", "denied": "not shown", "card": "{type} from {issuer}: {word} ({code})", "also": "also {code}: {why}",
		"not_looked_up": "whether it was collected was not looked up: before anything is given, ask with --claim ledger", "status": "revocations as of {at}",
		"purpose": "asked for ({lang}): {text}", "asked": "asked for {claims} of {type}", "optional": "{claim} (optional)", "nothing": "nothing but the credential itself",
		"request": "request {id} of {at}, deleted after {ends}",
	},
	"fr": {
		"over": "pas de réponse", "open": "attend jusqu’à {at}", "denied": "non montré", "card": "{type} de {issuer} : {word} ({code})", "also": "aussi {code} : {why}",
		"not_looked_up": "on n’a pas regardé si c’était déjà retiré : avant de donner quoi que ce soit, demandez avec --claim ledger", "status": "annulations au {at}",
		"purpose": "demandé pour ({lang}) : {text}", "asked": "demandé {claims} de {type}", "optional": "{claim} (facultatif)", "nothing": "rien que la carte elle-même",
		"request":        "demande {id} du {at}, supprimée après le {ends}",
		request.Mismatch: "Autre chose a été montré que ce qui était demandé.", request.HolderMismatch: "Les cartes montrées n’appartiennent pas à une seule personne.",
		request.Expired: "Personne n’a répondu à temps.", "access_denied": "La personne a dit non, ou le portefeuille n’a rien de ce qui était demandé.",
		"vp_formats_not_supported": "Le portefeuille ne connaît pas la forme demandée.", "wallet_unavailable": "Aucun portefeuille ne s’est ouvert.", "": "Le portefeuille n’a pas pu traiter la demande.",
	},
	"es": {
		"over": "sin respuesta", "open": "espera hasta {at}", "denied": "no mostrado", "card": "{type} de {issuer}: {word} ({code})", "also": "también {code}: {why}",
		"not_looked_up": "no se miró si ya se recogió: antes de dar nada, pregunte con --claim ledger", "status": "anulaciones a {at}",
		"purpose": "pedido para ({lang}): {text}", "asked": "pedido {claims} de {type}", "optional": "{claim} (opcional)", "nothing": "nada más que la tarjeta misma",
		"request":        "solicitud {id} del {at}, se borra después del {ends}",
		request.Mismatch: "Se mostró otra cosa que la que se pidió.", request.HolderMismatch: "Las tarjetas mostradas no son de una sola persona.",
		request.Expired: "Nadie respondió a tiempo.", "access_denied": "La persona dijo que no, o la cartera no tiene nada de lo que se pidió.",
		"vp_formats_not_supported": "La cartera no conoce la forma que se pidió.", "wallet_unavailable": "No se abrió ninguna cartera.", "": "La cartera no pudo con la solicitud.",
	},
	"ar": {
		"over": "لا جواب", "open": "ينتظر حتى {at}", "denied": "لم تُعرض", "card": "{type} من {issuer}: {word} ({code})", "also": "وأيضًا {code}: {why}",
		"not_looked_up": "لم يُنظر هل استُلمت من قبل: قبل إعطاء أي شيء اسأل بـ --claim ledger", "status": "الإلغاءات حتى {at}",
		"purpose": "الغرض ({lang}): {text}", "asked": "طُلب {claims} من {type}", "optional": "{claim} (اختياري)", "nothing": "البطاقة نفسها لا غير",
		"request":        "الطلب {id} بتاريخ {at}، يُحذف بعد {ends}",
		request.Mismatch: "عُرض غير ما طُلب.", request.HolderMismatch: "البطاقات المعروضة ليست لشخص واحد.",
		request.Expired: "لم يُجب أحد في الوقت.", "access_denied": "رفض الشخص، أو ليس في المحفظة شيء مما طُلب.",
		"vp_formats_not_supported": "لا تعرف المحفظة الصيغة المطلوبة.", "wallet_unavailable": "لم تُفتح أي محفظة.", "": "لم تستطع المحفظة معالجة الطلب.",
	},
	"sw": {
		"over": "hakuna jibu", "open": "linasubiri hadi {at}", "denied": "haikuonyeshwa", "card": "{type} kutoka {issuer}: {word} ({code})", "also": "pia {code}: {why}",
		"not_looked_up": "haikuangaliwa kama ilishachukuliwa: kabla ya kutoa chochote, uliza kwa --claim ledger", "status": "kadi zilizofutwa kufikia {at}",
		"purpose": "kusudi ({lang}): {text}", "asked": "iliombwa {claims} ya {type}", "optional": "{claim} (si lazima)", "nothing": "kadi yenyewe tu",
		"request":        "ombi {id} la {at}, litafutwa baada ya {ends}",
		request.Mismatch: "Kilionyeshwa kitu kingine kuliko kilichoombwa.", request.HolderMismatch: "Kadi zilizoonyeshwa si za mtu mmoja.",
		request.Expired: "Hakuna aliyejibu kwa wakati.", "access_denied": "Mhusika alikataa, au pochi haina chochote kilichoombwa.",
		"vp_formats_not_supported": "Pochi haijui muundo ulioombwa.", "wallet_unavailable": "Hakuna pochi iliyofunguka.", "": "Pochi haikuweza kushughulikia ombi.",
	},
}

// requestSays says a line of `request show`, with pairs of name and value in its places.
func requestSays(say *words.Catalogue, key string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(requestWords[say.Tag()][key])
}
