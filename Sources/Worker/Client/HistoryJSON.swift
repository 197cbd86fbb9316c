import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Histories as JSON, in the dialects in which tools have written them over the years.
enum HistoryJSON {
    /// The encoded events.
    static func events(in tree: JSONValue) throws(WorkflowHistory.Unreadable) -> [[UInt8]] {
        guard let list = list(in: tree) else { throw .init(reason: "expected an object with events") }
        var events: [[UInt8]] = []
        events.reserveCapacity(list.count)
        for (position, event) in list.enumerated() {
            do {
                let message = try MessageJSON.decode(longNames(event), as: Temporal_Api_History_V1_HistoryEvent.self)
                events.append(try message.serializedBytes())
            } catch {
                throw .init(reason: "event \(position + 1): \(error)")
            }
        }
        return events
    }

    private static func list(in tree: JSONValue) -> [JSONValue]? {
        switch tree {
        case .array(let values): values
        case .object:
            if case .array(let values) = tree["events"] { values } else { tree["history"].flatMap(list) }
        case .null, .bool, .number, .string: nil
        }
    }

    /// Enums by the fields that hold them; the value's long name begins so.
    private static let prefixes: [String: String] = [
        "eventType": "EVENT_TYPE", "kind": "TASK_QUEUE_KIND", "initiator": "CONTINUE_AS_NEW_INITIATOR",
        "retryState": "RETRY_STATE", "timeoutType": "TIMEOUT_TYPE", "parentClosePolicy": "PARENT_CLOSE_POLICY",
        "workflowIdReusePolicy": "WORKFLOW_ID_REUSE_POLICY", "versioningBehavior": "VERSIONING_BEHAVIOR",
        "origin": "UPDATE_ADMITTED_EVENT_ORIGIN", "category": "APPLICATION_ERROR_CATEGORY",
    ]

    /// The same field in different events.
    private static let causes: [String: String] = [
        "workflowTaskFailedEventAttributes": "WORKFLOW_TASK_FAILED_CAUSE",
        "startChildWorkflowExecutionFailedEventAttributes": "START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE",
        "signalExternalWorkflowExecutionFailedEventAttributes": "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE",
        "requestCancelExternalWorkflowExecutionFailedEventAttributes":
            "CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED_CAUSE",
    ]

    /// The same tree with the long names of enums.
    private static func longNames(_ value: JSONValue, in parent: String = "") -> JSONValue {
        switch value {
        case .null, .bool, .number, .string: return value
        case .array(let values): return .array(values.map { longNames($0, in: parent) })
        case .object(let members):
            return .object(
                members.map { member in
                    let name = camelCase(member.name)
                    let prefix = name == "cause" ? causes[parent] : prefixes[name]
                    guard let prefix, case .string(let short) = member.value, isShort(short) else {
                        // Payloads are data, whatever their fields are called.
                        let isData = name == "payloads" || name == "data" || name == "metadata"
                        return .init(member.name, isData ? member.value : longNames(member.value, in: name))
                    }
                    return .init(member.name, .string("\(prefix)_\(screaming(short))"))
                })
        }
    }

    /// `TimerFired`: a capital first, and small letters.
    private static func isShort(_ text: String) -> Bool {
        text.first?.isUppercase == true && text.contains(where: \.isLowercase) && !text.contains("_")
    }

    private static func screaming(_ text: String) -> String {
        text.reduce(into: "") { result, letter in
            if letter.isUppercase, !result.isEmpty { result.append("_") }
            result.append(contentsOf: letter.uppercased())
        }
    }

    private static func camelCase(_ name: String) -> String {
        let parts = name.split(separator: "_")
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }
}
