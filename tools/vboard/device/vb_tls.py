"""In the VM: `tls` as the chip's axTLS has it: no certificate is checked, and none of the names for that is there."""

import tls

PROTOCOL_TLS_CLIENT = tls.PROTOCOL_TLS_CLIENT


def SSLContext(protocol):  # noqa: N802  (MicroPython's name)
    """A context of the VM's own TLS that does not check."""
    made = tls.SSLContext(protocol)
    made.verify_mode = tls.CERT_NONE
    return made
