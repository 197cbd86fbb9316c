import NIOCore

/// Cuts a stream of bytes into gRPC messages: a flag, a length of four bytes, the message.
struct GRPCMessages {
    struct Message: Sendable {
        var isCompressed: Bool
        var bytes: [UInt8]
    }

    enum Failure: Error, Equatable {
        /// A message says that it is this long.
        case tooLarge(Int, isCompressed: Bool)
        /// The flag is neither 0 nor 1.
        case malformed
    }

    private static let prefixBytes = 5
    private let bytesMax: Int
    private var buffer: ByteBuffer?

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Whether a message has begun and not ended.
    var isInside: Bool { (buffer?.readableBytes ?? 0) > 0 }

    mutating func append(_ data: ByteBuffer) {
        guard var whole = buffer, whole.readableBytes > 0 else {
            buffer = data
            return
        }
        buffer = nil
        whole.writeImmutableBuffer(data)
        buffer = whole
    }

    /// The next whole message.
    mutating func next() throws(Failure) -> Message? {
        guard let (flag, length) = buffer?.peekPrefix() else { return nil }
        guard flag <= 1 else { throw .malformed }
        guard Int(length) <= bytesMax else { throw .tooLarge(Int(length), isCompressed: flag == 1) }
        guard let available = buffer?.readableBytes, available >= Self.prefixBytes + Int(length) else { return nil }
        buffer?.moveReaderIndex(forwardBy: Self.prefixBytes)
        let bytes = buffer?.readBytes(length: Int(length)) ?? []
        return Message(isCompressed: flag == 1, bytes: bytes)
    }

    /// A message as it goes out, not compressed.
    static func frame(_ bytes: [UInt8], _ allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: prefixBytes + bytes.count)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(bytes.count))
        buffer.writeBytes(bytes)
        return buffer
    }
}

extension ByteBuffer {
    fileprivate func peekPrefix() -> (UInt8, UInt32)? {
        guard let flag: UInt8 = getInteger(at: readerIndex),
            let length: UInt32 = getInteger(at: readerIndex + 1), readableBytes >= 5
        else { return nil }
        return (flag, length)
    }
}
