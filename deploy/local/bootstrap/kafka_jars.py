"""Kafka's jars in `.local/kafka`, copied by the Maven client as the pom says, and checked against known digests."""

from __future__ import annotations

import hashlib
import shutil

from bootstrap import progress
from bootstrap.checkout import DEPLOY, LOCAL, BootstrapError, digest, stamp, stamped

POM = DEPLOY / "kafka" / "pom.xml"
DIGESTS = DEPLOY / "kafka" / "jars.sha256"
JARS = LOCAL / "kafka"


def present() -> bool:
    return stamped("kafka", digest([POM, DIGESTS])) and JARS.is_dir()


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
            "dependency:copy-dependencies",
            f"-DoutputDirectory={fresh}",
            "-DincludeScope=runtime",
        ],
        failed="Maven could not fetch Kafka's jars.",
    )
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in fresh.glob("*.jar")}
    known = {name: value for value, name in (line.split() for line in DIGESTS.read_text(encoding="ascii").splitlines())}
    odd = sorted(name for name in found.keys() | known.keys() if found.get(name) != known.get(name))
    if odd:
        message = f"Kafka's jars are not those of {DIGESTS.relative_to(DEPLOY)}: {', '.join(odd)}."
        raise BootstrapError(message)
    if JARS.exists():
        shutil.rmtree(JARS)
    fresh.rename(JARS)
    stamp("kafka", digest([POM, DIGESTS]))
