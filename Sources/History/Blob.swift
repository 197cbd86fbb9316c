/// Bytes that the server keeps and forwards without looking inside: an encoded `Payloads`, `Header`, `Failure`, ….
///
/// What stands inside is the protobuf encoding of the message that the name of the field says.
public struct Blob: Hashable, Sendable {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public static let empty = Blob([])
    public var isEmpty: Bool { bytes.isEmpty }
    public var count: Int { bytes.count }
}
