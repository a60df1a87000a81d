# The front door: each target is one line over a preset or a script. `make` alone prints this help.
.DEFAULT_GOAL := help
JOBS ?= 2
IMAGE ?= localhost/sluice:0.1.0
export JOBS

help: ## this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: ## set up, build, serve examples/iris and send predictions; ONCE=1 ends there
	@tools/install_deps demo && tools/demo

deps: ## install the Debian packages that are missing (root or sudo)
	@tools/install_deps test

dev: ## configure and build for development
	cmake --preset dev >/dev/null && cmake --build --preset dev -j $(JOBS)

release: ## build/release/sluice
	cmake --preset release -DSLUICE_TESTS=OFF >/dev/null && cmake --build --preset release -j $(JOBS) --target sluice

run: release ## build/release/sluice with ARGS="..."
	build/release/sluice $(ARGS)

test: deps ## set up, build, run every test that this machine can run
	@tools/run_tests

unit: deps ## only the rooms' own tests
	@tools/run_tests units

e2e: deps ## only the tests of the release binary (tests/)
	@tools/run_tests system

test-cluster: ## chart, operator and requests on a real one-node Kubernetes with Istio and Envoy; needs root and Go
	@tools/install_deps cluster && tests/cluster/run

churn: ## ROLLOUTS (50) under constant load through Envoy on that cluster; what each cost, kept in bench/results
	@tools/install_deps cluster && tests/cluster/run --churn $(or $(ROLLOUTS),50) bench/results/churn-$$(date -u +%Y%m%d-%H%M).md

test-plane: ## of test-cluster what a control plane without containers shows; needs Go, not root
	@tools/install_deps cluster && tests/cluster/run --plane

asan: deps ## the rooms' tests under the address and undefined-behaviour sanitizers
	@tools/run_tests sanitized

tsan: deps ## the rooms' tests under the thread sanitizer
	@tools/run_tests tsan

fuzz: deps ## each fuzz target for FUZZ_SECONDS (60)
	@tools/run_tests fuzz

crd: ## write the chart's CustomResourceDefinition from the field table
	cmake --preset dev >/dev/null && cmake --build --preset dev -j $(JOBS) --target sluice_crd
	build/dev/sluice_crd > charts/sluice/crds-source/seldondeployments.yaml

helm-values: ## write the chart's values schema and its page from values.yaml
	"$$(tools/python_env tests)" tools/helm_values

chart-golden: release ## write what the chart renders anew into tests/chart/golden
	SLUICE_GOLDEN=write "$$(tools/python_env tests)" -m pytest -q -p no:cacheprovider tests/chart/chart_test.py -k rendered_as_recorded

image: release ## build/image/sluice.tar: container images, without registry or daemon; IMAGE=name:tag MODELS="name:tag=folder ..."
	tools/make_image build/release/sluice build/image/sluice.tar $(IMAGE) $(MODELS)

check: deps ## format, layers, headers, warnings, links, banned calls
	@tools/run_checks

format: ## clang-format over all sources
	git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

bench: ## load against sluice, a bare relay, nginx, HAProxy, Envoy; BENCH_ARGS="--help" for more
	@tools/install_deps bench && tools/run_bench $(BENCH_ARGS)

simulate: deps ## the operator over a simulated API server with faults: SEEDS (10000) seeds, and a mishap at every call; SLUICE_SEED=N: one, with its trace
	cmake --preset dev >/dev/null && cmake --build --preset dev -j $(JOBS) --target simulate
	build/dev/tests/sim/simulate --seeds $(or $(SEEDS),10000) --jobs $(JOBS)

bench-operator: release ## what the operator costs for 300 and 1,000 SeldonDeployments on a real API server, pods as objects; needs Go; BENCH_ARGS
	@tools/install_deps cluster && BENCH_COMMAND="make bench-operator BENCH_ARGS='$(BENCH_ARGS)'" python3 bench/operator/run.py $(BENCH_ARGS)

.PHONY: help demo deps dev release run test unit e2e test-cluster churn test-plane asan tsan fuzz crd helm-values chart-golden image check format bench bench-operator simulate
