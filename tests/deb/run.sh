#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds the Debian packages twice, compares and checks them, and installs,
# upgrades and removes them in a clean system.  The last line is
# "N passed, N failed".
#
# usage: sh tests/deb/run.sh [SUITE]
# KEEP=DIRECTORY builds in that directory and leaves it, with the packages in
# DIRECTORY/shared/packages.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
suite=${1:-bookworm}
here=$top/tests/deb

skip() {
    echo "skipped: packages: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
[ "$(id -u)" -eq 0 ] || skip "making a Debian system needs root"
[ -e "$top/.git" ] || skip "debian/ is in the repository only"
sh "$top/tests/packages.sh" git iproute2 mmdebstrap python3 util-linux
if [ -n "${KEEP:-}" ]; then
    mkdir -p "$KEEP"
    work=$(cd "$KEEP" && pwd)
else
    work=$(mktemp -d /tmp/brokerd-deb-XXXXXX)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
fi
passed=0
failed=0

# Runs a command and says how it ended.
check() {
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok   deb: $name"
    else
        failed=$((failed + 1))
        echo "FAIL deb: $name"
        tail -n 40 "$work/log" | sed 's/^/     /'
    fi
}

# Runs a command in a copy of the system that packages are built in.
in_build() {
    sh "$here/enter.sh" "$(cat "$work/root")" "$work/build" "$work/shared" "$@"
}

same_bytes() {
    for package in "$work"/shared/second/*.deb; do
        cmp "$package" "$work/shared/packages/$(basename "$package")" ||
            return 1
    done
}

# The source package is the tarball of the release, and debian/.
# shellcheck disable=SC2016 # the inner shell expands them
source_of_release() {
    in_build sh -ec '
        cd /tmp
        rm -rf source release-tree
        dpkg-source -x /shared/packages/portbroker_*.dsc source
        mkdir release-tree
        tar -C release-tree --strip-components=1 -xf release/portbroker-*.xz
        diff -r source/debian /tree/debian
        rm -r source/debian source/.pc
        diff -r source release-tree'
}

bill() {
    dpkg-deb --fsys-tarfile "$work"/shared/packages/brokerd_*.deb |
        tar -xOf - ./usr/share/doc/brokerd/portbroker.spdx.json \
            >"$work/bill.json"
    python3 "$here/sbom.py" "$work/bill.json" brokerd fdrecv-exec libfdrecv0 \
        libfdrecv-dev libevent-dev libseccomp-dev libc6 libjansson4
}

smoke() {
    in_build sh -ec '
        apt-get update
        apt-get install -y --no-install-recommends \
            /shared/packages/brokerd_*.deb /shared/packages/fdrecv-exec_*.deb \
            /shared/packages/libfdrecv0_*.deb \
            /shared/packages/libfdrecv-dev_*.deb
        sh /shared/tree/debian/tests/smoke'
}

in_clean() {
    sh "$here/enter.sh" "$clean" "$work/clean" "$work/shared" "$@"
}

install_clean() {
    in_clean sh -ec 'apt-get update
        apt-get install -y --no-install-recommends /shared/packages/brokerd_*.deb \
        /shared/packages/fdrecv-exec_*.deb /shared/packages/libfdrecv0_*.deb'
}

# In a network of its own, in which port 80 is free.
installed() {
    export here clean work
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --net sh -c 'ip link set lo up; exec sh "$here/enter.sh" "$clean" \
        "$work/clean" "$work/shared" sh /shared/tree/tests/deb/installed.sh'
}

check "the packages are built, and unit tests pass" \
    sh "$here/build.sh" "$suite" "$work" check second
if [ "$failed" -eq 0 ]; then
    clean=$(sh "$here/root.sh" "$suite" minbase)
    check "a second build in another place has the same bytes" same_bytes
    check "the source package is the release and debian/" source_of_release
    check "lintian has nothing to say" in_build sh -c \
        'lintian --allow-root -I --pedantic --fail-on \
            error,warning,info,pedantic /shared/packages/*.changes'
    check "the bill of materials is complete" bill
    check "the package's own test passes" smoke
    check "the packages can be installed in a clean system" install_clean
    installed >"$work/log" 2>&1 || true
    sed '$d' "$work/log"
    line=$(tail -n 1 "$work/log")
    case $line in
    [0-9]*" passed, "[0-9]*" failed")
        passed=$((passed + ${line%% *}))
        rest=${line#* passed, }
        failed=$((failed + ${rest%% *}))
        ;;
    *) failed=$((failed + 1)) ;;
    esac
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
