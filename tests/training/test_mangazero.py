"""The downloader against a server on this machine that fails, throttles and cuts short."""

from __future__ import annotations

import email.utils
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import numpy as np
import pytest
from PIL import Image

from training.data.annotations import PageAnnotation, TooManyBadPagesError, write_annotations
from training.data.mangazero import FAILURES_FILE, check, download, joined, main
from training.data.mangazero_fetching import USER_AGENT, Fetcher, FetchError, retry_after_s

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def picture(gray: int, size: tuple[int, int] = (30, 40)) -> bytes:
    data = io.BytesIO()
    Image.new("L", size, gray).save(data, "PNG")
    return data.getvalue()


LEFT, RIGHT = picture(60), picture(200, (20, 50))


@dataclass
class Server:
    """Answers with a picture, or as the first entries of `plans` for an address say.

    An entry is a status with its headers, "cut" for half of the promised bytes, or "garbage".
    """

    address: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    plans: dict[str, list[object]] = field(default_factory=dict)

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            state.asked[name] += 1
            state.times.append(time.monotonic())
            state.agents.add(self.headers["User-Agent"])
            plan = state.plans.get(name, [])
            step = plan.pop(0) if plan else 200
            if isinstance(step, tuple):
                status, headers = step
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = b"<html>" if step == "garbage" else LEFT if "left" in name else RIGHT
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if step == "cut" else body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.address = f"http://127.0.0.1:{http.server_port}"
        yield state
        http.shutdown()
        thread.join()


@dataclass
class Clock:
    """Time that passes only by sleeping."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fetcher(clock: Clock) -> Fetcher:
    return Fetcher(sleep=clock.sleep, clock=lambda: clock.now, timeout_s=5)


def page(server: Server, number: int, **meta: object) -> PageAnnotation:
    addresses = {"url1": server.url(f"{number}-left"), "url2": server.url(f"{number}-right")}
    return PageAnnotation(f"a-series/{number:03d}.png", (), addresses | meta)


def test_two_pictures_become_a_double_page_top_aligned_on_black(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    assert not download([page(server, 0)], tmp_path, fetcher)
    with Image.open(tmp_path / "a-series/000.png") as double:
        pixels = np.asarray(double.convert("L"))
    assert pixels.shape == (50, 50)
    assert set(pixels[:40, :30].flat) == {60}
    assert set(pixels[40:, :30].flat) == {0}
    assert set(pixels[:, 30:].flat) == {200}
    assert server.agents == {USER_AGENT}


def test_a_page_of_one_picture_is_that_picture() -> None:
    assert joined(Image.new("RGB", (3, 4)), None).size == (3, 4)


def test_nothing_is_fetched_that_is_there(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    pages = [page(server, number) for number in range(3)]
    download(pages[:2], tmp_path, fetcher)
    download(pages, tmp_path, fetcher)
    assert set(server.asked.values()) == {1}
    assert len(server.asked) == 6
    assert sorted(path.name for path in (tmp_path / "a-series").iterdir()) == [
        "000.png", "001.png", "002.png",
    ]  # fmt: skip


def test_a_host_is_given_a_pause_between_requests(
    server: Server, fetcher: Fetcher, clock: Clock, tmp_path: Path
) -> None:
    download([page(server, number) for number in range(2)], tmp_path, fetcher)
    assert clock.slept == pytest.approx([0.5] * 3)


def test_pauses_are_real_where_the_clock_is(server: Server, tmp_path: Path) -> None:
    download([page(server, 0)], tmp_path, Fetcher(pause_s=0.2))
    assert server.times[1] - server.times[0] > 0.15  # as the server sees it, on its way


def test_a_throttling_host_is_left_alone_as_long_as_it_asks(
    server: Server, fetcher: Fetcher, clock: Clock, tmp_path: Path
) -> None:
    server.plans["0-left"] = [(429, {"Retry-After": "17"}), (503, {"Retry-After": "40"})]
    assert not download([page(server, 0)], tmp_path, fetcher)
    assert clock.slept[:2] == pytest.approx([17, 40])
    assert server.asked["0-left"] == 3


def test_a_host_that_wants_hours_is_left_for_another_run(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    server.plans["0-left"] = [(429, {"Retry-After": "7200"})]
    bad = download([page(server, 0)], tmp_path, fetcher)
    assert bad.reasons == {"a-series/000.png": "url1: status 429; the host asks for 7200 s of rest"}
    assert not download([page(server, 0)], tmp_path, fetcher)  # it was not final


def test_the_wait_may_be_a_date() -> None:
    assert retry_after_s("12") == 12
    soon = email.utils.formatdate(time.time() + 100, usegmt=True)
    assert retry_after_s(soon) == pytest.approx(100, abs=2)
    assert retry_after_s(email.utils.formatdate(0, usegmt=True)) == 0
    assert retry_after_s("soon") is None
    assert retry_after_s(None) is None


@pytest.mark.parametrize("trouble", [(500, {}), "cut", "garbage"])
def test_passing_trouble_is_tried_again_with_growing_waits(
    server: Server, fetcher: Fetcher, clock: Clock, tmp_path: Path, trouble: object
) -> None:
    server.plans["0-left"] = [trouble, trouble, trouble]
    assert not download([page(server, 0)], tmp_path, fetcher)
    assert server.asked["0-left"] == 4
    waits = clock.slept[:3]
    assert all(low <= wait <= 1.5 * low for wait, low in zip(waits, (1, 2, 4), strict=True))


def test_lasting_trouble_is_counted_and_named_and_leaves_no_picture(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    server.plans["0-right"] = ["cut"] * 9
    server.plans["1-left"] = [(404, {})]
    bad = download([page(server, number) for number in range(3)], tmp_path, fetcher)
    assert bad.reasons == {
        "a-series/000.png": "url2: cut short, 4 times",
        "a-series/001.png": "url1: status 404",
    }
    assert [path.name for path in (tmp_path / "a-series").iterdir()] == ["002.png"]
    with pytest.raises(TooManyBadPagesError, match=r"2 of 3 pages"):
        bad.check(3)


def test_what_is_gone_is_not_asked_for_twice_but_for_a_reason(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    server.plans["0-left"] = [(404, {}), (404, {})]
    download([page(server, 0)], tmp_path, fetcher)
    with (tmp_path / FAILURES_FILE).open("ab") as file:
        file.write(b'{"page": "a-ser')  # killed while writing
    bad = download([page(server, 0)], tmp_path, fetcher)
    assert bad.reasons == {"a-series/000.png": "url1: status 404 (not asked for again)"}
    assert server.asked["0-left"] == 1
    assert download([page(server, 0)], tmp_path, fetcher, again=True)
    assert server.asked["0-left"] == 2
    assert not download([page(server, 0)], tmp_path, fetcher, again=True)


def test_a_host_that_does_not_answer_is_left_alone(clock: Clock, tmp_path: Path) -> None:
    fetcher = Fetcher(sleep=clock.sleep, clock=lambda: clock.now, attempts=2, timeout_s=2)
    silent = [
        PageAnnotation(f"{number}.png", (), {"url1": f"http://127.0.0.1:9/{number}"})
        for number in range(5)
    ]
    bad = download(silent, tmp_path, fetcher)
    assert "no answer" in bad.reasons["2.png"]
    assert bad.reasons["3.png"] == "url1: 127.0.0.1:9 does not answer"


def test_another_host_can_be_asked_for_the_same_paths(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    old = page(server, 0, url1="http://old.invalid/0-left", url2="http://old.invalid/0-right")
    assert not download([old], tmp_path, fetcher, host=server.address.removeprefix("http://"))


def test_a_picture_of_another_width_is_not_the_one_that_was_annotated(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    good, other = page(server, 0, width1=30, width2=20), page(server, 1, width1=60)
    bad = download([good, other], tmp_path, fetcher)
    assert bad.reasons == {"a-series/001.png": "url1: 30 px wide, annotated at 60 px"}


@pytest.mark.parametrize(
    ("path", "meta", "message"),
    [
        ("../a.png", {"url1": "http://x/"}, "outside of the folder"),
        ("/etc/a.png", {"url1": "http://x/"}, "outside of the folder"),
        ("a.svg", {"url1": "http://x/"}, "expected one of .jpg"),
        ("a.png", {}, "missing required field `url1`"),
        ("a.png", {"url1": ""}, "url1 is empty"),
    ],
)
def test_annotations_that_cannot_be_followed_stop_it_before_the_first_request(
    fetcher: Fetcher, tmp_path: Path, path: str, meta: dict[str, str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        download([PageAnnotation(path, (), meta)], tmp_path, fetcher)


def test_files_of_this_machine_are_not_fetched(fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="not an http address"):
        fetcher.fetch("file:///etc/passwd", bytes)


def test_an_interrupted_run_leaves_whole_pages_only(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    def stop(number: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    pages = [page(server, number) for number in range(4)]
    with pytest.raises(KeyboardInterrupt):
        download(pages, tmp_path, fetcher, on_page=stop)
    assert len(list((tmp_path / "a-series").iterdir())) == 2
    assert not download(pages, tmp_path, fetcher)
    assert len(server.asked) == 8
    assert set(server.asked.values()) == {1}


@pytest.fixture
def run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    write_annotations([page(server, number) for number in range(3)], tmp_path / "annotations.json")

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["mangazero", *words, str(tmp_path)])
        main()

    return call


def test_checking_asks_nobody(
    server: Server, run: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    run("check")
    assert "6 pictures to fetch" in capsys.readouterr().out
    assert not server.asked


def test_the_command_downloads_and_says_what_is_missing(
    server: Server,
    run: Callable[..., None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.plans["1-left"] = [(404, {})]
    with pytest.raises(SystemExit, match=r"(?s)1 of 3 pages cannot be used.*001\.png.*Hint"):
        run("--pause", "0", "download")
    assert "2 of 3 pages are there" in capsys.readouterr().out
    run("--pause", "0", "--allow-missing", "download")
    assert "001.png: url1: status 404" in capsys.readouterr().err
    [failure] = (tmp_path / FAILURES_FILE).read_bytes().splitlines()
    assert msgspec.json.decode(failure)["is_final"] is True


def test_a_plan_says_how_much_is_there(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    pages = [page(server, number) for number in range(4)]
    download(pages[:1], tmp_path, fetcher)
    report = check(pages, tmp_path, pause_s=600)
    assert "1 of them are there, 3 are not" in report
    assert "6 pictures to fetch, at least 1.0 hours" in report
