"""A label for a node: how to join its access point, as text, as a QR code for a phone, and as SVG to print."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import segno

QUIET = 4  # modules of white around the code
SCALE = 4  # units of the picture for one module
LINE = 18  # units from one line of text to the next


@dataclass(frozen=True)
class Label:
    """name: of the node. ssid, key: of its access point, key "" if it is open. address: of its page."""

    name: str
    ssid: str
    key: str
    address: str

    @classmethod
    def of(cls, cfg: Mapping[str, Any]) -> Label:
        """The label of a node with these settings, in which the access point is named."""
        wifi = cfg["wifi"]
        key = "" if wifi["ap_open"] else wifi["ap_key"]
        return cls(cfg["device"].get("name") or wifi["ap_ssid"], wifi["ap_ssid"], key, wifi["ap_address"])

    @property
    def uri(self) -> str:
        """What the QR code says, as phones understand it (the WIFI: form of ZXing)."""
        ssid, key = _quoted(self.ssid), _quoted(self.key)
        return f"WIFI:T:WPA;S:{ssid};P:{key};;" if self.key else f"WIFI:T:nopass;S:{ssid};;"

    def lines(self) -> list[str]:
        return [self.name, f"WiFi  {self.ssid}", f"key   {self.key or '(open)'}", f"page  http://{self.address}/"]

    def text(self) -> str:
        """Lines, and the QR code in block characters."""
        out = io.StringIO()
        segno.make(self.uri, error="m", micro=False).terminal(out, border=2, compact=True)
        return "\n".join(self.lines()) + "\n" + out.getvalue()

    def svg(self) -> str:
        """The QR code with the lines to its right; black on white, self-contained."""
        code = segno.make(self.uri, error="m", micro=False)
        side = (code.symbol_size(border=QUIET)[0]) * SCALE
        path = code.svg_inline(scale=SCALE, border=QUIET)
        width = side + 10 * max(len(line) for line in self.lines()) + 20
        rows = "".join(
            f'<text x="{side}" y="{QUIET * SCALE + LINE * (i + 1)}" font-weight="{700 if i == 0 else 400}">{escape(line)}</text>'
            for i, line in enumerate(self.lines())
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{side}" viewBox="0 0 {width} {side}">'
            f'<rect width="100%" height="100%" fill="#fff"/>{path}'
            f'<g font-family="monospace" font-size="14" xml:space="preserve">{rows}</g></svg>\n'
        )


def _quoted(text: str) -> str:
    for sign in '\\;,:"':
        text = text.replace(sign, "\\" + sign)
    return text
