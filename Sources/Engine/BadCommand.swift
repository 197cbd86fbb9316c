import History

/// A command that cannot be done: the workflow task fails with its cause, nothing of the completion stays.
struct BadCommand: Error, Hashable, Sendable {
    let cause: WorkflowTaskFailedCause
    let message: String
    /// Too large to be ever stored: the run ends too.
    var endsRun = false

    /// As the worker and the history see it: `BadStartTimerAttributes: …`.
    var text: String { message.isEmpty ? cause.shortName : "\(cause.shortName): \(message)" }
}

extension WorkflowTaskFailedCause {
    /// The cause's name in the camel case that error messages use.
    var shortName: String {
        switch self {
        case .unspecified: "Unspecified"
        case .unhandledCommand: "UnhandledCommand"
        case .badScheduleActivityAttributes: "BadScheduleActivityAttributes"
        case .badRequestCancelActivityAttributes: "BadRequestCancelActivityAttributes"
        case .badStartTimerAttributes: "BadStartTimerAttributes"
        case .badCancelTimerAttributes: "BadCancelTimerAttributes"
        case .badRecordMarkerAttributes: "BadRecordMarkerAttributes"
        case .badCompleteWorkflowExecutionAttributes: "BadCompleteWorkflowExecutionAttributes"
        case .badFailWorkflowExecutionAttributes: "BadFailWorkflowExecutionAttributes"
        case .badCancelWorkflowExecutionAttributes: "BadCancelWorkflowExecutionAttributes"
        case .badRequestCancelExternalWorkflowExecutionAttributes: "BadRequestCancelExternalWorkflowExecutionAttributes"
        case .badContinueAsNewAttributes: "BadContinueAsNewAttributes"
        case .startTimerDuplicateID: "StartTimerDuplicateId"
        case .resetStickyTaskQueue: "ResetStickyTaskQueue"
        case .workflowWorkerUnhandledFailure: "WorkflowWorkerUnhandledFailure"
        case .badSignalWorkflowExecutionAttributes: "BadSignalWorkflowExecutionAttributes"
        case .badStartChildExecutionAttributes: "BadStartChildExecutionAttributes"
        case .forceCloseCommand: "ForceCloseCommand"
        case .failoverCloseCommand: "FailoverCloseCommand"
        case .badSignalInputSize: "BadSignalInputSize"
        case .resetWorkflow: "ResetWorkflow"
        case .badBinary: "BadBinary"
        case .scheduleActivityDuplicateID: "ScheduleActivityDuplicateId"
        case .badSearchAttributes: "BadSearchAttributes"
        case .nonDeterministicError: "NonDeterministicError"
        case .badModifyWorkflowPropertiesAttributes: "BadModifyWorkflowPropertiesAttributes"
        case .pendingChildWorkflowsLimitExceeded: "PendingChildWorkflowsLimitExceeded"
        case .pendingActivitiesLimitExceeded: "PendingActivitiesLimitExceeded"
        case .pendingSignalsLimitExceeded: "PendingSignalsLimitExceeded"
        case .pendingRequestCancelLimitExceeded: "PendingRequestCancelLimitExceeded"
        case .badUpdateWorkflowExecutionMessage: "BadUpdateWorkflowExecutionMessage"
        case .unhandledUpdate: "UnhandledUpdate"
        case .badScheduleNexusOperationAttributes: "BadScheduleNexusOperationAttributes"
        case .pendingNexusOperationsLimitExceeded: "PendingNexusOperationsLimitExceeded"
        case .badRequestCancelNexusOperationAttributes: "BadRequestCancelNexusOperationAttributes"
        case .featureDisabled: "FeatureDisabled"
        case .grpcMessageTooLarge: "GrpcMessageTooLarge"
        case .payloadsTooLarge: "PayloadsTooLarge"
        }
    }
}
