# SimpleScaleVM: everything a contributor or packager types. `make help` lists it.

prefix ?= /usr/local
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man

CARGO ?= cargo
BINARY := target/release/simplescalevm

.PHONY: all build test test-browser test-prometheus test-real record openstack-up openstack-down lint fmt run demo \
    install clean help

all: build ## Build the release binary

build: ## Build target/release/simplescalevm
	$(CARGO) build --release --locked

test: ## Run all tests that need nothing but Rust
	$(CARGO) test --locked

openstack-up: ## Bring up a real OpenStack on loopback for tests (see tests/openstack/README.md)
	tests/openstack/up

openstack-down: ## Stop that OpenStack; its data and its packages stay
	tests/openstack/down

# There is one cloud, so its tests run one after the other.
test-real: openstack-up ## Run the tests that need a real OpenStack; brings it up, and leaves it up
	$(CARGO) test --locked --test real -- --test-threads=1

record: openstack-up ## Record that OpenStack's answers anew as fixtures (tests/fixtures/openstack)
	SIMPLESCALEVM_RECORD=1 $(CARGO) test --locked --test real answers -- --test-threads=1

test-prometheus: build ## Let a real Prometheus scrape it, and test the alerting rules (needs Debian's prometheus)
	tests/prometheus/run $(BINARY)

test-browser: target/browser/axe ## Test the status page in a real Chromium (needs chromium, chromium-driver, pip)
	$(CARGO) build --locked
	python3 -B tests/browser/run.py

target/browser/axe: tests/browser/requirements.txt
	python3 -m pip install --quiet --target $@ --no-deps --require-hashes -r $<

lint: ## Check formatting, lints and the manual page
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	$(CARGO) clippy --test real --locked -- -D warnings
	mandoc -Tlint -Wwarning man/simplescalevm.8

fmt: ## Format the source
	$(CARGO) fmt

run: build ## Run the daemon with the settings of this environment
	$(BINARY)

# A day of load in a few minutes: small limits and a short interval, so that there is something to see.
demo: build ## Run a trial pool on this machine, without any cloud; Ctrl-C ends it
	env PROVIDER=simulated APP_HOST=127.0.0.1 APP_INTERVAL=2 REPLICA_CAPACITY=4 \
	    REPLICA_MIN_AVAILABLE_RESOURCES=6 REPLICA_MAX=12 REPLICA_BOOT_GRACE=20 REPLICA_LAUNCH_TIMEOUT=15 \
	    REPLICA_REPLACE_SILENT_AFTER=6 REPLICA_API_TIMEOUT=1 REPLICA_API_RETRIES=0 EXTERNAL_ADDRESS_MANAGEMENT=true $(BINARY)

install: build ## Install binary and manual page (DESTDIR, prefix)
	install -D -m 0755 $(BINARY) $(DESTDIR)$(bindir)/simplescalevm
	install -D -m 0644 man/simplescalevm.8 $(DESTDIR)$(mandir)/man8/simplescalevm.8

clean: ## Remove what was built
	$(CARGO) clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
