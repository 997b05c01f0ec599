// Package request asks wallets: an organisation wants to see certain claims of
// certain credentials, for a purpose, and gets one answer.
//
//  1. New makes a transaction from a policy: its query, a nonce, a state, an end
//     five minutes away, and where the answer is to be encrypted a key of its own
//  2. Link is what the QR code or the button says; a wallet follows it
//  3. Object gives the request object, whose bytes the organisation's key signs
//  4. Answer takes what the wallet posts: whole or refused, judged by the verifier
//     core, and only the claims asked for are kept
//  5. Result tells the session that asked, and no other
//
// A transaction is answered once; the same answer again gets the same reply. HTTP,
// JWE and signing keys are others' work: bytes come in and go out. The package
// declares the Store it needs.
//
// OpenID for Verifiable Presentations 1.0, response modes direct_post and
// direct_post.jwt.
package request
