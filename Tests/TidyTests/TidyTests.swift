import Foundation
import Testing

/// The style is a test: what the compiler does not hold is read off the sources here.
@Suite("The sources keep the house rules")
struct TidyTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct Source: Sendable, CustomStringConvertible {
        let path: String
        let lines: [Substring]
        var description: String { path }
        var isGenerated: Bool { path.contains("/Generated/") }
        var isPure: Bool { ["Sources/History/", "Sources/Engine/", "Sources/Replay/"].contains { path.hasPrefix($0) } }
        var isLibrary: Bool { path.hasPrefix("Sources/") && !path.hasPrefix("Sources/aloft/") }
    }

    static let sources: [Source] = {
        var found: [Source] = []
        for folder in ["Sources", "Tests"] {
            let base = root.appending(path: folder)
            guard let walker = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else {
                continue
            }
            for case let url as URL in walker where url.pathExtension == "swift" {
                guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
                let path = String(url.path.dropFirst(root.path.count + 1))
                found.append(Source(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false)))
            }
        }
        return found.filter { !$0.isGenerated }.sorted { $0.path < $1.path }
    }()

    @Test("There is something to read")
    func thereAreSources() { #expect(Self.sources.count > 50) }

    @Test("No file is longer than 500 lines")
    func files() {
        for source in Self.sources {
            #expect(source.lines.count <= 501, "\(source.path) has \(source.lines.count) lines")
        }
    }

    @Test("No function is longer than 70 lines")
    func functions() {
        for source in Self.sources where source.path.hasPrefix("Sources/") {
            for (name, length) in Self.functionLengths(source.lines) where length > 70 {
                Issue.record("\(source.path): \(name) has \(length) lines")
            }
        }
    }

    /// From a line that declares a function to the closing brace at the same indentation.
    static func functionLengths(_ lines: [Substring]) -> [(String, Int)] {
        var result: [(String, Int)] = []
        for (index, line) in lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            guard trimmed.contains("func ") || trimmed.hasPrefix("init(") || trimmed.contains(" init(") else {
                continue
            }
            guard !trimmed.hasSuffix("}") else { continue }
            // A requirement of a protocol has no body: no line opens one before the next blank line.
            let signature = lines[index...].prefix { !$0.isEmpty && $0.drop(while: { $0 == " " }) != "}" }
            guard signature.prefix(8).contains(where: { $0.hasSuffix("{") }) else { continue }
            guard !trimmed.hasPrefix("//"), !trimmed.hasPrefix("*") else { continue }
            let indentation = line.count - trimmed.count
            let closing = String(repeating: " ", count: indentation) + "}"
            // Declarations without a body (protocols) end before any closing brace of their own indentation.
            guard let end = lines[index...].firstIndex(where: { $0 == closing[...] }) else { continue }
            let opens = lines[index...end].contains { $0.hasSuffix("{") }
            if opens { result.append((String(trimmed.prefix(60)), end - index + 1)) }
        }
        return result
    }

    @Test("The pure core has no clock, no randomness, no I/O and no Foundation")
    func purity() {
        let banned = [
            "import Foundation", "import Glibc", "import Dispatch", " async ", "await ", " Task {", ".random(",
            "Clock()", "Clock.now",
            "Date()", "print(", "SystemRandomNumberGenerator", "UUID()",
        ]
        for source in Self.sources where source.isPure {
            for (number, line) in source.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for word in banned where line.contains(word) {
                    Issue.record("\(source.path):\(number + 1) has '\(word)'")
                }
            }
        }
    }

    @Test("Libraries neither print nor give up, and nothing unfinished is left behind")
    func habits() {
        let banned = ["try!", "TO" + "DO", "FIX" + "ME", "fatalError("]
        for source in Self.sources where source.path.hasPrefix("Sources/") {
            for (number, line) in source.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("///") {
                for word in banned where line.contains(word) {
                    Issue.record("\(source.path):\(number + 1) has '\(word)'")
                }
                if source.isLibrary, line.drop(while: { $0 == " " }).hasPrefix("print(") {
                    Issue.record("\(source.path):\(number + 1) prints from a library")
                }
            }
        }
    }

    @Test("SQL stands in the Store and in the families' statements, nowhere else")
    func sql() {
        for source in Self.sources where source.path.hasPrefix("Sources/") {
            let mayHoldSQL =
                source.path.hasPrefix("Sources/Store/") || source.path.contains("Statements")
                || source.path.hasSuffix("Schema.swift") || source.path.hasPrefix("Sources/Postgres/")
                || source.path.hasPrefix("Sources/aloft/Bench")
            guard !mayHoldSQL else { continue }
            for (number, line) in source.lines.enumerated() where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                let lowered = line.lowercased()
                var isSQL = ["insert into ", "delete from ", "\"select "].contains { lowered.contains($0) }
                // A text may begin with the word: workflows have updates too.
                isSQL = isSQL || lowered.range(of: #""update [a-z_.]+ set "#, options: .regularExpression) != nil
                if isSQL { Issue.record("\(source.path):\(number + 1) has SQL") }
            }
        }
    }

    @Test("The arrows between modules do not turn")
    func imports() {
        let forbidden: [(folder: String, modules: [String])] = [
            (
                "Sources/Engine/",
                ["TemporalAPI", "SwiftProtobuf", "Postgres", "Messaging", "Runtime", "Store", "Gateway", "Worker"]
            ),
            ("Sources/Worker/", ["Engine", "Runtime", "Store", "Gateway", "Postgres", "Messaging"]),
            ("Sources/Store/", ["TemporalAPI", "TemporalCodec", "Gateway", "Worker"]),
            ("Sources/Gateway/", ["Store", "Postgres", "CLibpq", "Messaging", "Worker"]),
            (
                "Sources/Runtime/",
                ["TemporalAPI", "TemporalCodec", "SwiftProtobuf", "Postgres", "Messaging", "CNats", "CLibpq"]
            ),
            ("Sources/Postgres/", ["History", "Engine", "Runtime"]),
            ("Sources/Messaging/", ["History", "Engine", "Runtime"]),
        ]
        for source in Self.sources {
            for rule in forbidden where source.path.hasPrefix(rule.folder) {
                for line in source.lines where line.contains("import ") {
                    let module = line.split(separator: " ").last.map(String.init) ?? ""
                    if rule.modules.contains(module) { Issue.record("\(source.path) imports \(module)") }
                }
            }
        }
    }
}
