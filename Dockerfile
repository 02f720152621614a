# SimpleScaleVM in a container: one static binary in an empty image, and beside it, in the default target only, a shell.
#
#   make image                                   both tagged, see `make help`
#   docker build .                               with a shell
#   docker build --target minimal .              without
#
# The build needs Rust and a C linker on a Debian; where no registry is reachable, tests/packaging/base-image makes such a
# base from a Debian archive and this machine's toolchain.
ARG BASE=docker.io/library/rust:1-bookworm
FROM ${BASE} AS build
# What a build leaves behind is found by it: docker image prune --filter label=simplescalevm.stage=build
LABEL simplescalevm.stage=build

# The shell is Debian's static busybox; a base may bring it along.
RUN test -x /bin/busybox || { apt-get update && apt-get install -y --no-install-recommends busybox-static; }

# Static glibc resolves names by itself, but without this file it would ask DNS before /etc/hosts: `--add-host` and
# `extra_hosts` must win.
RUN mkdir -p /minimal/etc /minimal/usr/share/doc/simplescalevm /shell/bin /shell/usr/share/doc/simplescalevm && \
    echo 'hosts: files dns' >/minimal/etc/nsswitch.conf && \
    echo 'simplescalevm:x:65532:65532:SimpleScaleVM:/:/bin/sh' >/minimal/etc/passwd && \
    echo 'simplescalevm:x:65532:' >/minimal/etc/group && \
    cp /bin/busybox /shell/bin/busybox && \
    for tool in $(busybox --list | grep -vx busybox); do ln -s busybox "/shell/bin/$tool"; done

# Which of Debian's source packages the parts under the LGPL and the GPL come from.
RUN sources='${source:Package} ${source:Version}, as ${binary:Package} ${Version} (${Architecture})\n' && \
    dpkg-query -W -f "$sources" libc6-dev >/minimal/usr/share/doc/simplescalevm/SOURCES && \
    dpkg-query -W -f "$sources" libc6-dev busybox-static >/shell/usr/share/doc/simplescalevm/SOURCES
COPY LICENSE THIRD-PARTY-NOTICES /minimal/usr/share/doc/simplescalevm/

WORKDIR /build
COPY Cargo.toml Cargo.lock build.rs .commit ./
# Cargo.toml names tests, and insists on them; empty ones do, for they are not built.
RUN sed -n 's/^path = "\(tests\/.*\)"/\1/p' Cargo.toml | while read -r path; do install -D /dev/null "$path"; done
COPY src src
# As `make static`. Without Git in here, the commit comes from outside.
ARG REVISION
RUN target=$(rustc -vV | sed -n 's/^host: //p') && \
    SIMPLESCALEVM_COMMIT="$REVISION" RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs \
        --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" cargo build --release --locked --target "$target" && \
    install -D -m 0755 "target/$target/release/simplescalevm" /minimal/usr/bin/simplescalevm && \
    /minimal/usr/bin/simplescalevm --version

FROM scratch AS minimal
# What is in it and where it comes from; `make image` adds version, revision and time.
LABEL org.opencontainers.image.title="SimpleScaleVM" \
      org.opencontainers.image.description="Keeps a pool of OpenStack VMs sized by what the VMs themselves report" \
      org.opencontainers.image.licenses="Apache-2.0 AND BSD-3-Clause AND CDLA-Permissive-2.0 AND ISC AND LGPL-2.1-or-later AND MIT" \
      org.opencontainers.image.source="https://github.com/Renater/SimpleScaleVM" \
      org.opencontainers.image.url="https://hub.docker.com/r/renater/simplescalevm"
COPY --from=build /minimal/ /
ENV PATH=/usr/bin:/bin
# As in the systemd units: what only a pass needed goes back to the system after it.
ENV MALLOC_TRIM_THRESHOLD_=131072
# A number, so that "runs as non-root" can be verified by whoever starts it.
USER 65532:65532
EXPOSE 8000
# Whether the program lives; the cloud's health is no reason to restart it. Frozen, it is unhealthy within a minute. Swarm
# sends nobody to a new task before the first check.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["/usr/bin/simplescalevm", "--healthcheck"]
ENTRYPOINT ["/usr/bin/simplescalevm"]

FROM minimal
LABEL org.opencontainers.image.licenses="Apache-2.0 AND BSD-3-Clause AND CDLA-Permissive-2.0 AND GPL-2.0-only AND ISC AND LGPL-2.1-or-later AND MIT"
COPY --from=build /shell/ /
