"""Every metric against answers that are known by other means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import (
    BoxCounts,
    box_ious,
    copy_paste_rates,
    cosines,
    count_boxes,
    frechet_distance,
    matched_boxes,
    picked,
    stage_matches,
)


def with_moments(mean: np.ndarray, covariance: np.ndarray, count: int = 200) -> np.ndarray:
    """Return features whose sample mean and covariance are exactly these."""
    noise = np.random.default_rng(0).standard_normal((count, len(mean)))
    noise -= noise.mean(0)
    noise = noise @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(noise, rowvar=False)))).T
    return noise @ np.linalg.cholesky(covariance).T + mean


def test_equal_sets_are_at_no_distance() -> None:
    features = np.random.default_rng(1).standard_normal((50, 8))
    assert frechet_distance(features, features[::-1]) == pytest.approx(0, abs=1e-9)


def test_a_moved_set_is_as_far_as_the_square_of_its_way() -> None:
    features = np.random.default_rng(1).standard_normal((50, 3))
    assert frechet_distance(features, features + np.array([3.0, 0.0, 4.0])) == pytest.approx(25)


def test_two_gaussians_on_a_line_are_at_the_distance_of_the_formula() -> None:
    # (m1 - m2)^2 + (s1 - s2)^2 with standard deviations 2 and 5
    first = with_moments(np.array([1.0]), np.array([[4.0]]))
    second = with_moments(np.array([-1.0]), np.array([[25.0]]))
    assert frechet_distance(first, second) == pytest.approx(4 + 9)


def test_covariances_that_do_not_commute_are_at_the_distance_of_their_root() -> None:
    first, second = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.0]])
    # the root of a 2 x 2 matrix has trace sqrt(trace + 2 sqrt(determinant))
    product = first @ second
    root = math.sqrt(np.trace(product) + 2 * math.sqrt(np.linalg.det(product)))
    expected = np.trace(first) + np.trace(second) - 2 * root
    found = frechet_distance(with_moments(np.zeros(2), first), with_moments(np.zeros(2), second))
    assert found == pytest.approx(expected)


def test_fewer_pictures_than_features_still_give_a_distance() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.standard_normal((2, 5, 64))
    assert frechet_distance(first, second) > 0
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-6)


def test_one_picture_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="two pictures"):
        frechet_distance(np.ones((1, 3)), np.ones((5, 3)))
    with pytest.raises(ValueError, match="of 3 and of 4"):
        frechet_distance(np.ones((5, 3)), np.ones((5, 4)))


def test_cosines_know_direction_and_not_length() -> None:
    first = np.array([[1.0, 0.0], [1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    second = np.array([[5.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    assert cosines(first, second) == pytest.approx([1, math.sqrt(0.5), -1, 0])


def test_the_first_candidate_is_picked_only_when_it_is_the_nearest() -> None:
    shown = np.array([[1.0, 0.1], [1.0, 0.1], [1.0, 0.0]])
    candidates = np.array(
        [[[2.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [2.0, 0.0]], [[1.0, 0.0], [3.0, 0.0]]]
    )
    assert picked(shown, candidates).tolist() == [True, False, False]  # a draw is no hit


def test_blind_guessing_picks_one_of_ten() -> None:
    rng = np.random.default_rng(3)
    hits = picked(rng.standard_normal((4000, 16)), rng.standard_normal((4000, 10, 16)))
    assert hits.mean() == pytest.approx(0.1, abs=0.015)


def test_a_copy_rates_one_the_target_none_and_what_is_as_far_from_both_a_half() -> None:
    given_ = np.array([[1.0, 0.0, 0.0]] * 3)
    target = np.array([[0.0, 1.0, 0.0]] * 3)
    drawn = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 1.0, 5.0]])
    assert copy_paste_rates(drawn, given_, target) == pytest.approx([1, 0, 0.5])


def test_a_character_given_as_it_shall_be_says_nothing_about_copying() -> None:
    same = np.array([[1.0, 0.0]])
    assert copy_paste_rates(np.array([[0.3, 0.7]]), same, same) == pytest.approx([0.5])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_copying_is_rated_from_nought_to_one(seed: int) -> None:
    drawn, given_, target = np.random.default_rng(seed).standard_normal((3, 20, 6))
    rates = copy_paste_rates(drawn, given_, target)
    assert rates.min() >= -1e-9
    assert rates.max() <= 1 + 1e-9


def test_people_on_stage_are_matched_by_count() -> None:
    # ViStoryBench: exp(-|found - asked| / asked)
    expected = [1, math.exp(-1 / 2), math.exp(-1), 1, 0]
    assert stage_matches([2, 3, 0, 0, 1], [2, 2, 1, 0, 0]) == pytest.approx(expected)


def test_boxes_share_what_they_have_in_common() -> None:
    a, b = (0.0, 0.0, 2.0, 2.0), (1.0, 0.0, 3.0, 2.0)
    assert box_ious([a, b], [a, (5.0, 5.0, 6.0, 6.0), (1.0, 1.0, 1.0, 1.0)]) == pytest.approx(
        np.array([[1, 0, 0], [1 / 3, 0, 0]])
    )
    assert box_ious([], [a]).shape == (0, 1)


def test_each_box_is_matched_once_and_the_best_pair_first() -> None:
    asked = [(0.0, 0.0, 1.0, 1.0)]
    found = [(0.0, 0.0, 1.0, 0.7), (0.0, 0.0, 1.0, 0.9)]
    assert matched_boxes(found, asked) == [(1, 0)]
    assert matched_boxes(found[:1], asked, min_iou=0.8) == []
    assert matched_boxes([], asked) == []


def test_f1_counts_boxes_over_all_panels() -> None:
    box, other = (0.0, 0.0, 1.0, 1.0), (2.0, 2.0, 3.0, 3.0)
    counts = count_boxes([[box], [box, other], []], [[box], [other], [box]])
    assert counts == BoxCounts(right=2, found=3, asked=3)
    assert counts.f1 == pytest.approx(2 / 3)
    assert counts.recall == pytest.approx(2 / 3)
    # precision 1, recall 1/3: F1 is 1/2
    assert BoxCounts(right=1, found=1, asked=3).f1 == pytest.approx(0.5)


def test_nothing_to_find_has_no_f1() -> None:
    assert count_boxes([[]], [[]]).f1 is None
    assert count_boxes([[]], [[]]).recall is None


@settings(max_examples=60, deadline=None)
@given(
    boxes=st.lists(
        st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0.6, 1), st.floats(0.6, 1)),
        max_size=5,
        unique=True,
    ),
    seed=st.integers(0, 1000),
)
def test_found_as_asked_is_right_in_any_order(
    boxes: list[tuple[float, float, float, float]], seed: int
) -> None:
    shuffled = [boxes[index] for index in np.random.default_rng(seed).permutation(len(boxes))]
    assert count_boxes([shuffled], [boxes]).right == len(boxes)
