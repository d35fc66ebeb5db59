package storage

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"tapwatch/alert"
)

// alertConditions are those by which a query selects alerts of the view alerts. The
// console's match.go decides the same of live alerts: change both.
func alertConditions(q *alert.Query) conditions {
	var where conditions
	where.add(q.MinSeverity != 0, "toInt8(severity) >= {severity:Int8}", "severity", int8(q.MinSeverity))
	where.add(q.Detector != "", "detector = {detector:String}", "detector", q.Detector)
	where.add(q.Zone != "", "(asset_zone = {zone:String} OR peer_zone = {zone:String})", "zone", q.Zone)
	where.add(q.Asset != "", "(asset = {asset:String} OR peer_asset = {asset:String})", "asset", q.Asset)
	where.add(q.Country != "", "peer_country = {country:String}", "country", q.Country)
	where.add(q.Text != "", "positionCaseInsensitiveUTF8("+haystack+", {text:String}) > 0", "text", q.Text)
	where.add(!q.Since.IsZero(), "last_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')", "since", q.Since.UnixMilli())
	where.add(!q.Until.IsZero(), "first_seen < fromUnixTimestamp64Milli({until:Int64}, 'UTC')", "until", q.Until.UnixMilli())
	where.add(q.AfterVersion != 0, changedAfter, "after", q.AfterVersion)
	where.add(q.BeforeVersion != 0, "version < {before:UInt64}", "before", q.BeforeVersion)
	where.add(q.IDs != nil, "id IN {ids:Array(String)}", "ids", q.IDs)
	where.silenced(q.Silenced, q.Silences)
	return where
}

// silenced adds what becomes of the alerts under one of the silences.
func (c *conditions) silenced(what alert.Silenced, silences []alert.Silence) {
	if what == alert.WithSilenced {
		return
	}
	under, args := underSilence(silences)
	if what == alert.WithoutSilenced {
		under = "NOT " + under
	}
	c.parts = append(c.parts, under)
	c.args = append(c.args, args...)
}

// underSilence is the condition that an alert of the view alerts is under one of the
// silences, as alert.Silence.Covers decides it.
func underSilence(silences []alert.Silence) (condition string, args []any) {
	any := make([]string, 0, len(silences)+1)
	for i := range silences {
		s := &silences[i]
		var all conditions
		name := func(of string) string { return fmt.Sprintf("silence%d_%s", i, of) }
		param := func(of, kind string) string { return "{" + name(of) + ":" + kind + "}" }
		all.add(s.Detector != "", "detector = "+param("detector", "String"), name("detector"), s.Detector)
		all.add(s.Rule != "", "rule = "+param("rule", "String"), name("rule"), s.Rule)
		if addr, ok := s.AssetAddr(); ok {
			all.add(true, "asset_addr = toIPv6("+param("asset", "String")+")", name("asset"), addr.String())
		} else {
			all.add(s.Asset != "", "asset = "+param("asset", "String"), name("asset"), s.Asset)
		}
		if s.Peer.IsValid() {
			all.add(true, "peer_addr >= toIPv6("+param("first", "String")+")", name("first"), s.Peer.Masked().Addr().String())
			all.add(true, "peer_addr <= toIPv6("+param("last", "String")+")", name("last"), lastOf(s.Peer).String())
		}
		all.add(s.Port != 0, "port = "+param("port", "UInt16"), name("port"), s.Port)
		if s.Narrow() {
			any = append(any, "("+strings.Join(all.parts, " AND ")+")")
			args = append(args, all.args...)
		}
	}
	if len(any) == 0 {
		return "(1 = 0)", nil
	}
	return "(" + strings.Join(any, " OR ") + ")", args
}

// lastOf is the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	last := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < 8*len(last); i++ {
		last[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(last)
	return addr
}

// conditions are those of a WHERE clause, all of which must hold.
type conditions struct {
	parts []string
	args  []any
}

func (c *conditions) add(wanted bool, part, name string, value any) {
	if wanted {
		c.parts = append(c.parts, part)
		c.args = append(c.args, clickhouse.Named(name, value))
	}
}

func (c *conditions) clause() string {
	if len(c.parts) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.parts, " AND ")
}
