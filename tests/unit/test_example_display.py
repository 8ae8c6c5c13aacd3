"""The display example says to the TM1637 what its data sheet wants to hear."""

import sys

import example_display_pins as pins


def example():
    """The module examples/display/app.py, with pins of ours."""
    root = __file__.replace("tests/unit/test_example_display.py", "")
    kept = sys.modules.get("machine")
    sys.modules["machine"] = pins
    fake_const = None
    if "micropython" not in sys.modules:
        try:
            import micropython  # noqa: F401
        except ImportError:  # CPython
            fake_const = sys.modules["micropython"] = type(sys)("micropython")
            fake_const.const = lambda value: value
    sys.path.insert(0, root + "examples/display")
    try:
        sys.modules.pop("app", None)
        return __import__("app")
    finally:
        sys.path.pop(0)
        sys.modules.pop("app", None)
        del sys.modules["machine"]
        if kept:
            sys.modules["machine"] = kept
        if fake_const:
            del sys.modules["micropython"]


def test_segments():
    app = example()
    assert app.segments(21.4) == b"\x00\x5b\x06\x63"
    assert app.segments(-7.6) == b"\x00\x40\x7f\x63"
    assert app.segments(-12) == b"\x40\x06\x5b\x63"
    assert app.segments(105) == b"\x06\x3f\x6d\x63"
    for value in (None, 1000, -100, 1e9):
        assert app.segments(value) == b"\x40\x40\x40\x40"


def test_what_goes_over_the_wires():
    app = example()
    bus = pins.Bus()
    app.TM1637(pins.Pin(bus, "clk"), pins.Pin(bus, "dio")).show(app.segments(21))
    assert bus.sent == [[0x40], [0xC0, 0x00, 0x5B, 0x06, 0x63], [0x8A]]
    assert not bus.open
