"""What came of the proofs: no forged passage is in a report, no verdict is lost, each can be verified."""

import json

from testing.processes import run_program
from tests.chaos.proof import forged, verdicts_of
from tests.chaos.texts import pages_of, sentence_of
from tests.chaos.world import World


def faults_of_proof(world: World, reports: int) -> dict[str, int]:
    """Return how often each claim about the proofs of the finished reports did not hold."""
    admitted = refused = lost = unverified = 0
    for number in filter(pages_of, range(reports)):
        folder = world.reports / world.way_of(number)
        for file in folder.glob(f"*report-{number}-*.evidence.json"):
            text = file.read_text(encoding="utf-8")
            content = json.loads(text)
            forgeries = [forged(sentence_of(number, page)) for page in pages_of(number)]
            admitted += sum(forgery in text for forgery in forgeries)
            dropped = content["dropped_passages"]
            admitted += max(0, len(forgeries) - dropped)
            refused += max(0, dropped - len(forgeries))
            found = [(each["statement"], each["verdict"]) for each in content["citations"]]
            lost += found != verdicts_of(number)
            verified = run_program("starter.py", "--verify", str(file), root=world.server.root)
            unverified += verified.returncode != 0
    return {
        "forged passages admitted": admitted,
        "true passages refused": refused,
        "reports with other verdicts than those of their judge": lost,
        "reports that `--verify` does not find to hold": unverified,
    }
