// Package openid is the wallet's side of the two OpenID protocols: it takes
// credentials that somebody offers (Issuing) and answers those who ask for them
// (Asking).
//
// Both are state machines without hands. Next says what is to be done: fetch
// this, ask the holder, make keys, sign these bytes. The caller does it, in a
// browser or on a command line, and hands the outcome back. In between, Encode
// gives bytes that go on after a reload. Nothing is fetched, signed or timed in
// here; times and randomness are arguments.
//
// Whatever comes from outside is a stranger's word: links, offers, metadata and
// requests are bounded in size and nesting, addresses are https, and an answer
// that speaks for somebody else than was asked is a mix-up and ends the matter.
//
// OpenID for Verifiable Credential Issuance 1.0; OpenID for Verifiable
// Presentations 1.0.
package openid
