#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes each system call and each allocation of a broker fail once, with each
# errno that can be met there, at start, while it serves, at a reload, after the
# engine was killed, at an upgrade and at the stop; see run.py.  Needs root.
#
# usage: sh tests/faults/run.sh BUILD-DIRECTORY [OPTION ...]
# BUILD-DIRECTORY is one of tests/build.sh.  Options: --role ROLE (monitor,
# child, reader, engine, keeper, worker, exec, bind: the bind shim), --phase
# PHASE (start, serve, reload, crash, upgrade, stop), --only TEXT chooses by
# call, errno and function, --sample takes one error for each line of the
# program, --list only lists.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -d "${1:-}/stage" ]; then
    echo "tests/faults/run.sh: expected a build directory of tests/build.sh," \
        "got ${1:-nothing}" >&2
    sed -n '/^# usage/,/^set/s/^# //p' "$0" >&2
    exit 64
fi
stage=$(cd "$1/stage" && pwd)
shift
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

# The processes of all users of a broker map what is here.
work=$(mktemp -d /tmp/brokerd-faults-XXXXXX)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
${CC:-gcc} -D_GNU_SOURCE -O2 -fPIC -shared -fno-builtin \
    -o "$work/interposer.so" "$here/interposer.c"
${CC:-gcc} -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -o "$work/bind_server" \
    "$here/bind_server.c"

# As many at a time as there are processors, in networks of their own.
parts=$(nproc)
for part in $(seq 0 $((parts - 1))); do
    mkdir -m 755 "$work/$part"
    unshare --net sh -c 'ip link set lo up; exec "$@"' sh python3 \
        "$here/run.py" "$stage" "$stage/tools" "$work/interposer.so" \
        "$work/bind_server" "$work/$part" --part "$part/$parts" "$@" \
        >"$work/$part.log" 2>&1 &
done
wait
for part in $(seq 0 $((parts - 1))); do
    sed '/^[0-9]* passed, /d' "$work/$part.log"
    tail -n 1 "$work/$part.log"  >>"$work/sums"
done
awk '
    /^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3; next }
    { failed++ } # it has no summary
    END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }
    ' "$work/sums"
