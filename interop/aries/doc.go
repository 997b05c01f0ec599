// Package aries holds aidpass against Aries Framework Go 0.3.2, an independent and
// archived implementation that wallets in the field still run: its reader of
// credentials and its resolvers of identifiers as referees in tests, and a gateway
// that hands credentials to its agents over DIDComm.
//
// It is a module of its own, so that nothing of Aries reaches the aidpass binary.
// What Aries accepts is never believed here: whatever goes through the gateway was
// judged by the verifier of aidpass before.
package aries
