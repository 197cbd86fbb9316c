import History
import Runtime
import Store
import Testing

@Suite("An idempotency key is claimed once")
struct RequestTests {
    private func claim(
        _ key: String, operation: String, expiresAt: Int64 = .max, scope: String = "shop POST /v1/payments"
    ) -> RequestClaim {
        RequestClaim(
            scope: scope, key: key, fingerprint: [1, 2, 3], operationID: operation, operationKind: "pay.Charge",
            createdAt: Timestamp(nanoseconds: 10), expiresAt: Timestamp(nanoseconds: expiresAt))
    }

    @Test("The claim is stored with its start and finds the run by key and by operation")
    func claimed() async throws {
        let fixture = try await Fixture()
        let run = key("pay-1")
        let claim = claim("k1", operation: "op-1")
        try await fixture.store.commit(fixture.batch([start(run, claim: claim)]))
        let expected = StoredRequest(claim: claim, run: run, answer: nil)
        #expect(try await fixture.store.request(scope: claim.scope, key: "k1") == expected)
        #expect(try await fixture.store.operation(id: "op-1") == expected)
        #expect(try await fixture.store.request(scope: "other", key: "k1") == nil)
        #expect(try await fixture.store.operation(id: "op-2") == nil)
    }

    @Test("A second claim loses by name and takes its whole batch with it")
    func taken() async throws {
        let fixture = try await Fixture()
        try await fixture.store.commit(fixture.batch([start(key("pay-1"), claim: claim("k1", operation: "op-1"))]))
        let second = key("pay-2")
        await #expect(throws: StoreError.alreadyExists([second])) {
            try await fixture.store.commit(
                fixture.batch([
                    start(key("pay-3"), claim: claim("k3", operation: "op-3")),
                    start(second, claim: claim("k1", operation: "op-2")),
                ]))
        }
        #expect(try await fixture.load(key("pay-3")) == nil)
        #expect(try await fixture.store.operation(id: "op-3") == nil)
    }

    @Test("Two claims of one key in one batch: the second one is refused")
    func twiceInABatch() async throws {
        let fixture = try await Fixture()
        await #expect(throws: StoreError.self) {
            try await fixture.store.commit(
                fixture.batch([
                    start(key("pay-1"), claim: claim("k1", operation: "op-1")),
                    start(key("pay-2"), claim: claim("k1", operation: "op-2")),
                ]))
        }
        #expect(try await fixture.store.request(scope: claim("", operation: "").scope, key: "k1") == nil)
    }

    @Test("Of fifty claims at once exactly one wins")
    func race() async throws {
        let fixture = try await Fixture()
        let store = fixture.store
        let wins = await withTaskGroup(of: Int.self) { group in
            for index in 0..<50 {
                let write = start(key("pay-\(index)"), claim: claim("k1", operation: "op-\(index)"))
                group.addTask {
                    do throws(StoreError) {
                        try await store.commit(fixture.batch([write]))
                        return 1
                    } catch {
                        #expect(error == .alreadyExists([write.summary.key]))
                        return 0
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wins == 1)
    }

    @Test("An expired key may be claimed again; the old operation is still found")
    func expired() async throws {
        let fixture = try await Fixture()
        try await fixture.store.commit(
            fixture.batch([start(key("pay-1"), claim: claim("k1", operation: "op-1", expiresAt: 20))]))
        #expect(try await fixture.store.request(scope: claim("", operation: "").scope, key: "k1") == nil)
        try await fixture.store.commit(fixture.batch([start(key("pay-2"), claim: claim("k1", operation: "op-2"))]))
        #expect(try await fixture.store.request(scope: claim("", operation: "").scope, key: "k1")?.run == key("pay-2"))
        #expect(try await fixture.store.operation(id: "op-1")?.run == key("pay-1"))
    }

    @Test("The first answer stays, byte for byte")
    func answers() async throws {
        let fixture = try await Fixture()
        let claim = claim("k1", operation: "op-1")
        try await fixture.store.commit(fixture.batch([start(key("pay-1"), claim: claim)]))
        let answer = StoredAnswer(
            status: 202, headers: ["Location: /v1/operations/op-1"], body: Array(#"{"é":1}"#.utf8))
        try await fixture.store.saveAnswer(scope: claim.scope, key: claim.key, answer: answer)
        try await fixture.store.saveAnswer(
            scope: claim.scope, key: claim.key, answer: StoredAnswer(status: 500, headers: [], body: []))
        #expect(try await fixture.store.request(scope: claim.scope, key: claim.key)?.answer == answer)
    }
}
