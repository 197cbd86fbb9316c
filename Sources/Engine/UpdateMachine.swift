import History

/// An update that the history knows.
///
/// admitted (only after a reset) → accepted → completed. What the run answers follows from these three ids.
struct RecordedUpdate: Hashable, Sendable {
    var id: UpdateID
    var admittedEventID = EventID.none
    var acceptedEventID = EventID.none
    var completedEventID = EventID.none

    var isRunning: Bool { acceptedEventID != .none && completedEventID == .none }
}

/// An update that no worker has answered yet. Nothing of it is stored: a crash forgets it, its caller asks again.
///
/// admitted → sent with a workflow task → accepted (then the history knows it) | rejected | back to admitted when the
/// task fails | aborted when the run ends.
struct WaitingUpdate: Hashable, Sendable {
    var id: UpdateID
    /// An encoded `update.v1.Request`.
    var request: Blob
    /// The start of the workflow task that carried it to a worker; `.none` while no task has.
    var sentIn = EventID.none

    var isSent: Bool { sentIn != .none }
}

/// The updates of a run.
struct UpdateMachine: Hashable, Sendable {
    /// Those the history knows, in the order in which it came to know them.
    private(set) var recorded: [RecordedUpdate] = []
    /// Those that wait for a worker, in the order of their admission.
    private(set) var waiting: [WaitingUpdate] = []
    /// The workflow tried to close with the last answer and was refused; it will try again.
    var closeWasAttempted = false
    private var placeOf: [UpdateID: Int] = [:]

    var count: Int { recorded.count + waiting.count }
    var inFlight: Int { waiting.count + recorded.lazy.filter { $0.completedEventID == .none }.count }
    var waitingBytes: Int { waiting.reduce(0) { $0 + $1.id.value.utf8.count + $1.request.count } }
    var hasUnsent: Bool { waiting.contains { !$0.isSent } }

    func recorded(_ id: UpdateID) -> RecordedUpdate? { placeOf[id].map { recorded[$0] } }
    func waiting(_ id: UpdateID) -> WaitingUpdate? { waiting.first { $0.id == id } }

    // What the history says.

    /// Folds event 47.
    mutating func admit(_ event: WorkflowExecutionUpdateAdmitted, at id: EventID) throws(Corruption) {
        guard placeOf[event.update] == nil else {
            throw Corruption("event \(id): update \(event.update) is known already")
        }
        record(RecordedUpdate(id: event.update, admittedEventID: id))
    }

    /// Folds event 41.
    mutating func accept(_ event: WorkflowExecutionUpdateAccepted, at id: EventID) throws(Corruption) {
        waiting.removeAll { $0.id == event.update }
        guard let place = placeOf[event.update] else {
            record(RecordedUpdate(id: event.update, acceptedEventID: id))
            return
        }
        guard recorded[place].acceptedEventID == .none else {
            throw Corruption("event \(id): update \(event.update) is accepted already")
        }
        recorded[place].acceptedEventID = id
    }

    /// Folds event 43.
    mutating func complete(_ event: WorkflowExecutionUpdateCompleted, at id: EventID) throws(Corruption) {
        guard let place = placeOf[event.update], recorded[place].isRunning,
            recorded[place].acceptedEventID == event.acceptedEventID
        else {
            throw Corruption("event \(id): update \(event.update) was not accepted by event \(event.acceptedEventID)")
        }
        recorded[place].completedEventID = id
    }

    mutating func record(_ update: RecordedUpdate) {
        placeOf[update.id] = recorded.count
        recorded.append(update)
    }

    // The live part.

    mutating func wait(_ update: WaitingUpdate) { waiting.append(update) }

    /// Gives the workflow task that starts with `started` its requests.
    ///
    /// - Parameter again: also those that an earlier task of this attempt has carried: their worker is gone.
    mutating func send(in started: EventID, again: Bool) {
        for index in waiting.indices where again || !waiting[index].isSent { waiting[index].sentIn = started }
    }

    /// What the workflow task that starts with `started` carries.
    func messages(in started: EventID) -> [ProtocolMessage] {
        waiting.filter { $0.sentIn == started }.map {
            ProtocolMessage(
                id: ProtocolMessage.requestID(of: $0.id), update: $0.id, eventID: started.previous,
                body: .request($0.request))
        }
    }

    /// The task that carried them came to nothing: the next one carries them.
    mutating func takeBack() {
        for index in waiting.indices { waiting[index].sentIn = .none }
    }

    mutating func remove(_ id: UpdateID) { waiting.removeAll { $0.id == id } }

    mutating func removeSent() -> [WaitingUpdate] {
        let sent = waiting.filter(\.isSent)
        waiting.removeAll(where: \.isSent)
        return sent
    }

    mutating func removeAllWaiting() -> [WaitingUpdate] {
        defer { waiting = [] }
        return waiting
    }

    static func == (left: UpdateMachine, right: UpdateMachine) -> Bool {
        left.recorded == right.recorded && left.waiting == right.waiting
            && left.closeWasAttempted == right.closeWasAttempted
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(recorded)
        hasher.combine(waiting)
    }
}

extension UpdateMachine {
    /// What the history knows; the rest is forgotten by a crash.
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = recorded
        try coder.code(&all, RecordedUpdate(id: "")) { coder, update throws(Corruption) in
            try coder.code(&update.id)
            try coder.code(&update.admittedEventID)
            try coder.code(&update.acceptedEventID)
            try coder.code(&update.completedEventID)
        }
        try coder.code(&closeWasAttempted)
        guard coder.isReading else { return }
        for update in all { record(update) }
    }
}
