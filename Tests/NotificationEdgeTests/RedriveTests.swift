import Foundation
import Testing

@testable import Activities

private let scope = EffectScope(workflowID: "redrive:notification")

private func job(_ id: String, _ change: (inout RedriveInput) -> Void = { _ in }) -> RedriveInput {
    var input = RedriveInput(jobID: id, source: "notification", reason: "the provider is back", actor: "ops")
    change(&input)
    return input
}

@Suite("Dead letters and redrive", .serialized)
struct RedriveTests {
    @Test("Entries are listed page by page, shown, counted and previewed; a preview changes nothing")
    func looking() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<25 {
                try await bench.park(number, code: number % 5 == 0 ? "template_error" : "provider_5xx")
            }
            try await bench.park(3)  // once only
            var filter = DeadLetterFilter(source: "notification", state: "PARKED")
            var seen: [String] = []
            var place: DeadLetterStore.Place?
            repeat {
                let page = try await bench.store.list(filter, after: place, limit: 7)
                seen += page.map(\.entry.key)
                place = page.count == 7 ? page.last?.place : nil
            } while place != nil
            #expect(seen.count == 25)
            #expect(Set(seen).count == 25)
            filter.code = "template_error"
            let first = try #require(try await bench.store.list(filter, limit: 10).first?.entry)
            let shown = try await bench.store.show(first.id)
            #expect(shown.attempts.count == 4)
            #expect(shown.attempts.last?.text == "try later")
            #expect(try await bench.store.stats().parked == 25)
            #expect(try await bench.store.gauges().sources.first?.depth == 25)

            let preview = try await bench.store.preview(DeadLetterFilter(source: "notification"))
            #expect(preview.count == 25)
            #expect(preview.byCode == ["provider_5xx": 20, "template_error": 5])
            #expect(preview.samples.count == 5)
            #expect(preview.oldest != nil)
            #expect(try await bench.texts("select distinct state from wf_dlq.dlq_entry") == ["PARKED"])
            #expect(try await bench.texts("select count(*)::text from wf_dlq.redrive_job") == ["0"])
        }
    }

    @Test(
        "Each chosen entry becomes one new workflow, the others stay; the generation moves only where nothing happened")
    func redriving() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<20 { try await bench.park(number, code: number < 15 ? "provider_5xx" : "rejected") }
            try await bench.park(100, isOutcomeKnown: false)
            let started = StartedWorkflows()
            let services = RedriveServices(pool: bench.pool) { try started.start($0) }
            let input = job("j1") {
                $0.filter.code = "provider_5xx"
                $0.overrides = ["template.version": "5", "channel": "sms", "provider": "sms-b"]
            }
            #expect(try await services.open(input, scope).total == 16)
            #expect(try await services.open(input, scope).total == 16)
            var rounds = 0
            while try await !services.batch(RedriveBatchInput(job: input, count: 10), scope).isEmpty { rounds += 1 }
            #expect(rounds == 1)
            let closed = try await services.close(CloseRedriveInput(job: input, state: "COMPLETED"), scope)
            #expect(closed.done == 16)
            #expect(Set(started.ids) == Set(((0..<15) + [100]).map { "ntf:acme:n\($0):r1" }))
            let request = try #require(started.requests["ntf:acme:n3:r1"])
            #expect(request.generation == 1)
            #expect(request.redrive == 1)
            #expect(request.template.version == 5)
            #expect(request.channels == [.sms])
            #expect(request.provider == "sms-b")
            #expect(started.requests["ntf:acme:n100:r1"]?.generation == 0)
            #expect(
                try await bench.texts(
                    "select state || ' ' || count(*) from wf_dlq.dlq_entry group by state order by state")
                    == ["PARKED 5", "REDRIVEN 16"])
            #expect(
                try await bench.texts("select count(*)::text from outbox.event where type = 'dlq.redriven'") == ["16"])
            #expect(
                try await bench.texts("select count(*)::text from wf_dlq.dlq_entry where redriven_as like '%:r1'")
                    == ["16"])
        }
    }

    @Test("A crash between the start and the note of it loses no entry and redrives none twice", arguments: [1, 3, 7])
    func crash(after: Int) async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<10 { try await bench.park(number) }
            let started = StartedWorkflows(diesAfter: after)
            let services = RedriveServices(pool: bench.pool) { try started.start($0) }
            let input = job("j1")
            _ = try await services.open(input, scope)
            await #expect(throws: StartedWorkflows.Killed.self) {
                try await services.batch(RedriveBatchInput(job: input, count: 10), scope)
            }
            started.heal()
            while try await !services.batch(RedriveBatchInput(job: input, count: 4), scope).isEmpty {}
            _ = try await services.close(CloseRedriveInput(job: input, state: "COMPLETED"), scope)
            #expect(started.ids.sorted() == (0..<10).map { "ntf:acme:n\($0):r1" })
            #expect(try await bench.texts("select distinct state from wf_dlq.dlq_entry") == ["REDRIVEN"])
            #expect(
                try await bench.texts("select count(*)::text from outbox.event where type = 'dlq.redriven'") == ["10"])
        }
    }

    @Test("After a cancel nothing more is taken; what is done stays done, what was half done is finished")
    func cancel() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<10 { try await bench.park(number) }
            let started = StartedWorkflows(diesAfter: 4)
            let services = RedriveServices(pool: bench.pool) { try started.start($0) }
            let input = job("j1")
            _ = try await services.open(input, scope)
            _ = try? await services.batch(RedriveBatchInput(job: input, count: 10), scope)
            started.heal()
            _ = try await services.close(CloseRedriveInput(job: input, state: "CANCELED"), scope)
            let late = try await services.batch(RedriveBatchInput(job: input, count: 10), scope)
            #expect(late.taken == 0)
            #expect(
                try await bench.texts(
                    "select state || ' ' || count(*) from wf_dlq.dlq_entry group by state order by state")
                    == ["PARKED 6", "REDRIVEN 4"])
            // The rest may be taken by the next job.
            #expect(try await services.open(job("j2"), scope).total == 6)
        }
    }

    @Test("An entry that failed three redrives needs force; one without its request stays parked and says why")
    func force() async throws {
        try await DeadLetterBench.with { bench in
            try await bench.park(1, redrives: 3)
            try await bench.park(2)
            let started = StartedWorkflows()
            let services = RedriveServices(pool: bench.pool) { try started.start($0) }
            #expect(try await bench.store.preview(DeadLetterFilter(source: "notification")).needForce == 1)
            #expect(try await services.open(job("j1"), scope).total == 1)
            _ = try await services.close(CloseRedriveInput(job: job("j1"), state: "CANCELED"), scope)
            _ = try await bench.texts("update wf_ntf.notification set request = null where id = 'n2' returning id")
            let forced = job("j2") { $0.isForced = true }
            #expect(try await services.open(forced, scope).total == 2)
            let batch = try await services.batch(RedriveBatchInput(job: forced, count: 10), scope)
            #expect(batch.done == 1)
            #expect(batch.failed == 1)
            #expect(started.ids == ["ntf:acme:n1:r4"])
            #expect(
                try await bench.texts("select note from wf_dlq.dlq_entry where state = 'PARKED'").first?.contains(
                    "erased")
                    == true)
        }
    }

    @Test("A purge needs a second person, is done once, and keeps the row")
    func purge() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<4 { try await bench.park(number, code: number < 3 ? "rejected" : "provider_5xx") }
            let id = try await bench.store.askPurge(DeadLetterFilter(code: "rejected"), reason: "old", actor: "ann")
            await #expect(throws: DeadLetterStore.Refusal.needsAnother("whoever asked for a purge cannot approve it")) {
                try await bench.store.approvePurge(id, actor: "ann")
            }
            #expect(try await bench.store.gauges().sources.first?.depth == 4)
            #expect(try await bench.store.approvePurge(id, actor: "bob") == 3)
            #expect(try await bench.store.approvePurge(id, actor: "bob") == 3)
            #expect(try await bench.store.gauges().sources.first?.depth == 1)
            #expect(
                try await bench.texts(
                    "select count(*)::text from wf_dlq.dlq_entry where state = 'PURGED' and attempts = '[]'")
                    == ["3"])
            let left = try #require(
                try await bench.store.list(DeadLetterFilter(state: "PARKED"), limit: 10).first?.entry)
            try await bench.store.resolve(left.id, note: "called them", actor: "ann")
            await #expect(throws: DeadLetterStore.Refusal.self) {
                try await bench.store.resolve(left.id, note: "again", actor: "ann")
            }
            #expect(try await bench.texts("select count(*)::text from outbox.event where type = 'dlq.purged'") == ["1"])
        }
    }
}
