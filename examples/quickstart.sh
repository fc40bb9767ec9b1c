#!/bin/sh
# SPDX-License-Identifier: ISC
# Builds portbroker, starts brokerd on one TCP port and a file server behind it,
# fetches a page, restarts the file server during a stream of requests, and
# cleans up.
#
# As root, the port is 80 if it is free, and every process has its own uid.  For
# an ordinary user the port is 8080, and all processes have the same uid.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
requests=300

sh "$top/tests/packages.sh" autoconf automake bison check curl gcc \
    libcap-ng-dev libevent-dev libjansson-dev libmicrohttpd-dev libseccomp-dev libtool make \
    pkg-config procps python3 util-linux

say() {
    printf '\n== %s\n' "$*"
}

work=$(mktemp -d /tmp/brokerd-quickstart-XXXXXX)
chmod 755 "$work"
pids=
cleanup() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say "1. Building into $work (the system is left alone)"
top=$(sh "$top/tests/source.sh" "$work/source")
mkdir "$work/build"
echo "This takes about a minute; the output goes to $work/log"
set +e # otherwise the set -e below has no effect
(
    set -e
    cd "$work/build"
    echo "configure ..." >&3
    "$top/configure" --quiet --prefix="$work/stage"
    echo "make ..." >&3
    make -s -j"$(nproc)"
    echo "make install ..." >&3
    make -s install
    echo "make examples ..." >&3
    make -s -C "$top/examples" OUT="$work" \
        PKG_CONFIG_PATH="$work/stage/lib/pkgconfig"
) 3>&1 >"$work/log" 2>&1
status=$?
set -e
[ "$status" -eq 0 ] || {
    cat "$work/log"
    exit "$status"
}

# Prints the first free port from $1 up.
free_port() {
    port=$1
    while curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$port/" ||
        [ $? -ne 7 ]; do
        port=$((port + 1))
    done
    echo "$port"
}

if [ "$(id -u)" -eq 0 ]; then
    port=$(free_port 80)
    owner=60590 # a number needs no account
    as_worker="setpriv --reuid=$owner --regid=$owner --clear-groups"
else
    port=$(free_port 8080)
    owner=$(id -u)
    as_worker=
fi

cat >"$work/brokerd.conf" <<EOF
listener "www" {
    listen = { "tcp:127.0.0.1:$port" }
    owner  = "$owner"
}
EOF
say "2. Configuration"
cat "$work/brokerd.conf"

say "3. Starting brokerd"
"$work/stage/sbin/brokerd" -c "$work/brokerd.conf" -R "$work/run" \
    2>"$work/brokerd.log" &
broker=$!
pids=$broker

# Waits until a line appears in a file; prints the log if it does not.
wait_for() {
    timeout 10 sh -c 'until grep -q "$1" "$2" 2>/dev/null; do :; done' \
        sh "$1" "$2" || {
        cat "$work/brokerd.log"
        exit 1
    }
}
wait_for "serving" "$work/brokerd.log"
cat "$work/brokerd.log"

mkdir "$work/www"
echo "Hello from an unprivileged web server." >"$work/www/index.html"
chmod 755 "$work/www"
start_worker() {
    # shellcheck disable=SC2086 # a command and its options
    $as_worker "$work/httpd-files" "$work/run/mailbox/www/" "$work/www" \
        >>"$work/access.log" 2>&1 &
    worker=$!
    pids="$broker $worker"
}
say "4. Starting a file server behind it"
start_worker
ps -o user:12,pid,ppid,comm -p \
    "$broker,$worker,$(pgrep -d, -P "$broker")" || true

say "5. curl http://127.0.0.1:$port/"
curl -sS --max-time 10 "http://127.0.0.1:$port/"
echo "The server's log has the client's own address:"
tail -n 1 "$work/access.log"

say "6. Restarting the server in the middle of $requests requests"
: >"$work/answers"
(
    i=0
    while [ $i -lt $requests ]; do
        curl -sS --max-time 10 "http://127.0.0.1:$port/" >>"$work/answers" \
            2>>"$work/errors" || echo failed >>"$work/errors"
        i=$((i + 1))
    done
) &
client=$!
pids="$pids $client"
for when in 50 150 250; do
    timeout 60 sh -c 'until [ "$(wc -l <"$1")" -ge "$2" ]; do :; done' \
        sh "$work/answers" "$when"
    kill -TERM "$worker"
    wait "$worker" || true
    start_worker
    pids="$pids $client"
    echo "after $when answers: SIGTERM, a new server is there"
done
wait "$client"
answered=$(grep -c Hello "$work/answers" || true)
errors=0
[ ! -s "$work/errors" ] || errors=$(wc -l <"$work/errors")
echo "$requests requests, $answered answered, $errors errors"

say "7. Next steps"
cat <<EOF
A worker needs four functions: see examples/hellofdpass.c and fdrecv(3).
Install with: ./configure && make && sudo make install
Then write /usr/local/etc/brokerd.conf, see brokerd.conf(5), and start brokerd.
EOF
[ "$answered" -eq "$requests" ] && [ "$errors" -eq 0 ]
