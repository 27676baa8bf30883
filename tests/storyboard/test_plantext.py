import codecs
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storyboard.errors import StoryError
from storyboard.plan import Plan, examine_plan
from storyboard.plantext import with_new_texts
from storyboard.yamlfile import parse_yaml

PATH = Path("fox.plan.yaml")
HEAD = """\
# my notes: 狐, Füchse, 🦊
title:   "The Fox"      # two blanks
characters:
  - {name: Mika, look: short hair}
pages:
  - panels:
      - id: p01-1   # the first
        caption: "Mika: kneels"
        dialogs:
"""
FOOT = """

          # a comment behind it
          - {speaker: Mika, text: "Last."}   # the end
        notes: |
          text: not this one
"""
WRITTEN = {
    "plain": """\
          - speaker: Mika
            text: Hold still.   # why
""",
    "plain on two lines": """\
          - text: Hold
              still.
            kind: narration
""",
    "single": """\
          - speaker: Mika
            text: 'Hold still.'
""",
    "double": """\
          - "text":   "Hold\\x20still."
            speaker: Mika
""",
    "flow": """\
          - { speaker: Mika, text: Hold still. }  # why
""",
    "flow double": """\
          - {speaker: Mika, text: "Hold still.", kind: shout}
""",
    "flow on lines": """\
          - {speaker: Mika,
             text: 'Hold
               still.'}
""",
    "literal": """\
          - text: |-  # as a block
              Hold still.
            speaker: Mika
""",
    "literal clip": """\
          - text: |
                Hold still.

            speaker: Mika
""",
    "folded": """\
          - text: >-
              Hold
              still.
            speaker: Mika
""",
    "literal deep": """\
          - text: |2-
              Hold still.
            speaker: Mika
""",
    "tagged": """\
          - text: !!str Hold still.
            speaker: Mika
""",
}
WORDS = [
    "Sit up!",
    "Sit, up: now # or never",
    'It\'s "so" {odd} \\ here',
    "- no",
    "yes",
    "12:30",
    "まさか、本当に来るとは",
    "Sit\nup!",
    "Sit\n\nup, 你好\nnow",
    " a space",
    "🦊",
    "tab\there",
    "~",
]


def read(data: bytes) -> Plan:
    text = data.decode("utf-8-sig").replace("\r\n", "\n")
    plan, problems = examine_plan(parse_yaml(text, PATH), folder=None, templates=None)
    assert problems == []
    return plan


def texts(data: bytes) -> list[str]:
    return [dialog.text for dialog in read(data).pages[0].panels[0].dialogs]


@pytest.mark.parametrize(("bom", "breaks"), [(b"", "\n"), (codecs.BOM_UTF8, "\r\n")])
@pytest.mark.parametrize("manner", WRITTEN)
def test_only_the_changed_words_differ(manner: str, bom: bytes, breaks: str) -> None:
    for words in WORDS:
        check_only_words_differ(manner, words, bom, breaks)


def check_only_words_differ(manner: str, words: str, bom: bytes, breaks: str) -> None:
    source = bom + (HEAD + WRITTEN[manner] + FOOT).replace("\n", breaks).encode()
    changed = with_new_texts(source, {(0, 0, 0): words}, PATH)
    assert texts(changed) == [words, "Last."]
    head, foot = (part.replace("\n", breaks).encode() for part in (HEAD, FOOT))
    assert changed.startswith(bom + head)
    assert changed.endswith(foot)
    if breaks == "\r\n":
        assert changed.count(b"\n") == changed.count(b"\r\n")
    before, after = WRITTEN[manner], changed[len(bom + head) : -len(foot)].decode()
    for kept in ("speaker: Mika", "# why", "kind: narration", "kind: shout", "# as a block"):
        if kept in before and not ("block" in kept and "|" not in after):
            assert kept in after


def test_a_text_keeps_the_writers_manner_of_quoting() -> None:
    def became(manner: str, words: str) -> str:
        source = (HEAD + WRITTEN[manner] + FOOT).encode()
        changed = with_new_texts(source, {(0, 0, 0): words}, PATH).decode()
        return changed[len(HEAD) : -len(FOOT)]

    assert became("plain", "Sit up!").endswith("text: Sit up!   # why\n")
    assert became("plain", "No").endswith('text: "No"   # why\n')
    assert became("single", "It's me").endswith("text: 'It''s me'\n")
    assert became("flow", "Sit up!") == "          - { speaker: Mika, text: Sit up! }  # why\n"
    assert became("flow", "Sit, up") == '          - { speaker: Mika, text: "Sit, up" }  # why\n'
    assert "|-  # as a block\n              Sit\n              up\n" in became("literal", "Sit\nup")


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1),
    st.sampled_from(sorted(WRITTEN)),
)
@settings(deadline=None, max_examples=40)
def test_any_words_come_back_as_they_are(words: str, manner: str) -> None:
    if not words.strip() or "\ufffe" in words or "\uffff" in words:
        return
    source = (HEAD + WRITTEN[manner] + FOOT).encode()
    assert texts(with_new_texts(source, {(0, 0, 0): words}, PATH)) == [words, "Last."]


def test_several_texts_change_at_once() -> None:
    source = (HEAD + WRITTEN["plain"] + FOOT).encode()
    changes = {(0, 0, 1): "A much longer last line than before.", (0, 0, 0): "Up!"}
    changed = with_new_texts(source, changes, PATH)
    assert texts(changed) == ["Up!", "A much longer last line than before."]


def test_an_alias_is_written_out_and_a_shared_text_is_refused() -> None:
    shared = """\
          - {speaker: Mika, text: &a Hold still.}
          - {speaker: Mika, text: *a }
"""
    source = (HEAD + shared + FOOT).encode()
    assert texts(with_new_texts(source, {(0, 0, 1): "Up!"}, PATH))[:2] == ["Hold still.", "Up!"]
    with pytest.raises(StoryError, match="shares it"):
        with_new_texts(source, {(0, 0, 0): "Up!"}, PATH)
