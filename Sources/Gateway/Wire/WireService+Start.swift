import FoundationEssentials
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Starting runs: checks, defaults, and the policies for ids that are taken.
extension WireService {
    func startWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse {
        let (namespace, start) = try await checkedStart(request, call)
        return try await begin(start, in: namespace)
    }

    /// Everything a start needs, once its request has passed the checks.
    func checkedStart(
        _ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> (Namespace, StartWorkflowRequest) {
        let namespace = try await namespace(request.namespace)
        try checkTakesStarts(namespace)
        var attributes = try startAttributes(request, namespace: namespace)
        attributes.searchAttributes = try await searchAttributes(attributes.searchAttributes, in: namespace)
        let policies = try idPolicies(
            reuse: request.workflowIDReusePolicy, conflict: request.workflowIDConflictPolicy, whenUnset: .fail)
        var start = StartWorkflowRequest(
            namespace: namespace.id, attributes: attributes,
            userMetadata: Blob(request.userMetadata, isSet: request.hasUserMetadata),
            requestID: attributes.requestID, reusePolicy: policies.reuse, conflictPolicy: policies.conflict,
            requestEagerTask: request.requestEagerExecution, actor: actor(call, identity: request.identity))
        try checks.onConflict(request)
        start.attachesRequestID = request.hasOnConflictOptions && request.onConflictOptions.attachRequestID
        start.attachesLinks = request.hasOnConflictOptions && request.onConflictOptions.attachLinks
        return (namespace, start)
    }

    func begin(
        _ start: StartWorkflowRequest, in namespace: Namespace
    ) async throws -> Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse {
        shown(try await backend.startWorkflow(start), start, in: namespace)
    }

    func shown(
        _ result: StartWorkflowResult, _ start: StartWorkflowRequest, in namespace: Namespace
    ) -> Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse {
        .with {
            $0.runID = result.run.value
            $0.firstExecutionRunID = result.firstRun.value
            $0.started = result.started
            $0.status = result.status.wire
            $0.link = Self.startLink(namespace: namespace.name, workflow: start.attributes.workflowID, run: result.run)
            if let task = result.eagerTask { $0.eagerWorkflowTask = polled(task) }
        }
    }

    func signalWithStartWorkflowExecution(
        _ request: Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest, _ call: WireCall
    ) async throws -> Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionResponse {
        let namespace = try await namespace(request.namespace)
        try checks.identifier(request.signalName, "SignalName")
        try checks.blobs(request.signalInput)
        try checkTakesStarts(namespace)
        var attributes = try startAttributes(Self.startPart(of: request), namespace: namespace)
        attributes.searchAttributes = try await searchAttributes(attributes.searchAttributes, in: namespace)
        if request.workflowIDConflictPolicy == .fail {
            throw Rejection.invalid(
                "Invalid WorkflowIDConflictPolicy: WORKFLOW_ID_CONFLICT_POLICY_FAIL is not supported for this operation."
            )
        }
        let policies = try idPolicies(
            reuse: request.workflowIDReusePolicy, conflict: request.workflowIDConflictPolicy, whenUnset: .useExisting)
        let signal = WorkflowExecutionSignaled(
            signalName: request.signalName, input: Blob(request.signalInput, isSet: request.hasSignalInput),
            header: Blob(request.header, isSet: request.hasHeader), identity: request.identity,
            requestID: attributes.requestID, links: attributes.links)
        let result = try await backend.startWorkflow(
            StartWorkflowRequest(
                namespace: namespace.id, attributes: attributes,
                userMetadata: Blob(request.userMetadata, isSet: request.hasUserMetadata),
                requestID: attributes.requestID,
                reusePolicy: policies.reuse, conflictPolicy: policies.conflict, signal: signal,
                actor: actor(call, identity: request.identity)))
        return .with {
            $0.runID = result.run.value
            $0.started = result.started
            $0.firstExecutionRunID = result.firstRun.value
        }
    }

    func actor(_ call: WireCall, identity: String) -> String { call.principal.isEmpty ? identity : call.principal }

    // MARK: Parts

    func startAttributes(
        _ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest, namespace: Namespace
    ) throws(Rejection) -> WorkflowExecutionStarted {
        try checks.identifier(request.workflowID, "WorkflowId")
        try checks.identifier(request.workflowType.name, "WorkflowType")
        let queue = try checks.taskQueue(request.taskQueue, isSet: request.hasTaskQueue)
        try checks.length(request.requestID, "RequestId")
        try checks.length(request.identity, "Identity")
        try checks.blobs(
            request.input, request.lastCompletionResult, request.continuedFailure, request.header, request.userMetadata)
        try checks.memo(request.memo)
        try checks.priority(request.priority)
        let versioningOverride =
            request.hasVersioningOverride ? try checks.versioningOverride(request.versioningOverride) : nil
        let retryPolicy = try checks.retryPolicy(request.retryPolicy, isSet: request.hasRetryPolicy)
        let delay = try checks.span(
            request.workflowStartDelay, isSet: request.hasWorkflowStartDelay, "WorkflowStartDelaySeconds")
        let timeouts = try timeouts(request)
        try checks.isServed(request)
        return WorkflowExecutionStarted(
            workflowType: request.workflowType.name, workflowID: WorkflowID(request.workflowID),
            taskQueue: TaskQueue(queue.name),
            input: Blob(request.input, isSet: request.hasInput), header: Blob(request.header, isSet: request.hasHeader),
            workflowExecutionTimeout: timeouts.execution, workflowRunTimeout: timeouts.run,
            workflowTaskTimeout: timeouts.task,
            workflowExecutionExpirationTime: timeouts.execution.isPositive ? now.advanced(by: timeouts.execution) : nil,
            originalExecutionRunID: RunID(""), firstExecutionRunID: RunID(""),
            continuedFailure: request.hasContinuedFailure
                ? FailureCodec.decode([UInt8](request.continuedFailure)) : nil,
            lastCompletionResult: Blob(request.lastCompletionResult, isSet: request.hasLastCompletionResult),
            identity: request.identity, retryPolicy: retryPolicy, cronSchedule: request.cronSchedule,
            firstWorkflowTaskBackoff: delay,
            memo: Blob(request.memo, isSet: request.hasMemo),
            searchAttributes: Blob(request.searchAttributes, isSet: request.hasSearchAttributes),
            priority: request.hasPriority ? Priority(request.priority) : nil,
            versioningOverride: versioningOverride,
            requestID: RequestID(request.requestID.isEmpty ? UUIDs.random() : request.requestID),
            links: try checks.links(request.links))
    }

    private func timeouts(
        _ request: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest
    ) throws(Rejection) -> (execution: TimeSpan, run: TimeSpan, task: TimeSpan) {
        let execution = try checks.span(
            request.workflowExecutionTimeout, isSet: request.hasWorkflowExecutionTimeout,
            "WorkflowExecutionTimeoutSeconds")
        var run = try checks.span(
            request.workflowRunTimeout, isSet: request.hasWorkflowRunTimeout, "WorkflowRunTimeoutSeconds")
        var task = try checks.span(
            request.workflowTaskTimeout, isSet: request.hasWorkflowTaskTimeout, "WorkflowTaskTimeoutSeconds")
        if execution.isPositive { run = run.isPositive ? min(run, execution) : execution }
        if !task.isPositive { task = options.limits.workflowTaskTimeoutDefault }
        task = min(task, options.limits.workflowTaskTimeoutMax)
        if run.isPositive { task = min(task, run) }
        return (execution, run, task)
    }

    private func idPolicies(
        reuse: Temporal_Api_Enums_V1_WorkflowIdReusePolicy, conflict: Temporal_Api_Enums_V1_WorkflowIdConflictPolicy,
        whenUnset: WorkflowIDConflictPolicy
    ) throws(Rejection) -> (reuse: WorkflowIDReusePolicy, conflict: WorkflowIDConflictPolicy) {
        let prefix = "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_"
        if reuse == .terminateIfRunning {
            guard conflict == .unspecified else {
                throw .invalid("\(prefix)TERMINATE_IF_RUNNING cannot be used together with a WorkflowIDConflictPolicy")
            }
            return (.allowDuplicate, .terminateExisting)
        }
        if reuse == .rejectDuplicate && conflict == .terminateExisting {
            throw .invalid(
                "\(prefix)REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy "
                    + "WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING")
        }
        return (WorkflowIDReusePolicy(reuse) ?? .allowDuplicate, WorkflowIDConflictPolicy(conflict) ?? whenUnset)
    }

    private static func startLink(namespace: String, workflow: WorkflowID, run: RunID) -> Data {
        let link = Temporal_Api_Common_V1_Link.with {
            $0.workflowEvent = .with {
                $0.namespace = namespace
                $0.workflowID = workflow.value
                $0.runID = run.value
                $0.eventRef = .with {
                    $0.eventID = 1
                    $0.eventType = .workflowExecutionStarted
                }
            }
        }
        return (try? link.serializedData()) ?? Data()
    }

    private static func startPart(
        of request: Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest
    ) -> Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest {
        .with {
            $0.workflowID = request.workflowID
            $0.requestID = request.requestID
            $0.identity = request.identity
            $0.cronSchedule = request.cronSchedule
            if request.hasWorkflowType { $0.workflowType = request.workflowType }
            if request.hasTaskQueue { $0.taskQueue = request.taskQueue }
            if request.hasInput { $0.input = request.input }
            if request.hasWorkflowExecutionTimeout { $0.workflowExecutionTimeout = request.workflowExecutionTimeout }
            if request.hasWorkflowRunTimeout { $0.workflowRunTimeout = request.workflowRunTimeout }
            if request.hasWorkflowTaskTimeout { $0.workflowTaskTimeout = request.workflowTaskTimeout }
            if request.hasRetryPolicy { $0.retryPolicy = request.retryPolicy }
            if request.hasMemo { $0.memo = request.memo }
            if request.hasSearchAttributes { $0.searchAttributes = request.searchAttributes }
            if request.hasHeader { $0.header = request.header }
            if request.hasWorkflowStartDelay { $0.workflowStartDelay = request.workflowStartDelay }
            if request.hasUserMetadata { $0.userMetadata = request.userMetadata }
            if request.hasVersioningOverride { $0.versioningOverride = request.versioningOverride }
            if request.hasPriority { $0.priority = request.priority }
            if request.hasTimeSkippingConfig { $0.timeSkippingConfig = request.timeSkippingConfig }
            $0.links = request.links
        }
    }
}

extension Blob {
    /// nil for a field that is not set.
    init?(_ data: Data, isSet: Bool) {
        guard isSet else { return nil }
        self.init(data)
    }
}
