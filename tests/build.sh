#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds into a directory and stages there what the tests run: all that make
# install installs, the examples, the test tools, the vectors, and the
# integration tests, in DIRECTORY/stage.  A directory that has been configured
# is brought up to date.
#
# usage: sh tests/build.sh DIRECTORY [CONFIGURE-OPTION ...]
#
# EXAMPLE_CFLAGS are compiler options for the examples.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
build=$(cd "$1" && pwd)
stage=$build/stage
shift

# Workers under other uids have to reach what is tested.
directory=$build
while [ "$directory" != / ]; do
    case $(stat -c %A "$directory") in
    *[xt]) ;;
    *)
        echo "$directory is closed to other users:" \
            "build in a directory that they can pass, e.g. in /tmp" >&2
        exit 1
        ;;
    esac
    directory=$(dirname "$directory")
done

cd "$build"
[ -e Makefile ] || "$top/configure" "$@" --quiet --prefix="$stage" \
    --sysconfdir="$stage/etc"
make -s -j"$(nproc)"
# What has not changed keeps its time, or the examples would be built again.
make -s install INSTALL="install -C" >/dev/null
for program in engine conf; do
    [ "$(stat -c %a "$stage/libexec/brokerd-$program")" = 711 ] || {
        echo "brokerd-$program: its user could read it, and so trace it" >&2
        exit 1
    }
done
mkdir -p "$stage/examples" "$stage/tools"
make -s -C "$top/examples" OUT="$stage/examples" \
    PKG_CONFIG_PATH="$stage/lib/pkgconfig" \
    CFLAGS="-O1 -g -Werror ${EXAMPLE_CFLAGS:-}"
cp "$top"/examples/*.py "$top/README.md" "$stage/examples/"
for tool in tests/tools/* brokerd/filter/make-filters; do
    [ ! -f "$tool" ] || [ ! -x "$tool" ] || cp "$tool" "$stage/tools/"
done
rm -rf "$stage/integration" "$stage/vectors"
cp -r "$top/tests/integration" "$top/tests/vectors" "$stage/"
chmod -R a+rX "$stage"
