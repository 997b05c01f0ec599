//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package durable

import "os"

// lock: these systems have no flock; there the operator keeps to one process a file.
func lock(*os.File) error { return nil }
