import History
import SwiftProtobuf
import TemporalAPI
import TemporalCodec

/// Looks below the wrappers that an engine puts around what an application threw.
enum FailureChain {
    private static let depthMax = 16

    /// The first failure of the chain that an application typed.
    static func innermost(_ blob: Blob) -> FailureTraits? {
        guard var failure = try? Temporal_Api_Failure_V1_Failure(serializedBytes: blob.bytes) else { return nil }
        for _ in 0..<depthMax {
            if failure.applicationFailureInfo.type.isEmpty, failure.hasCause {
                failure = failure.cause
            } else {
                break
            }
        }
        let bytes: [UInt8]? = try? failure.serializedBytes()
        return bytes.map(FailureCodec.traits(of:))
    }
}
