import History
import Postgres
import Runtime
import Store
import Testing

@Suite("Search attributes and counts")
struct SearchTests {
    private let values: [String: [SearchValue]] = [
        "both": [
            SearchValue(name: "Customer", type: .keyword, content: .words(["anna"])),
            SearchValue(name: "Tags", type: .keywordList, content: .words(["red", "blue"])),
            SearchValue(name: "Amount", type: .int, content: .number(12)),
            SearchValue(name: "Price", type: .double, content: .real(1.5)),
            SearchValue(name: "Note", type: .text, content: .words(["fast", "delivery"])),
        ],
        "other": [
            SearchValue(name: "Customer", type: .keyword, content: .words(["bert"])),
            SearchValue(name: "Tags", type: .keywordList, content: .words(["green"])),
            SearchValue(name: "Amount", type: .int, content: .number(-3)),
            SearchValue(name: "Paid", type: .bool, content: .number(1)),
            SearchValue(name: "Due", type: .datetime, content: .number(1_000)),
        ],
        "bare": [],
    ]

    private func filled() async throws -> (Fixture, [RunSummary]) {
        let fixture = try await Fixture()
        var writes: [RunWrite] = []
        for (name, values) in values.sorted(by: { $0.key < $1.key }) {
            var write = start(key(name))
            write.searchValues = values.isEmpty ? nil : values
            writes.append(write)
        }
        try await fixture.store.commit(fixture.batch(writes))
        return (fixture, try await fixture.store.listRuns(VisibilityQuery(namespace: Fixture.namespace, limit: 100)))
    }

    @Test("A filter over attributes finds in Postgres what it means, alone and under NOT, AND and OR")
    func meaning() async throws {
        let (fixture, all) = try await filled()
        let customer = VisibilityColumn.attribute("Customer", .keyword)
        let tags = VisibilityColumn.attribute("Tags", .keywordList)
        let amount = VisibilityColumn.attribute("Amount", .int)
        let price = VisibilityColumn.attribute("Price", .double)
        let note = VisibilityColumn.attribute("Note", .text)
        var filters: [VisibilityFilter] = [
            .startsWith(customer, "an"), .oneOf(tags, [.text("red"), .text("green")]),
            .between(amount, .number(-5), .number(5)), .compare(price, .equal, .real(1.5)),
            .compare(note, .equal, .text("fast")), .oneOf(note, [.text("slow"), .text("delivery")]),
            .compare(.attribute("Paid", .bool), .equal, .number(1)),
            .compare(.attribute("Due", .datetime), .less, .number(2_000)),
            .compare(.attribute("Nothing", .keyword), .notEqual, .text("x")),
            .compare(.parentWorkflowID, .equal, .text("p")), .compare(.rootWorkflowID, .equal, .text("bare")),
        ]
        for comparison in VisibilityFilter.Comparison.allCases {
            filters.append(.compare(customer, comparison, .text("anna")))
            filters.append(.compare(amount, comparison, .number(12)))
            filters.append(.compare(price, comparison, .real(1)))
        }
        filters += [.compare(tags, .equal, .text("blue")), .compare(tags, .notEqual, .text("blue"))]
        filters += [customer, tags, amount, price, note].map { .isMissing($0) }
        filters += filters.map { .not($0) }
        filters += [
            .all([.compare(customer, .equal, .text("anna")), .compare(amount, .greater, .number(1))]),
            .all([.compare(tags, .equal, .text("red")), .compare(tags, .equal, .text("blue"))]),
            .any([.compare(customer, .equal, .text("bert")), .compare(note, .equal, .text("fast"))]),
            .all([.compare(customer, .equal, .text("anna")), .compare(.status, .equal, .number(2))]),
        ]
        for filter in filters {
            let query = VisibilityQuery(namespace: Fixture.namespace, filter: filter, limit: 100)
            let expected = all.filter { filter.matches($0, values[$0.key.workflow.value] ?? []) == true }
            #expect(try await fixture.store.listRuns(query) == expected, "\(filter)")
            #expect(try await fixture.store.countRuns(query) == Int64(expected.count), "\(filter)")
        }
    }

    @Test("Pages of one attribute's value hold every run once, before and after they close")
    func pages() async throws {
        let fixture = try await Fixture()
        let vip = SearchValue(name: "Customer", type: .keyword, content: .words(["vip"]))
        var writes = (0..<20).map { start(key("w-\($0)"), startTime: Int64($0 % 4)) }
        for index in writes.indices { writes[index].searchValues = [vip] }
        try await fixture.store.commit(fixture.batch(writes))
        let closing = (0..<9).map { index -> RunWrite in
            var write = StoreTests.update(
                key("w-\(index)"), version: 1, status: .completed, wakeAt: nil, startTime: Int64(index % 4),
                closeTime: Int64(100 + index % 3))
            write.searchValues = [vip]
            return write
        }
        try await fixture.store.commit(fixture.batch(closing))
        let filter = VisibilityFilter.compare(.attribute("Customer", .keyword), .equal, .text("vip"))
        var seen: [RunSummary] = []
        while true {
            let page = try await fixture.store.listRuns(
                VisibilityQuery(namespace: Fixture.namespace, filter: filter, after: seen.last, limit: 3))
            if page.isEmpty { break }
            seen += page
        }
        let all = try await fixture.store.listRuns(VisibilityQuery(namespace: Fixture.namespace, limit: 100))
        #expect(seen == all)
        #expect(seen.prefix(11).allSatisfy { $0.status == .running })
    }

    @Test("Changed attributes replace the old ones; none left is found by none")
    func replaced() async throws {
        let (fixture, _) = try await filled()
        func found(_ word: String) async throws -> Int {
            let filter = VisibilityFilter.compare(.attribute("Customer", .keyword), .equal, .text(word))
            return try await fixture.store.listRuns(
                VisibilityQuery(namespace: Fixture.namespace, filter: filter, limit: 9)
            ).count
        }
        var write = StoreTests.update(key("both"), version: 1, events: [event(3, type: 40)])
        write.searchValues = [SearchValue(name: "Customer", type: .keyword, content: .words(["carl"]))]
        try await fixture.store.commit(fixture.batch([write]))
        #expect(try await [found("anna"), found("carl")] == [0, 1])
        var cleared = StoreTests.update(key("both"), version: 2, events: [event(4, type: 40)])
        cleared.searchValues = []
        try await fixture.store.commit(fixture.batch([cleared]))
        #expect(try await [found("anna"), found("carl"), found("bert")] == [0, 0, 1])
    }

    @Test("A run of a division is listed and counted only for those who ask for the division")
    func division() async throws {
        let fixture = try await Fixture()
        var hidden = start(key("hidden"))
        hidden.searchValues = [
            SearchValue(name: "TemporalNamespaceDivision", type: .keyword, content: .words(["inner"]))
        ]
        try await fixture.store.commit(fixture.batch([hidden, start(key("plain"))]))
        let plain = VisibilityQuery(namespace: Fixture.namespace, limit: 9)
        #expect(try await fixture.store.listRuns(plain).map(\.key.workflow) == ["plain"])
        #expect(try await fixture.store.countRuns(plain) == 1)
        let asked = VisibilityQuery(
            namespace: Fixture.namespace,
            filter: .compare(.attribute("TemporalNamespaceDivision", .keyword), .equal, .text("inner")), limit: 9)
        #expect(try await fixture.store.listRuns(asked).map(\.key.workflow) == ["hidden"])
    }

    @Test(
        "Removing closed runs takes their events, attempts and values along, keeps open ones, and the counts stay exact"
    )
    func forgetting() async throws {
        let (fixture, _) = try await filled()
        var close = StoreTests.update(key("both"), version: 1, status: .completed, wakeAt: nil, closeTime: 500)
        close.searchValues = values["both"]
        try await fixture.store.commit(fixture.batch([close]))
        let due = try await fixture.store.runs(
            of: Fixture.namespace, slots: 0...(Slots.count - 1), closedBefore: Timestamp(nanoseconds: 501), limit: 10)
        #expect(due == [key("both")])
        #expect(try await fixture.store.forgetRuns(due + [key("bare")]) == 1)
        #expect(try await fixture.store.forgetRuns(due) == 0)
        let events = try await fixture.store.readEvents(
            key("both"), from: .first, through: EventID(99), limit: 9, newestFirst: false)
        #expect(events.isEmpty)
        let left = try await fixture.store.listRuns(VisibilityQuery(namespace: Fixture.namespace, limit: 9))
        #expect(left.map(\.key.workflow.value).sorted() == ["bare", "other"])
        #expect(
            try await fixture.store.countRunsByStatus(VisibilityQuery(namespace: Fixture.namespace, limit: 0))
                == [StatusCount(status: .running, count: 2)])
        let filter = VisibilityFilter.compare(.attribute("Customer", .keyword), .equal, .text("anna"))
        let found = VisibilityQuery(namespace: Fixture.namespace, filter: filter, limit: 9)
        #expect(try await fixture.store.countRuns(found) == 0)
    }

    @Test("A deleted namespace loses its open runs too, and then itself")
    func deletedNamespace() async throws {
        let (fixture, _) = try await filled()
        var namespace = Namespace(id: Fixture.namespace, name: "default", retention: .days(1))
        try await fixture.store.insertNamespace(namespace)
        try await fixture.store.addSearchAttributes(["Customer": .keyword, "Amount": .int], to: namespace.id)
        try await fixture.store.addSearchAttributes(["Customer": .text], to: namespace.id)
        namespace.searchAttributes = ["Customer": .keyword, "Amount": .int]
        #expect(try await fixture.store.namespaces() == [namespace])
        try await fixture.store.removeEmptyNamespace(namespace.id)
        #expect(try await fixture.store.namespaces().count == 1)
        namespace.state = Namespace.deleted
        try await fixture.store.updateNamespace(namespace)
        try await fixture.store.removeEmptyNamespace(namespace.id)
        #expect(try await fixture.store.namespaces().count == 1, "it still has runs")
        let all = try await fixture.store.runs(
            of: namespace.id, slots: 0...(Slots.count - 1), closedBefore: nil, limit: 10)
        #expect(try await fixture.store.forgetRuns(all) == 3)
        try await fixture.store.removeEmptyNamespace(namespace.id)
        #expect(try await fixture.store.namespaces().isEmpty)
    }
}
