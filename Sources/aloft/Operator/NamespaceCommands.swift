import ArgumentParser
import SwiftProtobuf
import TemporalAPI

private typealias Described = Temporal_Api_Workflowservice_V1_DescribeNamespaceResponse

struct CreateNamespace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Register a namespace.")
    @OptionGroup var server: ServerAddress
    @Argument(help: "Its name; the one of --namespace if not given.")
    var name: String?
    @Option(name: .long, help: "How long closed workflows are kept, for example 3d.")
    var retention = SpanArgument(seconds: 3 * 86_400)
    @Option(name: .long, help: "What it is for.")
    var description: String = ""
    @Option(name: .long, help: "Whom to write to.")
    var email: String = ""

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest.with {
            $0.namespace = name ?? server.namespace
            $0.description_p = description
            $0.ownerEmail = email
            $0.workflowExecutionRetentionPeriod = retention.duration
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "RegisterNamespace", request, as: Temporal_Api_Workflowservice_V1_RegisterNamespaceResponse.self)
        }
        Terminal.line("namespace \(request.namespace) registered")
    }
}

struct DescribeNamespace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "describe", abstract: "Show a namespace.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions
    @Argument(help: "Its name; the one of --namespace if not given.")
    var name: String?

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_DescribeNamespaceRequest.with {
            $0.namespace = name ?? server.namespace
        }
        let found = try await server.withCalls {
            try await $0.workflow("DescribeNamespace", request, as: Described.self)
        }
        switch output.format {
        case .text: Terminal.table(NamespaceLines.table(found))
        case .json: Terminal.line(NamespaceLines.printable(found).json)
        }
    }
}

struct ListNamespaces: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List namespaces.")
    @OptionGroup var server: ServerAddress
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let found = try await server.withCalls { calls in
            var found: [Described] = []
            var request = Temporal_Api_Workflowservice_V1_ListNamespacesRequest()
            repeat {
                let page = try await calls.workflow(
                    "ListNamespaces", request, as: Temporal_Api_Workflowservice_V1_ListNamespacesResponse.self)
                found += page.namespaces
                request.nextPageToken = page.nextPageToken
            } while !request.nextPageToken.isEmpty
            return found
        }
        switch output.format {
        case .text:
            Terminal.table([["NAMESPACE", "STATE", "RETENTION", "DESCRIPTION"]] + found.map(NamespaceLines.line))
        case .json: Terminal.line(Printable.list(found.map(NamespaceLines.printable)).json)
        }
    }
}

struct UpdateNamespace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "update", abstract: "Change a namespace.")
    @OptionGroup var server: ServerAddress
    @Argument(help: "Its name; the one of --namespace if not given.")
    var name: String?
    @Option(name: .long, help: "How long closed workflows are kept, for example 3d.")
    var retention: SpanArgument?
    @Option(name: .long, help: "What it is for.")
    var description: String?
    @Option(name: .long, help: "Whom to write to.")
    var email: String?

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_UpdateNamespaceRequest.with {
            $0.namespace = name ?? server.namespace
            $0.updateInfo = .with {
                $0.description_p = description ?? ""
                $0.ownerEmail = email ?? ""
            }
            if let retention { $0.config.workflowExecutionRetentionTtl = retention.duration }
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "UpdateNamespace", request, as: Temporal_Api_Workflowservice_V1_UpdateNamespaceResponse.self)
        }
        Terminal.line("namespace \(request.namespace) updated")
    }
}

struct DeprecateNamespace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deprecate", abstract: "Let a namespace take no new workflows any more.")
    @OptionGroup var server: ServerAddress
    @Argument(help: "Its name; the one of --namespace if not given.")
    var name: String?

    func run() async throws {
        let request = Temporal_Api_Workflowservice_V1_DeprecateNamespaceRequest.with {
            $0.namespace = name ?? server.namespace
        }
        try await server.withCalls { calls in
            _ = try await calls.workflow(
                "DeprecateNamespace", request, as: Temporal_Api_Workflowservice_V1_DeprecateNamespaceResponse.self)
        }
        Terminal.line("namespace \(request.namespace) deprecated")
    }
}

struct DeleteNamespace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Remove a namespace with all its workflows.")
    @OptionGroup var server: ServerAddress
    @Argument(help: "Its name.")
    var name: String
    @Flag(name: [.long, .customShort("y")], help: "Do not ask.")
    var yes = false

    func run() async throws {
        guard yes else { throw CommandFailure("all workflows of \(name) would be lost: repeat with --yes") }
        let request = Temporal_Api_Operatorservice_V1_DeleteNamespaceRequest.with { $0.namespace = name }
        let response = try await server.withCalls { calls in
            try await calls.operator(
                "DeleteNamespace", request, as: Temporal_Api_Operatorservice_V1_DeleteNamespaceResponse.self)
        }
        Terminal.line("namespace \(name) deleted; its workflows go in the background as \(response.deletedNamespace)")
    }
}

private enum NamespaceLines {
    static func state(_ found: Described) -> String {
        switch found.namespaceInfo.state {
        case .registered: "Registered"
        case .deprecated: "Deprecated"
        case .deleted: "Deleted"
        case .unspecified, .UNRECOGNIZED: "Unspecified"
        }
    }

    static func line(_ found: Described) -> [String] {
        [
            found.namespaceInfo.name, state(found), SpanArgument.text(found.config.workflowExecutionRetentionTtl),
            found.namespaceInfo.description_p,
        ]
    }

    static func table(_ found: Described) -> [[String]] {
        [
            ["name", found.namespaceInfo.name], ["id", found.namespaceInfo.id], ["state", state(found)],
            ["retention", SpanArgument.text(found.config.workflowExecutionRetentionTtl)],
            ["description", found.namespaceInfo.description_p], ["email", found.namespaceInfo.ownerEmail],
        ]
    }

    static func printable(_ found: Described) -> Printable {
        .object([
            ("name", .string(found.namespaceInfo.name)), ("id", .string(found.namespaceInfo.id)),
            ("state", .string(state(found))),
            ("retention", .string(SpanArgument.text(found.config.workflowExecutionRetentionTtl))),
            ("description", .string(found.namespaceInfo.description_p)),
            ("ownerEmail", .string(found.namespaceInfo.ownerEmail)),
        ])
    }
}
