// Package cluster tests tapwatch on a cluster of ClickHouse: two embedded engines that
// know each other as shards.
package cluster
