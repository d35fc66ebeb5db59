package offhours_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tapwatch/detect"
	"tapwatch/detect/detecttest"
	"tapwatch/detect/offhours"
	"tapwatch/internal/testkit"
	"tapwatch/internal/testkit/stage"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func open(t *testing.T) *detecttest.Stage {
	t.Helper()
	return stage.Open(t, detecttest.Operator)
}

func detector(t *testing.T) detect.Detector {
	return offhours.New(offhours.DefaultConfig(), detecttest.Inventory(t, detecttest.Operator))
}

const day = 24 * time.Hour

// works puts six weeks of sessions into the history: the source opened one to the
// server in each of these hours of the day, on those days of the week.
func works(t *testing.T, s *detecttest.Stage, source, server string, hours []int, days ...time.Weekday) {
	t.Helper()
	inv := detecttest.Inventory(t, detecttest.Operator)()
	a, p := inv.Lookup(netip.MustParseAddr(server)), inv.Lookup(netip.MustParseAddr(source))
	midnight := detecttest.At(-10 * time.Hour)
	var at []string
	for d := 42; d > 0; d-- {
		morning := midnight.AddDate(0, 0, -d)
		for _, weekday := range days {
			if morning.Weekday() != weekday {
				continue
			}
			for _, hour := range hours {
				at = append(at, fmt.Sprint(morning.Add(time.Duration(hour)*time.Hour).Unix()))
			}
		}
	}
	query := fmt.Sprintf(`INSERT INTO pair_hours (hour, asset, asset_addr, peer_addr, protocol, port, asset_serves, initiator,
		asset_name, asset_zone, asset_zone_kind, asset_role, peer_name, peer_zone, peer_zone_kind, peer_role,
		active, established, answered, begun, flows, bytes_in, bytes_out, least_sampling, exporters, first_seen, last_seen)
		SELECT toDateTime(arrayJoin([%s]), 'UTC') AS h, '%s', toIPv6('%s'), toIPv6('%s'), 6, 22, true, 'peer',
		'%s', '%s', '%s', '%s', '%s', '%s', '%s', '%s', 2, 2, 2, 2, 4, 1000, 1000, 1, 1, h, h`,
		strings.Join(at, ","), a.Asset, server, source, a.Asset, a.Zone, a.Kind, a.Role, p.Asset, p.Zone, p.Kind, p.Role)
	if err := s.Store().Exec(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}
