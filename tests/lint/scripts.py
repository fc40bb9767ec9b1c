#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The scripts that build, and one that checks, on small trees that stand for
this one.

usage: scripts.py SOURCE-DIRECTORY
"""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
MAKE = "all:\n\t@echo this is broken >&2; exit 1\ninstall:\n\t@touch %s\n"


class Tree:
    """A tree with the real scripts and a fake build."""

    def __init__(self, directory):
        self.top = os.path.join(directory, "tree")
        self.work = os.path.join(directory, "tmp")
        os.mkdir(self.work)
        for name in ("examples/quickstart.sh", "tests/build.sh",
                     "tests/run.sh", "tests/source.sh"):
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            shutil.copy(os.path.join(SOURCE, name), self.path(name))
        self.write("tests/packages.sh", "exit 0\n")
        # Without the variables of a make that runs this.
        self.environment = {name: value for name, value in os.environ.items()
                            if name not in ("MAKEFLAGS", "MAKELEVEL")}
        self.environment["LC_ALL"] = "C"

    def path(self, name):
        return os.path.join(self.top, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def has(self, name):
        return os.path.exists(self.path(name))

    def run(self, name, *arguments):
        return subprocess.run(["sh", self.path(name), *arguments],
                              capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL,
                              env=self.environment)


def check_source_is_the_tree_itself(tree):
    tree.write("configure", "")
    done = tree.run("tests/source.sh", tree.work + "/copy")
    if done.stdout != tree.top + "\n" or done.returncode != 0:
        yield repr(done)
    if os.listdir(tree.work):
        yield "a copy was made"


def check_source_of_a_configured_tree_is_a_clean_copy(tree):
    tree.write("configure", "")
    tree.write("config.status", "")
    os.mkdir(tree.path(".git"))
    tree.write("Makefile", "distclean:\n\trm config.status\n")
    done = tree.run("tests/source.sh", tree.work + "/copy")
    if done.stdout != tree.work + "/copy\n" or done.returncode != 0:
        yield repr(done)
    if os.listdir(tree.work) != ["copy"]:
        yield "left behind: %s" % os.listdir(tree.work)
    if sorted(os.listdir(tree.work + "/copy")) != [
            "Makefile", "configure", "examples", "tests"]:
        yield "the copy has %s" % os.listdir(tree.work + "/copy")
    if not tree.has("config.status"):
        yield "the tree itself was cleaned"


def check_source_without_configure_makes_it(tree):
    tree.write("autogen.sh", "#!/bin/sh\ncd ${0%/*}\necho made\n"
               ">configure\nchmod 755 configure\n")
    done = tree.run("tests/source.sh", tree.work + "/copy")
    if done.stdout != tree.top + "\n" or not tree.has("configure"):
        yield repr(done)


def check_source_that_fails_says_why(tree):
    tree.write("autogen.sh", "#!/bin/sh\necho no autoconf\nexit 1\n")
    done = tree.run("tests/source.sh", tree.work + "/copy")
    if (done.returncode, done.stdout, done.stderr) != (
            1, "", "no autoconf\n"):
        yield repr(done)


def broken_build(tree, name, last):
    """A step of a build that fails has to be the last one."""
    marker = tree.path("installed")
    tree.write("configure", "#!/bin/sh\ncat >Makefile <<'END'\n%sEND\n" %
               (MAKE % marker))
    done = tree.run(name)
    lines = (done.stdout + done.stderr).splitlines()
    if done.returncode == 0:
        yield "%s goes on after a make that failed" % name
    if "this is broken" not in lines:
        yield "%s does not say why: %r" % (name, done)
    if os.path.exists(marker):
        yield "%s installs what was not built" % name
    if last not in done.stdout.splitlines()[-1:]:
        yield "%s: the last line is %s" % (name, done.stdout[-100:])


def check_quickstart_ends_when_the_build_fails(tree):
    yield from broken_build(tree, "examples/quickstart.sh",
                            "make: *** [Makefile:2: all] Error 1")


def check_run_ends_when_the_build_fails(tree):
    yield from broken_build(tree, "tests/run.sh", "0 passed, 1 failed")


def layers(tree, files):
    """Runs layers.py on these files, {path: text}.  Returns its complaints."""
    for name, text in files.items():
        os.makedirs(os.path.dirname(tree.path(name)), exist_ok=True)
        tree.write(name, text)
        if name.endswith(".c"):
            built = os.path.join(tree.work, name[:-1] + "o")
            os.makedirs(os.path.dirname(built), exist_ok=True)
            subprocess.run(["cc", "-I" + tree.path("brokerd"), "-c", "-o",
                            built, tree.path(name)], check=True)
    done = subprocess.run(
        [sys.executable, os.path.join(SOURCE, "tests/lint/layers.py"),
         tree.top, tree.work], capture_output=True, text=True, check=False)
    return [line.strip() for line in done.stdout.splitlines()
            if line.startswith(" ")]


LOW = "brokerd/engine/policy/"
HIGH = "brokerd/engine/handoff/"


def check_layers_let_a_room_need_the_one_below(tree):
    yield from layers(tree, {
        LOW + "low.c": "static int f(int x) { return x; }\n"
                       "int low(int x) { return f(x); }\n"
                       "const int low_data = 1;\n",
        HIGH + "high.c": "int low(int); extern const int low_data;\n"
                         "static int f(int x) { return low(x); }\n"
                         "int high(void) { return f(low_data); }\n"})


def check_layers_find_data_of_a_room_above(tree):
    found = layers(tree, {
        LOW + "low.c": "extern const int data;\n"
                       "const int *low(void) { return &data; }\n",
        HIGH + "high.c": "const int data = 1;\n"})
    if found != ["brokerd/engine/policy/low needs data of "
                 "brokerd/engine/handoff/high"]:
        yield repr(found)


def check_layers_find_a_circle_through_inline_code(tree):
    found = layers(tree, {
        LOW + "one.h": "int two(int);\nstatic inline int\none(int x)\n"
                       "{\n\treturn two(x);\n}\n",
        LOW + "two.c": "int three(int);\n"
                       "int two(int x) { return three(x); }\n",
        LOW + "three.c": "#include \"engine/policy/one.h\"\nint three(int);\n"
                         "int three(int x) { return x ? one(x) : 0; }\n"})
    circle = {"needs %s of brokerd/engine/policy/%s" % (name, name)
              for name in ("one", "two", "three")}
    if not circle <= set(found):
        yield repr(found)


def check_layers_find_a_name_that_means_two_things(tree):
    found = layers(tree, {
        LOW + "one.h": "struct thing {\n\tint a;\n};\n",
        HIGH + "two.h": "struct thing {\n\tint b;\n};\n",
        HIGH + "one.h": ""})
    if [line.split()[0] for line in found] != ["thing", "one"]:
        yield repr(found)


def main():
    failed = 0
    checks = [value for name, value in globals().items()
              if name.startswith("check_")]
    for check in checks:
        with tempfile.TemporaryDirectory() as directory:
            faults = list(check(Tree(os.path.realpath(directory))))
        name = check.__name__.replace("check_", "").replace("_", " ")
        print("%s scripts: %s" % ("FAIL" if faults else "ok  ", name))
        for fault in faults:
            print("     %s" % fault)
        failed += bool(faults)
    print("%d passed, %d failed" % (len(checks) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
