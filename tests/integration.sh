#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs integration tests of what tests/build.sh has staged, several at a time, in
# namespaces of their own.  The suite `root` has real changes of user; the suite
# `user` runs as an ordinary user, whom root becomes first.
#
# usage: sh tests/integration.sh BUILD-DIRECTORY root|user [NAME ...]
# NAME chooses tests by a part of their name, JOBS in the environment how many run
# at a time.
set -eu
stage=$(cd "$1/stage" && pwd)
suite=$2
shift 2
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

exec python3 "$stage/integration/run.py" "$suite" "$stage" "$stage/tools" "$@"
