package apart_test

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// What a worker that was taken over would do to the program that started it: the same
// account owns both. Each call is refused before it is looked at, so it is EPERM also
// where it would fail, or do nothing.
func init() {
	numbers := map[string][]uintptr{"amd64": {316, 310, 302, 424}, "arm64": {276, 270, 261, 424}}[runtime.GOARCH]
	if numbers == nil {
		return
	}
	beyond = func() string {
		path := [...]byte{'/', 'n', 'o', 'w', 'h', 'e', 'r', 'e', 0}
		at := uintptr(unsafe.Pointer(&path))
		var to [4]byte
		local := syscall.Iovec{Base: &to[0], Len: 4}
		remote := syscall.Iovec{Base: &path[0], Len: 4}
		var limit syscall.Rlimit
		for _, try := range []struct {
			what string
			call [7]uintptr
		}{
			{"a file was renamed", [7]uintptr{numbers[0], 0, at, 0, at}},
			{"memory was read", [7]uintptr{numbers[1], uintptr(os.Getpid()), uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1}},
			{"a limit was asked for", [7]uintptr{numbers[2], uintptr(os.Getpid()), 0, 0, uintptr(unsafe.Pointer(&limit))}},
			{"a signal was sent", [7]uintptr{numbers[3], ^uintptr(0)}},
		} {
			c := try.call
			if _, _, e := syscall.Syscall6(c[0], c[1], c[2], c[3], c[4], c[5], c[6]); e != syscall.EPERM {
				return try.what
			}
		}
		return ""
	}
}
