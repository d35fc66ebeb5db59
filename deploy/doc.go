// Package deploy holds what docker-compose.yml mounts and its tests, which need no
// Docker engine: they read compose's files, and load ClickHouse's into the embedded
// engine.
package deploy
