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
	node scripts/generate/templates.ts
	node test/golden/update.ts
