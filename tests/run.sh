#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds with warnings as errors and runs every test, then builds with
# AddressSanitizer and UndefinedBehaviorSanitizer and runs them again.
# The last line is "N passed, N failed"; the exit status is 0 if none failed.
#
# usage: sh tests/run.sh [NAME ...]
# NAME chooses integration tests by a part of their name.
# KEEP=1 leaves the working directory for a look.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

sh "$top/tests/packages.sh" autoconf automake bison clang-format-14 check curl \
    gcc iproute2 libcap-ng-dev libcap2-bin libevent-dev \
    libjansson-dev libmicrohttpd-dev libseccomp-dev libtool make mandoc pkg-config procps \
    python3 spin strace systemd util-linux

# Debian's python3 comes first: workers under other uids may run that one.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH

# Workers under other uids have to reach what is tested, wherever this
# checkout is, so all of it happens in a directory that everybody may pass.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
work=$(mktemp -d /tmp/brokerd-run-XXXXXX)
chmod 755 "$work"
if [ "${KEEP:-0}" = 1 ]; then
    echo "working directory: $work"
else
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
fi
passed=0
failed=0
began=$(date +%s)

# Notes how long it was since the last call.
took() {
    now=$(date +%s)
    printf '%5d s  %s\n' "$((now - began))" "$1" >>"$work/times"
    began=$now
}

# Runs a command whose last line is "N passed, N failed", and adds them up.
count() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    "$@" >"$work/output" 2>&1 || true
    cat "$work/output"
    grep -E '^FAIL|:[FE]:' "$work/output" >>"$work/failures" || true
    line=$(tail -n 1 "$work/output")
    case $line in
    [0-9]*" passed, "[0-9]*" failed"*)
        rest=${line#* passed, }
        passed=$((passed + ${line%% *}))
        failed=$((failed + ${rest%% *}))
        ;;
    *)
        echo "$name: ended without a summary"
        failed=$((failed + 1))
        ;;
    esac
    took "$name"
}

# The summaries of all Check programs as one line.
unit_tests() {
    make -s -j"$(nproc)" -C "$1" check VERBOSE=1 >"$work/unit.log" 2>&1 || status=$?
    cat "$1"/*.log | grep -E '(:[FES]:|^[0-9]+%|^skipped)' || true
    [ "${status:-0}" -eq 0 ] || tail -n 40 "$work/unit.log"
    # A program that crashed has no summary.
    for log in "$1"/check_*.log; do
        grep -E '^[0-9]+%: Checks:' "$log" ||
            grep '^skipped: .*: it has no tests' "$log" ||
            echo "$log: no summary"
    done | awk '
        /^[0-9]+%: Checks:/ {
            gsub(",", "")
            passed += $3 - $5 - $7
            failed += $5 + $7
        }
        /: no summary$/ { print "FAIL " $0; failed++ }
        END { print passed + 0 " passed, " failed + 0 " failed" }'
}

build() {
    variant=$1
    shift
    {
        sh "$top/tests/build.sh" "$work/$variant" --enable-werror "$@" &&
            make -s -j"$(nproc)" -C "$work/$variant" check TESTS=
    } >"$work/build-$variant.log" 2>&1
}

# Shows what a build said.  Nothing can be tested if it failed.
built() {
    printf '\n== build, %s\n' "$1"
    cat "$work/build-$1.log"
    [ "$2" -eq 0 ] || {
        printf '%d passed, %d failed\n' "$passed" "$((failed + 1))"
        exit 1
    }
    took "build, $1"
}

# Runs a command in a network of its own, where it may have one.
network() {
    if [ "$(id -u)" -eq 0 ]; then
        unshare --net sh -c 'ip link set lo up; exec "$@"' sh "$@"
    else
        "$@"
    fi
}

test_variant() {
    variant=$1
    shift
    dir=$work/$variant
    count "unit tests, $variant" unit_tests "$dir"
    count "load generator, $variant" network python3 \
        "$top/tests/tools/test_tools.py" "$dir/tests/tools"
    count "configurations, $variant" python3 \
        "$dir/stage/integration/bad/run.py" "$dir/stage/libexec/brokerd-conf"
    count "configurations by brokerd -t, $variant" python3 \
        "$dir/stage/integration/bad/run.py" "$dir/stage/sbin/brokerd" -t -c
    if [ "$(id -u)" -eq 0 ]; then
        count "integration as root, $variant" \
            sh "$top/tests/integration.sh" "$dir" root "$@"
    else
        echo "skipped: integration as root, $variant: needs root"
    fi
    if [ "$(id -u)" -eq 0 ] && [ "$variant" = sanitized ]; then
        echo "skipped: integration as a user, $variant: this suite ran in the plain build"
    else
        count "integration as a user, $variant" \
            sh "$top/tests/integration.sh" "$dir" user "$@"
    fi
}

top=$(sh "$top/tests/source.sh" "$work/source")
status=0
build plain || status=$?
built plain "$status"
# Most tests wait most of the time.
EXAMPLE_CFLAGS="-fsanitize=address,undefined" \
    build sanitized --enable-sanitizers &
sanitized=$!
count "lint" python3 "$top/tests/lint/lint.py" "$top" "$work/plain"
count "layers" python3 "$top/tests/lint/layers.py" "$top" "$work/plain"
count "documents" python3 "$top/tests/lint/docs.py" "$top" "$work/plain"
count "model" python3 "$top/tests/model/run.py"
count "units" python3 "$top/tests/lint/units.py" "$top" "$work/plain"
count "scripts" python3 "$top/tests/lint/scripts.py" "$top"
count "tarball" python3 "$top/tests/lint/dist.py" "$top" "$work/plain"
test_variant plain "$@"
count "analysis" env BUILD="$work/plain" sh "$top/tests/analyse/run.sh" \
    clang-tidy cppcheck gcc valgrind-brokerd
count "soak" env STAGE="$work/plain/stage" sh "$top/tests/soak.sh" 5
if [ "$(id -u)" -eq 0 ]; then
    count "faults" sh "$top/tests/faults/run.sh" "$work/plain" --sample
else
    echo "skipped: faults: needs root"
fi
count "benchmark" network python3 "$top/tests/bench/test_bench.py" \
    "$work/plain/stage"
count "services" sh "$top/tests/services/run.sh" "$work/plain/stage"
count "scale" sh "$top/tests/scale/run.sh" "$work/plain/stage"
count "without filters" sh "$top/tests/without-filters.sh" "$work/plain"
count "another prefix" sh "$top/tests/prefix.sh" "$work/plain"

ASAN_OPTIONS=detect_stack_use_after_return=1:abort_on_error=0
export ASAN_OPTIONS
status=0
wait "$sanitized" || status=$?
built sanitized "$status"
test_variant sanitized "$@"

[ ! -s "$work/failures" ] || printf '\n== what failed\n%s\n' \
    "$(cat "$work/failures")"
printf '\n== how long it took\n%s\n' "$(sort -rn "$work/times")"
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
