package apart

import "syscall"

const (
	auditArch  = 0xc00000b7 // AUDIT_ARCH_AARCH64
	sysSeccomp = 277
)

// refusedHere are the calls of this architecture alone.
var refusedHere = []uint32{
	281,                                                                       // execveat
	276,                                                                       // renameat2
	270,                                                                       // process_vm_readv
	271,                                                                       // process_vm_writev
	261,                                                                       // prlimit64
	syscall.SYS_RENAMEAT, syscall.SYS_TKILL, syscall.SYS_RT_SIGQUEUEINFO, 240, // rt_tgsigqueueinfo
	syscall.SYS_KEYCTL, syscall.SYS_PERF_EVENT_OPEN, 280, // bpf
}
