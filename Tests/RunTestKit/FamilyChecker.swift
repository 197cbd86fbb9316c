import Engine
import History

/// Says what is wrong between the histories of runs that told each other things, once everything has arrived.
public struct FamilyChecker {
    private let family: RunFamily
    private var faults: [String] = []

    private init(_ family: RunFamily) { self.family = family }

    public static func faults(in family: RunFamily) throws -> [String] {
        var checker = FamilyChecker(family)
        for key in family.order { try checker.check(key) }
        checker.checkSignals()
        return checker.faults
    }

    private mutating func check(_ key: RunKey) throws {
        guard let run = family.runs[key], let history = family.histories[key] else { return }
        faults += HistoryChecker.faults(in: history).map { "\(key): \($0)" }
        if let difference = run.agrees(withFoldOf: try Run.fold(history)) { faults.append("\(key): \(difference)") }
        if run.hasMessages { faults.append("\(key) still has messages") }
        for child in run.pendingChildren where run.status == .running {
            guard let first = child.run else {
                faults.append("\(key): child \(child.initiatedEventID) was never started")
                continue
            }
            if !chain(child.workflowID, first).contains(where: { $0.status == .running }) {
                faults.append("\(key) still waits for child \(child.workflowID), which closed")
            }
        }
        for event in history { check(event, of: key, run) }
    }

    private mutating func check(_ event: Event, of key: RunKey, _ run: Run) {
        guard case .childWorkflow(.started(let started)) = event.kind, let first = started.execution.run else { return }
        let runs = chain(started.execution.workflow, first)
        if runs.isEmpty { faults.append("\(key): event \(event.id) names a child that is not there") }
        guard run.status != .running, let policy = policy(started.initiatedEventID, of: key) else { return }
        let ended = (family.histories[key] ?? []).contains {
            if case .childWorkflow(.ended(let end)) = $0.kind {
                end.initiatedEventID == started.initiatedEventID
            } else {
                false
            }
        }
        guard !ended, let last = runs.last else { return }
        switch policy {
        case .abandon: break
        case .terminate:
            if last.status == .running { faults.append("\(key) closed, its child \(first) goes on") }
        case .requestCancel:
            if last.status == .running, !last.cancelRequested, !runs.contains(where: \.cancelRequested) {
                faults.append("\(key) closed, its child \(first) was not asked to cancel itself")
            }
        }
    }

    private func policy(_ initiated: EventID, of key: RunKey) -> ParentClosePolicy? {
        guard let event = family.histories[key]?.first(where: { $0.id == initiated }),
            case .childWorkflow(.initiated(let attributes)) = event.kind
        else { return nil }
        return attributes.parentClosePolicy
    }

    /// The runs of a chain, oldest first.
    private func chain(_ workflow: WorkflowID, _ first: RunID) -> [Run] {
        family.order.compactMap { family.runs[$0] }.filter {
            $0.key.workflow == workflow && $0.started?.firstExecutionRunID == first
        }
    }

    /// Every signal of a run arrived once, and only once.
    private mutating func checkSignals() {
        var received: [RequestID: Int] = [:]
        for key in family.order {
            for event in family.histories[key] ?? [] {
                guard case .workflowExecutionSignaled(let signal) = event.kind else { continue }
                received[signal.requestID, default: 0] += 1
            }
        }
        for (request, count) in received.sorted(by: { $0.key < $1.key }) where count > 1 {
            faults.append("signal \(request) was recorded \(count) times")
        }
        var answered = 0
        for key in family.order {
            for event in family.histories[key] ?? [] {
                if case .externalWorkflow(.signaled) = event.kind { answered += 1 }
            }
        }
        if answered > received.count { faults.append("\(answered) signals were confirmed, \(received.count) arrived") }
    }
}
