"""Helpers for tests that run on CPython and on MicroPython alike."""


def raises(kind, function, *args, **kwargs):
    """Call `function`; returns the exception of `kind` that it must raise."""
    try:
        result = function(*args, **kwargs)
    except kind as e:
        return e
    raise AssertionError("no %s raised, but %r returned" % (kind.__name__, result))
