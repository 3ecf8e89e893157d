"""Release the steps that a lost worker of this machine was running, so that they need not time out.

The service waits for a heartbeat until the heartbeat timeout. A worker that starts on the same
machine knows earlier that the process is gone: it fails the step by its ID, and the service starts
the next attempt at once, with the details of the last heartbeat. If a step were released that still
runs, little would be lost: it would be resumed elsewhere from its last heartbeat, and the service
would refuse its own, late result.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from research.temporal.identity import is_certain, is_lost
from research.temporal.names import WORKFLOW_TYPE, recorded_step, step_name

WORKER_LOST = "WorkerLost"
"""Type of the failure of an attempt whose worker is lost."""
MAX_WORKFLOWS = 100
MAX_SECONDS = 5.0
_RUNNING = f'WorkflowType = "{WORKFLOW_TYPE}" AND ExecutionStatus = "Running"'
_log = logging.getLogger(__name__)


async def release_steps(client: Client) -> None:
    """Fail the running steps of lost workers, in the newest MAX_WORKFLOWS reports and within MAX_SECONDS.

    Whatever the service refuses, or has not done in this time, is left to the heartbeat timeout.
    """
    try:
        async with asyncio.timeout(MAX_SECONDS):
            found = client.list_workflows(_RUNNING, limit=MAX_WORKFLOWS, page_size=MAX_WORKFLOWS)
            running = [workflow async for workflow in found]
            await asyncio.gather(*[_release(client, workflow.id, workflow.run_id) for workflow in running])
    except (RPCError, TimeoutError):
        return


async def _release(client: Client, workflow_id: str, run_id: str) -> None:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    lost = await _lost_steps(handle)
    for step in lost:
        still = {(other.activity_id, other.attempt) for other in await _lost_steps(handle)}
        if (step.activity_id, step.attempt) not in still:  # because the ID alone would name the next attempt
            continue
        error = ApplicationError(
            "its worker is lost", type=WORKER_LOST, next_retry_delay=timedelta(milliseconds=1)
        )
        activity = client.get_async_activity_handle(
            workflow_id=workflow_id, run_id=run_id, activity_id=step.activity_id
        )
        try:
            await activity.fail(error)
        except RPCError:  # it has ended meanwhile, or is left to the heartbeat timeout
            continue
        name = step_name(recorded_step(step.activity_type.name))
        place = {"temporal_workflow": {"workflow_id": workflow_id}}
        _log.info(
            "%s, attempt %d: its worker is lost; the next attempt starts", name, step.attempt, extra=place
        )
    if lost:  # the Workflow's next task must not wait for the lost worker, which had it in its cache
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = ResetStickyTaskQueueRequest(namespace=client.namespace, execution=execution)
        await client.workflow_service.reset_sticky_task_queue(request)


async def _lost_steps(handle: WorkflowHandle[Any, Any]) -> list[PendingActivityInfo]:
    return [step for step in (await handle.describe()).raw_description.pending_activities if _is_lost(step)]


def _is_lost(step: PendingActivityInfo) -> bool:
    """Return whether an attempt is running whose process on this machine has certainly ended."""
    is_running = step.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    return is_running and is_certain(step.last_worker_identity) and is_lost(step.last_worker_identity)
