package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tapwatch/hunts"
	"tapwatch/internal/benchmark/carrier"
)

// question is one that hunters ask.
type question struct {
	// result is its name among the results; group, where it is not empty, that of several
	// questions together.
	result, group string
	sql           string
	// values are the parameters of each run, as text.
	values []map[string]string
}

// The questions. Amounts are estimates: what was sampled, times the sampling interval.
const (
	assetPeers = `
SELECT peer, count() AS records, sum(bytes * greatest(sampling_interval, 1)) AS estimate, min(received_at), max(received_at)
FROM watched_flows
WHERE asset = {asset:String} AND received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
GROUP BY peer ORDER BY estimate DESC LIMIT 100`

	assetRecords = `
SELECT received_at, start_at, end_at, exporter, src_addr, src_port, dst_addr, dst_port, protocol, tcp_flags, bytes, packets, initiator
FROM watched_flows
WHERE asset = {asset:String} AND received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
ORDER BY received_at DESC LIMIT 200`

	assetConversations = `
SELECT peer_addr, protocol, port, asset_serves, any(peer_asset), any(peer_country), sum(flows), sumIf(bytes, to_asset) AS received,
    sumIf(bytes, NOT to_asset) AS sent, min(first_seen), max(last_seen)
FROM conversations_hour
WHERE asset = {asset:String} AND at >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND at < {until:DateTime64(3, 'UTC')}
GROUP BY peer_addr, protocol, port, asset_serves ORDER BY received + sent DESC LIMIT 200`

	topTalkers = `
SELECT %s, count() AS records, sum(bytes * greatest(sampling_interval, 1)) AS estimate
FROM flows
WHERE received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
GROUP BY %[1]s ORDER BY estimate DESC LIMIT 20`

	addressAnywhere = `
SELECT exporter, in_if, out_if, src_addr = {address:IPv6} AS as_source, count() AS records, min(received_at), max(received_at),
    sum(bytes * greatest(sampling_interval, 1)) AS estimate, uniq(if(as_source, dst_addr, src_addr)) AS peers
FROM flows
WHERE (src_addr = {address:IPv6} OR dst_addr = {address:IPv6})
    AND received_at >= {since:DateTime64(3, 'UTC')} AND received_at < {until:DateTime64(3, 'UTC')}
GROUP BY exporter, in_if, out_if, as_source ORDER BY records DESC LIMIT 200`
)

// questions are all of them, with values from what is stored.
func (b *bench) questions(ctx context.Context) ([]question, error) {
	assets, err := b.assets(ctx)
	if err != nil {
		return nil, err
	}
	days := time.Duration(b.history) * 24 * time.Hour
	ofAsset := b.times(days, func(run int) (string, string) { return "asset", assets[run*len(assets)/b.runs] })
	hours := b.hours()
	all := []question{
		{result: "asset_30d", sql: assetPeers, values: ofAsset},
		{result: "asset_30d_records", sql: assetRecords, values: ofAsset},
		{result: "conversations_30d", sql: assetConversations, values: ofAsset},
		{result: "top_sources_hour", group: "top_talkers_hour", sql: fmt.Sprintf(topTalkers, "src_addr"), values: hours},
		{result: "top_destinations_hour", group: "top_talkers_hour", sql: fmt.Sprintf(topTalkers, "dst_addr"), values: hours},
		{result: "top_pairs_hour", sql: fmt.Sprintf(topTalkers, "src_addr, dst_addr"), values: hours},
		{result: "top_networks_hour", sql: fmt.Sprintf(topTalkers, "src_asn"), values: hours},
	}
	addresses, err := b.addresses(ctx)
	if err != nil {
		return nil, err
	}
	var everywhere []map[string]string
	for _, kind := range addresses {
		values := b.times(b.span, func(run int) (string, string) { return "address", kind.of[run%len(kind.of)] })
		values = values[:max(1, len(values)/len(addresses))]
		everywhere = append(everywhere, values...)
		all = append(all, question{result: "address_24h_" + kind.name, group: "address_24h", sql: addressAnywhere, values: values})
	}
	return b.addHunts(all, map[string][]map[string]string{
		"asset-peers": ofAsset, "top-talkers": hours, "address-sightings": everywhere,
	})
}

// timeFormat is how ClickHouse reads times.
const timeFormat = "2006-01-02 15:04:05.000"

// times are the values of all runs: a span before the end, and another value.
func (b *bench) times(span time.Duration, other func(run int) (name, value string)) []map[string]string {
	all := make([]map[string]string, b.runs)
	for run := range all {
		all[run] = window(carrier.Until.Add(-span), carrier.Until)
		name, value := other(run)
		all[run][name] = value
	}
	return all
}

// hours are the last hour, and hours that end a little before.
func (b *bench) hours() []map[string]string {
	all := make([]map[string]string, b.runs)
	for run := range all {
		end := carrier.Until.Add(-time.Duration(run%15) * time.Minute)
		all[run] = window(end.Add(-time.Hour), end)
	}
	return all
}

func window(since, until time.Time) map[string]string {
	return map[string]string{"since": since.Format(timeFormat), "until": until.Format(timeFormat)}
}

// addHunts adds tapwatch's own hunts, by name, as they are.
func (b *bench) addHunts(all []question, values map[string][]map[string]string) ([]question, error) {
	for _, name := range []string{"asset-peers", "top-talkers", "address-sightings"} {
		h, ok := hunts.Find(name)
		if !ok {
			return nil, fmt.Errorf("there is no hunt %s any more", name)
		}
		q := question{result: "hunt_" + strings.ReplaceAll(name, "-", "_"), sql: h.SQL}
		for _, v := range values[name] {
			bound, err := bind(h, v)
			if err != nil {
				return nil, fmt.Errorf("hunt %s: %w", name, err)
			}
			q.values = append(q.values, bound)
		}
		all = append(all, q)
	}
	return all, nil
}

// bind completes the values with the hunt's defaults. Times are as a person gives them.
func bind(h hunts.Hunt, values map[string]string) (map[string]string, error) {
	given := map[string]string{}
	for name, value := range values {
		if at, err := time.Parse(timeFormat, value); err == nil {
			value = at.Format(time.RFC3339)
		}
		given[name] = value
	}
	return h.Bind(given, time.Now())
}
