"""pooler.py LISTEN SERVER [shared]: a pooler of sessions between two sockets, for tests; as PgBouncer it tells clients another
process than the server's. Each client has a session of its own; or, shared, all have one, statement by statement. It writes
"ready" as soon as it can be reached, and ends with its parent."""
import itertools
import os
import socket
import struct
import sys
import threading

numbers = itertools.count(1)


def read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def message(sock: socket.socket) -> tuple[bytes, bytes]:
    """Its kind, and all of it."""
    head = read(sock, 5)
    return head[:1], head + read(sock, struct.unpack("!i", head[1:])[0] - 4)


def startup(sock: socket.socket) -> bytes:
    head = read(sock, 4)
    return head + read(sock, struct.unpack("!i", head)[0] - 4)


def until_ready(server: socket.socket) -> list[tuple[bytes, bytes]]:
    got = [message(server)]
    while got[-1][0] != b"Z":
        got.append(message(server))
    return got


def disguised(greeting: list[tuple[bytes, bytes]]) -> bytes:
    key = b"K" + struct.pack("!iii", 12, 2000000000 + next(numbers), 0)
    return b"".join(key if kind == b"K" else data for kind, data in greeting)


def connect(path: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    return server


def relay(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def lend(client: socket.socket, path: str) -> None:
    server = connect(path)
    server.sendall(startup(client))
    client.sendall(disguised(until_ready(server)))
    threading.Thread(target=relay, args=(server, client), daemon=True).start()
    relay(client, server)


class Shared:
    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = threading.Lock()
        self.server: socket.socket | None = None
        self.greeting: list[tuple[bytes, bytes]] = []

    def greet(self, first: bytes) -> socket.socket:
        with self.lock:
            if self.server is None:
                self.server = connect(self.path)
                self.server.sendall(first)
                self.greeting = until_ready(self.server)
            return self.server

    def lend(self, client: socket.socket) -> None:
        server = self.greet(startup(client))
        client.sendall(disguised(self.greeting))
        while (got := message(client))[0] != b"X":
            with self.lock:
                server.sendall(got[1])
                client.sendall(b"".join(data for _, data in until_ready(server)))


def serve(client: socket.socket, path: str, shared: Shared | None) -> None:
    try:
        if shared:
            shared.lend(client)
        else:
            lend(client, path)
    except (EOFError, OSError):
        pass
    client.close()


def main() -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    shared = Shared(sys.argv[2]) if "shared" in sys.argv else None
    print("ready", flush=True)

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client, sys.argv[2], shared), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()  # the parent holds the other end
    os._exit(0)


main()
