"""Chinese and Japanese lines: the font of their marks, the white around them, lines of one width."""

from dataclasses import replace
from itertools import pairwise

import pytest

from research.pdf import fonts
from research.pdf.cjk import trim
from research.pdf.runs import InlineBox, Line, Run
from research.pdf.styles import BODY
from tests.conftest import needs_fonts
from tests.test_text import lines

QUOTED = "他说“你好”，又说‘再见’：从1990—2000年……中国·世界工厂。"


def test_punctuation_takes_the_script_of_its_paragraph() -> None:
    """Both quotation marks of a pair, dashes and dots are of the font of the words; an apostrophe is not."""
    needs_fonts(QUOTED)
    [line] = lines(QUOTED)
    [han] = {part.face for part in line if "你" in part.text}
    assert {part.face for part in line if set("“”‘’—…·") & set(part.text)} == {han}
    own = fonts.built_in(fonts.TEXT, False, False)
    for text, face in (("English “规模” words.", own), ("“规模”很大，don’t怕", han)):
        [line] = lines(text)
        assert {part.face for part in line if "“" in part.text or "”" in part.text} == {face}
    [line] = lines("“规模”很大，don’t怕")
    assert [part.face for part in line if "’" in part.text] == [own]


def width_of(text: str) -> float:
    [line] = lines(text, language="zh")
    return sum(part.width for part in line) / BODY.size


def test_chinese_stands_off_latin_and_its_marks_stand_close() -> None:
    """A quarter of an em between the scripts, half an em between two marks; in the same line alone."""
    needs_fonts(QUOTED)
    for parts in (("中", "GPT-4", "文"), ("占", "35%", "的"), ("Й", "型")):
        assert width_of("".join(parts)) == pytest.approx(sum(map(width_of, parts)) + (len(parts) - 1) / 4)
    assert width_of("中 a") == pytest.approx(width_of("中") + width_of("a a") - width_of("a"))
    for text in ("中，a", "a。"):
        assert width_of(text) == pytest.approx(sum(map(width_of, text)))
    for text, halves in (("他说：“你”", 1), ("（你）。", 1), ("“‘你’”，我", 3), ("，我，", 0), ("（）", 0)):
        assert width_of(text) == pytest.approx(len(text) - halves / 2)
    broken = lines("中文GPT", width=2.2 * BODY.size, language="zh")
    assert [sum(part.width for part in line) for line in broken[:1]] == [pytest.approx(2 * BODY.size)]


def inks(line: Line) -> list[tuple[str, float, float]]:
    """Where the ink of each mark begins and ends from the left end of the line, in ems."""
    found, at = [], 0.0
    for part in line:
        size = part.style.drawn_size / BODY.size
        for glyph in part.glyphs:
            begin, end = (at + edge * size / 1000 for edge in part.face.ink(glyph.id))
            found.append((part.text[glyph.cluster], begin, end))
            at += glyph.advance * size / 1000
    return found


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-Hant", "張忠謀說：「我們是『晶圓代工』的開創者。」，她說（對）；」、』。」：「好」。"),
        ("en", "芯片：“小片”（计算机），他说：“很重要。”"),
        ("en", "The sentence of the author was 他说：“数学很重要。”，in an interview that he gave."),
        ("ja", "彼は言う：「はい。」（はい；）』と。"),
    ],
)
def test_no_mark_is_drawn_on_the_next(language: str, text: str) -> None:
    """It gives up no more white than it has, where it stands in the middle of its box and at a line's end."""
    needs_fonts(text)
    [line] = lines(text, language=language)
    ink = [found for found in inks(line) if found[0] != " "]
    for (mark, _, end), (after, begin, _) in pairwise(ink):
        if mark in "：。；，、":
            assert begin - end > 0.12, (mark, after)
    room = trim(line[-1])
    assert sum(part.width for part in line) - room >= ink[-1][2] * BODY.size


def test_marks_in_a_sentence_of_another_language_are_as_wide_as_they_are() -> None:
    """Because a reader of the text takes a Latin quotation mark moved to the left for another line."""
    needs_fonts("中")
    [line] = lines("The sentence of the author was 他说：“数学很重要。”，in an interview.")
    wide = [part for part in line if set("他：“学。”，") & set(part.text)]
    own = [sum(part.face.width(glyph.id) for glyph in part.glyphs) * BODY.size / 1000 for part in wide]
    assert [part.width for part in wide] == pytest.approx(own)


def test_marks_of_two_styles_stand_close_too() -> None:
    needs_fonts("中")
    italic, bold = replace(BODY, italic=True), replace(BODY, bold=True)
    for one, style, rest in (("“引号”", italic, "、代码"), ("（一）", bold, "。"), ("《书》", bold, "）等")):
        [line] = lines(Run(one, style), rest, language="zh")
        assert sum(part.width for part in line) / BODY.size == pytest.approx(len(one + rest) - 0.5)


def test_chinese_stands_off_a_formula_and_not_off_a_mark() -> None:
    needs_fonts("中")
    box = InlineBox("F", 20.0, 5.0, 2.0, lambda *_: None)
    letters, mark = Run("为", BODY), Run("1", replace(BODY, raised=True))
    for runs, gaps in (
        ((letters, Run("F", BODY, box), letters), 2),
        ((letters, Run("F", BODY, box), Run("，", BODY)), 1),
        ((letters, mark, letters), 0),
    ):
        [line] = lines(*runs, language="zh")
        alone = sum(part.width for run in runs for part in lines(run, language="zh")[0])
        assert sum(part.width for part in line) == pytest.approx(alone + gaps * BODY.size / 4)


def test_a_japanese_dash_is_one_stroke_of_the_font_of_the_words() -> None:
    needs_fonts("計画だ")
    [line] = lines("計画だ――とはいえ", language="ja")
    assert len({part.face for part in line}) == 1
    assert len(inks(line)) == len("計画だ―とはいえ")


def test_chinese_lines_are_of_one_width() -> None:
    """But for the last, headings, and lines that lack too much; a mark at the end gives up its white half."""
    text = "研究者认为规模定律仍然有效，不过这一说法（见第二章）并不准确；因此需要更多数据来验证。" * 4
    needs_fonts(text)
    for width in (200.0, 251.0, 333.0):
        *others, _ = lines(text, width=width)
        assert len(others) > 3
        for line in others:
            ends = {"，": 0.5, "。": 0.5, "；": 0.5, "）": 0.5}.get(line[-1].text[-1], 0.0) * BODY.size
            reach = sum(part.width for part in line)
            assert reach == pytest.approx(width) or reach + ends <= width
            assert width - reach < 1.6 * BODY.size
        assert (
            sum(sum(part.width for part in line) == pytest.approx(width) for line in others) > len(others) / 2
        )
        bold = lines(Run(text, replace(BODY, bold=True)), width=width)
        assert not all(sum(part.width for part in line) == pytest.approx(width) for line in bold[:-1])


def test_a_letter_at_the_end_of_a_line_is_stretched_where_it_stands_before() -> None:
    needs_fonts("中")
    first, _ = lines("中" * 30, width=20.5 * BODY.size)
    assert sum(part.width for part in first) == pytest.approx(20.5 * BODY.size)
