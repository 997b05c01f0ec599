package apart

import "syscall"

const (
	auditArch  = 0xc000003e // AUDIT_ARCH_X86_64
	sysSeccomp = 317
)

// refusedHere are the calls of this architecture alone.
var refusedHere = []uint32{
	322,                                                                        // execveat
	316,                                                                        // renameat2
	310,                                                                        // process_vm_readv
	311,                                                                        // process_vm_writev
	syscall.SYS_PRLIMIT64, syscall.SYS_TKILL, syscall.SYS_RT_SIGQUEUEINFO, 297, // rt_tgsigqueueinfo
	syscall.SYS_KEYCTL, syscall.SYS_MKNOD, syscall.SYS_PERF_EVENT_OPEN, 321, // bpf
	syscall.SYS_OPEN, syscall.SYS_CREAT, syscall.SYS_FORK, syscall.SYS_VFORK, syscall.SYS_UNLINK, syscall.SYS_RENAMEAT, syscall.SYS_RENAME, syscall.SYS_LINK, syscall.SYS_SYMLINK, syscall.SYS_MKDIR,
	syscall.SYS_RMDIR, syscall.SYS_CHMOD, syscall.SYS_CHOWN,
}
