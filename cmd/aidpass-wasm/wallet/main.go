//go:build js && wasm

// Command wallet is the core for the wallet app: bridge.Serve puts one function on the
// page of the worker that loads it.
package main

import (
	"aidpass/cmd/aidpass-wasm/bridge"
	"aidpass/verifier/token"
)

func main() { bridge.Serve("aidpass", token.Reader{}) }
