"""The rules for strings in packets (§1.5.3, §4.7), and their faults in words."""


def text_bytes(text: str, name: str) -> bytes:
    """UTF-8 of `text` for a length-prefixed field: at most 65,535 bytes, no NUL, no lone surrogate."""
    if not isinstance(text, str):
        raise TypeError("%s: str wanted, %s given" % (name, type(text).__name__))
    try:
        raw = text.encode()
    except UnicodeError:  # CPython refuses lone surrogates here
        raw = b"\0"
    if len(raw) > 65535:
        raise ValueError("%s: at most 65535 bytes wanted, %d given" % (name, len(raw)))
    if b"\0" in raw or not is_utf8(raw):
        raise ValueError("%s: has NUL or a surrogate" % name)
    return raw


def topic_bytes(topic: str, name: str) -> bytes:
    """UTF-8 of a topic name: not empty, no wildcards."""
    raw = text_bytes(topic, name)
    if not raw:
        raise ValueError("%s: is empty" % name)
    if b"+" in raw or b"#" in raw:
        raise ValueError("%s: has a wildcard, which is for subscriptions only" % name)
    return raw


def is_utf8(raw: bytes) -> bool:
    """Whether `raw` is UTF-8 without surrogates and overlong forms (Unicode, table 3-7); MicroPython itself is
    laxer."""
    i = 0
    size = len(raw)
    while i < size:
        b = raw[i]
        i += 1
        if b < 0x80:
            continue
        if not 0xC2 <= b <= 0xF4:
            return False
        # smallest and largest second byte; the others are 0x80..0xBF
        low = 0xA0 if b == 0xE0 else 0x90 if b == 0xF0 else 0x80
        high = 0x9F if b == 0xED else 0x8F if b == 0xF4 else 0xBF
        for _ in range(1 + (b >= 0xE0) + (b >= 0xF0)):
            if i >= size or not low <= raw[i] <= high:
                return False
            low = 0x80
            high = 0xBF
            i += 1
    return True
