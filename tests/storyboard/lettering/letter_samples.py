"""Random texts of every script that is lettered, for stating laws about them."""

from __future__ import annotations

from hypothesis import strategies as st

from storyboard.plan import DialogKind

BALLOONS: tuple[DialogKind, ...] = (
    "speech",
    "whisper",
    "thought",
    "shout",
    "radio",
    "narration",
)

_LETTERS = {
    "en": "abcdefghijlmnopstuwyI",
    "de": "abcdefghilmnoprstuäöüß",
    "pl": "aąbcćdeęijklłmnoóśwzżź",
    "tr": "abcçdeğıiklmnoöprsştuü",
    "ru": "абвгдежзийклмнопрстуюя",
    "el": "αάβγδεέηθικλμνοόπρσςτυ",
}
_JAPANESE = (
    "あいうえおかきくけこさしすせそたっちつてとなにぬねのはひふほまみむもやゃゆゅよらりるれをんー々"
    "カタッナンマ日本今来行思約束雨本当人、、。。！？…「」『』（）・12Aa"
)
_CHINESE = (
    "你我他的是不了在有这来去说好打败别做梦港口安静年冬天人快跑看见，，。。！？…“”《》（）：；12Aa"
)

LANGUAGES = (*_LETTERS, "ja", "zh")


def texts(language: str) -> st.SearchStrategy[str]:
    """Return texts of a language: words and marks, or characters without spaces."""
    if language == "ja":
        return st.text(_JAPANESE, min_size=1, max_size=40)
    if language == "zh":
        return st.text(_CHINESE, min_size=1, max_size=40)
    word = st.text(_LETTERS[language], min_size=1, max_size=9)
    mark = st.sampled_from(["", "", "", "", ",", ".", "!", "?", "...", "--", ":"])
    marked = st.tuples(word, mark).map("".join)
    return st.lists(marked, min_size=1, max_size=16).map(" ".join)


def languages_and_texts() -> st.SearchStrategy[tuple[str, str]]:
    """Return a language and a text of it."""
    return st.sampled_from(LANGUAGES).flatmap(
        lambda language: st.tuples(st.just(language), texts(language))
    )
