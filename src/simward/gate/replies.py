"""What a refused engineer reads: the Reply-Message of a reject, by what decided it; no personal data in any of them."""

from __future__ import annotations

from simward.detectors import of_gate

REPLY_OCTETS_MAX = 253
"""RFC 2865 5.18: one Reply-Message holds so many octets."""

NOT_RECORDED = "The decision cannot be recorded now (the journal cannot be written). Try again; tell the operator."
REFUSED = "Refused by policy: {detector}/{class_name}. See `simward explain`."

_TEXTS = {
    "device-change/software": "The device runs other software than before, which the policy refuses.",
    "device-change/same-model": "This SIM belongs in another device of the same model. Put it back, or release it.",
    "device-change/other-model": "This SIM belongs in another device. Put it back, or have it released.",
    "device-change/returned": "This SIM has been in another device before. Have it released.",
    "device-change/not-reported": "The device did not report its IMEI, and this SIM is bound to one.",
    "unknown-subscription/not-in-inventory": "This subscription is not in the inventory. Add it, then simward apply.",
    "unknown-subscription/no-identity": "The request names no subscription (no IMSI, no known user name or number).",
    "subscription-locked": "This subscription is locked. Whoever is responsible for it can release it.",
    "subscription-locked/suspended": "The inventory says that this subscription is suspended. See inventory.csv.",
    "subscription-locked/retired": "The inventory says that this subscription is retired. See inventory.csv.",
    "subscription-locked/quarantined": "This subscription is in quarantine, and its segment has none. Release it.",
    "apn-not-permitted": "This APN is not permitted for this subscription's use case. Check the device's APN setting.",
    "credentials-wrong/wrong": "The password of this APN is wrong. Check the device's APN settings.",
    "credentials-wrong/missing": "This APN asks for a password, and the request shows none of the right kind.",
    "network-not-permitted": "This visited network or radio access is not permitted for the use case.",
    "address-pool-exhausted": "The segment has no free address. Enlarge its pool.",
}


def reply_texts() -> dict[tuple[int, int], bytes]:
    """(detector number, class number) -> Reply-Message, for every class of every gate detector; class 0 is the rest."""
    texts = {}
    for number, one in enumerate(of_gate()):
        for position, class_name in enumerate(("", *one.classes)):
            full = f"{one.id}/{class_name}" if class_name else one.id
            text = _TEXTS.get(full) or _TEXTS.get(one.id) or REFUSED.format(detector=one.id, class_name=class_name)
            texts[number, position] = text.encode()[:REPLY_OCTETS_MAX]
    return texts
