# Two commands matter: `make demo` shows the main job, `make test` passes the tests. Both set up what they need.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export CGO_ENABLED ?= 0
GO        ?= go
BIN       := $(CURDIR)/bin
CONTROLLER_GEN = $(GO) tool -modfile=hack/tools/go.mod controller-gen

##@ Use
.PHONY: demo
demo: build ## Show the main job, on a real node where root is. ONCE=1 ends after the tour; KAFKA=apache uses three real brokers; NODE=0 needs no root
	@$(GO) build -o $(BIN)/demo ./hack/demo
	@$(GO) build -C hack/image -trimpath -o $(BIN)/image .
	@exec $(BIN)/demo

.PHONY: test
test: build ## Run every test tier on its real parts, and say what ran and for how long
	@$(GO) build -o $(BIN)/tiers ./hack/tiers
	@exec $(BIN)/tiers

.PHONY: test-unit test-envtest test-fleet test-kafka test-conformance test-e2e
test-unit test-envtest test-fleet test-kafka test-conformance test-e2e: test-%: build ## Run one tier: unit (0 and 1), envtest and fleet (2), kafka (3), conformance (clients), e2e (4, as root)
	@$(GO) build -o $(BIN)/tiers ./hack/tiers
	@exec $(BIN)/tiers $*

.PHONY: install
install: ## Install the CRDs and the operator into the cluster of KUBECONFIG
	kubectl apply --server-side -k config/default

# The programs of the image: the operator first, which is its entry point, and the others where they are.
IMG           ?= mooring:dev
IMAGE_PROGRAMS = ./cmd/mooring $(filter-out ./cmd/mooring,$(patsubst %/main.go,./%,$(wildcard cmd/*/main.go)))

.PHONY: image
image: ## Build the image IMG (mooring:dev) for amd64 and arm64, without Docker, into bin/; PUSH=1 pushes it
	@$(GO) build -C hack/image -trimpath -o $(BIN)/image .
	@exec $(BIN)/image --name $(IMG) --archive $(BIN)/mooring-image.tar --layout $(BIN)/mooring-image $(if $(PUSH),--push) $(IMAGE_PROGRAMS)

##@ Measure
.PHONY: bench-topics
bench-topics: build ## Measure N=1000 topics on KAFKA=embedded or apache, beside the floor of the same run (PROFILE=folder keeps profiles instead)
	@$(GO) build -o $(BIN)/bench-topics ./test/bench/topics
	@exec $(BIN)/bench-topics

.PHONY: bench-admission
bench-admission: build ## Measure admission with PROFILES=1000 profiles and PODS=5000 pods, beside the API server alone
	@$(GO) build -o $(BIN)/bench-admission ./test/bench/admission
	@exec $(BIN)/bench-admission

.PHONY: bench-policy
bench-policy: build ## Measure a profile's change on N=1000 pods' contracts, beside the same patches from a bare program
	@$(GO) build -o $(BIN)/bench-policy ./test/bench/policy
	@exec $(BIN)/bench-policy

.PHONY: bench-http
bench-http: ## Measure the shim's HTTP listener, beside bare handlers of the same run (ROUNDS, SECONDS, ONLY=raw-128)
	@mkdir -p $(BIN)
	@$(GO) build -o $(BIN)/bench-http ./test/bench/http
	@exec $(BIN)/bench-http

.PHONY: bench-shim
bench-shim: ## Measure the shim's Kafka listener, beside a bare relay of the same run (KAFKA=embedded or apache, ROUNDS, MILLIS)
	@mkdir -p $(BIN)
	@$(GO) build -o $(BIN)/bench-shim ./test/bench/shim
	@exec $(BIN)/bench-shim

##@ Prove
.PHONY: ledger
ledger: ## Clients write through the shim while brokers are killed and cut off; then without it (RECORDS, FAULTS, SEED, ONLY=shim, CLIENTS=http)
	@mkdir -p $(BIN)
	@$(GO) build -C test/ledger -o $(BIN)/ledger .
	@exec $(BIN)/ledger

FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: ## Run every fuzz target of the module for FUZZTIME (60s) each; FUZZ=Frames runs those whose name has that
	@mkdir -p $(BIN)
	@echo "looking for the fuzz targets (this builds all tests)"
	@$(GO) test -list '^Fuzz.*$(FUZZ)' ./... | awk '/^Fuzz/ {names[++n] = $$1; next} $$1 == "ok" {for (i = 1; i <= n; i++) print $$2, names[i]; n = 0}' > $(BIN)/fuzz-targets
	@test -s $(BIN)/fuzz-targets || { echo "there is no fuzz target with that name"; exit 1; }
	@echo "$$(wc -l < $(BIN)/fuzz-targets) targets, $(FUZZTIME) each"
	@while read -r package name; do \
		echo "== $$name in $$package"; \
		$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" | awk 'NF {last = $$0; if ($$0 !~ /^fuzz: elapsed/) print} /elapsed/ {e = $$0} END {print e}'; \
	done < $(BIN)/fuzz-targets

##@ Develop
.PHONY: build
build: ## Build the binaries into bin/
	@mkdir -p $(BIN)
	@echo "building the binaries (the first time takes a few minutes)"
	@$(GO) build -trimpath -o $(BIN)/ ./cmd/... ./hack/localkafka
	@$(GO) build -C hack/localkube -trimpath -o $(BIN)/localkube .

.PHONY: generate
generate: ## Regenerate deep copies, CRDs, RBAC, apply configurations and reference pages
	@$(CONTROLLER_GEN) object crd applyconfiguration paths=./api/... output:crd:artifacts:config=config/crd/bases
	@$(CONTROLLER_GEN) rbac:roleName=mooring webhook paths=./controllers/... paths=./webhook/... output:rbac:artifacts:config=config/rbac output:webhook:artifacts:config=config/webhook
	@$(GO) run ./hack/docgen

.PHONY: lint
lint: $(BIN)/lint ## Run golangci-lint with the Kubernetes API linter
	@$(BIN)/lint run ./...

$(BIN)/lint: hack/tools/lint/go.mod hack/tools/lint/main.go
	@echo "building the linter (the first time takes some minutes)"
	@$(GO) build -C hack/tools/lint -o $(BIN)/lint .

.PHONY: verify
verify: generate lint ## Regenerate, lint, and find the tree clean
	@$(GO) mod tidy -diff
	@$(GO) vet ./...
	@$(GO) vet -tags envtest,fleet,kafka,e2e ./...
	@$(GO) -C hack/localkube vet -tags e2e ./...
	@$(GO) -C hack/localkube/node vet ./...
	@$(GO) -C hack/image vet ./...
	@$(GO) -C test/conformance vet -tags conformance,kafka ./...
	@$(GO) -C test/ledger vet -tags kafka ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@git diff --exit-code --stat || { echo "the tree is not clean: commit what 'make generate' wrote"; exit 1; }

.PHONY: clean
clean: ## Remove bin/ (the cache of real parts stays; bin/localkube and bin/localkafka say where it is)
	rm -rf $(BIN) .run

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-][a-z -]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
