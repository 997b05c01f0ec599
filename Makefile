# aidpass: the commands of daily work. `make` alone lists them.
#
# A fresh Debian machine with Go, Node and root needs nothing else: `make test`
# installs what is missing, once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0

# How long each fuzz target runs: a breath inside `make test`, longer in `make fuzz`.
FUZZTIME ?= 30s

.PHONY: help setup fonts web screens run test check race bench fuzz vectors fault load build wasm clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: ## install what the tests need and is missing (Debian packages, pinned npm tools)
	@scripts/setup.sh

fonts: ## bring the typefaces that cards are printed with (pinned npm packages, embedded by build)
	@scripts/fonts.sh

web: ## build the browser apps that the program embeds (npm packages pinned, bundled without node)
	@scripts/web.sh

screens: web ## pictures of every screen and word of the scanner, in bin/screens/index.html
	@rm -rf bin/screens
	@go test -count=1 -run 'Screen|Word|Camera|Practice' ./web/scanner
	@echo bin/screens/index.html

build: fonts web ## build bin/aidpass, one binary without cgo
	@mkdir -p bin
	@go build -trimpath -ldflags '-s -w' -o bin/aidpass ./cmd/aidpass

aries: ## build bin/aidpass-aries-gateway, which hands credentials to wallets of the Aries family
	@cd interop/aries && go build -trimpath -o ../../bin/aidpass-aries-gateway ./cmd/aidpass-aries-gateway

wasm: ## build bin/*.wasm, the same core for browsers, and check their size
	@scripts/wasm.sh

run: build ## build everything and show the main job: a workbook, its mistakes, cards on paper, words at the counter, and the scanner for phones
	@scripts/run.sh

test: setup ## everything a change must pass: set-up, check, tests, race, short fuzz, vectors
	@scripts/test.sh

check: ## formatting, vet, staticcheck, module files, floors (no network, under a minute)
	@scripts/check.sh

race: setup ## the race detector over what runs side by side, short sizes
	@scripts/race.sh

bench: ## every bar of the performance promise, as a ratio to a floor of the same run
	@go run ./bench

fuzz: ## every fuzz target for FUZZTIME (default 30s): make fuzz FUZZTIME=5m
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

vectors: setup wasm ## the vectors, in Go, in the browser binaries and by command line
	@go test -count=1 -run 'Vector|Golden|Differential' ./...

fault: ## a thousand kills, torn writes and failing stores
	@AIDPASS_LOAD=1 go test -count=1 -timeout 60m -run 'Fault|Kill|Crash|Torn' ./...

load: ## the long run: a roster of 50,000 to cards, again, and every card judged
	@AIDPASS_LOAD=1 go test -count=1 -timeout 60m -run 'Load' -v ./...

clean: ## remove what make has built (installed tools stay)
	@rm -rf bin
