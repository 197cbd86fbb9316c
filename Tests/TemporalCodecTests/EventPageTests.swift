import Foundation
import History
import TemporalAPI
import TemporalCodec
import Testing

/// The table of events in `docs/compatibility.md` and the vocabulary say the same.
@Suite("The page about compatibility knows every type of event")
struct EventPageTests {
    @Test("A type is done when the vocabulary has it")
    func events() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/compatibility.md"), encoding: .utf8)
        let table = try #require(page.split(separator: "\n## Events\n").last?.split(separator: "\n## ").first)
        let rows = table.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map {
            $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let types = Temporal_Api_Enums_V1_EventType.allCases.filter { $0 != .unspecified }
        #expect(rows.compactMap { Int($0[0]) } == types.map(\.rawValue).sorted())
        var random = RandomValues(seed: 1)
        let kinds = random.everyKind()
        let known = Dictionary(kinds.map { ($0.typeNumber, $0.typeName) }) { first, _ in first }
        for row in rows {
            let number = try #require(Int32(row[0]))
            #expect(row[2].hasPrefix("done") == (known[number] != nil), "\(row[1])")
            if let name = known[number] { #expect(row[1] == name) }
        }
    }
}
