import Foundation
import Gateway
import History
import SwiftProtobuf
import TemporalAPI
import TemporalCodec
import Testing

/// `docs/compatibility.md` says what is served; here it is asked whether that is so.
@Suite("The page about compatibility tells what the code does")
struct CompatibilityPageTests {
    /// The rows of the tables under a heading, without their heads.
    private static func rows(under heading: String) throws -> [[String]] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/compatibility.md"), encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: heading[...]) else {
            Issue.record("there is no heading \(heading)")
            return []
        }
        let level = heading.prefix { $0 == "#" }.count
        let body = lines[(start + 1)...].prefix { line in
            let depth = line.prefix { $0 == "#" }.count
            return depth == 0 || depth > level
        }
        return body.indices.filter { body[$0].hasPrefix("| ") }
            .filter { !(body.indices.contains($0 + 1) && body[$0 + 1].hasPrefix("|---")) }
            .map { body[$0].split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
    }

    /// What stands between backticks and looks like a method.
    private static func methods(_ cell: String) -> [String] {
        cell.split(separator: "`").map(String.init).filter { $0.wholeMatch(of: /(Operator\.)?[A-Z][A-Za-z]+/) != nil }
    }

    private static func method(_ name: String) -> WireMethod {
        name.hasPrefix("Operator.")
            ? WireMethod(service: WireMethod.operatorService, name: String(name.dropFirst("Operator.".count)))
            : WireMethod(name: name)
    }

    @Test("Every method is served as it says, and every served method is on it once")
    func servedMethods() throws {
        let alike = try Self.rows(under: "### As in Temporal").flatMap { Self.methods($0[1]) }
        let different = try Self.rows(under: "### With a difference").flatMap { Self.methods($0[0]) }
        let named = (alike + different).map(Self.method)
        #expect(Set(named).count == named.count, "a method stands there twice")
        for method in named where !WireService.isKnown(method) { Issue.record("\(method.name) is not served") }
        for method in WireService.methods where !named.contains(method) { Issue.record("\(method.name) is missing") }
    }

    @Test("What it says is not served is not")
    func absentMethods() throws {
        let named = try Self.rows(under: "### Not served").flatMap { Self.methods($0[1]) }.map(Self.method)
        #expect(named.count > 60)
        for method in named where WireService.isKnown(method) { Issue.record("\(method.name) is served") }
    }

    @Test("Flags are set as it says")
    func capabilities() async throws {
        let wire = Wire(ScriptedBackend())
        let system = try await wire.call(
            "GetSystemInfo", Temporal_Api_Workflowservice_V1_GetSystemInfoRequest(),
            returning: Temporal_Api_Workflowservice_V1_GetSystemInfoResponse.self)
        let namespace = try await wire.call(
            "DescribeNamespace",
            Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest.with { $0.namespace = "default" },
            returning: Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse.self)
        let set = try Self.flags(system.capabilities) + Self.flags(namespace.namespaceInfo.capabilities)
        let told = try Self.rows(under: "## Capabilities").filter { $0[1] == "yes" }.map {
            $0[0].trimmingCharacters(in: ["`"])
        }
        #expect(told.sorted() == set.sorted())
    }

    /// The fields of a message that are true.
    private static func flags(_ message: some Message) throws -> [String] {
        try message.textFormatString().split(separator: "\n").map {
            try #require($0.split(separator: ":").first).trimmingCharacters(in: .whitespaces)
        }
    }

    @Test("Every type of command is on it, done or not as the codec has it")
    func commands() throws {
        let rows = try Self.rows(under: "## Commands")
        let types = Temporal_Api_Enums_V1_CommandType.allCases.filter { $0 != .unspecified }
        #expect(rows.compactMap { Int($0[0]) } == types.map(\.rawValue).sorted())
        for row in rows {
            let type = try #require(Int(row[0]).flatMap { Temporal_Api_Enums_V1_CommandType(rawValue: $0) })
            let decoded = CommandCodec.decode(.with { $0.commandType = type })
            var isServed = true
            if case .unsupported = decoded.kind { isServed = false }
            #expect(row[2].hasPrefix("done") == isServed, "\(row[1])")
        }
    }
}
