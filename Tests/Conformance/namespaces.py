"""Namespaces: registered, changed, listed, deprecated, deleted: namespaces.py [ADDRESS [NAME]]."""
import sys
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import NamespaceState
from temporalio.api.errordetails.v1 import NamespaceInvalidStateFailure, NamespaceNotFoundFailure
from temporalio.api.namespace.v1 import NamespaceConfig, UpdateNamespaceInfo
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, DeleteNamespaceRequest, ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DeprecateNamespaceRequest,
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    ListNamespacesRequest,
    RegisterNamespaceRequest,
    StartWorkflowExecutionRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import harness
from harness import unique
from workflows import ACTIVITIES, WORKFLOWS, Hello


def days(count: int) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(days=count))
    return duration


async def refused(call) -> RPCError:
    try:
        await call
    except RPCError as error:
        return error
    raise AssertionError("it was accepted")


async def register(client: Client, **options) -> str:
    name = unique("ns")
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=days(3), **options)
    )
    return name


def start(namespace: str, workflow_id: str) -> StartWorkflowExecutionRequest:
    return StartWorkflowExecutionRequest(
        namespace=namespace, workflow_id=workflow_id, workflow_type=WorkflowType(name="W"), task_queue=TaskQueue(name="none")
    )


async def test_a_new_namespace_works_at_once_and_is_described(client: Client):
    name = await register(client, description="orders", owner_email="a@b.c", data={"team": "x"})
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    info = described.namespace_info
    assert (info.name, info.description, info.owner_email, info.data["team"]) == (name, "orders", "a@b.c", "x")
    assert info.state == NamespaceState.NAMESPACE_STATE_REGISTERED and info.id
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=3)
    by_id = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(id=info.id))
    assert by_id.namespace_info.name == name
    other = await Client.connect(client.service_client.config.target_host, namespace=name)
    queue = unique("queue")
    async with Worker(
        other, task_queue=queue, workflows=WORKFLOWS, activities=ACTIVITIES, workflow_runner=UnsandboxedWorkflowRunner()
    ):
        assert await other.execute_workflow(Hello.run, "you", id="same-id", task_queue=queue) == "Hello, you!"
    # The same id in another namespace is another workflow.
    error = await refused(
        client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace="default", execution=WorkflowExecution(workflow_id=f"same-id-{name}"))
        )
    )
    assert error.status == RPCStatusCode.NOT_FOUND


async def test_registrations_are_checked(client: Client):
    service = client.workflow_service
    error = await refused(service.register_namespace(RegisterNamespaceRequest(namespace="default", workflow_execution_retention_period=days(1))))
    assert (error.status, error.message) == (RPCStatusCode.ALREADY_EXISTS, 'Namespace "default" already exists')
    error = await refused(service.register_namespace(RegisterNamespaceRequest(namespace=unique("ns"))))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    short = Duration(seconds=60)
    error = await refused(service.register_namespace(RegisterNamespaceRequest(namespace=unique("ns"), workflow_execution_retention_period=short)))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    error = await refused(service.register_namespace(RegisterNamespaceRequest(namespace="x" * 1001, workflow_execution_retention_period=days(1))))
    assert error.status == RPCStatusCode.INVALID_ARGUMENT
    error = await refused(service.describe_namespace(DescribeNamespaceRequest(namespace="nope-ns")))
    assert (error.status, error.message) == (RPCStatusCode.NOT_FOUND, "Namespace nope-ns is not found.")
    detail = NamespaceNotFoundFailure()
    assert error.grpc_status.details[0].Unpack(detail) and detail.namespace == "nope-ns"


async def test_updates_change_what_they_name_and_can_be_repeated(client: Client):
    name = await register(client, description="before", owner_email="a@b.c", data={"keep": "1", "change": "1"})
    request = UpdateNamespaceRequest(
        namespace=name,
        update_info=UpdateNamespaceInfo(description="after", data={"change": "2"}),
        config=NamespaceConfig(workflow_execution_retention_ttl=days(7)),
    )
    for _ in range(2):
        updated = await client.workflow_service.update_namespace(request)
        assert updated.namespace_info.description == "after"
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    assert described.namespace_info.owner_email == "a@b.c"
    assert dict(described.namespace_info.data) == {"keep": "1", "change": "2"}
    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=7)
    error = await refused(
        client.workflow_service.update_namespace(
            UpdateNamespaceRequest(namespace=name, config=NamespaceConfig(workflow_execution_retention_ttl=Duration(seconds=5)))
        )
    )
    assert error.status == RPCStatusCode.INVALID_ARGUMENT


async def test_lists_have_pages(client: Client):
    names = {await register(client) for _ in range(3)}
    seen, token = [], b""
    while True:
        page = await client.workflow_service.list_namespaces(ListNamespacesRequest(page_size=2, next_page_token=token))
        assert len(page.namespaces) <= 2
        seen += [found.namespace_info.name for found in page.namespaces]
        token = page.next_page_token
        if not token:
            break
    assert len(seen) == len(set(seen)) and names | {"default"} <= set(seen)


async def test_a_deprecated_namespace_takes_no_new_runs(client: Client):
    name = await register(client)
    service = client.workflow_service
    await service.start_workflow_execution(start(name, "before"))
    for _ in range(2):
        await service.deprecate_namespace(DeprecateNamespaceRequest(namespace=name))
    error = await refused(service.start_workflow_execution(start(name, "after")))
    assert (error.status, error.message) == (
        RPCStatusCode.FAILED_PRECONDITION, "Namespace has invalid state: Deprecated. Must be Registered."
    )
    detail = NamespaceInvalidStateFailure()
    assert error.grpc_status.details[0].Unpack(detail) and detail.namespace == name
    found = await service.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=name, execution=WorkflowExecution(workflow_id="before"))
    )
    assert found.workflow_execution_info.status == 1
    error = await refused(
        service.update_namespace(
            UpdateNamespaceRequest(namespace=name, update_info=UpdateNamespaceInfo(state=NamespaceState.NAMESPACE_STATE_REGISTERED))
        )
    )
    assert error.status == RPCStatusCode.INVALID_ARGUMENT


async def test_a_deleted_namespace_is_gone_and_its_name_is_free(client: Client):
    name = await register(client)
    service, operator = client.workflow_service, client.operator_service
    await service.start_workflow_execution(start(name, "old"))
    response = await operator.delete_namespace(DeleteNamespaceRequest(namespace=name))
    assert response.deleted_namespace.startswith(f"{name}-deleted-")
    for call in (
        service.describe_namespace(DescribeNamespaceRequest(namespace=name)),
        service.start_workflow_execution(start(name, "new")),
        operator.delete_namespace(DeleteNamespaceRequest(namespace=name)),
    ):
        assert (await refused(call)).status == RPCStatusCode.NOT_FOUND
    listed = await service.list_namespaces(ListNamespacesRequest(page_size=1000))
    assert name not in [found.namespace_info.name for found in listed.namespaces]
    await service.register_namespace(RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=days(1)))
    error = await refused(
        service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(namespace=name, execution=WorkflowExecution(workflow_id="old"))
        )
    )
    assert error.status == RPCStatusCode.NOT_FOUND


async def test_search_attributes_belong_to_their_namespace(client: Client):
    one, two = await register(client), await register(client)
    await client.operator_service.add_search_attributes(AddSearchAttributesRequest(namespace=one, search_attributes={"OnlyHere": 2}))
    here = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=one))
    there = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=two))
    assert "OnlyHere" in here.custom_attributes and "OnlyHere" not in there.custom_attributes


harness.main(sys.modules[__name__])
