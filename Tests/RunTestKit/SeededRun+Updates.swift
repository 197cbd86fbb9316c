import Engine
import History

/// Updates among the random commands: asked for, repeated, accepted, completed, rejected, left alone, answered wrongly.
extension SeededRun {
    mutating func updateRequest() -> UpdateRun {
        if !random.chance(20) { updates += 1 }
        return UpdateRun(
            id: UpdateID("\(label)update-\(updates)"), request: Blob([1, UInt8(truncatingIfNeeded: updates)]))
    }

    /// What the worker says of updates; most of it is placed among `commands`.
    mutating func updateMessages(_ commands: inout [WorkflowCommand]) -> [ProtocolMessage] {
        var messages: [ProtocolMessage] = []
        for request in task?.messages ?? [] {
            switch random.below(10) {
            case 0..<5:
                let accepted = ProtocolMessage(
                    id: "\(request.id)/accept", update: request.update,
                    body: .acceptance(
                        requestMessageID: request.id, sequencingEventID: request.eventID, request: Blob([2])))
                messages.append(accepted)
                // Most messages have a command; those that have none count after all commands.
                let isPlaced = random.chance(90)
                if isPlaced { place(accepted, &commands) }
                if random.chance(50) {
                    let completed = completion(of: request.update)
                    messages.append(completed)
                    if isPlaced { place(completed, &commands) }
                } else {
                    runningUpdates.append(request.update)
                }
            case 5..<8:
                messages.append(
                    ProtocolMessage(
                        id: "\(request.id)/reject", update: request.update,
                        body: .rejection(failure: Blob([3]), request: nil)))
            default: break
            }
        }
        let answerable = runningUpdates.filter { driver.run.standing(of: $0) == .accepted }
        if random.chance(40), let running = random.pick(answerable) {
            runningUpdates.removeAll { $0 == running }
            let completed = completion(of: running)
            messages.append(completed)
            place(completed, &commands)
        }
        if random.chance(2) { commands.append(WorkflowCommand(.protocolMessage(messageID: "nothing"))) }
        return messages
    }

    private func completion(of update: UpdateID) -> ProtocolMessage {
        ProtocolMessage(
            id: "\(update)/request/complete", update: update,
            body: .response(identity: "client", outcome: Blob([4])))
    }

    private func place(_ message: ProtocolMessage, _ commands: inout [WorkflowCommand]) {
        commands.append(WorkflowCommand(.protocolMessage(messageID: message.id)))
    }
}
