"""A mail server and a webhook receiver of the tests' own, on loopback: they keep what they get, and misbehave when told."""
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import socketserver
import ssl
import threading


class MailServer:
    """SMTP (RFC 5321) with STARTTLS and AUTH PLAIN; one thread a connection. `mails` are (sender, recipient, message, over TLS, user)."""

    def __init__(self, certificate, key, port=0, user=None, password=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.user, self.password = user, password
        self.mails, self.raw = [], []
        self.hanging = False
        self.refuse = None
        self.hung = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.hanging:
                self.hung.release()
                while connection.recv(4096):
                    pass
                return
            self.converse(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def converse(self, connection):
        secure, user, sender, recipients = False, None, None, []
        file = connection.makefile("rb")

        def say(line):
            connection.sendall(line.encode() + b"\r\n")

        say("220 mail.test ESMTP")
        while line := file.readline().decode():
            verb = line.split(" ")[0].strip().upper()
            if verb == "EHLO":
                say("250-mail.test\r\n250-8BITMIME" + ("" if secure else "\r\n250-STARTTLS") + ("\r\n250 AUTH PLAIN" if self.user else "\r\n250 HELP"))
            elif verb == "STARTTLS":
                say("220 go ahead")
                file.close()
                connection = self.context.wrap_socket(connection, server_side=True)
                file, secure = connection.makefile("rb"), True
            elif verb == "AUTH":
                words = line.split()
                if len(words) < 3:
                    say("334 ")
                    words.append(file.readline().decode().strip())
                user = base64.b64decode(words[2]).decode().split("\0")[1:]
                say("235 welcome" if user == [self.user, self.password] else "535 5.7.8 wrong password")
            elif verb == "MAIL":
                sender, recipients = line.split("<")[1].split(">")[0], []
                say("250 ok")
            elif verb == "RCPT":
                recipients.append(line.split("<")[1].split(">")[0])
                say(self.refuse if self.refuse else "250 ok")
            elif verb == "DATA":
                say("354 go on")
                data = b""
                while (part := file.readline()) != b".\r\n":
                    data += part[1:] if part.startswith(b".") else part
                self.raw.append(data)
                for recipient in recipients:
                    self.mails.append((sender, recipient, email.message_from_bytes(data, policy=email.policy.default), secure, user and user[0]))
                say("250 2.0.0 Ok: queued as 4F2")
            elif verb == "QUIT":
                return say("221 bye")
            else:
                say("502 what?")

    def subjects(self, recipient=None):
        return [mail[2]["Subject"] for mail in list(self.mails) if recipient in (None, mail[1])]


class Hook:
    """A webhook that checks signatures as Standard Webhooks says. `got` are (id, JSON) of those that were right."""

    def __init__(self, key):
        self.got, self.wrong = [], []
        self.status = 204
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
                expected = "v1," + base64.b64encode(hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()).decode()
                (hook.got if self.headers["webhook-signature"] == expected else hook.wrong).append((self.headers["webhook-id"], json.loads(body)))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?for=fax"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
