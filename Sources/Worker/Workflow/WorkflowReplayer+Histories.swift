/// What the replay of one of many histories gave.
public struct ReplayResult: Sendable, CustomStringConvertible {
    /// The file or the workflow that was replayed.
    public let source: String
    public let outcome: Result<ReplayReport, WorkflowReplayer.Unreplayable>

    /// The code did what the history records.
    public var isIdentical: Bool { (try? outcome.get().isIdentical) ?? false }

    public var description: String {
        switch outcome {
        case .success(let report):
            report.divergence.map { "\(source): \($0)" } ?? "\(source): \(report.events) events, identical"
        case .failure(let error): "\(source): \(error)"
        }
    }
}

extension WorkflowReplayer {
    /// Replays a history that was fetched or exported.
    public func replay(_ history: WorkflowHistory, namespace: String = "default") throws(Unreplayable) -> ReplayReport {
        var report = try replay(
            encoded: history.events, namespace: namespace, workflowID: history.workflowID, runID: history.runID)
        if !history.source.isEmpty { report.source = history.source }
        return report
    }

    /// Replays many histories, one after another; those that cannot be replayed do not stop the others.
    public func replay(
        all histories: some Sequence<WorkflowHistory>, namespace: String = "default"
    ) -> [ReplayResult] {
        histories.map { history in
            let outcome: Result<ReplayReport, Unreplayable>
            do throws(Unreplayable) {
                outcome = .success(try replay(history, namespace: namespace))
            } catch {
                outcome = .failure(error)
            }
            return ReplayResult(
                source: history.source.isEmpty ? history.workflowID : history.source, outcome: outcome)
        }
    }
}
