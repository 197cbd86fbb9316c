import Engine
import History
import Runtime
import Synchronization

extension ScriptedBackend {
    func refreshedNamespace(_ id: NamespaceID) async throws -> Namespace { try await namespace(named: id.value) }

    func addSearchAttributes(_ attributes: [String: SearchAttributeType], to namespace: NamespaceID) async throws {
        change(namespace) { $0.merge(attributes) { first, _ in first } }
    }

    func removeSearchAttributes(_ names: [String], from namespace: NamespaceID) async throws {
        change(namespace) { attributes in for name in names { attributes[name] = nil } }
    }

    private func change(_ namespace: NamespaceID, _ body: (inout [String: SearchAttributeType]) -> Void) {
        state.withLock { state in
            for index in state.namespaces.indices where state.namespaces[index].id == namespace {
                body(&state.namespaces[index].searchAttributes)
            }
        }
    }

    func recordWorker(_ worker: WorkerRecord, in namespace: NamespaceID) async throws {
        state.withLock { state in
            state.workers.removeAll { $0.instanceKey == worker.instanceKey }
            state.workers.append(worker)
        }
    }

    func workers(in namespace: NamespaceID) async throws -> [WorkerRecord] {
        state.withLock { $0.workers.sorted { $0.instanceKey < $1.instanceKey } }
    }

    func operate(
        on activities: ActivitySelection, of target: RunTarget, _ operation: ActivityOperation, identity: String
    ) async throws -> ActivityTaskOptions? {
        state.withLock { $0.operations.append((activities, target, operation)) }
        return nil
    }

    func updateOptions(
        of target: RunTarget, _ change: RunOptionsChange, identity: String
    ) async throws -> RunOptions { RunOptions() }
}
