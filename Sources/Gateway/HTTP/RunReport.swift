import Engine
import History
import Runtime
import TemporalCodec

/// What the HTTP API tells about a run: the engine's facts, the workflow's own progress, and its end.
struct RunReport: Sendable {
    var summary: RunSummary
    var cancelRequested: Bool
    /// The workflow's input, when it is plain JSON.
    var input: JSONValue?
    /// The answer to the query `progress`; nil when no worker answered in time.
    var progress: JSONValue?
    var result: JSONValue?
    var failure: FailureTraits?

    var isOpen: Bool { summary.status.isOpen }

    /// As the uniform job view names it.
    var status: String {
        switch summary.status {
        case .running, .continuedAsNew: progress?["status"]?.text ?? "RUNNING"
        case .completed: Self.known(progress?["status"]?.text ?? result?["status"]?.text) ?? "SUCCEEDED"
        case .canceled: "CANCELED"
        case .failed, .terminated, .timedOut: "FAILED"
        }
    }

    private static func known(_ status: String?) -> String? {
        ["SUCCEEDED", "FAILED", "ROLLED_BACK", "CANCELED"].contains(status) ? status : nil
    }

    var error: JSONValue? {
        switch summary.status {
        case .running, .continuedAsNew, .completed: nil
        case .canceled: .record(("type", "Canceled"), ("message", "the operation was cancelled"))
        case .terminated: .record(("type", "Terminated"), ("message", "an operator ended the operation"))
        case .timedOut: .record(("type", "TimedOut"), ("message", "the operation took too long"))
        case .failed: .record(("type", .string(failure?.type ?? "")), ("message", .string(failure?.message ?? "")))
        }
    }
}

extension HTTPService {
    /// - Parameter wait: how long to wait for the end of an open run first.
    func report(_ run: RunKey, wait: TimeSpan = .zero, withProgress: Bool = true) async throws -> RunReport {
        let target = RunTarget(namespace: run.namespace, workflow: run.workflow)
        if wait.isPositive { try await waitForClose(target, wait) }
        let described = try await backend.describe(target)
        let run = RunTarget(namespace: run.namespace, workflow: run.workflow, run: described.summary.key.run)
        var report = RunReport(
            summary: described.summary, cancelRequested: described.state.cancelRequested,
            input: PlainPayloads.decode(described.state.started?.input))
        if !report.isOpen { try await addEnd(run, to: &report) }
        if withProgress { report.progress = await progress(run) }
        return report
    }

    private func waitForClose(_ target: RunTarget, _ wait: TimeSpan) async throws {
        let asked = HistoryRequest(target: target, limit: 1, filter: .closeEvent, waitForNew: true)
        _ = try await backend.history(asked, deadline: now.advanced(by: wait))
    }

    private func addEnd(_ run: RunTarget, to report: inout RunReport) async throws {
        let asked = HistoryRequest(target: run, limit: 1, filter: .closeEvent)
        let page = try await backend.history(asked, deadline: now.advanced(by: options.progressWait))
        guard let last = page.events.last, let event = try? EventCodec.decode(last) else { return }
        if case .workflowExecutionCompleted(let end) = event.kind { report.result = PlainPayloads.decode(end.result) }
        if case .workflowExecutionFailed(let end) = event.kind { report.failure = Self.root(of: end.failure) }
    }

    /// What the application said, below the engine's wrapping.
    private static func root(of failure: Failure) -> FailureTraits {
        guard case .opaque(let blob, let traits) = failure, traits.type.isEmpty else { return failure.traits }
        return FailureChain.innermost(blob) ?? traits
    }

    private func progress(_ run: RunTarget) async -> JSONValue? {
        let query = QueryRequest(type: "progress", arguments: nil, header: nil)
        // Without a worker, or with one that knows no such query, there is no progress to show.
        guard let answer = try? await backend.query(run, query, deadline: now.advanced(by: options.progressWait)),
            case .answered(let blob) = answer
        else { return nil }
        return PlainPayloads.decode(blob)
    }
}
