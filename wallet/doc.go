// Package wallet is what a person keeps on a phone: her credentials, in as many
// one-time copies as the issuer gave, and the log of who asked for them.
//
// The package is a value and its changes: Decode reads the one encoded form, each
// method makes a change, Encode writes it again. Storing, sealing on the phone's
// disk, keys and the clock are the caller's; so are the two protocols by which
// credentials come and are shown (wallet/openid). docs/formats/wallet.md draws the
// bytes.
package wallet
