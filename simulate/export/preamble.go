package export

import "encoding/binary"

// The ids of template sets: NetFlow v9 (RFC 3954 §5.2, §6.1) and IPFIX (RFC 7011
// §3.3.2).
const (
	setTemplateV9, setOptionsV9       = 0, 1
	setTemplateIPFIX, setOptionsIPFIX = 2, 3
)

// makePreamble makes the sets that describe the data: both templates, the options
// template, and the options data that tells the sampling rate.
func (e *templated) makePreamble() []byte {
	var templates []byte
	templates = appendTemplate(templates, template4, e.fields4)
	templates = appendTemplate(templates, template6, e.fields6)
	if e.ipfix {
		b := appendSet(nil, setTemplateIPFIX, templates)
		b = appendSet(b, setOptionsIPFIX, optionsTemplateIPFIX())
		return appendSet(b, templateOptions, e.optionsIPFIX())
	}
	b := appendSet(nil, setTemplateV9, templates)
	b = appendSet(b, setOptionsV9, optionsTemplateV9())
	return appendSet(b, templateOptions, e.optionsV9())
}

func appendTemplate(b []byte, id uint16, fields []field) []byte {
	b = appendUint16s(b, id, uint16(len(fields)))
	for i := range fields {
		b = appendUint16s(b, fields[i].element, fields[i].length)
	}
	return b
}

// optionsTemplateV9: scope System, then Cisco's sampler table: FLOW_SAMPLER_ID,
// FLOW_SAMPLER_MODE and FLOW_SAMPLER_RANDOM_INTERVAL. Its lengths are in bytes.
func optionsTemplateV9() []byte {
	return appendUint16s(nil, templateOptions, 4, 12,
		1, 4,
		48, 1,
		49, 1,
		50, 4)
}

func (e *templated) optionsV9() []byte {
	const random = 2
	b := binary.BigEndian.AppendUint32(nil, e.Domain)
	b = append(b, samplerID, random)
	return binary.BigEndian.AppendUint32(b, e.Sampling)
}

// optionsTemplateIPFIX: scope observationDomainId, then selectorAlgorithm,
// samplingPacketInterval and samplingPacketSpace (RFC 5477 §8.2).
func optionsTemplateIPFIX() []byte {
	return appendUint16s(nil, templateOptions, 4, 1,
		149, 4,
		304, 2,
		305, 4,
		306, 4)
}

// optionsIPFIX tells systematic count-based sampling: one packet is taken, the
// next Sampling-1 are not.
func (e *templated) optionsIPFIX() []byte {
	const systematicCountBased = 1
	b := binary.BigEndian.AppendUint32(nil, e.Domain)
	b = binary.BigEndian.AppendUint16(b, systematicCountBased)
	b = binary.BigEndian.AppendUint32(b, 1)
	return binary.BigEndian.AppendUint32(b, e.Sampling-1)
}

func appendUint16s(b []byte, values ...uint16) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}
