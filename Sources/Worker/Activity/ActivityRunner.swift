import Foundation
import Logging
import TemporalAPI

/// Runs attempts of activities and reports how they ended. Shared by all attempts of a worker.
struct ActivityRunner: Sendable {
    typealias Task = Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse

    let executor: ActivityExecutor
    let service: WorkflowService
    let taskQueue: String
    let classifier: ActivityFailureClassifier?
    /// Measures pauses between heartbeats.
    var clock: any Clock<Duration> = ContinuousClock()
    /// Draws the jitter of back-offs.
    var draw: @Sendable (RetryBackoff, Int) -> Duration = { $0.delay(attempt: $1) }

    private typealias Outcome = ActivityOutcome
    var activities: ActivityTypes { executor.activities }

    /// Runs one attempt to its end and reports it. `control` is how others stop it.
    func run(_ task: Task, control: ActivityControl) async {
        let info = ActivityInfo(task, taskQueue: taskQueue)
        let converter = executor.converter.scoped(namespace: info.namespace, workflowID: info.workflowID)
        let logger = executor.logger(for: info)
        let outcome: Outcome
        do {
            let header = task.hasHeader ? try Payload.fields(wire: task.header) : [:]
            let previous = try FailureDetails(wire: task.heartbeatDetails, converter: converter)
            outcome = await executor.execute(
                info, input: [UInt8](task.input), header: header, heartbeatDetails: previous, control: control
            ) { await self.sendHeartbeats(task, info, converter, control, logger) }
        } catch {
            outcome = .failed(error)
        }
        await report(outcome, task, info, converter, control, logger)
    }

    // MARK: - Heartbeats

    /// Sends what the attempt reports, at most once in the interval, until it is told to stop.
    private func sendHeartbeats(
        _ task: Task, _ info: ActivityInfo, _ converter: DataConverter, _ control: ActivityControl, _ logger: Logger
    ) async -> ActivityExecutor.HeartbeatNews {
        let interval = Self.heartbeatInterval(info.heartbeatTimeout)
        for await _ in control.heartbeats {
            guard let details = control.takeUnsent() else { continue }
            var request = Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatRequest()
            request.taskToken = task.taskToken
            request.identity = service.identity
            request.namespace = service.namespace
            do {
                if !details.isEmpty { request.details = Data(try details.wire(converter)) }
            } catch {
                return .failed(error)
            }
            do {
                let answer: Temporal_Api_Workflowservice_V1_RecordActivityTaskHeartbeatResponse =
                    try await service.call(
                        "RecordActivityTaskHeartbeat", request)
                if answer.cancelRequested { return .stop(.requested) }
                if answer.activityReset { return .stop(.reset) }
                if answer.activityPaused { return .stop(.paused) }
            } catch {
                if error.code == .notFound { return .stop(.notFound) }
                if error.code == .cancelled { return .quiet }
                logger.warning("heartbeat was not delivered", metadata: ["error": "\(error)"])
            }
            do { try await clock.sleep(for: interval) } catch { return .quiet }
        }
        return .quiet
    }

    /// 0.8 of the timeout; 30 s without one; never more than a minute.
    static func heartbeatInterval(_ timeout: Duration?) -> Duration {
        min(timeout.map { $0 * 8 / 10 } ?? .seconds(30), .seconds(60))
    }

    // MARK: - The report

    private func report(
        _ outcome: Outcome, _ task: Task, _ info: ActivityInfo, _ converter: DataConverter, _ control: ActivityControl,
        _ logger: Logger
    ) async {
        do {
            switch outcome {
            case .completed(let result):
                var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedRequest()
                request.taskToken = task.taskToken
                request.identity = service.identity
                request.namespace = service.namespace
                request.result = Data(result)
                let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskCompletedResponse = try await service.call(
                    "RespondActivityTaskCompleted", request)
            case .failed(is ActivityCompletesLater): return
            case .failed(let error):
                try await reportFailure(error, task, info, converter, control, logger)
            }
        } catch let failure as RPCFailure where failure.code == .notFound {
            logger.debug("activity ended after the server forgot it")
        } catch {
            logger.error(
                "activity could not be reported; its timeout will bring it again", metadata: ["error": "\(error)"])
        }
    }

    private func reportFailure(
        _ error: any Error, _ task: Task, _ info: ActivityInfo, _ converter: DataConverter, _ control: ActivityControl,
        _ logger: Logger
    ) async throws {
        let isCancellation = error is CancellationError || error is CanceledFailure
        switch isCancellation ? control.cancellation : nil {
        case .requested:
            var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledRequest()
            request.taskToken = task.taskToken
            request.identity = service.identity
            request.namespace = service.namespace
            if let details = (error as? CanceledFailure)?.details, !details.isEmpty {
                request.details = Data(try details.wire(converter))
            }
            let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskCanceledResponse = try await service.call(
                "RespondActivityTaskCanceled", request)
        case .notFound, .timedOut:
            logger.debug("activity stopped after the server gave it up")
        case .workerShutdown:
            try await respondFailed(
                ApplicationFailure("worker is shutting down", type: "WorkerShutdown"), task, converter, control)
        case .paused:
            try await respondFailed(
                ApplicationFailure("activity is paused", type: "ActivityPause"), task, converter, control)
        case .reset:
            try await respondFailed(
                ApplicationFailure("activity is reset", type: "ActivityReset"), task, converter, control)
        case nil:
            let failure = classified(error, info)
            if (failure as? ApplicationFailure)?.category != .benign {
                logger.warning("activity failed", metadata: ["type": "\(Self.typeName(failure))"])
            }
            try await respondFailed(failure, task, converter, control)
        }
    }

    private func respondFailed(
        _ failure: any Error, _ task: Task, _ converter: DataConverter, _ control: ActivityControl
    ) async throws {
        var request = Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedRequest()
        request.taskToken = task.taskToken
        request.identity = service.identity
        request.namespace = service.namespace
        request.failure = Data(converter.failure(for: failure))
        if let details = control.newestDetails, !details.isEmpty, let wire = try? details.wire(converter) {
            request.lastHeartbeatDetails = Data(wire)
        }
        let _: Temporal_Api_Workflowservice_V1_RespondActivityTaskFailedResponse = try await service.call(
            "RespondActivityTaskFailed", request)
    }

    /// The failure as the server shall see it: classed, and with the pause before the next attempt.
    private func classified(_ error: any Error, _ info: ActivityInfo) -> any Error {
        let judged = classifier?(error, info) ?? error
        guard let backoff = activities.activity(ofType: info.activityType)?.retryBackoff,
            var failure = DataConverter.temporalFailure(for: judged) as? ApplicationFailure,
            !failure.isNonRetryable, failure.nextRetryDelay == nil
        else { return judged }
        failure.nextRetryDelay = draw(backoff, info.attempt)
        return failure
    }

    private static func typeName(_ error: any Error) -> String {
        if let failure = error as? ApplicationFailure, !failure.type.isEmpty { return failure.type }
        return "\(Swift.type(of: error))"
    }
}

/// Gives an error its class before it is reported: an ``ApplicationFailure`` that says whether and when to try again, or nil
/// to report the error as it is.
public typealias ActivityFailureClassifier = @Sendable (any Error, ActivityInfo) -> ApplicationFailure?
