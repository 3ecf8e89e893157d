"""Numbers in the columns of a table: where they stand, and what is given up where room lacks."""

import pytest

from models import PDFGenerationInput
from research.pdf import document
from tests.page_reader import POPPLER, boxes, pdf
from tests.test_pdf import table_of


@pytest.mark.skipif(not POPPLER, reason="only poppler says where a word ends")
def test_numbers_stand_below_each_other() -> None:
    markdown = """| Price | Share | Sum | Change | Count | Left | Mixed |
|---|---|---|---|---|:---|---|
| $1,234.50 | 12% | 57.75 | +3.5 | 11 | 8 | EJB 2 |
| $99 | 3.25% | 6.8[^1] | −12.25 | 222 | 88 | Q4 |
| $0.5 | 100% | 7 | 4 | n/a | 888 | 20211 |

[^1]: Note.
"""
    placed = {box.text: box for box in boxes(document.render(PDFGenerationInput(markdown)).data)}
    right, left = (
        {text: round(getattr(box, side)) for text, box in placed.items()} for side in ("right", "left")
    )
    assert right["12%"] == right["100%"] < right["3.25%"] - 5
    assert right["$0.5"] - right["$99"] > 5 and right["$1,234.50"] - right["$0.5"] > 3
    assert right["57.75"] - 5 > right["7"] and right["−12.25"] - 3 > right["+3.5"] > right["4"] + 3
    assert right["Count"] == right["11"] == right["222"] == right["n/a"]
    assert left["8"] == left["88"] == left["888"] == left["Left"]
    assert left["EJB"] == left["Q4"] == left["20211"] == left["Mixed"]


@pytest.mark.skipif(not POPPLER, reason="only poppler says where a word ends")
def test_numbers_stand_right_with_ranges_tolerances_and_marks() -> None:
    markdown = table_of(
        ["Mean", "Range", "Plus", "Level", "Plan", "Trend", "About"],
        ["12.5 ± 0.4", "10–20", "10,000+", "<0.001", "TBD", "▲ 3.5%", "ca.12.5%"],
        ["3.25 ± 0.1", "100–2,000", "9,000", "n.s.", "45", "▼ 11.25%", "4%"],
        ["100 ± 12", "16 – 18", "800", "0.2", "1,060", "7%", "$2 – $5%"],
    )
    placed = {box.text: box for box in boxes(document.render(PDFGenerationInput(markdown)).data)}
    right = {text: box.right for text, box in placed.items()}
    assert right["12.5"] - 5 > right["100"] and right["3.25"] - 3 > right["12.5"]
    assert placed["0.4"].top == placed["12.5"].top and placed["0.1"].top == placed["3.25"].top
    near = pytest.approx
    assert right["Range"] == near(right["10–20"], abs=0.5) == near(right["100–2,000"], abs=0.5)
    assert right["9,000"] == near(right["800"], abs=0.5) and right["Plus"] > right["9,000"] + 3
    assert right["TBD"] == near(right["45"], abs=0.5) == near(right["1,060"], abs=0.5)
    assert right["n.s."] == near(right["<0.001"], abs=0.5)
    assert right["3.5%"] - 3 > right["7%"] - 1 > placed["▲"].right
    assert right["ca.12.5%"] - 5 > right["4%"] == near(right["$5%"], abs=0.5)


def test_a_table_gives_up_its_decimal_points_before_it_becomes_a_list() -> None:
    years = [f"FY{year}" for year in range(2009, 2024)]
    rows = [[name, *[value] * 15] for name, value in (("Revenue", "112,000"), ("Margin", "10.2555%"))]
    reader = pdf(table_of(["Item", *years], *rows))
    text = " ".join(reader.pages[-1].extract_text().split())
    assert reader.pages[-1].mediabox.width > 700 and " ".join(years) in text
