"""The MQTT client as a package for mip: `python -m tools.library [FOLDER]`, by default build/mqtt.

The same client as in lib/mqtt, compiled as for the node's image: what is always loaded in one file, only public names in
full, no line numbers. `mpremote mip install FOLDER/package.json` puts it on a board.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tools.image import ROOT, compile_tree

OPTIONAL = ("stream", "persist", "secure", "topics")  # as lib/mqtt/README.md says


def build(folder: Path) -> dict[str, int]:
    """Write FOLDER/mqtt/*.mpy and FOLDER/package.json; bytes by module."""
    source = folder / "source"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "lib" / "mqtt", source / "mqtt")
    compiled = compile_tree(source, folder / "cache", lines=False)
    for path, content in compiled.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    shutil.rmtree(source)
    shutil.rmtree(folder / "cache")
    package = json.loads((ROOT / "lib" / "mqtt" / "package.json").read_text())
    package["urls"] = [[path, path] for path in sorted(compiled)]
    (folder / "package.json").write_text(json.dumps(package, indent=2) + "\n")
    return {Path(path).stem: len(content) for path, content in compiled.items()}


def main() -> None:
    """Build it, and say how large it is."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "mqtt"
    sizes = build(folder)
    core = sum(size for name, size in sizes.items() if name not in OPTIONAL)
    print(f"{folder}: {core:,} bytes, {sum(sizes.values()):,} with {', '.join(OPTIONAL)}")


if __name__ == "__main__":
    main()
