"""Labels that stand over a list of sources, with what models write around the word.

They are more than those of `reference_lists`, below which a list is removed, and by which a stored Workflow
is replayed: a label that is wrongly known here only makes a mark a link.
"""

import re
from collections.abc import Iterator, Sequence
from unicodedata import category

from research.markdown.reference_lists import is_reference_label

MAX_LABEL_CHARACTERS = 120


def _words(text: str) -> list[str]:
    """Return the words of a text, their combining marks included, without numbers, marks and emoji."""
    kinds = ((letter, category(letter)) for letter in text if not "\ufe00" <= letter <= "\ufe0f")
    return "".join(
        letter if kind[0] == "L" or kind in ("Mn", "Mc") else " " for letter, kind in kinds
    ).split()


_KNOWN = frozenset(
    """
    source, reference, endnotes, footnotes, cited works, works consulted, further reading, references cited,
    fussnoten, referenzen, références bibliographiques, références, referencias bibliográficas,
    referências bibliográficas, referências, fuentes, fontes, riferimenti bibliografici, источников,
    литературы, 参考来源, 信息来源, 数据来源, 参考链接, 引用文献, 参照文献, 脚注, 參考來源, 資料來源,
    參考連結, 참고자료
    """.strip()
    .replace("\n    ", " ")
    .split(", ")
)
_BEFORE = frozenset(
    _words(
        """
        list of the all key main selected annotated full complete additional used cited consulted web online
        data primary secondary verwendete verwendeten benutzte zitierte genutzte liste der die des de
        les las lista elenco delle principales список использованные использованных использованная
        использованной
        """
    )
)
_BEHIND = frozenset(
    _words(
        """
        list used consulted cited consultées citées utilisées principales consultadas citadas utilizadas
        consultate citate utilizzate
        """
    )
)
_TAIL = frozenset(_words("for in to of from für zu zum im pour para per del"))
_PLACES = frozenset(
    _words(
        """
        part section chapter report article table this teil abschnitt kapitel bericht partie chapitre rapport
        parte sección capítulo informe seção relatório sezione
        """
    )
)
_PARTS = re.compile(r"\s(?:and|und|et|y|e|[–—-])\s|[&/与和及（()）]|^[^:：、]{0,20}[:：、]\s?(?=\S)")
"""What stands between the parts of a label, or before its last one: a number, "Part 5:"."""
_NUMBER = re.compile(r"[ivxl]{1,7}|[a-z]|appendix|annex|anhang|附录")
_AROUND = re.compile(r"^(?:主要|引用|相关|全部)|(?:列表|清单|目录|一覧|リスト|목록)$")


def heads_sources(label: str) -> bool:
    """Return whether a label stands over sources, perhaps over more: "XII. Notes and sources used [1-9]"."""
    if len(label) > MAX_LABEL_CHARACTERS:
        return False
    folded = label.casefold()
    cores = (" ".join(core) for part in (folded, *_PARTS.split(folded)) for core in _cores(part))
    return any(core in _KNOWN or is_reference_label(core) for core in cores)


def _cores(part: str) -> Iterator[Sequence[str]]:
    """Yield the words of a label: all, those without a number and a tail, and those without what is usual."""
    words = _words(part)
    yield words
    while words and _NUMBER.fullmatch(words[0]):
        words = words[1:]
    for index, word in enumerate(words):
        if index and word in _TAIL and not _PLACES.isdisjoint(words[index:]):
            words = words[:index]
            break
    yield words
    yield [_AROUND.sub("", word) for word in words]
    while words and words[-1] in _BEHIND:
        words = words[:-1]
    yield words
    while words and words[0] in _BEFORE:
        words = words[1:]
        yield words
