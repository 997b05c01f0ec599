package apart

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// Lacks says in English what this system does not hold a worker to; "" for nothing.
func Lacks() string {
	if auditArch == 0 {
		return "on " + runtime.GOARCH + " the process that reads a list is not kept from files and network by the kernel"
	}
	return ""
}

func used(p *os.ProcessState) (u Use) {
	if p == nil {
		return u
	}
	u.CPU = p.UserTime() + p.SystemTime()
	if r, ok := p.SysUsage().(*syscall.Rusage); ok {
		u.Peak = r.Maxrss << 10
	}
	return u
}

// confine takes from this process, for good, what reading does not need: memory beyond a
// bound, time of the processor, and new files, sockets and programs. What a kernel does not
// grant is an error: then nothing is read.
func confine(memory int64, cpu time.Duration) error {
	seconds := uint64(max(1, cpu/time.Second))
	for _, l := range []struct {
		what  string
		which int
		soft  uint64
	}{
		{"memory", syscall.RLIMIT_DATA, uint64(memory)},
		{"processor time", syscall.RLIMIT_CPU, seconds},
		{"size of files", syscall.RLIMIT_FSIZE, 0},
		{"traces of memory", syscall.RLIMIT_CORE, 0},
	} {
		if l.which == syscall.RLIMIT_DATA && (memory <= 0 || instrumented) {
			continue // a program under the race detector has terabytes of shadow
		}
		if err := syscall.Setrlimit(l.which, &syscall.Rlimit{Cur: l.soft, Max: l.soft}); err != nil {
			return fmt.Errorf("apart: bound the %s: %w", l.what, err)
		}
	}
	return filter()
}

// Of linux/prctl.h, linux/seccomp.h, linux/filter.h.
const (
	prSetNoNewPrivs   = 38
	seccompSetFilter  = 1
	seccompAllThreads = 1 // SECCOMP_FILTER_FLAG_TSYNC
	retAllow          = 0x7fff0000
	retErrno          = 0x00050000
	retKill           = 0x80000000

	loadWord  = 0x20 // BPF_LD | BPF_W | BPF_ABS
	jumpEqual = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
	jumpOver  = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	ret       = 0x06 // BPF_RET | BPF_K

	atNumber = 0 // of struct seccomp_data
	atArch   = 4
	x32      = 0x40000000 // numbers of amd64's other tongue
)

// filter refuses system calls by which a process reaches beyond what it has open.
func filter() error {
	if auditArch == 0 {
		return nil
	}
	refused := append([]uint32{
		437, // openat2
		425, // io_uring_setup
		438, // pidfd_getfd
		428, // open_tree
		424, // pidfd_send_signal
		syscall.SYS_SOCKET, syscall.SYS_SOCKETPAIR, syscall.SYS_CONNECT, syscall.SYS_BIND, syscall.SYS_LISTEN, syscall.SYS_ACCEPT, syscall.SYS_SENDTO, syscall.SYS_SENDMSG,
		syscall.SYS_OPENAT, syscall.SYS_EXECVE, syscall.SYS_PTRACE, syscall.SYS_KILL, syscall.SYS_UNLINKAT, syscall.SYS_LINKAT, syscall.SYS_SYMLINKAT,
		syscall.SYS_MKDIRAT, syscall.SYS_MKNODAT, syscall.SYS_FCHMODAT, syscall.SYS_FCHOWNAT, syscall.SYS_TRUNCATE, syscall.SYS_MOUNT, syscall.SYS_CHROOT,
	}, refusedHere...)
	program := []syscall.SockFilter{
		{Code: loadWord, K: atArch}, {Code: jumpEqual, Jt: 1, K: auditArch}, {Code: ret, K: retKill},
		{Code: loadWord, K: atNumber}, {Code: jumpOver, Jf: 1, K: x32}, {Code: ret, K: retKill},
	}
	for _, n := range refused {
		program = append(program, syscall.SockFilter{Code: jumpEqual, Jf: 1, K: n}, syscall.SockFilter{Code: ret, K: retErrno | uint32(syscall.EPERM)})
	}
	program = append(program, syscall.SockFilter{Code: ret, K: retAllow})
	runtime.LockOSThread() // no new privileges is a thread's, and the filter takes it to all
	defer runtime.UnlockOSThread()
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); e != 0 {
		return fmt.Errorf("apart: give up privileges: %w", e)
	}
	p := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if n, _, e := syscall.RawSyscall(sysSeccomp, seccompSetFilter, seccompAllThreads, uintptr(unsafe.Pointer(&p))); e != 0 || n != 0 {
		return fmt.Errorf("apart: refuse files and sockets: thread %d, %w", n, e)
	}
	runtime.KeepAlive(program)
	return nil
}
