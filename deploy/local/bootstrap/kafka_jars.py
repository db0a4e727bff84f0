"""Kafka's jars in `.local/kafka`, copied by the Maven client as the pom says, and checked against known digests."""

from __future__ import annotations

import hashlib
import os
import shutil

from bootstrap import progress
from bootstrap.checkout import CACHES, DEPLOY, LOCAL, BootstrapError, digest, stamped, stamping

POM = DEPLOY / "kafka" / "pom.xml"
DIGESTS = DEPLOY / "kafka" / "jars.sha256"
JARS = LOCAL / "kafka"
STAMP = JARS / "made-for"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def wanted() -> str:
    return digest([POM, DIGESTS])


def present() -> bool:
    return stamped(STAMP, wanted())


def fetch() -> None:
    if present():
        return
    fresh = LOCAL / "kafka.new"
    if fresh.exists():
        shutil.rmtree(fresh)
    progress.run(
        "fetching Kafka with Maven",
        [
            "mvn",
            "-q",
            "-B",
            "-f",
            POM,
            COPY,
            f"-Dmaven.repo.local={CACHES / 'maven'}",
            f"-DoutputDirectory={fresh}",
            "-DincludeScope=runtime",
        ],
        env={**os.environ, "MAVEN_OPTS": f"{os.environ.get('MAVEN_OPTS', '')} -XX:-UsePerfData"},
        failed="Maven could not fetch Kafka's jars.",
    )
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in fresh.glob("*.jar")}
    known = {name: value for value, name in (line.split() for line in DIGESTS.read_text(encoding="ascii").splitlines())}
    odd = sorted(name for name in found.keys() | known.keys() if found.get(name) != known.get(name))
    if odd:
        message = f"Kafka's jars are not those of {DIGESTS.relative_to(DEPLOY)}: {', '.join(odd)}."
        raise BootstrapError(message)
    with stamping(STAMP, wanted()):
        if JARS.exists():
            shutil.rmtree(JARS)
        fresh.rename(JARS)
