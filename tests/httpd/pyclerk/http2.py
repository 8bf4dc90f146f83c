# SPDX-License-Identifier: Apache-2.0
"""One request over HTTP/2 without TLS, field for field as it is passed in: pseudo-header fields and trailers too (RFC 9113, RFC 7541)."""

import socket
import struct

from .client import Response

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _GOAWAY = 0, 1, 3, 4, 7
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_STATUS = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
_DIGITS = {"00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5", "011100": "6", "011101": "7", "011110": "8",
           "011111": "9"}


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _text(value):
    data = value.encode("latin-1")
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, size = len(data) - 127, b"\x7f"
    while rest >= 128:
        size += bytes([rest % 128 + 128])
        rest //= 128
    return size + bytes([rest]) + data


def _fields(pairs):
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in pairs)


def _status(block):
    """The first field of a response: an entry of the static table, or its name with a text of three digits."""
    if block[0] in _STATUS:
        return _STATUS[block[0]]
    assert block[0] & 0x0F == 8 or block[0] == 0x48, block
    size = block[1] & 0x7F
    if not block[1] & 0x80:
        return int(block[2 : 2 + size])
    bits, text = "".join(f"{byte:08b}" for byte in block[2 : 2 + size]), ""
    while len(text) < 3:
        code = next(code for code in _DIGITS if bits.startswith(code))
        text, bits = text + _DIGITS[code], bits[len(code) :]
    return int(text)


def request(port, method, path, headers=(), body=None, trailers=(), pseudo=(), timeout=20.0):
    """status None: the server ended the stream or the connection without an answer."""
    pairs = [(":method", method), (":scheme", "http"), (":path", path), (":authority", f"127.0.0.1:{port}"), *pseudo,
             *((name.lower(), value) for name, value in (headers.items() if isinstance(headers, dict) else headers))]
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0)
    data += _frame(_HEADERS, _END_HEADERS | (0 if body is not None else _END_STREAM), 1, _fields(pairs))
    if body is not None:
        data += _frame(_DATA, 0 if trailers else _END_STREAM, 1, body)
    if trailers:
        data += _frame(_HEADERS, _END_HEADERS | _END_STREAM, 1, _fields((name.lower(), value) for name, value in trailers))
    with socket.create_connection(("127.0.0.1", port), timeout) as connection, connection.makefile("rb") as stream:
        connection.sendall(data)
        return _answer(connection, stream)


def upgrade(port, path, headers, timeout=20.0):
    """GET as HTTP/1.1 with a request to go on as HTTP/2; the answer comes on stream 1."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{name}: {value}" for name, value in headers), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout) as connection, connection.makefile("rb") as stream:
        connection.sendall("\r\n".join(lines).encode())
        status = stream.readline()
        assert status.startswith(b"HTTP/1.1 101 "), status
        while stream.readline().strip():
            pass
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0))
        return _answer(connection, stream)


def _answer(connection, stream):
    status, content = None, b""
    while len(head := stream.read(9)) == 9:
        payload = stream.read(int.from_bytes(head[:3], "big"))
        kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == _SETTINGS and not flags & _ACK:
            connection.sendall(_frame(_SETTINGS, _ACK, 0))
        elif kind == _HEADERS and status is None:
            status = _status(payload)
        elif kind == _DATA:
            content += payload
        if kind in (_RST_STREAM, _GOAWAY) or (number == 1 and kind in (_HEADERS, _DATA) and flags & _END_STREAM):
            break
    return Response(status, [], content)
