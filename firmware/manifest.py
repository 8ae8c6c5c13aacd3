"""Freeze manifest: for people who build MicroPython themselves, with lib/ inside the firmware.

    make -C ports/esp8266 BOARD=ESP8266_GENERIC FROZEN_MANIFEST=/path/to/this/firmware/manifest.py

boot.py and main.py are not frozen: a frozen one would win over the file of that name, and the board could not be told to
stay out of the node any more. `make build TARGET=frozen` checks this file against lib/.
"""

# ruff: noqa: F821  (manifest functions, given by MicroPython's tools/manifestfile.py, which works in this folder)
import os


def device_files(name):
    """The files of a package that a chip has use for, by path in it."""
    top = os.path.join("..", "lib", name)
    for folder, _, files in sorted(os.walk(top)):
        for file in sorted(files):
            if file.endswith(".py") and not file.endswith("_cpython.py") and os.path.basename(folder) != "examples":
                yield os.path.relpath(os.path.join(folder, file), top)


include("$(PORT_DIR)/boards/ESP8266_GENERIC/manifest_2MiB.py")
for name in ("cloud", "mqtt", "node", "portal", "sensors", "settings", "wifi"):
    package(name, files=tuple(device_files(name)), base_path="../lib", opt=2)
