public import History
public import SwiftProtobuf
import TemporalAPI

/// The fields of the events about updates.
extension ProtobufWriter {
    mutating func fields(_ a: WorkflowExecutionUpdateAdmitted) {
        blob(1, a.request)
        integer(2, a.origin)
    }

    mutating func fields(_ a: WorkflowExecutionUpdateAccepted) {
        text(1, a.update)
        text(2, a.requestMessageID)
        eventID(3, a.sequencingEventID)
        blob(4, a.request)
    }

    mutating func fields(_ a: WorkflowExecutionUpdateCompleted) {
        message(1) {
            $0.text(1, a.update)
            $0.text(2, a.identity)
        }
        blob(2, a.outcome)
        eventID(3, a.acceptedEventID)
    }
}

extension WorkflowExecutionUpdateAdmitted {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionUpdateAdmittedEventAttributes) {
        self.init(
            update: UpdateID(a.request.meta.updateID), request: Blob(encoding: a.request),
            origin: Int32(truncatingIfNeeded: a.origin.rawValue))
    }
}

extension WorkflowExecutionUpdateAccepted {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionUpdateAcceptedEventAttributes) {
        self.init(
            update: UpdateID(a.protocolInstanceID), requestMessageID: a.acceptedRequestMessageID,
            sequencingEventID: EventID(a.acceptedRequestSequencingEventID),
            request: a.hasAcceptedRequest ? Blob(encoding: a.acceptedRequest) : nil)
    }
}

extension WorkflowExecutionUpdateCompleted {
    init(_ a: Temporal_Api_History_V1_WorkflowExecutionUpdateCompletedEventAttributes) {
        self.init(
            update: UpdateID(a.meta.updateID), identity: a.meta.identity, acceptedEventID: EventID(a.acceptedEventID),
            outcome: Blob(encoding: a.outcome))
    }
}

extension Blob {
    /// The bytes of a message. Our messages have no required fields, so all of them can be written.
    public init(encoding message: some Message) {
        let bytes: [UInt8] = (try? message.serializedBytes()) ?? []
        self.init(bytes)
    }
}
