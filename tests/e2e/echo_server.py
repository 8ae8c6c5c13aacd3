"""A TCP server that echoes, and remembers what came and how each connection ended."""

from __future__ import annotations

import socket
import threading


class EchoServer:
    """Echoes on 127.0.0.1; `received` is all that came, `ends` how each connection ended: "FIN" or "RST"."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ends: list[str] = []
        self.connected = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._clients.append(client)
            self.connected += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            while data := client.recv(4096):
                self.received += data
                client.sendall(data)
            self.ends.append("FIN")
            client.close()
        except OSError:
            self.ends.append("RST")

    def close(self) -> None:
        self._listener.close()
        for client in self._clients:
            client.close()
