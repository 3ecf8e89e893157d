"""Lines of text by Unicode's rules: where they end, which way they run, what is one character."""

import re
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pyphen
import pytest

from research.config import ROOT
from research.pdf import fonts
from research.pdf.bidi import visual_order
from research.pdf.linebreak import break_lines
from research.pdf.runs import Line, MissingGlyphs, Run
from research.pdf.styles import BODY, CODE, PARAGRAPH
from research.pdf.text import Text
from research.pdf.unicode import graphemes
from tests.conftest import needs_fonts

WIDTHS = range(40, 400, 9)
CLOSING = "ァィゥェォッャュョぁぃぅぇぉっゃゅょー、。，！？：」）》”…"


def lines(*runs: Run | str, width: float = 1e9, language: str = "") -> list[Line]:
    made = [Run(run, BODY) if isinstance(run, str) else run for run in runs]
    missing = MissingGlyphs()
    missing.language = language
    return break_lines(made, width, missing)


def texts(text: str, width: float) -> list[str]:
    return ["".join(part.shown_as or part.text for part in line) for line in lines(text, width=width)]


def seen(line: Line) -> str:
    """The characters as they stand from left to right; what is shown as a code, as that code."""
    return "".join(part.text[::-1] if part.level % 2 else part.text for part in from_left(line))


def from_left(line: Line) -> Line:
    return visual_order(line, [part.level for part in line])


def test_no_line_begins_with_a_small_kana_or_a_closing_mark_nor_ends_with_an_opening_one() -> None:
    text = (
        "サーバーのメッセージをチェックして、「ちょっと待って」（きょう）と言った。ファイルは……たぶんショートカットだ！"
        "報告（第二版）《附录》“引用”，但是——结论：成立？"
    )
    needs_fonts(text)
    for width in WIDTHS[3:]:
        broken = texts(text, width)
        assert "".join(broken) == text
        assert [line for line in broken[1:] if line[0] in CLOSING] == []
        assert [line for line in broken if line[-1] in "「（《“"] == []


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2007"])
def test_a_number_is_not_broken_at_its_no_break_space(space: str) -> None:
    text = f"Il y a 10{space}000 habitants, puis 25{space}000, enfin 48{space}500{space}km ; « bien{space}! »"
    for width in WIDTHS[4:]:
        broken = texts(text, width)
        for number in ("10 000", "25 000", "48 500 km"):
            assert sum(number in line for line in broken) == 1
        assert [line for line in broken if line[0] in ";»!"] == []


def test_thai_breaks_between_words() -> None:
    thai = ["ประเทศ", "ไทย", "มี", "ประชากร", "หลาย", "ล้าน", "คน", "ใน", "ปัจจุบัน"]
    for width in WIDTHS[4:]:
        ends = {len("".join(thai[:count])) for count in range(len(thai) + 1)}
        broken = texts("".join(thai), width)
        assert {len("".join(broken[:count])) for count in range(len(broken) + 1)} <= ends


def test_korean_breaks_at_spaces() -> None:
    korean = "정부는 내년부터 새로운 지원 제도를(최대 3년) 시행한다고 밝혔다."
    needs_fonts(korean)
    for width in WIDTHS[4:]:
        assert " ".join(texts(korean, width)) == korean


def test_a_long_word_is_broken_between_graphemes() -> None:
    needs_fonts("🇫🇷👩🚀가")
    letters = "e\u0301🇫🇷👩\u200d🚀가" * 30
    assert {cluster for line in texts(letters, 90) for cluster in graphemes(line)} == set(graphemes(letters))


def test_an_address_is_broken_where_it_can_be_read() -> None:
    address = "https://example.com/reports/annual_summary-final.html?year=2026&section=introduction#sources"
    for width in WIDTHS[10:]:
        broken = texts(address, width)
        assert "".join(broken) == address
        assert not any(one[-1].isalnum() and two[0].isalnum() for one, two in pairwise(broken))


def test_an_emoji_sequence_without_end_stays_on_the_page() -> None:
    line_widths = [sum(part.width for part in line) for line in lines("👩\u200d" * 500, width=200)]
    assert len(line_widths) > 10
    assert max(line_widths) <= 200


def test_a_line_begins_neither_with_a_citation_nor_with_what_is_after_the_scheme_of_an_address() -> None:
    for width in WIDTHS[10:]:
        broken = texts(
            "结论成立。 [2][3] The measured value [14] is at https://www.example.com/a today", width
        )
        assert [line for line in broken if line.startswith(("[2]", "[14]", "www"))] == []
        mark = Run("12", replace(BODY, raised=True))
        marked = [
            "".join(part.text for part in line) for line in lines("上下文的结论", mark, "。", width=width)
        ]
        assert [line for line in marked if line[0] in "1。"] == []


def test_a_heading_breaks_between_words_where_running_text_need_not() -> None:
    text, bold = "自动化集成的研究与发展", replace(BODY, bold=True)
    heading = ["".join(part.text for part in line) for line in lines(Run(text, bold), width=48)]
    assert [line for line in heading if line[0] in "动化成究展"] == []
    assert [line for line in texts(text, 48) if line[0] in "动化成究展"]


def test_brackets_stay_around_what_they_enclose() -> None:
    for sentence, wanted in [
        ("نستخدم خدمة Amazon (AWS) في العمل.", ["Amazon (AWS)"]),
        ("חברת Contoso (CTSO) צמחה (ב-5%).", ["Contoso (CTSO)"]),
        ("The word (كتاب) means a book [ספר 7].", ["The word (", ") means a book ["]),
    ]:
        [line] = lines(sentence)
        assert [part for part in wanted if part not in seen(line)] == [], seen(line)


@pytest.mark.parametrize("control", ["\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068"])
def test_what_orders_letters_is_not_drawn_and_ends_with_its_line(control: str) -> None:
    first, second = lines(f"one {control}two\nthree four")
    assert "".join(sorted(seen(first))) == "".join(sorted("one two"))
    assert seen(second) == "three four"
    assert {part.shown_as for part in first} == {""}


def test_no_control_moves_the_letters_of_code() -> None:
    """It is shown in code, and has no power there, whether it stands in the code or before it."""
    inline = Run("if a: b(c)", replace(BODY, family=fonts.CODE))
    [line] = lines("x \u202e y ", inline, " z")
    assert inline.text in seen(line)
    hidden = 'ok = "user\u202e \u2066# admin\u2069 \u2066"'
    [line] = lines(Run(hidden, CODE))
    assert seen(line) == 'ok = "user[U+202E] [U+2066]# admin[U+2069] [U+2066]"'
    assert "".join(part.shown_as or part.text for part in line) == hidden


def test_tokens_of_code_stay_in_their_order() -> None:
    name, equals, value = Run("שלום", CODE), Run(" = ", CODE), Run('"אבג (x)"', CODE)
    [line] = lines(name, equals, value)
    assert "".join(part.text for part in line).index("=") > seen(line).index("ש")
    assert seen(line).startswith("םולש = ")


@pytest.mark.parametrize("sequence", ["1\ufe0f\u20e3", "👨\u200d👩\u200d👧", "🇫🇷", "👍🏽", "❤\ufe0f"])
def test_an_emoji_sequence_is_one_picture_or_its_parts_side_by_side(sequence: str) -> None:
    missing = MissingGlyphs()
    [line] = break_lines([Run(f"a{sequence}b", BODY)], 1e9, missing)
    if missing:
        pytest.skip("no font here has it")
    assert not missing
    assert "".join(part.text for part in line) == f"a{sequence}b"
    [emoji] = [part for part in line if part.text not in "ab"]
    visible = [glyph for glyph in emoji.glyphs if glyph.advance]
    assert emoji.width == pytest.approx(sum(glyph.advance for glyph in visible) * BODY.size / 1000)
    assert 1 <= len(visible) <= len([c for c in sequence if c not in "\ufe0f\u200d"])
    assert graphemes(sequence) == (sequence,)


def test_without_icu_there_is_one_line_that_says_what_to_install() -> None:
    script = "import sys; sys.modules['icu'] = None\nfrom research.errors import UserError\n"
    script += "try:\n    import research.pdf.document\nexcept UserError as error:\n    print(error)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    [line] = done.stdout.splitlines()
    assert "pip install pyicu-wheels" in line


@pytest.mark.parametrize(
    ("language", "text", "is_to_the_left"),
    [
        ("ar", "OpenAI شركة أمريكية", True),
        ("ar", "OpenAI is a company", False),
        ("ar", "2015", False),
        ("he", "Python היא שפה", True),
        ("en", "كلمة ثم OpenAI", False),
        ("en", "جملة عربية فقط 12", True),
        ("en", "An English line", False),
    ],
)
def test_a_paragraph_runs_as_its_document_does(language: str, text: str, is_to_the_left: bool) -> None:
    """Unless it has letters of the other direction alone."""
    missing = MissingGlyphs()
    missing.language = language
    assert Text([Run(text, BODY)], PARAGRAPH, missing).right_to_left is is_to_the_left
    [line] = break_lines([Run(text, BODY)], 1e9, missing)
    first = text.split()[0][0]
    assert (first in from_left(line)[-1].text) is is_to_the_left or len(line) == 1


def test_long_words_are_hyphenated_by_the_patterns_of_their_language() -> None:
    """Where a line would stay too empty; not in code, addresses, names with digits, nor without patterns."""
    word = "Energieversorgungsunternehmen"
    for width in (60.0, 90.0, 130.0):
        broken = lines(f"Die {word} zahlen.", width=width, language="de")
        shown_as = "".join("".join(part.shown_as or part.text for part in line) + "\n" for line in broken)
        assert "\u00ad\n" in shown_as
        assert re.sub("\u00ad?\n", "", shown_as.replace(" \n", " ")).replace(" ", "") == f"Die{word}zahlen."
        for part in re.findall(r"(\w+)\u00ad\n", shown_as):
            cut = word.index(part) + len(part)
            assert cut in pyphen.Pyphen(lang="de").positions(word)
        for line in broken:
            assert sum(part.width for part in line) <= width + 0.01
            assert [part.text for part in line if part.shown_as == "\u00ad"] in ([], ["-"])
    wide = lines(f"Diese Zeile hat fast keinen Platz mehr für {word}.", width=230.0, language="de")
    assert not any(part.shown_as for line in wide for part in line), "a line that is nearly full stays ragged"
    heading = Run(f"Ein {word} mehr", replace(BODY, bold=True))
    assert not any(part.shown_as for line in lines(heading, width=190.0, language="de") for part in line)
    code = replace(BODY, family=CODE.family)
    for run in (Run(word, code), f"https://example.org/{word}", f"{word}2030", f"a@{word}.de", f"x.{word}"):
        broken = lines(run, width=60.0, language="de")
        assert len(broken) > 1 and not any(part.shown_as for line in broken for part in line)
    assert not any(part.shown_as for line in lines(word, width=60.0, language="th") for part in line)


@pytest.mark.parametrize("address", ["https://a.test/ar/", "https://a.test/ar/مقال/"])
def test_an_address_runs_from_left_to_right(address: str) -> None:
    """Also where the text around it runs to the left: its last stroke stands at its right."""
    [line] = lines("راجع ", Run(address, replace(BODY, link=address)), " للمزيد", language="ar")
    assert seen(line).index("https") < seen(line).rindex("/") > seen(line).index("a.test")
    assert "/ar/" in seen(line)
    assert seen(line).index("https") > seen(line).index("ديزملل"), "what follows it stands at its left"
