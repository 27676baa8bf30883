from __future__ import annotations

import pytest

from storyboard.report import MAX_PROBLEMS, Report, nearest_name


@pytest.mark.parametrize(
    ("found", "nearest"),
    [("mica", "Mika"), ("MIKA", "Mika"), ("Bo", "Old Bo"), ("Zebedee", None), ("", None)],
)
def test_the_nearest_name_is_the_one_that_was_meant(found: str, nearest: str | None) -> None:
    assert nearest_name(found, ["Mika", "Old Bo", "Anna"]) == nearest


def test_what_is_wrong_inside_something_of_the_wrong_form_is_not_told_again() -> None:
    report = Report("plan.yaml")
    report.add_wrong(("pages", 0), "not a page")
    report.add(("pages", 0, "panels"), "no panels")
    report.add(("pages", 1, "panels"), "no panels")
    assert [problem.path for problem in report.problems] == ["pages[0]", "pages[1].panels"]


def test_problems_beyond_the_limit_are_counted_and_not_hidden() -> None:
    report = Report("plan.yaml")
    for number in range(MAX_PROBLEMS + 5):
        report.add(("pages", number), "wrong")
    assert len(report.problems) == MAX_PROBLEMS + 1
    assert report.problems[-1].message == "5 more problems are not listed"
