#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Prints a bill of materials of this source package, as SPDX 2.3 in JSON:
the binary packages with what they depend on, the packages that built them, and
the files that the programs and the library are made of, with the license that
each file names.

usage: sbom.py VERSION
Runs at the top of the source, after dh_shlibdeps.
"""
import datetime
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid

VERSION = sys.argv[1]


def output(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def identifier(kind, name):
    return "SPDXRef-%s-%s" % (kind, re.sub("[^A-Za-z0-9.-]", "-", name))


def package(name, version, license_id="NOASSERTION", **more):
    return {"SPDXID": identifier("Package", name), "name": name,
            "versionInfo": version, "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False, "licenseConcluded": license_id,
            "licenseDeclared": license_id, "copyrightText": "NOASSERTION",
            **more}


def installed(name):
    """The Debian package of this name, in the version that is there."""
    found = output("dpkg-query", "-W", "-f",
                   "${Package} ${Version} ${Architecture}\n", name)
    name, version, architecture = found.splitlines()[0].split()
    return package(name, version, externalRefs=[{
        "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
        "referenceLocator": "pkg:deb/debian/%s@%s?arch=%s" % (
            name, version, architecture)}])


def build_dependencies():
    field = re.search(r"^Build-Depends:((?:\n .*)+)", read("debian/control"),
                      re.M).group(1)
    names = set(re.findall(r"^ ([a-z0-9.+-]+)", field, re.M))
    return sorted(names - {"debhelper-compat"} | {"debhelper", "gcc"})


def run_dependencies(binary):
    name = "debian/%s.substvars" % binary
    lists = re.findall(r"^shlibs:Depends=(.*)", read(name), re.M) \
        if os.path.exists(name) else []
    return sorted({re.split(r"[ (|]", one.strip())[0]
                   for names in lists for one in names.split(",")})


def source_files():
    generated = {name[:-1] + "c" for name in glob.glob("brokerd/**/*.y",
                                                       recursive=True)}
    generated.add("brokerd/filter/filters.c")
    for name in sorted(glob.glob("brokerd/**", recursive=True) +
                       glob.glob("fdrecv-lib/**", recursive=True)):
        if name in generated or not re.search(r"\.([chy]|map)$", name):
            continue
        text = read(name)
        license_id = re.search(r"SPDX-License-Identifier: (.+?)(?: \*/)?\n",
                               text).group(1)
        yield {"SPDXID": identifier("File", name), "fileName": "./" + name,
               "checksums": [
                   {"algorithm": algorithm.upper(), "checksumValue":
                    hashlib.new(algorithm, text.encode()).hexdigest()}
                   for algorithm in ("sha1", "sha256")],
               "licenseConcluded": license_id,
               "licenseInfoInFiles": [license_id],
               "copyrightText": "NOASSERTION"}


def document():
    files = list(source_files())
    sums = sorted(file["checksums"][0]["checksumValue"] for file in files)
    source = package("portbroker", VERSION, "ISC", filesAnalyzed=True,
                     packageVerificationCode={
                         "packageVerificationCodeValue":
                         hashlib.sha1("".join(sums).encode()).hexdigest()})
    own = {name: package(name, VERSION, "ISC")
           for name in output("dh_listpackages").split()}
    packages = {one["SPDXID"]: one for one in (source, *own.values())}
    relationships = []

    def relate(one, kind, other):
        packages.setdefault(one["SPDXID"], one)
        relationships.append({"spdxElementId": one["SPDXID"],
                              "relationshipType": kind,
                              "relatedSpdxElement": other["SPDXID"]})

    for file in files:
        relate(source, "CONTAINS", file)
    for name in build_dependencies():
        relate(installed(name), "BUILD_DEPENDENCY_OF", source)
    for binary in own.values():
        relate(binary, "GENERATED_FROM", source)
        for name in run_dependencies(binary["name"]):
            relate(own.get(name) or installed(name), "RUNTIME_DEPENDENCY_OF", binary)
    content = json.dumps([files, list(packages.values()), relationships])
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT", "name": "portbroker-" + VERSION,
        "documentNamespace": uuid.uuid5(uuid.NAMESPACE_OID, content).urn,
        "documentDescribes": [source["SPDXID"]],
        "creationInfo": {
            "created": datetime.datetime.utcfromtimestamp(int(
                os.environ["SOURCE_DATE_EPOCH"])).isoformat() + "Z",
            "creators": ["Tool: debian/sbom.py"]},
        "packages": list(packages.values()), "files": files,
        "relationships": relationships}


json.dump(document(), sys.stdout, indent=1)
print()
