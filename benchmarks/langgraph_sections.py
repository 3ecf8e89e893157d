"""The same report of sections with LangGraph: a branch for each section, and its SQLite checkpointer.

python -m benchmarks.langgraph_sections TOPIC ID DATABASE      starts or resumes the report
"""

import operator
import sys
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from benchmarks.plain_temporal import ask_model, summary_prompt, write_pdf
from benchmarks.sections import SECTIONS
from models import PlannedSection
from research.llm.prompts import section_prompt, sections_plan_prompt
from research.report.plan import read_plan


class State(TypedDict, total=False):
    """What one node passes to the next; the branches' texts are collected."""

    topic: str
    name: str
    plan: tuple[PlannedSection, ...]
    number: int
    texts: Annotated[list[tuple[int, str]], operator.add]
    summary: str


def _text(prompt: str) -> str:
    answer: str = ask_model(prompt)["choices"][0]["message"]["content"]
    return answer


def plan(state: State) -> State:
    text = _text(sections_plan_prompt(state["topic"], SECTIONS, False).text)
    return {"plan": read_plan(text)}


def branches(state: State) -> list[Send]:
    return [Send("section", {**state, "number": number}) for number in range(1, len(state["plan"]) + 1)]


def section(state: State) -> State:
    number = state["number"]
    return {"texts": [(number, _text(section_prompt(state["topic"], state["plan"], number, ()).text))]}


def summarise(state: State) -> State:
    return {"summary": _text(summary_prompt("\n\n".join(text for _, text in sorted(state["texts"]))))}


def put_on_paper(state: State) -> State:
    texts = [text for _, text in sorted(state["texts"])]
    return {"name": write_pdf("\n\n".join([state["summary"], *texts]), state["name"])}


def builder() -> "StateGraph[State]":
    """Return a graph of the plan, a branch for each section, the summary and the page."""
    graph = StateGraph(State)
    for name, node in [("plan", plan), ("section", section), ("summarise", summarise)]:
        graph.add_node(name, node)
    graph.add_node("write_pdf", put_on_paper)
    graph.add_edge(START, "plan")
    graph.add_conditional_edges("plan", branches, ["section"])
    graph.add_edge("section", "summarise")
    graph.add_edge("summarise", "write_pdf")
    graph.add_edge("write_pdf", END)
    return graph


def main(topic: str, identity: str, database: str) -> None:
    with SqliteSaver.from_conn_string(database) as checkpoints:
        graph = builder().compile(checkpointer=checkpoints)
        # Or its threads would be as many as the cores and four more.
        config: Any = {"configurable": {"thread_id": identity}, "max_concurrency": SECTIONS}
        begun = graph.get_state(config).next
        graph.invoke(None if begun else {"topic": topic, "name": f"{identity}.pdf"}, config)
    print("Done.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
