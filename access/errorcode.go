package access

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// ErrorCode is an error without its text, for logs of servers: the Go types of what it
// wraps, from the outside in, as "*fmt.wrapError *registry.Refusal". Texts of errors name
// records by the numbers that people have in lists, and cite what somebody typed. What the
// machine says is told, as "syscall.Errno(no space left on device)", and what a LogCode is.
func ErrorCode(err error) string {
	var kinds []string
	for err != nil && len(kinds) < 8 {
		kind := fmt.Sprintf("%T", err)
		switch e := err.(type) {
		case syscall.Errno:
			kind += "(" + e.Error() + ")"
		case LogCode:
			kind += "(" + string(e) + ")"
		}
		kinds = append(kinds, kind)
		if many, ok := err.(interface{ Unwrap() []error }); ok && len(many.Unwrap()) > 0 {
			err = many.Unwrap()[0]
		} else {
			err = errors.Unwrap(err)
		}
	}
	return strings.Join(kinds, " ")
}

// A LogCode is an error whose text is written in the program and has nobody's data in it.
type LogCode string

func (c LogCode) Error() string { return string(c) }
