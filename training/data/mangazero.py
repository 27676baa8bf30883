"""Fetches the pages of MangaZero from the addresses in its annotations.

    python -m training.data.mangazero check data/mangazero
    python -m training.data.mangazero download data/mangazero

The folder holds `annotations.json` as published; pictures come to lie beside it at each page's
`image_path`, where `training.data.cache` looks for them. `check` says without asking anybody how
much there is to fetch. `download` goes on where it was stopped, and leaves every picture whole or
not there. Pages that fail are named in `failures.jsonl`; more than 1 % of them is an error at the
end, as then the addresses are probably outdated (`--host` asks another host for the same paths).
What may be done with the pages is a matter between you and those who own and host them.

A page is a double page of two pictures: `url1` on the left, `url2` on the right, top aligned on
black, as the boxes were drawn on it.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import msgspec
from PIL import Image, UnidentifiedImageError

from training.data.annotations import (
    ALLOWED_BAD_SHARE,
    BadPages,
    PageAnnotation,
    TooManyBadPagesError,
    read_annotations,
)
from training.data.mangazero_fetching import Fetcher, FetchError

FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP"}
JPEG_QUALITY = 92
FAILURES_FILE = "failures.jsonl"


class PageAddresses(msgspec.Struct, frozen=True):
    """A page's `meta`: where its halves are, and how wide they were when boxes were drawn."""

    url1: str
    url2: str = ""
    width1: int | None = None
    width2: int | None = None


class _Failure(msgspec.Struct, frozen=True):
    page: str
    address: str
    reason: str
    is_final: bool


def addresses_of(page: PageAnnotation) -> PageAddresses:
    """Return where a page is to be had.

    Raises:
        ValueError: the annotations do not say, or would put the page outside of the folder.
    """
    path = PurePosixPath(page.image_path)
    if path.is_absolute() or ".." in path.parts or "\\" in page.image_path:
        raise ValueError(f"page {page.image_path!r} would lie outside of the folder")
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"page {page.image_path!r}: expected one of {', '.join(FORMATS)}")
    try:
        addresses = msgspec.convert(page.meta, PageAddresses)
    except msgspec.ValidationError as err:
        raise ValueError(f"page {page.image_path!r}: meta: {err}") from err
    if not addresses.url1:
        raise ValueError(f"page {page.image_path!r}: meta: url1 is empty")
    return addresses


def joined(left: Image.Image, right: Image.Image | None) -> Image.Image:
    """Return two pages side by side, top aligned on black; one alone stays alone."""
    if right is None:
        return left
    page = Image.new("RGB", (left.width + right.width, max(left.height, right.height)))
    page.paste(left, (0, 0))
    page.paste(right, (left.width, 0))
    return page


def decoded(data: bytes) -> Image.Image:
    """Return a picture from the bytes of its file, decoded to its end.

    Raises:
        ValueError: it is no picture, or is damaged or cut short.
    """
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.convert("RGB")
    except UnidentifiedImageError as err:
        raise ValueError("not a picture") from err
    except (OSError, SyntaxError, Image.DecompressionBombError) as err:
        raise ValueError(f"damaged: {err}") from err


def fetch_page(addresses: PageAddresses, fetcher: Fetcher) -> Image.Image:
    """Return a whole page.

    Raises:
        FetchError: a half could not be fetched, or is not the one that was annotated.
    """
    halves = []
    for number, (address, width) in enumerate(
        ((addresses.url1, addresses.width1), (addresses.url2, addresses.width2)), 1
    ):
        if not address:
            continue
        try:
            half = fetcher.fetch(address, decoded)
        except FetchError as err:
            raise FetchError(f"url{number}: {err}", is_final=err.is_final) from err
        if width is not None and half.width != width:
            raise FetchError(
                f"url{number}: {half.width} px wide, annotated at {width} px", is_final=True
            )
        halves.append(half)
    return joined(halves[0], halves[1] if len(halves) > 1 else None)


def save_page(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format of its name, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    picture.save(unfinished, FORMATS[path.suffix.lower()], quality=JPEG_QUALITY)
    unfinished.replace(path)


def download(
    pages: Sequence[PageAnnotation],
    folder: Path,
    fetcher: Fetcher,
    *,
    again: bool = False,
    host: str = "",
    on_page: Callable[[int], None] | None = None,
) -> BadPages:
    """Fetch the pages that are not there yet; return those that are still missing.

    Args:
        pages: of the annotations.
        folder: where pictures and the record of failures lie.
        fetcher: asks the hosts.
        again: also ask for pages that were gone for good when last asked for.
        host: asked instead of those in the addresses.
        on_page: called with the number of each page that was dealt with.

    Raises:
        ValueError: a page's annotations do not say where it is; nothing was fetched.
    """
    addresses = [_at(host, addresses_of(page)) for page in pages]
    gone = {} if again else _gone(folder)
    bad = BadPages()
    for number, (page, where) in enumerate(zip(pages, addresses, strict=True), 1):
        path = folder / page.image_path
        if not path.exists():
            if (known := gone.get(page.image_path)) and known.address == where.url1:
                bad.add(page.image_path, f"{known.reason} (not asked for again)")
            else:
                try:
                    save_page(fetch_page(where, fetcher), path)
                except FetchError as err:
                    bad.add(page.image_path, err)
                    failure = _Failure(page.image_path, where.url1, str(err), err.is_final)
                    _record(failure, folder)
        if on_page is not None:
            on_page(number)
    return bad


def _at(host: str, addresses: PageAddresses) -> PageAddresses:
    if not host:
        return addresses
    urls = (
        urlsplit(url)._replace(netloc=host).geturl() if url else ""
        for url in (addresses.url1, addresses.url2)
    )
    return msgspec.structs.replace(addresses, **dict(zip(("url1", "url2"), urls, strict=True)))


def _record(failure: _Failure, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FAILURES_FILE).open("ab") as file:
        file.write(msgspec.json.encode(failure) + b"\n")


def _gone(folder: Path) -> dict[str, _Failure]:
    """Return the last failures of pages, where they were final."""
    path = folder / FAILURES_FILE
    last: dict[str, _Failure] = {}
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            failure = msgspec.json.decode(line, type=_Failure)
        except msgspec.DecodeError:  # the last line, where a run was killed while writing it
            continue
        last[failure.page] = failure
    return {page: failure for page, failure in last.items() if failure.is_final}


def check(pages: Sequence[PageAnnotation], folder: Path, *, pause_s: float) -> str:
    """Say how much there is to fetch, and from whom, without asking anybody."""
    addresses = [addresses_of(page) for page in pages]
    missing = [
        where
        for page, where in zip(pages, addresses, strict=True)
        if not (folder / page.image_path).exists()
    ]
    urls = [url for where in missing for url in (where.url1, where.url2) if url]
    hosts = Counter(urlsplit(url).netloc for url in urls)
    lines = [
        f"{len(pages)} pages with {sum(len(page.frames) for page in pages)} panels",
        f"{len(pages) - len(missing)} of them are there, {len(missing)} are not",
        f"{len(urls)} pictures to fetch, at least {len(urls) * pause_s / 3600:.1f} hours",
        *(f"  {count} from {host}" for host, count in hosts.most_common(10)),
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the command line and do as asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("action", choices=("check", "download"))
    parser.add_argument("folder", type=Path, help="holds annotations.json")
    parser.add_argument(
        "--pause", type=float, default=0.5, help="seconds between requests to a host"
    )
    parser.add_argument("--attempts", type=int, default=4, help="tries for one address")
    parser.add_argument("--limit", type=int, help="only so many pages, from the first")
    parser.add_argument("--host", default="", help="asked instead of those in the addresses")
    parser.add_argument("--again", action="store_true", help="also ask for what was gone")
    parser.add_argument(
        "--allow-missing", action="store_true", help="no error although many pages are missing"
    )
    given = parser.parse_args()
    try:
        pages = read_annotations(given.folder / "annotations.json")[: given.limit]
        if given.action == "check":
            print(check(pages, given.folder, pause_s=given.pause))  # noqa: T201  the command's result
            return
        bad = download(
            pages,
            given.folder,
            Fetcher(pause_s=given.pause, attempts=given.attempts),
            again=given.again,
            host=given.host,
            on_page=lambda number: _show(number, len(pages)),
        )
        print(f"{len(pages) - len(bad)} of {len(pages)} pages are there")  # noqa: T201  the result
        bad.check(len(pages), allowed_share=1.0 if given.allow_missing else ALLOWED_BAD_SHARE)
    except TooManyBadPagesError as err:
        sys.exit(f"Error: {err}\nHint: --allow-missing takes it as it is; --host asks another host")
    except (OSError, ValueError) as err:
        sys.exit(f"Error: {err}")
    if bad:
        print(bad.summary(), file=sys.stderr)  # noqa: T201  named, as they are missing


def _show(number: int, total: int) -> None:
    if number % 100 == 0 or number == total:
        record = {"page": number, "of": total}
        print(json.dumps(record), file=sys.stderr, flush=True)  # noqa: T201  progress of a long run


if __name__ == "__main__":
    main()
