"""Turns the story's past tense into the present of a caption, where the verb is sure."""

from __future__ import annotations

import re

_IRREGULAR = {
    "was": "is", "had": "has", "went": "goes", "came": "comes", "saw": "sees",
    "sat": "sits", "ran": "runs", "took": "takes", "gave": "gives", "got": "gets", "said": "says",
    "told": "tells", "felt": "feels", "fell": "falls", "found": "finds", "stood": "stands",
    "laid": "lays", "lay": "lies", "flew": "flies", "sprang": "springs", "spat": "spits",
    "held": "holds", "bit": "bites", "crept": "creeps", "stole": "steals", "began": "begins",
    "made": "makes", "put": "puts", "set": "sets", "broke": "breaks", "struck": "strikes",
    "threw": "throws", "caught": "catches", "brought": "brings", "thought": "thinks",
    "knew": "knows", "left": "leaves", "kept": "keeps", "heard": "hears", "ate": "eats",
    "drank": "drinks", "slept": "sleeps", "woke": "wakes", "wept": "weeps", "spoke": "speaks",
    "shook": "shakes", "drew": "draws", "grew": "grows", "rode": "rides", "rose": "rises",
    "sang": "sings", "swam": "swims", "won": "wins", "wore": "wears", "wrote": "writes",
    "met": "meets", "led": "leads", "fled": "flees", "hid": "hides", "hung": "hangs",
    "knelt": "kneels", "leapt": "leaps", "lost": "loses", "read": "reads", "sent": "sends",
    "shone": "shines", "shut": "shuts", "swept": "sweeps", "turned": "turns", "bent": "bends",
}  # fmt: skip
_SURELY_PAST = (  # never a participle, so that a verb it is even after a comma
    "went came saw sat ran took gave fell stood flew sprang crept stole began broke threw knew ate "
    "drank woke wept spoke shook drew grew rode rose sang swam wore wrote fled knelt leapt"
).split()
_AFTER_COMMA = re.compile(rf"(?<=,)(\s+(?:then\s+)?)({'|'.join(_SURELY_PAST)})\b")
_PAST_ED = re.compile(r"^[a-z]{2,}ed$")
_NOT_PAST = frozenset("need indeed seed bed red feed speed need hundred wicked naked".split())


def in_present(clause: str, names: tuple[str, ...]) -> str:
    """Return a clause with the verbs that follow a name, pronoun or `and` in the present tense.

    Further verbs of the same subject, after a comma, follow where they can be nothing but a verb.
    """
    subjects = "|".join([*(re.escape(name) + "s?" for name in names), "he", "she", "it", "who"])
    joint = re.compile(rf"\b(?:{subjects}) and (?:the )?$", re.IGNORECASE)
    many = re.compile(r"\b(?:they|we|you|all)\b", re.IGNORECASE)
    pattern = re.compile(
        rf"(\b(?:{subjects}|they|and|they all|all four)\b)(\s+(?:then|soon|all|once)\b)?"
        r"(\s+)([a-z]+)\b",
        re.IGNORECASE,
    )

    def change(match: re.Match[str]) -> str:
        subject, adverb, gap, verb = match[1], match[2] or "", match[3], match[4]
        present = _present(verb)
        before = clause[: match.start()]
        several = many.search(subject) or joint.search(before)
        if several or (subject.endswith("s") and subject[:-1] in names):
            present = {"is": "are", "has": "have", "goes": "go"}.get(present, _plain(present))
            present = "are" if verb == "were" else present
        return f"{subject}{adverb}{gap}{present or verb}"

    told = pattern.sub(change, clause)
    if told == clause or many.search(clause):  # no subject, or several, whose verbs these are
        return told
    return _AFTER_COMMA.sub(lambda match: match[1] + _IRREGULAR[match[2]], told)


def _present(verb: str) -> str:
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if not _PAST_ED.match(verb) or verb in _NOT_PAST or verb.endswith("eed"):
        return ""
    stem = verb[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "ies"
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lsfz":
        return stem[:-1] + "s"
    if re.search(r"(?:[sxz]|ch|sh)$", stem):
        return stem + "es"
    silent_e = re.search(
        r"(?<![aeiou])[aiou][bcdgkmptvr]$|(?:[^aeiou]|^)[aiu]l$|[vcu]$|[^aeioul]l$|(?:ang|rg|dg)$",
        stem,
    )
    return stem + ("es" if silent_e and not re.search(r"(?:ea|oo|ai|ee)\w$", stem) else "s")


def _plain(present: str) -> str:
    return re.sub(r"(?<=[xsh])es$|(?<=[^s])s$", "", re.sub(r"ies$", "y", present))
