"""Just enough of an OpenStack, and its replicas, for a pool of any size. Nothing of it can be created in."""

import json
import socketserver
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\"'&"


def instant(ago):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


class Cloud:
    """`count` servers, of every kind, and an external address for each of the first `addresses` healthy ones."""

    def __init__(self, count, addresses):
        self.servers = {}
        self.floating = []
        self.deleted = []
        self.replicas = Replicas()
        for number in range(count):
            self._add(number, addresses)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def _add(self, number, addresses):
        address = f"127.90.{number // 250}.{number % 250 + 1}"
        state, task, launched, locked = "active", None, True, False
        says = (200, {"capacity": number % 3, "termination": False})
        if number % 50 == 7:
            says = (503, {})
        elif number % 100 == 11:
            state = "stopped"
        elif number % 125 == 13:
            state, task, launched = "building", "spawning", False
        elif number % 250 == 17:
            state, launched = "error", False
        elif number % 250 == 19:
            says, locked = (200, {"capacity": 0, "termination": True}), True
        self.replicas.says[address] = says
        name = EVIL if number == 3 else f"recorder-{number:04}"
        fixed = {"version": 4, "addr": address, "OS-EXT-IPS:type": "fixed"}
        identity = f"5b1e77d0-9c1f-4d5e-8a42-{number:012x}"
        self.servers[identity] = {
            "id": identity, "name": name, "status": "ACTIVE", "created": instant(86400 + number * 977),
            "updated": instant(3600), "metadata": {"group": "recorders"}, "locked": locked,
            "addresses": {} if state == "building" else {"Ext-Net": [fixed]},
            "OS-EXT-STS:vm_state": state, "OS-EXT-STS:task_state": task,
            "OS-SRV-USG:launched_at": instant(86000 + number * 977)[:-1] if launched else None,
        }
        if state == "building":
            self.servers[identity]["created"] = instant(60)
        if len(self.floating) < addresses and says[0] == 200 and state == "active" and not locked:
            port = {"device_id": identity, "device_owner": "compute:nova"}
            self.floating.append({
                "id": f"ip-{number}", "floating_ip_address": f"203.0.113.{len(self.floating) + 1}",
                "port_id": f"port-{number}", "fixed_ip_address": address, "status": "ACTIVE",
                "description": "recorders", "project_id": "p", "port_details": port})

    def answer(self, method, path):
        if path.endswith("/auth/tokens"):
            kinds = {"compute": "/compute/v2.1", "network": "/network/v2.0", "image": "/image/v2"}
            catalog = [{"type": kind, "name": kind, "id": kind, "endpoints": [
                {"id": kind, "interface": "public", "region": "SBG7", "region_id": "SBG7",
                 "url": self.url + suffix}]} for kind, suffix in kinds.items()]
            return 201, {"token": {"issued_at": instant(0), "expires_at": instant(-86400),
                                   "methods": ["password"], "catalog": catalog,
                                   "project": {"id": "p", "name": "p"}}}
        if path == "/compute/v2.1":
            return 200, {"version": {"id": "v2.1", "version": "2.90", "min_version": "2.1"}}
        if path == "/compute/v2.1/servers/detail":
            return 200, {"servers": list(self.servers.values())}
        if method == "DELETE":
            identity = path.rsplit("/", 1)[1]
            self.deleted.append(identity)
            return (204, None) if self.servers.pop(identity, None) else (404, {})
        if method == "POST":
            message = "Quota exceeded for instances: Requested 1, but already used 1000 of 1000 instances"
            return 403, {"forbidden": {"code": 403, "message": message}}
        if path.startswith("/network/v2.0/floatingips"):
            return 200, {"floatingips": self.floating}
        if path.startswith("/compute/v2.1/flavors"):
            return 200, {"flavors": [{"id": "f", "name": "d2-8"}]}
        if path.startswith("/image/v2/images"):
            return 200, {"images": [{"id": "i", "name": "Debian 12", "status": "active"}]}
        if path.startswith("/network/v2.0/networks"):
            return 200, {"networks": [{"id": "n", "name": "Ext-Net"}]}
        return 404, {}

    def settings(self):
        return {
            "OS_AUTH_URL": f"{self.url}/v3", "OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_ID": "p",
            "OPENSTACK_FLAVOR": "d2-8", "OPENSTACK_IMAGE": "Debian 12", "OPENSTACK_NETWORK": "Ext-Net",
            "OPENSTACK_METADATA_VALUE": "recorders", "OPENSTACK_FLOATING_IP_DESCRIPTION": "recorders",
            "REPLICA_API_PORT": str(self.replicas.server_address[1]), "REPLICA_API_TIMEOUT": "10",
            "REPLICA_API_RETRIES": "0", "EXTERNAL_ADDRESS_MANAGEMENT": "true", "REPLICA_CAPACITY": "2",
        }


def handler(cloud):
    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = cloud.answer(self.command, self.path.split("?")[0].rstrip("/"))
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response_only(status)
            self.send_header("Date", formatdate(usegmt=True))
            self.send_header("X-Subject-Token", "token")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, *_):
            pass

    return Handler


class Replicas(socketserver.ThreadingTCPServer):
    """Answers for all of 127.90.0.0/16: each address what it was told to say."""

    daemon_threads = True
    request_queue_size = 1024

    def __init__(self):
        self.says = {}
        super().__init__(("0.0.0.0", 0), Replica)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def verify_request(self, request, client_address):
        return client_address[0].startswith("127.")


class Replica(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        status, body = self.server.says.get(self.request.getsockname()[0], (404, {}))
        data = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
        self.request.sendall(head.encode() + data)
