#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes /shared/packages of /shared/tree, which build.sh has copied there.
#
# usage: make.sh [check] [second] [stage]
# check runs the unit tests.  second builds the packages again, in other
# circumstances, as /shared/second.  stage makes /shared/build/stage, which has
# the integration tests for a system that has it as /mnt/build/stage.
set -eu

wants() {
    case " $parts " in
    *" $1 "*) ;;
    *) return 1 ;;
    esac
}
parts=$*
version=$(sed -n 's/^AC_INIT(\[portbroker\], \[\([^]]*\)\].*/\1/p' \
    /shared/tree/configure.ac)

cp -r /shared/tree /tree
cd /tree
sh autogen.sh >/dev/null 2>&1
mkdir /tmp/release
cd /tmp/release
/tree/configure --quiet >/dev/null
make -s dist

# Unpacks the release in a directory, and adds debian/.
unpack() {
    mkdir "$1"
    cd "$1"
    cp "/tmp/release/portbroker-$version.tar.xz" \
        "portbroker_$version.orig.tar.xz"
    tar -xf "portbroker_$version.orig.tar.xz"
    cp -r /tree/debian "portbroker-$version/"
    cd "portbroker-$version"
}

unpack /build
DEB_BUILD_OPTIONS=$(wants check || echo nocheck) \
    dpkg-buildpackage -us -uc -j"$(nproc)"
make -s tests/tools/loadgen tests/tools/worker-fdrecv
mkdir /shared/tools
cp tests/tools/loadgen tests/tools/worker-fdrecv /shared/tools/
cp ../portbroker_* ../*.deb /shared/packages/

if wants stage; then
    sh /tree/tests/build.sh /mnt/build
    mkdir /shared/build
    cp -r /mnt/build/stage /shared/build/
fi

if wants second; then
    umask 027
    unpack /home/another-directory
    TZ=Asia/Tokyo LC_ALL=C LANG=de_DE.UTF-8 DEB_BUILD_OPTIONS=nocheck \
        dpkg-buildpackage -us -uc -b -j"$(nproc)"
    mkdir /shared/second
    cp ../*.deb /shared/second/
fi
