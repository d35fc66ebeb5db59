package goflowref

import (
	"encoding/binary"

	"github.com/netsampler/goflow2/v2/decoders/sflow"
)

// repair makes records such that goflow2 reads them right. It sets the length of
// extended switch records of which agents say 6 and send all 16 bytes, and takes the
// padding out of addresses in sampled Ethernet records: goflow2 does not know it, XDR
// has it (RFC 4506 §4.9).
func repair(data []byte) (flags Flags) {
	const whole, padded = 16, 24
	for len(data) >= 8 {
		format, length := binary.BigEndian.Uint32(data), int(binary.BigEndian.Uint32(data[4:]))
		if format == sflow.FLOW_TYPE_EXT_SWITCH && length < whole {
			binary.BigEndian.PutUint32(data[4:], whole)
			length = whole
			flags |= ShortSwitch
		}
		length = min(length, len(data)-8)
		if body := data[8 : 8+length]; format == sflow.FLOW_TYPE_ETH && length >= padded {
			copy(body[10:16], body[12:18])
			copy(body[16:20], body[20:24])
			flags |= PaddedMAC
		}
		data = data[8+length:]
	}
	return flags
}

// count gives how many records there are, the last perhaps cut short.
func count(data []byte) (n int) {
	for len(data) >= 8 {
		length := int(binary.BigEndian.Uint32(data[4:]))
		n++
		data = data[8+min(length, len(data)-8):]
	}
	return n
}
