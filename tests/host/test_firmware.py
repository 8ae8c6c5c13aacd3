"""The base firmware: what is accepted, what is refused and how it is called; the download, from a server of our own."""

from __future__ import annotations

import functools
import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from tests.fake_firmware import firmware
from tools import firmware as base
from tools.errors import ToolError

PIN = base.Pin("ESP8266_GENERIC", "FLASH_2M_ROMFS", "1.29.0", "http://127.0.0.1/", "")
QUIET = Console(file=io.StringIO())


def check(tmp_path: Path, data: bytes, pin: base.Pin = PIN, target: str = "romfs") -> base.Firmware:
    path = tmp_path / "some.bin"
    path.write_bytes(data)
    return base.check(path, pin, target)


def test_the_pin_in_the_repository_can_be_read() -> None:
    assert base.pinned().name == "ESP8266_GENERIC-FLASH_2M_ROMFS"


def test_the_right_firmware_is_known_by_its_names(tmp_path: Path) -> None:
    found = check(tmp_path, firmware())
    assert (found.build, found.version, found.date) == ("ESP8266_GENERIC-FLASH_2M_ROMFS", "1.29.0", "2026-08-24")


def damaged(at: int) -> bytes:
    data = bytearray(firmware())
    data[at] ^= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no ESP8266 firmware: it does not begin with 0xe9"),
        (b"<html>not found</html>", "is no ESP8266 firmware"),
        (b"\xe9" * 100, "is too short for MicroPython"),
        (firmware()[:-5000], "is cut short: it has 595,000 of 600,000 bytes"),
        (firmware() + b"x", "is no MicroPython for the ESP8266"),
        (damaged(100), "is damaged: its MD5 does not match"),
        (damaged(300_000), "is damaged: its MD5 does not match"),
        (firmware(build="ESP8266_GENERIC"), "built for ESP8266_GENERIC; ESP8266_GENERIC-FLASH_2M_ROMFS is needed"),
        (firmware(build="ESP8266_GENERIC-FLASH_1M"), "built for ESP8266_GENERIC-FLASH_1M;"),
        (firmware(build="OTHER"), "of unknown build;"),
        (firmware(size=0xB0001), "it must end at 720,896"),
        (firmware(version="1.20.0"), "is MicroPython 1.20.0; this project is tested with 1.29.0"),
    ],
)
def test_another_file_is_refused_and_called_what_it_is(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(ToolError, match=words):
        check(tmp_path, data)


def test_an_esp32_image_is_called_that(tmp_path: Path) -> None:
    header = bytes([0xE9, 5, 2, 0x20]) + b"\0" * 8 + b"\x05\0" + b"\0" * 10 + (0x3F400020).to_bytes(4, "little")
    with pytest.raises(ToolError, match="is firmware for an ESP32"):
        check(tmp_path, header + b"\0" * 100_000)


def test_stock_firmware_will_do_for_littlefs(tmp_path: Path) -> None:
    assert check(tmp_path, firmware(build="ESP8266_GENERIC", version="1.27.0"), target="littlefs").version == "1.27.0"


def test_firmware_for_frozen_must_have_the_node_in_it(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="has no node frozen into it"):
        check(tmp_path, firmware(), target="frozen")
    assert check(tmp_path, firmware(build="ESP8266_GENERIC", frozen=b"x.py\0node/__init__.py\0"), target="frozen").size


def test_a_pinned_hash_must_match(tmp_path: Path) -> None:
    pin = base.Pin(PIN.board, PIN.variant, PIN.version, PIN.page, "00" * 32)
    with pytest.raises(ToolError, match="not the same file"):
        check(tmp_path, firmware(), pin)


def test_keeping_and_pinning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "KEPT", tmp_path / "kept")
    pin_file = tmp_path / "base.json"
    pin_file.write_text((Path(base.BASE)).read_text())
    found = check(tmp_path, firmware())
    kept = base.keep(found, PIN, True, pin_file)
    assert kept.name == "ESP8266_GENERIC-FLASH_2M_ROMFS-20260824-v1.29.0.bin"
    assert base.kept(PIN) == kept
    assert json.loads(pin_file.read_text())["sha256"] == found.sha256


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served on loopback, and its address."""
    folder = tmp_path / "site"
    (folder / "resources" / "firmware").mkdir(parents=True)
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_download_page_is_searched_for_the_pinned_file(
    site: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = site
    monkeypatch.setattr(base, "KEPT", tmp_path / "kept")
    name = "ESP8266_GENERIC-FLASH_2M_ROMFS-20260824-v1.29.0.bin"
    others = [name.replace("-FLASH_2M_ROMFS", ""), name.replace("1.29.0", "1.28.0")]
    (folder / "resources" / "firmware" / name).write_bytes(firmware())
    links = "".join(f'<a href="/resources/firmware/{n}">x</a>' for n in [*others, name])
    (folder / "index.html").write_text(links)
    pin = base.Pin(PIN.board, PIN.variant, PIN.version, address, "")
    monkeypatch.setattr(base, "pinned", lambda: pin)
    found = base.firmware(None, False, QUIET)
    assert found.version == "1.29.0"
    assert [p.name for p in (tmp_path / "kept").iterdir()] == [name]


def test_a_page_without_it_and_no_network_are_said(site: tuple[Path, str], tmp_path: Path) -> None:
    _, address = site
    with pytest.raises(ToolError, match=r"lists no ESP8266_GENERIC-FLASH_2M_ROMFS v1.29.0"):
        base.download(base.Pin(PIN.board, PIN.variant, PIN.version, address, ""), QUIET)
    with pytest.raises(ToolError, match=r"cannot be fetched: .*\nWithout a network"):
        base.download(base.Pin(PIN.board, PIN.variant, PIN.version, "http://127.0.0.1:9/", ""), QUIET)
