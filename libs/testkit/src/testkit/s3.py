"""An S3 server for tests: SeaweedFS, which checks signatures and keeps on disk what it took, as one process."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from testkit.ports import free_ports
from testkit.processes import Killable
from testkit.wait import eventually

WEED = Path(sys.prefix) / "bin" / "weed"
_SOCKETS = Path("/tmp")  # noqa: S108 -- where SeaweedFS puts them, whatever TMPDIR says
_PARTS = ("master", "volume", "filer", "s3")


class S3Server(Killable):
    """A bucket, and credentials that are good for that bucket only."""

    def __init__(self, folder: Path, bucket: str = "attachments") -> None:
        self._folder, self.bucket = folder, bucket
        self._ports = dict(zip(_PARTS, free_ports(len(_PARTS)), strict=True))
        self._grpc_ports = dict(zip(_PARTS, free_ports(len(_PARTS)), strict=True))
        self.endpoint = f"http://127.0.0.1:{self._ports['s3']}"
        self.access_key_id, self.secret_access_key = "sampan-test", secrets.token_hex(16)

    async def start(self) -> None:
        """Start (again), and wait until it takes objects. What it took before is there."""
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        config = self._folder / "s3.json"
        config.write_text(json.dumps(self._identities()))
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(str(WEED), "server", f"-dir={self._folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                *(f"-{part}.port={port}" for part, port in self._ports.items()),
                *(f"-{part}.port.grpc={port}" for part, port in self._grpc_ports.items()),
                *("-filer", "-s3", f"-s3.config={config}", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
                *("-master.telemetry=false", "-master.electionTimeout=1s", "-master.resumeState=false"),
                *("-volume.max=20", "-volume.minFreeSpace=0", "-master.volumeSizeLimitMB=64"),
                stdout=log,
                stderr=log,
            )
        await eventually(
            lambda: asyncio.to_thread(self._takes_objects),
            timeout_s=60,
            every_s=0.2,
            what=f"S3 answers, see {self._folder / 'log'}",
        )

    async def kill(self) -> None:
        await super().kill()
        self._drop_sockets()

    def _identities(self) -> dict[str, object]:
        actions = [f"{action}:{self.bucket}" for action in ("Read", "Write", "List")]
        credentials = [{"accessKey": self.access_key_id, "secretKey": self.secret_access_key}]
        return {"identities": [{"name": "service", "credentials": credentials, "actions": actions}]}

    def _takes_objects(self) -> bool:
        """Makes the bucket too: to SeaweedFS it is a folder."""
        ready = Request(f"http://127.0.0.1:{self._ports['filer']}/buckets/{self.bucket}/ready", b"1", method="PUT")
        with urlopen(ready, timeout=2) as answer:  # noqa: S310 -- http, as written above
            stored = bool(answer.status == 201)
        try:
            urlopen(self.endpoint, timeout=2).close()  # noqa: S310 -- as above
        except HTTPError as refusal:  # it is there, and wants a signature
            refusal.close()
        return stored

    def _drop_sockets(self) -> None:
        for port in (*self._ports.values(), *self._grpc_ports.values()):
            for socket in _SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                socket.unlink(missing_ok=True)
