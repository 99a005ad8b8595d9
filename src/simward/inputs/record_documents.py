"""Records out of a document of JSON, in constant memory: the array at its top, or the one that keys lead to."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any

from simward.errors import UsageError

VALUE_MOST = 8 << 20
"""Characters of one record, or of what is passed over on the way to them."""
SPACE = " \t\r\n"


class Document:
    """Reads one; several after each other are read as one."""

    def __init__(self, name: str, read: Callable[[], bytes]) -> None:
        """`read` gives the next block of octets, empty at the end. `name` is for messages."""
        self._name, self._read = name, read
        self._text, self._at, self._ended = "", 0, False
        self._lines, self._counted = 1, 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._decoder = json.JSONDecoder()

    def records(self, inside: str) -> Iterator[tuple[int, str, Any]]:
        """(number of its line, text, value) of each. UsageError where it stops being JSON, or has no such array."""
        while self._next():
            for key in inside.split(".") if inside else ():
                self._enter(key)
            self._expect("[")
            while self._next() != "]":
                line = self._line()
                yield line, *self._value()
                if self._next() != "]":
                    self._expect(",")
            self._at += 1
            for _ in inside.split(".") if inside else ():
                self._leave()

    def _enter(self, key: str) -> None:
        """Go to the value of a key of the object that begins here."""
        self._expect("{")
        while self._next() != "}":
            name = self._value()[1]
            self._expect(":")
            if name == key:
                return
            self._next()
            self._value()
            if self._next() != "}":
                self._expect(",")
        raise UsageError(f"{self._name} has nothing under the key {key} before line {self._line()}")

    def _leave(self) -> None:
        """Go to the end of the object."""
        while self._next() != "}":
            self._expect(",")
            self._next()
            self._value()
            self._expect(":")
            self._next()
            self._value()
        self._at += 1

    def _next(self) -> str:
        """The next character that is no space, at which it stands; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _expect(self, mark: str) -> None:
        if self._next() != mark:
            raise self._broken(f"{mark} is missing")
        self._at += 1

    def _value(self) -> tuple[str, Any]:
        """The text and the value that begin here."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._broken("what is inside what is too deep") from None
            except ValueError:
                if len(self._text) - self._at > VALUE_MOST or not self._more():
                    raise self._broken("a value is none, or too long") from None
                continue
            if end == len(self._text) and self._more():
                continue  # a number may go on
            said, self._at = self._text[self._at : end], end
            return said, value

    def _more(self) -> bool:
        """Take another block, and drop what was read; whether there was one."""
        if self._ended:
            return False
        self._line()
        block = self._read()
        self._ended = not block
        self._text = self._text[self._at :] + self._decode(block, not block)
        self._at = self._counted = 0
        return not self._ended

    def _line(self) -> int:
        self._lines += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._lines

    def _broken(self, why: str) -> UsageError:
        return UsageError(f"{self._name} cannot be read to its end: no JSON at line {self._line()} ({why})")
