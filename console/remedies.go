package console

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"tapwatch/inventory"
)

// platformTitle is the platform as people call it.
func platformTitle(platform string) string {
	return map[string]string{
		inventory.IOSXE:    "Cisco IOS-XE",
		inventory.IOSXR:    "Cisco IOS-XR",
		inventory.Junos:    "Juniper Junos",
		inventory.SROS:     "Nokia SR OS",
		inventory.RouterOS: "MikroTik RouterOS 7",
	}[platform]
}

// routerCommands is what to type on a router, by fault and platform: from the vendors'
// documentation, and not run here. RATE is the sampling interval of the inventory
// and GAP one less, ADDRESS the exporter's; for the other capitals see Remedy.Lines.
// docs/exporters.md shows the whole of which these are parts.
func routerCommands() map[string]map[string][]string {
	return map[string]map[string][]string{
		FaultNoTemplate: {
			inventory.IOSXE: {"flow exporter TAPWATCH", " template data timeout 60"},
			inventory.IOSXR: {"flow exporter-map TAPWATCH", " version v9", "  template data timeout 60", "  template options timeout 60", "commit"},
			inventory.Junos: {
				"set services flow-monitoring version-ipfix template TAPWATCH template-refresh-rate seconds 60",
				"set services flow-monitoring version-ipfix template TAPWATCH option-refresh-rate seconds 60",
				"commit",
			},
			inventory.SROS:     {"/configure cflowd template-retransmit 60", "commit"},
			inventory.RouterOS: {"/ip/traffic-flow/target/set [find] v9-template-refresh=20 v9-template-timeout=1m"},
		},
		// RouterOS has no command for it: the inventory must say it.
		FaultSamplingUnknown: {
			inventory.IOSXE: {"flow exporter TAPWATCH", " option sampler-table timeout 60"},
			inventory.IOSXR: {"flow exporter-map TAPWATCH", " version v9", "  options sampler-table timeout 60", "  template options timeout 60", "commit"},
			inventory.Junos: {"set services flow-monitoring version-ipfix template TAPWATCH option-refresh-rate seconds 60", "commit"},
			inventory.SROS:  {"/configure cflowd template-retransmit 60", "commit"},
		},
		FaultSamplingDiffers: {
			// A sampler in use cannot be changed.
			inventory.IOSXE: {
				"sampler TAPWATCH-RATE", " mode random 1 out-of RATE", "interface INTERFACE",
				" no ip flow monitor TAPWATCH sampler TAPWATCH input", " ip flow monitor TAPWATCH sampler TAPWATCH-RATE input",
			},
			inventory.IOSXR:    {"sampler-map TAPWATCH", " random 1 out-of RATE", "commit"},
			inventory.Junos:    {"set forwarding-options sampling instance TAPWATCH input rate RATE", "commit"},
			inventory.SROS:     {"/configure cflowd sample-profile 1 sample-rate RATE", "commit"},
			inventory.RouterOS: {"/ip/traffic-flow/set packet-sampling=yes sampling-interval=1 sampling-space=GAP"},
		},
		FaultLost: {
			inventory.IOSXE: {"show flow exporter TAPWATCH statistics", "flow exporter TAPWATCH", " source Loopback0", " dscp 16"},
			inventory.IOSXR: {"show flow exporter TAPWATCH location 0/0/CPU0", "flow exporter-map TAPWATCH", " source Loopback0", " dscp 16", "commit"},
			inventory.Junos: {
				"show services accounting errors inline-jflow fpc-slot 0",
				"set forwarding-options sampling instance TAPWATCH family inet output inline-jflow flow-export-rate 10",
				"set forwarding-options sampling instance TAPWATCH family inet output flow-server COLLECTOR dscp 16",
				"commit",
			},
			inventory.SROS:     {"show cflowd status", "show cflowd collector detail"},
			inventory.RouterOS: {"/interface/print stats", "/ip/traffic-flow/print"},
		},
		FaultRestarts: {
			inventory.IOSXE:    {"show version | include uptime|reason", "show logging | include RESTART|RELOAD"},
			inventory.IOSXR:    {"show version | include uptime", "show logging | include RELOAD"},
			inventory.Junos:    {"show system uptime", "show chassis routing-engine", "show chassis fpc detail"},
			inventory.SROS:     {"show system information", "show log log-id 99"},
			inventory.RouterOS: {"/system/resource/print", "/log/print where topics~\"system\""},
		},
		FaultSilent: {
			inventory.IOSXE:    {"show flow exporter TAPWATCH statistics", "show flow interface", "ping COLLECTOR source ADDRESS"},
			inventory.IOSXR:    {"show flow exporter TAPWATCH location 0/0/CPU0", "ping COLLECTOR source ADDRESS"},
			inventory.Junos:    {"show services accounting status inline-jflow fpc-slot 0", "show services accounting flow inline-jflow fpc-slot 0", "ping COLLECTOR source ADDRESS"},
			inventory.SROS:     {"show cflowd status", "show cflowd collector detail"},
			inventory.RouterOS: {"/ip/traffic-flow/print", "/ip/traffic-flow/target/print", "/ping COLLECTOR src-address=ADDRESS count=3"},
		},
		FaultNotFlow: {
			inventory.IOSXE:    {"flow exporter TAPWATCH", " export-protocol ipfix"},
			inventory.IOSXR:    {"flow exporter-map TAPWATCH", " version v9", "commit"},
			inventory.Junos:    {"set forwarding-options sampling instance TAPWATCH family inet output flow-server COLLECTOR version-ipfix template TAPWATCH", "commit"},
			inventory.SROS:     {"/configure cflowd collector COLLECTOR port 2055 version 10", "commit"},
			inventory.RouterOS: {"/ip/traffic-flow/target/set [find] version=ipfix"},
		},
	}
}

// everyPacket replaces the commands of FaultSamplingDiffers where the inventory says
// that nothing is sampled.
func everyPacket() map[string][]string {
	return map[string][]string{
		inventory.IOSXE:    {"interface INTERFACE", " no ip flow monitor TAPWATCH sampler TAPWATCH input", " ip flow monitor TAPWATCH input"},
		inventory.RouterOS: {"/ip/traffic-flow/set packet-sampling=no"},
	}
}

// onRouter gives the commands against a fault: of the exporter's platform, or of
// every one where it is not known.
func (e *ExporterStatus) onRouter(kind string) []Remedy {
	commands := routerCommands()[kind]
	if kind == FaultSamplingDiffers && e.ExpectedSampling == 1 {
		for platform, lines := range everyPacket() {
			commands[platform] = lines
		}
	}
	fill := strings.NewReplacer(
		"RATE", fmt.Sprint(e.ExpectedSampling), "GAP", fmt.Sprint(e.ExpectedSampling-1), "ADDRESS", e.Address.Unmap().String())
	var all []Remedy
	for _, platform := range inventory.Platforms() {
		if len(commands[platform]) == 0 || e.Platform != "" && e.Platform != platform {
			continue
		}
		r := Remedy{Where: platformTitle(platform), Platform: platform}
		for _, line := range commands[platform] {
			r.Lines = append(r.Lines, fill.Replace(line))
		}
		all = append(all, r)
	}
	return all
}

// inInventory is what to write about the exporter into the inventory.
func (e *ExporterStatus) inInventory(lines ...string) Remedy {
	where := "inventory.yaml"
	if e.Listed {
		where = "inventory.yaml, where it is listed"
	}
	return Remedy{Where: where, Lines: slices.Concat([]string{"exporters:", "  - address: " + yamlAddress(e.Address)}, lines)}
}

// yamlAddress quotes what YAML could take for a mapping.
func yamlAddress(a netip.Addr) string {
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	return `"` + a.String() + `"`
}

// inConfiguration is a setting of the part collector of tapwatch.yaml.
func inConfiguration(lines ...string) Remedy {
	return Remedy{Where: "tapwatch.yaml", Lines: append([]string{"collector:"}, lines...)}
}

// onMachine are commands on the collector's machine.
func onMachine(lines ...string) Remedy {
	return Remedy{Where: "the collector's machine", Lines: lines}
}
