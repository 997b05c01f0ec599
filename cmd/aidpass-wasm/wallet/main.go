//go:build js && wasm

// Command wallet is the core for the wallet app: it puts two functions on the page of
// the worker that loads it. aidpassWallet keeps, fetches and shows credentials (package
// holding); aidpass judges them, as the scanner's does (package bridge).
package main

import (
	"aidpass/cmd/aidpass-wasm/bridge"
	"aidpass/cmd/aidpass-wasm/holding"
	"aidpass/verifier/token"
)

func main() {
	holding.Publish("aidpassWallet")
	bridge.Serve("aidpass", token.Reader{})
}
