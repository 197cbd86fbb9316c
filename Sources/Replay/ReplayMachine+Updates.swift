public import History

/// Updates: what the workflow says of them becomes messages, and commands that give the messages their place.
extension ReplayMachine {
    static func acceptanceID(_ update: UpdateID) -> String { "\(ProtocolMessage.requestID(of: update))/accept" }
    static func completionID(_ update: UpdateID) -> String { "\(ProtocolMessage.requestID(of: update))/complete" }

    /// The handler of an update begins.
    public mutating func accept(_ update: UpdateArrival) {
        wishes.append(Wish(kind: .acceptUpdate(update.id)))
        messages.append(
            ProtocolMessage(
                id: Self.acceptanceID(update.id), update: update.id,
                body: .acceptance(
                    requestMessageID: update.messageID, sequencingEventID: update.sequencingEventID,
                    request: update.request)))
    }

    /// The handler of an accepted update has ended. `outcome` is an encoded `update.v1.Outcome`.
    public mutating func complete(_ update: UpdateID, identity: String, outcome: Blob) {
        wishes.append(Wish(kind: .completeUpdate(update)))
        messages.append(
            ProtocolMessage(
                id: Self.completionID(update), update: update, body: .response(identity: identity, outcome: outcome)))
    }

    /// The validator of an update said no: nothing of it is recorded, so no command goes with it.
    public mutating func reject(_ update: UpdateArrival, failure: Blob) {
        messages.append(
            ProtocolMessage(
                id: "\(update.messageID)/reject", update: update.id,
                body: .rejection(failure: failure, request: update.request)))
    }

    /// What this round says of updates; call it once, with ``finish()``.
    public mutating func takeMessages() -> [ProtocolMessage] {
        defer { messages.removeAll(keepingCapacity: true) }
        return messages
    }

    /// The server has forgotten the last workflow task, which was for updates alone: the next one follows `started` again.
    ///
    /// Only its own two events are forgotten; what came before them stays known.
    public mutating func forgetTask(backTo started: EventID) {
        guard started < startedEventID, lastEventID == startedEventID, expectedHead == expected.count else { return }
        lastEventID = startedEventID.previous.previous
        startedEventID = started
    }
}
