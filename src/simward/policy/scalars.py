"""The single values of the policy language: each word or number has a pattern for editors and a reader with advice."""

from __future__ import annotations

import re
from typing import Any

from simward import quantities
from simward.detectors.detector import RESPONSE_NAMES
from simward.errors import nearest
from simward.identity import RATS, Imei, Plmn, Tac, rat_text
from simward.policy.filter_rules import filter_id, filter_rule
from simward.policy.networks import delegated_length, ipv4_network, ipv6_addresses, ipv6_prefixes
from simward.policy.shapes import Scalar, Words
from simward.quantities import QuantityError


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", text):
        raise QuantityError(f"{text!r} is not a name", "small letters, digits, '-', '_' and '.', at most 63")
    return text


def _text(text: str) -> str:
    return text


def _apn(text: str) -> str:
    """A network identifier (TS 23.003 9.1.1), in lower case, since APNs do not distinguish cases."""
    apn = text.lower()
    bare = re.sub(r"\.mnc\d{3}\.mcc\d{3}\.gprs$", "", apn)
    if bare != apn:
        raise QuantityError(f"{text!r} ends in an operator identifier", f"did you mean {bare!r}?")
    label = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
    if not re.fullmatch(rf"{label}(?:\.{label})*", apn) or len(apn) > 62:
        raise QuantityError(f"{text!r} is not an APN", "letters, digits, '-' and '.', at most 62 (TS 23.003 9.1.1)")
    if re.match(r"rac|lac|sgsn|rnc", apn) or apn.endswith(".gprs"):
        raise QuantityError(f"{text!r} is reserved", "no APN begins with rac, lac, sgsn or rnc (TS 23.003 9.1.1)")
    return apn


def _duration(text: str) -> str:
    return quantities.duration_text(quantities.duration_s(text))


def _interim(text: str) -> str:
    if quantities.duration_s(text) < 60:  # RFC 2869 5.16: MUST NOT be smaller than 60
        raise QuantityError("an Acct-Interim-Interval is at least 60 s", "600 s or more is advised (RFC 2869 5.16)")
    return _duration(text)


def _size_rate(text: str) -> str:
    rate = quantities.size_rate(text)
    return quantities.rate_text(quantities.size_text(rate.amount), rate.period_s)


def _count_rate(text: str) -> str:
    rate = quantities.count_rate(text)
    return quantities.rate_text(str(rate.amount), rate.period_s)


def _time_rate(text: str) -> str:
    rate = quantities.time_rate(text)
    return quantities.rate_text(quantities.duration_text(rate.amount), rate.period_s)


def _hours(text: str) -> str:
    return quantities.hours_text(*quantities.hours_of(text))


def _weekdays(text: str) -> str:
    return quantities.weekdays_text(*quantities.weekdays_of(text))


def _share(text: str) -> str:
    return quantities.share_text(quantities.share_ppm(text))


def _distance(text: str) -> str:
    return quantities.distance_text(quantities.distance_m(text))


def degrees(limit: int) -> Scalar:
    """An angle of at most `limit` degrees to either side."""

    def parse(text: str) -> float:
        if not re.fullmatch(r"[+-]?\d{1,3}(\.\d+)?", text) or abs(float(text)) > limit:
            raise QuantityError(f"{text!r} is not an angle", f"degrees from -{limit} to {limit}, like 59.91")
        return float(text)

    return Scalar("number of degrees", parse, {"type": "number", "minimum": -limit, "maximum": limit})


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise QuantityError(f"{text!r} is not a whole number", "write it like 20")
    return int(text)


def _attempts(text: str) -> int:
    count = _count(text)
    if not 10 <= count <= 1_000_000:
        raise QuantityError(f"{text} is not between 10 and 1000000", "a failure has retries: write it like 30")
    return count


def _tac_range(text: str) -> str:
    first, dash, last = (part.strip() for part in text.partition("-"))
    low, high = Tac.parse(first), Tac.parse(last if dash else first)
    if high.number < low.number:
        raise QuantityError(f"{text!r} ends before it begins", f"did you mean {high.text}-{low.text}?")
    return f"{low.text}-{high.text}" if dash else low.text


def _rat(text: str) -> str:
    if text not in RATS:
        raise QuantityError(f"no radio access technology {text!r}", nearest(text.lower(), RATS))
    return rat_text(RATS[text])


def _string(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern}


_DURATION = r"\d+(\.\d+)?\s*(s|m|min|h|d)"
_PER = r"\s*/\s*(hour|day|week|month)$"
NAME = Scalar("name", _name, _string(r"^[a-z0-9][a-z0-9._-]{0,62}$"))
TEXT = Scalar("text", _text, {"type": "string", "minLength": 1})
APN = Scalar("APN", _apn, _string(r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"))
CIDR = Scalar("CIDR", ipv4_network, _string(r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$"))
CIDR6 = Scalar("IPv6 CIDR", ipv6_prefixes, _string(r"^[0-9A-Fa-f:]+/\d{1,3}$"))
ADDRESSES6 = Scalar(
    "IPv6 CIDR", ipv6_addresses, _string(r"^[0-9A-Fa-f]*:[0-9A-Fa-f:.]+/(6[4-9]|[7-9]\d|1[01]\d|12[0-8])$")
)
DELEGATED_LENGTH = Scalar(
    "length of a prefix", delegated_length, {"type": "integer", "minimum": 16, "maximum": 64}
)
DURATION = Scalar("duration", _duration, _string(f"^{_DURATION}$"))
INTERIM = Scalar("duration", _interim, _string(f"^{_DURATION}$"))
HOURS = Scalar("range of hours", _hours, _string(r"^\d{1,2}(:00)?\s*-\s*\d{1,2}(:00)?$"))
_DAY = f"({'|'.join(quantities.WEEKDAYS)})"
WEEKDAYS = Scalar("day of the week", _weekdays, _string(rf"^{_DAY}(\s*-\s*{_DAY})?$"))
SIZE_RATE = Scalar("size a period", _size_rate, _string(rf"^\d+(\.\d+)?\s*(B|kB|MB|GB){_PER}"))
COUNT_RATE = Scalar("number a period", _count_rate, _string(rf"^\d+{_PER}"))
TIME_RATE = Scalar("time a period", _time_rate, _string(f"^{_DURATION}{_PER}"))
SHARE = Scalar("percentage", _share, _string(r"^\d+(\.\d+)?\s*%$"))
DISTANCE = Scalar("distance", _distance, _string(r"^\d+(\.\d+)?\s*(m|km)$"))
COUNT = Scalar("whole number", _count, {"type": "integer", "minimum": 0, "maximum": 999_999_999})
ATTEMPTS = Scalar("whole number", _attempts, {"type": "integer", "minimum": 10, "maximum": 1_000_000})
PLMN = Scalar("PLMN", lambda text: Plmn.parse(text).text, _string(r"^\d{3}[-/ ]?\d{2,3}$"), quoted=True)
RAT = Scalar("radio access technology", _rat, {"enum": [*RATS]})
TAC_RANGE = Scalar("TAC or range of TACs", _tac_range, _string(r"^\d{8}(\s*-\s*\d{8})?$"), quoted=True)
IMEI = Scalar("IMEI", lambda text: Imei.parse(text).text, _string(r"^\d[\d\s./-]{12,20}\d$"), quoted=True)
FILTER_ID = Scalar("name of a filter", filter_id, {"type": "string", "minLength": 1, "maxLength": 253})
FILTER_RULE = Scalar("filter rule", filter_rule, _string(r"^\s*(permit|deny)\s+(in|out)\s+(ip|\d+)\s+from\s+\S"))
RESPONSE = Words(RESPONSE_NAMES[1:])
