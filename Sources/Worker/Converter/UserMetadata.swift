import TemporalCodec

extension DataConverter {
    /// The encoded `temporal.api.sdk.v1.UserMetadata`: one line and a page for people.
    func userMetadata(summary: String?, details: String?) throws -> [UInt8] {
        var writer = ProtobufWriter()
        if let summary { writer.field(1, try payload(for: summary).wire) }
        if let details { writer.field(2, try payload(for: details).wire) }
        return writer.bytes
    }
}
