package apart

import "syscall"

const (
	auditArch  = 0xc000003e // AUDIT_ARCH_X86_64
	sysSeccomp = 317
)

// refusedHere are the calls of this architecture alone.
var refusedHere = []uint32{
	322, // execveat
	syscall.SYS_OPEN, syscall.SYS_CREAT, syscall.SYS_FORK, syscall.SYS_VFORK, syscall.SYS_UNLINK, syscall.SYS_RENAMEAT, syscall.SYS_RENAME, syscall.SYS_LINK, syscall.SYS_SYMLINK, syscall.SYS_MKDIR,
	syscall.SYS_RMDIR, syscall.SYS_CHMOD, syscall.SYS_CHOWN,
}
