// Package dcql reads, writes and answers queries of the Digital Credentials Query
// Language: what a verifier asks of a wallet.
//
//	query, err := dcql.Parse(raw)      // a request came in
//	found := query.Search(held)        // what of mine would answer it
//	answer, ok := found.Least()        // the least that does
//
//	err := query.Check(shown)          // a verifier: does what came in answer it
//	kept := asked.Keep(claims)         // and only what was asked for
//
// Wallet and verifier work with the same code, so what the one chooses the other
// takes. The package knows claims as JSON and not what is true: a verifier looks at
// signatures, status and values for itself, and never relies on the restriction of
// values (OpenID4VP 1.0 6.4.1).
//
// OpenID4VP 1.0 sections 6 and 7.
package dcql
