# SPDX-License-Identifier: Apache-2.0
"""HTTP for the cloud's services: one request in, one answer out, and a line in calls.jsonl before the answer leaves."""
import http.server
import json
import os
import socket
import threading
import time
import traceback
import urllib.parse

BODY_MAX = 1 << 20
HANG_S = 3600


class Request:
    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query, self.headers, self.body = method, path, query, headers, body

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)


class Answer:
    """.cut: send only so many bytes of the body, then end the connection. .hang: never send anything."""

    def __init__(self, status, body=b"", kind="text/plain", headers=(), cut=None, hang=False):
        self.status, self.kind, self.headers, self.cut, self.hang = status, kind, list(headers), cut, hang
        self.body = body.encode() if isinstance(body, str) else body


class Recorder:
    """STATE/calls.jsonl: one line for each call, in the order of their answers. Secrets and tokens are left out."""

    def __init__(self, state):
        path = os.path.join(state, "calls.jsonl")
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def add(self, service, action, params, status, by="tool", error=None):
        row = {"service": service, "action": action, "params": params, "status": status, "time": time.time(), "by": by}
        if error:
            row["error"] = error
        os.write(self.fd, (json.dumps(row) + "\n").encode())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120

    def version_string(self):
        return self.server.name

    def log_message(self, *_):
        pass

    def _read(self):
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Transfer-Encoding") or not 0 <= length <= BODY_MAX:
            return None
        return self.rfile.read(length)

    def _serve(self):
        body = self._read()
        parts = urllib.parse.urlsplit("http://x" + self.path if self.path.startswith("/") else self.path)
        try:
            if body is None:
                answer = Answer(413)
                self.close_connection = True
            else:
                answer = self.server.application(
                    Request(self.command, parts.path, parts.query, list(self.headers.items()), body))
        except Exception:   # a fault of the lab itself: visible in its log and to the caller
            traceback.print_exc()
            answer = Answer(500, "the lab failed: " + traceback.format_exc())
        self._send(answer)

    def _send(self, answer):
        if answer.hang:
            self.server.ending.wait(HANG_S)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))] + answer.headers:
            self.send_header(name, value)
        self.end_headers()
        body = answer.body if answer.cut is None else answer.body[:answer.cut]
        if self.command != "HEAD":
            self.wfile.write(body)
        if answer.cut is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = _serve

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() + self.server.skew_s() if timestamp is None else timestamp)


class Server(http.server.ThreadingHTTPServer):
    """A service on a loopback port of its own. @application(Request) -> Answer."""
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, name, application, skew_s=lambda: 0):
        self.name, self.application, self.skew_s, self.ending = name, application, skew_s, threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def server_bind(self):
        # Not HTTPServer's: that one asks the name service for the host's name, which can take seconds.
        http.server.socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        pass    # a client that went away

    def stop(self):
        self.ending.set()
        self.shutdown()
        self.server_close()
