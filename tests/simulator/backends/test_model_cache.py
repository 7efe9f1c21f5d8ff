"""What holds for any order of invocations; `test_multi_model.py` has the cache with a real container."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.simulator.answers import Place
from argosy.simulator.backends.model_cache import CacheOptions, Entry, ModelCache, Room, opaque_name
from argosy.simulator.connection import Reply
from argosy.simulator.hosting.backend import Refused
from argosy.simulator.hosting.definition import ArtifactSource
from tests.simulator.hosting.test_artifacts import archive
from tests.simulator.memory_store import MemoryStore

NAMES = "abcd"
STORE = MemoryStore({f"s3://bucket/{name}": archive({"text": name.encode()}) for name in NAMES})
PLACE = Place("demo")


class Loads:
    """A `LoadApi` with room for some, which takes its time."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.loaded: set[str] = set()
        self.most = 0

    def name(self, target: str) -> str:
        return opaque_name(target)

    async def load(self, name: str, path: str, target: str) -> Reply:
        assert (Path(path) / "text").read_text() == target
        if name in self.loaded:
            return Reply(409, {}, b"")
        if len(self.loaded) >= self.room:
            return Reply(507, {}, b"")
        self.loaded.add(name)
        self.most = max(self.most, len(self.loaded))
        await asyncio.sleep(0)
        return Reply(200, {}, b"")

    async def unload(self, name: str) -> Reply:
        await asyncio.sleep(0)
        self.loaded.discard(name)
        return Reply(200, {}, b"")


ACTIONS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["use", "forget", "remove"])), max_size=20)


@given(ACTIONS, st.integers(1, 3), st.none() | st.integers(1, 3), st.none() | st.integers(1, 3), st.booleans())
@settings(deadline=None, max_examples=30)
def test_one_after_the_other_whoever_is_served_is_loaded_and_no_limit_is_exceeded(
    actions: list[tuple[str, str]], room: int, most: int | None, disk: int | None, is_kept: bool
) -> None:
    async def play(folder: Path) -> None:
        api = Loads(room)
        options = CacheOptions(max_loaded=most, max_disk_bytes=disk)
        cache = ModelCache(api, Room(STORE, folder, str(folder)), options, lambda _line: None, is_kept)
        for name, action in actions:
            if action == "remove":
                await cache.remove(name)
                assert opaque_name(name) not in api.loaded
                continue
            entry = await enter(cache, name)
            assert entry.name in api.loaded
            if action == "forget":
                api.loaded.discard(entry.name)
                assert await cache.again(entry, PLACE, 404)
                assert entry.name in api.loaded
            if is_kept:  # else a thread is removing what was used last
                assert len(list(folder.iterdir())) <= (disk or len(NAMES))
            cache.leave(entry)
        await cache.close()
        assert api.most <= min(room, most or room)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))


@given(st.lists(st.sampled_from(NAMES), max_size=24), st.integers(1, 3), st.none() | st.integers(1, 3), st.booleans())
@settings(deadline=None, max_examples=30)
def test_at_the_same_time_each_is_served_by_what_is_loaded(
    names: list[str], room: int, most: int | None, is_kept: bool
) -> None:
    async def play(folder: Path) -> None:
        api = Loads(room)
        options = CacheOptions(max_loaded=most)
        cache = ModelCache(api, Room(STORE, folder, str(folder)), options, lambda _line: None, is_kept)

        async def use(name: str) -> None:
            entry = await enter(cache, name)
            await asyncio.sleep(0)
            assert entry.name in api.loaded
            cache.leave(entry)

        async with asyncio.timeout(30):
            await asyncio.gather(*(use(name) for name in names))
        assert api.most <= min(room, most or room)
        await cache.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))


@pytest.mark.parametrize("is_kept", [True, False])
def test_nothing_is_kept_of_names_that_mean_nothing(tmp_path: Path, is_kept: bool) -> None:
    async def play() -> None:
        cache = ModelCache(Loads(1), Room(STORE, tmp_path, str(tmp_path)), CacheOptions(), print, is_kept)
        cache.leave(await enter(cache, "a"))
        for number in range(50):
            with pytest.raises(Refused):
                await enter(cache, f"none-{number}")
        assert set(cache._entries) <= {"a"}
        await cache.remove("a")
        assert not cache._entries
        await cache.close()

    asyncio.run(play())


def test_what_is_made_anew_under_a_name_in_use_comes_from_its_own_source(tmp_path: Path) -> None:
    async def play() -> None:
        api = Loads(1)
        store = MemoryStore({f"s3://bucket/{name}": archive({"text": b"name"}) for name in ("old", "new")})
        cache = ModelCache(api, Room(store, tmp_path, str(tmp_path)), CacheOptions(), print)
        first = await cache.enter("name", ArtifactSource("s3://bucket/old"), PLACE)
        await cache.remove("name")
        second = await cache.enter("name", ArtifactSource("s3://bucket/new"), PLACE)
        assert second.source.url == "s3://bucket/new"
        cache.leave(first)
        assert api.loaded == {second.name}
        cache.leave(second)
        assert (first.users, second.users) == (0, 0)
        await cache.close()

    asyncio.run(play())


async def enter(cache: ModelCache, name: str) -> Entry:
    return await cache.enter(name, ArtifactSource(f"s3://bucket/{name}"), PLACE)
