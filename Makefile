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
demo: build ## Show the main job. ONCE=1 ends after the tour; KAFKA=apache uses three real brokers
	@$(GO) build -o $(BIN)/demo ./hack/demo
	@exec $(BIN)/demo

.PHONY: test
test: build ## Run every test tier on its real parts, and say what ran and for how long
	@$(GO) build -o $(BIN)/tiers ./hack/tiers
	@exec $(BIN)/tiers

.PHONY: test-unit test-envtest test-kafka test-conformance
test-unit test-envtest test-kafka test-conformance: test-%: build ## Run one tier: unit (0 and 1), envtest (2), kafka (3), conformance (clients)
	@$(GO) build -o $(BIN)/tiers ./hack/tiers
	@exec $(BIN)/tiers $*

.PHONY: install
install: ## Install the CRDs and the operator into the cluster of KUBECONFIG
	kubectl apply -k config/default

# The programs of the image: the operator first, which is its entry point, and the others where they are.
IMG           ?= mooring:dev
IMAGE_PROGRAMS = ./cmd/mooring $(filter-out ./cmd/mooring,$(patsubst %/main.go,./%,$(wildcard cmd/*/main.go)))

.PHONY: image
image: ## Build the image IMG (mooring:dev) for amd64 and arm64, without Docker, into bin/; PUSH=1 pushes it
	@$(GO) build -C hack/image -trimpath -o $(BIN)/image .
	@exec $(BIN)/image --name $(IMG) --archive $(BIN)/mooring-image.tar --layout $(BIN)/mooring-image $(if $(PUSH),--push) $(IMAGE_PROGRAMS)

##@ Measure
.PHONY: bench-topics
bench-topics: build ## Measure N=1000 topics on KAFKA=embedded or apache, beside the floor of the same run
	@$(GO) build -o $(BIN)/bench-topics ./test/bench/topics
	@exec $(BIN)/bench-topics

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
	@$(GO) vet -tags envtest,kafka ./...
	@$(GO) -C test/conformance vet -tags conformance,kafka ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@git diff --exit-code --stat || { echo "the tree is not clean: commit what 'make generate' wrote"; exit 1; }

.PHONY: clean
clean: ## Remove bin/ (the cache of real parts stays; bin/localkube and bin/localkafka say where it is)
	rm -rf $(BIN) .run

.PHONY: help
help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-][a-z -]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
