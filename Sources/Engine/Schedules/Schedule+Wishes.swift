public import History

/// What a schedule wants done, once its state is stored.
public enum ScheduleWish: Hashable, Sendable {
    case start(Schedule.Due)
    case cancel(Schedule.Running)
    case terminate(Schedule.Running)
}

extension Schedule {
    /// What is to be done now; the same after a crash, until the schedule has been told of it.
    public var wishes: [ScheduleWish] {
        starting.map { .start($0) }
            + running.compactMap { run in
                switch run.stopping {
                case .cancel: .cancel(run)
                case .terminate: .terminate(run)
                case .no, .asked: nil
                }
            }
    }

    /// The workflow id of an action.
    public func workflowID(of due: Due) -> WorkflowID {
        let base = definition.action.attributes.workflowID
        if definition.policies.keepsWorkflowID { return base }
        return WorkflowID("\(base)-\(utcText(seconds: floorDivide(due.nominal.nanoseconds, 1_000_000_000)))")
    }

    /// Event 1 of the run that an action starts.
    public func attributes(of due: Due, at now: Timestamp) -> WorkflowExecutionStarted {
        var attributes = definition.action.attributes
        attributes.workflowID = workflowID(of: due)
        attributes.identity = identity
        attributes.requestID = due.requestID
        attributes.lastCompletionResult = lastResult
        attributes.continuedFailure = lastFailure
        if attributes.workflowExecutionTimeout.isPositive {
            attributes.workflowExecutionExpirationTime = now.advanced(by: attributes.workflowExecutionTimeout)
        }
        let time = utcText(seconds: floorDivide(due.nominal.nanoseconds, 1_000_000_000))
        attributes.searchAttributes = PayloadMap.merged(
            [attributes.searchAttributes].compactMap { $0 } + [
                ScheduledAttributes.encoded(time: time, schedule: id.value)
            ])
        return attributes
    }

    /// Who its runs say started them.
    public var identity: String { "temporal-scheduler-\(id)" }

    // MARK: What came of them

    /// An action's workflow is there, begun now or in an attempt before a crash.
    public mutating func started(
        _ requestID: RequestID, run: RunID, at now: Timestamp, limits: ScheduleLimits = ScheduleLimits()
    ) {
        guard let index = starting.firstIndex(where: { $0.requestID == requestID }) else { return }
        let due = starting.remove(at: index)
        let workflow = workflowID(of: due)
        actionCount += 1
        running.append(Running(workflow: workflow, run: run))
        recent.append(
            Recent(nominal: due.nominal, actual: now, workflow: workflow, run: run, status: .running))
        if recent.count > limits.recentMax { recent.removeFirst(recent.count - limits.recentMax) }
        decide(limits)
    }

    /// An action could not be taken, and trying again would not help: it is given up.
    public mutating func startRefused(_ requestID: RequestID, limits: ScheduleLimits = ScheduleLimits()) {
        starting.removeAll { $0.requestID == requestID }
        decide(limits)
    }

    /// A workflow was asked to stop (or was gone already: its close is told separately).
    public mutating func stopAsked(_ run: RunID) {
        for index in running.indices where running[index].run == run { running[index].stopping = .asked }
    }

    /// How a workflow ended.
    public enum Ending: Hashable, Sendable {
        case completed(result: Blob?)
        case failed(Failure)
        case timedOut
        case canceled
        case terminated
        /// Nobody knows: the run was deleted.
        case gone

        var status: WorkflowStatus {
            switch self {
            case .completed: .completed
            case .failed: .failed
            case .timedOut: .timedOut
            case .canceled: .canceled
            case .terminated, .gone: .terminated
            }
        }
    }

    /// A workflow closed for good; telling it twice changes nothing.
    public mutating func closed(_ run: RunID, _ ending: Ending, limits: ScheduleLimits = ScheduleLimits()) {
        guard let index = running.firstIndex(where: { $0.run == run }) else { return }
        let workflow = running.remove(at: index).workflow
        for index in recent.indices where recent[index].run == run { recent[index].status = ending.status }
        switch ending {
        case .completed(let result):
            if let result { lastResult = result }
            lastFailure = nil
        case .failed(let failure):
            lastFailure = failure
            pauseOnFailure("paused due to workflow failure: \(workflow): \(failure.traits.message)")
        case .timedOut: pauseOnFailure("paused due to workflow timeout: \(workflow)")
        case .canceled, .terminated, .gone: break
        }
        decide(limits)
    }

    private mutating func pauseOnFailure(_ note: String) {
        guard definition.policies.pausesOnFailure, !definition.isPaused else { return }
        definition.isPaused = true
        definition.notes = note
        conflictToken += 1
    }
}

/// The search attributes that tell a scheduled run from others.
enum ScheduledAttributes {
    /// An encoded `SearchAttributes` of the two.
    static func encoded(time: String, schedule: String) -> Blob {
        Blob(
            entry("TemporalScheduledStartTime", type: "Datetime", json: quoted(time))
                + entry("TemporalScheduledById", type: "Keyword", json: quoted(schedule)))
    }

    private static func entry(_ name: String, type: String, json: String) -> [UInt8] {
        let metadata =
            field(1, field(1, Array("encoding".utf8)) + field(2, Array("json/plain".utf8)))
            + field(1, field(1, Array("type".utf8)) + field(2, Array(type.utf8)))
        return field(1, field(1, Array(name.utf8)) + field(2, metadata + field(2, Array(json.utf8))))
    }

    /// One length-delimited field.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var head = [number << 3 | 2]
        var rest = bytes.count
        while rest >= 0x80 {
            head.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        head.append(UInt8(rest))
        return head + bytes
    }

    private static func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}
