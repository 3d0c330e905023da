"""The scripted upstream: a fake provider that writes any bytes at any time and judges what it gets.

It shares no code with the gateway, so that the gateway's dialects never verify themselves.
"""
from .answers import Brain
from .script import FAULTS, Script
from .tls import TlsFiles
from .upstream import Upstream
from .wire import Record, Wire

__all__ = ["Brain", "FAULTS", "Record", "Script", "TlsFiles", "Upstream", "Wire"]
