package embedded

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
)

// selfExecutable is the running binary, even after its file was replaced.
func selfExecutable() (string, error) { return "/proc/self/exe", nil }

// childAttributes puts the child into a process group of its own, so that Ctrl-C
// on the terminal does not reach it, and has the kernel kill it when the thread
// that started it ends: see the locked thread in start.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// engineHost is a random loopback address, all of which Linux has: whoever looks
// around on 127.0.0.1 does not stumble over the engine's own sockets.
func engineHost() string {
	return fmt.Sprintf("127.%d.%d.%d", 16+rand.IntN(200), rand.IntN(256), 1+rand.IntN(254))
}

// zombie tells whether the process has ended but its parent has not asked how: in a
// container without an init process that may stay so. The state is the field after
// the name in parentheses (proc_pid_stat(5)).
func zombie(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	end := bytes.LastIndex(data, []byte(") "))
	return end >= 0 && bytes.HasPrefix(data[end:], []byte(") Z"))
}

// machineMemory is how much there is, in bytes; 0 unknown.
func machineMemory() uint64 {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}
