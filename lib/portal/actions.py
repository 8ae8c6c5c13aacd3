"""What the visitor's buttons do, and the export. Each change is checked to come from our own page (CSRF).

Such a request must be a POST (app.py), name our page as its origin where the browser says one, and carry the token that
only our pages show. Loaded by app.py when needed.
"""

import gc
import json

import settings

from . import ENDING, TRYING
from .app import plain, pulse, redirect, same
from .exchange import forget
from .markup import block


def change(portal, request, host: str):
    """The answer to a POST."""
    node = portal.node
    headers = request.headers
    site = headers.get("sec-fetch-site", "none")
    if site not in ("same-origin", "none") or headers.get("origin", "http://" + host).lower() != "http://" + host:
        return plain(403)
    if not same(portal.token.encode(), (request.form.get("token") or "").encode()):
        return _page(portal, request).message(403, b"m.form", False)
    progress = node.progress()
    if progress is not None and progress[0] in (TRYING, ENDING):
        return _page(portal, request).message(403, b"m.busy", True)
    if request.path == "/restart":
        node.restart()
        return _page(portal, request).message(200, b"m.restart", True)
    if request.path == "/reset":
        if request.form.get("sure") == "on":
            node.factory_reset()
            return _page(portal, request).message(200, b"m.reset", True)
    elif "rescan" in request.form:
        node.rescan()
    else:
        from .answers import changes

        patch, faults = changes(request.form, node)
        del changes
        forget("answers form networks probes")
        settings.release()
        gc.collect()
        faults = faults or node.save(patch)
        if faults:
            page = _page(portal, request)
            page.faults = faults
            page.answers = request.form
            return page.whole(422)
    return redirect(303, "/" + ("?" + str(request.query, "utf-8") if request.query in (b"lang=en", b"lang=zh") else ""))


def _page(portal, request):
    from .page import Page

    return Page(portal, request, pulse(portal))


def export(portal):
    """The settings without secrets, as a file."""
    yield from block("", b"head", "200 OK")
    yield from block("", b"json")
    redacted = portal.node.export()
    comma = ""
    for section in redacted:
        yield (comma + "\n " + json.dumps(section) + ": " + json.dumps(redacted[section])).encode()
        comma = ","
    yield b"\n}\n"
