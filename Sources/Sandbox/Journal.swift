import Foundation
import Synchronization

/// One line of the journal: a request, what became of it, and what it changed in the world.
struct JournalEntry: Hashable, Sendable, Codable {
    enum Outcome: String, Hashable, Sendable, Codable {
        case executed
        /// The stored answer of an earlier request with the same key.
        case replayed
        /// The key was in use.
        case inFlight = "in_flight"
        /// The key was used with other parameters.
        case mismatch
        /// Refused before anything was executed.
        case refused
        /// The connection was cut before anything was executed.
        case dropped
        /// A fault answered instead of the service.
        case faked
        /// A webhook attempt.
        case webhook
        /// A control request.
        case control
    }

    var seq: Int
    /// Unix seconds.
    var at: Double
    var request: SandboxRequest
    var status: Int
    var outcome: Outcome
    var fault: String?
    var answered: Bool
    var paymentID: String?
    var effects: [SandboxEffect]

    var json: JSONValue {
        [
            "seq": .int(self.seq), "at": .double(self.at), "method": .string(self.request.method),
            "path": .string(self.request.path),
            "key": .optional(self.request.key), "payment_id": .optional(self.paymentID), "status": .int(self.status),
            "outcome": .string(self.outcome.rawValue), "fault": .optional(self.fault), "answered": .bool(self.answered),
            "effects": .array(
                self.effects.map { effect in
                    [
                        "kind": .string(effect.kind), "id": .string(effect.id),
                        "amount": effect.amount.map(JSONValue.int) ?? nil,
                        "currency": .optional(effect.currency), "payment_id": .optional(effect.paymentID),
                        "reference": .optional(effect.reference),
                    ]
                }),
        ]
    }
}

/// The journal on disk: one JSON document a line, written before the answer leaves, so that killing the process loses nothing.
final class JournalFile: Sendable {
    private let handle: Mutex<FileHandle>

    /// Opens `path` for appending and reads what is there; a last line cut short by a crash is dropped.
    static func open(path: String) throws -> (file: JournalFile, entries: [JournalEntry]) {
        let url = URL(fileURLWithPath: path)
        if !FileManager.default.fileExists(atPath: path) {
            try Data().write(to: url)
        }
        let data = try Data(contentsOf: url)
        var entries: [JournalEntry] = []
        var whole = 0
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            guard let entry = try? JSONDecoder().decode(JournalEntry.self, from: line) else { break }
            entries.append(entry)
            whole = line.endIndex + 1
        }
        let handle = try FileHandle(forWritingTo: url)
        try handle.truncate(atOffset: UInt64(min(whole, data.count)))
        try handle.seekToEnd()
        return (JournalFile(handle: handle), entries)
    }

    private init(handle: sending FileHandle) {
        self.handle = Mutex(handle)
    }

    func append(_ entry: JournalEntry) throws {
        var line = try JSONEncoder().encode(entry)
        line.append(UInt8(ascii: "\n"))
        try self.handle.withLock { try $0.write(contentsOf: line) }
    }
}
