// Package status knows whether a credential still stands: it reads and writes
// token status lists (two bits an entry: valid, invalid, suspended), in the two
// forms of the standard and in the compact form that packs carry.
//
//	register --PrepareCWT, PrepareJWT--> token     published, for everybody
//	register --PrepareSnapshot---------> snapshot  for packs, near the entropy
//	register --PrepareDelta------------> delta     what changed since a snapshot
//	token, snapshot, snapshot + deltas --> List --> Look(index)
//
// Whatever is opened is checked against a signature first. A List is a bitmap
// in memory, so a look-up on a scan inflates nothing. A Set keeps the newest
// list of each URI, whichever form it came in, and notices when a newer list
// takes a revocation back.
//
// Left to others: which key may sign for which URI (package trust), how old is
// too old and what a worker is told (package verifier), storing and fetching.
//
// draft-ietf-oauth-status-list-20 (in the RFC Editor's queue); the compact form
// is ours: docs/formats/status.md.
package status
