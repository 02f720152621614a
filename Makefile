# SimpleScaleVM: everything a contributor or packager types. `make help` lists it.

prefix ?= /usr/local
bindir ?= $(prefix)/bin
mandir ?= $(prefix)/share/man
docdir ?= $(prefix)/share/doc/simplescalevm
bashdir ?= $(prefix)/share/bash-completion/completions
zshdir ?= $(prefix)/share/zsh/site-functions
fishdir ?= $(prefix)/share/fish/vendor_completions.d
unitdir ?= $(prefix)/lib/systemd/system
sysconfdir ?= /etc

# Name of the container image, and the base its first stage builds on (empty: what the Dockerfile says).
IMAGE ?= renater/simplescalevm
BASE ?=
# How long `make fuzz` stays with each target.
FUZZ_SECONDS ?= 60
# Deaths of each kind in `make bench-failover`.
FAILOVER_DEATHS ?= 50
# Days that `make bench-cost` plays; the goals are a week's.
COST_DAYS ?= 7
# Who answers for a package, as `NAME <ADDRESS>`; `make deb` asks for it.
export DEB_MAINTAINER ?=

CARGO ?= cargo
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
BINARY := $(TARGET_DIR)/release/simplescalevm
# The machine's own; with sudo there may be no rustc to ask.
STATIC_TARGET := $(or $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p'),$(shell uname -m)-unknown-linux-gnu)
STATIC := $(TARGET_DIR)/$(STATIC_TARGET)/release/simplescalevm
STATIC_FLAGS := -C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs
DIST := $(TARGET_DIR)/dist

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
MACHINE := $(firstword $(subst -, ,$(STATIC_TARGET)))
RELEASE := simplescalevm-$(VERSION)-$(MACHINE)-linux
DEB = $(DIST)/simplescalevm_$(VERSION)_$(shell dpkg --print-architecture).deb
# 1.2.3 -> 1.2 and 1
MAJOR := $(word 1,$(subst ., ,$(VERSION)))
MINOR := $(MAJOR).$(word 2,$(subst ., ,$(VERSION)))
# The same source gives the same archive. Not exported: C in the dependencies would be compiled anew after each commit.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

UNITS := simplescalevm.service simplescalevm@.service simplescalevm-once.service simplescalevm-once.timer
REPLICA := contrib/replica/cloud-init.yaml contrib/replica/cloud-init-nginx.yaml
# What goes along with the program in every form.
DOCUMENTS := CHANGELOG.md THIRD-PARTY-NOTICES contrib/access-rules.json contrib/access-rules-lease.json \
    contrib/simplescalevm.env contrib/screenshot.png
PROMETHEUS := contrib/prometheus/alerts.yml contrib/prometheus/alerts.test.yml
GRAFANA := contrib/grafana/simplescalevm.json

# No path of the machine that builds it is in what is shipped, so that the same source is the same bytes everywhere.
CARGO_HOME_DIR := $(abspath $(or $(CARGO_HOME),$(HOME)/.cargo))
REMAP := --remap-path-prefix=$(CURDIR)=/build --remap-path-prefix=$(abspath $(TARGET_DIR))=/build/target \
    --remap-path-prefix=$(CARGO_HOME_DIR)=/cargo

.PHONY: all build build-real build-tests test test-bounds soak fuzz test-etcd test-real bench bench-small bench-micro bench-failover bench-cost test-browser test-prometheus test-proxy test-packaging record openstack-up \
    openstack-down deny audit notices completions lint fmt run demo install static dist image deb clean help

all: build ## Build the release binary

build: ## Build target/release/simplescalevm
	RUSTFLAGS='$(RUSTFLAGS) $(REMAP)' $(CARGO) build --release --locked

# Tests wait more than they compute. Those that attack the daemon, or load it, ask for more: fewer at a time.
test: ## Run all tests that need nothing but Rust
	$(CARGO) test --locked -- --test-threads=8 --skip attack:: --skip bounds::
	$(CARGO) test --locked --test it -- --test-threads=4 attack:: bounds::

build-real: ## Build what `make test-real` runs
	$(CARGO) test --locked --no-run --test real

# All at once: two processors build them in the time of two.
build-tests: ## Build what `make test`, `make test-etcd`, `make test-real`, `make bench-small` and the gate's short bench-cost run
	$(CARGO) test --locked --no-run --lib --bins --test it --test simulation --test model --test etcd --test real \
	    --bench scale --bench micro --bench cost

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

bench-cost: ## Compare a week's VM-hours and time below the minimum with Python's rules and with the best there can be
	COST_DAYS=$(COST_DAYS) $(CARGO) bench --locked --bench cost

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

deny: ## Check the dependencies' licences, versions, origin and notices (needs cargo-deny)
	mkdir -p target
	contrib/notices/check
	$(CARGO) deny --locked check bans licenses sources

notices: ## Write THIRD-PARTY-NOTICES anew, after a change of the dependencies (needs cargo-about)
	mkdir -p $(TARGET_DIR)
	contrib/notices/make >$(TARGET_DIR)/notices
	cp $(TARGET_DIR)/notices THIRD-PARTY-NOTICES

# The unit test that holds them to the table of options writes them, too.
completions: ## Write contrib/completions anew, after a change of the options
	SIMPLESCALEVM_RECORD=1 $(CARGO) test --locked --lib completions

audit: ## Look the dependencies up in RustSec's advisories (needs cargo-deny, and GitHub)
	$(CARGO) deny --locked check advisories

lint: ## Check formatting, lints, the manual page, and that each mutation still applies
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	$(CARGO) clippy --test etcd --test real --test soak --locked -- -D warnings
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --manifest-path fuzz/Cargo.toml --no-default-features --target-dir $(TARGET_DIR) --locked -- -D warnings
	mandoc -Tlint -Wwarning man/simplescalevm.8
	tests/manual/run man/simplescalevm.8
	for patch in tests/*/mutations/*.patch; do git apply --check -C1 "$$patch" || exit 1; done

fmt: ## Format the source
	$(CARGO) fmt

run: build ## Run the daemon with the settings of this environment
	$(BINARY)

# A day of load in a few minutes: small limits and a short interval, so that there is something to see.
demo: build ## Run a trial pool on this machine, without any cloud; Ctrl-C ends it
	env PROVIDER=simulated APP_HOST=127.0.0.1 APP_INTERVAL=6 REPLICA_CAPACITY=4 \
	    REPLICA_MIN_AVAILABLE_RESOURCES=6 REPLICA_MAX=12 REPLICA_BOOT_GRACE=20 REPLICA_LAUNCH_TIMEOUT=15 \
	    REPLICA_REPLACE_SILENT_AFTER=6 REPLICA_API_TIMEOUT=1 REPLICA_API_RETRIES=0 EXTERNAL_ADDRESS_MANAGEMENT=true $(BINARY)

# The documents' places are those of contrib/, and so the README's links hold.
define install_documents
	install -d -m 0755 $(1)/replica $(1)/prometheus $(1)/grafana
	install -m 0644 $(DOCUMENTS) $(1)/
	sed 's|contrib/||g' README.md >$(1)/README.md && chmod 0644 $(1)/README.md
	install -m 0644 $(REPLICA) $(1)/replica/
	install -m 0644 $(PROMETHEUS) $(1)/prometheus/
	install -m 0644 $(GRAFANA) $(1)/grafana/
endef

# Builds nothing: root may have no cargo, and a package takes the static binary.
install: ## Install what `make` built: binary, manual page, units, completions, documents (DESTDIR, prefix)
	@test -x $(BINARY) || { echo "There is no $(BINARY) to install: run make first, as a user who has cargo" >&2; exit 1; }
	install -D -m 0755 $(BINARY) $(DESTDIR)$(bindir)/simplescalevm
	install -D -m 0644 man/simplescalevm.8 $(DESTDIR)$(mandir)/man8/simplescalevm.8
	install -D -m 0644 contrib/completions/simplescalevm.bash $(DESTDIR)$(bashdir)/simplescalevm
	install -D -m 0644 contrib/completions/_simplescalevm $(DESTDIR)$(zshdir)/_simplescalevm
	install -D -m 0644 contrib/completions/simplescalevm.fish $(DESTDIR)$(fishdir)/simplescalevm.fish
	$(call install_documents,$(DESTDIR)$(docdir))
	install -d -m 0755 $(DESTDIR)$(unitdir) $(DESTDIR)$(sysconfdir)/simplescalevm
	for unit in $(UNITS); do \
	    sed -e 's|/usr/local/bin/|$(bindir)/|' -e 's|/etc/simplescalevm/|$(sysconfdir)/simplescalevm/|' contrib/$$unit \
	        >$(DESTDIR)$(unitdir)/$$unit && chmod 0644 $(DESTDIR)$(unitdir)/$$unit || exit 1; \
	done
	test -e $(DESTDIR)$(sysconfdir)/simplescalevm/simplescalevm.env || \
	    install -m 0600 contrib/simplescalevm.env $(DESTDIR)$(sysconfdir)/simplescalevm/simplescalevm.env

# With --target the flags reach the program only, and not the macros that run while it is built. Packed relocations save
# 120 kB; they need glibc 2.36 (Debian 12) where it is built, only there, so it is tried at once.
static: ## Build one file that runs on any Linux of this architecture (built on glibc 2.36 or later)
	RUSTFLAGS='$(STATIC_FLAGS) $(REMAP)' $(CARGO) build --release --locked --target $(STATIC_TARGET)
	$(STATIC) --version

dist: static ## Pack the static binary with all that belongs to it, a bill of materials, and checksums
	rm -rf $(DIST)/$(RELEASE) && mkdir -p $(DIST)/$(RELEASE)/completions
	$(call install_documents,$(DIST)/$(RELEASE))
	install -m 0755 $(STATIC) $(DIST)/$(RELEASE)/simplescalevm
	install -m 0644 LICENSE man/simplescalevm.8 contrib/stack.yml contrib/stack-two.yml $(UNITS:%=contrib/%) $(DIST)/$(RELEASE)/
	install -m 0644 contrib/completions/* $(DIST)/$(RELEASE)/completions/
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) contrib/bom $(STATIC_TARGET) >$(DIST)/$(RELEASE)/simplescalevm.cdx.json
	cd $(DIST)/$(RELEASE) && find * -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum >SHA256SUMS
	tar -C $(DIST) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@$(SOURCE_DATE_EPOCH) \
	    -cf - $(RELEASE) | gzip -9n >$(DIST)/$(RELEASE).tar.gz
	cd $(DIST) && sha256sum $(RELEASE).tar.gz >$(RELEASE).tar.gz.sha256

# The build of an image has no Git to ask.
REVISION = $$(git describe --always --abbrev=40 --dirty --exclude '*' 2>/dev/null || echo unknown)

# Only who builds it knows these; all other labels are in the Dockerfile.
LABELS = --label org.opencontainers.image.version=$(VERSION) \
    --label org.opencontainers.image.revision=$(REVISION) --build-arg REVISION=$(REVISION) \
    --label org.opencontainers.image.created=$$(date -u +%FT%TZ)

image: ## Build the container image, with a shell and without (IMAGE, BASE)
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) $(LABELS) \
	    --tag $(IMAGE):openstack-$(VERSION) --tag $(IMAGE):openstack-$(MINOR) \
	    --tag $(IMAGE):openstack-$(MAJOR) --tag $(IMAGE):openstack-latest .
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) $(LABELS) \
	    --target minimal --tag $(IMAGE):openstack-$(VERSION)-minimal .

.PHONY: maintainer
maintainer:
	@test -n "$$DEB_MAINTAINER" || \
	    { echo "A package names who answers for it: make deb DEB_MAINTAINER='Your Name <you@example.org>'" >&2; exit 1; }

deb: maintainer static ## Build a Debian package (DEB_MAINTAINER)
	rm -rf $(DIST)/deb
	@$(MAKE) --no-print-directory install BINARY=$(STATIC) DESTDIR=$(DIST)/deb prefix=/usr unitdir=/lib/systemd/system \
	    zshdir=/usr/share/zsh/vendor-completions sysconfdir=/etc
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) contrib/deb/build $(DIST)/deb $(VERSION) "$$DEB_MAINTAINER" $(DEB)

test-packaging: ## Test what is shipped for real: as root on Debian, with docker and debootstrap
	tests/packaging/run

clean: ## Remove what was built
	$(CARGO) clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
