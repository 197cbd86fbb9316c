public import Foundation
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// The events of one run, each as the encoded `temporal.api.history.v1.HistoryEvent` that the server stores.
public struct WorkflowHistory: Hashable, Sendable {
    public var workflowID: String
    /// Empty where nobody knows it: exported histories do not always say.
    public var runID: String
    public var events: [[UInt8]]
    /// Where it comes from, for reports: a file, an address.
    public var source: String

    public init(workflowID: String, runID: String = "", events: [[UInt8]], source: String = "") {
        self.workflowID = workflowID
        self.runID = runID
        self.events = events
        self.source = source
    }

    /// What was exported is no history.
    public struct Unreadable: Error, Hashable, Sendable, CustomStringConvertible {
        public let reason: String
        public var description: String { "not a history: \(reason)" }
    }
}

extension WorkflowHistory {
    /// Reads a history that any tool or SDK has exported as JSON: an object with `events`, the answer of the server with
    /// `history`, or the list of events alone.
    ///
    /// Names may be camel or snake case, enums long (`EVENT_TYPE_TIMER_FIRED`), short (`TimerFired`) or numbers.
    public init(json: [UInt8], workflowID: String = "", source: String = "") throws(Unreadable) {
        let tree: JSONValue
        do { tree = try JSONValue(parsing: json) } catch { throw Unreadable(reason: error.description) }
        self.init(workflowID: workflowID, events: try HistoryJSON.events(in: tree), source: source)
        adoptNames()
    }

    /// Reads an encoded `temporal.api.history.v1.History`, or the encoded answer of the server that holds one.
    public init(binary: [UInt8], workflowID: String = "", source: String = "") throws(Unreadable) {
        var history = try? Temporal_Api_History_V1_History(serializedBytes: binary)
        if history.map({ !Self.beginsWithEvent($0) }) ?? true {
            history = try? Temporal_Api_Workflowservice_V1_GetWorkflowExecutionHistoryResponse(serializedBytes: binary)
                .history
        }
        guard let history, Self.beginsWithEvent(history) else { throw Unreadable(reason: "expected encoded events") }
        self.init(workflowID: workflowID, events: history.events.map { [UInt8]($0) }, source: source)
        adoptNames()
    }

    /// Reads a file, JSON or binary.
    public init(contentsOf file: URL) throws {
        let bytes = [UInt8](try Data(contentsOf: file))
        let first = bytes.first { !$0.isJSONSpace }
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            try self.init(json: bytes, source: file.path)
        } else {
            try self.init(binary: bytes, source: file.path)
        }
    }

    /// The history as other tools read it.
    public func json(pretty: Bool = true) -> [UInt8] {
        let history = Temporal_Api_History_V1_History.with { $0.events = events.map { Data($0) } }
        return MessageJSON.encode(history, short: false, pretty: pretty)
    }

    /// The encoded `temporal.api.history.v1.History`.
    public func binary() throws -> [UInt8] {
        try Temporal_Api_History_V1_History.with { $0.events = events.map { Data($0) } }.serializedBytes()
    }

    private static func beginsWithEvent(_ history: Temporal_Api_History_V1_History) -> Bool {
        guard let first = history.events.first,
            let event = try? Temporal_Api_History_V1_HistoryEvent(serializedBytes: first)
        else { return false }
        return event.eventID == 1
    }

    /// Takes ids that are not given from the first event.
    private mutating func adoptNames() {
        guard let first = events.first,
            let event = try? Temporal_Api_History_V1_HistoryEvent(serializedBytes: first)
        else { return }
        let started = event.workflowExecutionStartedEventAttributes
        if workflowID.isEmpty { workflowID = started.workflowID }
        if runID.isEmpty { runID = started.originalExecutionRunID }
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
