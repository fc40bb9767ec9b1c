# SPDX-License-Identifier: ISC
"""Draws what results.json has, by gnuplot(1)."""
import shutil
import subprocess

HEAD = """set terminal svg size %d,%d font "sans-serif,12" background "white"
set output "%s"
set title "%s"
set key outside right top
set grid ytics
set style fill solid 0.9 border -1
set boxwidth 0.9 relative
"""
COLOURS = {  # of a contestant in all charts
    "direct": "#888888", "bare": "#bbbbbb", "brokerd": "#1b6ca8",
    "brokerd, plain worker": "#7fb2d9", "2002": "#c0392b",
    "2002, backlog 5": "#e6a39a", "HAProxy": "#2f8f4e",
    "nginx stream": "#a5d6b0", "systemd-socket-proxyd": "#e67e22",
    "brokerd, --each": "#0b3c5d", "systemd-socket-activate": "#8e44ad",
    "tcpserver": "#c39bd3", "inetd": "#6d4c41",
    "nginx": "#2f8f4e", "nginx, through brokerd": "#a5d6b0",
    "uvicorn": "#1b6ca8", "uvicorn, through brokerd": "#7fb2d9",
    "Node.js": "#e67e22", "Node.js, through brokerd": "#f5cba7"}
RATIO = "times that of direct acceptance"


def value(row, field, reference):
    """A median, or the median ratio to a reference; None if there is none."""
    found = row["figures"].get(field)
    if found is None:
        return None
    if reference is None:
        return found["median"]
    between = found.get("to " + reference)
    return between and between[1]


def gnuplot(text):
    subprocess.run(["gnuplot"], input=text, text=True, check=True)


def bars(path, title, axis, rows, field, reference, more=""):
    """A cluster for each load, a bar for each side."""
    loads = list(dict.fromkeys(row["load"] for row in rows))
    sides = list(dict.fromkeys(row["side"] for row in rows))
    cells = {(row["load"], row["side"]): value(row, field, reference)
             for row in rows}
    text = HEAD % (1000, 480, path, title)
    text += 'set ylabel "%s"\nset style data histogram\n' % axis
    text += "set style histogram clustered gap 1\n%s\n$data << EOD\n" % more
    for load in loads:
        text += '"%s" %s\n' % (load, " ".join(
            "?" if cells.get((load, side)) is None else
            "%.4f" % cells[load, side] for side in sides))
    text += 'EOD\nset datafile missing "?"\nplot %s\n' % ", ".join(
        '$data using %d:xtic(1) title "%s" linecolor rgb "%s"' % (
            place + 2, side, COLOURS[side])
        for place, side in enumerate(sides))
    gnuplot(text)


def lines(path, title, axes, rows, field, reference, factor=1):
    """A line for each side; x is the number in the name of the load."""
    text = HEAD % (760, 420, path, title)
    text += 'set xlabel "%s"\nset ylabel "%s"\nset logscale x\n' % axes
    sides = list(dict.fromkeys(row["side"] for row in rows))
    for place, side in enumerate(sides):
        text += "$data%d << EOD\n" % place
        for row in rows:
            found = value(row, field, reference)
            if row["side"] == side and found is not None:
                number = row["load"].partition("=")[2].partition(",")[0]
                text += "%s %.4f\n" % (number, found * factor)
        text += "EOD\n"
    text += "set yrange [0:*]\nplot %s\n" % ", ".join(
        '$data%d using 1:2:xtic(1) with linespoints linewidth 2 pointtype 7 '
        'linecolor rgb "%s" title "%s"' % (
            place, COLOURS[side], side)
        for place, side in enumerate(sides))
    gnuplot(text)


def draw(rows, folder):
    """Returns the names of the files that it has written: none without
    gnuplot."""
    drawn = []
    if shutil.which("gnuplot") is None:
        return drawn

    def add(name, group, kind, *words, load=""):
        some = [row for row in rows if row["group"] == group and
                row["load"].endswith(load)]
        if some:
            kind("%s/%s.svg" % (folder, name), *words[:2], some, *words[2:])
            drawn.append(name + ".svg")

    log = "set logscale y 2\nset yrange [0.125:*]"
    add("cpu", "handoff", bars, "CPU time of all server processes for a "
        "connection", RATIO, "cpu_us", "direct", log)
    add("rate", "handoff", bars, "Connections in a second", RATIO, "rate",
        "direct", "set yrange [0:*]")
    add("p99", "handoff", bars, "99th percentile of the latency", RATIO,
        "p99_us", "direct", log)
    add("p999", "handoff", bars, "99.9th percentile of the latency", RATIO,
        "p999_us", "direct", log)
    add("memory", "handoff", bars, "Memory of all server processes",
        RATIO, "memory_kib", "direct", log)
    add("slow", "slow", bars, "One slow request in a hundred: 99th "
        "percentile of the others", RATIO, "p99_us", "direct",
        "set yrange [0:*]")
    add("workers", "workers", lines, "CPU time for a connection, 64 clients",
        ("workers", "times that of one worker"), "cpu_us", "one",
        load="K=64")
    add("spread", "workers", lines, "Connections of the busiest quarter of "
        "the workers, 64 clients", ("workers", "per cent of all"), "spread",
        None, 100, load="K=64")
    add("listeners", "listeners", lines, "CPU time for a connection, 64 "
        "clients", ("listeners", "times that of one listener"), "cpu_us",
        "one")
    add("listeners-memory", "listeners", lines, "Memory of all server "
        "processes", ("listeners", "MiB"), "memory_kib", None, 1 / 1024)
    add("services", "services", bars, "CPU time for a request",
        "times that of the program alone", "cpu_us", "alone",
        "set yrange [0:*]")
    return drawn
