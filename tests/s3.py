"""An S3 of the tests' own: moto's server, a process on a free port of loopback."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from tests.postgres import free_port

_START_S = 30


@dataclass(frozen=True, slots=True)
class S3:
    """A running server with one bucket."""

    endpoint: str
    bucket: str

    @property
    def url(self) -> str:
        """What `VIVANT_MEDIA_URL` would say."""
        return f"s3://{self.bucket}/media"

    @property
    def environment(self) -> dict[str, str]:
        """What the environment must say beside it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "tester",
            "AWS_REGION": "us-east-1",
        }


def none_here() -> str | None:
    """Why there is no S3 for the tests; None where there is one."""
    return (
        None
        if find_spec("moto") and find_spec("flask")
        else "no moto here: pip install moto[server]"
    )


@contextmanager
def running_s3() -> Generator[S3]:
    """A server for the block; stopped by its pid."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        s3 = S3(f"http://127.0.0.1:{port}", "vivant")
        _make_bucket(s3, server)
        yield s3
    finally:
        server.terminate()
        server.wait(timeout=_START_S)


def _make_bucket(s3: S3, server: subprocess.Popen[bytes]) -> None:
    request = urllib.request.Request(f"{s3.endpoint}/{s3.bucket}", method="PUT")  # noqa: S310
    deadline = time.monotonic() + _START_S
    while True:
        try:
            urllib.request.urlopen(request).close()  # noqa: S310
        except urllib.error.URLError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
