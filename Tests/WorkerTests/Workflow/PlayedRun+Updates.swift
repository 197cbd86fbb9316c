import Foundation
import History
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

@testable import Worker

extension PlayedRun {
    /// The next workflow task brings this update.
    func update(_ id: String, _ name: String, _ argument: (any Encodable)? = nil) throws {
        var request = Temporal_Api_Update_V1_Request()
        request.meta.updateID = id
        request.input.name = name
        if let argument { request.input.args = Data(try DataConverter.default.arguments([argument])) }
        updates.append(
            ProtocolMessage(
                id: "\(id)/request", update: UpdateID(id), body: .request(Blob(encoding: request))))
    }

    /// Records what the message that a command names says, as a server does.
    func recordUpdate(_ id: String) -> String {
        let messages = lastCompletion.messages.map(ProtocolMessageCodec.decode)
        guard let message = messages.first(where: { $0.id == id }) else { return "no message \(id)" }
        switch message.body {
        case .acceptance(let requestMessageID, let sequencingEventID, let request):
            accepted[message.update] = add(
                .workflowExecutionUpdateAccepted(
                    WorkflowExecutionUpdateAccepted(
                        update: message.update, requestMessageID: requestMessageID,
                        sequencingEventID: sequencingEventID, request: request)))
            return "accept \(message.update)"
        case .response(let identity, let outcome):
            add(
                .workflowExecutionUpdateCompleted(
                    WorkflowExecutionUpdateCompleted(
                        update: message.update, identity: identity,
                        acceptedEventID: accepted[message.update] ?? .none, outcome: outcome ?? .empty)))
            return "complete \(message.update) \(Self.words(outcome))"
        case .request, .rejection, .unknown: return "unexpected message \(id)"
        }
    }

    /// The rejections of the last task, as `id type`.
    var rejections: [String] {
        lastCompletion.messages.map(ProtocolMessageCodec.decode).compactMap { message in
            guard case .rejection(let failure, _) = message.body else { return nil }
            let error = DataConverter.default.error(fromFailure: failure?.bytes ?? [])
            return "\(message.update) \((error as? ApplicationFailure)?.type ?? "")"
        }
    }

    private static func words(_ outcome: Blob?) -> String {
        guard let outcome, let read = try? Temporal_Api_Update_V1_Outcome(serializedBytes: outcome.data) else {
            return "nothing"
        }
        switch read.value {
        case .success(let payloads):
            return String(decoding: (try? Payload.list(wire: payloads).first?.data) ?? [], as: UTF8.self)
        case .failure(let failure): return "!\(DataConverter.default.error(fromFailure: failure).message)"
        case nil: return "nothing"
        }
    }
}
