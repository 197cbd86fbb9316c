import Foundation
import Logging

/// Runs single attempts without a server, for tests of activities.
package final class ActivityStopper: Sendable {
    private let control = ActivityControl()

    package init() {}

    package func stop(_ reason: ActivityStopReason) { control.stop(reason) }

    /// One attempt with a made-up context.
    package func attempt(
        _ activity: RegisteredActivity, _ input: EncodedValues, attempt: Int, previousDetails: FailureDetails,
        interceptors: [any WorkerInterceptor]
    ) async throws -> EncodedValues {
        let now = Date()
        let info = ActivityInfo(
            namespace: "default", workflowID: "test", runID: "test", workflowType: "test", activityID: "test",
            activityType: activity.name, taskQueue: "test", attempt: attempt, scheduledTime: now,
            attemptScheduledTime: now, startedTime: now, taskToken: [])
        let executor = ActivityExecutor(
            activities: ActivityTypes([activity]), converter: input.converter, interceptors: interceptors, client: nil,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let outcome = await executor.execute(
            info, input: input.wire, header: [:], heartbeatDetails: previousDetails, control: control, heartbeats: nil)
        switch outcome {
        case .completed(let result): return EncodedValues(wire: result, converter: input.converter)
        case .failed(let error): throw error
        }
    }
}
