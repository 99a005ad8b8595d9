"""Standard Webhooks 1.0: the headers by which a receiver knows who sent a message, and that nothing was changed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence


def signed_headers(message_id: str, at_s: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """webhook-id, webhook-timestamp, webhook-signature; one signature a key, so that a key can be exchanged.

    `at_s` is when this attempt is made, seconds UTC: a receiver refuses what is old. An id of ours is made of names
    and numbers that no outsider chooses ("Signature scheme": ids must not be user controlled).
    """
    signatures = " ".join(f"v1,{signature(message_id, at_s, body, key)}" for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": str(at_s), "webhook-signature": signatures}


def signature(message_id: str, at_s: int, body: bytes, key: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`, in base64."""
    signed = b".".join((message_id.encode(), str(at_s).encode(), body))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")
