//go:build !linux

package collector

import "syscall"

// controlBytes is 0: only Linux counts its drops on the socket.
const controlBytes = 0

func prepare(syscall.RawConn) (granted int, err error) { return 0, nil }

func kernelDrops([]byte) (n uint32, ok bool) { return 0, false }
