"""The sections that a person names before a wish are those that change; a number in a wish names none."""

import pytest

from research.cli.section_numbers import MAX_NUMBER, section_numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Section 3: x", (3,)),
        ("section 3：x", (3,)),
        ("2, 5: x", (2, 5)),
        ("Sections 2 and 5 & 7: x", (2, 5, 7)),
        ("Sections 2, 5, and 7: x", (2, 5, 7)),
        ("Sections 2-4: x", (2, 3, 4)),
        ("Sections 2–4: x", (2, 3, 4)),
        ("Sections 2 — 4: x", (2, 3, 4)),
        ("Sections 2 to 4: x", (2, 3, 4)),
        ("Sections 4-2, 6 and 3: x", (2, 3, 4, 6)),
        ("2-4: x", (2, 3, 4)),
        ("Section 3 - x", (3,)),
        ("Section 3 – x", (3,)),
        ("Section 3—x", (3,)),
        ("3 - x", (3,)),
        ("Sections 2-4 - x", (2, 3, 4)),
        ("Section three: x", (3,)),
        ("Sections One to three and TWENTY: x", (1, 2, 3, 20)),
        ("Section seventeen. x", (17,)),
        ("3. x", (3,)),
        ("3) x", (3,)),
        ("Section 3. x", (3,)),
        ("Section 0: x", (0,)),
        ("Section 1000: x", (1000,)),
        ("2, 1000: x", (2, 1000)),
        ("Section 123456789012345678901234567890: x", (123456789012345678901234567890,)),
    ],
)
def test_sections_that_a_person_names(text: str, numbers: tuple[int, ...]) -> None:
    assert section_numbers(text) == (numbers, "x")


@pytest.mark.parametrize(
    ("text", "number", "wish"),
    [
        ("Section 3 - 4 more examples", 3, "4 more examples"),
        ("Section 3 – 2025 figures, please", 3, "2025 figures, please"),
        ("Section 3 - ten more examples", 3, "ten more examples"),
        ("Section 3: 2-4 more\n\nand: shorter ", 3, "2-4 more\n\nand: shorter"),
    ],
)
def test_a_number_in_the_wish_belongs_to_the_wish(text: str, number: int, wish: str) -> None:
    assert section_numbers(text) == ((number,), wish)


@pytest.mark.parametrize(
    "text", ["Section 3", "Section 3 : ", "Section 3 -", "Sections 2-4", "Section three", "3", "3.", "2, 5:"]
)
def test_sections_without_a_wish(text: str) -> None:
    numbers, wish = section_numbers(text)
    assert numbers and wish == ""


@pytest.mark.parametrize(
    "text",
    [
        "2025 figures, please",
        "2025: what has changed",
        "2025. Its figures",
        "3 more examples in each section",
        "3 - 5 more examples",
        "2 to 4 examples: short ones",
        "3.5 million, not 3",
        "16:9 pictures",
        "3-fold is wrong",
        "1. more figures 2. fewer words",
        "1) more figures\n2) fewer words",
        "Section 3 needs more",
        "Sections: more of them",
        "One: more figures",
        "more: 3",
    ],
)
def test_a_wish_that_names_no_section(text: str) -> None:
    assert section_numbers(text) == ((), text)


def test_a_range_without_an_end_is_no_list_of_its_numbers() -> None:
    numbers, _ = section_numbers("Sections 2-99999999999: x")
    assert (len(numbers), numbers[-1]) == (MAX_NUMBER - 1, 99999999999)
    assert section_numbers("Sections 1001-2000: x")[0] == (2000,)
