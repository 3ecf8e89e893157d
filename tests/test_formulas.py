"""Formulas: set where they can be, shown as written where they cannot, and prices are prices."""

import io
import re
import shutil
import subprocess
from itertools import cycle, pairwise
from typing import Any

import pytest
from pypdf import PdfReader

from models import PDFGenerationInput
from research.markdown.latex import settable
from research.markdown.parser import parse, plain, walk
from research.pdf import document, inline, math
from research.pdf.math import Formula, set_formula
from tests.conftest import needs_fonts
from tests.page_reader import boxes

CODE_FACE = "Cascadia"
FORMULAS = [
    r"E = mc^2",
    r"\underline{v}_i \le \overline{v}_i",
    r"\Pr(A \mid B)",
    r"\frac{1}{1+\frac{1}{x}}",
    r"\binom{n}{k}",
    r"\hat{\beta} = (X^\top X)^{-1} X^\top y",
    r"\begin{pmatrix} a_{11} & a_{12} \\ a_{21} & a_{22} \end{pmatrix}",
    r"f(x) = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\begin{aligned} a &= b + c \\ &< d \end{aligned}",
    r"\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi} \tag{7}",
    r"\left( \sum_{i=1}^{n} \left( \frac{x_i - \mu}{\sigma} \right)^2 \right)^{1/2}",
]

PLACES = ["In a line ${}$ of text.", "$$\n{}\n$$", "\\[\n{}\n\\]", "```math\n{}\n```", "A \\({}\\)."]


def render(content: str) -> PdfReader:
    rendered = document.render(PDFGenerationInput(content))
    assert rendered.warnings == ()
    return PdfReader(io.BytesIO(rendered.data))


def text(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def fonts(reader: PdfReader) -> str:
    resources: Any = [page["/Resources"] for page in reader.pages]
    return " ".join(
        str(font.get_object()["/BaseFont"]) for found in resources for font in found["/Font"].values()
    )


def outlines(reader: PdfReader) -> int:
    """How many shapes are filled on the first page with curves of their own: the glyphs of formulas."""
    drawn = reader.pages[0].get_contents()
    assert drawn is not None
    return len(re.findall(rb" c(?: h)* f\b", drawn.get_data()))


@pytest.mark.parametrize(
    ("formula", "place"),
    [*zip(FORMULAS, cycle(PLACES), strict=False), *((FORMULAS[1], place) for place in PLACES)],
)
def test_a_formula_is_drawn_and_copied_as_its_source(formula: str, place: str) -> None:
    reader = render(place.format(formula))
    assert " ".join(formula.split()) in text(reader)
    assert CODE_FACE not in fonts(reader)
    assert outlines(reader) > 0


WITHOUT_DOLLARS = [
    r"\begin{equation} a = \frac{b}{c} \label{eq} \end{equation}",
    r"\begin{align*} a &= b \\ c &< d \end{align*}",
    r"\begin{gather} a = b \\ c = d \end{gather}",
    r"\begin{eqnarray} a &=& b \\ c &=& d \end{eqnarray}",
    r"\ce{H2O}",
    r"\ce{2H2 + O2 -> 2H2O}",
]


@pytest.mark.parametrize("formula", WITHOUT_DOLLARS)
def test_a_formula_without_dollars_is_drawn_too(formula: str) -> None:
    reader = render(
        f"Where\n{formula.replace(' ', chr(10))}\n\nand so on." if "begin" in formula else f"Of {formula}."
    )
    assert formula in text(reader)
    assert CODE_FACE not in fonts(reader)
    assert outlines(reader) > 0


def test_a_formula_whose_backslashes_are_doubled_is_drawn() -> None:
    content = text(
        render("In \\\\(a_1 + b\\\\) and\n\n\\\\[\nc = d\n\\\\]\n\nbut \\\\ and \\\\[not these words\\\\].")
    )
    assert "In a_1 + b and c = d but \\ and \\[not these words\\]." in content


@pytest.mark.parametrize(
    ("chemical", "wanted"),
    [
        ("SO4^2-", r"\mathrm{SO}_{4}^{2-}"),
        ("Fe^{3+}", r"\mathrm{Fe}^{3+}"),
        ("Na+ + Cl-", r"\mathrm{Na}^{+}\ +\ \mathrm{Cl}^{-}"),
        ("CuSO4.5H2O", r"\mathrm{CuSO}_{4}\cdot 5\mathrm{H}_{2}\mathrm{O}"),
        ("A ->[\\Delta] B ^", r"\mathrm{A}\  \xrightarrow{\Delta} \ \mathrm{B}\ \uparrow "),
        ("CH3-OH", r"\mathrm{CH}_{3}\text{-}\mathrm{OH}"),
    ],
)
def test_chemistry_is_set_by_its_own_rules(chemical: str, wanted: str) -> None:
    assert settable(rf"\ce{{{chemical}}}") == wanted
    assert set_formula(rf"\ce{{{chemical}}}", False)[0]


@pytest.mark.parametrize(
    "place", ["## On ${}$ here", "| a | b |\n|---|---|\n| x | ${}$ |", "- **bold ${}$**"]
)
def test_formulas_stand_in_headings_tables_and_lists(place: str) -> None:
    reader = render(place.format(r"\alpha_1"))
    assert r"\alpha_1" in text(reader)
    assert "$" not in text(reader)
    assert outlines(reader) > 0


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac{1",
        r"\unknownmacro{x}",
        r"x^{\foo}",
        r"\def\a{\a\a}\a_1",
        r"a_b_c",
        r"\left( x_1",
    ],
)
def test_what_cannot_be_set_is_shown_whole_in_the_code_face(formula: str) -> None:
    for place in ("Before ${}$ after.", "$$\n{}\n$$"):
        reader = render(place.format(formula))
        assert formula in text(reader)
        assert CODE_FACE in fonts(reader)


def test_chinese_in_a_formula_is_drawn_in_its_place() -> None:
    """Each character is there twice: as it is drawn, and in the source that is copied."""
    needs_fonts("净利收入成本率为准")
    reader = render(r"率：$\frac{\text{净利 (a)}}{\text{收入 b}} = c_{成本}$ 为准")
    assert {character: text(reader).count(character) for character in "净利收入成本"} == dict.fromkeys(
        "净利收入成本", 2
    )
    assert CODE_FACE not in fonts(reader)
    assert CODE_FACE in fonts(render(r"$\text{ไทย}_1$"))


@pytest.mark.parametrize(
    "prices",
    [
        "It costs $5 and $7 more, or $1.76–$2.10; US$3, A$4.",
        "between $2 million (2019) and $5 million",
        "隆鼻$90–180/次，玻尿酸$300起，共$1,200。",
        "set `$HOME` and `$PATH` for $5",
        r"\$x\$ and \$5 = 5 USD",
        "a [link](https://example.com/$a$b) and $100_000",
        r"\(see below\) and \[not a link\](x)",
        "the variable $name and the word $value$ alone",
    ],
)
def test_a_price_is_no_formula(prices: str) -> None:
    needs_fonts(prices)
    reader = render(prices)
    assert outlines(reader) == 0
    plain = re.sub(r"\\(.)|`|\[(link)\]\(.*?\)", lambda found: found[1] or found[2] or "", prices)
    assert all(word in text(reader) for word in plain.split())


def test_a_formula_that_stands_wide_is_made_smaller_and_one_too_wide_is_source() -> None:
    wide, too_wide = ("+".join(["x_{1}"] * count) for count in (30, 90))
    assert CODE_FACE not in fonts(render(f"$$\n{wide}\n$$"))
    assert CODE_FACE in fonts(render(f"$$\n{too_wide}\n$$"))


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="only poppler says where a word is")
def test_a_formula_stands_on_its_line_between_its_words() -> None:
    data = document.render(PDFGenerationInput(r"before $\frac{a}{b}$ after")).data
    listed = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True)
    found = re.findall(r'xMin="(\S+)" yMin="(\S+)" xMax="(\S+)" .*>(\S+)</word>', listed.stdout.decode())
    places = {word: [float(number) for number in numbers] for *numbers, word in found}
    before, formula, after = places["before"], places[r"\frac{a}{b}"], places["after"]
    assert before[2] < formula[0] < formula[2] < after[0]
    assert abs(before[1] - formula[1]) < 4


HOSTILE = {
    "deep braces": "$" + "{" * 5_000 + "x^2" + "}" * 5_000 + "$",
    "deep roots": "$" + r"\sqrt{x " * 150 + "}" * 150 + "$",
    "deep fences": "$$\n" + r"\left( a " * 70 + r"\right)" * 70 + "\n$$",
    "long": "$" + "x_1+" * 2_500 + "y$",
    "many costly": "\n\n".join(
        rf"$\left(\left(\left(\left(x_{{{n}}}\right)\right)\right)\right)$" for n in range(100)
    ),
    "many broken": " ".join(rf"$\frac{{x_{{{n}}}}}{{y$" for n in range(500)),
    "unclosed": r"\( " * 5_000 + r"\[ x" * 5_000,
    "macros": r"$\newcommand{\a}{\b\b}\newcommand{\b}{\c\c}\a$" * 500,
    "wide": r"$\hspace{1e9em} x_1$ $\rule{1e9em}{1e9em}$",
    "markup": r"$\text{</mtext><mspace width='9'/><x a='} &lt; x_1$ $\color{red;} x^2 & y$",
}


@pytest.mark.proof
@pytest.mark.parametrize("content", HOSTILE.values(), ids=list(HOSTILE))
def test_formulas_are_bounded(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the work for each, and for all of a document; here a hundredth of what a document may cost."""
    costs: list[int] = []

    def counted(source: str, display: bool) -> tuple[Formula | None, int]:
        formula, cost = set_formula(source, display)
        costs.append(cost)
        return formula, cost

    maximum = inline.MAX_FORMULA_COST // 100
    monkeypatch.setattr(inline, "MAX_FORMULA_COST", maximum)
    monkeypatch.setattr(inline, "set_formula", counted)
    assert document.render(PDFGenerationInput(content)).pages >= 1
    assert sum(costs) <= maximum + math.MAX_COST


def test_the_same_formulas_give_the_same_bytes() -> None:
    report = PDFGenerationInput(" ".join(f"${formula}$" for formula in FORMULAS), summary="$x^2$")
    assert document.render(report) == document.render(report)


def test_a_tall_formula_moves_its_own_lines_apart_and_no_others() -> None:
    content = "one  \ntwo  \nthree $\\begin{cases} a & b \\\\ c & d \\end{cases}$  \nfour  \nfive\n"
    data = document.render(PDFGenerationInput(content)).data
    top = {box.text: box.top for box in boxes(data)}
    usual = top["two"] - top["one"]
    assert top["five"] - top["four"] == pytest.approx(usual)
    assert top["four"] - top["two"] > 2 * usual + 8
    assert min(top["four"] - top["three"], top["three"] - top["two"]) > usual


@pytest.mark.parametrize(
    "around", ["Cost is\n{}\nwhere", "1. Cost is\n   {}\n   where", "> Cost is\n> {}\n> where"]
)
@pytest.mark.parametrize("formula", ["$$ L = C/E $$", "\\\\[ L = C/E \\\\]"])
def test_a_formula_right_below_a_line_is_there_once_and_in_its_place(around: str, formula: str) -> None:
    tree = parse(around.replace("{}", formula))
    told = [node.content.strip() for node in walk(tree) if node.type in ("text", "math_block")]
    assert told == ["Cost is", "L = C/E", "where"]


def test_a_number_of_a_source_in_escaped_brackets_is_no_formula() -> None:
    """But one in dollars is, and an equation in such brackets is."""
    sources = "\\[1\\] Alpha https://example.com/1\n\\[2\\] Beta https://example.com/2"
    tree = parse(f"Fell \\[1\\], \\[2, 3\\] and \\[4–6\\], so \\[x = 1\\] and $7$.\n\n{sources}")
    assert [node.content for node in walk(tree) if node.type.startswith("math")] == ["x = 1", "7"]
    told = plain(tree)
    assert told.startswith("Fell [1], [2, 3] and [4–6], so x = 1 and 7.")
    assert "\n[2] Beta" in told


def test_lowered_letters_are_smaller_and_lower() -> None:
    """Digits have characters of their own, which can be copied."""
    reader = render("V<sub>out</sub> and PM<sub>2.5</sub> of H<sub>2</sub>O")
    assert "Vout and PM2.5 of H₂O" in text(reader)
    contents = reader.pages[0].get_contents()
    assert contents is not None
    drawn = re.findall(rb"BT /\S+ (\S+) Tf 1 0 0 1 \S+ (\S+) Tm", contents.get_data())
    places = [(float(size), float(y)) for size, y in drawn]
    assert (
        sum(
            size == pytest.approx(outer * 0.7) and base - outer / 2 < y < base
            for (outer, base), (size, y) in pairwise(places)
        )
        == 2
    )
