#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compares the documents with the code that they describe.

usage: docs.py SOURCE-DIRECTORY BUILD-DIRECTORY
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
BUILD = os.path.abspath(sys.argv[2])
CC = os.environ.get("CC", "cc").split()


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        return file.read()


def differences(what, documented, real):
    for name in sorted(set(real) - set(documented)):
        yield "%s: %s is missing" % (what, name)
    for name in sorted(set(documented) - set(real)):
        yield "%s: there is no %s" % (what, name)


def literal_blocks(page):
    """Yields the literal displays of a manual page as text."""
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed$", page,
                            re.M | re.S):
        yield block.replace("\\&", "").replace("\\(dq", '"').replace(
            "\\-", "-").replace("\\e", "\\")


def items(page, macro):
    """The list items ".It macro name" of a page, as {name: text}."""
    parts = re.split(r"^\.It %s (\S+).*\n" % macro, page, flags=re.M)[1:]
    return {name: re.split(r"^\.(?:It|El)\b", text, flags=re.M)[0]
            for name, text in zip(parts[::2], parts[1::2])}


def compiles(text, *options):
    """Compiles a C program.  Returns None or the errors."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(
            CC + ["-fsyntax-only", "-Wall", "-Wextra", "-Werror",
                  "-D_GNU_SOURCE", "-I", os.path.join(SOURCE, "fdrecv-lib"),
                  "-I", os.path.join(SOURCE, "fdrecv-lib", "lib"),
                  *options, file.name],
            capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else done.stderr


def check_configuration_keys():
    """Every key, with its type, range and default, and no other."""
    done = subprocess.run(
        [os.path.join(BUILD, "brokerd", "brokerd-conf"), "-k"],
        capture_output=True, text=True, check=True)
    real = {}
    for line in done.stdout.splitlines():
        name, kind, default, values, _ = line.split("\t")
        real[name] = ("%s (%s)" % (kind, values), default)
    page = read(os.path.join(BUILD, "man", "brokerd.conf.5"))
    documented = items(page, "Ic")
    yield from differences("brokerd.conf.5", documented, real)
    for name in sorted(set(documented) & set(real)):
        for word, value in zip(("Type", "Default"), real[name]):
            found = re.findall(r"^%s: (.*)\.$" % word, documented[name], re.M)
            if found != [value]:
                yield "brokerd.conf.5: %s: %s: %s, expected %s" % (
                    name, word, found, value)


def check_command_line():
    text = read("brokerd/monitor/setup.c")
    match = re.search(r'getopt_long\([^"]*"([a-zA-Z:]+)"', text)
    real = {"-" + letter for letter in match.group(1).replace(":", "")}
    real |= {"--" + word for word in re.findall(r'\{"([a-z-]+)", req', text)}
    page = read("doc/brokerd.8")
    yield from differences(
        "brokerd.8", {"-" + name for name in items(page, "Fl")}, real)
    synopsis = page[page.index(".Sh SYNOPSIS"):page.index(".Sh DESCRIPTION")]
    named = re.findall(r"\bFl ([a-zA-Z]|-[a-z-]+)\b", synopsis) + \
        re.findall(r"\| ([a-zA-Z])\b", synopsis)
    yield from differences("brokerd.8, synopsis",
                           {"-" + name for name in named}, real)


def check_loader_command_line():
    """The options of fdrecv-exec, with their letters."""
    usage = subprocess.run([os.path.join(BUILD, "fdrecv-exec"), "-h"],
                           capture_output=True, text=True,
                           check=True).stdout
    real = {name: letter for letter, name in
            re.findall(r"^  (?:-(\w)|  ) --([\w-]+)", usage, re.M)}
    page = read("doc/fdrecv-exec.1").split(".Sh COMING FROM NOSH")[0]
    documented = {name: letter for name, letter in re.findall(
        r"^\.It Fl -([\w-]+)(?:.* , Fl (\w))?", page, re.M)}
    yield from differences("fdrecv-exec.1", documented.items(), real.items())


def check_library_functions():
    exported = re.findall(r"^\t(fdrecv_\w+);", read("fdrecv-lib/lib/fdrecv.map"),
                          re.M)
    page = read("doc/fdrecv.3")
    head = page[:page.index(".Sh DESCRIPTION")]
    for macro in ("Nm", "Fn"):
        found = re.findall(r"^\.%s (fdrecv_\w+)" % macro, head, re.M)
        yield from differences("fdrecv.3, " + macro, found, exported)
    described = re.findall(r"^\.Fn (fdrecv_\w+)",
                           page[page.index(".Sh DESCRIPTION"):], re.M)
    yield from differences("fdrecv.3, description", described, exported)


def check_library_structures():
    """The page has them as the header does, without comments."""
    header = re.sub(r"\s*/\*.*?\*/", "", read("fdrecv-lib/lib/fdrecv.h"),
                    flags=re.S)
    blocks = list(literal_blocks(read("doc/fdrecv.3")))
    structures = re.findall(r"^struct \w+ \{\n.*?^\};\n", header, re.M | re.S)
    if not structures:
        yield "fdrecv.h: no structure was found"
    for text in structures:
        if text not in blocks:
            yield "fdrecv.3: %s is not as in fdrecv.h" % text.split(" {")[0]
    page = read("doc/fdrecv.3")
    names = set(re.findall(r"\bFDRECV_\w+", header)) - {"FDRECV_H"}
    for name in sorted(name for name in names if not name.endswith("_SIZE")):
        if ".Dv " + name not in page:
            yield "fdrecv.3: %s is missing" % name


def check_library_examples():
    programs = [block for block in literal_blocks(read("doc/fdrecv.3"))
                if "#include" in block]
    if not programs:
        yield "fdrecv.3: there is no program"
    for text in programs:
        error = compiles(text)
        if error:
            yield "fdrecv.3: %s" % error


WIRE = ("wire/datagram.h", "wire/link.h", "wire/names.h", "wire/ring.h")


def protocol_table(page, head, row):
    """The rows of the table with that head, as groups of the pattern row."""
    table = re.search(r"^%s.*\n((?:\|.*\n)+)" % head, page, re.M)
    return re.findall(row, table.group(1), re.M) if table else []


def protocol_structures(page, header):
    for struct, body in re.findall(r"^struct (\w+) \{(.*?)^\};", header,
                                   re.M | re.S):
        rows = protocol_table(
            page, r"\| offset \| size \| `%s` \|" % struct,
            r"^\| (\d+) \| (\d+) \| `(\w+)` ")
        members = re.findall(r"(\w+)(?:\[\w+\])?;", body)
        yield from ("PROTOCOL.md, %s" % fault for fault in differences(
            struct, [name for _, _, name in rows], members))
        if rows:
            end = sum(map(int, rows[-1][:2]))
            yield struct, "sizeof(struct %s) == %d" % (struct, end)
        for offset, size, name in rows:
            if name in members:
                yield (name, "offsetof(struct %s, %s) == %s && "
                       "sizeof(((struct %s *)0)->%s) == %s" % (
                           struct, name, offset, struct, name, size))


def protocol_values(page, header):
    """Every enumeration, and the limits that the page names."""
    for enum, body in re.findall(r"^enum (\w+) \{(.*?)^\};", header,
                                 re.M | re.S):
        rows = protocol_table(page, r"\| value \| `%s` \|" % enum,
                              r"^\| (\d+) \| `(\w+)` ")
        names = re.findall(r"FDRECV_WIRE_(\w+) =", body)
        yield from ("PROTOCOL.md, %s" % fault for fault in differences(
            enum, [name for _, name in rows], names))
        for value, name in rows:
            if name in names:
                yield name, "FDRECV_WIRE_%s == %s" % (name, value)


def check_protocol_tables():
    """Offsets, sizes and values, by the compiler."""
    page = read("doc/PROTOCOL.md")
    text = "#include <stddef.h>\n" + "".join(
        '#include "%s"\n' % name for name in WIRE)
    header = re.sub(r"/\*.*?\*/", "", "".join(
        read("fdrecv-lib/" + name) for name in WIRE), flags=re.S)
    limits = re.findall(r"^\| `(FDRECV_WIRE_\w+)` \| (\d+) \|", page, re.M)
    if not limits:
        yield "PROTOCOL.md: no limit was found"
    facts = [(name, "%s == %s" % (name, value)) for name, value in limits]
    for found in (*protocol_structures(page, header),
                  *protocol_values(page, header)):
        if isinstance(found, str):
            yield found
        else:
            facts.append(found)
    for name, fact in facts:
        text += '_Static_assert(%s, "%s");\n' % (fact, name)
    error = compiles(text)
    if error:
        yield "PROTOCOL.md: %s" % error
    for magic in re.findall(r'_MAGIC "(\w+)"', header):
        if "| `magic` | `%s` |" % magic not in page:
            yield "PROTOCOL.md: magic %s is missing" % magic
    example = read("tests/vectors/datagram.hex").split("\n", 1)[1]
    if "```\n%s```\n" % example not in page:
        yield "PROTOCOL.md: the example is not tests/vectors/datagram.hex"


def check_architecture():
    """Capabilities, messages and budgets are those of the code."""
    page = read("doc/ARCHITECTURE.md")
    kept = page.split("## Capabilities")[1].split("It does without")[0]
    root = read("brokerd/monitor/privilege.c").split("privilege_kept[] =")[1]
    yield from differences(
        "ARCHITECTURE.md", re.findall(r"^- `(CAP_\w+)`:", kept, re.M),
        re.findall(r"\bCAP_\w+", root.split(";")[0]))
    rules = re.findall(r"^    \[CHANNEL_([A-Z]+)\]",
                       read("brokerd/channel/channel.c"), re.M)
    yield from differences(
        "ARCHITECTURE.md", re.findall(r"^\| ([A-Z]+) \| (?:up|down) ", page,
                                      re.M), rules)
    budgets = dict(re.findall(r'^    "(\S+\.c)": (\d+),$',
                              read("tests/lint/lint.py"), re.M))
    table = dict(re.findall(r"^\| `(\S+\.c)` \| (\d+) \|$",
                            page.replace(",", ""), re.M))
    yield from differences("ARCHITECTURE.md, budgets", table.items(),
                           budgets.items())


def check_rooms():
    """The table of the engine's rooms has each file, and no other."""
    page = read("doc/ARCHITECTURE.md")
    rows = protocol_table(page, r"\| room \| files \|",
                          r"^\| (?:`(\S+)/` )?\| (`.*?`) \|")
    if not rows:
        yield "ARCHITECTURE.md: no room was found"
    documented, room = [], None
    for name, files in rows:
        room = name or room
        for stem in re.findall(r"`(\S+)`", files):
            found = glob.glob(os.path.join(
                SOURCE, "brokerd", "engine", room, stem + ".c"))
            documented += map(os.path.normpath, found)
            if not found:
                yield "ARCHITECTURE.md: there is no %s/%s.c" % (room, stem)
    real = [os.path.normpath(name) for name in glob.glob(
        os.path.join(SOURCE, "brokerd", "engine", "**", "*.c"),
        recursive=True)]
    yield from differences("ARCHITECTURE.md, rooms", documented, real)


def check_hacking():
    """Every file and function that it names exists; it is two pages."""
    page = read("HACKING.md")
    if page.count("\n") > 120 or max(map(len, page.split("\n"))) > 100:
        yield "HACKING.md: more than 120 lines of 100 columns"
    for name, function in re.findall(r"([\w./-]+\.[chy])\b(?::(\w+))?", page):
        found = [top + name for top in ("", "brokerd/engine/")
                 if os.path.exists(os.path.join(SOURCE, top + name))]
        if not found:
            yield "HACKING.md: there is no %s" % name
        elif function and not re.search(
                r"^%s\(" % function, read(found[0]), re.M):
            yield "HACKING.md: %s has no %s" % (name, function)


def check_control():
    """Routes, counters and commands are those of the code."""
    page = read("doc/CONTROL.md")
    routes = re.findall(r'^    \{PEER_(READ|CHANGE), "(\S+)", ',
                        read("brokerd/engine/control/routes.c"), re.M)
    methods = {"READ": "GET", "CHANGE": "POST"}
    yield from differences(
        "CONTROL.md, requests",
        set(re.findall(r"^\| (GET|POST) \| `(\S+)` \|", page, re.M)),
        {(methods[right], path) for right, path in routes})
    counters = page.split("\n## Counters\n")[1].split("\n## ")[0]
    yield from differences(
        "CONTROL.md, counters",
        set(re.findall(r"^\| `(\w+)` \|", counters, re.M)),
        set(re.findall(r"^\tuint64_t (\w+);",
                       read("brokerd/engine/handoff/stats_row.h"), re.M)))
    yield from differences(
        "report.c, counters",
        set(re.findall(r"^    (?:COUNTER|GAUGE)\(\s*(\w+),",
                       read("brokerd/engine/control/report.c"), re.M)),
        set(re.findall(r"^\| `(\w+)` \|", counters, re.M)))
    usage = subprocess.run(
        [os.path.join(BUILD, "brokerd", "brokerctl"), "-h"],
        capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+) +((?:[A-Z]+ )*)",
                          usage.split("commands:\n")[1], re.M)
    documented = re.findall(r"^\.It Cm (\w+)(?: Ar (.*))?$",
                            read("doc/brokerctl.8"), re.M)
    yield from differences(
        "brokerctl.8, commands", set(documented),
        {(name, words.strip().lower()) for name, words in commands})


def check_readme_dependencies():
    """Every package that a build from a checkout needs."""
    section = read("README.md").split("## Install\n")[1].split("\n## ")[0]
    needed = re.findall(r"^PB_NEED\(.*\[([\w.-]+)\]\)$",
                        read("configure.ac"), re.M)
    if not needed:
        yield "configure.ac: no package was found"
    quickstart = read("examples/quickstart.sh")
    listed = re.search(r'packages.sh" ((?:.*\\\n)*.*)', quickstart).group(1)
    run_only = {"curl", "procps", "python3", "util-linux"}
    needed += set(listed.replace("\\\n", " ").split()) - run_only
    for name in sorted(set(needed)):
        if not re.search(r"(?<![\w-])%s(?![\w-])" % re.escape(name), section):
            yield "README.md: Install: %s is missing" % name


def check_installed_pages():
    """They have the paths and uids that configure was given."""
    usage = subprocess.run(
        [os.path.join(BUILD, "brokerd", "brokerd-conf"), "-R", "/", "-h"],
        capture_output=True, text=True, check=True).stdout
    told = {name: re.search(r"^  -%s .*\((/.*)\)$" % name, usage,
                            re.M).group(1) for name in "cR"}
    with open(os.path.join(BUILD, "config.h"), encoding="utf-8") as file:
        config = dict(re.findall(r"^#define (\w+_UID) (\d+)$", file.read(),
                                 re.M))
    with open(os.path.join(BUILD, "man", "brokerd.8"),
              encoding="utf-8") as file:
        page = file.read()
    yield from differences(
        "brokerd.8, configuration",
        set(re.findall(r"/\S*brokerd\.conf\b", page)), {told["c"]})
    yield from differences(
        "brokerd.8, run directory",
        set(re.findall(r"^\.It Pa (/\S*)/lock$", page, re.M)), {told["R"]})
    yield from differences(
        "brokerd.8, uids", re.findall(
            r"as uid and gid (\d+), and the engine as (\d+)", page),
        [(config["CONF_UID"], config["ENGINE_UID"])])
    for name in ("brokerd.8", "brokerctl.8", "brokerd.conf.5",
                 "fdrecv-exec.1", "fdrecv.3"):
        if not os.path.exists(os.path.join(BUILD, "man", name)):
            yield "%s is not made" % name


def check_links():
    names = [os.path.relpath(name, SOURCE) for name in
             glob.glob(os.path.join(SOURCE, "*.md")) +
             glob.glob(os.path.join(SOURCE, "doc", "**", "*.md"),
                       recursive=True)]
    for name in sorted(names):
        text = re.sub(r"^```.*?^```$", "", read(name), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:|#", target):
                continue
            path = os.path.join(SOURCE, os.path.dirname(name),
                                target.split("#")[0])
            if not os.path.exists(path):
                yield "%s: %s leads nowhere" % (name, target)
        # Files of the source that are mentioned without a link.
        for target in re.findall(
                r"`((?:brokerd|doc|examples|fdrecv-lib|tests)/[\w./-]*\w)`",
                text):
            if not os.path.exists(os.path.join(SOURCE, target)) and \
                    not os.path.exists(os.path.join(BUILD, target)):
                yield "%s: there is no %s" % (name, target)


def main():
    checks = [check_configuration_keys, check_command_line,
              check_loader_command_line,
              check_library_functions, check_library_structures,
              check_library_examples, check_protocol_tables,
              check_architecture, check_rooms, check_hacking, check_control,
              check_installed_pages, check_readme_dependencies, check_links]
    failed = 0
    for check in checks:
        faults = list(check())
        name = check.__name__.replace("check_", "").replace("_", " ")
        print("%s documents: %s" % ("FAIL" if faults else "ok  ", name))
        for fault in faults:
            print("     %s" % fault)
        failed += bool(faults)
    print("%d passed, %d failed" % (len(checks) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
