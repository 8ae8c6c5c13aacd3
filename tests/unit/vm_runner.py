"""Runs inside the MicroPython VM: `vm_runner.py MODULE TEST…` runs the tests and prints one `@test` line for each."""

import io
import json
import sys


def main() -> None:
    module = __import__(sys.argv[1])
    for name in sys.argv[2:]:
        fault = None
        try:
            getattr(module, name)()
        except BaseException as e:  # noqa: BLE001  (a test may raise anything; it is reported)
            out = io.StringIO()
            sys.print_exception(e, out)
            fault = out.getvalue()
        print("@test " + json.dumps([name, fault]))


main()
