#!/bin/sh
# SPDX-License-Identifier: ISC
# Upgrades, removes and purges the packages in a system without systemd, in which
# they have just been installed.  The last line is "N passed, N failed".
set -u
passed=0
failed=0

# Runs a function and says how it ended.
check() {
    if log=$("$2" 2>&1); then
        passed=$((passed + 1))
        echo "ok   deb: $1"
    else
        failed=$((failed + 1))
        echo "FAIL deb: $1"
        printf '%s\n' "$log" | tail -n 30 | sed 's/^/     /'
    fi
}

# Waits until a command succeeds.
await() {
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    echo "waited in vain for: $*"
    return 1
}

# Makes a package of the next version.
next_version() {
    rm -rf /tmp/next
    dpkg-deb -R /shared/packages/brokerd_*.deb /tmp/next
    sed -i "s/^Version: .*/&+$1/" /tmp/next/DEBIAN/control
    dpkg-deb --root-owner-group -b /tmp/next "/tmp/brokerd-$1.deb"
}

modes() {
    for program in engine conf; do
        [ "$(stat -c %a "/usr/libexec/brokerd-$program")" = 711 ] || return 1
    done
    brokerd -V && brokerctl -V && fdrecv-exec -V
    grep -x 'brokerd:x:60580:60580:.*' /etc/passwd
    grep -x 'brokerd-conf:x:60581:60581:.*' /etc/passwd
}

unconfigured() {
    brokerd
    [ $? -eq 78 ]
}

# The second one is as an instance of brokerd@.service.
start() {
    cat >/etc/brokerd.conf.d/hello.conf <<END
listener "hello" { listen = { "tcp:127.0.0.1:80" } owner = "www-data" }
END
    sed s/80/81/ /etc/brokerd.conf.d/hello.conf >/etc/brokerd-1.conf
    brokerd >/tmp/log 2>&1 &
    echo $! >/tmp/monitor
    brokerd -c /etc/brokerd-1.conf -R /run/brokerd-1 >/tmp/log-1 2>&1 &
    echo $! >/tmp/monitor-1
    await brokerctl status || return 1
    await brokerctl -R /run/brokerd-1 status || return 1
    setpriv --reuid=www-data --regid=www-data --clear-groups \
        /shared/tools/worker-fdrecv --id /run/brokerd/mailbox/hello/ \
        >/tmp/worker.log 2>&1 &
    /shared/tools/loadgen -n 20 tcp:127.0.0.1:80
}

monitor() {
    cat "/tmp/monitor${1:-}"
}

# The program that process N runs is installed, not an older one.
is_current() {
    case $(readlink "/proc/$1/exe") in
    *deleted*) return 1 ;;
    esac
}

upgrade() {
    next_version 2 || return 1
    /shared/tools/loadgen -c 4 tcp:127.0.0.1:80 >/tmp/load 2>&1 &
    load=$!
    dpkg -i /tmp/brokerd-2.deb || return 1
    kill "$load"
    wait "$load" || {
        cat /tmp/load /tmp/log
        return 1
    }
    cat /tmp/load
    is_current "$(monitor)" && is_current "$(monitor -1)"
}

no_upgrade() {
    sed -i s/UPGRADE=yes/UPGRADE=no/ /etc/default/brokerd
    next_version 3 || return 1
    dpkg -i /tmp/brokerd-3.deb || return 1
    grep -x UPGRADE=no /etc/default/brokerd || return 1
    ! is_current "$(monitor)" || return 1
    brokerctl upgrade || return 1
    is_current "$(monitor)"
}

# Nobody may have waited for the process.
is_gone() {
    ! grep -q '^State:.[^Z]' "/proc/$1/status"
}

stop() {
    for pid in "$(monitor)" "$(monitor -1)"; do
        kill "$pid"
        await is_gone "$pid" || return 1
    done
}

removed() {
    dpkg -r brokerd fdrecv-exec libfdrecv0 || return 1
    [ -e /etc/brokerd.conf ] && [ ! -e /usr/sbin/brokerd ]
}

purged() {
    # Those of the administrator.
    rm /etc/brokerd.conf.d/hello.conf /etc/brokerd-1.conf
    dpkg -P brokerd fdrecv-exec libfdrecv0 || return 1
    left=$(find / -xdev \( -path /proc -o -path /shared -o -path /tmp \
        -o -path /var/cache -o -path /var/lib/apt \) -prune -o \
        \( -name '*brokerd*' -o -name '*fdrecv*' -o -name '*portbroker*' \
        -o -uid 60580 -o -uid 60581 \) -print)
    printf '%s\n' "$left"
    [ -z "$left" ] || return 1
    grep -x 'brokerd:x:60580:.*' /etc/passwd # stays, as Debian has it
}

check "programs, modes and users are there" modes
check "brokerd without a listener says that" unconfigured
check "the broker serves" start
check "an upgrade under load loses nothing" upgrade
check "an upgrade can be left to the administrator" no_upgrade
check "the broker stops" stop
check "removal keeps the configuration" removed
check "purging leaves nothing but the users" purged
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
