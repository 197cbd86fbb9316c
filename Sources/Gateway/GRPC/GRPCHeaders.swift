import Foundation
import History
import NIOHPACK

/// gRPC over HTTP/2 as headers: what a request says about itself, how an answer ends
/// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
enum GRPCHeaders {
    /// The start of every answer that has a message.
    static let answer = HPACKHeaders([(":status", "200"), ("content-type", "application/grpc")])
    /// The end of an answer that has a message.
    static let success = HPACKHeaders([("grpc-status", "0")])
    /// An exchange without any answer.
    static let emptySuccess = HPACKHeaders([
        (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0"),
    ])
    /// For requests that are no gRPC.
    static let unsupported = HPACKHeaders([(":status", "415")])
    /// Failure details beyond this are left out: clients refuse longer header lists (protocol.md 1.2).
    static let detailsBytesMax = 12 << 10
    static let messageBytesMax = 3 << 10

    /// `/package.Service/Method`.
    static func method(_ path: String) -> WireMethod? {
        guard path.utf8.first == UInt8(ascii: "/"), let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return nil
        }
        let start = path.utf8.index(after: path.utf8.startIndex)
        guard start < slash else { return nil }
        let service = String(path[start..<slash])
        let name = String(path[path.utf8.index(after: slash)...])
        return WireMethod(service: service, name: name)
    }

    /// All but the pseudo headers.
    static func metadata(_ headers: HPACKHeaders) -> [(name: String, value: String)] {
        var plain: [(name: String, value: String)] = []
        plain.reserveCapacity(headers.count)
        for (name, value, _) in headers where name.utf8.first != UInt8(ascii: ":") { plain.append((name, value)) }
        return plain
    }

    /// An answer without a message.
    static func failure(_ failure: WireFailure) -> HPACKHeaders {
        var headers = answer
        add(failure, to: &headers)
        return headers
    }

    /// The end of an answer that began with a message.
    static func trailers(_ failure: WireFailure) -> HPACKHeaders {
        var headers = HPACKHeaders()
        add(failure, to: &headers)
        return headers
    }

    private static func add(_ failure: WireFailure, to headers: inout HPACKHeaders) {
        headers.add(name: "grpc-status", value: "\(failure.code.rawValue)")
        if !failure.message.isEmpty { headers.add(name: "grpc-message", value: escaped(failure.message)) }
        if !failure.statusDetails.isEmpty, failure.statusDetails.count <= detailsBytesMax {
            let text = Data(failure.statusDetails).base64EncodedString().prefix { $0 != "=" }
            headers.add(name: "grpc-status-details-bin", value: String(text))
        }
    }

    /// Everything but printable ASCII is percent-encoded, and so is `%`.
    static func escaped(_ text: String) -> String {
        if text.utf8.count <= messageBytesMax,
            text.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "%") })
        {
            return text
        }
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8.prefix(messageBytesMax) {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// When the caller stops waiting. `grpc-timeout` is a number of at most eight digits and a unit.
    static func deadline(_ headers: HPACKHeaders, _ now: Timestamp) -> Timestamp? {
        guard let text = headers.first(name: "grpc-timeout"), let unit = text.last,
            let count = Int64(text.dropLast()), (0...99_999_999).contains(count)
        else { return nil }
        switch unit {
        case "H": return now.advanced(by: .hours(count))
        case "M": return now.advanced(by: .minutes(count))
        case "S": return now.advanced(by: .seconds(count))
        case "m": return now.advanced(by: .milliseconds(count))
        case "u": return now.advanced(by: TimeSpan(nanoseconds: count * 1000))
        case "n": return now.advanced(by: TimeSpan(nanoseconds: count))
        default: return nil
        }
    }
}
