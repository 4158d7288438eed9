"""Removes credentials from every text that leaves this package: errors, logs, job store, screen."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

_VARIABLES = ("QISKIT_IBM_TOKEN", "QISKIT_IBM_RUNTIME_API_TOKEN", "IBMCLOUD_API_KEY", "PGPASSWORD")
_ADDRESSES = ("QISKIT_IBM_URL", "QISKIT_IBM_INSTANCE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_ACCOUNTS = Path(".qiskit", "qiskit-ibm.json")
"""Where IBM's client saves accounts, in the home folder."""

_SHORTEST = 6
"""Shorter secrets are ignored: they would remove ordinary words from every sentence."""

_NAMED = r"api[-_]?key|(?:access|refresh|auth|id)?[-_]?token|authorization|passw(?:or)?d|secret"
_PATTERNS = (
    # apikey=…, "token": "…"
    (
        re.compile(
            rf"""(?i)(\b(?:{_NAMED})(?:["'\\]*\s*=\s*["'\\]*|["'\\]+\s*:\s*["'\\]+))[^\s"'\\,;)}}&]{{3,}}"""
        ),
        r"\1…",
    ),
    # Authorization: Bearer …, and a token after its name: it has a digit, unlike words
    (
        re.compile(
            rf"(?i)\b((?:bearer|basic|{_NAMED})[:\s]+(?:(?:bearer|basic|apikey)\s+)?)(?=\S*\d)[\w.~+/%-]{{12,}}=*"
        ),
        r"\1…",
    ),
    # https://user:password@host
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@\"']+@"), r"\1…@"),
    # a JSON web token
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), "…"),
    # an API key of IBM Cloud: 44 letters, digits, - and _, of several kinds
    (re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[A-Za-z0-9_-]{44}(?![\w-])"), "…"),
)

_learned: set[str] = set()


def learn(value: object) -> None:
    """Remove a secret from every text from now on, or those in an account's settings: keys, passwords, addresses."""
    _learned.update(_secrets_in("token", value))


def redacted(text: str) -> str:
    """A text without credentials: known ones, and what looks like one."""
    for secret in sorted(_learned | _given() | _saved(), key=len, reverse=True):
        for form in _forms(secret):
            text = text.replace(form, "…")
    for pattern, words in _PATTERNS:
        text = pattern.sub(words, text)
    return text


def _given() -> set[str]:
    """The secrets in the environment."""
    found = {value for name in _VARIABLES if len(value := os.environ.get(name, "")) >= _SHORTEST}
    for name in _ADDRESSES:
        for spelling in (name, name.lower()):
            found.update(_secrets_in("", os.environ.get(spelling)))
    return found


def _saved() -> frozenset[str]:
    """The secrets of the accounts that are saved on this machine."""
    try:
        file = Path.home() / _ACCOUNTS
        return _read(file, file.stat().st_mtime_ns)
    except (OSError, RuntimeError):
        return frozenset()


@lru_cache(maxsize=4)
def _read(file: Path, _changed: int) -> frozenset[str]:
    try:
        return frozenset(_secrets_in("", json.loads(file.read_text(encoding="utf-8"))))
    except (OSError, ValueError, RecursionError):
        return frozenset()


def _secrets_in(name: str, value: object) -> Iterator[str]:
    """The secrets in settings: by the name of their key, and passwords and keys in addresses."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _secrets_in(str(key), part)
    elif isinstance(value, str):
        found = [value] if _is_secret(name) else []
        with suppress(ValueError):  # not an address
            address = urlsplit(value if "://" in value else "")
            found.append(unquote(address.password or address.username or ""))
            found += [part for key, part in parse_qsl(address.query) if _is_secret(key)]
        yield from (secret for secret in found if len(secret) >= _SHORTEST)


def _is_secret(name: str) -> bool:
    return re.search(r"(?i)token|key|passw|secret", name) is not None


@lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[str]:
    """A secret as encoded in addresses, JSON, pages, Python's words and headers."""
    data = secret.encode(errors="surrogatepass")
    addresses = {quote(data, safe=""), quote(data), quote_plus(data)}
    addresses |= {re.sub("%..", lambda sign: sign.group().lower(), text) for text in addresses}
    words = {json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(data)[2:-1], escape(secret), data.hex()}
    encoded = {encode(data).decode() for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    return frozenset(
        {secret, *addresses, *words, *encoded, *(text.rstrip("=") for text in encoded), *_inside(data)}
    )


def _inside(data: bytes) -> Iterator[str]:
    """Letters of base64 that stand for a secret in the middle of something longer, such as `user:password`."""
    for before in range(3):
        first, end = -(-8 * before // 6), 8 * (before + len(data)) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            letters = encode(bytes(before) + data).decode()[first:end]
            if len(letters) >= _SHORTEST:
                yield letters
