"""A throw-away certificate authority for the tests, made by the openssl command."""
import os
import shutil
import ssl
import subprocess
import tempfile


class TlsFiles:
    """`ca` is the file that clients must trust. kind: good | wrong_name | expired | selfsigned."""

    def __init__(self, kind="good", folder=None, authority=None):
        self._own = None if folder else tempfile.mkdtemp(prefix="upstream-tls-")
        self.folder = folder or self._own
        self.kind = kind
        self._context = None
        self.ca = authority.ca if authority else self._path("ca.pem")
        self._ca_key = authority._ca_key if authority else self._path("ca.key")
        if not authority:
            self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                          "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self._ca_key,
                          "-out", self.ca, "-days", "2", "-subj", "/CN=upstream test authority")
        self._make_leaf()

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], check=True, capture_output=True)

    def _make_leaf(self):
        key, request, cert = (self._path(n) for n in ("leaf.key", "leaf.csr", "leaf.pem"))
        names = "DNS:elsewhere.test" if self.kind == "wrong_name" else \
            "DNS:localhost,IP:127.0.0.1,IP:::1"
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-keyout", key, "-out", request, "-subj", "/CN=upstream")
        with open(self._path("ext"), "w", encoding="ascii") as f:
            f.write(f"subjectAltName={names}\n")
        signer = ["-signkey", key] if self.kind == "selfsigned" else \
            ["-CA", self.ca, "-CAkey", self._ca_key, "-CAcreateserial"]
        days = "-1" if self.kind == "expired" else "1"
        self._openssl("x509", "-req", "-in", request, "-out", cert, "-days", days,
                      "-extfile", self._path("ext"), *signer)

    def server_context(self):
        if self._context:
            return self._context
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._path("leaf.pem"), self._path("leaf.key"))
        context.set_alpn_protocols(["http/1.1"])
        self._context = context
        return context

    def client_context(self):
        return ssl.create_default_context(cafile=self.ca)

    def close(self):
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)
