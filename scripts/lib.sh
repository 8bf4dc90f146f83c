# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Functions shared by the scripts beside it. Sourced, never run; needs bash and `set -eu`.

# shellcheck disable=SC2034  # used by the scripts that source this file
{
    BUILD_PACKAGES=(apache2-bin apache2-dev autoconf automake gcc libc6-dev libcurl4-openssl-dev libjansson-dev
        libpcre2-dev libssl-dev libtool make pkg-config)
    BOOK_PACKAGES=(furo python3 python3-myst-parser python3-sphinx)
    DEMO_PACKAGES=(curl git php-fpm python3 python3-cryptography)
}

# Each argument is a line.
say() { printf '%s\n' "$@"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Debian's own python3, for which python3-cryptography is packaged; another one if there is none.
python() {
    if [ -x /usr/bin/python3 ]; then /usr/bin/python3 "$@"; else python3 "$@"; fi
}

# Prints those of the given Debian packages that are not installed.
missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || printf '%s\n' "$package"
    done
}

# Installs the given packages if they are missing. Starts no service and changes no httpd configuration:
# apache2-bin brings programs only, and a policy (removed again) keeps other packages from starting theirs.
install_packages() {
    local missing policy=/usr/sbin/policy-rc.d
    command -v dpkg-query >/dev/null || die "this is not a Debian system: install the counterparts of: $*"
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    [ "$(id -u)" -eq 0 ] || die "please install first (as root): apt-get install ${missing[*]}"
    say "Installing ${missing[*]}"
    # A shell of its own, which removes the policy however it ends.
    (
        if [ ! -e "$policy" ]; then
            trap 'rm -f "$policy"' EXIT
            trap 'exit 143' HUP INT TERM
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get -q update && apt-get -q -y --no-install-recommends install "${missing[@]}"
    ) || die "apt-get failed"
}

find_apxs() {
    local name
    for name in "${APXS:-apxs}" apxs2 /usr/sbin/apxs /usr/local/apache2/bin/apxs; do
        command -v "$name" && return 0
    done
    return 1
}

# The server program that apxs builds for.
find_httpd() {
    local apxs directory name
    apxs=$(find_apxs) || return 1
    directory=$("$apxs" -q SBINDIR)
    for name in "$("$apxs" -q PROGNAME 2>/dev/null)" apache2 httpd; do
        if [ -n "$name" ] && [ -x "$directory/$name" ]; then
            printf '%s\n' "$directory/$name"
            return 0
        fi
    done
    command -v apache2 || command -v httpd
}

find_php_fpm() {
    local program
    for program in /usr/sbin/php-fpm[0-9]* /usr/sbin/php-fpm; do
        [ -x "$program" ] && printf '%s\n' "$program" && return 0
    done
    command -v php-fpm
}

# LoadModule lines for the named modules, except those that are built in or that this httpd does not have.
load_modules() {
    local directory name
    directory=$("$(find_apxs)" -q LIBEXECDIR)
    for name in "$@"; do
        [ ! -f "$directory/mod_$name.so" ] || printf 'LoadModule %s_module "%s/mod_%s.so"\n' "$name" "$directory" "$name"
    done
}

# The first free port of 127.0.0.1, from $1 on.
free_port() {
    python - "$1" <<'PYTHON'
import socket, sys
for port in range(int(sys.argv[1]), 65536):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        print(port)
        break
PYTHON
}

# configure_module SOURCE BUILD [configure arguments]: configures a copy of the tree under BUILD, so that the source tree
# stays clean. Prints errors only.
configure_module() {
    local source=$1 build=$2
    shift 2
    mkdir -p "$build"
    tar -C "$source" -cf - --exclude=./build --exclude=./build-aux --exclude=./.git --exclude=./autom4te.cache \
        --exclude=./configure --exclude=./aclocal.m4 --exclude=./config.* --exclude=./libtool --exclude=./stamp-h1 \
        --exclude=Makefile --exclude=Makefile.in --exclude=.deps --exclude=.libs --exclude='*.l[ao]' --exclude='*.[ao]' \
        --exclude=__pycache__ --exclude=node_modules . | tar -C "$build" -xf - || return 1
    (
        cd "$build" || exit 1
        { [ -x configure ] || autoreconf -i; } && { [ -f Makefile ] || ./configure "$@"; } && make am--refresh
    ) >"$build.log" 2>&1 || { tail -n 40 "$build.log" >&2; return 1; }
}

# build_module SOURCE BUILD [configure arguments]: builds such a copy; unchanged files are not compiled again.
build_module() {
    configure_module "$@" || return 1
    make -C "$2" -j"$(nproc)" >>"$2.log" 2>&1 || { tail -n 40 "$2.log" >&2; return 1; }
}

# make_tarball SOURCE TREE: the release tarball, made in a copy of the source; its path is TREE/mod_auth_clerk-VERSION.tar.gz.
make_tarball() {
    configure_module "$1" "$2" --quiet || return 1
    # Once more: if autoconf and libtool have written files within one second, Makefile.in may know nothing of some of them.
    (cd "$2" && rm -rf autom4te.cache mod_auth_clerk-*.tar.gz && autoreconf -f && make dist-gzip) >"$2.log" 2>&1 ||
        { tail -n 40 "$2.log" >&2 && return 1; }
}

# wait_until SECONDS COMMAND...: waits until the command succeeds; 1 if it does not in time.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# The version that configure.ac gives the tree $1.
version_of_source() { sed -n 's/^AC_INIT(\[mod_auth_clerk\], \[\(.*\)\])$/\1/p' "$1/configure.ac"; }

# SOURCE_DATE_EPOCH, or the time of the last commit in the tree $1, or that of its CHANGES.
source_date() {
    if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
        printf '%s\n' "$SOURCE_DATE_EPOCH"
    else
        git -C "$1" log -1 --format=%ct 2>/dev/null || stat -c %Y "$1/CHANGES"
    fi
}
