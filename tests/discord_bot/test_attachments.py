"""Where photos may come from, and how much of one is read."""

import gzip
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from vivant.bots.discord.attachments import Downloads, Upload, open_downloads
from vivant.errors import PlatformError, TryLater
from vivant.photos import MAX_UPLOAD_BYTES


class Host:
    """A host of files on loopback that counts who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.origin = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        self.headers.append(dict(request.headers))
        match request.path:
            case "/photo.png":
                return web.Response(body=b"a photo")
            case "/moved.png":
                return web.Response(status=302, headers={"Location": f"{self.origin}/photo.png"})
            case "/bomb.png":
                packed = gzip.compress(bytes(200_000_000), compresslevel=1)
                return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
            case _:
                return web.Response(status=404)


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    app = web.Application()
    app.router.add_get("/{path:.*}", host.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield host
    await runner.cleanup()


@pytest.fixture
async def downloads(host: Host) -> AsyncIterator[Downloads]:
    async with open_downloads(f"{host.origin}/api/v10") as downloads:
        yield downloads


def at(url: str) -> Upload:
    return Upload(url=url, name="photo.png", media_type="image/png")


async def test_a_file_of_the_configured_host_is_fetched_without_any_token(
    downloads: Downloads, host: Host
) -> None:
    assert await downloads.fetch(at(f"{host.origin}/photo.png")) == b"a photo"
    assert "Authorization" not in host.headers[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/photo.png",
        "http://cdn.discordapp.com/attachments/1/2/photo.png",
        "https://cdn.discordapp.com:8443/photo.png",
        "https://cdn.discordapp.com.evil.example/photo.png",
        "https://cdn.discordapp.com@evil.example/photo.png",
        "http://127.0.0.1:1/photo.png",
        "http://localhost/photo.png",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "/etc/passwd",
        "",
    ],
)
async def test_no_other_address_is_asked(url: str, downloads: Downloads, host: Host) -> None:
    with pytest.raises(PlatformError, match="not on Discord's own hosts"):
        await downloads.fetch(at(url))
    assert host.asked == []


async def test_a_redirect_is_not_followed(downloads: Downloads, host: Host) -> None:
    with pytest.raises(PlatformError, match="302"):
        await downloads.fetch(at(f"{host.origin}/moved.png"))
    assert host.asked == ["/moved.png"]


async def test_unpacked_bytes_are_counted_and_reading_ends_one_above_the_limit(
    downloads: Downloads, host: Host
) -> None:
    """200 MB of nothing, packed into one."""
    assert len(await downloads.fetch(at(f"{host.origin}/bomb.png"))) == MAX_UPLOAD_BYTES + 1


async def test_a_file_that_is_gone_is_no_empty_photo(downloads: Downloads, host: Host) -> None:
    with pytest.raises(PlatformError, match="404"):
        await downloads.fetch(at(f"{host.origin}/gone.png"))


async def test_a_host_that_does_not_answer_is_asked_later(downloads: Downloads, host: Host) -> None:
    unheard = Downloads(downloads.session, downloads.api.with_port(9))
    with pytest.raises(TryLater):
        await unheard.fetch(at("http://127.0.0.1:9/photo.png"))
    assert host.asked == []
