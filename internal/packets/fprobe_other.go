//go:build !linux

package packets

import (
	"context"
	"errors"
	"net/netip"
)

// NetFlow7 is a version that Fprobe exports.
const NetFlow7 = "7"

// Fprobe runs on Linux alone.
func Fprobe(context.Context, string, string, netip.AddrPort, func(context.Context) error) error {
	return errors.New("fprobe needs Linux")
}
