public import History

/// Events to and from the bytes of `temporal.api.history.v1.HistoryEvent`, as they are stored, hashed and served.
///
/// ``decode(_:)`` of ``encode(_:)`` gives the event back; only failures that the server made come back as `.opaque`, with
/// the same traits and the same bytes.
public enum EventCodec {
    /// Task ids only have to be unique and rising within a run; the distance keeps them apart from event ids.
    static let taskIDOffset: Int64 = 1 << 20

    /// Encodes an event that is stored.
    public static func encode(_ event: Event) -> [UInt8] { encode(event, taskID: taskIDOffset + event.id.value) }

    /// Encodes an event that readers see but that is not stored yet (a workflow task that may still come to nothing): it
    /// has no task id.
    public static func encodePending(_ event: Event) -> [UInt8] { encode(event, taskID: 0) }

    private static func encode(_ event: Event, taskID: Int64) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.reserve(256)
        writer.eventID(1, event.id)
        writer.timestamp(2, event.time)
        writer.integer(3, event.kind.typeNumber)
        writer.integer(5, taskID)
        writer.attributes(event.kind)
        writer.flag(300, event.workerMayIgnore)
        writer.blob(301, event.userMetadata)
        for link in event.kind.links { writer.encoded(302, link.bytes) }
        return writer.bytes
    }
}

/// An event that cannot be understood.
public struct UndecodableEvent: Error, Hashable, Sendable, CustomStringConvertible {
    public let id: EventID
    /// The number of the event's type; 0 if not even that could be read.
    public let typeNumber: Int32
    /// Whoever wrote the event says that a worker may pass over it.
    public let workerMayIgnore: Bool
    public let reason: String

    public init(id: EventID = .none, typeNumber: Int32 = 0, workerMayIgnore: Bool = false, reason: String) {
        self.id = id
        self.typeNumber = typeNumber
        self.workerMayIgnore = workerMayIgnore
        self.reason = reason
    }

    public var description: String { "undecodable event \(id) of type \(typeNumber): \(reason)" }
}

extension ProtobufWriter {
    /// Writes the attributes message that belongs to the event's type.
    fileprivate mutating func attributes(_ kind: EventKind) {
        switch kind {
        case .workflowExecutionStarted(let a): message(6) { $0.fields(a) }
        case .workflowExecutionCompleted(let a): message(7) { $0.fields(a) }
        case .workflowExecutionFailed(let a): message(8) { $0.fields(a) }
        case .workflowExecutionTimedOut(let a): message(9) { $0.fields(a) }
        case .workflowTaskScheduled(let a): message(10) { $0.fields(a) }
        case .workflowTaskStarted(let a): message(11) { $0.fields(a) }
        case .workflowTaskCompleted(let a): message(12) { $0.fields(a) }
        case .workflowTaskTimedOut(let a): message(13) { $0.fields(a) }
        case .workflowTaskFailed(let a): message(14) { $0.fields(a) }
        case .activityTaskScheduled(let a): message(15) { $0.fields(a) }
        case .activityTaskStarted(let a): message(16) { $0.fields(a) }
        case .activityTaskCompleted(let a): message(17) { $0.fields(a) }
        case .activityTaskFailed(let a): message(18) { $0.fields(a) }
        case .activityTaskTimedOut(let a): message(19) { $0.fields(a) }
        case .timerStarted(let a): message(20) { $0.fields(a) }
        case .timerFired(let a): message(21) { $0.fields(a) }
        case .activityTaskCancelRequested(let a): message(22) { $0.fields(a) }
        case .activityTaskCanceled(let a): message(23) { $0.fields(a) }
        case .timerCanceled(let a): message(24) { $0.fields(a) }
        case .markerRecorded(let a): message(25) { $0.fields(a) }
        case .workflowExecutionSignaled(let a): message(26) { $0.fields(a) }
        case .workflowExecutionTerminated(let a): message(27) { $0.fields(a) }
        case .workflowExecutionCancelRequested(let a): message(28) { $0.fields(a) }
        case .workflowExecutionCanceled(let a): message(29) { $0.fields(a) }
        case .workflowExecutionContinuedAsNew(let a): message(33) { $0.fields(a) }
        case .upsertWorkflowSearchAttributes(let a): message(45) { $0.fields(a) }
        case .workflowPropertiesModified(let a): message(51) { $0.fields(a) }
        case .childWorkflow(let event): attributes(event)
        case .externalWorkflow(let event): attributes(event)
        case .workflowExecutionUpdateAccepted(let a): message(46) { $0.fields(a) }
        case .workflowExecutionUpdateCompleted(let a): message(48) { $0.fields(a) }
        case .workflowExecutionUpdateAdmitted(let a): message(52) { $0.fields(a) }
        case .workflowExecutionOptionsUpdated(let a): message(60) { $0.fields(a) }
        }
    }
}
