"""DS18B20 on 1-Wire, several on one pin, told apart by address. Uses the frozen `onewire`; the commands are here and
not the frozen ds18x20's, which take the power-on value of 85 °C and a shorted line's zeros (0 °C) for temperatures.

Wired with three wires: a parasite-powered one needs a strong pull-up that the board has not.
"""

from . import ReadError, const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any

    from .spec import Spec

FAMILIES = (0x28, 0x22)  # DS18B20, DS1822
MOST = 16  # on one pin
_CONVERT = 0x44
_READ = 0xBE
_WRITE = 0x4E
_SKIP_ROM = 0xCC
_CONVERT_MS = 750  # at 12 bits; halves with each bit less
_POWER_ON = 0x0550  # 85 °C


class Driver:
    """`pin`; `addresses`: {"28ff641d8fdf18c1": "boiler", …}, or none: all that are found.

    The values are "temperature" for a single one that was found, else "temperature_" and the name or the address.
    `resolution`: 9 … 12 bits.
    """

    FIELDS: tuple = ()
    DEADLINE_MS = 5_000

    def __init__(self, spec: "Spec", board: "Any") -> None:
        self._board = board
        self._number = spec.pin("pin", board, "bus")
        self._bits = spec.integer("resolution", 9, 12, 12)
        self._roms = []
        names = spec.get("addresses")
        if names is not None:
            if not isinstance(names, dict) or not 1 <= len(names) <= MOST:
                raise spec.fault("addresses", 'an object such as {"28ff641d8fdf18c1": "boiler"}')
            self._roms = sorted([_rom(spec, a) for a in names])
            by_rom = dict([(_rom(spec, a), names[a]) for a in names])
            for name in by_rom.values():
                if not spec.is_word(name) or list(by_rom.values()).count(name) > 1:
                    raise spec.fault("addresses", "names of 1 to 32 letters, digits, _ or -, all different,")
            self.FIELDS = tuple([_field("_" + by_rom[rom]) for rom in self._roms])
        self._found = names is None
        self._bus: "Any" = None
        self._scratch = bytearray(9)

    async def start(self) -> None:
        """Find the sensors, unless they are given, and set their resolution."""
        self._bus = self._board.shared(self._number, self._make_bus)
        if self._found and not self._roms:
            await self._find()
        config = ((self._bits - 9) << 5) | 0x1F
        for rom in self._roms:
            self._reset()
            self._bus.select_rom(rom)
            for byte in (_WRITE, 0, 0, config):  # alarm limits are not used
                self._bus.writebyte(byte)
            await self._board.clock.sleep_ms(0)

    async def read(self) -> list:
        """[°C] of each, or why it could not be had. The bus is held about 12 ms for each."""
        self._reset()
        self._bus.writebyte(_SKIP_ROM)
        self._bus.writebyte(_CONVERT)
        await self._board.clock.sleep_ms((_CONVERT_MS >> (12 - self._bits)) + 10)
        values: "list" = []
        for rom in self._roms:
            try:
                values.append(self._celsius(rom))
            except ReadError as e:
                values.append(e)
            await self._board.clock.sleep_ms(0)
        return values

    def _make_bus(self) -> "Any":
        import onewire  # frozen in the port's firmware

        return onewire.OneWire(self._board.machine.Pin(self._number))

    async def _find(self) -> None:
        self._reset()
        roms = [bytes(rom) for rom in self._bus.scan() if rom[0] in FAMILIES and not self._bus.crc8(rom)]
        await self._board.clock.sleep_ms(0)
        if not roms:
            raise ReadError("no DS18B20 found on GPIO%d" % self._number)
        self._roms = sorted(roms)[:MOST]
        one = len(roms) == 1
        self.FIELDS = tuple([_field("" if one else "_" + _text(rom)) for rom in self._roms])

    def _reset(self) -> None:
        if not self._bus.reset():
            raise ReadError("no answer on GPIO%d" % self._number)

    def _celsius(self, rom: bytes) -> float:
        raw = self._scratch
        self._reset()
        self._bus.select_rom(rom)
        self._bus.writebyte(_READ)
        self._bus.readinto(raw)
        if all([byte == 0xFF for byte in raw]):  # nobody pulled the line low
            raise ReadError("%s does not answer" % _text(rom))
        if self._bus.crc8(raw):
            raise ReadError("%s: bad checksum" % _text(rom))
        if raw[4] & 0x1F != 0x1F:  # fixed bits of the configuration register
            raise ReadError("GPIO%d is held low" % self._number)
        value = raw[0] | raw[1] << 8
        if value == _POWER_ON and raw[6] == 0x0C:
            raise ReadError("%s did not convert (its supply?)" % _text(rom))
        return celsius(value, self._bits)


def celsius(raw: int, bits: int = 12) -> float:
    """1/16 °C in two's complement; the bits below the resolution are undefined and cut (data sheet, table 1)."""
    if raw & 0x8000:
        raw -= 0x10000
    return (raw >> (12 - bits) << (12 - bits)) / 16


def _field(suffix: str) -> tuple:
    return ("temperature" + suffix, "°C", 2, -55, 125)


def _text(rom: bytes) -> str:
    return "".join(["%02x" % b for b in rom])


def _rom(spec: "Spec", address: str) -> bytes:
    digits = address.lower() if isinstance(address, str) else ""
    if len(digits) != 16 or not all(c in "0123456789abcdef" for c in digits):
        raise spec.fault("addresses", "addresses of 16 hex digits")
    return bytes([int(digits[i : i + 2], 16) for i in range(0, 16, 2)])
