"""What the language model reads and answers, as token ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PREFIX = "\N{LOWER ONE EIGHTH BLOCK}"
"""What SentencePiece puts in front of a word; alone it opens the answer."""
NEWLINES = ("<0x0A>", "\n")
"""The newline, as SentencePiece falls back to its byte, or as a vocabulary may spell it."""


@dataclass(frozen=True)
class AdapterTokens:
    """The language model's prompt and its answer, laid out id by id.

    Every marker is looked up by its name, so that neither a tokenizer's `legacy` flag nor its
    handling of added tokens moves one.

    Attributes:
        tokenizer: turns captions into ids.
        num_images: image tokens in the prompt and in the answer.
    """

    tokenizer: PreTrainedTokenizerBase
    num_images: int

    def __post_init__(self) -> None:
        """Look every marker up.

        Raises:
            ValueError: the vocabulary lacks one, or the answer's rule would not hold with it.
        """
        if self.tokenizer.bos_token_id is None or self.tokenizer.eos_token_id is None:
            raise ValueError("the tokenizer names no bos_token or no eos_token")
        if self.newline in self.chain:
            raise ValueError("the newline may be no image token")
        if min(self.chain[1:]) not in self.starts:
            raise ValueError("<img> or <img_00000> must have the lowest id of the image tokens")

    @property
    def bos(self) -> int:
        """Opens every prompt."""
        return int(self.tokenizer.bos_token_id)

    @property
    def eos(self) -> int:
        """Ends every answer."""
        return int(self.tokenizer.eos_token_id)

    @cached_property
    def newline(self) -> int:
        """Stands behind the caption and behind the prompt's images."""
        for name in NEWLINES:
            if (token := self._find(name)) is not None:
                return token
        raise ValueError("the tokenizer has no token for a newline")

    @cached_property
    def chain(self) -> tuple[int, ...]:
        """The answer: prefix, `<img>`, the images, `</img>`; each but the last forces the next.

        The published code obtains it by encoding `<img><img_00000>...</img>`.
        """
        images = (f"<img_{number:05}>" for number in range(self.num_images))
        return tuple(self._require(name) for name in (PREFIX, "<img>", *images, "</img>"))

    @property
    def starts(self) -> tuple[int, ...]:
        """Where an answer may enter the chain: at the prefix, at `<img>`, at the first image."""
        return self.chain[:3]

    def prompt(self, caption: str) -> list[int]:
        """Give the ids of a caption and the image tokens whose places the characters take.

        Raises:
            ValueError: the caption itself has an image token in it.
        """
        prefix, *images = self.chain
        # an empty caption is nothing but the prefix that SentencePiece puts in front of the newline
        words = self.tokenizer.encode(caption, add_special_tokens=False) or [prefix]
        if markers := set(words).intersection(images):
            names = ", ".join(self.tokenizer.convert_ids_to_tokens(sorted(markers)))
            raise ValueError(f"the caption may not have {names} in it")
        return [self.bos, *words, self.newline, *images, self.newline]

    def _require(self, name: str) -> int:
        token = self._find(name)
        if token is None:
            raise ValueError(f"the tokenizer has no token {name!r}")
        return token

    def _find(self, name: str) -> int | None:
        token: Any = self.tokenizer.convert_tokens_to_ids(name)
        return None if token in (None, self.tokenizer.unk_token_id) else int(token)
