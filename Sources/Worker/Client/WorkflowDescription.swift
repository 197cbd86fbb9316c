public import Foundation
import SwiftProtobuf
import TemporalAPI

/// A run as lists show it.
public struct WorkflowSummary: Sendable {
    public var workflowID: String
    public var runID: String
    public var workflowType: String
    public var taskQueue: String
    public var status: WorkflowRunStatus
    public var startTime: Date
    /// When the first workflow task was due: later than the start after a delay or a cron pause.
    public var executionTime: Date?
    public var closeTime: Date?
    /// How many events the history has.
    public var historyLength: Int
    public var historyBytes: Int
    public var parentWorkflowID: String?
    private let memoFields: [String: Payload]
    private let attributes: [String: Payload]
    private let converter: DataConverter

    /// A value of the memo; nil when there is none of this name.
    public func memo<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        try memoFields[name].map { try converter.value(type, from: $0) }
    }

    /// A search attribute; nil when there is none of this name.
    public func searchAttribute<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        try attributes[name].map { try DataConverter.default.value(type, from: $0) }
    }

    init(_ info: Temporal_Api_Workflow_V1_WorkflowExecutionInfo, converter: DataConverter) {
        workflowID = info.execution.workflowID
        runID = info.execution.runID
        workflowType = info.type.name
        taskQueue = info.taskQueue
        status = WorkflowRunStatus(rawValue: info.status.rawValue) ?? .unspecified
        startTime = info.startTime.date
        executionTime = info.hasExecutionTime ? info.executionTime.date : nil
        closeTime = info.hasCloseTime ? info.closeTime.date : nil
        historyLength = Int(info.historyLength)
        historyBytes = Int(info.historySizeBytes)
        parentWorkflowID = info.hasParentExecution ? info.parentExecution.workflowID : nil
        memoFields = (try? Payload.fields(wire: info.memo)) ?? [:]
        attributes = (try? Payload.fields(wire: info.searchAttributes)) ?? [:]
        self.converter = converter.scoped(namespace: converter.context.namespace, workflowID: info.execution.workflowID)
    }
}

/// An activity that has not ended.
public struct PendingActivity: Sendable {
    public enum State: Int, Hashable, Sendable {
        case unspecified = 0
        case scheduled = 1
        case started = 2
        case cancelRequested = 3
        case paused = 4
        case pauseRequested = 5
    }
    public var activityID: String
    public var activityType: String
    public var state: State
    public var attempt: Int
    /// nil is without limit.
    public var maximumAttempts: Int?
    public var lastFailure: (any TemporalFailure)?
    public var lastHeartbeatTime: Date?
    public var nextAttemptTime: Date?
    public var lastWorkerIdentity: String

    init(_ info: Temporal_Api_Workflow_V1_PendingActivityInfo, converter: DataConverter) {
        activityID = info.activityID
        activityType = info.activityType.name
        state = State(rawValue: info.state.rawValue) ?? .unspecified
        attempt = Int(info.attempt)
        maximumAttempts = info.maximumAttempts > 0 ? Int(info.maximumAttempts) : nil
        lastFailure = info.hasLastFailure ? converter.error(fromFailure: info.lastFailure) : nil
        lastHeartbeatTime = info.hasLastHeartbeatTime ? info.lastHeartbeatTime.date : nil
        nextAttemptTime = info.hasNextAttemptScheduleTime ? info.nextAttemptScheduleTime.date : nil
        lastWorkerIdentity = info.lastWorkerIdentity
    }
}

/// A run in detail.
public struct WorkflowDescription: Sendable {
    public var summary: WorkflowSummary
    public var pendingActivities: [PendingActivity]
    /// Which try of the current workflow task is due or running; nil when the workflow waits.
    public var workflowTaskAttempt: Int?

    init(_ response: Temporal_Api_Workflowservice_V1_DescribeWorkflowExecutionResponse, converter: DataConverter) {
        summary = WorkflowSummary(response.workflowExecutionInfo, converter: converter)
        pendingActivities = response.pendingActivities.map { PendingActivity($0, converter: converter) }
        workflowTaskAttempt = response.hasPendingWorkflowTask ? Int(response.pendingWorkflowTask.attempt) : nil
    }
}

extension WorkflowClient {
    /// One page of the runs that a query finds, newest first.
    ///
    /// - Parameters:
    ///   - query: In the list language, for example `WorkflowType = 'pay.Charge' AND ExecutionStatus = 'Running'`; empty finds all.
    ///   - pageToken: The `nextPageToken` of the page before; empty begins.
    /// - Returns: The runs, and a token that is empty after the last page.
    public func listPage(
        query: String = "", pageSize: Int = 100, pageToken: [UInt8] = []
    ) async throws -> (workflows: [WorkflowSummary], nextPageToken: [UInt8]) {
        var request = Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsRequest()
        request.namespace = namespace
        request.query = query
        request.pageSize = Int32(pageSize)
        request.nextPageToken = Data(pageToken)
        do {
            let response: Temporal_Api_Workflowservice_V1_ListWorkflowExecutionsResponse = try await service.call(
                "ListWorkflowExecutions", request)
            let scoped = converter.scoped(namespace: namespace, workflowID: "")
            return (
                response.executions.map { WorkflowSummary($0, converter: scoped) }, [UInt8](response.nextPageToken)
            )
        } catch {
            throw ClientError.translated(error, workflowID: "")
        }
    }

    /// All runs that a query finds, page after page as they are read.
    public func list(query: String = "", pageSize: Int = 100) -> WorkflowList {
        WorkflowList(client: self, query: query, pageSize: pageSize)
    }

    /// How many runs a query finds.
    public func count(query: String = "") async throws -> Int {
        var request = Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsRequest()
        request.namespace = namespace
        request.query = query
        do {
            let response: Temporal_Api_Workflowservice_V1_CountWorkflowExecutionsResponse = try await service.call(
                "CountWorkflowExecutions", request)
            return Int(response.count)
        } catch {
            throw ClientError.translated(error, workflowID: "")
        }
    }
}

/// The runs that a query finds; each iteration asks anew.
public struct WorkflowList: AsyncSequence, Sendable {
    public typealias Element = WorkflowSummary
    let client: WorkflowClient
    let query: String
    let pageSize: Int

    public func makeAsyncIterator() -> Iterator { Iterator(list: self) }

    public struct Iterator: AsyncIteratorProtocol {
        let list: WorkflowList
        private var page: ArraySlice<WorkflowSummary> = []
        private var token: [UInt8]? = []

        init(list: WorkflowList) { self.list = list }

        public mutating func next() async throws -> WorkflowSummary? {
            while page.isEmpty {
                guard let token else { return nil }
                let next = try await list.client.listPage(query: list.query, pageSize: list.pageSize, pageToken: token)
                page = next.workflows[...]
                self.token = next.nextPageToken.isEmpty ? nil : next.nextPageToken
            }
            return page.popFirst()
        }
    }
}
