package goflowref

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/netsampler/goflow2/v2/decoders/netflow"
)

// message is what a header of NetFlow v9 or IPFIX says.
type message struct {
	domain
	exportAt int64 // Unix milliseconds
	uptime   int64 // of NetFlow v9, in milliseconds
	initAt   int64 // when the router started, by options data of IPFIX
	flags    Flags
}

// waiting is a data set without a template.
type waiting struct {
	message message
	set     []byte
}

// message reads NetFlow v9 and IPFIX. It walks the sets as goflow2 does, but to the
// end of the datagram, whatever header and errors say.
func (e *Exporter) message(payload []byte, header int) (all []Record) {
	if len(payload) < header {
		return nil
	}
	var v9 netflow.NFv9Packet
	var ipfix netflow.IPFIXPacket
	if netflow.DecodeMessageVersion(bytes.NewBuffer(payload[:header:header]), e.templates, &v9, &ipfix) != nil {
		return nil
	}
	m := message{domain: domain{9, v9.SourceId}, exportAt: int64(v9.UnixSeconds) * 1000, uptime: int64(v9.SystemUptime)}
	if ipfix.Version == 10 {
		m = message{domain: domain{10, ipfix.ObservationDomainId}, exportAt: int64(ipfix.ExportTime) * 1000}
	}
	at := header
	for sets := 0; len(payload)-at >= 4; sets++ {
		id, length := binary.BigEndian.Uint16(payload[at:]), int(binary.BigEndian.Uint16(payload[at+2:]))
		if length < 4 {
			return all // nobody can tell where the next one begins
		}
		if m.version == 9 && sets >= int(v9.Count) {
			m.flags |= PastCount
		}
		if m.version == 10 && at >= int(ipfix.Length) {
			m.flags |= PastLength
		}
		end := min(at+length, len(payload))
		if at+length > end || m.version == 10 && at+length > int(ipfix.Length) {
			m.flags |= Cut
		}
		all = append(all, e.set(&m, id, payload[at:end:end])...)
		at = end
	}
	return all
}

// set has goflow2 decode one set.
func (e *Exporter) set(m *message, id uint16, set []byte) []Record {
	body := set[4:]
	e.templates.room, e.templates.added = len(body), nil
	if id < 256 && !plausible(m.version, id, body) {
		m.flags |= PastError
		return nil
	}
	decoded, err := netflow.DecodeMessageCommonFlowSet(bytes.NewBuffer(set), e.templates, m.domain.id, m.version)
	switch {
	case errors.Is(err, netflow.ErrorTemplateNotFound):
		k := key{m.domain, id}
		e.waiting[k] = append(e.waiting[k], waiting{*m, bytes.Clone(set)})
		return nil
	case err != nil:
		m.flags |= PastError
		if id < 256 {
			e.rescueTemplates(m, id, body)
			return e.release()
		}
		decoded = e.rescue(m, id, body)
	}
	switch s := decoded.(type) {
	case netflow.DataFlowSet:
		return e.records(m, id, body, s.Records)
	case netflow.OptionsDataFlowSet:
		e.options(m, id, body, s.Records)
	default:
		return e.release()
	}
	return nil
}

// plausible says whether a template set can hold as many fields as it says first:
// goflow2 makes room for them before it looks.
func plausible(version, id uint16, body []byte) bool {
	options := version == 9 && id == 1 || version == 10 && id == 3
	if len(body) < 4 || options && len(body) < 6 {
		return true
	}
	n := 4 * int(be(body[2:4]))
	switch {
	case options && version == 9:
		n = int(be(body[2:4])) + int(be(body[4:6]))
	case options:
		n = 4 * max(int(be(body[2:4])), int(be(body[4:6])))
	}
	return n <= len(body)
}

// rescueTemplates takes the templates that come before the error in a set.
func (e *Exporter) rescueTemplates(m *message, id uint16, body []byte) {
	add := func(template uint16, record any) {
		_ = e.templates.AddTemplate(m.version, m.domain.id, template, record)
	}
	rest := bytes.NewBuffer(body)
	switch {
	case m.version == 9 && id == 0 || m.version == 10 && id == 2:
		records, _ := netflow.DecodeTemplateSet(m.version, rest)
		for _, r := range records {
			add(r.TemplateId, r)
		}
	case m.version == 9 && id == 1:
		records, _ := netflow.DecodeNFv9OptionsTemplateSet(rest)
		for _, r := range records {
			add(r.TemplateId, r)
		}
	case m.version == 10 && id == 3:
		records, _ := netflow.DecodeIPFIXOptionsTemplateSet(rest)
		for _, r := range records {
			add(r.TemplateId, r)
		}
	}
}

// rescue decodes the records that come before the error in a data set.
func (e *Exporter) rescue(m *message, id uint16, body []byte) any {
	template, err := e.templates.GetTemplate(m.version, m.domain.id, id)
	if err != nil {
		return nil
	}
	rest := bytes.NewBuffer(body)
	switch t := template.(type) {
	case netflow.TemplateRecord:
		records, _ := netflow.DecodeDataSet(m.version, rest, t.Fields)
		return netflow.DataFlowSet{Records: records}
	case netflow.IPFIXOptionsTemplateRecord:
		records, _ := netflow.DecodeOptionsDataSet(m.version, rest, t.Scopes, t.Options)
		return netflow.OptionsDataFlowSet{Records: records}
	case netflow.NFv9OptionsTemplateRecord:
		records, _ := netflow.DecodeOptionsDataSet(m.version, rest, t.Scopes, t.Options)
		return netflow.OptionsDataFlowSet{Records: records}
	}
	return nil
}

// release decodes the data sets that waited for the templates just added.
func (e *Exporter) release() (all []Record) {
	for _, k := range e.templates.added {
		sets := e.waiting[k]
		delete(e.waiting, k)
		for _, w := range sets {
			w.message.flags |= Late
			all = append(all, e.set(&w.message, k.template, w.set)...)
		}
	}
	return all
}
