"""The models the tool knows by name. A folder of the same layout can be used without being here."""

from __future__ import annotations

import msgspec

LANGUAGE_MODEL = "mllm/"
"""Where, in a model's repository, the language model lies that drawing can do without."""


class Source(msgspec.Struct, frozen=True):
    """Where a model is published, and what is known of it.

    Sizes are in bytes and were read, rounded, from the repository's pages; the server tells exact
    ones before a file is fetched. `revision` is a commit, so that everyone gets the same files.
    """

    repository: str
    revision: str
    num_bytes: int
    language_model_bytes: int
    licence: str


class Entry(msgspec.Struct, frozen=True):
    """A model of the catalogue. Without a source it ships with the tool."""

    name: str
    about: str
    source: Source | None = None


MINI = "mini"

CATALOGUE = (
    Entry(MINI, "small weights for any machine; ships with the tool"),
    Entry(
        "diffsensei",
        "the published DiffSensei, for a machine with a GPU",
        Source(
            repository="jianzongwu/DiffSensei",
            revision="d862c11da74705eab282f6543ede76be9331c586",
            num_bytes=71_100_000_000,
            language_model_bytes=52_600_000_000,
            licence=(
                "MIT, as its model card says. It was made from SDXL (CreativeML Open RAIL++-M) and "
                "its language model from SEED-X (a licence of its own, over Llama 2), whose terms "
                "may hold for you too."
            ),
        ),
    ),
)


def entry_named(name: str) -> Entry | None:
    """Return the catalogue's entry of this name, if there is one."""
    return next((entry for entry in CATALOGUE if entry.name == name), None)


def size_text(num_bytes: int) -> str:
    """Return a size as people are told it: `71.1 GB`, `12 MB`, `90 kB`."""
    if num_bytes >= 1e9:
        return f"{num_bytes / 1e9:.1f} GB"
    return f"{num_bytes / 1e6:.0f} MB" if num_bytes >= 1e6 else f"{num_bytes / 1e3:.0f} kB"
