"""The same report with LangGraph and its SQLite checkpointer, as its documentation shows it.

python -m benchmarks.langgraph_version TOPIC ID DATABASE      starts or resumes the report
"""

import sys
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from benchmarks.plain_temporal import ask_model, summary_prompt, write_pdf


class State(TypedDict, total=False):
    """What one node passes to the next."""

    topic: str
    name: str
    text: str
    summary: str


def research(state: State) -> State:
    return {"text": ask_model(state["topic"])["choices"][0]["message"]["content"]}


def summarise(state: State) -> State:
    return {"summary": ask_model(summary_prompt(state["text"]))["choices"][0]["message"]["content"]}


def put_on_paper(state: State) -> State:
    return {"name": write_pdf(state["summary"] + "\n\n" + state["text"], state["name"])}


def builder() -> "StateGraph[State]":
    """Return a graph of the three nodes in a row."""
    graph = StateGraph(State)
    graph.add_node("research", research)
    graph.add_node("summarise", summarise)
    graph.add_node("write_pdf", put_on_paper)
    for before, after in [(START, "research"), ("research", "summarise"), ("summarise", "write_pdf")]:
        graph.add_edge(before, after)
    graph.add_edge("write_pdf", END)
    return graph


def main(topic: str, identity: str, database: str) -> None:
    with SqliteSaver.from_conn_string(database) as checkpoints:
        graph = builder().compile(checkpointer=checkpoints)
        config = {"configurable": {"thread_id": identity}}
        begun = graph.get_state(config).next
        graph.invoke(None if begun else {"topic": topic, "name": f"{identity}.pdf"}, config)
    print("Done.", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
