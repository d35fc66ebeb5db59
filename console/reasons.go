package console

import "strings"

// lossWords say what a reason for a drop, as exporter_health names it, means and
// what helps. They follow "N dropped in the last hour: ".
func lossWords() map[string]string {
	return map[string]string{
		"missing_template":   "their template has not come yet; if this goes on, let the router resend templates every minute",
		"truncated":          "cut short on the way; check the MTU and fragmentation between router and collector",
		"unknown_version":    "of no protocol that tapwatch knows; check that only NetFlow v5, v9, IPFIX or sFlow is sent to this port",
		"template_limit":     "their templates are beyond a limit; if the router is genuine, list it in the inventory, or raise collector.limits.max_templates_per_exporter",
		"hostile_template":   "their template is impossible or has too many fields; if the router is genuine, raise collector.limits.max_template_fields",
		"exporter_limit":     "there are more exporters than the collector's table holds; raise collector.limits.max_exporters",
		"refused":            "the inventory does not list this exporter, and collector.exporters is listed; list it under exporters",
		"queue_full":         "they came faster than they could be decoded; give the collector more workers",
		"socket_buffer_full": "the kernel's buffer was full; raise collector.receive_buffer_bytes and net.core.rmem_max",
		"sink_failed":        "they could not be stored; see the log and /readyz",
		"unsupported_sample": "sFlow samples of a kind that holds no flow",
	}
}

// describeLoss gives the words for a reason; one without words is shown as it is.
func describeLoss(reason string) string {
	if words, ok := lossWords()[reason]; ok {
		return words
	}
	return strings.ReplaceAll(reason, "_", " ")
}
