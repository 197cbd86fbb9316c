import CNats
import Glibc

extension JetStreamConnection {
    /// Publishes in order; returns the stream sequences once every message is acknowledged.
    ///
    /// After a failure nothing is known of the batch's unacknowledged part: publish it again on a new session.
    func publish(_ messages: [OutgoingMessage], stream: String) async throws(NATSError) -> [UInt64] {
        guard !messages.isEmpty else { return [] }
        let batch = PublishBatch(ids: messages.map(\.id))
        guard router.begin(batch) else { throw .notConnected }
        defer { router.end() }
        try await run { () throws(NATSError) in
            try self.withContext { context throws(NATSError) in
                for message in messages { try Self.send(message, context: context, stream: stream) }
            }
        }
        return try await batch.result().get()
    }

    private static func send(_ message: OutgoingMessage, context: OpaquePointer, stream: String) throws(NATSError) {
        var made: OpaquePointer?
        let status = message.body.withUnsafeBufferPointer { body in
            body.withMemoryRebound(to: CChar.self) {
                natsMsg_Create(&made, message.subject, nil, $0.baseAddress, Int32($0.count))
            }
        }
        try check(status)
        // Ownership moves to libnats on success, which clears `made`.
        defer { natsMsg_Destroy(made) }
        for header in message.headers { try check(natsMsgHeader_Set(made, header.name, header.value)) }
        try check(natsMsgHeader_Set(made, "Nats-Msg-Id", message.id))
        var options = jsPubOptions()
        try check(jsPubOptions_Init(&options))
        options.MaxWait = MessagingLimits.acknowledgementMillisecondsMax
        try check(js_PublishMsgAsync(context, &made, &options))
    }

    /// Makes the stream (file storage) if it is missing, and tells what it holds.
    func prepareStream(name: String, subjects: [String], duplicateWindowSeconds: Int64) async throws(NATSError)
        -> StreamInfo
    {
        try await run { () throws(NATSError) in
            try self.withContext { context throws(NATSError) in
                if let found = try Self.info(context, name) { return found }
                var configuration = jsStreamConfig()
                try check(jsStreamConfig_Init(&configuration))
                let names = subjects.map { strdup($0) }
                let streamName = strdup(name)
                defer {
                    for pointer in names { free(pointer) }
                    free(streamName)
                }
                var pointers = names.map { UnsafePointer($0) }
                let status = pointers.withUnsafeMutableBufferPointer { buffer -> natsStatus in
                    configuration.Name = UnsafePointer(streamName)
                    configuration.Subjects = buffer.baseAddress
                    configuration.SubjectsLen = Int32(buffer.count)
                    configuration.Storage = js_FileStorage
                    configuration.Retention = js_LimitsPolicy
                    configuration.Duplicates = duplicateWindowSeconds * 1_000_000_000
                    var made: UnsafeMutablePointer<jsStreamInfo>?
                    defer { jsStreamInfo_Destroy(made) }
                    return js_AddStream(&made, context, &configuration, nil, nil)
                }
                try check(status)
                guard let found = try Self.info(context, name) else { throw .notFound }
                return found
            }
        }
    }

    private static func info(_ context: OpaquePointer, _ name: String) throws(NATSError) -> StreamInfo? {
        var info: UnsafeMutablePointer<jsStreamInfo>?
        let status = js_GetStreamInfo(&info, context, name, nil, nil)
        defer { jsStreamInfo_Destroy(info) }
        if status == NATS_NOT_FOUND { return nil }
        try check(status)
        guard let info else { return nil }
        return StreamInfo(
            created: info.pointee.Created, firstSequence: info.pointee.State.FirstSeq,
            lastSequence: info.pointee.State.LastSeq, messages: info.pointee.State.Msgs)
    }

    /// The message id stored at a sequence; nil when that message is gone.
    func messageID(stream: String, sequence: UInt64) async throws(NATSError) -> String? {
        try await run { () throws(NATSError) in
            try self.withContext { context throws(NATSError) in
                var message: OpaquePointer?
                let status = js_GetMsg(&message, context, stream, sequence, nil, nil)
                defer { natsMsg_Destroy(message) }
                if status == NATS_NOT_FOUND { return nil }
                try check(status)
                var value: UnsafePointer<CChar>?
                guard natsMsgHeader_Get(message, "Nats-Msg-Id", &value) == NATS_OK, let value else { return nil }
                return String(cString: value)
            }
        }
    }
}
