//go:build !linux

package apart

import (
	"os"
	"runtime"
	"time"
)

// Lacks says in English what this system does not hold a worker to.
func Lacks() string {
	return "on " + runtime.GOOS + " the process that reads a list is bound by the clock and by its collector alone: memory, files and network are not refused to it by the system"
}

// used knows the time alone.
func used(p *os.ProcessState) (u Use) {
	if p != nil {
		u.CPU = p.UserTime() + p.SystemTime()
	}
	return u
}

func confine(int64, time.Duration) error { return nil }
