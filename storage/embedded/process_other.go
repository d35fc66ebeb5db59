//go:build !linux

package embedded

import (
	"os"
	"syscall"
)

// selfExecutable is the running binary.
func selfExecutable() (string, error) { return os.Executable() }

// childAttributes puts the child into a process group of its own, so that Ctrl-C
// on the terminal does not reach it. When the parent dies, the child's standard
// input ends, and with it the child.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// engineHost is the loopback address that the engine listens on.
func engineHost() string { return "127.0.0.1" }

// zombie is not known here: a process that nobody waits for counts as alive.
func zombie(int) bool { return false }

// machineMemory is not known here.
func machineMemory() uint64 { return 0 }
