import Foundation
import Replay
import SwiftProtobuf
import TemporalAPI

/// Queries that every workflow answers, for tools.
extension WorkflowCore {
    private static let metadataQuery = "__temporal_workflow_metadata"
    private static let stackTraceQuery = "__stack_trace"

    /// The encoded answer; nil when the name is not one of these.
    func builtInQuery(_ name: String) throws -> [UInt8]? {
        switch name {
        case Self.metadataQuery: return Payload.wire(try converter.sealed([try metadata()]))
        case Self.stackTraceQuery: return try converter.result(waitingText)
        default: return nil
        }
    }

    private func metadata() throws -> Payload {
        var message = Temporal_Api_Sdk_V1_WorkflowMetadata()
        message.definition.type = workflowType
        message.definition.queryDefinitions = (body.queryNames + [Self.stackTraceQuery]).map(Self.interaction)
        message.definition.signalDefinitions = body.signalNames.map(Self.interaction)
        message.definition.updateDefinitions = body.updateNames.map(Self.interaction)
        message.currentDetails = currentDetails
        var payload = Payload(encoding: "json/protobuf", data: [UInt8](try message.jsonUTF8Data()))
        payload.metadata["messageType"] = Array(Temporal_Api_Sdk_V1_WorkflowMetadata.protoMessageName.utf8)
        return payload
    }

    private static func interaction(_ name: String) -> Temporal_Api_Sdk_V1_WorkflowInteractionDefinition {
        .with { $0.name = name }
    }

    /// What the code waits for; Swift has no stack of a suspended task to show.
    private var waitingText: String {
        var lines: [String] = []
        if let outcome {
            switch outcome {
            case .returned: lines.append("the workflow has returned")
            case .threw(let error): lines.append("the workflow has thrown \(type(of: error))")
            }
        }
        for future in waiters.keys.sorted() { lines.append("waits for \(machine.describe(future))") }
        if !conditions.isEmpty { lines.append("waits for \(conditions.count) condition(s)") }
        return lines.joined(separator: "\n")
    }
}
