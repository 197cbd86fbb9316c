import Foundation
import History
import SwiftProtobuf
import TemporalAPI
import Testing

@testable import TemporalCodec

@Suite("Commands keep everything on their way from worker to engine")
struct CommandCodecTests {
    private func everyKind(_ values: inout RandomValues) -> [WorkflowCommand.Kind] {
        [
            .scheduleActivityTask(
                ScheduleActivityTask(
                    activityID: ActivityID(values.text()), activityType: values.text(),
                    taskQueue: values.optional { TaskQueueName($0.name()) }, header: values.optional { $0.blob() },
                    input: values.optional { $0.blob() }, scheduleToCloseTimeout: values.span(),
                    scheduleToStartTimeout: values.span(), startToCloseTimeout: values.span(),
                    heartbeatTimeout: values.span(), retryPolicy: values.optional { $0.policy() },
                    requestEagerExecution: values.chance(50), priority: values.optional { $0.priority() },
                    useWorkflowBuildID: values.chance(50))),
            .requestCancelActivityTask(scheduledEventID: values.id()),
            .startTimer(StartTimer(timerID: TimerID(values.text()), startToFireTimeout: values.span())),
            .cancelTimer(TimerID(values.text())),
            .completeWorkflowExecution(result: values.optional { $0.blob() }),
            .failWorkflowExecution(failure: values.optional { FailureCodec.decode($0.bytes()) }),
            .cancelWorkflowExecution(details: values.optional { $0.blob() }),
            .continueAsNewWorkflowExecution(
                ContinueAsNew(
                    workflowType: values.optional { $0.name() },
                    taskQueue: values.optional { TaskQueueName($0.name()) },
                    input: values.optional { $0.blob() }, header: values.optional { $0.blob() },
                    workflowRunTimeout: values.span(), workflowTaskTimeout: values.span(),
                    backoffStartInterval: values.span(), retryPolicy: values.optional { $0.policy() },
                    initiator: values.pick([nil, .workflow, .retry, .cronSchedule]),
                    failure: values.optional { FailureCodec.decode($0.bytes()) },
                    lastCompletionResult: values.optional { $0.blob() }, cronSchedule: values.text(),
                    memo: values.optional { $0.blob() }, searchAttributes: values.optional { $0.blob() })),
            .recordMarker(
                RecordMarker(
                    markerName: values.text(), details: values.namedBlobs(),
                    failure: values.optional { FailureCodec.decode($0.bytes()) }, header: values.optional { $0.blob() })
            ),
            .upsertWorkflowSearchAttributes(values.blob()),
            .modifyWorkflowProperties(upsertedMemo: values.blob()),
            .protocolMessage(messageID: values.text()),
        ] + values.relatedCommands()
    }

    @Test("Every kind of command comes back as it was", arguments: UInt64(0)..<40)
    func roundTrip(seed: UInt64) throws {
        var values = RandomValues(seed: seed)
        for kind in everyKind(&values) {
            let command = WorkflowCommand(kind, userMetadata: values.optional { $0.blob() })
            let bytes: [UInt8] = try CommandCodec.encode(command).serializedBytes()
            let decoded = CommandCodec.decode(try Temporal_Api_Command_V1_Command(serializedBytes: bytes))
            #expect(decoded == command, "seed \(seed)")
        }
    }

    @Test("A command that is not served is named by its number")
    func unsupportedCommands() {
        for number in [4711, 17, 18] {
            var message = Temporal_Api_Command_V1_Command()
            message.commandType = Temporal_Api_Enums_V1_CommandType(rawValue: number) ?? .unspecified
            #expect(CommandCodec.decode(message).kind == .unsupported(commandType: Int32(number)))
        }
    }

    @Test("Missing attributes count as empty ones, for the engine to refuse")
    func missingAttributes() {
        var message = Temporal_Api_Command_V1_Command()
        message.commandType = .startTimer
        #expect(CommandCodec.decode(message).kind == .startTimer(StartTimer(timerID: "", startToFireTimeout: .zero)))
        message.commandType = .failWorkflowExecution
        #expect(CommandCodec.decode(message).kind == .failWorkflowExecution(failure: nil))
    }
}
