import Foundation

/// The queue's file: a line for each message that came and each that left. A line that a crash cut off does not count.
///
/// Written without waiting for the disk itself: it survives the process, and what a power cut takes of its end is lost.
final class NotifyJournal {
    enum Record: Codable {
        case add(NotifyID, NotifyMessage)
        case done(NotifyID)
    }

    private let url: URL
    private var handle: FileHandle
    private var lines = 0
    /// Rewritten when it holds so many more lines than messages.
    private static let staleLinesMax = 20_000

    init(folder: URL) throws {
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        self.url = folder.appending(path: "queue.jsonl")
        if !FileManager.default.fileExists(atPath: self.url.path) {
            _ = FileManager.default.createFile(
                atPath: self.url.path, contents: nil, attributes: [.posixPermissions: 0o600])
        }
        self.handle = try FileHandle(forUpdating: self.url)
    }

    /// What was in the queue when the process ended.
    func read() throws -> [(NotifyID, NotifyMessage)] {
        let data = try self.handle.readToEnd() ?? Data()
        var messages: [NotifyID: NotifyMessage] = [:]
        var order: [NotifyID] = []
        let decoder = JSONDecoder()
        for line in data.split(separator: 0x0A) {
            self.lines += 1
            switch try? decoder.decode(Record.self, from: Data(line)) {
            case .add(let id, let message):
                if messages.updateValue(message, forKey: id) == nil { order.append(id) }
            case .done(let id): messages[id] = nil
            case nil: continue
            }
        }
        // A line that was cut off must not join the next one.
        if let last = data.last, last != 0x0A { try self.handle.write(contentsOf: Data([0x0A])) }
        return order.compactMap { id in messages[id].map { (id, $0) } }
    }

    func append(_ records: [Record]) throws {
        let encoder = JSONEncoder()
        var data = Data()
        for record in records {
            data += try encoder.encode(record)
            data.append(0x0A)
        }
        try self.handle.seekToEnd()
        try self.handle.write(contentsOf: data)
        self.lines += records.count
    }

    func compact(_ items: [NotifyQueue.Item]) throws {
        guard self.lines > items.count * 2 + Self.staleLinesMax else { return }
        let fresh = self.url.appendingPathExtension("new")
        let encoder = JSONEncoder()
        var data = Data()
        for item in items where item.isStored {
            data += try encoder.encode(Record.add(item.id, item.message))
            data.append(0x0A)
        }
        try data.write(to: fresh)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fresh.path)
        guard rename(fresh.path, self.url.path) == 0 else { return }
        try? self.handle.close()
        self.handle = try FileHandle(forUpdating: self.url)
        try self.handle.seekToEnd()
        self.lines = items.count
    }
}
