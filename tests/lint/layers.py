#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Which file needs which, by the symbols of the object files.

usage: layers.py SOURCE-DIRECTORY BUILD-DIRECTORY

A file is a stem in a room: fd.c and fd.h of brokerd/base.  It needs another
file if its object has an undefined symbol, a function or data, that the
object of the other defines, or if it uses an inline function or a macro of
the other's header.  Static functions do not count: nobody else can call them.
Each room may need, and include headers of, the rooms below it, and no files
may need each other in a circle.  There is no list of exceptions.

Names are checked too: no two structures and no two files have the same one.
"""
import ctypes
import glob
import os
import re
import subprocess
import sys

SOURCE = sys.argv[1]
BUILD = sys.argv[2]
LIBC = ctypes.CDLL("libc.so.6")

# The rooms that a room needs directly; what those may need, it may need too.
ENGINE = ["policy", "handoff", "mailbox", "worker", "pool", "listener"]
CONF = ["text", "keys", "syntax", "meaning", "check"]
BELOW = {
    "wire": [],
    "lib": ["wire"],
    "exec": ["wire"],
    "bind": ["wire"],
    "base": [],
    "filter": ["base"],
    "record": ["base", "wire"],
    "channel": ["record"],
    "monitor": ["channel"],
    "ctl": ["base", "wire"],
    "conf/text": ["record"],
    "engine/timer": ["channel"],
    "engine/policy": ["engine/timer"],
    "engine/control": ["engine/listener"],
    "engine/life": ["engine/listener"],
    "engine": ["engine/control", "engine/life"],
    "conf": ["conf/check"],
}
for LOWER, UPPER in zip(ENGINE, ENGINE[1:]):
    BELOW["engine/" + UPPER] = ["engine/" + LOWER]
for LOWER, UPPER in zip(CONF, CONF[1:]):
    BELOW["conf/" + UPPER] = ["conf/" + LOWER]


def sources():
    """Paths of all C files and grammars, below SOURCE, without what bison
    makes of these."""
    for top in ("brokerd", "fdrecv-lib", "examples", "tests"):
        for directory, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".y")) and \
                        (name[-1] != "c" or name[:-1] + "y" not in names):
                    yield os.path.relpath(os.path.join(directory, name),
                                          SOURCE)


def is_product(name):
    return name.startswith(("brokerd/", "fdrecv-lib/"))


def stem(name):
    return os.path.splitext(name)[0]


def room(name):
    """engine/policy of brokerd/engine/policy/window."""
    path = os.path.dirname(name).split("/", 1)[1]
    if stem(name) == "brokerd/engine/timer":
        return "engine/timer"
    return path


def all_below(upper):
    found = {upper}
    for lower in BELOW[upper]:
        found |= all_below(lower)
    return found


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def code(name):
    """A file without its comments and strings."""
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', '""', read(name),
                  flags=re.S)


def objects():
    """The newest object of each source, {source: object}.  Libtool puts the
    name of the library in front of it, and has a folder of its own."""
    found = {}
    for pattern in ("brokerd/**/*.o", "fdrecv-lib/**/*.o",
                    "brokerd/**/.libs/*.o", "fdrecv-lib/**/.libs/*.o"):
        for path in glob.glob(os.path.join(BUILD, pattern), recursive=True):
            directory, name = os.path.split(os.path.relpath(path, BUILD))
            directory = directory.replace("/.libs", "")
            source = "%s/%s.y" % (directory, name[:-2].split("-")[-1])
            if not os.path.exists(os.path.join(SOURCE, source)):
                source = source[:-1] + "c"
            if not os.path.exists(os.path.join(SOURCE, source)):
                continue
            if source not in found or \
                    os.path.getmtime(path) > os.path.getmtime(found[source]):
                found[source] = path
    return found


def symbols(path):
    """The symbols of an object: (defined, undefined)."""
    defined, undefined = set(), set()
    for line in subprocess.run(["nm", "--extern-only", path], check=True,
                               capture_output=True,
                               text=True).stdout.splitlines():
        kind, name = line.split()[-2:]
        (undefined if kind in "Uwv" else defined).add(name)
    return defined - {"main"}, undefined


def header_code(text):
    """Yields (name, body) of each inline function and of each macro with
    parameters."""
    for match in re.finditer(
            r"^(?:static )?inline\b[^;{]*?(\w+)\((.*?)^}", text, re.M | re.S):
        yield match.groups()
    for match in re.finditer(r"^#define (\w+)\(((?:.*\\\n)*.*)", text, re.M):
        yield match.groups()


def needs():
    """The needs of the product's files: {(file, other): a symbol of the
    other}."""
    defined, undefined, found = {}, {}, {}
    texts = {name: code(name) for name in sources() if is_product(name)}
    for source, path in objects().items():
        names, undefined[stem(source)] = symbols(path)
        # The bind shim defines some functions of the C library.
        defined.update((name, stem(source)) for name in names
                       if not hasattr(LIBC, name))
    inlines = {}
    for name, text in texts.items():
        if name.endswith(".h"):
            for inline, body in header_code(text):
                inlines[inline] = stem(name)
                undefined.setdefault(stem(name), set()).update(
                    re.findall(r"\w+", body))
    for name, text in texts.items():
        undefined.setdefault(stem(name), set()).update(
            inlines.keys() & set(re.findall(r"\w+", text)))
    for file, names in undefined.items():
        for name in sorted(names):
            for other in {defined.get(name), inlines.get(name)}:
                if other not in (None, file):
                    found.setdefault((file, other), name)
    return found


def may_need(file, other, symbol):
    # fdrecv-exec is a user of libfdrecv, like any other program.
    if (room(file), room(other)) == ("exec", "lib"):
        return symbol.startswith("fdrecv_") or symbol == "fdrecv.h"
    return room(other) in all_below(room(file))


def check_rooms(found):
    """No file needs a room that is not below its own."""
    for name in {room(name) for name in sources() if is_product(name)}:
        if name not in BELOW:
            yield "the room %s has no place" % name
    for (file, other), symbol in sorted(found.items()):
        if not may_need(file, other, symbol):
            yield "%s needs %s of %s" % (file, symbol, other)


def check_includes(_):
    """No file includes a header of such a room, which may have structures
    too."""
    for name in filter(is_product, sources()):
        for header in re.findall(r'#include "([^"]+)"', read(name)):
            for top in ("brokerd/", "fdrecv-lib/", "fdrecv-lib/lib/"):
                if os.path.exists(os.path.join(SOURCE, top + header)) and \
                        not may_need(stem(name), stem(top + header), header):
                    yield "%s includes %s" % (name, header)


def reachable(edges, start):
    found, todo = set(), [start]
    while todo:
        for other in edges.get(todo.pop(), ()):
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


def shortest_circle(edges, start):
    """The files of the shortest circle through start."""
    before, todo = {}, [start]
    while start not in before:
        file = todo.pop(0)
        for other in edges.get(file, ()):
            if other not in before:
                before[other] = file
                todo.append(other)
    circle = [start]
    while before[circle[0]] != start:
        circle.insert(0, before[circle[0]])
    return [start] + circle


def check_circles(found):
    """No files need each other; shows a shortest circle for each file that
    does."""
    edges = {}
    for file, other in sorted(found):
        edges.setdefault(file, []).append(other)
    shown = set()
    for file in sorted(edges):
        if file not in reachable(edges, file):
            continue
        circle = shortest_circle(edges, file)
        if frozenset(circle) in shown:
            continue
        shown.add(frozenset(circle))
        yield circle[0] + "".join(
            "\n         needs %s of %s" % (found[pair], pair[1])
            for pair in zip(circle, circle[1:]))


def check_structures(_):
    """A tag is one structure, union or enumeration in the whole tree."""
    places = {}
    for name in sources():
        for tag in re.findall(r"^\s*(?:struct|union|enum) (\w+) \{",
                              code(name), re.M):
            places.setdefault(tag, []).append(name)
    for tag, names in sorted(places.items()):
        if len(names) > 1:
            yield "%s is defined in %s" % (tag, ", ".join(names))


def check_files(_):
    """A stem is one file in the whole tree, except main."""
    places = {}
    for name in sources():
        places.setdefault(os.path.basename(stem(name)), set()).add(stem(name))
    for name, stems in sorted(places.items()):
        if len(stems) > 1 and name != "main":
            yield "%s is the name of %s" % (name, ", ".join(sorted(stems)))


def check_objects(_):
    """Every source of the product has an object."""
    built = objects()
    stems = {stem(source) for source in built}
    for name in sources():
        # Of sandbox_linux.c and sandbox_none.c one is built.
        others = glob.glob(os.path.join(
            SOURCE, re.sub(r"_[a-z]+\.c$", "_*.c", name)))
        if is_product(name) and name[-1] in "cy" and not any(
                stem(os.path.relpath(other, SOURCE)) in stems
                for other in [os.path.join(SOURCE, name)] + others):
            yield "%s has no object in %s" % (name, BUILD)


def main():
    checks = [check_objects, check_rooms, check_includes, check_circles,
              check_structures, check_files]
    found = needs()
    failed = 0
    for check in checks:
        faults = list(check(found))
        name = check.__name__.replace("check_", "")
        print("%s layers: %s" % ("FAIL" if faults else "ok  ", name))
        for fault in faults:
            print("     %s" % fault)
        failed += bool(faults)
    print("%d passed, %d failed" % (len(checks) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
