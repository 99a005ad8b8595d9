"""The scopes that CAMARA's interfaces ask for, as their files spell them: each is a permission of its own."""

from __future__ import annotations

FRAUD = "iot-sim-fraud-prevention"
FRAUD_SUBSCRIPTIONS = "iot-sim-fraud-prevention-subscriptions"
DEVICE_SWAP, SIM_SWAP = "device-swap", "sim-swap"
BASES = {FRAUD: f"/{FRAUD}/v0.1", FRAUD_SUBSCRIPTIONS: f"/{FRAUD_SUBSCRIPTIONS}/v0.1",
         DEVICE_SWAP: f"/{DEVICE_SWAP}/v1", SIM_SWAP: f"/{SIM_SWAP}/v2"}  # fmt: skip
"""Where each interface is served: the path of its file's server."""

SCOPES = {
    f"{FRAUD}:bind": "CAMARA: bind a subscription to its device or its area.",
    f"{FRAUD}:unbind": "CAMARA: unbind it.",
    f"{FRAUD}:query": "CAMARA: ask what it is bound to.",
    f"{FRAUD_SUBSCRIPTIONS}:subscribe": "CAMARA: ask to be told when its device or area changes.",
    f"{FRAUD_SUBSCRIPTIONS}:read": "CAMARA: see what was subscribed to.",
    f"{FRAUD_SUBSCRIPTIONS}:delete": "CAMARA: end that.",
    DEVICE_SWAP: "CAMARA: ask when the device of a number changed, in either way.",
    f"{DEVICE_SWAP}:retrieve-date": "CAMARA: ask when it changed.",
    f"{DEVICE_SWAP}:check": "CAMARA: ask whether it changed in so many hours.",
    SIM_SWAP: "CAMARA: ask when the SIM of a number changed, in either way.",
    f"{SIM_SWAP}:retrieve-date": "CAMARA: ask when it changed.",
    f"{SIM_SWAP}:check": "CAMARA: ask whether it changed in so many hours.",
}  # fmt: skip
"""Every scope, and what it lets do."""
