"""TLS on MicroPython: mbedTLS (unix VM) with the broker's certificate checked, axTLS (ESP8266), which can't check
it."""

import tls

if False:  # for the type checker; compiled to nothing
    from typing import Any

_TIMEOUT = 10  # s, for one blocking read or write of axTLS


def wrap(transport, host: str, ssl: "Any") -> None:
    """Put TLS over the transport's socket. ssl: True, the path of a CA file (DER), or an SSLContext."""
    sock = transport.sock
    checks = hasattr(tls, "CERT_REQUIRED")
    if ssl is True or isinstance(ssl, str):
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        if checks:
            if ssl is True:
                raise ValueError(
                    "ssl: this platform has no CA certificates of its own, the path of a CA file (DER) is wanted"
                )
            context.verify_mode = tls.CERT_REQUIRED  # type: ignore[attr-defined]  # of mbedTLS
            with open(ssl, "rb") as f:
                context.load_verify_locations(f.read())  # type: ignore[attr-defined]  # of mbedTLS
    else:
        context = ssl
    if checks:
        transport.io = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    else:
        transport.exact = True
        sock.settimeout(_TIMEOUT)
        transport.io = context.wrap_socket(sock, server_hostname=host)
