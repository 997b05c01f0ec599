//go:build js && wasm

// Command scanner is the core for the scanner app: bridge.Serve puts one function on the
// page of the worker that loads it.
package main

import "aidpass/cmd/aidpass-wasm/bridge"

func main() { bridge.Serve("aidpass", nil) }
