public import History
import SwiftProtobuf
public import TemporalAPI

/// The messages of workflow tasks, to and from `temporal.api.protocol.v1.Message`.
public enum ProtocolMessageCodec {
    private static let prefix = "type.googleapis.com/temporal.api.update.v1."

    /// Total: a body that cannot be read is `unknown`, for the engine to refuse.
    public static func decode(_ message: Temporal_Api_Protocol_V1_Message) -> ProtocolMessage {
        let type = message.body.typeURL
        let bytes = message.body.value
        var body: ProtocolMessage.Body?
        if type == prefix + "Request" {
            body = .request(Blob(bytes))
        } else if type == prefix + "Acceptance" {
            body = (try? Temporal_Api_Update_V1_Acceptance(serializedBytes: bytes)).map {
                .acceptance(
                    requestMessageID: $0.acceptedRequestMessageID,
                    sequencingEventID: EventID($0.acceptedRequestSequencingEventID),
                    request: $0.hasAcceptedRequest ? Blob(encoding: $0.acceptedRequest) : nil)
            }
        } else if type == prefix + "Rejection" {
            body = (try? Temporal_Api_Update_V1_Rejection(serializedBytes: bytes)).map {
                .rejection(
                    failure: Blob($0.failure, isSet: $0.hasFailure),
                    request: $0.hasRejectedRequest ? Blob(encoding: $0.rejectedRequest) : nil)
            }
        } else if type == prefix + "Response" {
            body = (try? Temporal_Api_Update_V1_Response(serializedBytes: bytes)).map {
                .response(identity: $0.meta.identity, outcome: $0.hasOutcome ? Blob(encoding: $0.outcome) : nil)
            }
        }
        return ProtocolMessage(
            id: message.id, update: UpdateID(message.protocolInstanceID), eventID: EventID(message.eventID),
            body: body ?? .unknown(type: type))
    }

    public static func encode(_ message: ProtocolMessage) -> Temporal_Api_Protocol_V1_Message {
        var wire = Temporal_Api_Protocol_V1_Message()
        wire.id = message.id
        wire.protocolInstanceID = message.update.value
        if message.eventID != .none { wire.eventID = message.eventID.value }
        var writer = ProtobufWriter()
        var name = ""
        switch message.body {
        case .request(let request):
            wire.body.typeURL = prefix + "Request"
            wire.body.value = request.data
            return wire
        case .acceptance(let requestMessageID, let sequencingEventID, let request):
            name = "Acceptance"
            writer.text(1, requestMessageID)
            writer.eventID(2, sequencingEventID)
            writer.blob(3, request)
        case .rejection(let failure, let request):
            name = "Rejection"
            writer.text(1, ProtocolMessage.requestID(of: message.update))
            writer.eventID(2, message.eventID)
            writer.blob(3, request)
            writer.blob(4, failure)
        case .response(let identity, let outcome):
            name = "Response"
            writer.message(1) {
                $0.text(1, message.update)
                $0.text(2, identity)
            }
            writer.blob(2, outcome)
        case .unknown(let type):
            wire.body.typeURL = type
            return wire
        }
        wire.body.typeURL = prefix + name
        wire.body.value = Blob(writer.bytes).data
        return wire
    }
}

/// Update outcomes, `temporal.api.update.v1.Outcome`.
public enum UpdateOutcomeCodec {
    /// An encoded outcome with a result; `nil` is no value.
    public static func success(_ payloads: Blob?) -> Blob {
        var writer = ProtobufWriter()
        writer.encoded(1, payloads?.bytes ?? [])
        return Blob(writer.bytes)
    }

    /// An encoded outcome with a failure.
    public static func failure(_ failure: [UInt8]) -> Blob {
        var writer = ProtobufWriter()
        writer.encoded(2, failure)
        return Blob(writer.bytes)
    }

    /// The outcome of an update that its worker did not answer.
    public static let unprocessed = made(
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by "
            + "the worker.", type: "UnprocessedUpdate")

    /// The outcome of an accepted update whose run ended first.
    public static let outlivedRun = made(
        "Workflow Update failed because the Workflow completed before the Update completed.",
        type: "AcceptedUpdateCompletedWorkflow")

    private static func made(_ message: String, type: String) -> Blob {
        var writer = ProtobufWriter()
        writer.text(1, message)
        writer.text(2, "Server")
        writer.message(5) {
            $0.text(1, type)
            $0.flag(2, true)
        }
        return failure(writer.bytes)
    }
}
