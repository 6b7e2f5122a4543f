# The repository's commands. `make run` and `make test` are all that a newcomer needs; the work itself is done by xtask
# (xtask/src/main.rs), because draining programs and counting tests are no jobs for a makefile.

# Flags for the two programs of `make run`, as: make run QR_FLAGS='--faults' BELFRY_FLAGS='--contacts contacts.yaml'
QR_FLAGS ?=
BELFRY_FLAGS ?=
export QR_FLAGS BELFRY_FLAGS

# Flags for `make traffic`, as: make traffic TRAFFIC='--seconds 60 --rate 50'
TRAFFIC ?=

# Flags for `make soak`, as: make soak SOAK='--part 2' or SOAK='--seeds 20000..30000'
SOAK ?=

XTASK := cargo run --quiet --package xtask --

.DEFAULT_GOAL := help
.PHONY: help run test soak drill traffic fmt lint tidy e2e web-app clean prerequisites

help: ## list these commands
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: prerequisites ## build everything, start qr-service and belfry, drain both on Ctrl-C
	@$(XTASK) run

test: prerequisites ## install what the tests need and run every check
	@$(XTASK) test

soak: prerequisites ## 10,000 seeds of the pipeline campaign and 500 kills, in parts of an hour (SOAK='--part 1')
	@$(XTASK) soak $(SOAK)

drill: prerequisites ## every alert and procedure of the plan against a live service with faults, about 20 minutes
	@$(XTASK) drill

traffic: ## send realistic traffic to the running service (TRAFFIC='--seconds 300 --rate 20')
	@$(XTASK) traffic $(TRAFFIC)

fmt: ## format the Rust sources
	@cargo fmt --all

lint: ## clippy and the rules that no compiler checks
	@cargo clippy --workspace --all-targets -- -D warnings
	@$(XTASK) tidy

e2e: prerequisites ## both programs on free ports, checked from outside
	@$(XTASK) e2e

web-app: prerequisites ## install and build Belfry's web app, where it changed
	@$(XTASK) web-app

clean: ## remove what was built; ./data stays
	@cargo clean
	@rm -rf crates/monitor/ui/dist crates/monitor/ui/node_modules

prerequisites:
	@scripts/prerequisites.sh
