# SPDX-License-Identifier: Apache-2.0
"""Applications behind mod_proxy, one for each of its protocols. Each answers with what it was sent, one item a line: `Name: value` where
the protocol carries header fields, `NAME=value` where it carries variables."""

import base64
import hashlib
import socket
import struct
import threading


class Backend:
    """Accepts connections on a port of its own and hands each to serve(), in a thread of its own."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with connection, connection.makefile("rb") as stream:
            connection.settimeout(20)
            try:
                self.serve(connection, stream)
            except OSError:  # the proxy has closed the connection
                pass

    def serve(self, connection, stream):
        raise NotImplementedError

    def stop(self):
        self.socket.close()


def _cgi_answer(lines):
    return b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"\n".join(lines) + b"\n"


class HttpBackend(Backend):
    """HTTP/1.1 as the bytes came: head and body, trailers too. Where an upgrade to WebSocket is asked for, it is granted, the head is sent
    as the first message, and what comes after it is sent back."""

    def serve(self, connection, stream):
        while True:
            head = self._lines(stream)
            if not head:
                return
            fields = [line.split(b":", 1) for line in head[1:]]
            named = {name.lower(): value.strip() for name, value in fields}
            text = b"\n".join(head) + b"\n"
            if named.get(b"upgrade", b"").lower() == b"websocket":
                key = named.get(b"sec-websocket-key", b"") + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                accept = base64.b64encode(hashlib.sha1(key).digest())
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + text + b"\n")
                while data := connection.recv(4096):
                    connection.sendall(data)
                return
            if b"chunked" in named.get(b"transfer-encoding", b""):
                while int(stream.readline().split(b";")[0], 16):
                    stream.readline()
                text += b"".join(b"trailer " + line + b"\n" for line in self._lines(stream))
            else:
                stream.read(int(named.get(b"content-length", b"0")))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(text) + text)

    @staticmethod
    def _lines(stream):
        lines = []
        while (line := stream.readline().rstrip(b"\r\n")):
            lines.append(line)
        return lines


class UwsgiBackend(Backend):
    def serve(self, connection, stream):
        _, size, _ = struct.unpack("<BHB", stream.read(4))
        data, lines = stream.read(size), []
        while data:
            (n,) = struct.unpack("<H", data[:2])
            (m,) = struct.unpack("<H", data[2 + n : 4 + n])
            lines.append(data[2 : 2 + n] + b"=" + data[4 + n : 4 + n + m])
            data = data[4 + n + m :]
        connection.sendall(_cgi_answer(lines))


class ScgiBackend(Backend):
    def serve(self, connection, stream):
        size = b""
        while (digit := stream.read(1)) != b":":
            size += digit
        items = stream.read(int(size) + 1).split(b"\0")[:-1]
        lines = [name + b"=" + value for name, value in zip(items[::2], items[1::2])]
        connection.sendall(_cgi_answer(lines).replace(b"HTTP/1.0", b"Status:", 1))


class AjpBackend(Backend):
    """The protocol of AJP (ajp13), requests without a body."""

    HEADERS = ("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Connection", "Content-Type", "Content-Length",
               "Cookie", "Cookie2", "Host", "Pragma", "Referer", "User-Agent")
    ATTRIBUTES = {3: "REMOTE_USER", 4: "AUTH_TYPE", 5: "QUERY_STRING", 6: "JVM_ROUTE", 12: "SECRET"}

    def serve(self, connection, stream):
        while (prefix := stream.read(4)):
            message = _Ajp(stream.read(struct.unpack(">HH", prefix)[1]))
            if message.number(1) == 10:  # CPING
                connection.sendall(b"AB\0\x01\x09")
                continue
            lines = self._forwarded(message)
            body = ("\n".join(lines) + "\n").encode("latin-1")
            head = b"\x04" + struct.pack(">H", 200) + _ajp_text(b"OK") + struct.pack(">H", 1) + b"\xa0\x01" + _ajp_text(b"text/plain")
            for packet in (head, b"\x03" + struct.pack(">H", len(body)) + body + b"\0", b"\x05\x01"):
                connection.sendall(b"AB" + struct.pack(">H", len(packet)) + packet)

    def _forwarded(self, message):
        message.number(1)  # the method
        for _ in range(5):
            message.text()  # protocol, URI, address, host, server
        message.number(3)  # port, whether TLS
        lines = []
        for _ in range(message.number(2)):
            known = message.peek(2) >> 8 == 0xA0
            name = self.HEADERS[message.number(2) - 0xA001] if known else message.text()
            lines.append(f"{name}: {message.text()}")
        while (code := message.number(1)) != 0xFF:
            name = message.text() if code == 10 else self.ATTRIBUTES.get(code, str(code))
            lines.append(f"{name}={message.text()}")
        return lines


class _Ajp:
    def __init__(self, data):
        self.data, self.at = data, 0

    def peek(self, size):
        return int.from_bytes(self.data[self.at : self.at + size], "big")

    def number(self, size):
        value = self.peek(size)
        self.at += size
        return value

    def text(self):
        size = self.number(2)
        if size == 0xFFFF:
            return ""
        value = self.data[self.at : self.at + size].decode("latin-1")
        self.at += size + 1
        return value


def _ajp_text(value):
    return struct.pack(">H", len(value)) + value + b"\0"


class RedisBackend(Backend):
    """The commands of redis that httpd uses, and no others. `values` is what it keeps."""

    def __init__(self):
        self.values = {}
        super().__init__()

    def serve(self, connection, stream):
        while (line := stream.readline()):
            words = []
            for _ in range(int(line[1:])):
                size = int(stream.readline()[1:])
                words.append(stream.read(size + 2)[:-2])
            connection.sendall(self._answer(words[0].upper(), words[1:]))

    def _answer(self, command, words):
        if command == b"SETEX":
            self.values[words[0]] = words[2]
        elif command == b"SET":
            self.values[words[0]] = words[1]
        elif command == b"GET":
            value = self.values.get(words[0])
            return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)
        elif command == b"DEL":
            return b":%d\r\n" % (self.values.pop(words[0], None) is not None)
        elif command != b"PING":
            return b"-ERR unknown command\r\n"
        return b"+PONG\r\n" if command == b"PING" else b"+OK\r\n"
