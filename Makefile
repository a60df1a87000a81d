# The front door. `make` alone prints this help.
.DEFAULT_GOAL := help
JOBS ?= 2

help: ## this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

deps: ## install what a fresh Debian 12 lacks (apt; root or sudo)
	tools/install_deps

dev: ## configure and build for development
	cmake --preset dev >/dev/null && cmake --build --preset dev -j $(JOBS)

release: ## build/release/sluice
	cmake --preset release -DSLUICE_TESTS=OFF >/dev/null && cmake --build --preset release -j $(JOBS) --target sluice

.PHONY: help deps dev release
