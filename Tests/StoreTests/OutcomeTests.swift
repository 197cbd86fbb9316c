import History
import Postgres
import Runtime
import ServerTestKit
import Store
import Testing

@Suite("A commit whose answer is lost is reported as unknown, never guessed")
struct OutcomeTests {
    private func proxied() async throws -> (CuttingProxy, PostgresStore, CommitBatch, RunKey) {
        let server = try await TestStore.shared.server()
        let database = try await TestStore.shared.database()
        let proxy = try CuttingProxy(target: server.socketFolder)
        let configuration = PostgresConfiguration(url: proxy.url(database: database))
        let store = try await PostgresStore.open(
            PostgresStore.Configuration(configuration, laneCount: TestStore.laneCount))
        let lanes = try await store.acquireLanes(node: "a", address: "", limit: 1, seconds: 60)
        // The writer's connection is made now, so that the cut hits the commit and not the greeting.
        try await store.commit(CommitBatch(lane: 0, epoch: lanes[0].epoch, writes: [start(key("warm"))]))
        let key = key("order")
        return (proxy, store, CommitBatch(lane: 0, epoch: lanes[0].epoch, writes: [start(key)]), key)
    }

    private func isUnknown(_ error: StoreError?) -> Bool {
        if case .outcomeUnknown = error { true } else { false }
    }

    @Test("Cut between the commit and its answer: it happened, and a reload shows it")
    func answerLost() async throws {
        let (proxy, store, batch, key) = try await proxied()
        defer { proxy.stop() }
        proxy.arm(.afterRequest)
        let error = await #expect(throws: StoreError.self) { try await store.commit(batch) }
        #expect(isUnknown(error))
        #expect(try await store.loadRun(namespace: key.namespace, workflow: key.workflow, run: nil)?.version == 1)
        await #expect(throws: StoreError.alreadyExists([key])) { try await store.commit(batch) }
    }

    @Test("Cut before the commit arrives: it did not happen, and the caller cannot know either")
    func requestLost() async throws {
        let (proxy, store, batch, key) = try await proxied()
        defer { proxy.stop() }
        proxy.arm(.beforeRequest)
        let error = await #expect(throws: StoreError.self) { try await store.commit(batch) }
        #expect(isUnknown(error))
        #expect(try await store.loadRun(namespace: key.namespace, workflow: key.workflow, run: nil) == nil)
        try await store.commit(batch)
        #expect(try await store.loadRun(namespace: key.namespace, workflow: key.workflow, run: nil)?.version == 1)
    }

    @Test("A read whose connection is cut is asked again")
    func readCut() async throws {
        let (proxy, store, _, _) = try await proxied()
        defer { proxy.stop() }
        let warm = key("warm")
        #expect(try await store.loadRun(namespace: warm.namespace, workflow: warm.workflow, run: nil) != nil)
        proxy.arm(.afterRequest)
        #expect(try await store.loadRun(namespace: warm.namespace, workflow: warm.workflow, run: nil) != nil)
    }

    @Test("Without a server nothing was changed, and the store says so")
    func unreachable() async throws {
        let server = try await PrivatePostgres.temporary()
        let configuration = PostgresConfiguration(url: server.url())
        _ = try await SchemaMigrator(configuration).apply()
        let store = try await PostgresStore.open(PostgresStore.Configuration(configuration, laneCount: 1))
        let lease = try await store.acquireLanes(node: "a", address: "", limit: 1, seconds: 60)[0]
        let batch = CommitBatch(lane: 0, epoch: lease.epoch, writes: [start(key("order"))])
        await server.crash()
        let error = await #expect(throws: StoreError.self) { try await store.commit(batch) }
        guard case .unavailable = error else {
            Issue.record("expected unavailable, got \(String(describing: error))")
            return
        }
        try await server.start()
        try await store.commit(batch)
        await server.stop()
    }
}
