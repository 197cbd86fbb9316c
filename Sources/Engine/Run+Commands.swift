import History

extension Run {
    /// Does one command of a completion: its checks in one straight list, then its events.
    mutating func perform(
        _ command: WorkflowCommand, _ context: inout CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let metadata = command.userMetadata
        if command.kind.closesRun, !eventBuffer.isEmpty { throw BadCommand(cause: .unhandledCommand, message: "") }
        switch command.kind {
        case .scheduleActivityTask(let wish): try scheduleActivity(wish, metadata, &context, &draft)
        case .requestCancelActivityTask(let event): try requestCancelActivity(event, metadata, context, &draft)
        case .startTimer(let wish): try startTimer(wish, metadata, context, &draft)
        case .cancelTimer(let timer): try cancelTimer(timer, metadata, context, &draft)
        case .completeWorkflowExecution(let result): try complete(result, metadata, context, &draft)
        case .failWorkflowExecution(let failure): try fail(failure, metadata, context, &draft)
        case .cancelWorkflowExecution(let details): try cancel(details, metadata, context, &draft)
        case .continueAsNewWorkflowExecution(let wish): try continueAsNew(wish, metadata, context, &draft)
        case .recordMarker(let wish): try recordMarker(wish, metadata, context, &draft)
        case .upsertWorkflowSearchAttributes(let attributes): try upsert(attributes, metadata, context, &draft)
        case .modifyWorkflowProperties(let memo): try modifyMemo(memo, metadata, context, &draft)
        case .startChildWorkflow(let wish): try startChild(wish, metadata, &context, &draft)
        case .requestCancelExternalWorkflow(let wish): try requestCancelExternal(wish, metadata, context, &draft)
        case .signalExternalWorkflow(let wish): try signalExternal(wish, metadata, context, &draft)
        case .protocolMessage(let id):
            guard let index = context.messages.firstIndex(where: { $0.id == id }) else {
                throw BadCommand(
                    cause: .badUpdateWorkflowExecutionMessage,
                    message: "ProtocolMessageCommand referenced absent message ID \(id)")
            }
            try handle(context.messages.remove(at: index), context, &draft)
        case .unsupported(let type):
            throw BadCommand(cause: .featureDisabled, message: "command type \(type) is not supported by this server")
        case .refused(let cause, let message): throw BadCommand(cause: cause, message: message)
        }
    }

    private func startTimer(_ wish: StartTimer, _ limits: Limits) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badStartTimerAttributes
        if wish.timerID.isEmpty { throw BadCommand(cause: cause, message: "TimerId is not set on StartTimerCommand.") }
        if wish.timerID.value.utf8.count > limits.identifierBytesMax {
            throw BadCommand(cause: cause, message: "TimerId on StartTimerCommand exceeds length limit.")
        }
        if wish.startToFireTimeout < .zero {
            throw BadCommand(cause: cause, message: "An invalid StartToFireTimeout is set on StartTimerCommand.")
        }
        if timers.pending(wish.timerID) != nil {
            throw BadCommand(cause: .startTimerDuplicateID, message: "Timer \(wish.timerID) is already pending.")
        }
        if timers.table.count >= limits.pendingTimersMax {
            throw BadCommand(
                cause: cause, message: "the number of pending timers, \(timers.table.count), is at its limit.")
        }
    }

    private mutating func startTimer(
        _ wish: StartTimer, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        try startTimer(wish, draft.limits)
        let attributes = TimerStarted(
            timerID: wish.timerID, startToFireTimeout: wish.startToFireTimeout,
            workflowTaskCompletedEventID: context.completedEventID)
        emit(.timerStarted(attributes), &draft, userMetadata: metadata)
    }

    private mutating func cancelTimer(
        _ timerID: TimerID, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badCancelTimerAttributes
        if timerID.isEmpty { throw BadCommand(cause: cause, message: "TimerId is not set on CancelTimerCommand.") }
        guard let timer = timers.pending(timerID) else {
            throw BadCommand(cause: cause, message: "Timer \(timerID) is not pending.")
        }
        if timer.fireIsBuffered { eventBuffer.removeFiring(of: timerID, startedEventID: timer.startedEventID) }
        let attributes = TimerCanceled(
            timerID: timerID, startedEventID: timer.startedEventID,
            workflowTaskCompletedEventID: context.completedEventID,
            identity: context.identity)
        emit(.timerCanceled(attributes), &draft, userMetadata: metadata)
    }

    private mutating func recordMarker(
        _ wish: RecordMarker, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badRecordMarkerAttributes
        if wish.markerName.isEmpty {
            throw BadCommand(cause: cause, message: "MarkerName is not set on RecordMarkerCommand.")
        }
        if wish.markerName.utf8.count > draft.limits.identifierBytesMax {
            throw BadCommand(cause: cause, message: "MarkerName on RecordMarkerCommand exceeds length limit.")
        }
        let size = wish.details.reduce(0) { $0 + $1.value.count } + (wish.failure?.bytes ?? 0)
        try checkSize(size, of: "RecordMarkerCommandAttributes.Details", cause, draft)
        let attributes = MarkerRecorded(
            markerName: wish.markerName, details: wish.details, failure: wish.failure, header: wish.header,
            workflowTaskCompletedEventID: context.completedEventID)
        emit(.markerRecorded(attributes), &draft, userMetadata: metadata)
    }

    private mutating func upsert(
        _ attributes: Blob, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        if attributes.isEmpty {
            throw BadCommand(
                cause: .badSearchAttributes,
                message: "IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.")
        }
        try checkSize(
            attributes.count, of: "UpsertWorkflowSearchAttributesCommandAttributes", .badSearchAttributes, draft)
        let event = UpsertWorkflowSearchAttributes(
            searchAttributes: attributes, workflowTaskCompletedEventID: context.completedEventID)
        emit(.upsertWorkflowSearchAttributes(event), &draft, userMetadata: metadata)
    }

    private mutating func modifyMemo(
        _ memo: Blob, _ metadata: Blob?, _ context: CommandContext, _ draft: inout Draft
    ) throws(BadCommand) {
        let cause = WorkflowTaskFailedCause.badModifyWorkflowPropertiesAttributes
        if memo.isEmpty {
            throw BadCommand(cause: cause, message: "UpsertedMemo is not set on ModifyWorkflowPropertiesCommand.")
        }
        if (self.memo?.count ?? 0) + memo.count > draft.limits.memoBytesMax {
            throw BadCommand(cause: cause, message: "Memo size exceeds limit.", endsRun: true)
        }
        let event = WorkflowPropertiesModified(
            upsertedMemo: memo, workflowTaskCompletedEventID: context.completedEventID)
        emit(.workflowPropertiesModified(event), &draft, userMetadata: metadata)
    }

    /// A payload that no event may carry fails the task and ends the run.
    func checkSize(
        _ bytes: Int, of field: String, _ cause: WorkflowTaskFailedCause, _ draft: Draft
    ) throws(BadCommand) {
        guard bytes > draft.limits.blobBytesMax else { return }
        throw BadCommand(cause: cause, message: "\(field) exceeds size limit.", endsRun: true)
    }
}
