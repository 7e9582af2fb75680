SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

NAME ?= a
NODES ?= kubelet

.PHONY: help
help: ## Print every target and what it does
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

.PHONY: deps
deps: node_modules/.package-lock.json ## Install npm packages

.PHONY: generate
generate: deps ## Write the CRD, the reference page and generated/ (templates, Istio's CRDs, MeshConfig's fields)
	node scripts/generate.ts

.PHONY: golden
golden: deps ## Rewrite the golden files in test/golden from what is rendered today; review the difference
	node scripts/generate.ts
	node test/golden/update.ts

.PHONY: tools
tools: deps ## Install or build every real program that tests and local clusters use (cached outside git)
	@node test/cluster/toolchain/main.ts >/dev/null

.PHONY: cluster-up
cluster-up: deps ## Start a local cluster: NAME=a, NODES=none|kwok|kubelet (kubelet needs root)
	@node test/cluster/main.ts up $(NAME) --nodes $(NODES)

.PHONY: cluster-down
cluster-down: deps ## End the local cluster NAME and remove all it has made on this machine
	@node test/cluster/main.ts down $(NAME)

.PHONY: build
build: generate ## Bundle the operator into dist/
	node scripts/build.ts

.PHONY: image
image: build ## Assemble the operator's image without docker; print its name and its archive
	@node test/cluster/images/main.ts mesh-operator

.PHONY: cluster-conformance
cluster-conformance: deps ## Judge our NetworkPolicy enforcer by Kubernetes' own specs (about 20 minutes, needs root)
	@node test/cluster/network-policy/conformance.ts $(SPEC_FLAGS)

.PHONY: demo
demo: generate ## A cluster, the operator, a mesh, and a request through its gateway
	node scripts/demo.ts

.PHONY: demo-down
demo-down: deps ## Remove the cluster of the demo
	node test/cluster/main.ts down demo

.PHONY: fmt
fmt: deps ## Format the sources
	biome check --write .

.PHONY: lint
lint: deps ## Check format, lint rules and import layers
	biome check --error-on-warnings .

.PHONY: typecheck
typecheck: generate ## Check types
	tsc --noEmit

.PHONY: verify
verify: deps ## Fail when a committed generated file is not what would be generated
	node scripts/generate.ts --check

.PHONY: test-unit
test-unit: generate ## Unit and golden tests: no cluster, no root
	vitest run --project unit --project golden

.PHONY: test-integration
test-integration: build tools ## Tests on real API servers and simulated nodes: no root
	@$(MAKE) --no-print-directory -j4 --output-sync=target $(integration)

# Most of the time these wait for servers, so they run side by side, each on clusters of its own.
integration := integration-of-parts integration-of-mesh integration-of-faults integration-of-clusters
.PHONY: $(integration)
integration-of-parts:
	vitest run --project integration
integration-of-mesh:
	vitest run --project integration-mesh
integration-of-faults:
	vitest run --project integration-faults
integration-of-clusters:
	vitest run --project integration-clusters

.PHONY: test-e2e
test-e2e: build tools ## Tests on real nodes; need root on Linux and say so when skipped
	@if [ "$$(uname -s)" = Linux ] && [ "$$(id -u)" = 0 ]; then \
	$(MAKE) --no-print-directory -j2 --output-sync=target $(e2e); \
	else echo "SKIPPED test-e2e: a real node (kubelet, containerd, network namespaces) needs root on Linux"; fi

# Two at a time keep two processors busy: with three, nearly as much time passes, and apps are slow to answer.
e2e := e2e-of-clusters e2e-of-changes e2e-of-the-mesh e2e-of-rules
.PHONY: $(e2e)
e2e-of-the-mesh:
	vitest run --project e2e
e2e-of-changes:
	vitest run --project e2e-changes
e2e-of-rules:
	vitest run --project e2e-rules
e2e-of-clusters:
	vitest run --project e2e-clusters

.PHONY: bench
bench: build tools ## Measure rendering, injection and the operator on simulated nodes (some minutes); BENCH_WRITE=1 writes the page
	node test/bench/main.ts $(BENCH_FLAGS)

.PHONY: check
check: verify build tools ## What must pass before a merge: everything but test-e2e
	@$(MAKE) --no-print-directory -j5 --output-sync=target lint typecheck test-unit $(integration)

.PHONY: test
test: check test-e2e ## Everything, from a machine that has nothing yet

.PHONY: run
run: build ## Run the operator here against the cluster of the current kubeconfig
	node dist/mesh-operator.js run --namespace mesh-operator

.PHONY: clean
clean: ## Remove what was built in the checkout; what is cached outside it stays
	rm -rf dist generated node_modules
