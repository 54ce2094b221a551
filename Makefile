# make            build bin/opsctl
# make demo       the main jobs on embedded samples: no server, no root
# make check      format, lint, dead code, generated files, build
# make test       unit tests with the race detector, then scripts and real programs
# make torture    long runs; SHORT=1 is the reduced form that .ci/run takes
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build
MAKEFLAGS += --no-print-directory

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
BIN     := bin/opsctl
STAGE   := .ci/stage
TOOL    := $(GO) tool -modfile=.tools/go.mod

# How long each fuzz target runs.
FUZZTIME ?= 10s
# SHORT=1 reduces the long runs.
TORTURE := $(if $(filter-out 0,$(SHORT)),short,1)

export OPSCTL_TEST_CACHE ?= $(HOME)/.cache/opsctl-test

.PHONY: build check fmt lint deadcode fresh test need unit scripts long servers peers torture \
	bench size demo gen fuzz clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "$(LDFLAGS)" -o $(BIN) ./cmd/opsctl

check:
	@$(STAGE) lint $(MAKE) lint
	@$(STAGE) deadcode $(MAKE) deadcode
	@$(STAGE) fresh $(MAKE) fresh
	@$(STAGE) build $(MAKE) build

# Formatting is gofumpt's and goimports', run by the linter.
fmt:
	$(TOOL) golangci-lint fmt ./...

lint:
	$(TOOL) golangci-lint fmt --diff ./...
	$(TOOL) golangci-lint run ./...

# Functions that neither a program nor a test reaches.
deadcode:
	@dead=$$($(TOOL) deadcode -test ./...); \
	if [ -n "$$dead" ]; then echo "$$dead"; exit 1; fi

# go.mod matches the imports, completions and the command reference the commands.
fresh:
	$(GO) mod tidy -diff
	$(GO) test -count=1 -run '^(TestGenerated|TestDocs)' ./cmd/opsctl

gen:
	$(GO) test -count=1 -run '^(TestGenerated|TestManPages|TestDocsListRules)' ./cmd/opsctl -update -man $(CURDIR)/dist/man

test: need
	@$(MAKE) -j2 -Otarget unit peers
	@$(MAKE) scripts
	@$(MAKE) long
	@$(MAKE) servers

# Installs what the tests start, where this is Debian or Ubuntu and root.
need:
	@$(STAGE) need .ci/need

unit:
	@$(STAGE) unit $(GO) test -race -short -shuffle=on ./pkg/...

# The release binary, judged from outside.
scripts: build
	@OPSCTL_BIN=$(CURDIR)/$(BIN) $(STAGE) scripts $(GO) test -count=1 -shuffle=on ./cmd/...

# Real servers: what make peers has put into the cache.
servers: build
	@OPSCTL_BIN=$(CURDIR)/$(BIN) OPSCTL_PEERS=1 $(STAGE) servers \
		$(GO) test -count=1 -timeout 20m ./internal/... ./pkg/authkeys/sshdconfig ./pkg/mysqlconn/... ./pkg/mysqlspace/... ./pkg/scrape ./pkg/systemd/... ./test/...

# What the race detector is too slow for: every split point of a log, large logs, millions of digests, thousands of elections.
long:
	@$(STAGE) long $(GO) test -count=1 -timeout 20m ./pkg/sshaudit ./pkg/registry/digest ./pkg/raftsim/...

peers:
	@$(STAGE) peers $(GO) run ./internal/testpeers/cmd/peers

torture: build need
	@$(STAGE) peers-torture $(GO) run ./internal/testpeers/cmd/peers --torture
	@OPSCTL_BIN=$(CURDIR)/$(BIN) OPSCTL_PEERS=1 OPSCTL_TORTURE=$(TORTURE) $(STAGE) torture \
		$(GO) test -count=1 -timeout 120m ./internal/... ./pkg/authkeys/sshdconfig ./pkg/mysqlconn/... ./pkg/mysqlspace/... ./pkg/scrape ./pkg/systemd/... ./test/...

# CPU seconds and memory beside named tools, as ratios of one run.
bench: build
	$(GO) run ./internal/bench

size: build
	@.ci/size $(BIN)

demo: build
	@.ci/demo $(BIN)

# Every Fuzz function for FUZZTIME each.
fuzz:
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

clean:
	rm -rf bin dist
