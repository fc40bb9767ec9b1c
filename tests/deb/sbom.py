#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Checks a bill of materials that debian/sbom.py has made.

usage: sbom.py FILE PACKAGE ...
The packages are those that it must name at least.
"""
import json
import re
import sys

REQUIRED = {
    "document": ("spdxVersion", "dataLicense", "SPDXID", "name",
                 "documentNamespace", "creationInfo", "documentDescribes",
                 "packages", "files", "relationships"),
    "creationInfo": ("created", "creators"),
    "package": ("SPDXID", "name", "versionInfo", "downloadLocation"),
    "file": ("SPDXID", "fileName", "checksums", "licenseInfoInFiles"),
    "relationship": ("spdxElementId", "relationshipType",
                     "relatedSpdxElement"),
}


def lacking(kind, element):
    for field in REQUIRED[kind]:
        if not element.get(field):
            yield "%s %s has no %s" % (kind, element.get("SPDXID", ""), field)


def faults(bill, names):
    yield from lacking("document", bill)
    yield from lacking("creationInfo", bill["creationInfo"])
    if bill["spdxVersion"] != "SPDX-2.3" or bill["dataLicense"] != "CC0-1.0":
        yield "%(spdxVersion)s, %(dataLicense)s" % bill
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                        bill["creationInfo"].get("created", "")):
        yield "made at no time that SPDX allows"
    for kind in "package", "file", "relationship":
        for element in bill[kind + "s"]:
            yield from lacking(kind, element)
    known = [e["SPDXID"] for e in [bill] + bill["packages"] + bill["files"]]
    if len(set(known)) < len(known):
        yield "an identifier is there twice"
    for relation in bill["relationships"]:
        for end in "spdxElementId", "relatedSpdxElement":
            if relation[end] not in known:
                yield "unknown: %s" % relation[end]
    for file in bill["files"]:
        if file["licenseInfoInFiles"] != ["ISC"]:
            yield "%(fileName)s: %(licenseInfoInFiles)s" % file
        if {c["algorithm"] for c in file["checksums"]} < {"SHA1"}:
            yield "%(fileName)s: no SHA1" % file
    there = {package["name"] for package in bill["packages"]}
    for name in names:
        if name not in there:
            yield "%s is missing" % name


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        found = list(faults(json.load(file), sys.argv[2:]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
