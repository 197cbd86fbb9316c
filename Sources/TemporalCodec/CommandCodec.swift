public import History
public import TemporalAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A worker's commands to and from `temporal.api.command.v1.Command`.
public enum CommandCodec {
    /// What a worker asked for. The checks of the attributes belong to the engine; attributes that are missing count as
    /// empty ones, and a command that is not served here becomes `.unsupported`.
    public static func decode(_ command: Temporal_Api_Command_V1_Command) -> WorkflowCommand {
        WorkflowCommand(kind(of: command), userMetadata: Blob(command.userMetadata, isSet: command.hasUserMetadata))
    }

    private static func kind(of command: Temporal_Api_Command_V1_Command) -> WorkflowCommand.Kind {
        switch command.commandType {
        case .scheduleActivityTask:
            return .scheduleActivityTask(ScheduleActivityTask(command.scheduleActivityTaskCommandAttributes))
        case .requestCancelActivityTask:
            let id = command.requestCancelActivityTaskCommandAttributes.scheduledEventID
            return .requestCancelActivityTask(scheduledEventID: EventID(id))
        case .startTimer:
            let a = command.startTimerCommandAttributes
            return .startTimer(
                StartTimer(timerID: TimerID(a.timerID), startToFireTimeout: TimeSpan(a.startToFireTimeout)))
        case .cancelTimer: return .cancelTimer(TimerID(command.cancelTimerCommandAttributes.timerID))
        case .completeWorkflowExecution:
            let a = command.completeWorkflowExecutionCommandAttributes
            return .completeWorkflowExecution(result: Blob(a.result, isSet: a.hasResult))
        case .failWorkflowExecution:
            let a = command.failWorkflowExecutionCommandAttributes
            return .failWorkflowExecution(failure: Failure(a.failure, isSet: a.hasFailure))
        case .cancelWorkflowExecution:
            let a = command.cancelWorkflowExecutionCommandAttributes
            return .cancelWorkflowExecution(details: Blob(a.details, isSet: a.hasDetails))
        case .continueAsNewWorkflowExecution:
            return .continueAsNewWorkflowExecution(
                ContinueAsNew(command.continueAsNewWorkflowExecutionCommandAttributes))
        case .recordMarker: return .recordMarker(RecordMarker(command.recordMarkerCommandAttributes))
        case .upsertWorkflowSearchAttributes:
            return .upsertWorkflowSearchAttributes(
                Blob(command.upsertWorkflowSearchAttributesCommandAttributes.searchAttributes))
        case .modifyWorkflowProperties:
            return .modifyWorkflowProperties(
                upsertedMemo: Blob(command.modifyWorkflowPropertiesCommandAttributes.upsertedMemo))
        case .startChildWorkflowExecution:
            return .startChildWorkflow(StartChildWorkflow(command.startChildWorkflowExecutionCommandAttributes))
        case .requestCancelExternalWorkflowExecution:
            return .requestCancelExternalWorkflow(
                RequestCancelExternal(command.requestCancelExternalWorkflowExecutionCommandAttributes))
        case .signalExternalWorkflowExecution:
            return .signalExternalWorkflow(SignalExternal(command.signalExternalWorkflowExecutionCommandAttributes))
        case .protocolMessage:
            return .protocolMessage(messageID: command.protocolMessageCommandAttributes.messageID)
        case .unspecified, .scheduleNexusOperation, .requestCancelNexusOperation,
            .UNRECOGNIZED:
            return .unsupported(commandType: Int32(truncatingIfNeeded: command.commandType.rawValue))
        }
    }

    /// The message of a command, for a worker to send.
    public static func encode(_ command: WorkflowCommand) -> Temporal_Api_Command_V1_Command {
        var message = Temporal_Api_Command_V1_Command()
        if let metadata = command.userMetadata { message.userMetadata = metadata.data }
        switch command.kind {
        case .scheduleActivityTask(let wish):
            message.commandType = .scheduleActivityTask
            message.scheduleActivityTaskCommandAttributes = .init(wish)
        case .requestCancelActivityTask(let id):
            message.commandType = .requestCancelActivityTask
            message.requestCancelActivityTaskCommandAttributes.scheduledEventID = id.value
        case .startTimer(let wish):
            message.commandType = .startTimer
            message.startTimerCommandAttributes.timerID = wish.timerID.value
            message.startTimerCommandAttributes.startToFireTimeout = .init(wish.startToFireTimeout)
        case .cancelTimer(let timer):
            message.commandType = .cancelTimer
            message.cancelTimerCommandAttributes.timerID = timer.value
        case .completeWorkflowExecution(let result):
            message.commandType = .completeWorkflowExecution
            message.completeWorkflowExecutionCommandAttributes = .init()
            if let result { message.completeWorkflowExecutionCommandAttributes.result = result.data }
        case .failWorkflowExecution(let failure):
            message.commandType = .failWorkflowExecution
            message.failWorkflowExecutionCommandAttributes = .init()
            if let failure { message.failWorkflowExecutionCommandAttributes.failure = FailureCodec.data(failure) }
        case .cancelWorkflowExecution(let details):
            message.commandType = .cancelWorkflowExecution
            message.cancelWorkflowExecutionCommandAttributes = .init()
            if let details { message.cancelWorkflowExecutionCommandAttributes.details = details.data }
        case .continueAsNewWorkflowExecution(let wish):
            message.commandType = .continueAsNewWorkflowExecution
            message.continueAsNewWorkflowExecutionCommandAttributes = .init(wish)
        case .recordMarker(let wish):
            message.commandType = .recordMarker
            message.recordMarkerCommandAttributes = .init(wish)
        case .upsertWorkflowSearchAttributes(let attributes):
            message.commandType = .upsertWorkflowSearchAttributes
            message.upsertWorkflowSearchAttributesCommandAttributes.searchAttributes = attributes.data
        case .modifyWorkflowProperties(let memo):
            message.commandType = .modifyWorkflowProperties
            message.modifyWorkflowPropertiesCommandAttributes.upsertedMemo = memo.data
        case .startChildWorkflow(let wish):
            message.commandType = .startChildWorkflowExecution
            message.startChildWorkflowExecutionCommandAttributes = .init(wish)
        case .requestCancelExternalWorkflow(let wish):
            message.commandType = .requestCancelExternalWorkflowExecution
            message.requestCancelExternalWorkflowExecutionCommandAttributes = .init(wish)
        case .signalExternalWorkflow(let wish):
            message.commandType = .signalExternalWorkflowExecution
            message.signalExternalWorkflowExecutionCommandAttributes = .init(wish)
        case .protocolMessage(let id):
            message.commandType = .protocolMessage
            message.protocolMessageCommandAttributes.messageID = id
        case .unsupported(let number):
            message.commandType = Temporal_Api_Enums_V1_CommandType(rawValue: Int(number)) ?? .unspecified
        // Made by servers only, and never sent.
        case .refused: message.commandType = .unspecified
        }
        return message
    }
}
