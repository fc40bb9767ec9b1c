#!/bin/sh
# SPDX-License-Identifier: ISC
# Fuzzes each target with libFuzzer for a time, from the corpus in the tree, and
# prints how many inputs were run, how many that cover something new were found,
# and the line coverage of what the target is for.  An input with a finding is
# left in the current directory, and the exit status is 1.
#
# usage: sh tests/fuzz/run.sh SECONDS [TARGET ...]
# CORPUS=DIRECTORY keeps what was found there, in a directory for each target.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:?usage: run.sh SECONDS [TARGET ...]}
shift
sh "$top/tests/packages.sh" autoconf automake bison check clang-14 \
    libcap-ng-dev libclang-rt-14-dev libevent-dev libjansson-dev libtool \
    llvm-14 make pkg-config

# What each target is for.
sources() {
    case $1 in
    bind) echo fdrecv-lib/bind/lent_sockets.c fdrecv-lib/bind/mapped.c \
        fdrecv-lib/bind/sockaddr_match.c ;;
    channel) echo brokerd/channel/channel.c ;;
    conf) echo brokerd/conf/reader.c brokerd/conf/syntax brokerd/conf/meaning \
        brokerd/conf/text ;;
    control) echo brokerd/engine/control/control.c \
        brokerd/engine/control/answer.c brokerd/engine/control/peer.c \
        brokerd/engine/control/routes.c ;;
    datagram) echo fdrecv-lib/lib/batch.c fdrecv-lib/lib/decode.c \
        fdrecv-lib/lib/descriptors.c ;;
    environment) echo fdrecv-lib/exec/env.c ;;
    receipts) echo brokerd/engine/worker/hello.c \
        brokerd/engine/worker/receipt_conn.c \
        brokerd/engine/worker/receipt_message.c \
        brokerd/engine/worker/receipt_ring.c \
        brokerd/engine/worker/receipts.c brokerd/engine/worker/rendezvous.c \
        brokerd/engine/worker/unreceipted.c ;;
    record) echo brokerd/record ;;
    returns) echo brokerd/engine/handoff/legacy.c \
        brokerd/engine/handoff/persistent.c \
        brokerd/engine/handoff/stats_file.c brokerd/engine/listener/returns.c \
        brokerd/engine/listener/returns_origin.c \
        brokerd/engine/listener/sent_before.c ;;
    *)
        echo "no such target: $1" >&2
        exit 64
        ;;
    esac
}
[ $# -gt 0 ] || set -- bind channel conf control datagram environment receipts \
    record returns

work=$(mktemp -d /tmp/brokerd-fuzz-XXXXXX)
trap 'rm -rf "$work"' EXIT
from=$(sh "$top/tests/source.sh" "$work/source")
mkdir "$work/build"
programs=
for target in "$@"; do
    sources "$target" >/dev/null
    programs="$programs check_fuzz_$target"
done
(
    cd "$work/build"
    "$from/configure" --quiet --enable-sanitizers=fuzzer --disable-hardening \
        CC=clang-14 CFLAGS="-O1 -g"
    make -s -j"$(nproc)" $programs
) >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}

status=0
for target in "$@"; do
    program=$work/build/check_fuzz_$target
    found=${CORPUS:-$work/corpus}/$target
    mkdir -p "$found"
    LLVM_PROFILE_FILE=$work/$target.raw "$program" -max_total_time="$seconds" \
        -max_len=4096 -rss_limit_mb=2048 -print_final_stats=1 "$found" \
        "$top/tests/fuzz/corpus/$target" >"$work/log" 2>&1 || {
        cat "$work/log"
        echo "$target: a finding"
        status=1
        continue
    }
    llvm-profdata-14 merge -o "$work/$target.data" "$work/$target.raw"
    covered=$(cd "$from" && llvm-cov-14 report "$program" \
        -instr-profile="$work/$target.data" $(sources "$target") |
        awk '$1 == "TOTAL" { print $10 }')
    awk -v target="$target" -v covered="$covered" '
        /stat::number_of_executed_units/ { runs = $2 }
        /stat::new_units_added/ { added = $2 }
        END {
            printf "%s: %d inputs, %d new, %s of lines covered\n", target,
                runs, added, covered
        }' "$work/log"
done
exit $status
