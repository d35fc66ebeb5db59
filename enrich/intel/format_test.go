package intel

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tapwatch/flow"
)

// read gives the indicators of a file as lines, and what was left out.
func read(t *testing.T, l List, text string) (lines []string) {
	t.Helper()
	p, err := parse("f", l.Format, []byte(text))
	if err != nil {
		return strings.Split(err.Error(), "\n")
	}
	for _, i := range l.indicators(p.entries) {
		lines = append(lines, line(i))
	}
	var left []string
	for s, n := range p.skipped {
		left = append(left, fmt.Sprintf("left out %d %s: %s", n, s.reason, s.what))
	}
	slices.Sort(left)
	return append(lines, left...)
}

func line(i flow.Indicator) string {
	text := i.Prefix.String()
	if !i.ValidFrom.IsZero() {
		text += " from " + i.ValidFrom.Format("2006-01-02T15:04:05")
	}
	if !i.ValidUntil.IsZero() {
		text += " until " + i.ValidUntil.Format("2006-01-02T15:04:05")
	}
	if i.Confidence > 0 {
		text += fmt.Sprintf(" %d%%", i.Confidence)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s (%s)", text, i.Description, i.Actor))
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name string
		list List
		text string
		want []string
	}{
		{"plain CSV", List{}, "indicator,valid_from,valid_until,description,confidence\n" +
			"198.51.100.7,2026-01-02,2026-02-03,\"staging, old\",80\n203.0.113.0/24,2026-01-02T03:04:05+02:00,1790000000,,medium\n2001:db8::1,,,,\n",
			[]string{"198.51.100.7/32 from 2026-01-02T00:00:00 until 2026-02-04T00:00:00 80% staging, old ()",
				"203.0.113.0/24 from 2026-01-02T01:04:05 until 2026-09-21T14:13:20 50%  ()", "2001:db8::1/128  ()"}},
		{"semicolons, other names and order", List{}, "\ufeffComment;IP Address;Expires\r\nC2 [x];198.51[.]100.7;2026-02-03 04:05:06\r\n",
			[]string{"198.51.100.7/32 until 2026-02-03T04:05:06 C2 [x] ()"}},
		{"one column", List{}, "ip\n198.51.100.7\n", []string{"198.51.100.7/32  ()"}},
		{"MISP", List{}, "uuid,event_id,category,type,value,comment,to_ids,date,object_relation\n" +
			"\"6\",1,\"Network activity\",\"ip-dst\",\"198.51.100.7\",\"seen in August\",1,\"20260102\",\"\"\n" +
			"\"6\",1,\"Network activity\",\"ip-dst|port\",\"198.51.100.8|443\",\"\",1,\"20260102\",\"\"\n" +
			"\"6\",1,\"Network activity\",\"domain|ip\",\"evil.example|198.51.100.9\",\"\",1,\"20260102\",\"\"\n" +
			"\"6\",1,\"Network activity\",\"domain\",\"evil.example\",\"\",1,\"20260102\",\"\"\n" +
			"\"6\",1,\"Network activity\",\"domain\",\"worse.example\",\"\",1,\"20260102\",\"\"\n" +
			"\"6\",1,\"Payload delivery\",\"ip-src\",\"198.51.100.10\",\"\",0,\"20260102\",\"\"\n",
			[]string{"198.51.100.7/32 seen in August ()", "198.51.100.8/32  ()", "198.51.100.9/32  ()",
				"left out 1 not_to_ids: to_ids is 0", "left out 2 type: domain"}},
		{"Feodo Tracker", List{ExpireAfter: 30 * 24 * 3600e9}, "################\n# abuse.ch Feodo Tracker, a list of addresses #\n################\n#\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n" +
			"\"2026-01-02 03:04:05\",\"198.51.100.7\",\"443\",\"online\",\"2026-02-03\",\"Emotet\"\n# END (1 entries)\n",
			[]string{"198.51.100.7/32 from 2026-01-02T03:04:05 until 2026-03-06T00:00:00  (Emotet)"}},
		{"ThreatFox", List{}, "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\"\n" +
			"\"2026-01-02 03:04:05\", \"1\", \"198.51.100.7:8443\", \"ip:port\", \"botnet_cc\", \"win.x\", \"None\", \"Cobalt Strike\", \"\", \"75\"\n" +
			"\"2026-01-02 03:04:05\", \"2\", \"evil.example\", \"domain\", \"botnet_cc\", \"win.x\", \"None\", \"Cobalt Strike\", \"\", \"75\"\n",
			[]string{"198.51.100.7/32 from 2026-01-02T03:04:05 75% botnet_cc (Cobalt Strike)", "left out 1 type: domain"}},
		{"text that has commas", List{}, "# ip, what it is\n198.51.100.7  staging\n203.0.113.0/24, x\n", []string{"198.51.100.7/32 staging ()", "203.0.113.0/24 x ()"}},
		{"text by name", List{Format: FormatText}, "198.51.100.7,2026-01-01\n", []string{"198.51.100.7/32 2026-01-01 ()"}},
		{"no header", List{Format: FormatCSV}, "198.51.100.7,x\n",
			[]string{"f:1:1: the first line names no column of addresses: write a header such as indicator,valid_from,valid_until,description,confidence"}},
		{"bad rows", List{}, "# x\nip,valid_from,confidence\nevil,,\n198.51.100.7,tomorrow,\n198.51.100.7,,101\n198.51.100.7,2026-13-01,\n",
			[]string{`f:3:1: "evil" is not an address or a prefix: write one such as 198.51.100.7 or 198.51.100.0/24, or put # before a comment`,
				`f:4:1: "tomorrow" is not a date: write it as in 2026-11-18 or 2026-11-18T10:00:00Z`,
				`f:5:1: "101" is not a confidence: write 0 to 100, or low, medium or high`,
				`f:6:1: "2026-13-01" is not a date: write it as in 2026-11-18 or 2026-11-18T10:00:00Z`}},
		{"twice the same", List{Confidence: 40, Backdate: 24 * 3600e9}, "ip,first_seen,valid_until,comment,malware\n198.51.100.7,2026-01-05,2026-02-01,a,X\n198.51.100.7,2026-01-03,,b,X\n",
			[]string{"198.51.100.7/32 from 2026-01-02T00:00:00 40% a; b (X)"}},
		{"STIX", List{}, `{"type": "bundle", "id": "bundle--1", "objects": [
			{"type": "indicator", "id": "indicator--1", "name": "a relay", "pattern": "[ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value ISSUBSET '203.0.113.0/24']", "pattern_type": "stix", "valid_from": "2026-01-02T03:04:05.000Z", "valid_until": "2026-03-01T00:00:00Z", "confidence": 85},
			{"type": "indicator", "id": "indicator--2", "pattern": "[domain-name:value = 'evil.example']", "pattern_type": "stix", "valid_from": "2026-01-02T03:04:05Z"},
			{"type": "indicator", "id": "indicator--3", "pattern": "[ipv4-addr:value = '198.51.100.9']", "pattern_type": "stix", "valid_from": "2026-01-02T03:04:05Z", "revoked": true},
			{"type": "indicator", "id": "indicator--4", "pattern": "alert tcp any any", "pattern_type": "snort", "valid_from": "2026-01-02T03:04:05Z"},
			{"type": "indicator", "id": "indicator--5", "pattern": "[broken", "pattern_type": "stix", "valid_from": "2026-01-02T03:04:05Z"},
			{"type": "indicator", "id": "indicator--6", "pattern": "[ipv4-addr:value = '198.51.100.10']", "pattern_type": "stix", "valid_from": "soon"},
			{"type": "indicator", "id": "indicator--7", "modified": "2026-01-02T00:00:00Z", "pattern": "[ipv4-addr:value = '198.51.100.11']", "valid_from": "2026-01-02T00:00:00Z"},
			{"type": "indicator", "id": "indicator--7", "modified": "2026-01-03T00:00:00Z", "pattern": "[ipv4-addr:value = '198.51.100.12']", "valid_from": "2026-01-02T00:00:00Z"},
			{"type": 5},
			{"type": "malware", "id": "malware--1", "name": "GhostSpider"},
			{"type": "intrusion-set", "id": "intrusion-set--1", "name": "Salt Typhoon"},
			{"type": "relationship", "id": "relationship--1", "relationship_type": "indicates", "source_ref": "indicator--1", "target_ref": "malware--1"},
			{"type": "relationship", "id": "relationship--2", "relationship_type": "indicates", "source_ref": "indicator--1", "target_ref": "intrusion-set--1"},
			{"type": "relationship", "id": "relationship--3", "relationship_type": "indicates", "source_ref": "indicator--7", "target_ref": "malware--1", "revoked": true}]}`,
			[]string{"198.51.100.7/32 from 2026-01-02T03:04:05 until 2026-03-01T00:00:00 85% a relay (Salt Typhoon; GhostSpider)",
				"203.0.113.0/24 from 2026-01-02T03:04:05 until 2026-03-01T00:00:00 85% a relay (Salt Typhoon; GhostSpider)",
				"198.51.100.12/32 from 2026-01-02T00:00:00  ()",
				"left out 1 object: not a STIX object", "left out 1 object: valid_from is no date", "left out 1 pattern: a pattern of type snort",
				"left out 1 pattern: domain-name:value", "left out 1 pattern: not a STIX pattern", "left out 1 revoked: revoked"}},
		{"broken JSON", List{}, "{\"objects\": [\n  {]}", []string{"f:2:4: is not a STIX bundle in JSON: invalid character ']' looking for beginning of object key string"}},
		{"an empty bundle", List{}, "{}", nil},
		{"nothing", List{Format: FormatCSV}, " \n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(t, c.list, c.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
