#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The tarball of make dist has what the repository has.

usage: dist.py SOURCE-DIRECTORY BUILD-DIRECTORY
"""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
BUILD = sys.argv[2]
# Of the repository alone: how git, the CI and Debian handle it.
NOT_SHIPPED = (".ci/", ".gitignore", "debian/")
# Folders in which nothing is generated.
COMPLETE = ("dist/", "doc/", "examples/", "tests/")


def tracked():
    """Names of the files in the repository; None without one."""
    if not os.path.exists(os.path.join(SOURCE, ".git")) or \
            shutil.which("git") is None:
        return None
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=SOURCE,
        capture_output=True, text=True, check=True)
    # One that is being removed is still listed.
    return {name for name in done.stdout.split("\0")[:-1]
            if not name.startswith(NOT_SHIPPED) and
            os.path.exists(os.path.join(SOURCE, name))}


def shipped():
    """Names of the files that the tarball would have."""
    with tempfile.TemporaryDirectory() as directory:
        top = os.path.join(directory, "top")
        subprocess.run(["make", "-s", "-C", BUILD, "distdir",
                        "distdir=" + top], check=True,
                       stdout=subprocess.DEVNULL)
        return {os.path.relpath(os.path.join(where, name), top)
                for where, _, names in os.walk(top) for name in names}


def faults(tree, tarball):
    for name in sorted(tree - tarball):
        yield "%s is not in the tarball" % name
    for name in sorted(tarball - tree):
        if name.startswith(COMPLETE):
            yield "%s is in the tarball and not in the repository" % name


def main():
    tree = tracked()
    if tree is None:
        print("skip dist: this is no git repository, or git is missing")
        print("0 passed, 0 failed")
        return 0
    found = list(faults(tree, shipped()))
    print("%s dist: files" % ("FAIL" if found else "ok  "))
    for fault in found:
        print("     %s" % fault)
    print("%d passed, %d failed" % (not found, bool(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
