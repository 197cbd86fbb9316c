import Logging

/// How one attempt ended.
enum ActivityOutcome: Sendable {
    case completed([UInt8])
    case failed(any Error)
}

/// Runs the body of one attempt, through the interceptors, beside its heartbeats and its time limit.
struct ActivityExecutor: Sendable {
    /// What the sender of heartbeats has to say.
    enum HeartbeatNews: Sendable {
        case stop(ActivityStopReason)
        case failed(any Error)
        case quiet
    }

    let activities: ActivityTypes
    let converter: DataConverter
    let interceptors: [any WorkerInterceptor]
    let client: WorkflowClient?
    let logger: Logger
    /// Measures time limits.
    var clock: any Clock<Duration> = ContinuousClock()

    private enum Step {
        case ended(ActivityOutcome)
        case stop(ActivityStopReason)
        case heartbeatFailed(any Error)
        case quiet
    }

    /// Runs one attempt to its end. `control` is how others stop it.
    ///
    /// - Parameter heartbeats: Sends what the attempt reports until it is cancelled; nil when nobody would listen.
    func execute(
        _ info: ActivityInfo, input: [UInt8], header: [String: Payload], heartbeatDetails: FailureDetails,
        control: ActivityControl, heartbeats: (@Sendable () async -> HeartbeatNews)?
    ) async -> ActivityOutcome {
        guard let activity = activities.activity(ofType: info.activityType) else {
            return .failed(
                ApplicationFailure(
                    "activity \(info.activityType) is not registered, only: \(activities.names)",
                    type: "NotFoundError"))
        }
        let converter = self.converter.scoped(namespace: info.namespace, workflowID: info.workflowID)
        let context = ActivityContext(
            info: info, header: header, logger: logger(for: info), converter: converter,
            previousDetails: heartbeatDetails, control: control, interceptors: interceptors, client: client)
        let call = ActivityExecution(arguments: EncodedValues(wire: input, converter: converter), header: header)
        return await withTaskGroup(of: Step.self) { group in
            group.addTask {
                do {
                    let result = try await ActivityContext.$current.withValue(context) {
                        try await run(activity, call, context, from: 0)
                    }
                    return .ended(.completed(result.wire))
                } catch {
                    return .ended(.failed(error))
                }
            }
            if let heartbeats {
                group.addTask {
                    switch await heartbeats() {
                    case .stop(let reason): .stop(reason)
                    case .failed(let error): .heartbeatFailed(error)
                    case .quiet: .quiet
                    }
                }
            }
            group.addTask {
                for await reason in control.stops { return .stop(reason) }
                return .quiet
            }
            if let allowed = info.timeAllowed {
                group.addTask {
                    do { try await clock.sleep(for: allowed) } catch { return .quiet }
                    return .stop(.timedOut)
                }
            }
            return await Self.end(of: &group, control)
        }
    }

    private static func end(of group: inout TaskGroup<Step>, _ control: ActivityControl) async -> ActivityOutcome {
        var broken: (any Error)?
        while let step = await group.next() {
            switch step {
            case .ended(let outcome):
                group.cancelAll()
                if let broken { return .failed(broken) }
                return outcome
            case .stop(let reason):
                control.stop(reason)
                group.cancelAll()
            case .heartbeatFailed(let error):
                broken = error
                group.cancelAll()
            case .quiet: continue
            }
        }
        return .failed(CancellationError())
    }

    private func run(
        _ activity: RegisteredActivity, _ call: ActivityExecution, _ context: ActivityContext, from index: Int
    ) async throws -> EncodedValues {
        guard index < interceptors.count else {
            let result = try await activity.run(call.arguments.wire, context, context.converter)
            return EncodedValues(wire: result, converter: context.converter)
        }
        return try await interceptors[index].executeActivity(call, context) { call in
            try await run(activity, call, context, from: index + 1)
        }
    }

    /// The logger of one attempt.
    func logger(for info: ActivityInfo) -> Logger {
        var logger = self.logger
        logger[metadataKey: "workflow"] = "\(info.workflowID)"
        logger[metadataKey: "run"] = "\(info.runID)"
        logger[metadataKey: "activity"] = "\(info.activityType)"
        logger[metadataKey: "attempt"] = "\(info.attempt)"
        return logger
    }
}

/// The activities of a worker, by type; of two with the same name the later one counts.
struct ActivityTypes: Sendable {
    private let named: [String: RegisteredActivity]
    private let dynamic: RegisteredActivity?

    init(_ activities: [RegisteredActivity]) {
        named = Dictionary(activities.filter { !$0.isDynamic }.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        dynamic = activities.last { $0.isDynamic }
    }

    func activity(ofType type: String) -> RegisteredActivity? { named[type] ?? dynamic }
    var isEmpty: Bool { named.isEmpty && dynamic == nil }
    var names: String { named.keys.sorted().joined(separator: ", ") }
}
