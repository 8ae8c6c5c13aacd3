"""Calls into the application: an exception of its own is reported, and does not end the link."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def call(function: "Callable | None", *args: object) -> object:
    """Call the application, if there is anything to call. Returns its result, None after an exception."""
    if function:
        try:
            return function(*args)
        except Exception as e:  # noqa: BLE001  (whatever the application raises; it is reported)
            report(e)
    return None


def report(e: Exception) -> None:
    """Tell an exception of the application to the event loop's handler."""
    # MicroPython's own handler wants a task: it prints its coroutine.
    asyncio.get_event_loop().call_exception_handler(
        {"message": "in a callback of mqtt", "exception": e, "future": asyncio.current_task()}
    )
