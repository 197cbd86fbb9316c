import History

extension Schedule {
    /// Goes through what waits, in order, and decides: start it, let it wait, give it up, or stop what is in its way.
    mutating func decide(_ limits: ScheduleLimits) {
        var waiting: [Due] = []
        // With one workflow id for all, two starts at once would be in each other's way.
        let startsMax = definition.policies.keepsWorkflowID ? 1 : limits.startsAtOnceMax
        for due in buffered {
            guard due.isManual || actsByItself else { continue }
            let isFree = running.isEmpty && starting.isEmpty && waiting.isEmpty
            let hasRoom = starting.count < startsMax
            switch due.overlap {
            case .allowAll: if hasRoom { begin(due) } else { waiting.append(due) }
            case .skip: if isFree { begin(due) } else { overlapSkipped += 1 }
            case .bufferOne:
                if isFree {
                    begin(due)
                } else if waiting.contains(where: { $0.overlap != .allowAll }) {
                    overlapSkipped += 1
                } else {
                    waiting.append(due)
                }
            case .bufferAll: if isFree { begin(due) } else { waiting.append(due) }
            case .cancelOther, .terminateOther:
                if isFree {
                    begin(due)
                } else {
                    stopRunning(due.overlap == .cancelOther ? .cancel : .terminate)
                    // Only the newest of those that make way for themselves is worth starting.
                    let count = waiting.count
                    waiting.removeAll { $0.overlap == .cancelOther || $0.overlap == .terminateOther }
                    overlapSkipped += Int64(count - waiting.count)
                    waiting.append(due)
                }
            }
        }
        buffered = waiting
    }

    private mutating func begin(_ due: Due) {
        if !due.isManual, definition.isLimited {
            definition.remainingActions -= 1
            conflictToken += 1
        }
        starting.append(due)
    }

    private mutating func stopRunning(_ stopping: Stopping) {
        for index in running.indices {
            switch running[index].stopping {
            case .no: running[index].stopping = stopping
            case .cancel where stopping == .terminate: running[index].stopping = .terminate
            case .asked, .cancel, .terminate: break
            }
        }
    }
}
