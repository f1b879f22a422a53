//go:build unix

package files

import "syscall"

// nonblock keeps an open from waiting, should a pipe have taken the file's place.
const nonblock = syscall.O_NONBLOCK | syscall.O_NOCTTY
