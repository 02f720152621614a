# SimpleScaleVM: everything a contributor or packager types. `make help` lists it.

prefix ?= /usr/local
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
docdir ?= $(prefix)/share/doc/simplescalevm
unitdir ?= $(prefix)/lib/systemd/system
sysconfdir ?= /etc

# Name of the container image, and the base its first stage builds on (empty: what the Dockerfile says).
IMAGE ?= simplescalevm
BASE ?=
# How long `make fuzz` stays with each target.
FUZZ_SECONDS ?= 60
# Deaths of each kind in `make bench-failover`.
FAILOVER_DEATHS ?= 50
DEB_MAINTAINER ?= SimpleScaleVM packagers <root@localhost>

CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
BINARY := $(TARGET_DIR)/release/simplescalevm
STATIC_TARGET := x86_64-unknown-linux-gnu
STATIC := $(TARGET_DIR)/$(STATIC_TARGET)/release/simplescalevm
STATIC_FLAGS := -C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs
DIST := $(TARGET_DIR)/dist

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
RELEASE := simplescalevm-$(VERSION)-x86_64-linux
# 1.2.3 -> 1.2 and 1
MAJOR := $(word 1,$(subst ., ,$(VERSION)))
MINOR := $(MAJOR).$(word 2,$(subst ., ,$(VERSION)))
# The same source gives the same archive.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

UNITS := simplescalevm.service simplescalevm@.service simplescalevm-once.service simplescalevm-once.timer
REPLICA := contrib/replica/cloud-init.yaml contrib/replica/cloud-init-nginx.yaml

.PHONY: all build build-tests test test-bounds soak fuzz test-etcd test-real bench bench-small bench-micro bench-failover test-browser test-prometheus test-proxy test-packaging record openstack-up \
    openstack-down deny audit lint fmt run demo install install-files static dist image deb clean help

all: build ## Build the release binary

build: ## Build target/release/simplescalevm
	$(CARGO) build --release --locked

# Tests wait more than they compute. Those that attack the daemon, or load it, ask for more: fewer at a time.
test: ## Run all tests that need nothing but Rust
	$(CARGO) test --locked -- --test-threads=8 --skip attack:: --skip bounds::
	$(CARGO) test --locked --test it -- --test-threads=4 attack:: bounds::

# All at once: two processors build them in the time of two.
build-tests: ## Build what `make test`, `make test-etcd`, `make test-real` and `make bench-small` run
	$(CARGO) test --locked --no-run --lib --bins --test it --test simulation --test model --test etcd --test real \
	    --bench scale --bench micro

# `make test` holds a debug build to a little more memory; this is what users get.
test-bounds: ## Test the release build's bounds: a pool of 1,000, and attacks on its status port
	$(CARGO) test --locked --release --test it -- bounds:: attack::

soak: ## Let the release build live through 20,000 passes; its memory must not grow
	$(CARGO) test --locked --release --test soak a_long_life -- --nocapture

openstack-up: ## Bring up a real OpenStack on loopback for tests (see tests/openstack/README.md)
	tests/openstack/up

openstack-down: ## Stop that OpenStack; its data and its packages stay
	tests/openstack/down

# As many at a time as the cloud has projects for (tests/real/turn.rs); the others wait for their turn, each in a thread.
test-real: openstack-up ## Run the tests that need a real OpenStack; brings it up, and leaves it up
	$(CARGO) test --locked --test real -- --test-threads=1000

# Most of them wait: for a member that hangs, or for a lease to run out.
test-etcd: ## Keep the lease in a real etcd: one member, and three of which one dies and one hangs (needs Debian's apt, openssl)
	$(CARGO) test --locked --test etcd -- --test-threads=4

# What users carry around is measured: the static binary.
bench: ## Measure how far it goes: pools of 3 to 10,000 replicas on this machine (a quiet one), beside bare sockets
	RUSTFLAGS='$(STATIC_FLAGS)' $(CARGO) bench --locked --target $(STATIC_TARGET) --bench scale

bench-small: ## Run a little of `make bench` and `make bench-micro` with a debug build; its figures say nothing
	BENCH_SMALL=1 $(CARGO) test --locked --bench scale
	$(CARGO) test --locked --bench micro

bench-micro: ## Measure what a replica costs when a pass decides, and a server when a page of Nova's list is read
	$(CARGO) bench --locked --bench micro

bench-failover: openstack-up ## Measure how fast an address leaves a dead service, FAILOVER_DEATHS (50) of each kind, on that OpenStack
	FAILOVER_DEATHS=$(FAILOVER_DEATHS) $(CARGO) bench --locked --bench failover

record: openstack-up ## Record that OpenStack's answers anew as fixtures (tests/fixtures/openstack)
	SIMPLESCALEVM_RECORD=1 $(CARGO) test --locked --test real answers -- --test-threads=1

test-prometheus: build ## Let a real Prometheus scrape it, and test the alerting rules (needs Debian's prometheus)
	tests/prometheus/run $(BINARY)

test-proxy: ## Ask a small cloud through real proxies (needs Debian's tinyproxy or squid, openssl, python3)
	$(CARGO) build --locked
	tests/proxy/run $(TARGET_DIR)/debug/simplescalevm

test-browser: target/browser/axe ## Test the status page in a real Chromium (needs chromium, chromium-driver, pip)
	$(CARGO) build --locked
	python3 -B tests/browser/run.py

target/browser/axe: tests/browser/requirements.txt
	python3 -m pip install --quiet --target $@ --no-deps --require-hashes -r $<

fuzz: ## Fuzz what strangers say, FUZZ_SECONDS (60) for each target (needs a nightly Rust and cargo-fuzz)
	fuzz/run $(FUZZ_SECONDS)

deny: ## Check the dependencies' licences, versions and origin (needs cargo-deny)
	$(CARGO) deny --locked check bans licenses sources

audit: ## Look the dependencies up in RustSec's advisories (needs cargo-deny, and GitHub)
	$(CARGO) deny --locked check advisories

lint: ## Check formatting, lints and the manual page
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	$(CARGO) clippy --test etcd --test real --test soak --locked -- -D warnings
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --no-default-features --target-dir $(TARGET_DIR) --locked -- -D warnings
	mandoc -Tlint -Wwarning man/simplescalevm.8

fmt: ## Format the source
	$(CARGO) fmt

run: build ## Run the daemon with the settings of this environment
	$(BINARY)

# A day of load in a few minutes: small limits and a short interval, so that there is something to see.
demo: build ## Run a trial pool on this machine, without any cloud; Ctrl-C ends it
	env PROVIDER=simulated APP_HOST=127.0.0.1 APP_INTERVAL=6 REPLICA_CAPACITY=4 \
	    REPLICA_MIN_AVAILABLE_RESOURCES=6 REPLICA_MAX=12 REPLICA_BOOT_GRACE=20 REPLICA_LAUNCH_TIMEOUT=15 \
	    REPLICA_REPLACE_SILENT_AFTER=6 REPLICA_API_TIMEOUT=1 REPLICA_API_RETRIES=0 EXTERNAL_ADDRESS_MANAGEMENT=true $(BINARY)

install: build ## Install binary, manual page, systemd units, example settings (DESTDIR, prefix)
	@$(MAKE) --no-print-directory install-files

# What is installed, without building it first: a package takes the static binary.
install-files:
	install -D -m 0755 $(BINARY) $(DESTDIR)$(bindir)/simplescalevm
	install -D -m 0644 man/simplescalevm.8 $(DESTDIR)$(mandir)/man8/simplescalevm.8
	install -d -m 0755 $(DESTDIR)$(docdir)/replica
	install -m 0644 contrib/access-rules.json contrib/access-rules-lease.json contrib/simplescalevm.env \
	    $(DESTDIR)$(docdir)/
	install -m 0644 $(REPLICA) $(DESTDIR)$(docdir)/replica/
	install -d -m 0755 $(DESTDIR)$(unitdir) $(DESTDIR)$(sysconfdir)/simplescalevm
	for unit in $(UNITS); do \
	    sed -e 's|/usr/local/bin/|$(bindir)/|' -e 's|/etc/simplescalevm/|$(sysconfdir)/simplescalevm/|' contrib/$$unit \
	        >$(DESTDIR)$(unitdir)/$$unit && chmod 0644 $(DESTDIR)$(unitdir)/$$unit || exit 1; \
	done
	test -e $(DESTDIR)$(sysconfdir)/simplescalevm/simplescalevm.env || \
	    install -m 0600 contrib/simplescalevm.env $(DESTDIR)$(sysconfdir)/simplescalevm/simplescalevm.env

# With --target the flags reach the program only, and not the macros that run while it is built. Packed relocations save
# 120 kB; they need glibc 2.36 (Debian 12) where it is built, only there, so it is tried at once.
static: ## Build one file that runs on any x86-64 Linux (built on glibc 2.36 or later)
	RUSTFLAGS='$(STATIC_FLAGS)' $(CARGO) build --release --locked --target $(STATIC_TARGET)
	$(STATIC) --version

dist: static ## Pack the static binary with all that belongs to it, and checksums
	rm -rf $(DIST)/$(RELEASE) && mkdir -p $(DIST)/$(RELEASE)/replica
	install -m 0755 $(STATIC) $(DIST)/$(RELEASE)/simplescalevm
	install -m 0644 README.md CHANGELOG.md LICENSE man/simplescalevm.8 contrib/stack.yml contrib/stack-two.yml \
	    contrib/simplescalevm.env contrib/access-rules.json contrib/access-rules-lease.json $(UNITS:%=contrib/%) $(DIST)/$(RELEASE)/
	install -m 0644 $(REPLICA) $(DIST)/$(RELEASE)/replica/
	cd $(DIST)/$(RELEASE) && find * -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS
	tar -C $(DIST) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) \
	    -cf - $(RELEASE) | gzip -9n >$(DIST)/$(RELEASE).tar.gz
	cd $(DIST) && sha256sum $(RELEASE).tar.gz >$(RELEASE).tar.gz.sha256

image: ## Build the container image, with a shell and without (IMAGE, BASE)
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
	    --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
	    --tag $(IMAGE):openstack-$(VERSION) --tag $(IMAGE):openstack-$(MINOR) \
	    --tag $(IMAGE):openstack-$(MAJOR) --tag $(IMAGE):openstack-latest .
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) --build-arg VERSION=$(VERSION) \
	    --build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) \
	    --target minimal --tag $(IMAGE):openstack-$(VERSION)-minimal .

deb: static ## Build a Debian package
	rm -rf $(DIST)/deb
	@$(MAKE) --no-print-directory install-files BINARY=$(STATIC) DESTDIR=$(DIST)/deb prefix=/usr bindir=/usr/bin \
	    mandir=/usr/share/man unitdir=/lib/systemd/system sysconfdir=/etc
	contrib/deb/build $(DIST)/deb $(VERSION) '$(DEB_MAINTAINER)' $(DIST)/simplescalevm_$(VERSION)_amd64.deb

test-packaging: ## Test what is shipped for real: as root on Debian, with docker and debootstrap
	tests/packaging/run

clean: ## Remove what was built
	$(CARGO) clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
