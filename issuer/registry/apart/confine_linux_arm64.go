package apart

import "syscall"

const (
	auditArch  = 0xc00000b7 // AUDIT_ARCH_AARCH64
	sysSeccomp = 277
)

// refusedHere are the calls of this architecture alone.
var refusedHere = []uint32{281, syscall.SYS_RENAMEAT} // execveat
