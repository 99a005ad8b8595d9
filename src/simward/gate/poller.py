"""Waiting for file descriptors: epoll where there is one, else poll, behind one small face."""

from __future__ import annotations

import select

READ, WRITE = select.POLLIN, select.POLLOUT  # the same numbers as EPOLLIN and EPOLLOUT


class Poller:
    """Level-triggered. `watch` again changes what is waited for."""

    def __init__(self) -> None:
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        self._poll = None if self._epoll else select.poll()
        self._watched: dict[int, int] = {}

    def watch(self, number: int, writable: bool = False) -> None:
        """Wait for `number` to be readable, and writable too where asked for."""
        mask = READ | WRITE if writable else READ
        poll = self._epoll or self._poll
        assert poll is not None
        if number in self._watched:
            poll.modify(number, mask)
        else:
            poll.register(number, mask)
        self._watched[number] = mask

    def forget(self, number: int) -> None:
        """No longer wait for `number`; before it is closed."""
        if self._watched.pop(number, None) is not None:
            poll = self._epoll or self._poll
            assert poll is not None
            poll.unregister(number)

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """(number, mask) of what is ready, after at most so many seconds."""
        if self._epoll is not None:
            return self._epoll.poll(seconds)
        assert self._poll is not None
        return self._poll.poll(seconds * 1000)

    def close(self) -> None:
        """Give back what the kernel holds."""
        if self._epoll is not None:
            self._epoll.close()
