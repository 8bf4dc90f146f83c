# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A Debian in a directory, for tests/packages/run and scripts/platforms. Sourced after scripts/lib.sh; needs root and TOP.

CHROOTS=$TOP/build/chroots
# The first one that this machine's apt uses, unless MIRROR names another.
# shellcheck disable=SC2016  # for apt-get
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep -v security | head -n 1)}

# make_base SYSTEM: a directory that debootstrap has filled once, to be copied. SYSTEM is trixie, or trixie-i386 for a
# processor other than this one whose programs this kernel executes.
make_base() {
    local base=$CHROOTS/base-$1 options=(--variant=minbase)
    [ ! -e "$base/complete" ] || return 0
    say "== a fresh Debian: $1"
    rm -rf "$base"
    mkdir -p "$CHROOTS"
    [ "${1#*-}" = "$1" ] || options+=("--arch=${1#*-}")
    debootstrap "${options[@]}" "${1%%-*}" "$base" "$MIRROR" >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2 && die "debootstrap fails"; }
    : >"$base/complete"
}

fresh_copy() {
    rm -rf "$2"
    cp -a "$CHROOTS/base-$1" "$2"
    rm -f "$2/complete"
    echo force-unsafe-io >"$2/etc/dpkg/dpkg.cfg.d/throw-away"
    # The certificates of a mirror or a proxy that only this machine's administrator vouches for.
    if [ -n "${NODE_EXTRA_CA_CERTS:-}" ] && [ -f "$NODE_EXTRA_CA_CERTS" ]; then
        install -D -m 644 "$NODE_EXTRA_CA_CERTS" "$2/etc/extra-ca-certificates.pem"
    fi
    # How this machine reaches its mirror is how the copy has to.
    cp /etc/resolv.conf "$2/etc/resolv.conf"
    printf '127.0.0.1 localhost\n' >"$2/etc/hosts"
}

# in_namespaces UNSHARE-OPTIONS -- DIRECTORY COMMAND...: the command in the directory, with namespaces of its own. unshare
# makes all mounts private first: what is mounted here is mounted nowhere else, and gone when the last process has ended.
in_namespaces() {
    local options=() loopback=
    while [ "$1" != -- ]; do
        [ "$1" != --net ] || loopback=yes
        options+=("$1")
        shift
    done
    shift
    # shellcheck disable=SC2016  # for the inner shell
    unshare --mount --pid --fork --kill-child "${options[@]}" -- sh -c '
        directory=$2
        [ -z "$1" ] || ip link set lo up || exit 1
        shift 2
        mount -t proc proc "$directory/proc" || exit 1
        mount --bind /dev "$directory/dev" || exit 1
        mount -t tmpfs -o mode=1777 tmpfs "$directory/dev/shm" || exit 1
        # Not exec: the first process has to reap what daemons leave, and a shell that waits does.
        chroot "$directory" "$@"
        exit "$?"' sh "$loopback" "$@" </dev/null
}

run_in() {
    local variables=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
        DEBIAN_FRONTEND=noninteractive)
    [ ! -e "$1/etc/extra-ca-certificates.pem" ] || variables+=(NODE_EXTRA_CA_CERTS=/etc/extra-ca-certificates.pem)
    in_namespaces -- "$1" env -i "${variables[@]}" "${@:2}"
}

# Without any network but a loopback device of its own.
offline_in() {
    in_namespaces --net -- "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "${@:2}"
}

# install_in DIRECTORY PACKAGE...: starts no service there.
install_in() {
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod 755 "$1/usr/sbin/policy-rc.d"
    {
        run_in "$1" apt-get -q update && run_in "$1" apt-get -q -y --no-install-recommends install "${@:2}"
    } >"$1.log" 2>&1 || { tail -n 20 "$1.log" >&2 && die "apt-get fails in $1"; }
    rm -f "$1/usr/sbin/policy-rc.d"
}

# The tree without what was built in it.
copy_tree() {
    mkdir -p "$1"
    git -C "$TOP" ls-files -z --cached --others --exclude-standard | tar -C "$TOP" --null -T - -cf - | tar -C "$1" -xf -
}

# build_in SUITE DIRECTORY: the Debian packages, built in a fresh Debian of their own, in this directory.
build_in() {
    local builder=$CHROOTS/build-$1
    say "== build the package in a fresh $1"
    fresh_copy "$1" "$builder"
    copy_tree "$builder/source"
    run_in "$builder" env SOURCE_DATE_EPOCH="$(source_date "$TOP")" bash /source/scripts/package --no-check deb || die "no package"
    mkdir -p "$2"
    cp "$builder"/source/build/packages/*.deb "$2/"
    rm -rf "$builder"
}
