import Foundation
import SwiftProtobuf
import TemporalAPI

/// Starts workflows of one namespace and talks to them.
///
/// A value; copies share the transport. All calls may run at the same time. Calls that change something carry a request id,
/// so the repeats after a lost answer have no second effect.
public struct WorkflowClient: Sendable {
    public let namespace: String
    /// Who calls, as histories show it.
    public let identity: String
    public let converter: DataConverter
    let service: WorkflowService
    /// The first one outermost.
    let interceptors: [any ClientInterceptor]
    /// Workers of this process that may take first tasks.
    let eagerStarts = EagerStarts()

    /// - Parameters:
    ///   - transport: How to reach the server: a ``GRPCTransport`` that runs, or an ``InProcessTransport``.
    ///   - identity: `<process id>@<host>` if not given.
    public init(
        transport: any Transport, namespace: String = "default", identity: String? = nil,
        converter: DataConverter = .default, interceptors: [any ClientInterceptor] = [],
        retryPolicy: RPCRetryPolicy = .default
    ) {
        let identity = identity ?? Self.processIdentity
        self.init(
            service: WorkflowService(
                transport: transport, identity: identity, namespace: namespace, retryPolicy: retryPolicy),
            converter: converter, interceptors: interceptors)
    }

    init(service: WorkflowService, converter: DataConverter, interceptors: [any ClientInterceptor] = []) {
        self.interceptors = interceptors
        self.namespace = service.namespace
        self.identity = service.identity
        self.converter = converter
        self.service = service
    }

    /// Opens a connection for the time of `body`.
    ///
    /// - Throws: What `body` throws; ``RPCFailure`` when the server does not answer its first question.
    public static func withConnection<Result: Sendable>(
        to options: GRPCTransportOptions, namespace: String = "default", identity: String? = nil,
        converter: DataConverter = .default, interceptors: [any ClientInterceptor] = [],
        _ body: @Sendable (WorkflowClient) async throws -> Result
    ) async throws -> Result {
        try await GRPCTransport.withTransport(options) { transport in
            let client = WorkflowClient(
                transport: transport, namespace: namespace, identity: identity, converter: converter,
                interceptors: interceptors)
            _ = try await client.serverVersion()
            return try await body(client)
        }
    }

    /// Asks the server for its version. Empty when it is too old to say.
    public func serverVersion() async throws(RPCFailure) -> String { try await systemInfo().serverVersion }

    func systemInfo() async throws(RPCFailure) -> Temporal_Api_Workflowservice_V1_GetSystemInfoResponse {
        do {
            return try await service.call("GetSystemInfo", Temporal_Api_Workflowservice_V1_GetSystemInfoRequest())
        } catch {
            if error.code == .unimplemented { return Temporal_Api_Workflowservice_V1_GetSystemInfoResponse() }
            throw error
        }
    }

    private static let processIdentity =
        "\(ProcessInfo.processInfo.processIdentifier)@\(ProcessInfo.processInfo.hostName)"
}

extension WorkflowClient {
    /// Starts a workflow of a known type.
    ///
    /// - Throws: ``WorkflowAlreadyStarted``; ``NamespaceNotFound``; ``RPCFailure``.
    public func start<Workflow: WorkflowDefinition>(
        _ workflow: Workflow.Type, _ input: Workflow.Input, options: StartOptions
    ) async throws -> WorkflowHandle<Workflow.Output> {
        let runID = try await start(type: Workflow.name, arguments: [input], options: options)
        return WorkflowHandle(client: self, workflowID: options.id, runID: nil, firstRunID: runID)
    }

    /// Starts a workflow and waits for its result.
    ///
    /// - Throws: Also ``WorkflowFailed``.
    public func execute<Workflow: WorkflowDefinition>(
        _ workflow: Workflow.Type, _ input: Workflow.Input, options: StartOptions
    ) async throws -> Workflow.Output {
        try await start(workflow, input, options: options).result()
    }

    /// Starts a workflow by the name of its type.
    public func start<Output: Decodable & Sendable>(
        workflowType: String, _ arguments: any Encodable & Sendable..., options: StartOptions, returning: Output.Type
    ) async throws -> WorkflowHandle<Output> {
        try await start(workflowType: workflowType, arguments: arguments, options: options, returning: returning)
    }

    /// Starts a workflow by the name of its type, with a list of arguments.
    public func start<Output: Decodable & Sendable>(
        workflowType: String, arguments: [any Encodable & Sendable], options: StartOptions, returning: Output.Type
    ) async throws -> WorkflowHandle<Output> {
        let runID = try await start(type: workflowType, arguments: arguments, options: options)
        return WorkflowHandle(client: self, workflowID: options.id, runID: nil, firstRunID: runID)
    }

    /// Sends a signal to the workflow with this id, and starts it first when it is not running.
    public func signalWithStart<Workflow: WorkflowDefinition>(
        _ workflow: Workflow.Type, _ input: Workflow.Input, signal: String,
        _ signalArguments: any Encodable & Sendable...,
        options: StartOptions
    ) async throws -> WorkflowHandle<Workflow.Output> {
        let runID = try await signalWithStart(
            type: Workflow.name, arguments: [input], signal: signal, signalArguments: signalArguments, options: options)
        return WorkflowHandle(client: self, workflowID: options.id, runID: nil, firstRunID: runID)
    }

    /// Sends a signal to the workflow with this id, and starts it first, by the name of its type, when it is not running.
    public func signalWithStart<Output: Decodable & Sendable>(
        workflowType: String, arguments: [any Encodable & Sendable], signal: String,
        signalArguments: [any Encodable & Sendable], options: StartOptions, returning: Output.Type
    ) async throws -> WorkflowHandle<Output> {
        let runID = try await signalWithStart(
            type: workflowType, arguments: arguments, signal: signal, signalArguments: signalArguments, options: options
        )
        return WorkflowHandle(client: self, workflowID: options.id, runID: nil, firstRunID: runID)
    }

    /// A handle to a workflow that somebody started; asks nothing of the server.
    ///
    /// - Parameter runID: Pins one run; nil means the current one.
    public func handle<Output: Decodable & Sendable>(
        workflowID: String, runID: String? = nil, returning: Output.Type = Output.self
    ) -> WorkflowHandle<Output> {
        WorkflowHandle(client: self, workflowID: workflowID, runID: runID, firstRunID: nil)
    }

    private func start(
        type: String, arguments: [any Encodable & Sendable], options: StartOptions
    ) async throws -> String {
        try await begin(StartWorkflowCall(workflowType: type, arguments: arguments, options: options))
    }

    private func signalWithStart(
        type: String, arguments: [any Encodable & Sendable], signal: String,
        signalArguments: [any Encodable & Sendable], options: StartOptions
    ) async throws -> String {
        try await begin(
            StartWorkflowCall(
                workflowType: type, arguments: arguments, options: options,
                signal: .init(name: signal, arguments: signalArguments)))
    }
}

/// The server's statuses as this library's errors.
enum ClientError {
    static func translated(_ failure: RPCFailure, workflowID: String) -> any Error {
        switch failure.code {
        case .alreadyExists:
            guard let body = failure.detail("WorkflowExecutionAlreadyStartedFailure"),
                let detail = try? Temporal_Api_Errordetails_V1_WorkflowExecutionAlreadyStartedFailure(
                    serializedBytes: body)
            else { return failure }
            return WorkflowAlreadyStarted(workflowID: workflowID, runID: detail.runID, message: failure.message)
        case .notFound:
            if let body = failure.detail("NamespaceNotFoundFailure") {
                let detail = try? Temporal_Api_Errordetails_V1_NamespaceNotFoundFailure(serializedBytes: body)
                return NamespaceNotFound(namespace: detail?.namespace ?? "")
            }
            return WorkflowNotFound(message: failure.message)
        case .cancelled: return CancellationError()
        case .unknown, .invalidArgument, .deadlineExceeded, .permissionDenied, .resourceExhausted, .failedPrecondition,
            .aborted, .outOfRange, .unimplemented, .internalError, .unavailable, .dataLoss, .unauthenticated:
            return failure
        }
    }
}
