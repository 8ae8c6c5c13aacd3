"""TLS with a client certificate, for the platforms that ask for one. Loaded before an attempt to connect, then let go."""

import errno

import tls


def context(cert: str, key: str) -> object:
    """An SSLContext with certificate and key from these files (DER), which checks nothing: the chip's TLS cannot.

    Raises OSError where a file is missing or of no use.
    """
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    if hasattr(tls, "CERT_REQUIRED"):
        made.verify_mode = tls.CERT_NONE  # type: ignore[attr-defined]  # of mbedTLS
    found = []
    for file in (cert, key):
        try:
            with open(file, "rb") as f:
                found.append(f.read())
        except OSError:
            raise OSError(errno.ENOENT, "the file %s is missing on the board" % file)
    try:
        made.load_cert_chain(found[0], found[1])
    except ValueError as e:
        raise OSError(errno.EINVAL, "%s and %s: %s" % (cert, key, e))
    return made
