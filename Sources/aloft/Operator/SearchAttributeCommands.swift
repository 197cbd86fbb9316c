import ArgumentParser
import SwiftProtobuf
import TemporalAPI

/// `Keyword`, `Int`, … on the command line.
enum AttributeTypeArgument: String, ExpressibleByArgument, CaseIterable {
    case text = "Text"
    case keyword = "Keyword"
    case int = "Int"
    case double = "Double"
    case bool = "Bool"
    case datetime = "Datetime"
    case keywordList = "KeywordList"

    var wire: Temporal_Api_Enums_V1_IndexedValueType {
        switch self {
        case .text: .text
        case .keyword: .keyword
        case .int: .int
        case .double: .double
        case .bool: .bool
        case .datetime: .datetime
        case .keywordList: .keywordList
        }
    }

    static func name(of type: Temporal_Api_Enums_V1_IndexedValueType) -> String {
        allCases.first { $0.wire == type }?.rawValue ?? "Unspecified"
    }
}

struct CreateSearchAttributes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Define search attributes: --name A --type Keyword --name B --type Int.")
    @OptionGroup var server: ServerAddress
    @Option(name: .long, help: "Name; repeat for more.")
    var name: [String]
    @Option(name: .long, help: "Text, Keyword, Int, Double, Bool, Datetime or KeywordList; one for each name.")
    var type: [AttributeTypeArgument]

    func run() async throws {
        guard name.count == type.count else { throw CommandFailure("each --name needs a --type") }
        let request = Temporal_Api_Operatorservice_V1_AddSearchAttributesRequest.with {
            $0.namespace = server.namespace
            for (name, type) in zip(name, type) { $0.searchAttributes[name] = type.wire }
        }
        try await server.withCalls { calls in
            _ = try await calls.operator(
                "AddSearchAttributes", request, as: Temporal_Api_Operatorservice_V1_AddSearchAttributesResponse.self)
        }
        Terminal.line("search attributes added")
    }
}

struct ListSearchAttributes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List search attributes.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let request = Temporal_Api_Operatorservice_V1_ListSearchAttributesRequest.with {
            $0.namespace = server.namespace
        }
        let found = try await server.withCalls { calls in
            try await calls.operator(
                "ListSearchAttributes", request, as: Temporal_Api_Operatorservice_V1_ListSearchAttributesResponse.self)
        }
        let custom = found.customAttributes.sorted { $0.key < $1.key }
        let system = found.systemAttributes.sorted { $0.key < $1.key }
        switch output.format {
        case .text:
            let lines = custom.map { [$0.key, AttributeTypeArgument.name(of: $0.value), "custom"] }
            let others = system.map { [$0.key, AttributeTypeArgument.name(of: $0.value), "system"] }
            Terminal.table([["NAME", "TYPE", ""]] + lines + others)
        case .json:
            func object(_ all: [(key: String, value: Temporal_Api_Enums_V1_IndexedValueType)]) -> Printable {
                .object(all.map { ($0.key, .string(AttributeTypeArgument.name(of: $0.value))) })
            }
            Terminal.line(
                Printable.object([("customAttributes", object(custom)), ("systemAttributes", object(system))]).json)
        }
    }
}

struct RemoveSearchAttributes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Forget search attributes; what workflows carry stays with them.")
    @OptionGroup var server: ServerAddress
    @Option(name: .long, help: "Name; repeat for more.")
    var name: [String]

    func run() async throws {
        let request = Temporal_Api_Operatorservice_V1_RemoveSearchAttributesRequest.with {
            $0.namespace = server.namespace
            $0.searchAttributes = name
        }
        try await server.withCalls { calls in
            _ = try await calls.operator(
                "RemoveSearchAttributes", request,
                as: Temporal_Api_Operatorservice_V1_RemoveSearchAttributesResponse.self)
        }
        Terminal.line("search attributes removed")
    }
}
