"""Measure how well the evidence of a report is told from what is none. `make evidence` runs this:

    python -m benchmarks.evidence [--with-model] [--list]

Without a model: which passages are taken, and which statements are refused. With the model of LLM_MODEL,
or of LLM_READER_MODEL: the passages that it copies of each page, and its verdicts on the statements.
"""

import argparse

from benchmarks.evidence import free_checks


def main() -> int:
    """Print the tables; the exit status is 1 when the program alone admits or refuses something wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--with-model", action="store_true", help="ask the model too, which is paid for")
    parser.add_argument("--list", action="store_true", help="print each wrong verdict of the model")
    options = parser.parse_args()
    holds = without_model()
    if options.with_model:
        from benchmarks.evidence import model_checks  # here, because litellm takes seconds

        model_checks.run(options.list)
    return 0 if holds else 1


def without_model() -> bool:
    """Print what the program decides alone, and return whether all of it is right."""
    true, forged = free_checks.take_true(), free_checks.take_forged()
    decided = free_checks.decide()
    print(free_checks.passages_table(true, forged))
    print(f"\n{free_checks.statements_table(decided)}")
    wrong = [
        *(f"Refused, but supported: {stated.sentence}" for stated in free_checks.wrongly_refused(decided)),
        *(f"Not refused: {stated.sentence}" for stated in free_checks.wrongly_admitted(decided)),
    ]
    print("".join(f"\n{line}" for line in wrong))
    is_found = all(count.given == count.taken for count in true.values())
    return is_found and not wrong and not any(count.taken for count in forged.values())


if __name__ == "__main__":
    raise SystemExit(main())
