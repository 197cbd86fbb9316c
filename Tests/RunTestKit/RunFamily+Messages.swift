import Engine
import History

/// The way of messages between the runs of a family, as between nodes.
extension RunFamily {
    mutating func deliver() throws {
        let senders = members.indices.filter { members[$0].hasMessages }
        guard let place = random.pick(senders), let message = random.pick(members[place].run.messages()) else { return }
        if random.chance(10) { try deliver(message, losesAnswer: true) }
        try deliver(message, losesAnswer: random.chance(20))
    }

    mutating func deliver(_ message: RunMessage, losesAnswer: Bool) throws {
        tally.count(.message)
        let outcome = try MessageOutcome(bytes: receive(RunMessage(bytes: message.bytes)).bytes)
        if case .signal(let signal) = message.body, case .done = outcome {
            let sender = message.id.sender.run
            senders[signal.attributes.requestID, default: []].insert(sender)
            taken[sender, default: [:]][signal.initiatedEventID] = signal.attributes.requestID
        }
        if losesAnswer {
            tally.count(.answerLost)
            return
        }
        guard let sender = places[message.id.sender] else { return }
        let command = RunCommand.settleMessage(SettleMessage(number: message.id.number, outcome: outcome))
        if try perform(command, sender) == nil { fault(sender, "an answer was refused") }
    }

    private mutating func receive(_ message: RunMessage) throws -> MessageOutcome {
        let target = message.target
        if case .startChild(let child) = message.body { return try startChild(child, for: message.id.sender) }
        guard !isToItself(message), let place = receiver(of: message),
            target.firstRun == nil || members[place].run.started?.firstExecutionRunID == target.firstRun
        else {
            switch message.body {
            case .signal, .requestCancel: return .failed(.notFound)
            case .startChild, .releaseChild, .closeChild, .childClosed: return .done
            }
        }
        guard let transition = try perform(.receive(message), place) else {
            fault(place, "a message was refused")
            return .done
        }
        if case .received(let outcome) = transition.reply { return outcome }
        return .done
    }

    private func isToItself(_ message: RunMessage) -> Bool {
        let target = message.target
        guard target.workflow == message.id.sender.workflow, target.firstRun == nil,
            target.run == nil || target.run == message.id.sender.run
        else { return false }
        switch message.body {
        case .signal, .requestCancel: return true
        case .startChild, .releaseChild, .closeChild, .childClosed: return false
        }
    }

    private func receiver(of message: RunMessage) -> Int? {
        let target = message.target
        let named = target.run.flatMap {
            places[RunKey(namespace: target.namespace, workflow: target.workflow, run: $0)]
        }
        let current = currents[target.workflow]
        guard case .childClosed(let closed) = message.body else { return target.run == nil ? current : named }
        // The run that asked for the child, or that of a reset which took its place.
        return [named, current].compactMap { $0 }.first {
            members[$0].run.awaitsChild(message.id.sender.workflow, firstRun: closed.firstRun)
        }
    }

    private mutating func startChild(_ child: ChildStart, for sender: RunKey) throws -> MessageOutcome {
        let key = child.start.key
        if places[key] != nil { return .childStarted(key.run) }
        var start = child.start
        if let old = currents[key.workflow] {
            let run = members[old].run
            if child.adoptsOpenChild, let adopted = run.openChild(of: sender) {
                tally.count(.childAdopted)
                return .childStarted(adopted)
            }
            switch (run.status, child.reusePolicy) {
            case (.running, .terminateIfRunning):
                let end = WorkflowExecutionTerminated(reason: "another one", identity: "server")
                try perform(.terminate(TerminateRun(end)), old)
            case (.running, _), (_, .rejectDuplicate): return .childRefused(.workflowAlreadyExists)
            case (.completed, .allowDuplicateFailedOnly), (.continuedAsNew, .allowDuplicateFailedOnly):
                return .childRefused(.workflowAlreadyExists)
            case (_, .allowDuplicate), (_, .allowDuplicateFailedOnly), (_, .terminateIfRunning): break
            }
            start.deliveredMessages = members[old].run.deliveredMessages
        }
        guard members.count < Self.membersMax else { return .childRefused(.workflowAlreadyExists) }
        try begin(start)
        return .childStarted(key.run)
    }
}
