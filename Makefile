# Targets are listed by `make` alone: each has its line behind "##".
SHELL := /bin/bash
.DEFAULT_GOAL := help
MODULES := schemas pkg pkg/tests services services/tests services/internal/release
PACKAGES := $(MODULES:%=./%/...)
GO ?= go
LINT := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: $(shell sed -nE 's/^([a-z][a-z-]*):.*/\1/p' $(firstword $(MAKEFILE_LIST))) # every target here

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

build: ## Build bin/habeas
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/habeas ./services/habeas

demo: build ## Build, and show the whole: five requests through fourteen systems
	@bin/habeas demo

test: ## Every test that needs no outside service
	$(GO) test $(PACKAGES)

race: ## The same tests three times under the race detector
	$(GO) test -race -count=3 $(PACKAGES)

BROWSERTEST := services/internal/browsertest
BROWSERPARTS := $(BROWSERTEST)/node_modules/.package-lock.json # npm's own mark
$(BROWSERPARTS): $(BROWSERTEST)/package-lock.json
	@.ci/again npm ci --prefix $(BROWSERTEST) --silent

browser-parts: $(BROWSERPARTS)

test-browser: browser-parts ## The console, the portal and the answers in a real browser (Chromium, Node); HABEAS_SCREENSHOTS=DIR keeps pictures of every page
	HABEAS_TEST_BROWSER=1 $(GO) test -count=1 -run '^TestBrowser' -timeout 30m ./services/console ./services/portal ./services/internal/receipt ./services/internal/bundle ./services/habeas

age-js: ## Make the portal's age.js anew (Node, npm)
	@.ci/again .ci/age-js

SEEDS ?= 10000
simulate: ## Simulate SEEDS=10000 runs with duplicates, losses and crashes
	$(GO) test ./services/internal/simulation -run TestSimulation -seeds=$(SEEDS) -timeout 60m

RUNS ?= 50000
ON ?= SQLite
truth: ## Hold every answer against what is really there, in RUNS=50000 runs (ON=PostgreSQL: on a server of its own)
	$(GO) test ./services/internal/truth -run 'TestTruth$$|TestMeanwhile$$' -runs=$(RUNS) -on $(ON) -timeout 600m

ONLY ?=
truth-mutants: ## Take one rule out at a time, and see the truth test go red (ONLY=WORD: of rules with that word)
	$(GO) run ./services/internal/truth/mutants -only "$(ONLY)"

FUZZTIME ?= 60s
fuzz: ## Fuzz every fuzz target for FUZZTIME=60s
	@.ci/fuzz $(FUZZTIME) $(FUZZFLAGS)

KILLS ?= 50
kill: ## Kill habeas up -9 at KILLS=50 random moments under 200 requests
	$(GO) test ./services/habeas -run TestKilledAtRandom -kills=$(KILLS) -timeout 60m -v

test-postgres: test-journal test-sql ## The journal's and the SQL workers' tests on PostgreSQL (the latter on MariaDB, too)

test-journal:
	HABEAS_TEST_POSTGRES=1 $(GO) test -count=1 ./services/internal/journal/... ./services/internal/relay/... ./services/internal/pgtest ./services/sandbox/internaldb/...

test-sql: ## The SQL workers' tests on PostgreSQL and MariaDB (mariadb-server)
	@HABEAS_TEST_POSTGRES=1 .ci/with-postgres .ci/with-mariadb $(GO) test -count=1 ./pkg/sqlsystem/... ./pkg/vendorapi/ledger/... ./services/systems

test-kafka: test-bus test-fleet ## The bus, the SDK, the topics and the whole fleet under faults on Apache Kafka (KAFKA_BROKERS, else one of its own: JDK 17, Maven)

test-bus:
	@$(GO) run ./pkg/bus/kafkatest/withkafka $(GO) test -count=1 -timeout 20m ./pkg/bus/... ./pkg/tests/bus ./pkg/tests/worker ./services/internal/topics

test-fleet:
	HABEAS_TEST_KAFKA=1 HABEAS_TEST_POSTGRES=1 $(GO) test -count=1 -run '^(TestFaults|TestACLs)$$' -timeout 20m ./services/habeas

THIRDPARTY := HABEAS_TEST_THIRDPARTY=$${HABEAS_TEST_THIRDPARTY:-1} $(GO) test -count=1 -timeout 30m

test-clients: ## Other people's clients against the stand-ins, and the workers in other languages (Node, Python 3; what is missing is skipped, HABEAS_TEST_THIRDPARTY=must fails)
	$(THIRDPARTY) ./services/sandbox/clients ./services/systems/httpsystem/conform

test-formats: ## Bundles by bagit and frictionless, documents by AsyncAPI's parser and Spectral, the door by Schemathesis (as test-clients)
	$(THIRDPARTY) -run '^TestThirdParty$$|^TestDocuments$$|^TestSchemathesis$$' ./services/internal/bundle ./services/internal/thirdparty ./services/habeas

test-lake: ## Lakes: the program with them in it, and what PyIceberg and DuckDB find in tables and files after an erasure (Python 3; as test-clients)
	$(GO) vet -tags lake ./services/systems ./services/habeas/node
	$(THIRDPARTY) -run '^TestReaders$$' ./services/sandbox/activitylake

test-alerts: ## Every alert of deploy/prometheus fires because of what causes it: a Prometheus scrapes a fleet (prometheus)
	HABEAS_TEST_ALERTS=1 $(GO) test -count=1 -run '^TestAlerts$$' -timeout 15m ./services/habeas

PREVIOUS ?= 28f42fc# v0.1.0, by its commit: not every checkout has tags
test-upgrade: ## A fleet of the last release becomes one of this version while requests come in, in the order of docs/operate.md (PREVIOUS=COMMIT)
	@rm -rf bin/previous && mkdir -p bin/previous/src && git archive $(PREVIOUS) | tar -x -C bin/previous/src
	cd bin/previous/src && CGO_ENABLED=0 $(GO) build -buildvcs=false -o ../habeas ./services/habeas
	HABEAS_TEST_UPGRADE=$(CURDIR)/bin/previous/habeas $(GO) test -count=1 -run '^TestUpgrade$$' ./services/habeas

test-deploy: ## The alerts, the dashboard and the Helm chart (promtool, Python 3)
	@deploy/check
	$(GO) test -count=1 -run 'TestDeploy(Metrics|Compose)$$' ./services/habeas

tools: ## What test-deploy and test-compose need and no package has: they make it themselves where this wasn't run (root, mmdebstrap)
	@deploy/helm/tools
	@deploy/compose/standins/base

test-compose: ## docker-compose.yml in a Docker engine, with requests from the host (root; docker.io, docker-compose, mmdebstrap)
	@deploy/compose/test

FAULTS := -fault-requests=2000 -fault-kills=100 -fault-outage=60s
faults: ## The fleet on Apache Kafka and PostgreSQL: FAULTS='-fault-requests=2000 -fault-kills=100 -fault-outage=60s'
	HABEAS_TEST_KAFKA=1 HABEAS_TEST_POSTGRES=1 $(GO) test -count=1 -run 'TestFaults$$' -timeout 90m -v ./services/habeas $(FAULTS)

RESTORED ?= -restore-requests=300
test-restore: ## Restore the journal of a fleet on PostgreSQL from before two thirds of its requests, reconcile it, and see each end once or named (RESTORED='-restore-requests=300')
	HABEAS_TEST_POSTGRES=1 $(GO) test -count=1 -run '^TestRestoredJournal$$' -timeout 20m -v ./services/habeas $(RESTORED)

NIGHTLY := SEEDS=100000 FUZZTIME=10m KILLS=200
nightly: ## What takes hours: race, simulate, truth, its mutants, fuzz, kill and faults, with NIGHTLY='SEEDS=100000 FUZZTIME=10m KILLS=200'
	$(MAKE) -k race simulate truth truth-mutants fuzz kill faults $(NIGHTLY)

GROWN ?= 1000000
grown: ## What an append, a list, a timer and the relay cost in a journal of GROWN=1000000 requests
	HABEAS_TEST_POSTGRES=1 $(GO) test -count=1 -run 'TestGrown$$' -timeout 30m -v ./services/internal/journal/pgjournal -grown=$(GROWN)

clouds: ## Build bin/habeas with the clouds' drivers (S3, GCS, Azure, their key services, Vault)
	@mkdir -p bin
	$(GO) build -trimpath -tags clouds -ldflags '-X main.version=$(VERSION)' -o bin/habeas ./services/habeas

lake: ## Build bin/habeas with what reads lakes (Apache Iceberg); its demo has the system activity
	@mkdir -p bin
	$(GO) build -trimpath -tags lake -ldflags '-X main.version=$(VERSION)' -o bin/habeas ./services/habeas

IMAGE ?= habeas
BUILD_FLAGS ?= -trimpath
VERSION ?= $(shell git describe --tags --match 'v*' --always --dirty 2>/dev/null || echo development)
image: ## Build the image habeas from a binary that is built here; nothing is pulled
	@mkdir -p bin/image/etc/ssl/certs
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -ldflags '-s -w -X main.version=$(VERSION)' -o bin/image/habeas ./services/habeas
	cp /etc/ssl/certs/ca-certificates.crt bin/image/etc/ssl/certs/
	docker build -q --target prebuilt -t $(IMAGE) .

COMPOSE ?= $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
PROFILE ?=
up: ## Start each service in its own container, with Kafka and PostgreSQL (PROFILE=observability: with traces, metrics, a dashboard)
	$(COMPOSE) build -q intake
	@deploy/compose/secrets
	$(if $(PROFILE),HABEAS_OTLP=http://collector:4318) $(COMPOSE) $(if $(PROFILE),--profile $(PROFILE)) up -d --build
	@echo "Requests go to http://127.0.0.1:$${HABEAS_PORT:-8420}, the console is at http://localhost:$${CONSOLE_PORT:-8421} (agent@example.com, password)"

down: ## Stop the containers; their data stays (VOLUMES=-v removes it)
	$(COMPOSE) --profile observability down $(VOLUMES)

READING ?= reading
reading: ## Write letter and answer of every right of every law, in English and French, into READING=FOLDER, to be read
	HABEAS_READING=$(abspath $(READING)) $(GO) test -count=1 -run '^TestReading$$' ./services/habeas

bench: build ## Measure this machine: accesses and erasures over nine systems and of one database, a lone request, a 5 GB bundle
	@bin/habeas bench $(BENCH)

ROUNDS ?= 5
BASE ?= ../base/bin/habeas
bench-before: build ## Measure another program of Habeas and this one in turn, and print medians (BASE=PROGRAM ROUNDS=5)
	@bin/habeas bench --against "$(BASE)" --rounds $(ROUNDS) --lone 0 --bundle-gb 0 $(BENCH)

measure: ## Count lines by part, what pkg exports, and the packages on a request's way (OF=../before: of another checkout)
	@.ci/measure $(OF)

bench-postgres: build ## Measure the load that a peer is compared on with PostgreSQL as the one database
	@FSYNC=on .ci/with-postgres bash -c 'bin/habeas bench --load shop-access,shop-erasure --lone 0 --bundle-gb 0 --shop-database "$$DATABASE_URL" $(BENCH)'

bench-kafka: build ## Measure this machine on Apache Kafka and PostgreSQL, against what either does alone (BENCH='--requests 3000')
	FSYNC=on .ci/with-postgres $(GO) run ./pkg/bus/kafkatest/withkafka bash -c 'bin/habeas bench --bundle-gb 0 --brokers "$$KAFKA_BROKERS" --postgres "$$DATABASE_URL" $(BENCH)'

CONSOLE := -console-requests=1000000
bench-sql: ## Measure gathering and erasing by a manifest against COPY and DELETE on PostgreSQL (ROWS=2000000)
	HABEAS_TEST_POSTGRES=1 .ci/with-postgres $(GO) test ./pkg/sqlsystem -run xxx -bench 'BenchmarkCeiling|BenchmarkOnePerson' -benchtime 5x -timeout 60m -ceiling-rows=$(or $(ROWS),2000000)

CROWD := 100000
test-identity: ## Tell CROWD=100000 people apart who share telephones, name each other and have several accounts
	$(GO) test -count=1 -run 'TestIdentity$$' -timeout 120m ./services/sandbox/internaldb -crowd=$(CROWD)
bench-lake: ## Measure passes over a lake against reading and writing its files, and iceberg-go's Delete (ROWS=4000000)
	$(GO) test -count=1 -timeout 60m -v -run 'TestLakeCosts$$' ./services/systems/lakesystem -lake-rows=$(or $(ROWS),4000000)

bench-console: ## Measure the console's pages on PostgreSQL, with CONSOLE='-console-requests=1000000' requests (8 GB of disk)
	HABEAS_TEST_POSTGRES=1 $(GO) test ./services/console -run xxx -bench BenchmarkConsole -benchtime 200x -timeout 120m $(CONSOLE)

bench-vendors: ## Count each vendor's calls, and time 10,000 erasures inside its limits (simulated time)
	$(GO) test -count=1 -timeout 30m -v -run TestVendors ./services/sandbox/vendorbench -vendor-subjects=1000 -vendor-erasures=10000

check: vet lint tidy standalone generated written api ## vet, lint, tidy modules, builds without the workspace, generated files, what is written about the code, released names

vet:
	$(GO) vet $(PACKAGES)

lint:
	@code=0; for m in $(MODULES); do echo "lint $$m"; (cd $$m && $(LINT) run ./...) || code=1; done; exit $$code

tidy:
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) mod tidy -diff) || { echo "go.mod of $$m isn't tidy: run go mod tidy there"; exit 1; }; done

standalone:
	@for m in $(MODULES); do (cd $$m && GOWORK=off $(GO) build -o /dev/null ./...) || exit 1; done

RELEASE := $(GO) run ./services/internal/release
api: ## Fail where a name of pkg or schemas breaks who used the last release's (apidiff), and CHANGELOG.md doesn't say so
	@$(RELEASE) api

names: ## Count the exported names of pkg and schemas: those of the packages, and with fields and methods
	@$(RELEASE) names

DIR ?= bin/proxy
module-proxy: ## Lay the modules out in DIR=bin/proxy as a module proxy serves them, and print their version
	@$(RELEASE) proxy -dir $(DIR)

test-outside: ## Build and run docs/examples/ from a module proxy, against a running Habeas; fails above 25 modules behind a worker
	@.ci/outside

vulnerabilities: ## Look for known holes in what Habeas is made of (govulncheck)
	@.ci/vulnerabilities

release: ## Release VERSION=v0.1.0: changelog, tags, and in dist/ modules, binary, image, parts list, checksums (DRYRUN=1: only dist/)
	@GO="$(GO)" .ci/release "$(if $(filter command,$(firstword $(origin VERSION))),$(VERSION))"

generate: ## Write the generated files anew
	$(GO) generate $(PACKAGES)

written: # guides, map and comments against the code
	$(GO) test -count=1 ./services/internal/docs

generated: generate
	@git diff --exit-code --stat -- '*.gen.go' schemas/asyncapi.yaml || { echo "generated files were out of date: commit them"; exit 1; }

clean: ## Remove what was built
	rm -rf bin dist
