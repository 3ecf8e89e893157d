"""The same report with DBOS on SQLite, as its documentation shows it.

python -m benchmarks.dbos_version TOPIC ID DATABASE      starts or resumes the report
"""

import sys
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.plain_temporal import ask_model, summary_prompt, write_pdf

research = DBOS.step(name="research")(ask_model)
summarise = DBOS.step(name="summarise")(ask_model)
put_on_paper = DBOS.step(name="write_pdf")(write_pdf)


def report(topic: str) -> str:
    text = _text(research(topic))
    summary = _text(summarise(summary_prompt(text)))
    name: str = put_on_paper(summary + "\n\n" + text, f"{DBOS.workflow_id}.pdf")
    return name


report_workflow = DBOS.workflow(name="report")(report)


def _text(response: dict[str, Any]) -> str:
    return str(response["choices"][0]["message"]["content"])


def main(topic: str, identity: str, database: str) -> None:
    DBOS(config={"name": "report", "system_database_url": f"sqlite:///{database}", "log_level": "ERROR"})
    DBOS.launch()  # resumes what was interrupted
    with SetWorkflowID(identity):
        handle = DBOS.start_workflow(report_workflow, topic)
    print("Done.", handle.get_result(), flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    main(*sys.argv[1:])
