import TemporalCodec

/// What a call means for those who count tasks in hand.
struct Traffic: Sendable {
    let method: String

    /// Does the caller wait for what becomes of a workflow or an update?
    func waitsForOutcome(_ request: [UInt8]) -> Bool {
        switch method {
        case "GetWorkflowExecutionHistory":
            // wait_new_event, and history_event_filter_type = CLOSE_EVENT.
            number(5, in: request) != 0 && number(6, in: request) == 2
        case "UpdateWorkflowExecution", "PollWorkflowExecutionUpdate", "ExecuteMultiOperation": true
        default: false
        }
    }

    /// How many tasks an answer hands out.
    func tasks(in response: [UInt8]) -> Int {
        switch method {
        case "PollWorkflowTaskQueue", "PollActivityTaskQueue":
            messages(1, in: response).contains { !$0.isEmpty } ? 1 : 0
        case "RespondWorkflowTaskCompleted": messages(2, in: response).count
        case "StartWorkflowExecution": messages(2, in: response).isEmpty ? 0 : 1
        default: 0
        }
    }

    private func number(_ field: Int, in message: [UInt8]) -> UInt64 {
        var reader = ProtobufReader(message)
        while let (number, value) = try? reader.next() {
            if number == field, case .varint(let value) = value { return value }
        }
        return 0
    }

    private func messages(_ field: Int, in message: [UInt8]) -> [ArraySlice<UInt8>] {
        var found: [ArraySlice<UInt8>] = []
        var reader = ProtobufReader(message)
        while let (number, value) = try? reader.next() {
            if number == field, case .bytes(let body) = value { found.append(body) }
        }
        return found
    }
}
