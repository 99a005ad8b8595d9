"""The part of simward.toml about issuers of access tokens and CAMARA's interfaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from simward.settings_camara import CamaraSettings
from test_settings import GATEWAY, load, problems

ISSUER = """
[[issuer]]
name = "idp"
issuer = "https://idp.example"
audience = "simward"
"""


def test_an_issuer_and_what_is_told_of_the_past(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    settings = load(tmp_path, GATEWAY + ISSUER + """
jwks_url = "https://idp.example/jwks"
algorithms = ["ES256", "EdDSA"]
scopes = {"fleet.read" = "read-subscriptions"}
tenant = "a"
number_claim = "msisdn"
[camara]
monitored_days = 120
allow_private_sinks = true
sink_ca_file = "ca.pem"
""")  # fmt: skip
    (issuer,) = settings.issuers
    assert (issuer.algorithms, issuer.tenant, issuer.number_claim) == (("ES256", "EdDSA"), "a", "msisdn")
    assert issuer.scopes == {"fleet.read": "read-subscriptions"}
    assert settings.camara == CamaraSettings(120, True, tmp_path / "ca.pem")
    assert load(tmp_path, GATEWAY).camara == CamaraSettings()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "exactly one of jwks_url, jwks_file"),
        ('jwks_url = "https://a.example"\njwks_file = "keys.json"', "exactly one of jwks_url, jwks_file"),
        ('jwks_url = "http://idp.example/jwks"', "use https"),
        ('jwks_url = "ftp://idp.example/jwks"', "not a URL of HTTP"),
        ('jwks_file = "nowhere.json"', "no such file"),
        ('jwks_url = "https://a.example"\nalgorithms = ["HS256"]', "HS256"),
        ('jwks_url = "https://a.example"\nscopes = ["a"]', "no table of scopes"),
        ('jwks_url = "https://a.example"\n[camara]\nmonitored_days = -1', "no number of days"),
        ('jwks_url = "https://a.example"\n[camara]\nsink_ca_file = "nowhere.pem"', "no such file"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, more: str, said: str) -> None:
    assert any(said in one for one in problems(tmp_path, GATEWAY + ISSUER + more))
