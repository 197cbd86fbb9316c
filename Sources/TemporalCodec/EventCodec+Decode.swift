public import History
import SwiftProtobuf
import TemporalAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension EventCodec {
    /// Reads an event back.
    ///
    /// Fields that the vocabulary has no place for are passed over; the stored bytes, not the event, are what is served.
    /// - Throws: ``UndecodableEvent`` if the bytes are no event, or one of a type this program does not know.
    public static func decode(_ bytes: [UInt8]) throws(UndecodableEvent) -> Event {
        let message: Temporal_Api_History_V1_HistoryEvent
        do {
            message = try Temporal_Api_History_V1_HistoryEvent(serializedBytes: bytes)
        } catch {
            throw UndecodableEvent(reason: "not a history event")
        }
        return try event(message)
    }

    /// The event that an already decoded message stands for.
    static func event(_ message: Temporal_Api_History_V1_HistoryEvent) throws(UndecodableEvent) -> Event {
        Event(
            id: EventID(message.eventID), time: Timestamp(message.eventTime),
            kind: try kind(of: message).with(links: message.links.map { Blob($0) }),
            userMetadata: message.hasUserMetadata ? Blob(message.userMetadata) : nil,
            workerMayIgnore: message.workerMayIgnore)
    }

    private static func kind(of message: Temporal_Api_History_V1_HistoryEvent) throws(UndecodableEvent) -> EventKind {
        guard let attributes = message.attributes,
            let kind = runKind(attributes) ?? taskKind(attributes) ?? relatedKind(attributes)
        else {
            throw UndecodableEvent(
                id: EventID(message.eventID), typeNumber: Int32(truncatingIfNeeded: message.eventType.rawValue),
                workerMayIgnore: message.workerMayIgnore, reason: "this type of event is not known here")
        }
        return kind
    }

    /// Events about other workflows.
    private static func relatedKind(_ attributes: Attributes) -> EventKind? {
        childEvent(attributes).map(EventKind.childWorkflow) ?? externalEvent(attributes).map(EventKind.externalWorkflow)
    }

    /// Events about the run itself.
    private static func runKind(_ attributes: Attributes) -> EventKind? {
        switch attributes {
        case .workflowExecutionStartedEventAttributes(let a): .workflowExecutionStarted(.init(a))
        case .workflowExecutionCompletedEventAttributes(let a): .workflowExecutionCompleted(.init(a))
        case .workflowExecutionFailedEventAttributes(let a): .workflowExecutionFailed(.init(a))
        case .workflowExecutionTimedOutEventAttributes(let a): .workflowExecutionTimedOut(.init(a))
        case .workflowExecutionCancelRequestedEventAttributes(let a): .workflowExecutionCancelRequested(.init(a))
        case .workflowExecutionCanceledEventAttributes(let a): .workflowExecutionCanceled(.init(a))
        case .workflowExecutionSignaledEventAttributes(let a): .workflowExecutionSignaled(.init(a))
        case .workflowExecutionTerminatedEventAttributes(let a): .workflowExecutionTerminated(.init(a))
        case .workflowExecutionContinuedAsNewEventAttributes(let a): .workflowExecutionContinuedAsNew(.init(a))
        case .markerRecordedEventAttributes(let a): .markerRecorded(.init(a))
        case .upsertWorkflowSearchAttributesEventAttributes(let a): .upsertWorkflowSearchAttributes(.init(a))
        case .workflowPropertiesModifiedEventAttributes(let a): .workflowPropertiesModified(.init(a))
        case .workflowExecutionUpdateAdmittedEventAttributes(let a): .workflowExecutionUpdateAdmitted(.init(a))
        case .workflowExecutionUpdateAcceptedEventAttributes(let a): .workflowExecutionUpdateAccepted(.init(a))
        case .workflowExecutionUpdateCompletedEventAttributes(let a): .workflowExecutionUpdateCompleted(.init(a))
        case .workflowExecutionOptionsUpdatedEventAttributes(let a): .workflowExecutionOptionsUpdated(.init(a))
        default: nil
        }
    }

    /// Events about workflow tasks, activities and timers.
    private static func taskKind(_ attributes: Attributes) -> EventKind? {
        switch attributes {
        case .workflowTaskScheduledEventAttributes(let a): .workflowTaskScheduled(.init(a))
        case .workflowTaskStartedEventAttributes(let a): .workflowTaskStarted(.init(a))
        case .workflowTaskCompletedEventAttributes(let a): .workflowTaskCompleted(.init(a))
        case .workflowTaskTimedOutEventAttributes(let a): .workflowTaskTimedOut(.init(a))
        case .workflowTaskFailedEventAttributes(let a): .workflowTaskFailed(.init(a))
        case .activityTaskScheduledEventAttributes(let a): .activityTaskScheduled(.init(a))
        case .activityTaskStartedEventAttributes(let a): .activityTaskStarted(.init(a))
        case .activityTaskCompletedEventAttributes(let a): .activityTaskCompleted(.init(a))
        case .activityTaskFailedEventAttributes(let a): .activityTaskFailed(.init(a))
        case .activityTaskTimedOutEventAttributes(let a): .activityTaskTimedOut(.init(a))
        case .activityTaskCancelRequestedEventAttributes(let a): .activityTaskCancelRequested(.init(a))
        case .activityTaskCanceledEventAttributes(let a): .activityTaskCanceled(.init(a))
        case .timerStartedEventAttributes(let a): .timerStarted(.init(a))
        case .timerFiredEventAttributes(let a): .timerFired(.init(a))
        case .timerCanceledEventAttributes(let a): .timerCanceled(.init(a))
        default: nil
        }
    }
}

extension Failure {
    /// The failure in a field; nil if the field is not set.
    init?(_ data: Data, isSet: Bool) {
        guard isSet else { return nil }
        self.init(data)
    }

    /// The failure in a field that every real server sets.
    init(_ data: Data) { self = FailureCodec.decode([UInt8](data)) }
}

extension Blob {
    /// The bytes in a field; nil if the field is not set.
    init?(_ data: Data, isSet: Bool) {
        guard isSet else { return nil }
        self.init(data)
    }
}

extension RunID {
    /// A run id in a text field; empty means none.
    init?(nonEmpty text: String) {
        guard !text.isEmpty else { return nil }
        self.init(text)
    }
}
