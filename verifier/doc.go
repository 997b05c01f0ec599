// Package verifier is the one verification core: the same function judges a
// card on a phone, on the command line and on a server, with no network.
//
//	pack, floors, err := verifier.OpenPack(file, floors, at)
//	result := verifier.Verify(text, verifier.Inputs{At: at, Floors: floors, Pack: pack, Uses: journal})
//	result.Word      // give, already_collected, help_desk, ...
//	result.Reason    // ok, already_redeemed, revoked, ...
//
// Verify takes everything as an argument: the text of the QR code, the time, a
// Pack (trust list, status lists, types, policy), what was collected before, and
// the floors that prove a clock wrong. It never asks a network, a file or a clock.
//
// Up to the signature the first failure is the answer and nothing of the payload
// can be seen. After the signature all checks run; the answer is the worst
// finding (invalid, used, unsure, valid) and the others are listed: an earlier
// collection is always looked up and never hidden by old lists. DESIGN 7 and 8
// are the rules; docs/formats holds the bytes.
package verifier
