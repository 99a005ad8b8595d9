"""Filter rules of segments: the IPFilterRule syntax (RFC 6733 4.3.1), checked word by word before a gateway sees it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from simward.errors import nearest
from simward.quantities import QuantityError

FILTER_OCTETS_MAX = 1024
"""All rules of one filter with what divides them: an Accept has 4096 octets, of which proxies may claim 2,550."""
FILTER_ID_OCTETS_MAX = 253
FORM = "permit|deny in|out PROTOCOL from SOURCE to DESTINATION [options]"
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmpv6": 58, "ipv6-icmp": 58, "sctp": 132}
"""People write names; the syntax has numbers alone."""
WITH_PORTS = ("6", "17", "132")
SPECS = {
    "ipoptions": ("ssrr", "lsrr", "rr", "ts"),
    "tcpoptions": ("mss", "window", "sack", "ts", "cc"),
    "tcpflags": ("fin", "syn", "rst", "psh", "ack", "urg"),
}
FLAGS = ("frag", "established", "setup")
OPTIONS = (*FLAGS, *SPECS, "icmptypes")
OF_TCP = ("established", "setup", "tcpoptions", "tcpflags")


def filter_rule(text: str) -> str:
    """One rule with single blanks between its words; QuantityError that says what is wrong with which word."""
    words = text.split()
    if not all(32 < ord(one) < 127 for word in words for one in word):
        raise QuantityError(f"{text!r} holds characters that no rule has", "plain ASCII")
    normal = " ".join(words)
    if not words or words[0] not in ("permit", "deny"):
        raise QuantityError(f"{text!r} begins with neither permit nor deny", FORM)
    if len(words) < 2 or words[1] not in ("in", "out"):
        raise QuantityError(f"{text!r} has no direction", "in is from the device, out is to it")
    if len(words) < 3:
        raise QuantityError(f"{text!r} has no protocol", FORM)
    protocol = _protocol(words[2])
    source, rest = _end("from", words[3:], protocol)
    destination, rest = _end("to", rest, protocol)
    _options(rest, protocol, ports=source or destination)
    return normal


def filter_id(text: str) -> str:
    """The name of a filter that the gateway has (RFC 2865 5.11)."""
    if not text.isprintable() or not 0 < len(text.encode()) <= FILTER_ID_OCTETS_MAX:
        raise QuantityError(f"{text!r} is no name of a filter", f"printable, at most {FILTER_ID_OCTETS_MAX} octets")
    return text


def filter_problems(segment: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What no single key of a segment shows: (key, what is wrong, what instead)."""
    for rules, name in (("filter", "filter_id"), ("quarantine_filter", "quarantine_filter_id")):
        if rules in segment and name in segment:
            yield name, f"stands beside {rules}: they must not be in one packet (RFC 4849 2)", "one of the two"
        size = sum(len(one) + 1 for one in segment.get(rules, ())) - 1
        if size > FILTER_OCTETS_MAX:
            yield rules, f"{size} octets of rules", f"at most {FILTER_OCTETS_MAX}: name a filter with {name}"
    for one, other in (("filter", "quarantine_filter_id"), ("filter_id", "quarantine_filter")):
        if one in segment and other in segment:
            what = f"is of another kind than {one}: a change would leave both in force"
            yield other, what, "names for both, or rules for both"


def _protocol(word: str) -> str:
    if word == "ip" or (word.isdigit() and int(word) <= 255):
        return word
    if word.lower() in PROTOCOLS:
        raise QuantityError(f"protocol {word!r}: rules name protocols by number", f"write {PROTOCOLS[word.lower()]}")
    raise QuantityError(f"no protocol {word!r}", "ip for any, or a number from 0 to 255 (6 is TCP, 17 UDP)")


def _end(word: str, rest: list[str], protocol: str) -> tuple[bool, list[str]]:
    """Read `from ADDRESS [PORTS]` or `to ...`; whether it has ports, and what follows."""
    if not rest or rest[0] != word:
        instead = repr(rest[0]) if rest else "the rule ends"
        raise QuantityError(f"{word!r} should stand where {instead}{' does' if rest else ''}", FORM)
    if len(rest) < 2:
        raise QuantityError(f"nothing stands behind {word!r}", "any, assigned, or an address like 192.0.2.0/24")
    _address(rest[1])
    if len(rest) < 3 or not rest[2][0].isdigit():
        return False, rest[2:]
    if protocol not in WITH_PORTS:
        raise QuantityError(f"ports {rest[2]!r} with protocol {protocol}", "6 (TCP), 17 (UDP), 132 (SCTP) have ports")
    _ranges(rest[2], 65_535, "port")
    return True, rest[3:]


def _address(word: str) -> None:
    bare = word.removeprefix("!")
    if bare in ("any", "assigned"):
        return
    try:
        network = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        raise QuantityError(f"{word!r} is not an address", "any, assigned, or an address like 192.0.2.0/24") from None
    if "/" in bare and str(network.network_address) != str(ipaddress.ip_address(bare.partition("/")[0])):
        raise QuantityError(f"{word!r} has bits behind its prefix", f"did you mean {str(network)!r}?")
    if "/" in bare and not bare.partition("/")[2].isdigit():
        raise QuantityError(f"{word!r} has a mask", f"write it with the number of bits: {network}")


def _ranges(word: str, largest: int, what: str) -> None:
    for part in word.split(","):
        found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part)
        if found is None or int(found[1]) > largest or (found[2] and not int(found[1]) <= int(found[2]) <= largest):
            raise QuantityError(f"{part!r} is no {what} or range of them", f"like 53 or 8000-8080, at most {largest}")


def _options(words: list[str], protocol: str, *, ports: bool) -> None:
    at, seen = 0, []
    while at < len(words):
        word = words[at]
        if word not in OPTIONS:
            raise QuantityError(f"no option {word!r}", nearest(word, OPTIONS))
        if word in OF_TCP and protocol not in ("6", "ip"):
            raise QuantityError(f"{word} with protocol {protocol}", "it is about TCP: protocol 6")
        seen.append(word)
        at += 1
        if word in FLAGS:
            continue
        if at == len(words):
            raise QuantityError(f"nothing stands behind {word}", "for example " + ",".join(SPECS.get(word, ("8", "0"))))
        if word == "icmptypes":
            _ranges(words[at], 255, "ICMP type")
        else:
            for one in words[at].split(","):
                if one.removeprefix("!") not in SPECS[word]:
                    raise QuantityError(f"{word} has no {one!r}", nearest(one, SPECS[word]))
        at += 1
    if "frag" in seen and (ports or "tcpflags" in seen):
        raise QuantityError("frag goes with neither ports nor tcpflags", "a later fragment shows neither")
