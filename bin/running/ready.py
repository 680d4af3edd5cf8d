"""Asks each part of the line whether it answers."""
import http.client
import poplib
import socket
import ssl
import struct

TRY = 5.0


def pair(name, value):
    name, value = name.encode(), value.encode()
    return struct.pack("!BB", len(name), len(value)) + name + value


def fastcgi(path):
    """True once the program behind the socket PATH has answered a request, whatever it said."""
    params = b"".join(pair(*words) for words in (("REQUEST_METHOD", "GET"), ("REQUEST_URI", "/"), ("DOCUMENT_URI", "/"), ("SCRIPT_NAME", "/"), ("SERVER_PROTOCOL", "HTTP/1.1"), ("CONTENT_LENGTH", ""), ("QUERY_STRING", ""), ("REMOTE_ADDR", "127.0.0.1")))
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(TRY)
        one.connect(path)
        begin = struct.pack("!BBHHBxHB5x", 1, 1, 1, 8, 0, 1, 0)
        one.sendall(begin + struct.pack("!BBHHBx", 1, 4, 1, len(params), 0) + params + struct.pack("!BBHHBx", 1, 4, 1, 0, 0) + struct.pack("!BBHHBx", 1, 5, 1, 0, 0))
        return len(one.recv(8)) > 0


def seqpacket(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
        one.settimeout(TRY)
        one.connect(path)
        return True


def datagram(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.connect(path)
        return True


def context(authority):
    made = ssl.create_default_context(cafile=authority)
    made.check_hostname = False  # the address of the listener may be any
    return made


def https(host, port, path, authority, expected=None):
    connection = http.client.HTTPSConnection(host, port, timeout=TRY, context=context(authority))
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
        return expected is None or status == expected
    finally:
        connection.close()


def plain(host, port):
    connection = http.client.HTTPConnection(host, port, timeout=TRY)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 404
    finally:
        connection.close()


def pop3(port, user, password, authority):
    connection = poplib.POP3_SSL("127.0.0.1", port, timeout=TRY, context=context(authority))
    try:
        connection.user(user)
        connection.pass_(password)
        return True
    finally:
        connection.quit()


def answers(question):
    """A question of the above, as a function without arguments."""
    try:
        return bool(question())
    except (OSError, ssl.SSLError, http.client.HTTPException, poplib.error_proto, EOFError):
        return False
