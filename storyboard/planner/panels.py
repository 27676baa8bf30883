"""Writes the panels: who is in the picture, how they act, the shot, the caption, the dialogs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from storyboard.plan import MAX_CHARACTERS, CharacterPlacement, Dialog, Panel, Shot
from storyboard.planner.acting import expression_in, place_in, pose_in, time_in
from storyboard.planner.asking import Asker
from storyboard.planner.cast import find_mentions, names_in
from storyboard.planner.partition import Group
from storyboard.planner.present import in_present
from storyboard.planner.prompts import ask_feeling, ask_picture, ask_place
from storyboard.planner.speech import Prose
from storyboard.story import Character

_SHOT_WORDS = {
    "wide": "Wide shot", "full": "Full shot", "medium": "Medium shot", "close-up": "Close-up",
    "detail": "Detail",
}  # fmt: skip
_STRONG = frozenset(("angry", "afraid", "sad", "surprised", "laughing"))
_WINDOW = 300


class Setting(msgspec.Struct):
    """What stays from panel to panel: place, time, who is there and how they hold themselves."""

    place: str = ""
    time: str = ""
    beat: int = -1
    present: list[str] = msgspec.field(default_factory=list)
    poses: dict[str, str] = msgspec.field(default_factory=dict)
    shots: list[Shot] = msgspec.field(default_factory=list)


class PanelWriter:
    """Writes the panels of a book in order, each from its pieces and what went before."""

    def __init__(
        self, prose: Prose, cast: tuple[Character, ...], places: Sequence[str], asker: Asker
    ) -> None:
        """Write for a cast; `places` are the scenes' own places, empty where they name none."""
        self._prose = prose
        self._cast = cast
        self._places = places
        self._asker = asker
        self._setting = Setting()

    def write(self, group: Group, panel_id: str) -> Panel:
        """Return the panel that shows a group of pieces."""
        told = " ".join(piece.told for piece in group.pieces if piece.kind == "told")
        is_new = self._enter(group, told)
        names, nearby = self._who(group, told)
        feelings = self._feelings(group, told, names)
        shot = self._shot(group, names, feelings, is_new)
        placements = tuple(
            CharacterPlacement(name, acting=f"{self._pose(name, told)}, {feelings[name]}")
            for name in names
        )
        picture = self._picture(group, told, names)
        return Panel(
            id=panel_id,
            caption=self._caption(shot, picture, placements, nearby),
            source=group.sentences,
            shot=shot,
            characters=placements,
            dialogs=tuple(
                Dialog(piece.text, piece.speaker, piece.voice) for piece in group.pieces if piece.text
            ),
        )

    def _enter(self, group: Group, told: str) -> bool:
        """Bring the setting up to this panel, and say whether it is a new place or moment."""
        now = self._setting
        scene = group.pieces[0].scene
        is_new = group.beat != now.beat
        if is_new:
            now.present, now.poses, now.beat = [], {}, group.beat
        place = self._places[scene] or place_in(told)
        if not (place or now.place):
            words = told or group.pieces[0].told
            place = self._asker.ask(ask_place(words[:_WINDOW]), "outdoors")
        is_new = is_new or bool(place and place != now.place)
        now.place = place or now.place
        now.time = time_in(f"{told} {self._places[scene]}") or now.time
        return is_new

    def _who(self, group: Group, told: str) -> tuple[list[str], list[str]]:
        """Return who stands in the picture, at most 4, and who else the caption has to name."""
        sentences = [self._prose.sentences[number - 1].text for number in group.sentences]
        named = names_in(" ".join(sentences), self._cast)
        speakers = [piece.speaker for piece in group.pieces if piece.speaker]
        acting = list(dict.fromkeys([*speakers, *names_in(told, self._cast)]))
        if not acting:
            acting = [name for name in named if name in self._setting.present] or named[:1]
        if not acting:
            acting = self._setting.present[:2]
        if len(set(speakers)) == 1 and len(acting) == 1:
            acting += [name for name in self._setting.present if name != acting[0]][:1]
        acting = acting[: max(MAX_CHARACTERS, 0)]
        seen = [*acting, *(name for name in self._setting.present if name not in acting)]
        self._setting.present = seen[: MAX_CHARACTERS + 1]
        return acting, [name for name in named if name not in acting]

    def _feelings(self, group: Group, told: str, names: list[str]) -> dict[str, str]:
        feelings: dict[str, str] = {}
        for name in names:
            lines = [piece.text for piece in group.pieces if piece.speaker == name]
            said = " ".join(lines)
            feeling = expression_in(said) or expression_in(self._told_of(name, told))
            if not feeling and said:
                feeling = self._asker.ask(ask_feeling(said[:_WINDOW], name), "calm")
            feelings[name] = feeling or "calm"
        return feelings

    def _told_of(self, name: str, told: str) -> str:
        """Return what is told after a name, up to the next one."""
        mentions = find_mentions(told, self._cast)
        parts = [
            told[mention.end : after.start if after else len(told)]
            for mention, after in zip(mentions, [*mentions[1:], None], strict=False)
            if mention.name == name
        ]
        return " ".join(parts) if parts or mentions else told

    def _pose(self, name: str, told: str) -> str:
        pose = pose_in(self._told_of(name, told)) or self._setting.poses.get(name, "standing")
        stays = ("sitting", "standing", "kneeling", "lying down")
        self._setting.poses[name] = pose if pose in stays else "standing"
        return pose

    def _shot(
        self, group: Group, names: list[str], feelings: dict[str, str], is_new: bool
    ) -> Shot:
        voices = {piece.speaker for piece in group.pieces if piece.speaker}
        shot: Shot = "medium"
        if is_new:
            shot = "wide"
        elif not voices:
            shot = "full" if names else "wide"
        elif len(voices) == 1 and feelings.get(next(iter(voices))) in _STRONG:
            shot = "close-up"
        shots = self._setting.shots
        if len(shots) > 1 and shots[-1] == shots[-2] == shot:
            closer: dict[Shot, Shot] = {"wide": "full", "full": "medium", "medium": "close-up"}
            shot = closer.get(shot, "medium")
        shots.append(shot)
        return shot

    def _picture(self, group: Group, told: str, names: list[str]) -> str:
        """Return in a clause what happens in the picture."""
        if not told.strip():
            return self._talk(group, names)
        nouns = tuple(n for c in self._cast for n in (c.name, *c.aliases))
        rule = in_present(_first_clauses(told), nouns)
        absent = [character for character in self._cast if character.name not in names]

        def check(picture: str) -> str:
            if re.search(r"[\"“”{}<>]|\bTom\b|\bAnna\b", picture) and "Tom" not in told:
                return "describe only this picture, without quotes"
            if names_in(picture, tuple(absent)):
                return f"name only {', '.join(names) or 'the place'}"
            if picture.rstrip(".").lower() in told.lower() or not names_in(picture, self._cast):
                return "say it in the present tense, with the names"
            return ""

        return self._asker.ask(ask_picture(told[:_WINDOW], names), rule, check).rstrip(".,;: ")

    def _talk(self, group: Group, names: list[str]) -> str:
        voices = list(dict.fromkeys(piece.speaker for piece in group.pieces if piece.speaker))
        if not voices:
            return f"{_joined(names)} together" if names else "the empty place"
        kinds = {piece.voice for piece in group.pieces}
        others = [name for name in names if name not in voices]
        verb = "thinks" if "thought" in kinds else "shouts" if "shout" in kinds else "talks"
        if len(voices) > 1:
            return f"{_joined(voices)} talk to each other"
        to = f" to {_joined(others)}" if others and verb != "thinks" else ""
        return f"{voices[0]} {verb}{to}"

    def _caption(
        self, shot: Shot, picture: str, placements: tuple[CharacterPlacement, ...], nearby: list[str]
    ) -> str:
        now = self._setting
        where = " ".join(word for word in (now.place, now.time) if word)
        states = [f"{p.name} {p.acting.replace(', ', ' and ')}" for p in placements]
        parts = [f"{_SHOT_WORDS[shot]}, {where}: {picture}" if where else f"{shot}: {picture}"]
        parts += ["; ".join(states)] if states else []
        parts += [f"{_joined(nearby)} in mind or nearby"] if nearby else []
        return ". ".join(parts)


def _first_clauses(told: str) -> str:
    """Return the beginning of some telling, whole clauses of at most 110 characters."""
    if len(told) <= 110:
        return told
    cuts = [match.start() for match in re.finditer(r"[.;:,!?](?=\s)", told[:111])]
    cut = cuts[-1] if cuts else told.rfind(" ", 0, 110)
    return told[: cut if cut > 0 else 110]


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
