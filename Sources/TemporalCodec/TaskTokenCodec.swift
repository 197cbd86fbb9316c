public import History

/// Task tokens to and from the bytes that workers carry around for us.
///
/// A token is a small protobuf message of our own; nobody else reads it. Decoding is total over any bytes and refuses
/// what is not a whole token of the wanted kind.
public enum TaskTokenCodec {
    /// Longer bytes are no token of ours: ids and names are bounded, so are the tokens.
    public static let tokenBytesMax = 8 << 10

    private enum Kind: Int64 { case workflow = 1, activity = 2, query = 3 }

    public static func encode(_ token: WorkflowTaskToken) -> [UInt8] {
        var writer = begin(.workflow, token.run)
        writer.eventID(5, token.scheduledEventID)
        writer.eventID(6, token.startedEventID)
        writer.integer(7, token.attempt)
        writer.text(8, token.requestID)
        return writer.bytes
    }

    public static func encode(_ token: ActivityTaskToken) -> [UInt8] {
        var writer = begin(.activity, token.run)
        writer.eventID(5, token.scheduledEventID)
        writer.integer(7, token.attempt)
        writer.text(8, token.activityID)
        writer.integer(9, token.stamp)
        return writer.bytes
    }

    /// The token of a query that travels as a task of its own.
    public static func encodeQuery(run: RunKey, id: String) -> [UInt8] {
        var writer = begin(.query, run)
        writer.text(8, id)
        return writer.bytes
    }

    /// - Throws: `Rejection.invalid`.
    public static func decodeWorkflowTask(_ bytes: [UInt8]) throws(Rejection) -> WorkflowTaskToken {
        let parts = try Parts(bytes, .workflow)
        return WorkflowTaskToken(
            run: parts.run, scheduledEventID: EventID(parts.scheduled), startedEventID: EventID(parts.started),
            attempt: parts.attempt, requestID: RequestID(parts.id))
    }

    /// - Throws: `Rejection.invalid`.
    public static func decodeActivityTask(_ bytes: [UInt8]) throws(Rejection) -> ActivityTaskToken {
        let parts = try Parts(bytes, .activity)
        return ActivityTaskToken(
            run: parts.run, scheduledEventID: EventID(parts.scheduled), activityID: ActivityID(parts.id),
            attempt: parts.attempt, stamp: parts.stamp)
    }

    /// - Throws: `Rejection.invalid`.
    public static func decodeQuery(_ bytes: [UInt8]) throws(Rejection) -> (run: RunKey, id: String) {
        let parts = try Parts(bytes, .query)
        return (parts.run, parts.id)
    }

    private static func begin(_ kind: Kind, _ run: RunKey) -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.reserve(160)
        writer.text(1, run.namespace)
        writer.text(2, run.workflow)
        writer.text(3, run.run)
        writer.integer(4, kind.rawValue)
        return writer
    }

    /// The fields of any token; those a kind does not have stay zero.
    private struct Parts {
        var namespace = ""
        var workflow = ""
        var runID = ""
        var kind: Int64 = 0
        var scheduled: Int64 = 0
        var started: Int64 = 0
        var attempt: Int32 = 0
        var id = ""
        var stamp: Int32 = 0

        var run: RunKey {
            RunKey(namespace: NamespaceID(namespace), workflow: WorkflowID(workflow), run: RunID(runID))
        }

        init(_ bytes: [UInt8], _ wanted: Kind) throws(Rejection) {
            guard !bytes.isEmpty else { throw .invalid("Task token not set on request.") }
            guard bytes.count <= TaskTokenCodec.tokenBytesMax else { throw Self.undecodable }
            do {
                try read(bytes)
            } catch {
                throw Self.undecodable
            }
            guard !namespace.isEmpty else { throw .invalid("Namespace not set on request.") }
            guard kind == wanted.rawValue, !workflow.isEmpty, !runID.isEmpty else { throw Self.undecodable }
        }

        private static var undecodable: Rejection { .invalid("Error deserializing task token.") }

        private mutating func read(_ bytes: [UInt8]) throws(MalformedMessage) {
            var reader = ProtobufReader(bytes)
            while let (field, value) = try reader.next() {
                switch field {
                case 1: namespace = try value.text()
                case 2: workflow = try value.text()
                case 3: runID = try value.text()
                case 4: kind = try value.integer()
                case 5: scheduled = try value.integer()
                case 6: started = try value.integer()
                case 7: attempt = Int32(truncatingIfNeeded: try value.integer())
                case 8: id = try value.text()
                case 9: stamp = Int32(truncatingIfNeeded: try value.integer())
                default: break
                }
            }
        }
    }
}
