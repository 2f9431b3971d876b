# make run and make test do everything on a machine with Go; the rest is for
# people who work on Vitals.
GO      ?= go
VERSION ?= 0.1.0-$(shell git describe --always --dirty 2>/dev/null || echo dev)
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"
# The race detector needs a C compiler; without one the tests run all the same.
RACE    ?= $(shell command -v gcc >/dev/null 2>&1 && echo -race)

.PHONY: e2e-k8s fleet-model run build test race images vitals-image dist lint bench bench-peers monte-carlo duets starved capacity lockout attribution audits consecutive pocketbase outside golden fuzz validate-k8s clean

run: build ## all four scenarios against the embedded reference API, in about 90 s
	bin/vitals run --pace quick

build:
	$(BUILD) -o bin/vitals ./cmd/vitals

# The race detector goes with the packages whose goroutines share memory with each
# other; in the rest the tests mostly start programs and wait for them, or for an
# embedded database, or compute, and it would take the processors from what they
# measure. The recorder and the limit checker are under it where they are used, in
# load, intruders and wire. make race has it everywhere.
RACED = ./internal/fleet ./internal/intruders/... ./internal/load/... ./internal/observe/... ./internal/wire/... \
        ./server ./server/identity/... ./server/limit ./server/process ./server/telemetry ./server/web
OTHER = $$($(GO) list ./... | grep -vxF "$$($(GO) list $(RACED))")
# The whole audit has the machine for itself: what it measures would else be the
# other packages' tests. Costs, and how long a frozen server is said to have been,
# are held a second time without the race detector, which costs time itself.
AUDIT = ^TestAuditOfTheContainerStack$$
# Most packages wait for clocks and servers, so more of them run than there are
# processors.
PACKAGES ?= 4
TEST = $(GO) test -json -shuffle=on -p $(PACKAGES) -timeout 20m
test: build ## every test; what cannot run here is listed with its reason
	$(GO) vet ./...
	$(GO) build $(RACE) $(RACED) # compiled beforehand, or the first tests would share the processors with the compiler
	$(GO) run ./internal/testsum -again "$(GO) test -json -timeout 15m" \
	  $(TEST) $(RACE) $(RACED) -- \
	  $(TEST) -skip '$(AUDIT)' $(OTHER) -- \
	  $(GO) test -json -run '$(AUDIT)' -timeout 15m ./cmd/vitals -- \
	  $(GO) test -json -run 'Cost|Garbage|Memory|FrozenServer' -parallel 4 ./internal/load/... ./internal/wire/...

race: ## every test under the race detector (40 minutes)
	$(GO) run ./internal/testsum $(TEST) -race -skip '$(AUDIT)' ./...

validate-k8s: ## the API server's own defaults and validation over the rendered job (5 minutes to build, once)
	$(GO) -C internal/fleet/kubernetes/validation test ./...

# What is built of Kubernetes is kept here, outside the tree.
K8S_BIN ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vitals/kubernetes-1.34.4
e2e-k8s: build ## vitals fleet on a real Kubernetes of this machine; needs root, builds it once (20 minutes of a processor)
	GO="$(GO)" sh internal/fleet/kubernetes/e2e/run.sh "$(K8S_BIN)"

fleet-model: ## one controller that follows 200 members for a minute: cores, memory, how far behind
	$(GO) test -run '^$$' -bench Lead200Members -benchtime 1x ./internal/harness

vitals-image: build ## vitals:dev, for docker run … run --url (docs/ci.md)
	cp /etc/ssl/certs/ca-certificates.crt bin/
	docker build -t vitals:dev .

dist: ## programs for six systems, checksums, SBOM, licences, manual pages, completions, in out/dist
	$(GO) run ./internal/dist -version $(VERSION)

images: ## stand-in Postgres and Redis images, where no registry can be reached
	sh deploy/images/build.sh

lint: ## formatting, vet, staticcheck, and a tidy go.mod
	gofmt -l . | (! grep .)
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) mod verify

bench: ## the engine's ratios and the price of hardening
	$(GO) test -run '^$$' -bench . -benchmem ./internal/load/... ./internal/wire/... ./internal/measure/... ./server/...

MONTE_CARLO ?= 2000
monte-carlo: ## the error rates of the comparison, by simulation; the ways of comparing that must fail
	MONTE_CARLO=$(MONTE_CARLO) $(GO) test -count=1 -run TestMonteCarlo -v ./internal/baseline/stats

AA ?= 10
duets: ## duets whose answer is known: a build with itself, and 20 % and 5 % slower ones, on containers (long)
	AA=$(AA) sh testdata/duets/run.sh

STARVED ?= 10
starved: ## starved generators and slow systems, each as often: is the right one blamed? (14 minutes)
	STARVED=$(STARVED) $(GO) test -count=1 -run TestStarvedGenerator -timeout 60m -v ./internal/harness

CAPACITY ?= 5
capacity: ## vitals capacity against a server whose limit is known (1 minute each)
	CAPACITY=$(CAPACITY) $(GO) test -count=1 -run TestCapacityOfAKnownLimit -timeout 60m -v ./cmd/vitals

bench-peers: ## our engine beside wrk, vegeta, fortio and k6, in one sitting (long)
	$(GO) run ./internal/peers -k6

lockout: ## the parallel attack on the lockout a thousand times, on containers (long)
	LOCKOUT_ROUNDS=1000 $(GO) test -run 'TestFaults/LK9' -timeout 60m -v ./internal/stack/containers

ATTRIBUTION ?= 10
attribution: ## bottlenecks planted in the container stack, each as often: is the right one named? (30 minutes)
	ATTRIBUTION_ROUNDS=$(ATTRIBUTION) $(GO) test -count=1 -run TestAttributionOfPlanted -timeout 2h -v ./internal/harness

AUDITS ?= 20
audits: build ## full audits of the container stack, one after the other (4 minutes each)
	sh testdata/audits.sh $(AUDITS)

RUNS ?= 20
consecutive: ## runs with intruders one after the other against one deployment (6 s each)
	VITALS_RUNS=$(RUNS) $(GO) test -count=1 -run TestConsecutiveRuns -timeout 60m -v ./internal/harness

pocketbase: ## the audit on a real PocketBase, sound and misconfigured (builds it once; about 5 minutes)
	$(GO) -C internal/audit/audittest/pocketbase test -count=1 -timeout 30m -v ./...

outside: ## wrk, slowhttptest and hydra against our own driver
	sh testdata/outside/run.sh

FUZZTIME ?= 20s
fuzz: ## every fuzz target in turn
	for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
	  $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done

golden: ## rewrite the expected outputs; read the diff
	$(GO) test ./report -update

clean:
	rm -rf bin out
