"""TLS against mosquitto with a certificate authority made for the test: checked, and refused in words, in both VMs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.brokers import Mosquitto
from tests.integration.mqtt_runs import HERE, PYTHONS, Program


def write_der(ca: trustme.CA, path: Path) -> Path:
    certificate = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    path.write_bytes(certificate.public_bytes(Encoding.DER))
    return path


class Secured:
    """mosquitto behind TLS. port; ca, other_ca: files."""

    def __init__(self, program: str, folder: Path, *names: str) -> None:
        ca = trustme.CA()
        certificate = ca.issue_cert(*names)
        self.ca = write_der(ca, folder / "ca.der")
        self.other_ca = write_der(trustme.CA(), folder / "other.der")
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        key.write_bytes(certificate.private_key_pem.bytes())
        self.broker = Mosquitto(program, folder, f"certfile {chain}\nkeyfile {key}\n")
        self.port = self.broker.port


@pytest.fixture
def secured(need, tmp_path: Path) -> Iterator[Secured]:
    made = Secured(need("mosquitto"), tmp_path, "localhost", "127.0.0.1")
    try:
        made.broker.start()
        yield made
    finally:
        made.broker.stop()


def outcome(python: str, host: str, port: int, ca: Path | str) -> str:
    program = Program(python, HERE / "mqtt_tls_client.py", host, port, ca)
    try:
        assert program.wait(30) == 0, program.output
    finally:
        program.end()
    return next((line for line in program.lines if line.startswith("@")), program.output)


@pytest.mark.parametrize("python", PYTHONS)
def test_verified(python: str, secured: Secured) -> None:
    assert outcome(python, "localhost", secured.port, secured.ca) == "@ok"


@pytest.mark.parametrize("python", PYTHONS)
def test_wrong_authority(python: str, secured: Secured) -> None:
    said = outcome(python, "localhost", secured.port, secured.other_ca)
    assert said.startswith("@error") and "certificate" in said.lower(), said


@pytest.mark.parametrize("python", PYTHONS)
def test_wrong_host_name(python: str, need, tmp_path: Path) -> None:
    made = Secured(need("mosquitto"), tmp_path, "broker.example")
    try:
        made.broker.start()
        said = outcome(python, "localhost", made.port, made.ca)
        assert said.startswith("@error") and "certificate" in said.lower(), said
    finally:
        made.broker.stop()


@pytest.mark.parametrize("python", PYTHONS)
def test_system_authorities_do_not_know_it(python: str, secured: Secured) -> None:
    said = outcome(python, "localhost", secured.port, "system")
    assert said.startswith("@error") and ("certificate" in said.lower() or "CA" in said), said


@pytest.mark.parametrize("python", PYTHONS)
def test_a_broker_without_tls(python: str, mosquitto: Mosquitto, secured: Secured) -> None:
    assert outcome(python, "localhost", mosquitto.port, secured.ca).startswith("@error")


@pytest.mark.parametrize("python", PYTHONS)
def test_tls_wanted_and_not_asked_for(python: str, secured: Secured) -> None:
    program = Program(python, HERE / "mqtt_behaviour.py", secured.port, "mosquitto", "empty_identifier")
    try:
        program.wait(30)  # the VM's exit code says nothing
        assert "@done" not in program.lines
    finally:
        program.end()
