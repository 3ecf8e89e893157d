"""Cases of Unicode's test files that ICU answers otherwise, each with the reason.

The files are those of Unicode 15.0; ICU 77 has the rules of Unicode 16.
"""
# ruff: noqa: E501 - a case is one line of its file

BIDI = {
    "ICU leaves formatting characters in the text, so an isolate between embeddings takes their level": {
        "202E 0061 202A 0062 202C 2066 0063 2069 202A 0064 202C 0065 202C;2",
        "202E 0061 202A 0062 202C 2066 0063 2069 202A 0064 202C 0065 202C;1",
        "202D 05D0 202B 05D1 202C 2068 05D2 2069 202B 05D3 202C 05D4 202C;2",
        "202D 0661 202B 0662 202C 2068 0663 2069 202B 0664 202C 0665 202C;0",
    },
    "ICU pairs a bracket with one under a direction override": {
        "202A 05D0 0028 05D1 202C 202D 0029;2",
        "202A 05D0 0028 05D1 202C 202D 0029 202C;2",
        "202B 0061 0028 0062 202C 202E 0029;2",
        "202B 0061 0028 0062 202C 202E 0029 202C;2",
        "202A 202E 0061 202C 0028 05D0 202C 202D 0029 202C;2",
        "202B 202D 05D0 202C 0028 0061 202C 202E 0029 202C;2",
        "202A 202E 0061 202C 0028 005B 05D0 202C 202D 005D 0029 202C;2",
        "202B 202D 05D0 202C 0028 005B 0061 202C 202E 005D 0029 202C;2",
        "202D 0028 202C 202A 05D0 0029 05D1;2",
        "202D 0028 202C 202A 05D0 0029 05D1 202C;2",
        "202E 0028 202C 202B 0061 0029 0062;2",
        "202E 0028 202C 202B 0061 0029 0062 202C;2",
        "202D 202E 0061 202C 0028 202C 202A 05D0 0029 05D1;2",
        "202E 202D 05D0 202C 0028 202C 202B 0061 0029 0062;2",
        "202D 202E 0061 202C 0028 005B 202C 202A 05D0 005D 0029 05D1;2",
        "202E 202D 05D0 202C 0028 005B 202C 202B 0061 005D 0029 0062;2",
    },
    "ICU does not give a combining mark the direction of the closing bracket that it stands on": {
        "0061 0028 0062 0029 0331;1",
        "0061 0028 0332 0062 0029 0333;1",
        "05D0 0028 05D1 0029 0331;0",
        "05D0 0028 0332 05D1 0029 0333;0",
        "0661 0028 0662 0029 0331;0",
        "0661 0028 0332 0662 0029 0333;0",
        "0041 200F 005B 05D0 005D 200D 20D6;0",
        "0041 200F 005B 200D 20D6 05D0 005D 200D 20D6;0",
        "0041 200F 005B 200D 200B 20D6 05D0 005D 200B 200D 20D6;0",
    },
    "ICU pairs brackets deeper than the 63 levels of BD16": {
        f"0061 {'0028 ' * 64}0062{' 0029' * 64};1",
    },
    "ICU leaves text that runs one way on level 0; its order is the same": {
        "0061 202A 0062 202C 0020 0031 0020 0032;0",
    },
}

LINE_BREAKS = {
    "Unicode 15.1, LB20a: no break after a hyphen at the beginning of a word": {
        "× 002D ÷ 0023 ÷",
        "× 002D × 0308 ÷ 0023 ÷",
        "× 002D ÷ 00A7 ÷",
        "× 002D × 0308 ÷ 00A7 ÷",
        "× 002D ÷ 50005 ÷",
        "× 002D × 0308 ÷ 50005 ÷",
        "× 002D ÷ 0E01 ÷",
        "× 002D × 0308 ÷ 0E01 ÷",
    },
    "Unicode 16, LB25: no break between a decimal mark and its digits": {
        "× 002C ÷ 0030 ÷",
        "× 002C × 0308 ÷ 0030 ÷",
        "× 0061 × 002E ÷ 0032 × 0020 ÷",
        "× 0061 × 002E ÷ 0032 × 0020 ÷ 0915 ÷",
        "× 0061 × 002E ÷ 0032 × 0020 ÷ 672C ÷",
        "× 0061 × 002E ÷ 0032 × 3000 ÷ 672C ÷",
        "× 0061 × 002E ÷ 0032 × 3000 ÷ 307E ÷",
        "× 0061 × 002E ÷ 0032 × 3000 ÷ 0033 ÷",
        "× 0041 × 002E ÷ 0031 × 0020 ÷ BABB ÷",
        "× BD24 ÷ C5B4 × 002E × 0020 ÷ 0041 × 002E ÷ 0032 × 0020 ÷ BCFC ÷",
        "× BD10 ÷ C694 × 002E × 0020 ÷ 0041 × 002E ÷ 0033 × 0020 ÷ BABB ÷",
        "× C694 × 002E × 0020 ÷ 0041 × 002E ÷ 0034 × 0020 ÷ BABB ÷",
        "× 0061 × 002E ÷ 0032 × 3000 ÷ 300C ÷",
    },
    "Unicode 15.1 has no rule LB15: a space after a closing straight quotation mark is one to break at": {
        "× 0022 × 0020 × 2329 ÷",
        "× 0022 × 0308 × 0020 × 2329 ÷",
        "× 0022 × 0020 × 0028 ÷",
        "× 0022 × 0308 × 0020 × 0028 ÷",
    },
    "Unicode 16, LB15c: a line may break before a decimal mark that follows a space": {
        "× 0065 × 0071 × 0075 × 0061 × 006C × 0073 × 0020 × 002E ÷ 0033 × 0035 × 0020 ÷ 0063 × 0065 × 006E × 0074 × 0073 ÷",
    },
    "Unicode 15.1, LB15a and LB15b: a quotation mark with a space beside it opens or closes by its kind": {
        "× 0061 × 006D × 0062 × 0069 × 0067 × 0075 × 0028 × 00AB × 0020 ÷ 0308 × 0020 ÷ 00BB × 0029 ÷ 0028 × 0065 × 0308 × 0029 ÷",
        "× 0061 × 006D × 0062 × 0069 × 0067 × 0075 × 00AB × 0020 × 0028 × 0020 × 0308 × 0020 × 0029 × 0020 ÷ 00BB × 0028 × 0065 × 0308 × 0029 ÷",
        "× 0061 × 006D × 0062 × 0069 × 0067 × 0075 × 007B × 00AB × 0020 ÷ 0308 × 0020 ÷ 00BB × 007D ÷ 0028 × 0065 × 0308 × 0029 ÷",
        "× 0061 × 006D × 0062 × 0069 × 0067 × 0075 × 00AB × 0020 × 007B × 0020 × 0308 × 0020 × 007D × 0020 ÷ 00BB × 0028 × 0065 × 0308 × 0029 ÷",
    },
    "Unicode 16, LB21a: a line may break after the hyphen between two Hebrew words": {
        "× 05D0 × 002D × 05D0 ÷",
    },
}
