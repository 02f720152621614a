#!/usr/bin/env python3
"""A small OpenStack on one port, just enough for passes that create servers, which then build for ever.

usage: cloud.py PORT [CERTIFICATE.pem KEY.pem]      listens on all addresses; writes a line per request to stdout

REPLICAS names addresses, with commas: an active server of the pool stands at each from the start.
"""

import http.server
import itertools
import json
import os
import ssl
import sys
import time
import urllib.parse

PROJECT = "0123456789abcdef0123456789abcdef"
SERVERS = []
IDS = itertools.count()


def catalog(base):
    services = {"compute": "/compute/v2.1", "network": "/network", "image": "/image"}
    return [
        {"type": kind, "name": kind, "endpoints": [{"interface": "public", "region": "SBG7", "region_id": "SBG7", "url": base + path}]}
        for kind, path in services.items()
    ]


def token(base):
    return {"token": {
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": "2026-01-02T00:00:00.000000Z",
        "project": {"id": PROJECT, "name": "pool", "domain": {"id": "default", "name": "Default"}},
        "catalog": catalog(base),
    }}


def ago(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds))


def create(request):
    wish = request["server"]
    for number in range(1, wish.get("max_count", 1) + 1):
        SERVERS.append({
            "id": f"server-{next(IDS)}", "name": f"{wish['name']}-{number}", "status": "BUILD",
            "OS-EXT-STS:vm_state": "building", "OS-EXT-STS:task_state": "spawning", "OS-SRV-USG:launched_at": None,
            "created": ago(0), "updated": ago(0), "addresses": {}, "locked": False,
            "metadata": wish["metadata"],
        })
    return {"server": {"id": SERVERS[-1]["id"]}}


def active(address):
    return {
        "id": f"server-{next(IDS)}", "name": "active", "status": "ACTIVE",
        "OS-EXT-STS:vm_state": "active", "OS-EXT-STS:task_state": None, "OS-SRV-USG:launched_at": ago(3600)[:-1],
        "created": ago(3600), "updated": ago(3600), "locked": False, "metadata": {"group": "scaler"},
        "addresses": {"Ext-Net": [{"addr": address, "version": 4, "OS-EXT-IPS:type": "fixed"}]},
    }


ANSWERS = {
    "/compute/v2.1": {"version": {"id": "v2.1", "version": "2.90", "min_version": "2.1", "status": "CURRENT"}},
    "/compute/v2.1/flavors/detail": {"flavors": [{"id": "flavor-1", "name": "d2-8"}]},
    "/compute/v2.1/flavors": {"flavors": [{"id": "flavor-1", "name": "d2-8"}]},
    "/image/v2/images": {"images": [
        {"id": "image-1", "name": "Debian 12", "status": "active", "created_at": "2026-01-01T00:00:00Z"}]},
    "/network/v2.0/networks": {"networks": [{"id": "network-1", "name": "Ext-Net"}]},
    "/network/v2.0/floatingips": {"floatingips": []},
}


class Cloud(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = urllib.parse.urlparse(self.path).path.rstrip("/")
        if path == "/compute/v2.1/servers/detail":
            self.answer(200, {"servers": SERVERS})
        elif path in ANSWERS:
            self.answer(200, ANSWERS[path])
        elif server := self.server_of(path):
            self.answer(200, {"server": server})
        else:
            self.answer(404, {"itemNotFound": {"message": f"no {path} here", "code": 404}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        if self.path.endswith("/auth/tokens"):
            identity = body["auth"]["identity"]
            if identity["password"]["user"]["password"] != "secret":
                return self.answer(401, {"error": {"message": "wrong password", "code": 401}})
            base = f"{'https' if len(sys.argv) > 2 else 'http'}://{self.headers['Host']}"
            return self.answer(201, token(base), {"X-Subject-Token": "token"})
        if self.path.endswith("/servers"):
            return self.answer(202, create(body))
        return self.answer(404, {})

    def do_DELETE(self):
        server = self.server_of(self.path)
        if not server:
            return self.answer(404, {"itemNotFound": {"message": f"no {self.path} here", "code": 404}})
        SERVERS.remove(server)
        return self.answer(204, {})

    @staticmethod
    def server_of(path):
        return next((server for server in SERVERS if path == f"/compute/v2.1/servers/{server['id']}"), None)

    def answer(self, status, value, headers=None):
        body = b"" if status == 204 else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, _format, *arguments):
        print(self.command, self.path, arguments[1] if len(arguments) > 1 else "", flush=True)


def main():
    SERVERS.extend(active(address) for address in os.environ.get("REPLICAS", "").split(",") if address)
    server = http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Cloud)
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


main()
