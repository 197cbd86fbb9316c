public import History

extension Host {
    public func updateWorkflow(_ request: UpdateWorkflowRequest, deadline: Timestamp) async throws
        -> UpdateWorkflowResult
    {
        try await partition(request.target).update(request, deadline: deadline)
    }

    public func pollUpdate(
        _ target: RunTarget, _ update: UpdateID, stage: UpdateStage?, deadline: Timestamp
    ) async throws -> UpdateWorkflowResult {
        try await partition(target).pollUpdate(target, update, stage: stage, deadline: deadline)
    }

    public func updateWithStart(
        _ start: StartWorkflowRequest, _ update: UpdateWorkflowRequest, deadline: Timestamp
    ) async throws -> UpdateWithStartResult {
        try await partition(update.target).updateWithStart(start, update, deadline: deadline)
    }
}
