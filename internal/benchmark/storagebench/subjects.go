package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
)

// named is the condition that the protected end of a row has a name in the inventory.
const named = "asset IN (src_asset, dst_asset)"

// assets are those of the inventory that have a history, the busiest first.
func (b *bench) assets(ctx context.Context) ([]string, error) {
	var all []struct {
		Asset string `ch:"asset"`
		Rows  uint64 `ch:"rows"`
	}
	err := b.Select(ctx, &all, "SELECT asset, count() AS rows FROM watched_flows WHERE "+named+" GROUP BY asset ORDER BY rows DESC, asset")
	if err != nil {
		return nil, fmt.Errorf("list the assets: %w", err)
	}
	if len(all) == 0 {
		return nil, errors.New("no flow touches an asset: store more")
	}
	var names []string
	for _, a := range all {
		names = append(names, a.Asset)
	}
	b.report.Say("  %d assets with history: %s has %d rows, the middle one %d, %s %d", len(all),
		all[0].Asset, all[0].Rows, all[len(all)/2].Rows, all[len(all)-1].Asset, all[len(all)-1].Rows)
	return names, nil
}

// addressKind is addresses to look for.
type addressKind struct {
	name string
	of   []string
}

// ofKind is how many addresses of a kind are looked for.
const ofKind = 10

// addresses gives frequent, usual, rare and absent ones.
func (b *bench) addresses(ctx context.Context) (kinds []addressKind, err error) {
	const counted = "storagebench_addresses"
	err = b.Exec(ctx, "CREATE TABLE "+counted+` ENGINE = MergeTree ORDER BY address AS
SELECT address, count() AS rows FROM flows ARRAY JOIN [src_addr, dst_addr] AS address GROUP BY address`)
	if err != nil {
		return nil, fmt.Errorf("count the addresses: %w", err)
	}
	defer func() { err = errors.Join(err, b.Exec(ctx, "DROP TABLE "+counted+" SYNC")) }()
	for _, kind := range []struct{ name, which string }{
		{"frequent", "ORDER BY rows DESC"},
		{"usual", "WHERE rows >= (SELECT quantile(0.9)(rows) FROM " + counted + ") ORDER BY rows, cityHash64(address)"},
		{"rare", "WHERE rows <= 3 ORDER BY cityHash64(address)"},
	} {
		var all []struct {
			Address netip.Addr `ch:"address"`
			Rows    uint64     `ch:"rows"`
		}
		if err := b.Select(ctx, &all, fmt.Sprintf("SELECT address, rows FROM %s %s LIMIT %d", counted, kind.which, ofKind)); err != nil {
			return nil, fmt.Errorf("choose %s addresses: %w", kind.name, err)
		}
		if len(all) == 0 {
			continue // a small store may have no such address
		}
		k := addressKind{name: kind.name}
		for _, a := range all {
			k.of = append(k.of, a.Address.String())
		}
		b.report.Say("  %s addresses: %d to %d records", kind.name, all[0].Rows, all[len(all)-1].Rows)
		kinds = append(kinds, k)
	}
	absent, err := b.absent(ctx, counted)
	return append(kinds, addressKind{"absent", absent}), err
}

// absent gives addresses that lie among those that are there, but are not there.
func (b *bench) absent(ctx context.Context, counted string) ([]string, error) {
	random := rand.New(rand.NewPCG(1, 2))
	var found []string
	for len(found) < ofKind {
		a := netip.AddrFrom4([4]byte{byte(1 + random.IntN(220)), byte(random.IntN(256)), byte(random.IntN(256)), byte(random.IntN(256))})
		var rows uint64
		if err := b.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM %s WHERE address = toIPv6('::ffff:%s')", counted, a)).Scan(&rows); err != nil {
			return nil, fmt.Errorf("choose absent addresses: %w", err)
		}
		if rows == 0 {
			found = append(found, "::ffff:"+a.String())
		}
	}
	return found, nil
}
