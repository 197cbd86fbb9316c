import Engine
import History
import Runtime
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// What requests and answers say of other workflows.
extension WireService {
    /// Fills in the ids of the namespaces that commands name; an unknown one keeps an empty id, and the run hears of it.
    ///
    /// - Returns: the commands, and the name of the run's own namespace when any of them needs it.
    func resolved(
        _ commands: [WorkflowCommand], of run: RunKey
    ) async throws -> (commands: [WorkflowCommand], ownName: String) {
        guard commands.contains(where: { $0.targetNamespace != nil }) else { return (commands, "") }
        let own = try await namespace(run.namespace.value)
        var resolved = commands
        for index in commands.indices {
            guard let wanted = commands[index].targetNamespace, !wanted.name.isEmpty, wanted.name != own.name else {
                continue
            }
            do {
                let found = try await namespace(wanted.name)
                resolved[index].targetNamespace = NamespaceReference(name: found.name, id: found.id)
            } catch let rejection as Rejection {
                guard case .namespaceNotFound = rejection.kind else { throw rejection }
            }
        }
        return (resolved, own.name)
    }

    static func pending(_ child: PendingChildDescription) -> Temporal_Api_Workflow_V1_PendingChildExecutionInfo {
        .with {
            $0.workflowID = child.workflowID.value
            $0.runID = child.run?.value ?? ""
            $0.workflowTypeName = child.workflowType
            $0.initiatedID = child.initiatedEventID.value
            $0.parentClosePolicy = child.parentClosePolicy.wire
        }
    }
}
