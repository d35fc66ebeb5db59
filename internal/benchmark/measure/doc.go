// Package measure is what the benchmark programs share: results and how they are
// printed, what the machine is, and what the kernel tells of processes and sockets.
// It reads /proc, so it works on Linux alone.
package measure
