import History
import Testing

@testable import TemporalCodec

@Suite("Task tokens are ours or they are refused")
struct TaskTokenCodecTests {
    private let run = RunKey(namespace: "ns", workflow: "order-7", run: "0199c0de-0000-7000-8000-000000000001")

    @Test("Tokens come back as they were", arguments: UInt64(0)..<100)
    func roundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        let key = RunKey(
            namespace: NamespaceID(values.name()), workflow: WorkflowID(values.name()), run: RunID(values.name()))
        let workflowTask = WorkflowTaskToken(
            run: key, scheduledEventID: values.id(), startedEventID: values.id(), attempt: values.int32(),
            requestID: RequestID(values.text()))
        #expect(
            try TaskTokenCodec.decodeWorkflowTask(TaskTokenCodec.encode(workflowTask)) == workflowTask, "seed \(seed)")
        let activityTask = ActivityTaskToken(
            run: key, scheduledEventID: values.id(), activityID: ActivityID(values.text()), attempt: values.int32(),
            stamp: values.int32())
        #expect(
            try TaskTokenCodec.decodeActivityTask(TaskTokenCodec.encode(activityTask)) == activityTask, "seed \(seed)")
        let query = try TaskTokenCodec.decodeQuery(TaskTokenCodec.encodeQuery(run: key, id: "q-\(seed)"))
        #expect(query.run == key && query.id == "q-\(seed)")
    }

    @Test("A token of one kind does not pass for another")
    func kindsAreToldApart() {
        let token = WorkflowTaskToken(
            run: run, scheduledEventID: EventID(2), startedEventID: EventID(3), attempt: 1, requestID: "r")
        let refusal = Rejection.invalid("Error deserializing task token.")
        #expect(throws: refusal) { try TaskTokenCodec.decodeActivityTask(TaskTokenCodec.encode(token)) }
        #expect(throws: refusal) { try TaskTokenCodec.decodeQuery(TaskTokenCodec.encode(token)) }
        #expect(throws: refusal) {
            try TaskTokenCodec.decodeWorkflowTask(TaskTokenCodec.encodeQuery(run: run, id: "q"))
        }
    }

    @Test("Refusals use the words of a reference server")
    func refusals() {
        #expect(throws: Rejection.invalid("Task token not set on request.")) {
            try TaskTokenCodec.decodeWorkflowTask([])
        }
        // "xx" is a protobuf message with a field nobody knows, so the namespace is what is missed first.
        #expect(throws: Rejection.invalid("Namespace not set on request.")) {
            try TaskTokenCodec.decodeActivityTask(Array("xx".utf8))
        }
        #expect(throws: Rejection.invalid("Error deserializing task token.")) {
            try TaskTokenCodec.decodeActivityTask(Array("garbage".utf8))
        }
        #expect(throws: Rejection.invalid("Error deserializing task token.")) {
            try TaskTokenCodec.decodeActivityTask([UInt8](repeating: 0x7A, count: TaskTokenCodec.tokenBytesMax + 1))
        }
    }

    @Test("Any bytes give a token or a refusal, never a crash", arguments: UInt64(0)..<300)
    func hostileBytes(seed: UInt64) {
        var values = RandomValues(seed: seed)
        let token = ActivityTaskToken(run: run, scheduledEventID: EventID(5), activityID: "1", attempt: 1, stamp: 0)
        let whole = TaskTokenCodec.encode(token)
        var flipped = whole
        flipped[Int(seed) % whole.count] ^= UInt8(truncatingIfNeeded: seed &* 37 | 1)
        for bytes in [values.bytes(), flipped, Array(whole.prefix(Int(seed) % whole.count))] {
            for decode in [
                { _ = try TaskTokenCodec.decodeWorkflowTask(bytes) },
                { _ = try TaskTokenCodec.decodeActivityTask(bytes) },
                { _ = try TaskTokenCodec.decodeQuery(bytes) },
            ] as [() throws -> Void] {
                do {
                    try decode()
                } catch {
                    #expect((error as? Rejection)?.kind == .invalidArgument, "seed \(seed)")
                }
            }
        }
    }
}
