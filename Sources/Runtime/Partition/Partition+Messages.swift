import Engine
import History
import Logging

/// Messages between runs. A message is part of its sender's stored state until the receiver has stored what it means; so a
/// crash on either side only repeats it, and the receiver knows a repeated one (docs/decisions/0007).
extension Partition {
    /// A message on its way, for the stay in memory of its sender.
    struct Letter: Sendable {
        let message: RunMessage
        let stay: UInt64

        var receiver: WorkflowKey {
            WorkflowKey(namespace: message.target.namespace, workflow: message.target.workflow)
        }
    }

    // MARK: Sending

    /// Sends the messages of `hot` that are stored: in their order, one at a time to each receiver.
    func sendMessages(of hot: HotRun) {
        guard hot.run.hasMessages, !hot.isDropped, !isDraining else { return }
        if hot.stay == 0 {
            lastStay += 1
            hot.stay = lastStay
        }
        let room = configuration.messagesPerRunMax - hot.receivers.count
        guard room > 0 else { return }
        let ready = hot.run.messages(through: hot.durableMessage, limit: room) { target in
            hot.receivers.contains(WorkflowKey(namespace: target.namespace, workflow: target.workflow))
        }
        for message in ready {
            let letter = Letter(message: message, stay: hot.stay)
            hot.receivers.insert(letter.receiver)
            letters.append(letter)
        }
        if !ready.isEmpty { courierBell.ring() }
    }

    /// Carries messages, many at once, until the task is cancelled.
    func runCourier() async {
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                while lettersUnderWay < configuration.messagesAtOnceMax, let letter = letters.popFirst() {
                    lettersUnderWay += 1
                    group.addTask { await self.carry(letter) }
                }
                while let key = toForget.popFirst() { group.addTask { await self.removeDeleted(key) } }
                await courierBell.wait()
            }
        }
    }

    private func carry(_ letter: Letter) async {
        let isSettled = await settle(letter)
        lettersUnderWay -= 1
        courierBell.ring()
        if !isSettled { await clock.sleep(until: clock.now().advanced(by: Self.retryPause)) }
        guard let hot = runs[letter.message.id.sender], hot.stay == letter.stay else { return }
        hot.receivers.remove(letter.receiver)
        sendMessages(of: hot)
    }

    /// Delivers one message and tells its sender; false when it must be sent again.
    private func settle(_ letter: Letter) async -> Bool {
        let message = letter.message
        do {
            let outcome = try await services.route.deliver(message)
            metrics.messages += 1
            // Whoever left memory meanwhile sends it again, and it is known as repeated.
            guard let hot = runs[message.id.sender], hot.stay == letter.stay else { return true }
            let command = SettleMessage(number: message.id.number, outcome: outcome)
            _ = try decide(hot, .settleMessage(command), by: "")
            return true
        } catch {
            services.logger.debug(
                "message not delivered",
                metadata: ["from": "\(message.id)", "to": "\(message.target.workflow)", "why": "\(error)"])
            return false
        }
    }

    // MARK: Receiving

    /// Takes a message for a run of this partition; returns when what it means is stored.
    func receive(_ message: RunMessage) async throws -> MessageOutcome {
        var target = RunTarget(
            namespace: message.target.namespace, workflow: message.target.workflow, run: message.target.run,
            firstRun: message.target.firstRun)
        do {
            switch message.body {
            case .startChild(let child): return try await startChild(child, for: message.id.sender)
            case .childClosed(let closed):
                guard let parent = try await parent(target, of: closed, from: message.id.sender) else { return .done }
                target.run = parent
            case .releaseChild, .closeChild, .signal, .requestCancel: break
            }
            let (_, transition) = try await perform(target, .receive(message), by: "history-service")
            guard case .received(let outcome) = transition.reply else { return .done }
            return outcome
        } catch let rejection as Rejection {
            switch rejection.kind {
            case .notFound, .invalidArgument: return message.outcome(withoutReceiver: .notFound)
            case .namespaceNotFound, .namespaceAlreadyExists, .namespaceInvalidState, .workflowAlreadyStarted,
                .workflowNotReady, .queryFailed,
                .failedPrecondition, .resourceExhausted, .permissionDenied, .unauthenticated, .deadlineExceeded,
                .unavailable, .unimplemented, .canceled:
                throw rejection
            }
        }
    }

    /// The parent's run that waits for a child: the one that asked for it, or the run of a reset that took its place.
    private func parent(_ target: RunTarget, of closed: ChildClosed, from child: RunKey) async throws -> RunID? {
        for run in [target.run, nil] {
            let found: HotRun
            do {
                found = try await resident(
                    RunTarget(namespace: target.namespace, workflow: target.workflow, run: run))
            } catch let rejection as Rejection where rejection.kind == .notFound {
                continue
            }
            if found.run.awaitsChild(child.workflow, firstRun: closed.firstRun) { return found.key.run }
            // That it waits no more may not be stored yet.
            try await stored(found)
        }
        return nil
    }

    private func startChild(_ child: ChildStart, for sender: RunKey) async throws -> MessageOutcome {
        var retries = 0
        while true {
            do {
                return try await startChildOnce(child, for: sender)
            } catch let error as StoreError where error.mayBeDecidedAgain && retries < configuration.retriesMax {
                retries += 1
                metrics.retries += 1
            }
        }
    }

    private func startChildOnce(_ child: ChildStart, for sender: RunKey) async throws -> MessageOutcome {
        let key = child.start.key
        let workflow = WorkflowKey(namespace: key.namespace, workflow: key.workflow)
        let lane = try ownedLane(of: workflow)
        // The run's id comes from the message: a run that exists was begun by the same one.
        _ = try await find(key, lane: lane)
        let old = try await current(workflow, lane: lane)
        if let begun = runs[key] {
            try await stored(begun)
            return .childStarted(key.run)
        }
        var isTerminating = false
        if let old {
            if child.adoptsOpenChild, let adopted = old.run.openChild(of: sender) {
                try await stored(old)
                return .childStarted(adopted)
            }
            do throws(Rejection) {
                switch try admit(child.request, old) {
                case .repeated, .useExisting:
                    throw .alreadyRunning(key.workflow, old.key.run, startRequestID: "")
                case .begin(let terminating): isTerminating = terminating
                }
            } catch {
                try await stored(old)
                return .childRefused(.workflowAlreadyExists)
            }
        }
        var start = child.start
        start.deliveredMessages = old?.run.deliveredMessages ?? []
        let begun = try begin(start, lane: lane, after: old, terminating: isTerminating, by: "history-service")
        try await stored(begun)
        return .childStarted(key.run)
    }

    private func begin(
        _ start: StartRun, lane: LaneState, after old: HotRun?, terminating: Bool, by actor: String
    ) throws(Rejection) -> HotRun {
        try check(lane)
        guard waitingTransitions < configuration.waitingTransitionsMax else { throw .overloaded }
        let now = clock.now()
        if terminating, let old {
            var trial = Run()
            _ = try trial.handle(
                .start(start), at: now, limits: services.limits,
                zones: services.cronZones(of: trial, for: .start(start)))
            _ = try decide(old, .terminate(TerminateRun(Self.termination(for: start.key.run))), by: actor)
        }
        let batch = old.flatMap(\.openBatch) ?? openBatch()
        return try begin(start, in: batch, lane: lane, supersedes: old, claim: nil, by: actor, at: now).hot
    }
}

extension ChildStart {
    /// The start as a client would have asked for it, for the policies of workflow ids.
    var request: StartWorkflowRequest {
        StartWorkflowRequest(
            namespace: start.key.namespace, attributes: start.attributes, requestID: start.attributes.requestID,
            reusePolicy: reusePolicy)
    }
}
