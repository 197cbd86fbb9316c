import CZlib
import Synchronization

/// Inflates gzip and deflate messages. zlib's state is dear to set up, so it is kept and reset.
final class Inflater: Sendable {
    enum Failure: Error, Equatable {
        /// The result would be longer than allowed.
        case tooLong
        case damaged
    }

    private struct Kept: @unchecked Sendable { var stream: UnsafeMutablePointer<z_stream> }

    private let kept = Mutex<[Kept]>([])
    /// States kept for the next message.
    private static let keptMax = 16
    /// A window of 32 KiB, and the header (gzip or zlib) is found out.
    private static let windowBits: Int32 = 15 + 32

    deinit {
        for state in kept.withLock({ $0 }) { Self.free(state.stream) }
    }

    /// - Throws: ``Failure``; a message that does not end counts as damaged.
    func inflate(_ input: [UInt8], max: Int) throws(Failure) -> [UInt8] {
        guard let stream = kept.withLock({ $0.popLast() })?.stream ?? Self.make() else { throw .damaged }
        let result = Self.run(stream, input, max: max)
        if inflateReset(stream) == Z_OK, keep(stream) {} else { Self.free(stream) }
        return try result.get()
    }

    private func keep(_ stream: UnsafeMutablePointer<z_stream>) -> Bool {
        let state = Kept(stream: stream)
        return kept.withLock { kept in
            guard kept.count < Self.keptMax else { return false }
            kept.append(state)
            return true
        }
    }

    private static func make() -> UnsafeMutablePointer<z_stream>? {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
        return stream
    }

    private static func free(_ stream: UnsafeMutablePointer<z_stream>) {
        inflateEnd(stream)
        stream.deallocate()
    }

    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ input: [UInt8], max: Int
    ) -> Result<[UInt8], Failure> {
        var input = input
        var output = [UInt8](repeating: 0, count: min(max + 1, Swift.max(512, input.count * 4)))
        return input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            var written = 0
            while true {
                let room = output.count - written
                let status = output.withUnsafeMutableBufferPointer { output in
                    stream.pointee.next_out = output.baseAddress?.advanced(by: written)
                    stream.pointee.avail_out = UInt32(room)
                    return CZlib.inflate(stream, Z_NO_FLUSH)
                }
                written += room - Int(stream.pointee.avail_out)
                if written > max { return .failure(.tooLong) }
                switch status {
                case Z_STREAM_END:
                    output.removeLast(output.count - written)
                    return .success(output)
                case Z_OK where stream.pointee.avail_out == 0:
                    output.append(contentsOf: [UInt8](repeating: 0, count: min(output.count, max + 1 - output.count)))
                default: return .failure(.damaged)
                }
            }
        }
    }
}
