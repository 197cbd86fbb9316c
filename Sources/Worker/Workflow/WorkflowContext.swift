public import Foundation
import History
public import Logging
import Replay

/// All that a workflow may know and do: time, randomness, waiting, activities, cancellation.
///
/// A small value; copy it freely. Use it only from the workflow's own code: elsewhere its calls throw ``WorkflowEscape``.
public struct WorkflowContext: Sendable {
    let core: WorkflowCore
    /// The update whose handler this context was given to; nil in `run` and in the handlers of signals.
    public let currentUpdate: WorkflowUpdateInfo?

    init(core: WorkflowCore, update: WorkflowUpdateInfo? = nil) {
        self.core = core
        currentUpdate = update
    }

    /// What the run knows about itself.
    public var info: WorkflowInfo { core.runInfo }

    /// The time at which the present workflow task was started; the same in every replay.
    public var now: Date { core.now.date }

    /// Is the code only rebuilding its state from history? For metrics and the like; never decide anything by it.
    public var isReplaying: Bool { core.isReplaying }

    /// Was the run asked to cancel?
    public var isCancelRequested: Bool { core.cancelRequested }

    /// The run is leaving memory: the code ends without effects, and begins again when something happens.
    public var isEvicted: Bool { core.isEvicted }

    /// The history is long enough that ``continueAsNew(_:workflowType:taskQueue:)`` is advised.
    public var isContinueAsNewSuggested: Bool { core.suggestContinueAsNew }

    /// Events in the history up to the present workflow task.
    public var historyLength: Int { Int(core.machine.startedEventID.value) }

    /// Bytes in the history up to the present workflow task, as the server counts them.
    public var historyBytes: Int { Int(core.historyBytes) }

    /// Logs with the run's ids, and says nothing while replaying.
    public var logger: Logger { core.log }

    /// A new UUID (version 4, lower case), the same in every replay.
    public func uuid() -> String { core.random.uuid() }

    /// Random numbers, the same in every replay: `var random = context.random; Int.random(in: 1...6, using: &random)`.
    ///
    /// All copies draw from one sequence of the run.
    public var random: WorkflowRandom { WorkflowRandom(core: core) }
}

/// The random numbers of one run.
public struct WorkflowRandom: RandomNumberGenerator, Sendable {
    let core: WorkflowCore
    public mutating func next() -> UInt64 { core.random.next() }
}

extension Timestamp {
    var date: Date { Date(timeIntervalSince1970: Double(nanoseconds) / 1e9) }
}

extension TimeSpan {
    /// Saturates instead of overflowing.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowSum) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        self.init(nanoseconds: overflow || overflowSum ? (seconds < 0 ? .min : .max) : sum)
    }
    var duration: Duration { .nanoseconds(nanoseconds) }
    var durationUnlessZero: Duration? { isPositive ? duration : nil }
}
