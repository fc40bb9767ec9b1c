# SPDX-License-Identifier: ISC
# For the scripts beside this one, which set $top and then source it: builds a
# release in $work/build, and removes it at their end.
work=$(mktemp -d /tmp/brokerd-bench-XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
from=$(sh "$top/tests/source.sh" "$work/source")
sh "$from/tests/build.sh" "$work/build" CFLAGS="-O2 -g" >/dev/null
stage=$work/build/stage
