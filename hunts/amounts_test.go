package hunts_test

import (
	"strconv"
	"testing"

	"tapwatch/storage"
)

// countOnce: what conversations_by_hour says of a conversation is what the router saw
// that exports every packet of it, however many routers sampled it too.
func countOnce(t *testing.T, reader *storage.Store) {
	rows := query(t, reader, `
		WITH
		saw AS
		(
			SELECT asset, peer_addr, protocol, port, asset_serves, to_asset, exporter, direction, sum(bytes) AS amount
			FROM conversations_hour WHERE sampling_interval = 1 GROUP BY ALL
		),
		truth AS
		(
			SELECT asset, peer_addr, protocol, port, asset_serves, to_asset, max(amount) AS amount
			FROM saw GROUP BY ALL HAVING amount > 20000
		),
		told AS
		(
			SELECT asset, peer_addr, protocol, port, asset_serves, to_asset, sum(bytes) AS amount, max(length(exporters)) AS routers
			FROM conversations_by_hour GROUP BY ALL
		)
		SELECT count() AS pairs, countIf(told.routers > 1) AS seen_by_several,
			countIf(told.amount NOT BETWEEN truth.amount * 0.99 AND truth.amount * 1.01) AS wrong
		FROM truth INNER JOIN told USING (asset, peer_addr, protocol, port, asset_serves, to_asset)`, nil)
	several, err := strconv.Atoi(rows[0]["seen_by_several"])
	if err != nil || several < 100 || rows[0]["wrong"] != "0" {
		t.Errorf("%v", rows[0])
	}
}
