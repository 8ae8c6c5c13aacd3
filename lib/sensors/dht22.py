"""DHT22 (AM2302) and DHT11 on one pin, read by the frozen `dht` module's transfer.

The transfer itself holds the processor for about 25 ms: the port does it in one piece. A sensor asked again within two
seconds answers with the old values.
"""

from . import ReadError, const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec


class Driver:
    """`pin`; a pull-up of 4.7 … 10 kΩ on it, if the module has none."""

    FIELDS: tuple = (("temperature", "°C", 1, -40, 80), ("humidity", "%", 1, 0, 100))
    MIN_PERIOD = 2

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._board = board
        self._number = spec.pin("pin", board, "bus")
        self._celsius_percent = dht11 if spec.get("type") == "dht11" else dht22
        self._buffer = bytearray(5)
        self._pin: "Any" = None
        self._transfer: "Any" = None

    async def start(self) -> None:
        """Release the line; a sensor just powered needs a second before it is asked."""
        import dht  # frozen in the port's firmware

        self._transfer = dht.dht_readinto  # type: ignore[attr-defined]  # not in the stubs
        self._pin = self._board.input(self._number, "up")
        await self._board.clock.sleep_ms(1000)

    async def read(self) -> list:
        """[°C, %]"""
        raw = self._buffer
        try:
            self._transfer(self._pin, raw)
        except OSError as e:
            raise ReadError("no answer on GPIO%d (%s)" % (self._number, e))
        if (raw[0] + raw[1] + raw[2] + raw[3]) & 0xFF != raw[4]:
            raise ReadError("bad checksum")
        if not (raw[0] or raw[1] or raw[2] or raw[3]):
            raise ReadError("only zeros: GPIO%d is held low" % self._number)
        return list(self._celsius_percent(raw))


def dht22(raw: bytes) -> tuple[float, float]:
    """(°C, %) in tenths; bit 15 of the temperature is its sign."""
    tenths = (raw[2] & 0x7F) << 8 | raw[3]
    return (-tenths if raw[2] & 0x80 else tenths) / 10, (raw[0] << 8 | raw[1]) / 10


def dht11(raw: bytes) -> tuple[float, float]:
    """(°C, %) in whole units, then tenths, which old parts leave 0; bit 7 of the tenths is the sign."""
    tenths = raw[2] * 10 + (raw[3] & 0x7F)
    return (-tenths if raw[3] & 0x80 else tenths) / 10, (raw[0] * 10 + raw[1]) / 10
