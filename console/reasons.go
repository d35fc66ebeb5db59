package console

import "strings"

// loss says what a reason for a drop, as exporter_health names it, means and what
// helps.
type loss struct {
	kind string
	// words follow "N dropped in the last hour: ".
	words    string
	remedies []Remedy
}

// lossOf gives what is known of a reason; one that is not known is shown as it is.
func lossOf(reason string) loss {
	if l, ok := losses()[reason]; ok {
		return l
	}
	return loss{kind: FaultDamaged, words: strings.ReplaceAll(reason, "_", " ")}
}

// harmless says that no flow is lost with what was dropped.
func harmless(reason string) bool {
	return reason == "trailing_bytes" || reason == "unsupported_sample"
}

func losses() map[string]loss {
	limit := func(words string, settings ...string) loss {
		lines := []string{"  limits:"}
		for _, s := range settings {
			lines = append(lines, "    "+s)
		}
		return loss{FaultLimit, words, []Remedy{inConfiguration(lines...)}}
	}
	damaged := func(words string) loss { return loss{kind: FaultDamaged, words: words} }
	return map[string]loss{
		"missing_template": {kind: FaultNoTemplate, words: "data sets whose template did not come"},
		"waiting_limit": {FaultNoTemplate, "data sets that no more room was left for while they waited for their template", []Remedy{
			inConfiguration("  limits:", "    max_waiting_bytes_per_exporter: 4194304", "    max_waiting_bytes_total: 268435456 # of all that the inventory does not list"),
		}},
		"refused":         {kind: FaultRefused},
		"unknown_version": {kind: FaultNotFlow},

		"template_limit": limit("templates beyond a limit. If the router is genuine, list it in the inventory, or raise the limit",
			"max_templates_per_exporter: 4096", "max_template_fields_total: 16000000 # of all that the inventory does not list"),
		"hostile_template": limit("templates that are impossible, or have more fields than the limit. If the router is genuine, raise it",
			"max_template_fields: 2048"),
		"exporter_limit":   limit("datagrams of exporters for which there was no room. List the genuine ones in the inventory, or raise the limit", "max_exporters: 16384"),
		"connection_limit": limit("connections beyond the limit", "max_connections: 4096"),
		"sampler_limit":    {kind: FaultLimit, words: "samplers beyond what is kept of one exporter: it announces a great many, or makes them up"},
		"record_limit":     {kind: FaultLimit, words: "records beyond what a genuine datagram can hold"},

		"queue_full": {FaultCollector, "datagrams that came faster than they could be decoded. Give the collector more workers and longer queues", []Remedy{
			inConfiguration("  workers: 8", "  queue_bytes: 134217728"),
		}},
		"socket_buffer_full": {FaultCollector, "datagrams for which the kernel's buffer had no room. Raise it", keepUp()},
		"sink_failed":        {FaultCollector, "records that could not be stored. See the log and /readyz", []Remedy{onMachine("curl http://127.0.0.1:8080/readyz")}},

		"truncated":          damaged("cut short on the way. Check the MTU and fragmentation between router and collector"),
		"malformed_set":      damaged("sets that are impossible. If the router is genuine, its export is at fault: update its software, or try another export version"),
		"malformed_record":   damaged("records that contradict their own lengths. If the router is genuine, update its software"),
		"empty_template":     damaged("templates without fields, or withdrawn over UDP, which RFC 7011 does not allow"),
		"decoder_error":      damaged("sets or samples that cannot be decoded. If this goes on, keep a capture of it and report it"),
		"connection_error":   damaged("connections that broke, were not let in, or sent what is no IPFIX. See the log"),
		"trailing_bytes":     damaged("datagrams with bytes after the last record, which are ignored"),
		"unsupported_sample": damaged("sFlow samples of a kind that holds no flow"),
	}
}

// keepUp is what gives the collector a larger buffer.
func keepUp() []Remedy {
	return []Remedy{
		onMachine("sysctl -w net.core.rmem_max=67108864", "echo net.core.rmem_max=67108864 > /etc/sysctl.d/60-tapwatch.conf"),
		inConfiguration("  receive_buffer_bytes: 67108864", "  workers: 8"),
	}
}
