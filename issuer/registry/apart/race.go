//go:build race

package apart

const instrumented = true
