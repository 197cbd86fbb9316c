public import Foundation
import SwiftProtobuf
import TemporalAPI

/// What is done to every workflow of a batch.
public enum BatchAction: Sendable {
    case terminate
    case cancel
    case signal(name: String, arguments: [any Encodable & Sendable])
    case delete
}

public enum BatchState: Int, Hashable, Sendable {
    case unspecified = 0
    case running = 1
    case completed = 2
    /// It was stopped.
    case failed = 3
}

/// How far a batch operation has come.
public struct BatchDescription: Sendable {
    public var jobID: String
    public var state: BatchState
    public var startTime: Date
    public var closeTime: Date?
    public var total: Int
    public var completed: Int
    public var failed: Int
    public var identity: String
    public var reason: String
    public var query: String
}

/// A batch operation as lists show it.
public struct BatchListEntry: Sendable {
    public var jobID: String
    public var state: BatchState
    public var startTime: Date
    public var closeTime: Date?
}

extension WorkflowClient {
    /// Does something to every workflow that a query finds.
    ///
    /// - Parameters:
    ///   - jobID: The same id and wish again is the same operation.
    ///   - operationsPerSecond: nil is the server's default.
    public func startBatch(
        jobID: String, query: String, reason: String, _ action: BatchAction, operationsPerSecond: Float? = nil
    ) async throws {
        var request = Temporal_Api_Workflowservice_V1_StartBatchOperationRequest()
        request.namespace = namespace
        request.jobID = jobID
        request.visibilityQuery = query
        request.reason = reason
        request.maxOperationsPerSecond = operationsPerSecond ?? 0
        switch action {
        case .terminate: request.terminationOperation = .with { $0.identity = identity }
        case .cancel: request.cancellationOperation = .with { $0.identity = identity }
        case .delete: request.deletionOperation = .with { $0.identity = identity }
        case .signal(let name, let arguments):
            let input = try converter.arguments(arguments)
            request.signalOperation = .with {
                $0.signal = name
                $0.identity = identity
                if !input.isEmpty { $0.input = Data(input) }
            }
        }
        let _: Temporal_Api_Workflowservice_V1_StartBatchOperationResponse = try await batchCall(
            "StartBatchOperation", request)
    }

    /// Ends a batch operation; what it did stays done.
    public func stopBatch(jobID: String, reason: String) async throws {
        var request = Temporal_Api_Workflowservice_V1_StopBatchOperationRequest()
        request.namespace = namespace
        request.jobID = jobID
        request.reason = reason
        request.identity = identity
        let _: Temporal_Api_Workflowservice_V1_StopBatchOperationResponse = try await batchCall(
            "StopBatchOperation", request)
    }

    /// How far a batch operation has come.
    public func describeBatch(jobID: String) async throws -> BatchDescription {
        var request = Temporal_Api_Workflowservice_V1_DescribeBatchOperationRequest()
        request.namespace = namespace
        request.jobID = jobID
        let response: Temporal_Api_Workflowservice_V1_DescribeBatchOperationResponse = try await batchCall(
            "DescribeBatchOperation", request)
        return BatchDescription(
            jobID: response.jobID, state: BatchState(rawValue: response.state.rawValue) ?? .unspecified,
            startTime: response.startTime.date, closeTime: response.hasCloseTime ? response.closeTime.date : nil,
            total: Int(response.totalOperationCount), completed: Int(response.completeOperationCount),
            failed: Int(response.failureOperationCount), identity: response.identity, reason: response.reason,
            query: response.query)
    }

    /// All batch operations, newest first.
    public func listBatches() async throws -> [BatchListEntry] {
        var request = Temporal_Api_Workflowservice_V1_ListBatchOperationsRequest()
        request.namespace = namespace
        request.pageSize = 100
        var found: [BatchListEntry] = []
        repeat {
            let response: Temporal_Api_Workflowservice_V1_ListBatchOperationsResponse = try await batchCall(
                "ListBatchOperations", request)
            found += response.operationInfo.map {
                BatchListEntry(
                    jobID: $0.jobID, state: BatchState(rawValue: $0.state.rawValue) ?? .unspecified,
                    startTime: $0.startTime.date, closeTime: $0.hasCloseTime ? $0.closeTime.date : nil)
            }
            request.nextPageToken = response.nextPageToken
        } while !request.nextPageToken.isEmpty
        return found
    }

    private func batchCall<Request: Message, Response: Message>(
        _ name: String, _ request: Request
    ) async throws -> Response {
        do {
            return try await service.call(name, request)
        } catch {
            throw ClientError.translated(error, workflowID: "")
        }
    }
}
