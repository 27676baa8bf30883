"""Writes the panels: who is in the picture, how they act, the shot, the caption, the dialogs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from storyboard.plan import MAX_CHARACTERS, CharacterPlacement, Dialog, Panel, Shot
from storyboard.planner.acting import expression_in, opens_a_change, place_in, pose_in, time_in
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
_MANY = re.compile(r"\b(?:they|them|all|together|companions|both)\b", re.IGNORECASE)
_ONE = re.compile(r"\b(?:he|she)\b", re.IGNORECASE)
_JOINT = re.compile(
    r"^(?:and|but|while|then|so|how|that|till|yet)\b,?\s*(?:then\b,?\s*)?", re.IGNORECASE
)


class Setting(msgspec.Struct):
    """What stays from panel to panel: place, time, who is there and how they hold themselves."""

    place: str = ""
    time: str = ""
    beat: int = -1
    present: list[str] = msgspec.field(default_factory=list)
    before: list[str] = msgspec.field(default_factory=list)
    poses: dict[str, str] = msgspec.field(default_factory=dict)
    shots: list[Shot] = msgspec.field(default_factory=list)


class Sketch(msgspec.Struct, frozen=True):
    """A panel before its caption is written. `told` is the narration it shows."""

    group: Group
    told: str
    shot: Shot
    where: str
    placements: tuple[CharacterPlacement, ...]
    nearby: tuple[str, ...]


class PanelWriter:
    """Writes the panels of a book: sketches all of them in order, then each one's caption.

    One kind of question after the other, since a model reads a question's examples only once as
    long as the kind stays the same.
    """

    def __init__(
        self, prose: Prose, cast: tuple[Character, ...], places: Sequence[str], asker: Asker
    ) -> None:
        """Write for a cast; `places` are the scenes' own places, empty where they name none."""
        self._prose = prose
        self._narration = prose.narration()
        self._cast = cast
        self._places = places
        self._asker = asker
        self._setting = Setting()

    def sketch(self, group: Group) -> Sketch:
        """Return who is in the panel of a group of pieces, how they act, and its shot and place."""
        told = " ".join(piece.told for piece in group.pieces if piece.kind == "told")
        is_new = self._enter(group, told)
        names, nearby = self._who(group, told)
        feelings = self._feelings(group, told, names)
        now = self._setting
        return Sketch(
            group,
            told,
            self._shot(group, names, feelings, is_new),
            " ".join(word for word in (now.place, now.time) if word),
            tuple(
                CharacterPlacement(name, acting=f"{self._pose(name, told)}, {feelings[name]}")
                for name in names
            ),
            tuple(nearby),
        )

    def write(self, sketch: Sketch, panel_id: str) -> Panel:
        """Return a sketched panel with its caption and dialogs."""
        return Panel(
            id=panel_id,
            caption=self._caption(sketch),
            source=sketch.group.sentences,
            shot=sketch.shot,
            characters=sketch.placements,
            dialogs=tuple(
                Dialog(piece.text, piece.speaker, piece.voice)
                for piece in sketch.group.pieces
                if piece.text
            ),
        )

    def _enter(self, group: Group, told: str) -> bool:
        """Bring the setting up to this panel, and say whether it is a new place or moment."""
        now = self._setting
        scene = group.pieces[0].scene
        is_new = group.beat != now.beat
        if is_new:
            now.before, now.present = now.present or now.before, []
            now.poses, now.beat = {}, group.beat
        place = self._places[scene] or place_in(told)
        if not (place or now.place):
            words = told or group.pieces[0].told
            place = self._asker.ask(ask_place(words[:_WINDOW]), "outdoors")
        is_new = is_new or bool(place and place != now.place)
        now.place = place or now.place
        if opens_a_change(told):
            now.time = ""
        now.time = time_in(f"{told} {self._places[scene]}") or now.time
        return is_new

    def _who(self, group: Group, told: str) -> tuple[list[str], list[str]]:
        """Return who stands in the picture, at most 4, and who else the caption has to name."""
        sentences = [self._prose.sentences[number - 1].text for number in group.sentences]
        named = names_in(" ".join(sentences), self._cast)
        speakers = [piece.speaker for piece in group.pieces if piece.speaker]
        acting = list(dict.fromkeys([*speakers, *names_in(told, self._cast)]))
        around = self._setting.present or self._setting.before
        if self._means_others(told):  # "they" are those who were there before, and those named now
            acting += [name for name in around if name not in acting]
        elif _ONE.search(told) and not speakers and not self._opens_with_name(told):
            acting = list(dict.fromkeys([*around[:1], *acting]))
        if not acting:
            acting = [name for name in named if name in around] or named[:1] or around[:2]
        if len(set(speakers)) == 1 and len(acting) == 1:  # whom they talk to: named first
            near = [*(name for name in named if name in around), *self._setting.present]
            acting += [name for name in near if name != acting[0]][:1]
        acting = acting[:MAX_CHARACTERS]
        seen = [*acting, *(name for name in self._setting.present if name not in acting)]
        self._setting.present = seen[: MAX_CHARACTERS + 1]
        return acting, [name for name in named if name not in acting]

    def _means_others(self, told: str) -> bool:
        """Say whether `they` or `all` in some telling are more than a plural just named in it."""
        pronoun = _MANY.search(told)
        ahead = find_mentions(told[: pronoun.start()], self._cast) if pronoun else []
        return bool(pronoun) and not any(told[m.start : m.end].endswith("s") for m in ahead)

    def _opens_with_name(self, told: str) -> bool:
        """Say whether some telling names someone before its first `he` or `she`."""
        mentions = find_mentions(told, self._cast)
        pronoun = _ONE.search(told)
        return bool(mentions and pronoun and mentions[0].start < pronoun.start())

    def _feelings(self, group: Group, told: str, names: list[str]) -> dict[str, str]:
        feelings: dict[str, str] = {}
        for name in names:
            lines = [piece.text for piece in group.pieces if piece.speaker == name]
            said = " ".join(lines)
            feeling = expression_in(said) or expression_in(self._told_of(name, told))
            if not feeling and "!" in said:  # small models hear anger in the calmest words
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

    def _shot(self, group: Group, names: list[str], feelings: dict[str, str], is_new: bool) -> Shot:
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
        absent = tuple(character for character in self._cast if character.name not in names)
        known = f"{told} {in_present(told, nouns)} {' '.join(names)}"

        def check(picture: str) -> str:
            if names_in(picture, absent) or not names_in(picture, self._cast):
                return f"name {', '.join(names) or 'the place'} and nobody else"
            if _invented(picture, known):
                return "show only what the story tells"
            if in_present(picture, nouns) != picture or picture[-1:] in ",;":
                return "say it in the present tense"
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

    def _narrated(self, source: tuple[int, ...]) -> list[str]:
        """Return whom the narrator names in some sentences, outside the quotes."""
        spans = [self._prose.sentences[number - 1] for number in source]
        return names_in(" ".join(self._narration[s.start : s.end] for s in spans), self._cast)

    def _caption(self, sketch: Sketch) -> str:
        names = [placement.name for placement in sketch.placements]
        picture = self._picture(sketch.group, sketch.told, names)
        shot = _SHOT_WORDS[sketch.shot]
        parts = [f"{shot}, {sketch.where}: {picture}" if sketch.where else f"{shot}: {picture}"]
        states = [f"{p.name} {p.acting.replace(', ', ' and ')}" for p in sketch.placements]
        parts += ["; ".join(states)] if states else []
        narrated = self._narrated(sketch.group.sentences)
        here = [name for name in sketch.nearby if name in narrated]
        away = [name for name in sketch.nearby if name not in narrated]
        parts += [f"Nearby: {_joined(here)}"] if here else []
        parts += [f"Talk of {_joined(away)}"] if away else []
        return ". ".join(parts)


def _invented(picture: str, story: str) -> list[str]:
    """Return the words of a picture that come from nowhere in the story; endings may differ."""
    told = {word[:3] for word in re.findall(r"\w+", story.lower())}
    words = re.findall(r"\w+", picture.lower())
    return [word for word in words if len(word) > 3 and word[:3] not in told]


def _first_clauses(told: str) -> str:
    """Return the beginning of some telling, whole clauses of about 40 to 110 characters."""
    told = _JOINT.sub("", told)
    if len(told) > 110:
        cuts = [match.start() for match in re.finditer(r"[.;:,!?](?=\s)", told[:111])]
        cut = cuts[-1] if cuts and cuts[-1] >= 40 else told.rfind(" ", 0, 110)
        told = told[: cut if cut > 0 else 110]
    return told[:1].upper() + told[1:]


def _joined(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
