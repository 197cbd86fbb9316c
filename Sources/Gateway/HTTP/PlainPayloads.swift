import FoundationEssentials
import History
import SwiftProtobuf
import TemporalAPI

/// One JSON value as `Payloads` with the encoding `json/plain`, and back.
enum PlainPayloads {
    static func encode(_ value: JSONValue) -> Blob {
        let payloads = Temporal_Api_Common_V1_Payloads.with {
            $0.payloads = [
                .with {
                    $0.metadata = ["encoding": Data("json/plain".utf8)]
                    $0.data = Data(JSONWriter.write(value))
                }
            ]
        }
        let bytes: [UInt8]? = try? payloads.serializedBytes()
        return Blob(bytes ?? [])
    }

    /// The first payload; nil when there is none or it is not plain JSON (encrypted, for one).
    static func decode(_ blob: Blob?) -> JSONValue? {
        guard let blob, let payloads = try? Temporal_Api_Common_V1_Payloads(serializedBytes: blob.bytes),
            let first = payloads.payloads.first
        else { return nil }
        return JSONTranscoder().plainValue(of: first)
    }
}

extension JSONTranscoder {
    func plainValue(of payload: Temporal_Api_Common_V1_Payload) -> JSONValue? {
        guard payload.metadata["encoding"] == Data("json/plain".utf8) else { return nil }
        return try? JSONParser.parse([UInt8](payload.data))
    }
}
