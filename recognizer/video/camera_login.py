"""Answer a camera that asks for a name and a password: HTTP's and RTSP's Basic and Digest (RFC 7617, RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import urllib.request
from collections.abc import Callable, Sequence
from typing import Final

_HASHES: Final[dict[str, Callable[[bytes], str]]] = {
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda data: hashlib.sha256(data).hexdigest(),
}


def authorization(challenges: Sequence[str], user: str, password: str, method: str, uri: str) -> str | None:
    """Return the header ``Authorization`` that answers the headers ``WWW-Authenticate``; None if none is known.

    Args:
        challenges: the headers, of which Digest is preferred.
        user: the name; without one, nothing is answered.
        password: its password.
        method: of the request, such as ``DESCRIBE``.
        uri: what the request asks for, as it stands in its first line.
    """
    if not user:
        return None
    for challenge in challenges:
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "digest" and (answer := _digest(rest, user, password, method, uri)) is not None:
            return answer
    if any(one.partition(" ")[0].lower() == "basic" for one in challenges):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return None


def _digest(challenge: str, user: str, password: str, method: str, uri: str) -> str | None:
    try:
        asked = urllib.request.parse_keqv_list(urllib.request.parse_http_list(challenge))
    except ValueError:  # a part without an equals sign
        return None
    algorithm = asked.get("algorithm", "MD5").upper()
    if algorithm not in _HASHES or not {"realm", "nonce"} <= asked.keys():
        return None
    hashed = _HASHES[algorithm]
    realm, nonce = asked["realm"], asked["nonce"]
    own, what = hashed(f"{user}:{realm}:{password}".encode()), hashed(f"{method}:{uri}".encode())
    quoted = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    plain: dict[str, str] = {"algorithm": algorithm} if "algorithm" in asked else {}
    if "auth" in [one.strip() for one in asked.get("qop", "").split(",")]:
        count, own_nonce = "00000001", secrets.token_hex(8)
        quoted["response"] = hashed(f"{own}:{nonce}:{count}:{own_nonce}:auth:{what}".encode())
        quoted["cnonce"] = own_nonce
        plain |= {"qop": "auth", "nc": count}
    else:
        quoted["response"] = hashed(f"{own}:{nonce}:{what}".encode())
    if "opaque" in asked:
        quoted["opaque"] = asked["opaque"]
    if any('"' in value or "\\" in value for value in quoted.values()):
        return None
    said = [f'{name}="{value}"' for name, value in quoted.items()] + [
        f"{name}={value}" for name, value in plain.items()
    ]
    return "Digest " + ", ".join(said)
