import Foundation
import Gateway
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import Testing

@Suite("A field that asks for what this server does not do is refused by its name")
struct ServedFieldTests {
    private func refused(
        _ method: String, _ request: some Message, service: String = WireMethod.workflowService
    ) async throws -> WireFailure {
        let call = WireCall(
            method: WireMethod(service: service, name: method), request: try request.serializedBytes())
        switch await WireService(backend: ScriptedBackend()).handle(call) {
        case .success: throw UnexpectedSuccess()
        case .failure(let failure): return failure
        }
    }

    @Test("Callbacks and skipped time of a start, alone or with a signal")
    func starts() async throws {
        let callbacks = try await refused(
            "StartWorkflowExecution", Requests.start { $0.completionCallbacks = [Data()] })
        #expect(callbacks.code == .invalidArgument && callbacks.message.hasPrefix("completion_callbacks"))
        let skipping = try await refused(
            "StartWorkflowExecution", Requests.start { $0.timeSkippingConfig = Data([8, 1]) })
        #expect(skipping.code == .unimplemented && skipping.message.hasPrefix("time_skipping_config"))
        let both = Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest.with {
            $0.namespace = "default"
            $0.workflowID = "w"
            $0.workflowType.name = "Hello"
            $0.taskQueue.name = "hello"
            $0.signalName = "s"
            $0.timeSkippingConfig = Data([8, 1])
        }
        #expect(try await refused("SignalWithStartWorkflowExecution", both).message.hasPrefix("time_skipping_config"))
    }

    @Test("Callbacks of an update")
    func updates() async throws {
        let request = Temporal_Api_Workflowservice_V1_UpdateWorkflowExecutionRequest.with {
            $0.namespace = "default"
            $0.workflowExecution.workflowID = "w"
            $0.request.meta.updateID = "u"
            $0.request.input.name = "add"
            $0.request.completionCallbacks = [Data()]
        }
        let failure = try await refused("UpdateWorkflowExecution", request)
        #expect(failure.code == .invalidArgument && failure.message.hasPrefix("completion_callbacks"))
    }

    @Test("Links that are too many or too large")
    func links() async throws {
        for links in [Array(repeating: Data([1]), count: 11), [Data(count: 4001)]] {
            let failure = try await refused("StartWorkflowExecution", Requests.start { $0.links = links })
            #expect(failure.code == .invalidArgument && failure.message.contains("link"))
        }
    }

    struct BadRegistration: Sendable, CustomTestStringConvertible {
        let field: String
        let change: @Sendable (inout Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest) -> Void
        var testDescription: String { field }
    }

    @Test(
        "Other clusters and archives of a namespace",
        arguments: [
            BadRegistration(field: "is_global_namespace") { $0.isGlobalNamespace = true },
            BadRegistration(field: "active_cluster_name") { $0.activeClusterName = "elsewhere" },
            BadRegistration(field: "clusters") { $0.clusters = [.with { $0.clusterName = "elsewhere" }] },
            BadRegistration(field: "history_archival_state") { $0.historyArchivalState = .enabled },
            BadRegistration(field: "visibility_archival_state") { $0.visibilityArchivalState = .enabled },
        ])
    func registrations(_ bad: BadRegistration) async throws {
        let request = Temporal_Api_Workflowservice_V1_RegisterNamespaceRequest.with {
            $0.namespace = "new"
            $0.workflowExecutionRetentionPeriod.seconds = 86_400
            bad.change(&$0)
        }
        let failure = try await refused("RegisterNamespace", request)
        #expect(failure.code == .invalidArgument && failure.message.hasPrefix(bad.field))
    }

    struct BadChange: Sendable, CustomTestStringConvertible {
        let field: String
        let change: @Sendable (inout Temporal_Api_Workflowservice_V1_UpdateNamespaceRequest) -> Void
        var testDescription: String { field }
    }

    @Test(
        "What a namespace cannot be changed to",
        arguments: [
            BadChange(field: "promote_namespace") { $0.promoteNamespace = true },
            BadChange(field: "delete_bad_binary") { $0.deleteBadBinary = "x" },
            BadChange(field: "bad_binaries") { $0.config.badBinaries.binaries = ["x": .init()] },
            BadChange(field: "custom_search_attribute_aliases") { $0.config.customSearchAttributeAliases = ["a": "b"] },
            BadChange(field: "active_cluster_name") { $0.replicationConfig.activeClusterName = "elsewhere" },
        ])
    func changes(_ bad: BadChange) async throws {
        let request = Temporal_Api_Workflowservice_V1_UpdateNamespaceRequest.with {
            $0.namespace = "default"
            bad.change(&$0)
        }
        #expect(try await refused("UpdateNamespace", request).message.hasPrefix(bad.field))
    }

    @Test("A deletion that should wait")
    func deletion() async throws {
        let request = Temporal_Api_Operatorservice_V1_DeleteNamespaceRequest.with {
            $0.namespace = "default"
            $0.namespaceDeleteDelay.seconds = 60
        }
        let failure = try await refused("DeleteNamespace", request, service: WireMethod.operatorService)
        #expect(failure.code == .unimplemented && failure.message.hasPrefix("namespace_delete_delay"))
    }
}
