"""The class of each called number, by the longest beginning that an owner has named, compiled."""

from __future__ import annotations

import numpy as np

from simward import compiled
from simward.wire import text
from simward.wire.radius import compiling
from simward.wire.radius.compiling import uncounted
from simward.wire.text import DIGITS_MAX, number_at


@uncounted
def read_classes(octets, offsets, prefixes, sizes, classes, otherwise, made, odd):  # type: ignore[no-untyped-def]
    """Write the class of each number into `made`, `otherwise` where no prefix fits; what is no number is odd.

    An empty value is left as it is. `prefixes` are as numbers, with their `sizes` in digits, the longest first. A + or
    00 in front says that a number is international (E.164 leaves them out), and is passed over. What follows the digits
    (a filler, a pause and more digits to be dialled) says nothing about the class: a number is read as far as it goes.
    """
    for row in range(len(made)):
        start, end = np.int64(offsets[row]), np.int64(offsets[row + 1])
        if start == end:
            continue
        if octets[start] == 43:  # '+'
            start += 1
        elif end - start > 2 and octets[start] == 48 and octets[start + 1] == 48:
            start += 2
        size = np.int64(0)
        while start + size < end and size < DIGITS_MAX and 48 <= octets[start + size] <= 57:
            size += 1
        if size == 0:
            odd[row] = True
            continue
        made[row] = otherwise
        for at in range(len(prefixes)):
            begins = np.int64(sizes[at])
            if begins <= size and number_at(octets, start, start + begins) == prefixes[at]:
                made[row] = classes[at]
                break


classes_of = compiled.entry(read_classes, depends=[compiling, text])
