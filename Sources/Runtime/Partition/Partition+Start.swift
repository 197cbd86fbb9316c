import Engine
import History

extension Partition {
    /// Starts a workflow, or signals or names the run that is there already (protocol.md 1.5, 1.10).
    ///
    /// - Parameter update: Asked of the run that is begun or used instead.
    func start(_ request: StartWorkflowRequest, with update: UpdateCompanion? = nil) async throws
        -> StartWorkflowResult
    {
        try Self.validate(request)
        var retries = 0
        while true {
            do {
                return try await startOnce(request, update)
            } catch let error as StoreError where error.mayBeDecidedAgain && retries < configuration.retriesMax {
                retries += 1
                metrics.retries += 1
            }
        }
    }

    private static func validate(_ request: StartWorkflowRequest) throws(Rejection) {
        if request.reusePolicy == .rejectDuplicate, request.conflictPolicy == .terminateExisting {
            throw .invalid(
                "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with "
                    + "WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING")
        }
    }

    /// What a run with the same workflow id means for a start.
    enum Admission {
        /// It is this start's own run, begun before.
        case repeated
        /// It is open and is used instead.
        case useExisting
        case begin(terminating: Bool)
    }

    private func startOnce(_ request: StartWorkflowRequest, _ update: UpdateCompanion?) async throws
        -> StartWorkflowResult
    {
        let workflow = WorkflowKey(namespace: request.namespace, workflow: request.attributes.workflowID)
        let lane = try ownedLane(of: workflow)
        guard let old = try await current(workflow, lane: lane) else {
            return try await begin(request, lane: lane, after: nil, terminating: false, update)
        }
        let admission: Admission
        do throws(Rejection) {
            admission = update?.isKnown(to: old) == true ? .useExisting : try admit(request, old)
            switch admission {
            case .repeated, .useExisting: try update?.ask(old, in: self)
            case .begin: break
            }
        } catch {
            // The refusal may rest on something that is not stored yet.
            try await stored(old)
            throw error
        }
        switch admission {
        case .repeated:
            try await stored(old)
            var outcome = result(of: old, started: true)
            if request.requestEagerTask, let task = old.run.startedEagerly {
                outcome.eagerTask = try await polled(old, task, partial: false)
            }
            return outcome
        case .useExisting:
            if request.attachesRequestID, old.run.status?.isOpen ?? false {
                let attached = UpdateRunOptions(
                    attachedRequestID: request.requestID,
                    links: request.attachesLinks ? request.attributes.links : [], identity: request.attributes.identity)
                let result = Result { () throws(Rejection) in
                    try decide(old, .updateOptions(attached), by: request.actor)
                }
                try await stored(old)
                _ = try result.get()
            } else if let signal = request.signal {
                let signaled = Result { () throws(Rejection) in
                    try decide(old, .signal(SignalRun(signal)), by: request.actor)
                }
                try await stored(old)
                _ = try signaled.get()
            } else {
                try await stored(old)
            }
            return result(of: old, started: false)
        case .begin(let terminating):
            return try await begin(request, lane: lane, after: old, terminating: terminating, update)
        }
    }

    func admit(_ request: StartWorkflowRequest, _ old: HotRun) throws(Rejection) -> Admission {
        let requestID = old.run.started?.requestID ?? ""
        if !request.requestID.isEmpty, requestID == request.requestID { return .repeated }
        // A start that this run answered before: the answer may have been lost, and the run may have closed since.
        if old.run.attachedRequests.contains(where: { $0.request == request.requestID }) { return .useExisting }
        let workflow = old.key.workflow
        if old.run.status?.isOpen ?? false {
            if request.reusePolicy == .terminateIfRunning { return .begin(terminating: true) }
            switch request.conflictPolicy {
            case .fail: throw .alreadyRunning(workflow, old.key.run, startRequestID: requestID)
            case .useExisting: return .useExisting
            case .terminateExisting: return .begin(terminating: true)
            }
        }
        switch request.reusePolicy {
        case .allowDuplicate, .terminateIfRunning: return .begin(terminating: false)
        case .rejectDuplicate: throw .finished(workflow, old.key.run, startRequestID: requestID)
        case .allowDuplicateFailedOnly:
            switch old.run.status {
            case .failed, .canceled, .terminated, .timedOut: return .begin(terminating: false)
            case .completed, .continuedAsNew, .running, nil:
                throw .finishedWell(workflow, old.key.run, startRequestID: requestID)
            }
        }
    }

    private func begin(
        _ request: StartWorkflowRequest, lane: LaneState, after old: HotRun?, terminating: Bool,
        _ update: UpdateCompanion?
    ) async throws -> StartWorkflowResult {
        try check(lane)
        guard waitingTransitions < configuration.waitingTransitionsMax else { throw Rejection.overloaded }
        let now = clock.now()
        var start = startRun(request, at: now)
        start.deliveredMessages = old?.run.deliveredMessages ?? []
        if terminating, let old {
            // A refused start must not terminate the run that is there.
            var trial = Run()
            _ = try trial.handle(
                .start(start), at: now, limits: services.limits,
                zones: services.cronZones(of: trial, for: .start(start)))
            _ = try decide(old, .terminate(TerminateRun(Self.termination(for: start.key.run))), by: request.actor)
        }
        let batch = old.flatMap(\.openBatch) ?? openBatch()
        let begun = try begin(
            start, in: batch, lane: lane, supersedes: old, claim: request.claim, by: request.actor, at: now)
        try update?.ask(begun.hot, in: self)
        try await stored(begun.hot)
        var outcome = result(of: begun.hot, started: true)
        if case .started(let eager?) = begun.transition.reply {
            outcome.eagerTask = try await polled(begun.hot, eager, partial: false)
        }
        return outcome
    }

    private func startRun(_ request: StartWorkflowRequest, at now: Timestamp) -> StartRun {
        let run = services.ids.runID(at: now)
        var attributes = request.attributes
        attributes.originalExecutionRunID = run
        attributes.firstExecutionRunID = run
        attributes.requestID = request.requestID
        var eager: StartWorkflowTask?
        if request.requestEagerTask {
            eager = StartWorkflowTask(
                scheduledEventID: EventID(2), stamp: 0, identity: attributes.identity,
                requestID: RequestID(services.ids.uuid()), fromSticky: false)
        }
        return StartRun(
            key: RunKey(namespace: request.namespace, workflow: attributes.workflowID, run: run),
            attributes: attributes,
            userMetadata: request.userMetadata, signal: request.signal.map { SignalRun($0) }, eager: eager)
    }

    private func result(of hot: HotRun, started: Bool) -> StartWorkflowResult {
        StartWorkflowResult(
            run: hot.key.run, firstRun: hot.run.started?.firstExecutionRunID ?? hot.key.run, started: started,
            status: hot.run.status ?? .running)
    }

    /// What the terminated run says of the one that takes its place.
    static func termination(for run: RunID) -> WorkflowExecutionTerminated {
        WorkflowExecutionTerminated(
            reason: "TerminateIfRunning WorkflowIdReusePolicy",
            details: Blob.jsonText("terminated by new runID: \(run)"),
            identity: "history-service")
    }
}

extension Blob {
    /// An encoded `Payloads` with one JSON string of plain characters; the only payload that the server itself makes.
    static func jsonText(_ text: String) -> Blob {
        func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            precondition(bytes.count < 1 << 14, "only short texts are made here")
            let length =
                bytes.count < 128 ? [UInt8(bytes.count)] : [UInt8(bytes.count & 127) | 128, UInt8(bytes.count >> 7)]
            return [number << 3 | 2] + length + bytes
        }
        let metadata = field(1, Array("encoding".utf8)) + field(2, Array("json/plain".utf8))
        return Blob(field(1, field(1, metadata) + field(2, Array("\"\(text)\"".utf8))))
    }
}
