import Engine
import History
import Postgres
import Runtime
import Store
import Testing

@Suite("Lists, wake-ups and journals")
struct ReadingTests {
    @Test("Look-ups that share a query each find their own run, or none")
    func sharedLookups() async throws {
        let fixture = try await Fixture()
        let keys = (0..<20).map { key("order-\($0)") }
        try await fixture.store.commit(fixture.batch(keys.map { start($0) }))
        let found = try await withThrowingTaskGroup(of: (Int, RunID?).self) { group in
            for number in 0..<40 {
                group.addTask {
                    let workflow = WorkflowID("order-\(number)")
                    let run = try await fixture.store.loadRun(
                        namespace: Fixture.namespace, workflow: workflow, run: nil)
                    return (number, run?.summary.key.run)
                }
            }
            return try await group.reduce(into: [Int: RunID]()) { $0[$1.0] = $1.1 }
        }
        #expect(found == Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($0.offset, $0.element.run) }))
    }

    @Test(
        "Pages hold every run once: open ones first, then by close time, newest first",
        arguments: [1, 2, 3] as [UInt64])
    func paging(seed: UInt64) async throws {
        let fixture = try await Fixture()
        var generator = SeededGenerator(state: seed)
        var writes: [RunWrite] = []
        for index in 0..<60 {
            let startTime = Int64.random(in: 1...20, using: &generator)
            var write = start(key("w-\(index)"), startTime: startTime)
            if Bool.random(using: &generator) {
                write.summary.status = .completed
                write.summary.closeTime = Timestamp(
                    nanoseconds: startTime + Int64.random(in: 1...10, using: &generator))
            }
            writes.append(write)
        }
        try await fixture.store.commit(fixture.batch(writes))
        func position(_ run: RunSummary) -> (Int64, Int64, String) {
            (run.closeTime?.nanoseconds ?? .max, run.startTime.nanoseconds, run.key.run.value)
        }
        let expected = writes.map(\.summary).sorted { position($0) > position($1) }
        var seen: [RunSummary] = []
        while true {
            let page = try await fixture.store.listRuns(
                VisibilityQuery(namespace: Fixture.namespace, after: seen.last, limit: 7))
            if page.isEmpty { break }
            seen += page
        }
        #expect(seen == expected, "seed \(seed)")
    }

    @Test("A filter finds in Postgres what it means, and the counts by status agree")
    func filterMeaning() async throws {
        let fixture = try await Fixture()
        try await fixture.store.commit(
            fixture.batch([
                start(key("pay-1")), start(key("pay-2"), type: "Refund"), start(key("ship_%1")), start(key("order", 1)),
            ]))
        try await fixture.store.commit(
            fixture.batch([StoreTests.update(key("order", 1), version: 1, status: .failed, wakeAt: nil)]))
        let all = try await fixture.store.listRuns(VisibilityQuery(namespace: Fixture.namespace, limit: 100))
        var filters: [VisibilityFilter] = []
        for column in VisibilityColumn.ofRow {
            let isText = column.valueKind == .text
            let sample: VisibilityValue = isText ? .text("pay-1") : .number(1)
            let other: VisibilityValue = isText ? .text("ship") : .number(Int64.max)
            for comparison in VisibilityFilter.Comparison.allCases {
                filters.append(.compare(column, comparison, sample))
            }
            filters += [.between(column, sample, other), .oneOf(column, [sample, other]), .isMissing(column)]
            if isText { filters.append(.startsWith(column, "p")) }
        }
        filters += filters.map { .not($0) }
        filters += [
            .all([filters[0], filters[10]]), .any([filters[0], .not(filters[3])]), .all([]), .any([]),
            .oneOf(.status, []),
        ]
        for filter in filters {
            let query = VisibilityQuery(namespace: Fixture.namespace, filter: filter, limit: 100)
            let expected = all.filter { filter.matches($0) == true }
            #expect(try await fixture.store.listRuns(query) == expected, "\(filter)")
            #expect(try await fixture.store.countRuns(query) == Int64(expected.count), "\(filter)")
            let groups = try await fixture.store.countRunsByStatus(query)
            #expect(groups.map(\.status.rawValue) == Set(expected.map(\.status.rawValue)).sorted(), "\(filter)")
            #expect(groups.reduce(0) { $0 + $1.count } == Int64(expected.count), "\(filter)")
        }
        let ungrouped = VisibilityQuery(namespace: Fixture.namespace, workflowID: "order", limit: 1)
        #expect(try await fixture.store.countRunsByStatus(ungrouped) == [StatusCount(status: .failed, count: 1)])
    }

    @Test("Filters by id, prefix, type and status agree with their counts")
    func filters() async throws {
        let fixture = try await Fixture()
        try await fixture.store.commit(
            fixture.batch([
                start(key("pay-1")), start(key("pay-2"), type: "Refund"), start(key("ship_%1")), start(key("order", 1)),
            ]))
        try await fixture.store.commit(
            fixture.batch([
                StoreTests.update(key("order", 1), version: 1, status: .failed, wakeAt: nil),
                start(key("order", 2), startTime: 2_000, supersedes: key("order", 1).run),
            ]))
        func ids(_ query: VisibilityQuery) async throws -> [String] {
            let runs = try await fixture.store.listRuns(query)
            #expect(try await fixture.store.countRuns(query) == Int64(runs.count))
            return runs.map(\.key.workflow.value).sorted()
        }
        let namespace = Fixture.namespace
        #expect(try await ids(VisibilityQuery(namespace: namespace, limit: 10)).count == 5)
        #expect(
            try await ids(VisibilityQuery(namespace: namespace, workflowID: "order", limit: 10)) == ["order", "order"])
        #expect(
            try await ids(VisibilityQuery(namespace: namespace, workflowIDPrefix: "pay-", limit: 10)) == [
                "pay-1", "pay-2",
            ])
        #expect(
            try await ids(VisibilityQuery(namespace: namespace, workflowIDPrefix: "ship_%", limit: 10)) == ["ship_%1"])
        #expect(try await ids(VisibilityQuery(namespace: namespace, workflowIDPrefix: "%", limit: 10)).isEmpty)
        #expect(try await ids(VisibilityQuery(namespace: namespace, workflowType: "Refund", limit: 10)) == ["pay-2"])
        #expect(try await ids(VisibilityQuery(namespace: namespace, status: .failed, limit: 10)) == ["order"])
        let running = VisibilityFilter.compare(.status, .equal, .number(1))
        #expect(
            try await ids(VisibilityQuery(namespace: namespace, workflowID: "order", filter: running, limit: 10)) == [
                "order"
            ])
        let other = NamespaceID("22222222-2222-4222-8222-222222222222")
        #expect(try await ids(VisibilityQuery(namespace: other, limit: 10)).isEmpty)
    }

    @Test("Runs to wake come by time, page after page, only from the slots asked for")
    func wakeUps() async throws {
        let fixture = try await Fixture()
        let writes = (0..<40).map { index in
            start(key("w-\(index)"), wakeAt: index % 4 == 3 ? nil : Int64(index % 4) * 100)
        }
        try await fixture.store.commit(fixture.batch(writes))
        func wake(_ slots: ClosedRange<Int16>, until: Int64) async throws -> [WakeEntry] {
            var all: [WakeEntry] = []
            while true {
                let page = try await fixture.store.runsToWake(
                    slots: slots, until: Timestamp(nanoseconds: until), after: all.last, limit: 7)
                if page.isEmpty { return all }
                all += page
            }
        }
        let due = writes.filter { ($0.wakeAt?.nanoseconds ?? .max) <= 100 }
        let all = try await wake(0...(Slots.count - 1), until: 100)
        #expect(Set(all.map(\.key)) == Set(due.map(\.summary.key)))
        #expect(all.count == due.count)
        #expect(all.map(\.wakeAt) == all.map(\.wakeAt).sorted())
        let half = try await wake(0...511, until: 100)
        #expect(Set(half.map(\.key)) == Set(due.filter { $0.slot <= 511 }.map(\.summary.key)))
        #expect(try await wake(0...(Slots.count - 1), until: -1).isEmpty)
    }

    @Test("Attempts keep every kind of failure, oldest first")
    func attempts() async throws {
        let fixture = try await Fixture()
        let key = key("order")
        let traits = FailureTraits(
            kind: .application, type: "Declined", nonRetryable: true, nextRetryDelay: .seconds(3), timeoutType: nil,
            message: "no funds")
        let failures: [Failure?] = [
            .opaque(Blob([1, 2, 3]), traits: traits),
            .timeout(
                message: "too late", type: .startToClose, lastHeartbeatDetails: Blob([4]),
                cause: .timeout(message: "", type: .heartbeat, lastHeartbeatDetails: nil, cause: nil)),
            .server(message: "oops", nonRetryable: true), .reset(message: "reset"), nil,
        ]
        let attempts = failures.enumerated().map { index, failure in
            ActivityAttempt(
                scheduledEventID: EventID(5), activityID: "charge", attempt: Int32(index + 1),
                scheduledAt: Timestamp(nanoseconds: 1),
                startedAt: index == 1 ? nil : Timestamp(nanoseconds: 2), endedAt: Timestamp(nanoseconds: 3),
                identity: "worker",
                outcome: index == 1 ? .timedOut : .failed, failure: failure,
                retryAt: index == 4 ? nil : Timestamp(nanoseconds: 9))
        }
        try await fixture.store.commit(fixture.batch([start(key)]))
        try await fixture.store.commit(
            fixture.batch([StoreTests.update(key, version: 1, attempts: Array(attempts[0...2]))]))
        try await fixture.store.commit(
            fixture.batch([StoreTests.update(key, version: 2, attempts: Array(attempts[3...]))]))
        #expect(try await fixture.store.readAttempts(key, limit: 10) == attempts)
        #expect(try await fixture.store.readAttempts(key, limit: 2) == Array(attempts[..<2]))
        #expect(try await fixture.store.readAttempts(StoreTests.key("other"), limit: 2).isEmpty)
    }

    @Test("Namespaces are unique by name and keep all their fields")
    func namespaces() async throws {
        let fixture = try await Fixture()
        var namespace = Namespace(
            id: Fixture.namespace, name: "default", description: "d", ownerEmail: "o@example.com",
            data: [NamedBlob("k", Blob([1]))], retention: .days(3))
        try await fixture.store.insertNamespace(namespace)
        #expect(try await fixture.store.namespaces() == [namespace])
        await #expect(throws: StoreError.alreadyExists([])) {
            try await fixture.store.insertNamespace(
                Namespace(id: "22222222-2222-4222-8222-222222222222", name: "default", retention: .days(1)))
        }
        namespace.description = "changed"
        namespace.state = 2
        try await fixture.store.updateNamespace(namespace)
        #expect(try await fixture.store.namespaces() == [namespace])
        namespace.id = "33333333-3333-4333-8333-333333333333"
        let missing = namespace
        await #expect(throws: StoreError.self) { try await fixture.store.updateNamespace(missing) }
    }
}
