import Activities
import Foundation
import Testing
import Worker
import WorkerTesting
import Workflows

@Suite("ntf.Redrive", .serialized)
struct RedriveWorkflowTests {
    private static func job(_ id: String, rate: Double) -> RedriveInput {
        RedriveInput(
            jobID: id, source: "notification", filter: DeadLetterFilter(code: "provider_5xx"), perSecond: rate,
            reason: "the provider is back", actor: "ops")
    }

    private static let options = StartOptions(
        id: DeadLetterQueues.workflow(source: "notification"), taskQueue: DeadLetterQueues.main)

    @Test(
        "200 entries at 10 a second take at least 20 s; each becomes one workflow; a worker that dies between changes nothing"
    )
    func pace() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<200 { try await bench.park(number) }
            for number in 200..<210 { try await bench.park(number, code: "rejected") }
            let started = StartedWorkflows(diesAfter: 57)
            let services = RedriveServices(pool: bench.pool) { restart in
                do {
                    try started.start(restart)
                } catch {
                    started.heal()
                    throw error
                }
            }
            try await TestEnvironment.run { environment in
                try await environment.withWorker(
                    taskQueue: DeadLetterQueues.main, workflows: DeadLetterWorkflows.all,
                    activities: DeadLetterActivities.all(services)
                ) {
                    let begin = environment.now
                    let result = try await environment.client.execute(
                        RedriveWorkflow.self, Self.job("j1", rate: 10), options: Self.options)
                    #expect(result.state == "COMPLETED")
                    #expect(result.total == 200)
                    #expect(result.done == 200)
                    #expect(environment.now.timeIntervalSince(begin) >= 20)
                }
            }
            #expect(started.ids.count == 200)
            #expect(Set(started.ids) == Set((0..<200).map { "ntf:acme:n\($0):r1" }))
            #expect(
                try await bench.texts(
                    "select state || ' ' || count(*) from wf_dlq.dlq_entry group by state order by state")
                    == ["PARKED 10", "REDRIVEN 200"])
        }
    }

    @Test("A second redrive of a source is refused while one runs; a cancel ends it at once and frees the rest")
    func cancel() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<30 { try await bench.park(number) }
            let started = StartedWorkflows()
            let services = RedriveServices(pool: bench.pool) { try started.start($0) }
            try await TestEnvironment.run { environment in
                try await environment.withWorker(
                    taskQueue: DeadLetterQueues.main, workflows: DeadLetterWorkflows.all,
                    activities: DeadLetterActivities.all(services)
                ) {
                    let client = environment.client
                    let handle = try await client.start(
                        RedriveWorkflow.self, Self.job("j1", rate: 2), options: Self.options)
                    await #expect(throws: WorkflowAlreadyStarted.self) {
                        try await client.start(RedriveWorkflow.self, Self.job("j2", rate: 2), options: Self.options)
                    }
                    try await environment.sleep(for: .seconds(3))
                    let before = environment.now
                    try await handle.cancel()
                    await #expect(throws: WorkflowFailed.self) { try await handle.result() }
                    #expect(environment.now.timeIntervalSince(before) < 1)
                    let done = started.ids.count
                    #expect(done > 0 && done < 30)
                    let progress: RedriveProgress = try await handle.query("progress")
                    #expect(progress.status == "CANCELED")
                    #expect(progress.done == done)
                    #expect(
                        try await bench.texts(
                            "select count(*)::text from wf_dlq.dlq_entry where state = 'PARKED' and redrive_job is null"
                        )
                            == ["\(30 - done)"])
                    #expect(try await bench.store.jobs(limit: 5).first?.state == "CANCELED")
                    // What was freed can be redriven, and nothing twice.
                    let rest = try await client.execute(
                        RedriveWorkflow.self, Self.job("j3", rate: 500), options: Self.options)
                    #expect(rest.total == 30 - done)
                    #expect(Set(started.ids).count == 30)
                }
            }
        }
    }

    @Test("A paused redrive takes nothing, and goes on when it may")
    func pause() async throws {
        try await DeadLetterBench.with { bench in
            for number in 0..<6 { try await bench.park(number) }
            let started = StartedWorkflows()
            let services = RedriveServices(pool: bench.pool) { try started.start($0) }
            try await TestEnvironment.run { environment in
                try await environment.withWorker(
                    taskQueue: DeadLetterQueues.main, workflows: DeadLetterWorkflows.all,
                    activities: DeadLetterActivities.all(services)
                ) {
                    let handle = try await environment.client.start(
                        RedriveWorkflow.self, Self.job("j1", rate: 1), options: Self.options)
                    try await environment.sleep(for: .milliseconds(1500))
                    try await handle.signal("pause")
                    try await environment.sleep(for: .seconds(5))
                    let held = started.ids.count
                    try await environment.sleep(for: .seconds(60))
                    #expect(started.ids.count == held)
                    #expect(held < 6)
                    try await handle.signal("resume")
                    #expect(try await handle.result().done == 6)
                }
            }
        }
    }

    @Test("Erasing runs as a workflow, once begun to its end")
    func erase() async throws {
        try await DeadLetterBench.with { bench in
            let keys = SubjectKeys(pool: bench.pool, master: .development)
            let request = NotificationRequest(
                id: "n1", tenant: "acme", recipient: Recipient(email: "ann.secret@example.com"),
                template: NotificationRequest.Template(id: "w"), category: .transactional)
            let sealed = try await keys.seal(request)
            let services = EraseServices(pool: bench.pool, keys: keys)
            try await TestEnvironment.run { environment in
                try await environment.withWorker(
                    workflows: [RegisteredWorkflow(EraseWorkflow.self)], activities: services.activities
                ) {
                    let subject = sealed.recipient.subject
                    let erased = try await environment.client.execute(
                        EraseWorkflow.self, EraseInput(tenant: "acme", subject: subject),
                        options: StartOptions(id: "erase:acme:\(subject)", taskQueue: environment.taskQueue))
                    #expect(erased.keys == 1)
                }
            }
            await #expect(throws: EffectFailure.self) { try await keys.open(sealed) }
        }
    }
}
