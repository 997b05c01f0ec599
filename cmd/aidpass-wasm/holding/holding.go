// Package holding is the door between the wallet's page and the core: one function
// aidpassWallet(op, ...args) that takes strings, numbers, truth values, bytes
// (Uint8Array) and lists of them, and gives back one object. It fetches, stores and
// times nothing; the page does, and keeps the wallet it is given back.
//
// Every answer has ok. With ok false: error (for us, not for people) and, where
// somebody else is the reason, why, the key of the words for people (openid.Why), and
// code, the error code that came. at is the clock in seconds. Keys are points of
// P-256 of 65 bytes; a handle names one. Signatures are those of WebCrypto, r||s in
// 64 bytes, over the bytes in sign. changed true: take "wallet" and store it before
// anything else is done.
//
// The wallet:
//
//	new()                                 -> {ok, changed}: an empty one
//	open(wallet)                          -> {ok}: what "wallet" gave, unsealed
//	wallet()                              -> {ok, wallet}: bytes, to be sealed and stored
//	key(pin, device, salt)                -> {ok, key}: 32 bytes of PIN, device's secret (32) and salt (16); slow
//	seal(key, kind, plain)                -> {ok, sealed}: kind is aidpass-wallet-1 or aidpass-issuing-1
//	unseal(key, kind, sealed)             -> {ok, plain}
//	kind(text)                            -> {ok, kind: offer | request | card | handover | challenge | other}: of what was scanned
//	development(on)                       -> {ok}: http to this very machine is let through
//	forget()                              -> {ok}: everything in memory is dropped
//
// Cards; lang is a language tag:
//
//	cards(at, lang)                       -> {ok, cards: [card]}; card = {id, issuer, source, type, name, issuer_name, picture, colour, text_colour, added,
//	                                         valid_from, ends, state, state_at, known, held_for, consent, live, paper, copies, left, fetch, handles}:
//	                                         type: the name of a type of the project, or "", state as wallet.Word, known as wallet.Known, live: it can be shown live, paper: as a plain QR code,
//	                                         copies and left: of one-time copies, fetch: new ones should be asked of source
//	card(id, at, lang)                    -> {ok, card, claims: [{name, label, value}], wish: {to, at, ends} | null}: what the desk was asked about it last
//	paper(text, name, at)                 -> {ok, changed, id}: a card scanned from paper; name is its holder's word for it
//	show(id, at)                          -> {ok, changed, text}: the QR text of a paper card, logged
//	remove(id, at)                        -> {ok, changed, handles}: whose keys are to be deleted
//	log()                                 -> {ok, events: [{at, kind, who, name, how, for, cards, claims}]}, the newest first;
//	                                         kind: added shown declined live paper handed_over taken_over backed_up restored removed wished wish_ended
//	lists()                               -> {ok, lists: [{issuer, uri, keys}]}: status lists, and where the issuer's keys are
//	unproved()                            -> {ok, issuers: [{issuer, keys}]}: whose cards could not be proved when they came, and where their keys are
//	keyset(issuer, keys)                  -> {ok, uri}: where what is at keys leads to for the keys themselves; "": nowhere, they are in it
//	prove(issuer, keys)                   -> {ok, changed, proved}: how many cards are proved now
//	lookup(issuer, uri, token, keys, at)  -> {ok, changed}: token and keys as fetched
//
// An offer, step by step; a step is {ok, do, ...} with do one of
//
//	fetch: method, url, accept, type, bearer, body, max      then offer_take
//	ask:   issuer_name, issuer, can: [{id, name, format, picture, colour}], cannot, code: {numeric, length, description} | null, again,
//	       sign_in, must_sign_in: whether she may sign in, or has to
//	                                                         then offer_agree
//	visit: url, for her browser                              then offer_callback
//	keys:  count                                             then offer_keys
//	sign:  sign: [{handle, bytes}]                           then offer_signed
//	wait:  until                                             then come back
//	done                                                     then offer_keep
//
//	offer(link, lang)                     -> step
//	offer_resume(state, lang)             -> {ok}: what offer_state gave, unsealed
//	offer_state()                         -> {ok, state}: holds secrets, to be sealed as aidpass-issuing-1
//	offer_next(at)                        -> step
//	offer_take(status, type, body, at)    -> {ok}: status 0: no answer came. After why no_answer, bad_answer and wrong_code go on with offer_next
//	offer_agree(ids, code, copies, back)  -> {ok}: copies 0: as many as usual; back is where the browser comes back to after a sign-in, "": none
//	offer_callback(query)                 -> {ok}: of the address that the browser came back to. After why mix_up the right one may still come; after refused go on with offer_next
//	offer_keys(points)                    -> {ok, handles}
//	offer_signed(signatures)              -> {ok}
//	offer_keep(replaces, at)              -> {ok, changed, ids, handles}: the cards are in the wallet; replaces is the id of one that new copies were
//	                                         asked for, or ""; handles: whose keys are to be deleted, of copies that others took the place of
//
// A request, likewise; do is fetch, sign, done (redirect: where the browser goes
// next, or ""), and
//
//	chain:   chain: [bytes]                                  then ask_chain
//	consent: who: {client_id, how, name, calls}, purpose, purpose_lang, to, sealed
//	                                                         then ask_choices, and ask_answer or ask_refuse
//
//	ask(link, lang)                       -> step
//	ask_resume(state, lang), ask_state()  as for an offer
//	ask_next(at)                          -> step
//	ask_take(status, type, body, at)      -> {ok}
//	ask_chain(name, trusted)              -> {ok}: name as the certificate has it; trusted: it leads to a root the page knows
//	ask_choices(at)                       -> {ok, possible, wants: [{id, required, options: [{card, form, always, ways: [{claims}], again, left}]}],
//	                                         sets: [{optional, options: [[id]]}] | null, least: [pick]}; pick = {want, card, form, way}
//	ask_answer(picks, at)                 -> {ok, changed}: copies are marked and the log is written; store, then go on with ask_next
//	ask_refuse(at)                        -> {ok, changed}
//	ask_signed(signatures)                -> {ok}
//
// Showing live, offline:
//
//	challenge(text)                       -> {ok, organisation, site, at}: what a device shows; who it says it is, unproved
//	live(id, challenge, at)               -> {ok, handle, sign}: challenge is that text, or ""
//	live_signed(signature, at)            -> {ok, changed, text}: the QR text, for error correction level L; logged
//
// Back-up, and another phone:
//
//	words()                               -> {ok, words}: eight, for a new back-up
//	backup(words, at)                     -> {ok, changed, file}
//	restore(file, words, handles, at)     -> {ok, changed, lost}: handles of the keys this phone has; lost: ids of cards that came back for reading only
//	handover(id, holder, to, at)          -> {ok, changed, text}: for a QR code
//	wish(id, to, ends, at)                -> {ok, handle, sign}: asks the desk to let somebody collect with a card that is bound to this phone, or no longer
//	wish_signed(signature, at)            -> {ok, changed, text}: for a QR code or a file; logged
//	takeover(text, at)                    -> {ok, changed, id}
package holding
