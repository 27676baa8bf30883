"""How long a book takes to be lettered and bound, and what one changed word costs.

    python -m benchmarks.lettering --pages 100

Lays out a book of five panels and five balloons a page, with line art made on the spot, and letters
and binds it in a work folder of its own, each time in a new process: first with nothing kept, then
with only the pictures ready for print, then unchanged, then with one word changed. Prints seconds
of processor and of clock, pages per second, the peak of memory, and where the time of lettering
went. On a machine with other work the seconds of the processor are those to compare.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = (
    "I never thought the harbour would be so quiet at dawn do you hear it she said nothing for a "
    "while then laughed and ran over the bridge to where her brother waited with the lantern"
).split()
PANELS_A_PAGE = 5
SMALL_PX = (224, 160)
NUM_PICTURES = 2  # shared by all panels: getting a picture ready for print is not what is measured
HEAD = """\
format: storyboard-plan/1
title: Benchmark
seed: 7
characters:
  - {name: Mika, look: short black hair}
  - {name: Jun, look: tall}
pages:
"""


def write_plan(path: Path, num_pages: int) -> None:
    """Write a plan with a balloon of 3 to 12 words in every panel; the same one every time."""
    rng = random.Random(3)  # noqa: S311 - keeps no secrets
    lines = [HEAD]
    for page in range(1, num_pages + 1):
        lines.append("  - panels:\n")
        for panel in range(1, PANELS_A_PAGE + 1):
            words = " ".join(rng.choice(WORDS) for _ in range(rng.randint(3, 12)))
            kind = rng.choice(["speech"] * 6 + ["thought", "shout", "whisper"])
            lines.append(
                f"      - id: p{page:03}-{panel}\n"
                "        caption: Mika and Jun talk on the quay\n"
                "        characters: [{name: Mika}, {name: Jun}]\n"
                "        dialogs:\n"
                f'          - {{speaker: Mika, kind: {kind}, text: "{words}."}}\n'
            )
    path.write_text("".join(lines))


def draw_pictures(plan: Path, num_pages: int) -> None:
    """Put a small picture for every panel where the last drawn ones are looked for."""
    from PIL import Image, ImageDraw

    from storyboard.workspace import Workspace

    rng = random.Random(5)  # noqa: S311 - keeps no secrets
    gallery = Workspace.beside(plan).panels
    gallery.folder.mkdir(parents=True)
    for number in range(NUM_PICTURES):
        picture = Image.new("L", SMALL_PX, 255)
        pen = ImageDraw.Draw(picture)
        for _ in range(60):
            points = [(rng.randrange(SMALL_PX[0]), rng.randrange(SMALL_PX[1])) for _ in "12"]
            pen.line(points, fill=0, width=rng.randint(1, 4))
        picture.save(gallery.path(str(number)))
    panels = range(1, PANELS_A_PAGE + 1)
    ids = [f"p{page:03}-{panel}" for page in range(1, num_pages + 1) for panel in panels]
    gallery.remember({name: str(index % NUM_PICTURES) for index, name in enumerate(ids)})


def letter(plan: Path, profile: Path | None) -> None:
    """Letter and bind the book, and print what it took."""
    from storyboard import render as chain
    from storyboard.progress import SilentProgress
    from storyboard.render import Work

    profiler = cProfile.Profile()
    if profile is not None:
        profiler.enable()
    clock_s = time.perf_counter()
    pdf = chain.letter(Work(plan), SilentProgress())
    clock_s = time.perf_counter() - clock_s
    profiler.disable()
    if profile is not None:
        profiler.dump_stats(profile)
    used = resource.getrusage(resource.RUSAGE_SELF)
    row = {
        "clock_s": round(clock_s, 2),
        "processor_s": round(used.ru_utime + used.ru_stime, 2),  # start of Python included
        "peak_mib": round(used.ru_maxrss / 1024),
        "pdf_mb": round(pdf.stat().st_size / 1e6, 2),
    }
    print(json.dumps(row))


def lettered(plan: Path, profile: Path | None = None) -> dict[str, float]:
    """Return what lettering takes in a process of its own on one thread."""
    command = [sys.executable, "-m", "benchmarks.lettering", "--letter", str(plan)]
    command += ["--profile", str(profile)] if profile else []
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 - runs itself
        command, check=True, capture_output=True, text=True, env=environment
    )
    row: dict[str, float] = json.loads(done.stdout)
    return row


def change_a_word(plan: Path, number: int) -> None:
    """Put another word into a balloon in the middle of the book."""
    text = plan.read_text()
    middle = text.index('text: "', len(text) // 2) + len('text: "')
    plan.write_text(f"{text[:middle]}Now{number} {text[middle:]}")


def main() -> None:
    """Measure, or letter one book for the measuring process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, nargs="+", default=[25, 100])
    parser.add_argument("--repeat", type=int, default=3, help="changed words; their median counts")
    parser.add_argument("--letter", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--profile", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.letter:
        letter(options.letter, options.profile)
        return
    for num_pages in options.pages:
        with tempfile.TemporaryDirectory() as scratch:
            measure(Path(scratch), num_pages, options.repeat)


def forget_pages(plan: Path) -> None:
    """Throw away pages that are kept, but not pictures that are ready for print."""
    prints = plan.with_name("book.storyboard") / "prints"
    for kept in (*prints.glob("*.page"), *prints.glob("*.staged")):
        kept.unlink()


def measure(folder: Path, num_pages: int, repeat: int) -> None:
    """Print a line for the first binding, one unchanged, and one with a changed word."""
    plan = folder / "book.plan.yaml"
    write_plan(plan, num_pages)
    draw_pictures(plan, num_pages)
    tell(num_pages, "first", lettered(plan))
    forget_pages(plan)
    tell(num_pages, "pictures kept", lettered(plan))
    tell(num_pages, "unchanged", lettered(plan))
    changed = []
    for number in range(repeat):
        change_a_word(plan, number)
        changed.append(lettered(plan))
    median = sorted(changed, key=lambda row: row["processor_s"])[repeat // 2]
    tell(num_pages, "one word changed", median)
    profile = folder / "profile"
    forget_pages(plan)
    lettered(plan, profile)
    print(shares(profile))


def tell(num_pages: int, name: str, row: dict[str, float]) -> None:
    """Print what one binding took."""
    speed = round(num_pages / row["processor_s"], 1)
    told = {"pages": num_pages, "binding": name, **row, "pages_a_second": speed}
    print(json.dumps(told), flush=True)


def shares(profile: Path) -> str:
    """Return what share of the time the parts of lettering and binding took, prints kept."""
    stats = pstats.Stats(str(profile)).stats  # type: ignore[attr-defined]
    parts = {
        "staging.py:stage": "stage",
        "letterer.py:letter_panel": "letter",
        "sheet.py:make_sheet": "PDF objects",
        "pdffile.py:write_group": "writing",
        "pictures.py:packed": "prints",
        "plan.py:load_plan": "load the plan",
        "checks.py:check_file": "check the plan",
    }
    whole = max(row[3] for row in stats.values())
    found: dict[str, float] = {}
    for (file, _, name), row in stats.items():
        part = parts.get(f"{Path(file).name}:{name}")
        if part:
            found[part] = max(found.get(part, 0.0), row[3])
    rows = sorted(found.items(), key=lambda pair: -pair[1])
    return "  ".join(f"{part} {time_s / whole:.0%}" for part, time_s in rows)


if __name__ == "__main__":
    main()
