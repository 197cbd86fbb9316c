# The two commands: `make demo` and `make test`. The rest is what they are made of.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# Suites with sockets and databases of their own go first: beside the property tests of two cores they would starve.
SERVER_TESTS := ^(GatewayTests|WorkerTests|StoreTests|PostgresTests|MessagingTests|PaymentTests|NotificationTests|NotificationEdgeTests|NotifyClientTests|SchemaUpgradeTests)\.
# Scenarios on the real program, each with processes of its own: alone, for the same reason.
PROGRAM_TESTS := ^EndToEndTests\.
# 10,000 families of runs keep all cores busy for some minutes: beside them nothing with a clock would pass.
FAMILY_TESTS := ^EngineTests\.FamilyTests/
.PHONY: help demo test setup build release lint tidy unit drift conformance soak bench proto clean

help:                ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: setup build    ## set up; three payments, then 2,000 messages, through everything
	@scripts/demo.sh

test: lint build unit drift conformance soak ## set up what is missing and pass all tests
	@echo "all tests passed"

setup:               ## install missing Debian packages
	@scripts/setup.sh

build: setup         ## debug build of the program and the tests
	swift build --build-tests $(SWIFT_FLAGS)

release: setup       ## optimised build, for benchmarks and use
	swift build -c release --product aloft $(SWIFT_FLAGS)

lint: setup          ## formatting
	@scripts/lint.sh

unit: build          ## unit, property, store, gateway and end-to-end tests (private servers)
	@scripts/setup.sh --python
	scripts/unit.sh --filter '$(SERVER_TESTS)'
	scripts/unit.sh --skip '$(SERVER_TESTS)|$(PROGRAM_TESTS)|$(FAMILY_TESTS)'
	scripts/unit.sh --filter '$(PROGRAM_TESTS)'
	scripts/unit.sh --filter '$(FAMILY_TESTS)'

drift: build         ## generated code equals our protos
	@scripts/proto.sh --check

conformance: build   ## the unmodified Python SDK against a live server
	@scripts/setup.sh --python
	@scripts/conformance.sh

soak: build          ## everything killed again and again, NATS stopped and wiped (2 × 60 s)
	@scripts/setup.sh --python
	@scripts/soak.sh both 60

bench: release       ## hello and notification benchmarks
	@scripts/setup.sh --python
	.build/release/aloft bench hello
	.build/release/aloft bench notify

proto: setup         ## regenerate Sources/TemporalAPI/Generated
	@scripts/proto.sh

clean:               ## remove build products and caches
	rm -rf .build .cache
