"""Reading an offset list to its end while others make and delete: a list that is not BottleCRM's, but moves like it."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from aios_connect_bottlecrm.listing import Place, walk
from hypothesis import given
from hypothesis import strategies as st

from aios_connect.connectors import CursorGoneError, Raw, TruncatedError

MOST = 400
"""Fetches in one walk of a test. What needs more goes round in a circle."""


def row(number: int) -> Raw:
    return {"id": f"{number:08}", "created_at": f"2026-11-21T16:54:{number % 60:02}.{number:06}Z"}


@dataclass
class Shelf:
    """Two lists in descending order, changed by others between fetches."""

    halves: list[dict[int, None]]
    unrest: Random | None = None
    fetches: int = 0
    seen_all: set[str] = field(default_factory=set)

    def fetch(self, half: int, offset: int, limit: int) -> tuple[list[Raw], int]:
        self.fetches += 1
        assert self.fetches < MOST, "this does not end"
        if self.unrest is not None:
            self._move(self.unrest)
        rows = [row(number) for number in sorted(self.halves[half], reverse=True)]
        return rows[offset : offset + limit], len(rows)

    def _move(self, random: Random) -> None:
        for _ in range(random.choice((0, 0, 1, 1, 2))):
            half = random.choice(self.halves)
            if half and random.random() < 0.5:
                del half[random.choice(list(half))]
            elif self.fetches < 40:
                half.setdefault(random.randrange(10_000))


def walked(shelf: Shelf, size: int, halves: int = 1, order: str = "id", place: Place | None = None) -> list[str]:
    found: list[str] = []
    for rows, _ in walk(shelf.fetch, halves, order, size, place or Place(), "leads"):
        found += [str(one["id"]) for one in rows]
    return found


def ids(numbers: object) -> list[str]:
    return [f"{number:08}" for number in numbers]  # type: ignore[attr-defined]


@given(st.sets(st.integers(0, 9_999), max_size=40), st.integers(1, 7), st.sampled_from(["id", "created_at"]))
def test_a_list_that_keeps_still_is_read_once_in_its_order(numbers: set[int], size: int, order: str) -> None:
    shelf = Shelf([dict.fromkeys(number % 60 for number in numbers)])
    assert walked(shelf, size, order=order) == ids(sorted(shelf.halves[0], reverse=True))
    assert shelf.fetches <= max(1, -(-len(shelf.halves[0]) // size))


@given(st.sets(st.integers(0, 9_999), max_size=60), st.integers(1, 7), st.randoms(use_true_random=False), st.integers(0, 20))
def test_what_is_there_all_the_time_is_read_whatever_is_made_and_deleted_meanwhile(
    numbers: set[int], size: int, random: Random, stop: int
) -> None:
    """The reader stops once and goes on. Where the list never keeps still it says so, and goes on when it does."""
    shelf = Shelf([dict.fromkeys(numbers)], random)
    found: list[str] = []
    place: Place | None = Place()
    try:
        for count, (rows, after) in enumerate(walk(shelf.fetch, 1, "id", size, Place(), "leads")):
            found += [str(one["id"]) for one in rows]
            place = after
            if count == stop:
                break
    except TruncatedError:
        shelf.unrest = None
    while place is not None:
        try:
            for rows, after in walk(shelf.fetch, 1, "id", size, Place.of(place.cursor), "leads"):
                found += [str(one["id"]) for one in rows]
                place = after
        except TruncatedError:
            assert shelf.unrest is not None
            shelf.unrest = None
    assert set(ids(numbers & set(shelf.halves[0]))) <= set(found)


@pytest.mark.parametrize("when", range(1, 8))
def test_what_moves_to_the_half_that_was_read_already_is_read(when: int) -> None:
    shelf = Shelf([dict.fromkeys(range(10, 15)), dict.fromkeys(range(20, 25))])
    fetch = shelf.fetch

    def moving(half: int, offset: int, limit: int) -> tuple[list[Raw], int]:
        if shelf.fetches == when and 21 in shelf.halves[1]:
            del shelf.halves[1][21]
            shelf.halves[0][21] = None
        return fetch(half, offset, limit)

    shelf.fetch = moving  # type: ignore[method-assign]
    assert set(ids([*range(10, 15), *range(20, 25)])) == set(walked(shelf, 2, halves=2))


def test_both_halves_of_a_list_that_keeps_still_are_read_once() -> None:
    shelf = Shelf([dict.fromkeys(range(5)), dict.fromkeys(range(10, 13))])
    assert walked(shelf, 2, halves=2) == ids([4, 3, 2, 1, 0, 12, 11, 10])
    assert shelf.fetches == 3 + 2 + 1


def test_rows_of_one_instant_at_the_edge_of_a_page_come_once() -> None:
    rows = [
        {"id": name, "created_at": "2026-11-21T16:54:03Z" if name in "bcd" else f"2026-11-2{9 - ord(name) % 7}T00:00:00Z"}
        for name in "abcd"
    ]
    rows[0]["created_at"] = "2026-11-22T00:00:00Z"

    def fetch(half: int, offset: int, limit: int) -> tuple[list[Raw], int]:
        return list(rows[offset : offset + limit]), len(rows)

    found = [one["id"] for page, _ in walk(fetch, 1, "created_at", 2, Place(), "contacts") for one in page]
    assert found == ["a", "b", "c", "d"]


@pytest.mark.parametrize("size", range(2, 9))
def test_rows_of_one_instant_that_stand_in_another_order_each_time_are_all_read(size: int) -> None:
    """A database that is asked to order by an instant alone may do so (https://www.postgresql.org/docs/current/queries-order.html)."""
    turns: list[int] = []

    def fetch(half: int, offset: int, limit: int) -> tuple[list[Raw], int]:
        turns.append(offset)
        assert len(turns) < MOST, "this does not end"
        alike = [{"id": name, "created_at": "2026-11-21T16:54:03Z"} for name in ("bcdef" if len(turns) % 2 else "fedcb")]
        rows = [{"id": "a", "created_at": "2026-11-22T00:00:00Z"}, *alike, {"id": "g", "created_at": "2026-11-20T00:00:00Z"}]
        return rows[offset : offset + limit], len(rows)

    found = [one["id"] for page, _ in walk(fetch, 1, "created_at", size, Place(), "contacts") for one in page]
    assert set(found) == set("abcdefg")


@pytest.mark.parametrize("period", [1, 2, 3])
@pytest.mark.parametrize("count", range(21, 32))
def test_pages_that_come_again_and_again_are_no_end(period: int, count: int) -> None:
    shelf = Shelf([dict.fromkeys(range(count))])
    pages: list[tuple[list[Raw], int]] = []

    def again(half: int, offset: int, limit: int) -> tuple[list[Raw], int]:
        pages.append(shelf.fetch(half, offset, limit))
        number = len(pages) - 1
        return pages[number if number <= period else 1 + (number - 1) % period]

    with pytest.raises(TruncatedError, match="again and again"):
        list(walk(again, 1, "id", 5, Place(), "leads"))


def test_a_page_of_one_row_that_comes_for_ever_is_no_end() -> None:
    asked: list[int] = []

    def stuck(half: int, offset: int, limit: int) -> tuple[list[Raw], int]:
        asked.append(offset)
        assert len(asked) < MOST, "this does not end"
        return [row(9)], 99

    with pytest.raises(TruncatedError, match="again and again"):
        list(walk(stuck, 1, "id", 5, Place(), "leads"))


@pytest.mark.parametrize(("rows", "count"), [([], 3), ([row(3), row(2)], 1)])
def test_a_page_that_contradicts_its_own_count_is_no_end(rows: list[Raw], count: int) -> None:
    with pytest.raises(TruncatedError):
        list(walk(lambda half, offset, limit: (rows, count), 1, "id", 5, Place(), "leads"))


@pytest.mark.parametrize(
    "cursor",
    [
        {"offset": 3},
        {"mark": "x"},
        {"part": "x", "offset": 0, "after": "", "ids": [], "first": 0},
        {"part": 0, "offset": 0, "after": "", "ids": None, "first": 0},
    ],
)
def test_a_cursor_of_another_shape_is_gone(cursor: Raw) -> None:
    with pytest.raises(CursorGoneError):
        Place.of(cursor)
