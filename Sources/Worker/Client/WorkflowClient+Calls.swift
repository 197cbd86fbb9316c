import Foundation
import SwiftProtobuf
import TemporalAPI

/// The calls as they go out, behind the interceptors.
extension WorkflowClient {
    /// Starts a workflow, perhaps with a signal.
    /// - Returns: The run's id.
    func begin(_ call: StartWorkflowCall) async throws -> String {
        try await interceptors.pass(call) {
            try await $0.start($1, next: $2)
        } to: { call in
            do {
                return try await send(call)
            } catch let failure as RPCFailure {
                throw ClientError.translated(failure, workflowID: call.options.id)
            }
        }
    }

    private func send(_ call: StartWorkflowCall) async throws -> String {
        let options = call.options
        let converter = self.converter.scoped(namespace: namespace, workflowID: options.id)
        let input = try converter.arguments(call.arguments)
        guard let signal = call.signal else { return try await sendStart(call, input, converter) }
        var request = Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionRequest()
        try options.fill(
            &request, workflowType: call.workflowType, input: input, converter: converter, service: service)
        request.signalName = signal.name
        let signalInput = try converter.arguments(signal.arguments)
        if !signalInput.isEmpty { request.signalInput = Data(signalInput) }
        let response: Temporal_Api_Workflowservice_V1_SignalWithStartWorkflowExecutionResponse =
            try await service.call("SignalWithStartWorkflowExecution", request)
        return response.runID
    }

    private func sendStart(
        _ call: StartWorkflowCall, _ input: [UInt8], _ converter: DataConverter
    ) async throws -> String {
        var request = Temporal_Api_Workflowservice_V1_StartWorkflowExecutionRequest()
        try call.options.fill(
            &request, workflowType: call.workflowType, input: input, converter: converter, service: service)
        let slot = call.options.startsEagerly ? eagerStarts.reserve(taskQueue: call.options.taskQueue) : nil
        request.requestEagerExecution = slot != nil
        do {
            let response: Temporal_Api_Workflowservice_V1_StartWorkflowExecutionResponse = try await service.call(
                "StartWorkflowExecution", request)
            await slot?.take(response)
            return response.runID
        } catch {
            slot?.giveBack()
            throw error
        }
    }
}
