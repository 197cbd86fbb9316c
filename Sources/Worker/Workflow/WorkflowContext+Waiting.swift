public import Foundation
import History
import Replay

extension WorkflowContext {
    /// Waits on a durable timer: it goes on although workers and servers come and go.
    ///
    /// Zero or less returns at once, without a timer.
    /// - Throws: ``CanceledFailure`` when the waiting task is cancelled; the timer is then taken back.
    public func sleep(for duration: Duration, summary: String? = nil) async throws {
        try await core.interceptedSleep(duration, summary: summary)
    }

    /// Waits on a durable timer until a time.
    public func sleep(until time: Date, summary: String? = nil) async throws {
        let span = Int64((time.timeIntervalSince1970 * 1e3).rounded()) &* 1_000_000 &- core.now.nanoseconds
        try await core.interceptedSleep(.nanoseconds(span), summary: summary)
    }

    /// Waits until a condition over the workflow's state holds.
    ///
    /// It is looked at whenever the workflow has run; it must be quick and change nothing. When several wait, one is woken at
    /// a time and the others look again.
    /// - Throws: ``CanceledFailure`` when the waiting task is cancelled.
    public func waitCondition(_ predicate: @escaping () -> Bool) async throws {
        try await core.admitWait()
        try await core.wait(until: predicate)
    }

    /// Waits until a condition holds or a time has passed.
    /// - Returns: True when the condition holds.
    @discardableResult
    public func waitCondition(timeout: Duration, _ predicate: @escaping () -> Bool) async throws -> Bool {
        try await core.admitWait()
        if predicate() { return true }
        let state = TimedWait()
        let timer = cancellationScope()
        let clock = Task(executorPreference: core.executor) {
            do {
                try await timer.run { try await sleep(for: timeout) }
                state.isOver = true
            } catch {
                state.isOver = state.isOver || core.isEvicted
            }
        }
        do {
            try await core.wait(until: { state.isOver || predicate() })
        } catch {
            timer.cancel()
            await clock.value
            throw error
        }
        let holds = predicate()
        timer.cancel()
        await clock.value
        if core.isEvicted { throw CancellationError() }
        return holds
    }

    /// Runs work that must end within a time; what is late is cancelled.
    /// - Throws: ``TimeoutFailure`` when the time passed, otherwise what the work throws.
    public func withTimeout<Output>(_ limit: Duration, _ body: @escaping () async throws -> Output) async throws
        -> Output
    {
        try await core.admitWait()
        let work = cancellationScope()
        let timer = cancellationScope()
        let state = TimedWait()
        let clock = Task(executorPreference: core.executor) {
            guard (try? await timer.run { try await sleep(for: limit) }) != nil else { return }
            state.isOver = true
            work.cancel()
        }
        let result: Result<Output, any Error>
        do { result = .success(try await work.run(body)) } catch { result = .failure(error) }
        timer.cancel()
        await clock.value
        switch result {
        case .success(let output): return output
        case .failure(let error):
            if state.isOver, error.isCancellation, !core.isEvicted {
                throw TimeoutFailure("not done within \(limit)", kind: .startToClose)
            }
            throw error
        }
    }
}

/// Whether the time of a wait is over; touched only on the run's executor.
private final class TimedWait: @unchecked Sendable {
    var isOver = false
}

extension WorkflowCore {
    func sleep(_ span: TimeSpan, summary: String?) async throws {
        try await admitWait()
        guard span.isPositive else { return }
        let future = machine.startTimer(span, userMetadata: try summary.map(summaryMetadata))
        switch try await wait(for: future) {
        case .timerFired: return
        case .timerCanceled: throw CanceledFailure("Timer canceled")
        case .activityCompleted, .activityFailed, .activityTimedOut, .activityCanceled, .childStarted,
            .childStartFailed, .childEnded, .externalTold, .externalFailed, .externalCanceled, .localActivity:
            throw WorkflowMisuse("future \(future) is a timer")
        }
    }
}
