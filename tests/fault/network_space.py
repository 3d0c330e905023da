"""A network of one's own for the fault rows about the network: namespaces, a wire and a resolver.

enter() starts the calling script again inside new user, network and mount namespaces, or skips it
(77) where the machine cannot do that. There, 10.77.0.1 (v0) is this machine and 10.77.0.2 the other
end of the wire, in a namespace that in_cloud() puts sockets into. Names are looked up at a
scripted resolver on 127.0.0.1. Nothing of it is seen outside, and all of it ends with the script.
"""
import contextlib
import ctypes
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

HERE, CLOUD, HERE6, CLOUD6 = "10.77.0.1", "10.77.0.2", "fd77::1", "fd77::2"
NOBODY = "02:00:00:00:00:99"     # frames to it reach nobody: packets vanish without a word
CLONE_NEWNET = 0x40000000
PROBE = ("ip link add p0 type veth peer name p1 && "
         "mount --bind /etc/hostname /etc/hostname")
TYPES = {1: "A", 28: "AAAA"}


def enter():
    if os.environ.get("NL_IN_NETWORK_SPACE"):
        return
    for tool, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if not shutil.which(tool):
            print(f"skipped: `{tool}` is not on this machine (Debian package {package})")
            sys.exit(77)
    spaces = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    probe = subprocess.run([*spaces, "sh", "-c", PROBE], capture_output=True, text=True,
                           check=False)
    if probe.returncode != 0:
        print(f"skipped: no network namespaces here: {probe.stderr.strip()[:200]}")
        sys.exit(77)
    os.environ["NL_IN_NETWORK_SPACE"] = "1"
    os.execvp("unshare", [*spaces, sys.executable, *sys.argv])


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class NetworkSpace:
    """The wire with its two ends. Use as a context manager."""

    def __enter__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY)
        # pylint: disable=consider-using-with
        self._other = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        while os.readlink(f"/proc/{self._other.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            pass
        self._cloud = os.open(f"/proc/{self._other.pid}/ns/net", os.O_RDONLY)
        ip("link", "set", "lo", "up")
        ip("link", "add", "v0", "type", "veth", "peer", "name", "v1")
        ip("link", "set", "v1", "netns", str(self._other.pid))
        self.address("v0", HERE, HERE6)
        with self.in_cloud():
            ip("link", "set", "lo", "up")
            self.address("v1", CLOUD, CLOUD6)
        self.resolver = Resolver()
        self._folder = tempfile.mkdtemp(prefix="network-space-")
        self._put("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:60 attempts:1\n")
        self._put("/etc/nsswitch.conf", "hosts: files dns\n")
        return self

    def __exit__(self, *_):
        self.resolver.stop()
        self._other.kill()
        self._other.wait()
        os.close(self._home)
        os.close(self._cloud)
        shutil.rmtree(self._folder, ignore_errors=True)

    @staticmethod
    def address(device, v4, v6):
        ip("address", "add", f"{v4}/24", "dev", device)
        with contextlib.suppress(subprocess.CalledProcessError):  # a machine without IPv6
            ip("address", "add", f"{v6}/64", "dev", device, "nodad")
        ip("link", "set", device, "up")

    def _put(self, path, text):
        mine = os.path.join(self._folder, os.path.basename(path))
        with open(mine, "w", encoding="ascii") as f:
            f.write(text)
        subprocess.run(["mount", "--bind", mine, os.path.realpath(path)], check=True)

    @contextlib.contextmanager
    def in_cloud(self):
        """Sockets and commands of this thread are at the other end of the wire meanwhile."""
        self._libc.setns(self._cloud, CLONE_NEWNET)
        try:
            yield
        finally:
            self._libc.setns(self._home, CLONE_NEWNET)

    @contextlib.contextmanager
    def vanishing(self, *addresses):
        """Packets to these addresses vanish without a word, on old connections too."""
        for address in addresses:
            ip("neigh", "replace", address, "lladdr", NOBODY, "nud", "permanent", "dev", "v0")
        try:
            yield
        finally:
            for address in addresses:
                ip("neigh", "del", address, "dev", "v0")

    @contextlib.contextmanager
    def routed(self, kind, address=CLOUD):
        """kind: unreachable | prohibit."""
        ip("route", "add", kind, f"{address}/32")
        try:
            yield
        finally:
            ip("route", "del", kind, f"{address}/32")

    @contextlib.contextmanager
    def unplugged(self):
        ip("link", "set", "v0", "down")
        try:
            yield
        finally:
            ip("link", "set", "v0", "up")


class Resolver:
    """A name server on 127.0.0.1:53. `says`: a list of addresses, or "nxdomain", "servfail",
    "empty", "silent"."""

    def __init__(self):
        self.says = "nxdomain"
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self):
        self.says = "silent"
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _serve(self):
        while True:
            data, sender = self._socket.recvfrom(4096)
            if not data:
                return
            name, kind, end = self._question(data)
            self.asked.append((name, kind))
            if self.says != "silent":
                self._socket.sendto(self._answer(data, kind, end), sender)

    @staticmethod
    def _question(data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("ascii"))
            at += 1 + data[at]
        kind, _ = struct.unpack_from("!HH", data, at + 1)
        return ".".join(labels), TYPES.get(kind, str(kind)), at + 5

    def _answer(self, data, kind, end):
        says, found = self.says, []
        code = 3 if says == "nxdomain" else 2 if says == "servfail" else 0
        if isinstance(says, list):
            found = [a for a in says if (":" in a) == (kind == "AAAA")]
        head = data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        records = b""
        for address in found:
            six = ":" in address
            packed = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, address)
            records += struct.pack("!HHHIH", 0xC00C, 28 if six else 1, 1, 60, len(packed)) + packed
        return head + data[12:end] + records
